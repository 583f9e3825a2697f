"""The pixels of a spectrum that a fit can use, in a unit in which no square of them overflows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qnet_tui.spectral_lines.rest_grid import FloatArray


@dataclass(frozen=True, eq=False)
class UsablePixels:
    """A spectrum with ``flux`` in units of ``scale``: ``wavelength`` (Å), ``flux``, ``ivar``, all float64 (n,).

    The ivar is 0 wherever a pixel is no measurement, and its flux 0 there.
    """

    wavelength: FloatArray
    flux: FloatArray
    ivar: FloatArray
    scale: float


def usable_pixels(wavelength: ArrayLike, flux: ArrayLike, ivar: ArrayLike) -> UsablePixels:
    """Return the pixels of a spectrum, those that are not finite or have no positive ivar marked by ivar 0.

    Fluxes may be in any unit (1e-17 erg or erg). ValueError when the columns are not equally long.
    """
    wave, values, weight = (np.asarray(column, np.float64).ravel() for column in (wavelength, flux, ivar))
    if not wave.size == values.size == weight.size:
        raise ValueError(f"{wave.size} wavelengths, {values.size} fluxes and {weight.size} ivars")
    good = np.isfinite(wave) & np.isfinite(values) & np.isfinite(weight)
    good[good] &= (weight[good] > 0) & (wave[good] > 0)
    size = np.abs(values[good])
    size = size[size > 0]
    scale = float(np.median(size)) if size.size else 1.0
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        values, weight = values / scale, weight * scale * scale
        # Beyond these numbers a pixel is damage, and its square would be infinite.
        good &= (np.abs(values) < 1e12) & (weight > 1e-30) & (weight < 1e30)
    return UsablePixels(wave, np.where(good, values, 0.0), np.where(good, weight, 0.0), scale)
