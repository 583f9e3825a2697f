"""What a network says of the same object in several spectra (Green et al. 2025, Figs. 8 and 9).

Rows are told apart by their object; of one object only spectra of one kind count: its exposures where there are two or
more, else its coadds, never a coadd together with the exposures that it is made of.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

ENTROPY_BINS = 20
Z_EDGES = np.linspace(0.0, 5.0, 20)
"""Edges of the 19 bins [lo, hi) in mean redshift of Fig. 9."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows of objects seen more than once: ``order`` i8 (m,) are rows, those of one object side by side.

    The rows of object number i are ``order[starts[i] : starts[i] + counts[i]]``.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.starts.size)


def repeat_groups(object_id: ArrayLike, coadd: ArrayLike, use: ArrayLike | None = None) -> Groups:
    """The objects with two or more rows of one kind.

    ``object_id`` (n,) whole numbers, 0 and below: of no object, left out; ``coadd`` (n,) bool: a coadd, else an
    exposure; ``use`` (n,) bool: rows that count at all (answered, no sky fibre). One sort over the rows in use.
    """
    key, is_coadd = np.asarray(object_id, dtype=np.int64), np.asarray(coadd, dtype=np.bool_)
    counted = key > 0
    if use is not None:
        counted &= np.asarray(use, dtype=np.bool_)
    rows = np.flatnonzero(counted)
    # Exposures of an object come before its coadds, each in the order of the rows.
    rows = rows[np.argsort(2 * key[rows] + is_coadd[rows], kind="stable")]
    kind_key = 2 * key[rows] + is_coadd[rows]
    starts = np.flatnonzero(np.r_[True, kind_key[1:] != kind_key[:-1]]) if rows.size else np.empty(0, np.int64)
    counts = np.diff(np.r_[starts, rows.size])
    wanted = counts >= 2
    # Coadds that follow enough exposures of the same object stand aside.
    owner, of_coadds = kind_key[starts] // 2, kind_key[starts] % 2 == 1
    after_exposures = np.zeros(starts.size, dtype=bool)
    after_exposures[1:] = of_coadds[1:] & (owner[1:] == owner[:-1]) & wanted[:-1]
    wanted &= ~after_exposures
    kept = np.repeat(wanted, counts)
    lengths = counts[wanted]
    return Groups(rows[kept], np.cumsum(np.r_[0, lengths])[:-1].astype(np.int64), lengths.astype(np.int64))


def class_entropy(is_qso: ArrayLike, groups: Groups) -> NDArray[np.float64]:
    """Entropy in bits of the classes QSO and NOT over the rows of each object: 0 (always the same) to 1, f8."""
    share = _sums(np.asarray(is_qso, dtype=np.bool_).astype(np.float64), groups) / groups.counts
    entropy = np.zeros(len(groups))
    for p in (share, 1.0 - share):
        some = p > 0
        entropy[some] -= p[some] * np.log2(p[some])
    return entropy


@dataclass(frozen=True, slots=True)
class EntropyBin:
    """``count`` objects with an entropy in [entropy, entropy_hi) bits; the last bin includes its upper edge."""

    entropy: float
    entropy_hi: float
    count: int


def entropy_bins(entropy: ArrayLike, bins: int = ENTROPY_BINS) -> tuple[EntropyBin, ...]:
    """Histogram of the entropies between 0 and 1 bit (Fig. 8, right)."""
    counts = np.histogram(np.asarray(entropy, dtype=np.float64), np.linspace(0.0, 1.0, bins + 1))[0]
    return tuple(EntropyBin(i / bins, (i + 1) / bins, int(n)) for i, n in enumerate(counts))


def entropy_plane(old: ArrayLike, new: ArrayLike, bins: int = ENTROPY_BINS) -> NDArray[np.int64]:
    """Objects by their entropy in both files (Fig. 8, left): i8 (bins of the new one, bins of the old one)."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts = np.histogram2d(np.asarray(new, float), np.asarray(old, float), [edges, edges])[0]
    return np.asarray(counts, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class RedshiftScatter:
    """One bin [lo, hi) in redshift: ``n`` objects of mean redshift ``z_mean`` and mean scatter ``sigma_z``.

    ``error`` is the standard error of that mean (NaN for one object), ``median`` the median scatter: a few redshifts
    that jump from line to line move the mean and leave the median.
    """

    lo: float
    hi: float
    z_mean: float
    sigma_z: float
    error: float
    median: float
    n: int


def object_scatter(
    zbest: ArrayLike, is_qso: ArrayLike, groups: Groups
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and population standard deviation (ddof 0) of the redshifts of each object, f8 each.

    NaN for an object that is not called a quasar in every row. ``zbest`` and ``is_qso`` (n,) are of the rows.
    """
    always = _sums(np.asarray(is_qso, dtype=np.bool_).astype(np.float64), groups) == groups.counts
    z = np.asarray(zbest, dtype=np.float64)
    mean = _sums(z, groups) / groups.counts
    # Two passes: the difference of two large sums would lose the small scatters.
    residual = np.zeros(z.shape)
    residual[groups.order] = z[groups.order] - np.repeat(mean, groups.counts)
    sigma = np.sqrt(_sums(residual**2, groups) / groups.counts)
    return np.where(always, mean, np.nan), np.where(always, sigma, np.nan)


def redshift_scatter(mean: ArrayLike, sigma: ArrayLike, edges: ArrayLike = Z_EDGES) -> tuple[RedshiftScatter, ...]:
    """Mean scatter in bins of the mean redshift (Fig. 9) of the objects of :func:`object_scatter`.

    Bins without objects have n = 0 and NaN.
    """
    redshift, scatter = np.asarray(mean, dtype=np.float64), np.asarray(sigma, dtype=np.float64)
    borders = np.asarray(edges, dtype=np.float64)
    bin_of = np.where(np.isfinite(redshift), np.searchsorted(borders, redshift, side="right") - 1, -1)
    out = []
    for i, (lo, hi) in enumerate(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True)):
        s, z = scatter[bin_of == i], redshift[bin_of == i]
        if not s.size:
            nan = float("nan")
            out.append(RedshiftScatter(lo, hi, nan, nan, nan, nan, 0))
            continue
        error = float(s.std(ddof=1) / np.sqrt(s.size)) if s.size > 1 else float("nan")
        out.append(RedshiftScatter(lo, hi, float(z.mean()), float(s.mean()), error, float(np.median(s)), int(s.size)))
    return tuple(out)


def _sums(values: NDArray[np.float64], groups: Groups) -> NDArray[np.float64]:
    if not len(groups):
        return np.zeros(0)
    return np.asarray(np.add.reduceat(values[groups.order], groups.starts))
