"""How strongly a network pulls its redshifts to the middle of its boxes (Green et al. 2025, Fig. 10).

QuasarNET cuts the wavelengths into 13 boxes and clumps the position of a line towards the middle of its box, so the
redshift errors swing with the place of the line in its box: its phase, 0 at one edge and 1 at the next. The amplitude
is half the peak-to-peak of the first two harmonics fitted to the median Δv in bins of the phase. A fit to noise has an
amplitude too: ``chance_kms`` says which one these data would show without any pull.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.evaluation.redshifts import SPEED_OF_LIGHT

N_BOXES = 13
PHASE_BINS = 20
"""Bins of the phase; fewer, down to 10, where 20 would hold less than six values each."""
DV_MAX_KMS = 6000.0
C_MIN = 0.5

POOLED = "all lines"

_LEAST_IN_BIN = 3  # Values: a median of fewer is a value.
_LEAST_BINS = 9  # Five numbers are fitted.
_FEWEST_BINS, _IN_BIN = 10, 6
_DRAWS, _SHUFFLES = 100, 20
_FINE = np.linspace(0.0, 1.0, 721)


@dataclass(frozen=True, slots=True)
class BoxPull:
    """Amplitude of the pull of one line, or of all of them, in km/s.

    ``uncertainty_kms``: standard deviation over bootstraps of the objects. ``chance_kms``: the amplitude that the same
    values have on average when each object's phases are turned by an angle drawn at random. ``n`` values of
    ``objects``; ``phase``, ``median_kms`` and ``counts`` are the bins (NaN where too few values lie).
    """

    line: str
    amplitude_kms: float
    uncertainty_kms: float
    chance_kms: float
    n: int
    objects: int
    phase: tuple[float, ...]
    median_kms: tuple[float, ...]
    counts: tuple[int, ...]


def box_phase(
    z: ArrayLike, rest: float | NDArray[np.float64], wave: ArrayLike, n_boxes: int = N_BOXES
) -> NDArray[np.float64]:
    """Where in its box a line at rest wavelength ``rest`` (Å) of an object at ``z`` lies: f8 in [0, 1).

    ``wave`` (n_pixels,) are the lower edges of the pixels. The same position that training encodes: pixel index over
    the number of pixels, times the number of boxes. NaN outside [wave[0], wave[-1]].
    """
    edges = np.asarray(wave, dtype=np.float64)
    observed = (1.0 + np.asarray(z, dtype=np.float64)) * rest
    index = np.interp(observed, edges, np.arange(edges.size, dtype=np.float64), left=np.nan, right=np.nan)
    position = index / edges.size * n_boxes
    return np.asarray(position - np.floor(position))


def edge_redshifts(edges: ArrayLike, rest: float) -> NDArray[np.float64]:
    """Redshifts at which a line crosses the ``edges`` (Å) of the boxes."""
    return np.asarray(edges, dtype=np.float64) / rest - 1.0


def box_pull(
    z_line: ArrayLike,
    z_reference: ArrayLike,
    use: ArrayLike,
    wave: ArrayLike,
    names: Sequence[str],
    rests: Sequence[float],
    *,
    dv_max_kms: float = DV_MAX_KMS,
    seed: int = 0,
) -> tuple[BoxPull, ...]:
    r"""Pull of all lines together (first) and of each line.

    ``z_line`` (6, n): the redshift by each line. ``z_reference`` (n,) or (6, n): the truth, or what another network
    says; the phase is that of the line at this redshift. ``use`` (6, n) bool: lines that count, those with c > 0.5 of
    quasars. Of them those with \|Δv\| < ``dv_max_kms``, Δv = c (z_line - z) / (1 + z), and inside the grid. An
    amplitude that cannot be fitted (values in too few bins) is NaN.
    """
    lines = np.asarray(z_line, dtype=np.float64)
    reference = np.broadcast_to(np.asarray(z_reference, dtype=np.float64), lines.shape)
    with np.errstate(invalid="ignore"):
        dv = SPEED_OF_LIGHT * (lines - reference) / (1.0 + reference)
        phase = box_phase(reference, np.asarray(rests, dtype=np.float64)[:, None], wave)
        good = np.asarray(use, dtype=np.bool_) & np.isfinite(phase) & (np.abs(dv) < dv_max_kms)
    line_of, object_of = np.nonzero(good)
    phases, values = phase[good], dv[good]
    out = [pull_of(phases, values, object_of, line=POOLED, seed=seed)]
    for i, name in enumerate(names):
        mine = line_of == i
        out.append(pull_of(phases[mine], values[mine], object_of[mine], line=name, seed=seed))
    return tuple(out)


def pull_of(
    phase: ArrayLike,
    dv_kms: ArrayLike,
    objects: ArrayLike,
    *,
    line: str = "",
    bins: int | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> BoxPull:
    """Amplitude of Δv (n,) against the box phase (n,), with its bootstrap over ``objects`` (n,) whole numbers."""
    phases, dv = np.asarray(phase, dtype=np.float64), np.asarray(dv_kms, dtype=np.float64)
    bins = bins or min(PHASE_BINS, max(_FEWEST_BINS, dv.size // _IN_BIN))
    _, owner = np.unique(np.asarray(objects), return_inverse=True)
    n_objects = int(owner.max(initial=-1)) + 1
    binned = _Binned(phases, dv, owner, bins)
    medians, counts = binned.medians(np.ones(n_objects, dtype=np.int64))
    amplitude = _amplitude(binned.phase, medians, counts)
    spread = chance = float("nan")
    if np.isfinite(amplitude):
        rng = np.random.default_rng(seed)
        drawn = [
            _amplitude(binned.phase, *binned.medians(np.bincount(picked, minlength=n_objects)))
            for picked in (rng.integers(0, n_objects, n_objects) for _ in range(draws))
        ]
        spread = _finite(drawn, np.std)
        turned = []
        for _ in range(_SHUFFLES):
            other = _Binned((phases + rng.random(n_objects)[owner]) % 1.0, dv, owner, bins)
            turned.append(_amplitude(other.phase, *other.medians(np.ones(n_objects, dtype=np.int64))))
        chance = _finite(turned, np.mean)
    enough = counts >= _LEAST_IN_BIN
    return BoxPull(
        line=line,
        amplitude_kms=amplitude,
        uncertainty_kms=spread,
        chance_kms=chance,
        n=int(dv.size),
        objects=n_objects,
        phase=tuple(np.where(enough, binned.phase, (np.arange(bins) + 0.5) / bins).tolist()),
        median_kms=tuple(np.where(enough, medians, np.nan).tolist()),
        counts=tuple(counts.tolist()),
    )


def _finite(values: Sequence[float], of: object) -> float:
    known = np.array([value for value in values if np.isfinite(value)])
    return float(of(known)) if known.size > 1 and callable(of) else float("nan")


class _Binned:
    """Values sorted once by bin and size, so that the medians of each bootstrap need no sorting."""

    def __init__(
        self, phase: NDArray[np.float64], dv: NDArray[np.float64], owner: NDArray[np.integer], bins: int
    ) -> None:
        which = np.minimum((phase * bins).astype(np.int64), bins - 1)
        order = np.lexsort((dv, which))
        self._dv, self._owner = dv[order], owner[order]
        self._ends = np.searchsorted(which[order], np.arange(bins), side="right")
        # The middle of the values and not of the bin: no bias where the bin is filled unevenly.
        by_phase = phase[np.lexsort((phase, which))]
        starts = np.r_[0, self._ends[:-1]]
        self.phase = np.array(
            [np.median(by_phase[a:b]) if b > a else np.nan for a, b in zip(starts, self._ends, strict=True)]
        )

    def medians(self, weight: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Median and number of the values in each bin when each object is there ``weight`` times."""
        total = np.cumsum(weight[self._owner])
        up_to = np.r_[0, total][self._ends]
        before = np.r_[0, up_to[:-1]]
        counts = up_to - before
        some = counts > 0
        out = np.full(counts.size, np.nan)
        middle = [
            np.searchsorted(total, before[some] + rank[some], side="right") for rank in ((counts - 1) // 2, counts // 2)
        ]
        out[some] = 0.5 * (self._dv[middle[0]] + self._dv[middle[1]])
        return out, counts


def _amplitude(phase: NDArray[np.float64], medians: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """Half the peak-to-peak of constant + two harmonics, fitted to the medians with weights √n."""
    use = counts >= _LEAST_IN_BIN
    if np.count_nonzero(use) < _LEAST_BINS:
        return float("nan")
    weight = np.sqrt(counts[use].astype(np.float64))
    design = _harmonics(phase[use])
    fit = np.linalg.lstsq(design * weight[:, None], medians[use] * weight, rcond=None)[0]
    return float(np.ptp(_harmonics(_FINE) @ fit) / 2.0)


def _harmonics(phase: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = 2.0 * np.pi * phase
    return np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)], axis=1)
