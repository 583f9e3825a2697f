"""Hydrogen between us and a quasar: the Lyman forest, Lyman limit systems and damped systems.

Mean opacity: τ_eff(z) = 0.0018 (1 + z)^3.92 (Faucher-Giguère et al. 2008, without metals), 15 % more for the
metals. The optical depth is a log-normal field along the line of sight (fluctuating Gunn-Peterson
approximation) whose mean transmission is set to that value; higher Lyman lines absorb with the same gas at
their own wavelengths. Systems with N(HI) of 10^17 to 10^22 are drawn one by one.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import N_PIXELS, SPEED_OF_LIGHT, STEP, WAVE

LYMAN_ALPHA = 1215.67
LYMAN_LIMIT = 911.76
# Lyman lines: wavelength (Å) and optical depth relative to Lyman alpha (f times λ).
_SERIES = ((1215.67, 1.0), (1025.72, 0.1601), (972.54, 0.0557), (949.74, 0.0260), (937.80, 0.0144))
_FIELD_TILT = 1.9
_SMALL_SCALE, _LARGE_SCALE, _LARGE_SHARE = 1.6, 14.0, 0.25
_PROXIMITY = 2500.0
"""km/s: within this distance of the quasar its own light has ionised half of the gas."""


def effective_depth(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Effective optical depth of the Lyman alpha forest at redshift ``z``, metals included."""
    depth: NDArray[np.float64] = 1.15 * 0.0018 * (1.0 + z) ** 3.92
    return depth


@cache
def _amplitude_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ln(A) against the effective depth of the field A exp(b g), g a unit Gaussian (Gauss-Hermite sums)."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    log_a = np.linspace(-12.0, 8.0, 400)
    depth = np.exp(log_a[:, None] + _FIELD_TILT * node[None, :])
    mean = np.exp(-depth) @ weight
    return -np.log(mean), log_a


def _gaussian_field(rng: np.random.Generator, n_rows: int, n_pixels: int) -> NDArray[np.float32]:
    """Unit Gaussian fields along the grid, correlated over a few pixels and, weakly, over some ten."""
    white = rng.standard_normal((n_rows, n_pixels), dtype=np.float32)
    wavenumber = np.fft.rfftfreq(n_pixels)
    power = np.zeros(len(wavenumber))
    for scale, share in ((_SMALL_SCALE, 1.0 - _LARGE_SHARE), (_LARGE_SCALE, _LARGE_SHARE)):
        # The power of white noise smoothed with a Gaussian, normalised to its share of the variance.
        response = np.exp(-((2.0 * np.pi * scale * wavenumber) ** 2))
        power += share * response / response.mean()
    smooth = np.fft.irfft(np.fft.rfft(white, axis=1) * np.sqrt(power), n_pixels, axis=1)
    field: NDArray[np.float32] = smooth.astype(np.float32)
    return field


def forest_transmission(rng: np.random.Generator, z: NDArray[np.float64]) -> NDArray[np.float32]:
    """Transmission of the Lyman forest on the native grid for quasars at ``z``, float32 (n, 7781), 0 to 1."""
    n = len(z)
    result = np.ones((n, N_PIXELS), dtype=np.float32)
    edge = LYMAN_ALPHA * (1.0 + z)
    n_pixels = int(np.clip(np.searchsorted(WAVE, edge.max(initial=0.0)) + 1, 0, N_PIXELS))
    if n == 0 or n_pixels < 3:
        return result
    wave = WAVE[:n_pixels]
    depth, log_a = _amplitude_table()
    amplitude = np.interp(effective_depth(wave / LYMAN_ALPHA - 1.0), depth, log_a)
    alpha = np.exp(amplitude[None, :] + _FIELD_TILT * _gaussian_field(rng, n, n_pixels))
    away = SPEED_OF_LIGHT * (1.0 - wave[None, :] / edge[:, None])
    alpha = np.where(away > 0, alpha * (np.maximum(away, 0.0) / (np.maximum(away, 0.0) + _PROXIMITY)), 0.0)
    total = alpha.copy()
    for line, strength in _SERIES[1:]:
        # Gas that absorbs line n at λ absorbs Lyman alpha at λ times the ratio of the wavelengths.
        source = np.rint((wave * (LYMAN_ALPHA / line) - WAVE[0]) / STEP).astype(np.int64)
        known = source < n_pixels
        total[:, known] += strength * alpha[:, source[known]]
    result[:, :n_pixels] = np.exp(-total)
    return result


def strong_absorbers(
    rng: np.random.Generator, z: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Transmission of Lyman limit and damped systems, (n, 7781), and the largest log N(HI) of each sightline.

    Incidence per unit redshift above 10^17.2 per cm2: 1.6 ((1+z)/4)^1.8 (Songaila & Cowie 2010); column densities
    dN/dlogN ~ N^-0.28 up to 10^21.8, which makes a quarter of a damped system per unit redshift. Each system has
    a Lyman alpha and a Lyman beta line with damping wings and a Lyman limit that falls as λ^3. Sightlines without
    any system have log N 0.
    """
    n = len(z)
    depth = np.zeros((n, N_PIXELS), dtype=np.float32)
    largest = np.zeros(n)
    for row in np.flatnonzero(z > 1.9):
        lowest = 1.9
        mean = 1.6 * ((1.0 + 0.5 * (z[row] + lowest)) / 4.0) ** 1.8 * (z[row] - lowest)
        for _ in range(int(rng.poisson(mean))):
            z_gas = lowest + rng.random() * (z[row] - lowest)
            log_n = 17.2 - np.log10(1.0 - rng.random() * (1.0 - 10.0 ** (-0.28 * 4.6))) / 0.28
            largest[row] = max(largest[row], log_n)
            depth[row] += _column_depth(10.0**log_n, z_gas)
    return np.exp(-depth).astype(np.float32), largest


def _column_depth(column: float, z_gas: float) -> NDArray[np.float32]:
    """Optical depth of hydrogen of ``column`` (per cm2) at ``z_gas``: Lyα, Lyβ and the Lyman continuum."""
    rest = WAVE / (1.0 + z_gas)
    depth = np.zeros(N_PIXELS)
    if column > 10.0**18.5:
        for line, oscillator, damping in ((1215.67, 0.4164, 6.265e8), (1025.72, 0.0791, 1.897e8)):
            frequency = 2.99792458e18 * (1.0 / rest - 1.0 / line)
            width = damping / (4.0 * np.pi)
            core = 3.0e10 * 1215.67 / line
            # Lorentz profile; the Doppler core of 30 km/s or so is opaque anyway and only keeps it finite.
            depth += column * 0.02654 * oscillator * (width / np.pi) / (frequency**2 + core**2)
    depth += np.where(rest < LYMAN_LIMIT, column / 1.6e17 * (rest / LYMAN_LIMIT) ** 3, 0.0)
    return np.minimum(depth, 60.0).astype(np.float32)
