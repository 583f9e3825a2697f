"""Which line one network takes for which line of the other (Green et al. 2025, Table 1).

Two networks that look at the same emission line and give it different names answer redshifts that are tied to each
other: 1 + z_new = (1 + z_old) λ_old / λ_new. How near to that a pair of redshifts must lie to be counted is lost from
the paper; ours is 3000 km/s in c |Δz| / (1 + z).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.evaluation.redshifts import SPEED_OF_LIGHT

WIDTH_KMS = 3000.0
OTHER = "other"

_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Confusion:
    """Objects whose line ``old`` of the one network is the line ``new`` of the other.

    ``count``: their redshifts lie within the width of what that exchange predicts. ``by_lines``: the networks decided
    on just these lines (their most confident ones), wherever the redshifts lie; a second opinion on ``count``.
    ``both``: both are so. Of "other", ``count`` is what lies near no exchange and ``by_lines`` where both networks
    decided on the same line and still disagree.
    """

    old: str
    new: str
    count: int
    by_lines: int
    both: int

    @property
    def pair(self) -> str:
        """As in Table 1: "MgII(2796) -> CIV(1548)"; "other" for what is no exchange."""
        return f"{self.old} -> {self.new}" if self.new else self.old


def nearest_exchange(
    z_old: ArrayLike, z_new: ArrayLike, rests: Sequence[float]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The exchange of two lines that lies nearest to each pair of redshifts (n,).

    ``rests`` are the rest wavelengths of the lines. Returns the line of the old network and that of the new one, i8
    (n,), -1 where a redshift is NaN, and by how much 1 + z_new is off, in km/s, f8 (n,). A pair of redshifts that
    agrees has a nearest exchange too: leave it out beforehand.
    """
    old, new = np.asarray(z_old, dtype=np.float64), np.asarray(z_new, dtype=np.float64)
    if old.ndim != 1 or old.shape != new.shape:
        raise ValueError(f"two redshifts of each object are needed, got {old.shape} and {new.shape}")
    wavelengths = np.asarray(rests, dtype=np.float64)
    first, second = np.nonzero(~np.eye(len(wavelengths), dtype=bool))
    ratio = wavelengths[first] / wavelengths[second]
    of_old, of_new = np.full(old.size, -1), np.full(old.size, -1)
    off = np.full(old.size, np.nan)
    known = np.flatnonzero(np.isfinite(old) & np.isfinite(new))
    for start in range(0, known.size, _AT_ONCE):
        here = known[start : start + _AT_ONCE]
        error = ((1.0 + new[here]) / (1.0 + old[here]))[:, None] / ratio - 1.0
        best = np.abs(error).argmin(axis=1)
        of_old[here], of_new[here] = first[best], second[best]
        off[here] = SPEED_OF_LIGHT * error[np.arange(here.size), best]
    return of_old, of_new, off


def line_confusion(
    z_old: ArrayLike,
    z_new: ArrayLike,
    agrees: ArrayLike,
    names: Sequence[str],
    rests: Sequence[float],
    *,
    line_old: ArrayLike | None = None,
    line_new: ArrayLike | None = None,
    width_kms: float = WIDTH_KMS,
) -> tuple[Confusion, ...]:
    """Counts for every ordered pair of lines, largest first, then "other".

    ``agrees`` (n,) bool are objects whose redshifts agree: they are confused nowhere. Objects with a NaN redshift are
    left out. ``line_old``, ``line_new`` (n,) are the lines that the networks decided on, places in ``names``. Pairs
    that nothing fell on are there too, with a count of 0; the counts add up to the objects that disagree.
    """
    n_lines = len(names)
    use = ~np.asarray(agrees, dtype=np.bool_)
    first, second, off = nearest_exchange(np.asarray(z_old)[use], np.asarray(z_new)[use], rests)
    known = first >= 0
    near = known & (np.abs(off) <= width_kms)
    counts = _table(first[near], second[near], n_lines)
    by_lines = both = np.zeros((n_lines, n_lines), dtype=np.int64)
    if line_old is not None and line_new is not None:
        decided_old, decided_new = np.asarray(line_old)[use], np.asarray(line_new)[use]
        by_lines = _table(decided_old[known], decided_new[known], n_lines)
        same = near & (decided_old == first) & (decided_new == second)
        both = _table(first[same], second[same], n_lines)
    pairs = [
        Confusion(names[i], names[k], int(counts[i, k]), int(by_lines[i, k]), int(both[i, k]))
        for i in range(n_lines)
        for k in range(n_lines)
        if i != k
    ]
    pairs.sort(key=lambda pair: (-pair.count, -pair.by_lines))
    rest = Confusion(OTHER, "", int(np.count_nonzero(known & ~near)), int(np.trace(by_lines)), 0)
    return (*pairs, rest)


def _table(first: NDArray[np.integer], second: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    cells = np.asarray(first, dtype=np.int64) * n + np.asarray(second, dtype=np.int64)
    return np.bincount(cells, minlength=n * n).reshape(n, n)
