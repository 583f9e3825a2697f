"""Galaxies from tables: the light of old, intermediate and young stars, and the lines of their gas.

Continua are rounded from population synthesis at solar metallicity (10 Gyr, 0.5 Gyr, ongoing star formation), f_lambda
relative to 5500 Å; absorption lines are those of Kinney et al. (1996) and of the Lick system, given as equivalent
widths.
"""

from __future__ import annotations

import numpy as np

from qnet_tui.spectral_lines.rest_grid import (
    LIGHT_KMS,
    Direction,
    FloatArray,
    line_profile,
    rest_wavelengths,
    smooth_curve,
)

_OLD = (
    (700, 0.01), (1200, 0.012), (1500, 0.020), (2000, 0.030), (2400, 0.045), (2620, 0.07), (2660, 0.10), (2850, 0.12),
    (2930, 0.18), (3100, 0.22), (3300, 0.27), (3550, 0.32), (3750, 0.36), (3850, 0.38), (3970, 0.43),
    (4030, 0.66), (4150, 0.70), (4280, 0.72), (4400, 0.84), (4700, 0.94), (5000, 0.97), (5150, 0.94),
    (5500, 1.0), (6000, 1.03), (6500, 1.03), (7000, 1.02), (7500, 1.03), (8000, 1.02), (9000, 0.97), (10700, 0.90),
)  # fmt: skip
_MIDDLE = (
    (700, 0.01), (1200, 0.15), (1500, 0.45), (2000, 0.55), (2500, 0.62), (3000, 0.72), (3500, 0.80), (3650, 0.84),
    (3760, 1.30), (3850, 1.75), (4000, 1.95), (4200, 1.85), (4500, 1.60), (5000, 1.25), (5500, 1.0),
    (6000, 0.85), (7000, 0.66), (8000, 0.55), (9000, 0.47), (10700, 0.37),
)  # fmt: skip
_YOUNG = (
    (700, 0.5), (905, 1.0), (920, 4.0), (1200, 9.0), (1500, 8.2), (2000, 5.6), (2500, 4.1), (3000, 3.1), (3500, 2.40),
    (3650, 2.30), (3760, 2.35), (4000, 2.10), (4500, 1.60), (5000, 1.25), (5500, 1.0), (6000, 0.83), (7000, 0.60),
    (8000, 0.46), (9000, 0.37), (10700, 0.28),
)  # fmt: skip

# Absorption: vacuum wavelength (Å), equivalent width (Å), FWHM (Å).
_OLD_LINES = (
    (2796.4, 5, 14), (2803.5, 4, 14), (2853, 6, 18), (3581, 3, 28), (3735, 4, 28), (3835, 8, 37), (3934.8, 8, 18),
    (3969.6, 6.5, 17), (4102.9, 0.8, 14), (4227.9, 1.2, 11), (4305.6, 6, 30), (4384.8, 2.5, 18), (4532, 2, 28),
    (4669, 2.5, 33), (4862.7, 1.5, 12), (5016, 2.5, 28), (5176.4, 4.8, 25), (5270.9, 2.6, 18), (5336.9, 2.2, 18),
    (5407.5, 1.4, 16), (5711, 0.9, 16), (5784, 0.8, 16), (5893.6, 3.6, 13), (6191, 1, 18), (6496, 1, 16),
    (6564.6, 1.2, 12), (7186, 8, 105), (8500.4, 1.3, 10), (8544.4, 3.5, 12), (8664.5, 2.9, 12),
)  # fmt: skip
_BALMER_LINES = (
    (3751.2, 4.5, 16), (3771.7, 5, 16), (3799, 6, 17), (3836.5, 7, 19), (3890.2, 8, 20), (3971.2, 9, 21),
    (4102.9, 8.5, 22), (4341.7, 7.5, 22), (4862.7, 7, 21), (6564.6, 4.5, 19), (3934.8, 2, 12), (2799, 3, 16),
    (5893.6, 1, 9),
)  # fmt: skip
_YOUNG_LINES = (
    (1260.4, 1.5, 7), (1303, 1.8, 8), (1334.5, 1.5, 7), (1397, 2.5, 14), (1549, 3, 14), (2344.2, 1.4, 6),
    (2374.5, 1.2, 6), (2382.8, 1.7, 6), (2586.7, 1.8, 6), (2600.2, 2, 6), (2796.4, 2, 6), (2803.5, 1.8, 6),
    (2853, 0.8, 6),
)  # fmt: skip

