"""Spectra at native resolution -> the vectors that the networks read (QuasarNP's rebin and renormalise).

Rebin: a native pixel belongs to the bin of its wavelength; F = Σ flux·ivar and W = Σ ivar over the pixels
of a bin and over the arms, whose overlaps simply add; flux of the bin is F/W, or 0 where W = 0.
Renormalise: subtract the W-weighted mean and divide by the W-weighted rms, in ALL pixels, so that empty
ones hold −mean/rms, not 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectra.arms import Arm, SpectraFile
from qnet_tui.spectra.grids import Grid

NO_DATA = "no data in any arm"
"""Reason: no pixel inside the grid has ivar > 0."""

FLAT = "flat spectrum (rms 0)"
"""Reason: every pixel with data has the same flux, or only one bin has data."""

NOT_FINITE = "non-finite after renormalising"
"""Reason: values so large, or weights so different, that a pixel does not fit into float32."""

REASONS = (NO_DATA, FLAT, NOT_FINITE)
"""Every reason why a row has no vector."""

EXTREME_JUMP = 1e4
"""Step between neighbouring pixels from which a vector is unfit for training."""

_ROWS_AT_ONCE = 64  # about 4 MB of native spectra: they stay in the processor's cache
_FLAT_RMS = 1e-7  # of the typical flux: rounding of the products leaves 1e-8, float32 flux resolves 6e-8


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of one file on one grid.

    ``x`` (n_kept, n_pixels) float32, finite, dimensionless; ``kept`` (n_kept,) int64 positions in the file's
    rows, ascending; ``dropped`` the other positions, ascending, each with one of ``REASONS``.
    """

    x: NDArray[np.float32]
    kept: NDArray[np.int64]
    dropped: list[tuple[int, str]]


@dataclass(frozen=True, eq=False)
class _ArmBins:
    """Which native pixels of an arm go where.

    ``pixels`` are those inside the grid, ``starts`` the first (counted within ``pixels``) of each run that
    shares a bin, and ``bins`` the bins of those runs: a slice, which is quicker, where no bin between is empty.
    """

    pixels: slice
    starts: NDArray[np.int64]
    bins: slice | NDArray[np.int64]


