"""Distances, only as far as a quasar's luminosity needs them (flat, Ωm = 0.3, H0 = 70)."""

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import SPEED_OF_LIGHT

_H0 = 70.0
_OMEGA_M = 0.3


def luminosity_distance(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Luminosity distance in Mpc at redshift ``z`` (0 to 7): trapezoids of 0.01 in z."""
    grid = np.arange(0.0, 7.01, 0.01)
    integrand = 1.0 / np.sqrt(_OMEGA_M * (1.0 + grid) ** 3 + 1.0 - _OMEGA_M)
    comoving = np.concatenate([[0.0], np.cumsum(0.5 * (integrand[1:] + integrand[:-1]) * 0.01)])
    result: NDArray[np.float64] = SPEED_OF_LIGHT / _H0 * np.interp(z, grid, comoving) * (1.0 + z)
    return result
