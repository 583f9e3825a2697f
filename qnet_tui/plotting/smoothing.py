"""Smoothing for the eye: a Gaussian weighted with the inverse variance, and arms joined to one spectrum.

Nothing here ever reaches stored data; it only makes a noisy spectrum readable on a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# The levels that the smoothing keys step through, in native pixels (the scale that DESI's inspectors use is 0-26).
SMOOTHING_LEVELS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 26.0)
MAX_SIGMA = SMOOTHING_LEVELS[-1]

# A kernel cut at four sigma leaves out 6e-5 of its weight.
_REACH = 4.0


@dataclass(frozen=True)
class Trace:
    """One spectrum ready to be drawn: wavelength in Å (increasing), flux, and one sigma of that flux.

    All float64 (n,). Flux and noise are NaN where there are no data, which is drawn as a gap.
    """

    wavelength: FloatArray
    flux: FloatArray
    noise: FloatArray


def join_arms(
    arms: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Join arms (wavelength, flux, ivar; each (n,)) into one spectrum ordered by wavelength.

    Where arms overlap, pixels closer than half a pixel are averaged with their ivar (DESI's arms share one 0.8 Å
    comb, so there this is the exact coadd); other pixels are interleaved. Pixels whose flux or ivar is not finite,
    or whose ivar is not positive, get ivar 0 and keep their place. Returns float64 wavelength, flux, ivar.
    """
    parts = [tuple(np.asarray(column, np.float64).ravel() for column in arm) for arm in arms]
    parts = [part for part in parts if part[0].size]
    if not parts:
        empty = np.zeros(0)
        return empty, empty.copy(), empty.copy()
    wave = np.concatenate([part[0] for part in parts])
    flux = np.concatenate([part[1] for part in parts])
    ivar = np.concatenate([part[2] for part in parts])
    good = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
    flux, ivar = np.where(good, flux, 0.0), np.where(good, ivar, 0.0)
    order = np.argsort(wave, kind="stable")
    wave, flux, ivar = wave[order], flux[order], ivar[order]
    pixel = min((float(np.median(np.diff(part[0]))) for part in parts if part[0].size > 1), default=1.0)
    group = np.concatenate([[0], np.cumsum(np.diff(wave) > 0.5 * pixel)])
    if len(parts) == 1 or group[-1] == wave.size - 1:
        return wave, flux, ivar
    n = int(group[-1]) + 1
    weight: FloatArray = np.asarray(np.bincount(group, ivar, n), np.float64)
    total = np.bincount(group, ivar * flux, n)
    joined = np.divide(total, weight, out=np.zeros(n), where=weight > 0)
    return np.bincount(group, wave, n) / np.bincount(group, minlength=n), joined, weight


def smooth(wavelength: ArrayLike, flux: ArrayLike, ivar: ArrayLike, sigma: float) -> Trace:
    """Smooth with a Gaussian of ``sigma`` native pixels (0 to 26), every pixel weighted with its ivar.

    F_i = sum_j G_ij w_j f_j / sum_j G_ij w_j, and the noise drawn beside it is that of F itself,
    sqrt(sum_j G_ij^2 w_j) / sum_j G_ij w_j, so that a feature can be judged against what is on the screen.
    Pixels with ivar 0 (or not finite) stay gaps, they are not filled from their neighbours.
    """
    wave = np.asarray(wavelength, np.float64)
    values = np.asarray(flux, np.float64)
    weight = np.asarray(ivar, np.float64)
    good = np.isfinite(values) & np.isfinite(weight) & (weight > 0)
    values, weight = np.where(good, values, 0.0), np.where(good, weight, 0.0)
    sigma = min(max(float(sigma), 0.0), MAX_SIGMA)
    if sigma > 0 and values.size:
        reach = int(np.ceil(_REACH * sigma))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        total = _convolve(weight * values, kernel)
        norm = _convolve(weight, kernel)
        squares = _convolve(weight, kernel**2)
    else:
        total, norm, squares = weight * values, weight, weight
    nothing = np.full(values.shape, np.nan)
    smoothed = np.divide(total, norm, out=nothing.copy(), where=good)
    noise = np.divide(np.sqrt(np.maximum(squares, 0.0)), norm, out=nothing, where=good)
    return Trace(wave, smoothed, noise)


def _convolve(values: FloatArray, kernel: FloatArray) -> FloatArray:
    """Convolve and keep the length of ``values`` (numpy's "same" keeps the longer of the two)."""
    reach = kernel.size // 2
    return np.convolve(values, kernel)[reach : reach + values.size]
