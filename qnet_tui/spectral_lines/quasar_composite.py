"""A quasar from formulae: what is common to quasars, and in which directions single ones differ from it.

Equivalent widths follow the composite of SDSS quasars (Vanden Berk et al. 2001, AJ 122, 549, table 2; the blends
shared out), the power law its indices, the iron humps the shapes of published iron templates (Vestergaard & Wilkes
2001, Boroson & Green 1992) in a few Gaussians. Widths, shifts and spreads were then set on the stack of some hundred
public spectra of SDSS and DESI, those of ``tests/parity/test_local_fit_real.py`` among them.

Which redshift this composite has is a convention, and it is that of QuasarNET's truth and of redrock: the systemic one
of the narrow lines and of Mg II. High-ionisation lines stand blueward of it, C IV by some 400 km/s in that stack
(by 600 and more in bright quasars: Richards et al. 2002, Shen et al. 2016), and how far is left free within a spread,
so that C IV alone gives the systemic redshift to about that spread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qnet_tui.spectral_lines.galaxy_composites import old_starlight
from qnet_tui.spectral_lines.rest_grid import LIGHT_KMS, Direction, FloatArray, line_profile, rest_wavelengths


@dataclass(frozen=True)
class _Broad:
    """A broad line: vacuum wavelength (Å), equivalent width (Å), width (FWHM, km/s), shift (km/s), its group.

    ``wing`` is the share of the flux in a component 2.5 times as wide, a little further to the blue.
    """

    rest: float
    ew: float
    fwhm: float
    shift: float
    group: str
    wing: float = 0.45


_LINES: tuple[_Broad, ...] = (
    _Broad(972.54, 4.0, 4500, -300, "lyman"),
    _Broad(977.02, 5.0, 4500, -300, "lyman"),
    _Broad(1025.72, 5.0, 4500, -200, "lyman"),
    _Broad(1033.83, 14.0, 4500, -300, "lyman"),
    _Broad(1066.0, 4.0, 9000, 0, "lyman"),
    _Broad(1123.0, 2.5, 7000, 0, "lyman"),
    _Broad(1215.67, 70.0, 3000, -50, "lya", 0.65),
    _Broad(1240.81, 18.0, 3600, -200, "nv"),
    _Broad(1262.6, 2.5, 4000, -100, "si4"),
    _Broad(1305.4, 3.0, 3600, -100, "si4"),
    _Broad(1335.3, 1.2, 3600, -100, "si4"),
    _Broad(1396.8, 5.0, 3800, -300, "si4"),
    _Broad(1402.1, 5.0, 3800, -300, "si4"),
    _Broad(1486.5, 0.6, 4500, -200, "si4"),
    _Broad(1549.06, 36.0, 2900, -350, "c4", 0.65),
    _Broad(1640.42, 5.0, 3600, -550, "he2", 0.6),
    _Broad(1663.5, 2.5, 4000, -200, "he2"),
    _Broad(1750.3, 1.6, 4000, -200, "c3"),
    _Broad(1788.0, 1.0, 4000, -200, "c3"),
    _Broad(1857.4, 3.0, 4000, -200, "c3"),
    _Broad(1892.0, 4.0, 3600, -150, "c3", 0.3),
    _Broad(1908.73, 18.0, 3300, -150, "c3", 0.6),
    _Broad(2326.4, 1.8, 4000, -100, "fe"),
    _Broad(2423.8, 1.5, 3000, -100, "fe"),
    _Broad(2799.1, 33.0, 2800, 0, "mg2", 0.55),
    _Broad(3971.2, 2.5, 3500, 0, "balmer"),
    _Broad(4102.89, 7.0, 3500, 0, "balmer"),
    _Broad(4341.68, 18.0, 3500, 0, "balmer"),
    _Broad(4686.99, 3.0, 5000, -200, "balmer"),
    _Broad(4862.68, 55.0, 3000, 0, "balmer", 0.55),
    _Broad(5877.3, 5.0, 3500, 0, "balmer"),
    _Broad(6564.61, 220.0, 2600, 0, "balmer", 0.55),
    _Broad(7067.1, 3.0, 3500, 0, "balmer"),
    _Broad(8448.7, 9.0, 3000, 0, "balmer"),
)
# Narrow lines: vacuum wavelength (Å), equivalent width (Å), group.
_NARROW: tuple[tuple[float, float, str], ...] = (
    (3346.79, 0.3, "nlow"), (3426.85, 0.7, "nlow"), (3727.09, 1.2, "nlow"), (3729.88, 1.4, "nlow"),
    (3869.86, 1.4, "nlow"), (3968.59, 0.5, "nlow"), (4341.68, 0.6, "nhigh"), (4364.44, 0.6, "nhigh"),
    (4862.68, 1.6, "nhigh"), (4960.30, 4.6, "nhigh"), (5008.24, 13.8, "nhigh"), (6302.05, 0.9, "nred"),
    (6549.86, 3.0, "nred"), (6564.61, 14.0, "nred"), (6585.27, 9.0, "nred"), (6718.29, 2.6, "nred"),
    (6732.68, 2.4, "nred"), (9533.2, 4.0, "nred"),
)  # fmt: skip
_NARROW_FWHM = 450.0
# Iron: centre (Å), width sigma (Å), height over the continuum.
_IRON_UV: tuple[tuple[float, float, float], ...] = (
    (1600, 22, 0.10), (2080, 30, 0.07), (2170, 40, 0.03), (2250, 35, 0.05), (2330, 25, 0.10),
    (2380, 25, 0.14), (2440, 30, 0.14), (2500, 35, 0.17), (2560, 30, 0.14), (2610, 22, 0.14), (2680, 28, 0.09),
    (2745, 22, 0.12), (2870, 32, 0.12), (2950, 40, 0.12), (3060, 60, 0.04), (3190, 50, 0.08), (3290, 40, 0.05),
    (3500, 50, 0.025),
)  # fmt: skip
_IRON_OPTICAL: tuple[tuple[float, float, float], ...] = (
    (4175, 35, 0.04), (4240, 25, 0.03), (4450, 35, 0.05), (4520, 30, 0.10), (4570, 35, 0.14), (4630, 30, 0.12),
    (4925.2, 12, 0.07), (5019.8, 12, 0.08), (5170, 18, 0.10), (5200, 30, 0.08), (5270, 35, 0.13), (5320, 30, 0.11),
    (5535, 30, 0.03), (6250, 60, 0.03), (6450, 60, 0.04),
)  # fmt: skip

# How much the strength of a group, the share of its core, and its own shift (km/s) scatter from quasar to quasar.
_STRENGTH: dict[str, float] = {
    "lyman": 0.5, "lya": 0.6, "nv": 0.6, "si4": 0.5, "c4": 0.6, "he2": 0.7, "c3": 0.4, "fe": 0.5, "mg2": 0.5,
    "balmer": 0.5, "nlow": 1.0, "nhigh": 1.0, "nred": 1.0,
}  # fmt: skip
_CORE: dict[str, float] = {"lya": 0.25, "c4": 0.25, "c3": 0.25, "mg2": 0.25, "balmer": 0.25}
_SHIFT: dict[str, float] = {
    "lya": 300.0, "si4": 400.0, "c4": 300.0, "he2": 400.0, "c3": 300.0, "mg2": 150.0, "balmer": 200.0,
}  # fmt: skip
# High-ionisation lines move together, by what each has of C IV's shift.
_WIND: dict[str, float] = {"lya": 0.3, "nv": 0.8, "si4": 0.7, "c4": 1.0, "he2": 1.2, "c3": 0.4}
_WIND_KMS = 150.0
# The Balmer continuum over the power law at the edge; a host that gives half of the light at 5000 Å.
_BALMER, _HOST = 0.06, 0.45


def quasar_directions() -> tuple[Direction, ...]:
    """Return the composite, one at 3000 Å, and the directions in which quasars differ from it.

    All rows are on the grid of ``rest_wavelengths``; the first one is the composite, its spread infinite.
    """
    wave = rest_wavelengths()
    continuum = _continuum(wave)
    whole, core, moved = ({group: np.zeros_like(wave) for group in _STRENGTH} for _ in range(3))
    for line in _LINES:
        area = line.ew * float(np.interp(line.rest, wave, continuum))
        narrow, wide = _core_and_wing(wave, line, area)
        whole[line.group] += narrow + wide
        core[line.group] += narrow - wide * (1 - line.wing) / line.wing
        moved[line.group] += _moved(wave, line, area)
    for rest, ew, group in _NARROW:
        area = ew * float(np.interp(rest, wave, continuum))
        whole[group] += line_profile(wave, rest, _NARROW_FWHM, area)
    iron_uv, iron_optical = (_humps(wave, table) * continuum for table in (_IRON_UV, _IRON_OPTICAL))
    balmer = _balmer_continuum(wave) * continuum
    mean = continuum + np.sum(list(whole.values()), axis=0) + iron_uv + iron_optical + _BALMER * balmer
    wind = np.sum([share * moved[group] for group, share in _WIND.items()], axis=0)
    made = [Direction(mean * _forest(wave), np.inf)]
    # Together the lowest strength and the least core leave a line no light, and never take any away.
    made += [Direction(whole[group], spread, -0.7) for group, spread in _STRENGTH.items()]
    made += [Direction(core[group], spread, -0.3, 0.6) for group, spread in _CORE.items()]
    # Beyond a third of its width a line that moves is no longer itself plus so much of its slope.
    made += [Direction(moved[group], spread, -2 * spread, 2 * spread) for group, spread in _SHIFT.items()]
    made += [
        Direction(wind, _WIND_KMS, -2 * _WIND_KMS, 2 * _WIND_KMS),
        Direction(iron_uv, 0.5, -1.0),
        Direction(iron_optical, 0.5, -1.0),
    ]
    made += [Direction(balmer, 0.1, -_BALMER), Direction(old_starlight(wave) * _HOST, 0.3, 0.0)]
    return tuple(made)


def _core_and_wing(wave: FloatArray, line: _Broad, area: float) -> tuple[FloatArray, FloatArray]:
    core = line_profile(wave, line.rest, line.fwhm, area * (1 - line.wing), line.shift)
    return core, line_profile(wave, line.rest, 2.5 * line.fwhm, area * line.wing, line.shift - 0.3 * abs(line.shift))


def _moved(wave: FloatArray, line: _Broad, area: float) -> FloatArray:
    """Return by how much a line changes for each km/s that it moves to the red."""
    red, blue = (
        np.sum(_core_and_wing(wave, replace(line, shift=line.shift + by), area), axis=0) for by in (50.0, -50.0)
    )
    return np.asarray((red - blue) / 100.0, np.float64)


def _continuum(wave: FloatArray) -> FloatArray:
    """Return the power law in f_lambda, one at 3000 Å: index -1.54, flatter below 1250 Å and above 5000 Å."""
    log = np.log(wave)
    low, high = np.log(1250.0), np.log(5000.0)
    exponent = -1.45 * (np.clip(log, low, high) - np.log(3000.0))
    exponent += -0.7 * np.minimum(log - low, 0.0) - 0.42 * np.maximum(log - high, 0.0)
    return np.asarray(np.exp(exponent), np.float64)


def _balmer_continuum(wave: FloatArray) -> FloatArray:
    """Return the Balmer continuum over the power law, one at the edge (Grandi 1982), with its crowd of high lines."""
    x = wave / 3646.0
    planck = np.exp(-9591.8 / wave + 9591.8 / 3646.0)
    shape = planck * x**-3.4 * (1.0 - np.exp(-(x**3))) / (1.0 - np.exp(-1.0))
    return np.asarray(np.where(x < 1, shape, np.exp(-np.maximum(wave - 3646.0, 0.0) / 75.0)), np.float64)


def _humps(wave: FloatArray, table: tuple[tuple[float, float, float], ...]) -> FloatArray:
    total = np.zeros_like(wave)
    for centre, sigma, height in table:
        width = np.hypot(sigma / centre * LIGHT_KMS, 1500.0)
        total += line_profile(wave, centre, width * 2.3548, height * sigma * np.sqrt(2 * np.pi))
    return total


def _forest(wave: FloatArray) -> FloatArray:
    """Return the mean transmission of the Lyman alpha forest and the Lyman limit for a quasar at z about 2.5."""
    forest = 0.78 + 0.22 / (1.0 + np.exp(-np.clip((wave - 1210.0) / 3.0, -50.0, 50.0)))
    limit = 0.25 + 0.75 / (1.0 + np.exp(-np.clip((wave - 912.0) / 6.0, -50.0, 50.0)))
    return np.asarray(forest * limit, np.float64)


def with_troughs(flux: FloatArray, wave: FloatArray) -> FloatArray:
    """Return a quasar's flux (n,) with the broad absorption troughs of C IV, Si IV, N V and Lyman alpha."""
    depth = np.zeros_like(wave)
    for rest, strength in ((1549.06, 1.6), (1397.0, 1.0), (1240.8, 1.4), (1215.67, 0.6), (1857.4, 0.25)):
        speed = np.clip((wave / rest - 1.0) * LIGHT_KMS, -40000.0, 40000.0)
        inside = 1.0 / (1.0 + np.exp((speed + 3500.0) / 350.0)) / (1.0 + np.exp(-(speed + 13500.0) / 1200.0))
        depth += strength * inside
    return np.asarray(flux * np.exp(-depth), np.float64)
