"""The logarithmic grid that templates and fits share, and the few shapes that templates are made of.

Every sample lies at 10^(1e-4 i) Å for a whole number i, 69 km/s apart (SDSS's own pixel). On such a grid a redshift is
a shift by whole samples, the same for every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DEX = 1e-4
"""Step of the grid in log10 of the wavelength."""
LIGHT_KMS = 299792.458
STEP_KMS = LIGHT_KMS * DEX * float(np.log(10.0))
"""Step of the grid in km/s, 69.03."""
SIGMA_PER_FWHM = 1 / 2.3548200450309493

# From below the Lyman limit to what SDSS's red end shows of a star that approaches.
FIRST, LAST = 28750, 40290
"""First and last sample of the grid on which our own templates are given: 750 and 10,691 Å."""


@dataclass(frozen=True, eq=False)
class Direction:
    """A way in which single objects differ from the typical one: a ``row`` (n,) that is added to it.

    Its coefficient, in units of that of the typical object, scatters by ``spread`` and stays from ``lowest``
    to ``highest``.
    """

    row: FloatArray
    spread: float
    lowest: float = -np.inf
    highest: float = np.inf


def rest_wavelengths() -> FloatArray:
    """Return the wavelengths (Å) of our own templates, float64 (n,)."""
    return np.asarray(10.0 ** (DEX * np.arange(FIRST, LAST + 1)), np.float64)


def line_profile(wave: FloatArray, rest: float, fwhm: float, area: float, shift: float = 0.0) -> FloatArray:
    """Return a Gaussian line of ``area`` (flux unit x Å) and ``fwhm`` (km/s) whose centre moves by ``shift`` km/s.

    ``rest`` is the vacuum wavelength in Å; a negative shift is to the blue. Returns float64 like ``wave``.
    """
    centre = rest * (1.0 + shift / LIGHT_KMS)
    sigma = centre * fwhm * SIGMA_PER_FWHM / LIGHT_KMS
    made = np.zeros_like(wave)
    low, high = np.searchsorted(wave, [centre - 6 * sigma, centre + 6 * sigma])
    near = wave[low:high]
    made[low:high] = area / (sigma * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((near - centre) / sigma) ** 2)
    return made


def smooth_curve(wave: FloatArray, nodes: Sequence[tuple[float, float]]) -> FloatArray:
    """Return a curve through (wavelength Å, positive value) nodes, linear in the logarithms of both."""
    table = np.asarray(nodes, np.float64)
    curve: FloatArray = np.exp(np.interp(np.log(wave), np.log(table[:, 0]), np.log(table[:, 1])))
    return curve
