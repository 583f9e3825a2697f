"""Where a spectrum has something to name: peaks that stand out of the continuum, for the cursor to jump to.

This finds places, never lines or redshifts, so it tells a blind inspector nothing that the plot does not show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# Widths (FWHM, km/s) at which peaks are sought: a galaxy's narrow line to a quasar's broad one.
_WIDTHS_KMS = (300.0, 1500.0, 5000.0)
# The continuum is a median over this many times the width, wide enough for the line to be a minority in it.
_CONTINUUM_WIDTHS = 8.0
# One velocity step per sample of the search grid.
_STEP_KMS = 150.0
_SIGMA_PER_FWHM = 1 / 2.3548
_LIGHT_KMS = 299792.458


@dataclass(frozen=True)
class Feature:
    """A peak at ``wavelength`` (observed Å) that stands ``significance`` sigma above its surroundings."""

    wavelength: float
    significance: float


def find_features(
    wavelength: ArrayLike, flux: ArrayLike, ivar: ArrayLike, *, most: int = 12, threshold: float = 5.0
) -> tuple[Feature, ...]:
    """Return the most significant emission peaks, at most ``most``, in order of wavelength.

    ``wavelength`` (n,) Å increasing, ``flux`` and ``ivar`` (n,). The spectrum is put on a grid of constant velocity
    steps and, at three widths, averaged with a Gaussian weighted by ivar; what rises over the running median by
    more than ``threshold`` times its noise is a peak. Peaks within one width of a stronger one belong to it.
    """
    wave, mean, weight = _velocity_grid(wavelength, flux, ivar)
    if wave.size < 16:
        return ()
    found: list[tuple[float, float, float]] = []
    for width in _WIDTHS_KMS:
        excess = _excess(mean, weight, width / _STEP_KMS)
        inner = excess[1:-1]
        peaks = 1 + np.flatnonzero((inner > threshold) & (inner >= excess[:-2]) & (inner > excess[2:]))
        reach = width / _LIGHT_KMS
        found += [(float(excess[peak]), float(wave[peak]), reach) for peak in peaks]
    chosen: list[tuple[float, float, float]] = []
    for strength, at, reach in sorted(found, reverse=True):
        if all(abs(at / other - 1.0) > max(reach, width) for _, other, width in chosen):
            chosen.append((strength, at, reach))
        if len(chosen) == most:
            break
    return tuple(Feature(at, strength) for strength, at, _ in sorted(chosen, key=lambda peak: peak[1]))


def _velocity_grid(
    wavelength: ArrayLike, flux: ArrayLike, ivar: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (wavelength, mean flux, ivar) of the samples of the search grid."""
    wave = np.asarray(wavelength, np.float64)
    values = np.asarray(flux, np.float64)
    weight = np.asarray(ivar, np.float64)
    good = np.isfinite(values) & np.isfinite(weight) & (weight > 0) & (wave > 0)
    wave, values, weight = wave[good], values[good], weight[good]
    if wave.size == 0:
        return wave, values, weight
    step = _STEP_KMS / _LIGHT_KMS
    sample = (np.log(wave / wave[0]) / step).astype(np.intp)
    n = int(sample[-1]) + 1
    total: FloatArray = np.asarray(np.bincount(sample, weight, n), np.float64)
    mean = np.divide(np.bincount(sample, weight * values, n), total, out=np.zeros(n), where=total > 0)
    return wave[0] * np.exp((np.arange(n) + 0.5) * step), mean, total


def _excess(mean: FloatArray, weight: FloatArray, fwhm: float) -> FloatArray:
    """Return how many sigma each sample, averaged over ``fwhm`` samples, stands above the running median."""
    sigma = max(fwhm * _SIGMA_PER_FWHM, 0.6)
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    n = mean.size
    norm = np.convolve(weight, kernel)[reach : reach + n]
    average = np.convolve(weight * mean, kernel)[reach : reach + n] / np.where(norm > 0, norm, 1.0)
    variance = np.convolve(weight, kernel**2)[reach : reach + n] / np.where(norm > 0, norm, 1.0) ** 2
    has_data = np.flatnonzero(norm > 0)
    if has_data.size < 3:
        return np.zeros(n)
    average = np.interp(np.arange(n), has_data, average[has_data])
    continuum = _running_median(average, max(int(_CONTINUUM_WIDTHS * fwhm), 15))
    residual = average - continuum
    # Structure of the continuum that the median does not follow counts as noise, or every wiggle of a bright
    # star would be a feature.
    scatter = 1.4826 * _running_median(np.abs(residual), max(int(_CONTINUUM_WIDTHS * fwhm), 15))
    noise = np.sqrt(variance + scatter**2)
    significance: FloatArray = np.divide(residual, noise, out=np.zeros(n), where=(noise > 0) & (norm > 0))
    # Half a kernel at either end has no continuum on one side.
    edge = min(reach, n // 4)
    significance[:edge] = significance[n - edge :] = 0.0
    return significance


def _running_median(values: FloatArray, width: int) -> FloatArray:
    """Return the median over ``width`` samples about every sample, from medians of blocks an eighth as wide."""
    block = max(width // 8, 1)
    n_blocks = -(-values.size // block)
    padded = np.concatenate([values, np.full(n_blocks * block - values.size, values[-1])])
    medians = np.median(padded.reshape(n_blocks, block), axis=1)
    reach = min(4, (n_blocks - 1) // 2)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(medians, reach, mode="edge"), 2 * reach + 1)
    centres = (np.arange(n_blocks) + 0.5) * block
    return np.asarray(np.interp(np.arange(values.size) + 0.5, centres, np.median(windows, axis=1)), np.float64)