def rebin(arms: Sequence[Arm], grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ivar-weighted mean flux and summed ivar of each bin, over all arms.

    Returns flux and weight, both (n, n_pixels) float64, in the units of the arms; flux is 0 where weight is
    0. Sums are made in float64; a bin is not finite where flux·ivar does not fit into float32.
    """
    n_rows = len(arms[0].flux) if arms else 0
    flux, weight = (np.zeros((n_rows, grid.n_pixels)) for _ in range(2))
    plans = [_plan(arm.wavelength, grid) for arm in arms]
    for first in range(0, n_rows, _ROWS_AT_ONCE):
        block = slice(first, first + _ROWS_AT_ONCE)
        _rebin_block(flux[block], weight[block], arms, plans, block)
    return flux, weight


def _plan(wavelength: NDArray[np.float64], grid: Grid) -> _ArmBins:
    """Where the pixels of an arm with this ascending wavelength go."""
    bins = grid.bins_of(wavelength)
    inside = np.flatnonzero(bins >= 0)
    if len(inside) == 0:
        return _ArmBins(slice(0, 0), inside, slice(0, 0))
    pixels = slice(int(inside[0]), int(inside[-1]) + 1)
    starts = np.flatnonzero(np.diff(bins[pixels], prepend=-1))
    filled = bins[pixels][starts]
    first, last = int(filled[0]), int(filled[-1])
    return _ArmBins(pixels, starts, slice(first, last + 1) if last - first + 1 == len(filled) else filled)


def _rebin_block(
    flux: NDArray[np.float64],
    weight: NDArray[np.float64],
    arms: Sequence[Arm],
    plans: Sequence[_ArmBins],
    rows: slice,
) -> None:
    """Rebin some rows of the arms into ``flux`` and ``weight`` (rows, n_pixels), which are 0."""
    for arm, plan in zip(arms, plans, strict=True):
        if len(plan.starts) == 0:
            continue
        ivar = arm.ivar[rows, plan.pixels]
        # The product in float32 and the sums in float64 are QuasarNP's arithmetic.
        with np.errstate(over="ignore", invalid="ignore"):
            product = arm.flux[rows, plan.pixels] * ivar
            flux[:, plan.bins] += np.add.reduceat(product, plan.starts, axis=1, dtype=np.float64)
        weight[:, plan.bins] += np.add.reduceat(ivar, plan.starts, axis=1, dtype=np.float64)
    np.divide(flux, weight, out=flux, where=weight > 0)


def renormalise(flux: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(flux − mean)/rms, with the weighted mean and rms of each row.

    ``flux`` and ``weight`` (n, n_pixels) as from :func:`rebin`; returns (n, n_pixels) float64, dimensionless.
    Rows with Σ weight = 0 or rms 0 come out NaN; :func:`make_vectors` lists them.
    """
    total = weight.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = (weight * flux).sum(axis=1, keepdims=True) / total
        out = flux - mean
        rms = np.sqrt((weight * out**2).sum(axis=1, keepdims=True) / total)
        typical = np.sqrt(rms**2 + mean**2)
        rms[rms <= _FLAT_RMS * typical] = np.nan
        normalised: NDArray[np.float64] = out / rms
    return normalised


def make_vectors(file: SpectraFile, grid: Grid) -> Vectors:
    """The vectors of a file on a grid, and the rows that have none with the reason.

    A row is dropped when it has no data inside the grid, is flat, or does not fit into float32.
    """
    making = VectorsInBlocks(len(file.arms[0].flux) if file.arms else 0, grid)
    making.add(file.arms)
    return making.result()


class VectorsInBlocks:
    """The vectors of ``n_rows`` rows that come block by block, as :func:`make_vectors` makes them of a whole file.

    Everything between the arms and the vectors is made for a few rows at a time, which stay in the processor's cache.
    """

    def __init__(self, n_rows: int, grid: Grid) -> None:
        self._grid = grid
        self._x = np.empty((n_rows, grid.n_pixels), dtype=np.float32)
        self._flux, self._weight = (np.empty((min(_ROWS_AT_ONCE, n_rows), grid.n_pixels)) for _ in range(2))
        self._plans: list[_ArmBins] = []
        self._done = 0
        self._dropped: list[tuple[int, str]] = []

    def add(self, arms: Sequence[Arm]) -> None:
        """Make the vectors of the next rows; the arms of every block have the same names and wavelengths."""
        # Where the pixels of an arm go is worked out once.
        self._plans = self._plans or [_plan(arm.wavelength, self._grid) for arm in arms]
        n_rows = len(arms[0].flux) if arms else 0
        for first in range(0, n_rows, _ROWS_AT_ONCE):
            n = min(_ROWS_AT_ONCE, n_rows - first)
            flux, weight = self._flux[:n], self._weight[:n]
            flux.fill(0)
            weight.fill(0)
            _rebin_block(flux, weight, arms, self._plans, slice(first, first + n))
            self._finish(flux, weight)

    def _finish(self, flux: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        """Renormalise the next rows, and note which have no vector."""
        rows = slice(self._done, self._done + len(flux))
        normalised = renormalise(flux, weight)
        with np.errstate(over="ignore"):
            self._x[rows] = normalised
        finite: NDArray[np.bool_] = np.all(np.isfinite(self._x[rows]), axis=1)
        for row in np.flatnonzero(~finite).tolist():
            if not (weight[row] > 0).any():
                reason = NO_DATA
            else:
                flat = np.isnan(normalised[row]).any() and np.isfinite(flux[row]).all()
                reason = FLAT if flat else NOT_FINITE
            self._dropped.append((self._done + row, reason))
        self._done = rows.stop

    def result(self) -> Vectors:
        """The vectors, when all rows have been added."""
        keep = np.ones(len(self._x), dtype=bool)
        keep[[row for row, _ in self._dropped]] = False
        kept = np.flatnonzero(keep).astype(np.int64)
        return Vectors(self._x if len(kept) == len(self._x) else self._x[kept], kept, self._dropped)


def has_extreme_jump(x: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which vectors (n, n_pixels) have a step ≥ 10⁴ between neighbouring pixels -> (n,) bool.

    QuasarNET leaves such DESI spectra out of training only; they are scored like any other.
    """
    jumps: NDArray[np.bool_] = np.any(np.abs(np.diff(x.astype(np.float64), axis=1)) >= EXTREME_JUMP, axis=1)
    return jumps