# Gas: vacuum wavelength (Å), equivalent width (Å) in a star-forming galaxy, group.
_GAS = (
    (3727.09, 17, "o2"), (3729.88, 24, "o2"), (3869.86, 3, "o3"), (3889.9, 1.5, "h"), (3971.2, 2, "h"),
    (4102.89, 4, "h"), (4341.68, 8, "h"), (4862.68, 20, "h"), (4960.30, 8, "o3"), (5008.24, 24, "o3"),
    (5877.3, 3, "h"), (6302.05, 3, "n"), (6549.86, 7, "n"), (6564.61, 80, "ha"), (6585.27, 21, "n"),
    (6718.29, 14, "n"), (6732.68, 11, "n"), (9071.1, 6, "s3"), (9533.2, 16, "s3"),
)  # fmt: skip
_GAS_FWHM = 230.0
# Light at 5500 Å of a star-forming galaxy from old, intermediate and young stars.
_SHARES = (0.4, 0.35, 0.25)


def old_starlight(wave: FloatArray) -> FloatArray:
    """Return the light of old stars with their absorption, one at 5500 Å; float64 like ``wave`` (Å, at rest)."""
    return _stars(wave, _OLD, _OLD_LINES)


def gas_lines(wave: FloatArray) -> dict[str, FloatArray]:
    """Return the emission lines of a star-forming galaxy by group, over a continuum of one at 5500 Å."""
    continuum = _starforming_continuum(wave)
    made: dict[str, FloatArray] = {}
    for rest, ew, group in _GAS:
        area = ew * float(np.interp(rest, wave, continuum))
        made[group] = made.get(group, np.zeros_like(wave)) + line_profile(wave, rest, _GAS_FWHM, area)
    return made


def old_galaxy_directions() -> tuple[Direction, ...]:
    """Return an old galaxy, one at 5500 Å, and what it may have beside: younger stars and gas."""
    wave = rest_wavelengths()
    made = [Direction(old_starlight(wave), np.inf)]
    made += [Direction(_stars(wave, _MIDDLE, _BALMER_LINES), 0.3, 0.0)]
    made += [Direction(_stars(wave, _YOUNG, _YOUNG_LINES), 0.1, 0.0)]
    made += [Direction(lines, 0.2, 0.0) for lines in gas_lines(wave).values()]
    return tuple(made)


def starforming_galaxy_directions() -> tuple[Direction, ...]:
    """Return a star-forming galaxy, one at 5500 Å, and how its stars and gas vary."""
    wave = rest_wavelengths()
    gas = gas_lines(wave)
    old, middle, young = _SHARES
    made = [Direction(_starforming_continuum(wave) + np.sum(list(gas.values()), axis=0), np.inf)]
    made += [Direction(old_starlight(wave), 0.5, -old)]
    made += [Direction(_stars(wave, _MIDDLE, _BALMER_LINES), 0.3, -middle)]
    made += [Direction(_stars(wave, _YOUNG, _YOUNG_LINES), 0.3, -young)]
    made += [Direction(lines, 1.0, -1.0) for lines in gas.values()]
    return tuple(made)


def _starforming_continuum(wave: FloatArray) -> FloatArray:
    parts = ((_OLD, _OLD_LINES), (_MIDDLE, _BALMER_LINES), (_YOUNG, _YOUNG_LINES))
    stars = [share * _stars(wave, table, lines) for share, (table, lines) in zip(_SHARES, parts, strict=True)]
    return np.asarray(np.sum(stars, axis=0), np.float64)


def _stars(
    wave: FloatArray, table: tuple[tuple[float, float], ...], lines: tuple[tuple[float, float, float], ...]
) -> FloatArray:
    depth = np.zeros_like(wave)
    for rest, ew, width in lines:
        depth += line_profile(wave, rest, width / rest * LIGHT_KMS, ew)
    return np.asarray(smooth_curve(wave, table) * np.exp(-depth), np.float64)
