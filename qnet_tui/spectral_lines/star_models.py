"""Stars from formulae: a black body, the Balmer jump, metal blanketing, lines and molecular bands by spectral type.

Strengths against type are rounded from the run of line indices along the main sequence; what they give is recognised
by eye, it is no stellar atmosphere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qnet_tui.spectral_lines.rest_grid import LIGHT_KMS, Direction, FloatArray, line_profile, rest_wavelengths


@dataclass(frozen=True)
class _Type:
    """One type: colour temperature (K) redward of the jump, depth of the jump, blanketing; equivalent widths (Å).

    ``balmer`` is that of H delta, ``broadening`` (km/s) its wings' width; ``calcium`` that of K; ``bands`` the depth
    of the TiO bands.
    """

    kelvin: float
    jump: float
    blanket: float
    balmer: float
    calcium: float
    g_band: float
    magnesium: float
    sodium: float
    iron: float
    triplet: float
    bands: float = 0.0
    broadening: float = 1.0
    helium: float = 0.0


TYPES: dict[str, _Type] = {
    "star B": _Type(17000, 0.30, 0.0, 6.0, 0.2, 0.0, 0.0, 0.2, 0.0, 0.3, helium=0.8),
    "star A": _Type(12000, 0.52, 0.0, 13.0, 1.5, 0.0, 0.4, 0.4, 0.1, 1.4),
    "star F": _Type(7400, 0.18, 0.15, 5.0, 6.5, 2.0, 1.8, 0.8, 0.8, 2.6),
    "star G": _Type(6000, 0.04, 0.38, 2.2, 9.5, 5.2, 3.2, 1.2, 1.7, 3.2),
    "star K": _Type(4800, 0.0, 0.95, 0.5, 15.5, 7.2, 8.0, 4.2, 3.2, 3.9, bands=0.05),
    "star M": _Type(3500, 0.0, 1.05, 0.0, 14.0, 3.0, 10.0, 11.0, 3.2, 3.6, bands=1.0),
    "white dwarf": _Type(13500, 0.03, 0.0, 42.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, broadening=3.2),
}

# Vacuum wavelength (Å), strength relative to the type's index, FWHM (Å), index.
_METALS = (
    (3934.8, 1.0, 14, "calcium"), (3969.6, 0.8, 14, "calcium"), (4227.9, 0.10, 8, "calcium"),
    (4306.0, 1.0, 21, "g_band"), (3883.0, 0.8, 33, "g_band"), (4215.0, 0.3, 21, "g_band"),
    (5176.4, 1.0, 21, "magnesium"), (5893.6, 1.0, 9.5, "sodium"), (8190.0, 0.35, 16, "sodium"),
    (4384.8, 1.0, 12, "iron"), (4532.0, 0.7, 21, "iron"), (4669.0, 0.7, 21, "iron"), (5270.9, 1.0, 14, "iron"),
    (5336.9, 0.8, 14, "iron"), (5407.5, 0.5, 12, "iron"), (6191.0, 0.5, 12, "iron"), (6496.0, 0.5, 12, "iron"),
    (3735.0, 1.5, 24, "iron"), (3581.0, 1.5, 24, "iron"),
    (8500.4, 0.4, 8, "triplet"), (8544.4, 1.0, 9.5, "triplet"), (8664.5, 0.85, 9.5, "triplet"),
)  # fmt: skip
_BALMER = (
    (6564.61, 0.75), (4862.68, 0.95), (4341.68, 1.0), (4102.89, 1.0), (3971.20, 0.95), (3890.15, 0.8), (3836.47, 0.65),
    (3798.98, 0.5), (3771.70, 0.4), (3751.22, 0.3),
)  # fmt: skip
_HELIUM = ((4027.3, 0.9), (4389.2, 0.4), (4472.7, 1.1), (4923.3, 0.5), (5877.3, 0.9), (6680.0, 0.7), (7067.1, 0.5))
# Band head (Å, vacuum), length to the red (Å), depth at full strength: MgH, TiO, CaH; then those of late types, VO too.
_BANDS = (
    (4762.3, 110, 0.40), (4956.4, 130, 0.50), (5168.4, 140, 0.50), (5449.5, 120, 0.40), (5598.6, 70, 0.20),
    (5760.6, 60, 0.20), (5848.6, 140, 0.40), (6160.7, 170, 0.50), (6384.8, 90, 0.15), (6652.9, 500, 0.38),
    (6716.2, 150, 0.20), (6785.0, 150, 0.20), (7056.1, 100, 0.45), (7089.6, 100, 0.20), (7127.6, 110, 0.30),
)  # fmt: skip
_LATE_BANDS = (
    (7591.1, 170, 0.40), (7668.1, 200, 0.35), (8207.3, 170, 0.22), (8434.3, 240, 0.48), (8861.4, 180, 0.38),
    (9211.5, 400, 0.30),
)  # fmt: skip


def star_directions(name: str) -> tuple[Direction, ...]:
    """Return a star of a type of ``TYPES``, one at 6000 Å or so, and how stars of that type vary.

    The directions: more blanketing, another Balmer jump, deeper bands, stronger metal lines, stronger Balmer lines.
    """
    kind = TYPES[name]
    wave = rest_wavelengths()
    jump = 1.0 / (1.0 + np.exp(np.clip((wave - 3705.0) / 22.0, -50.0, 50.0)))
    smooth = _black_body(wave, kind.kelvin) * (1.0 - kind.jump * jump)
    shape = np.interp(wave, [3600, 3850, 3950, 4020, 4200, 4500, 5000, 5600], [1, 1, 0.85, 0.6, 0.42, 0.2, 0.07, 0])
    bands, late = (_band_depth(wave, table) for table in (_BANDS, _LATE_BANDS))
    metals, hydrogen = _metal_depth(wave, kind), _hydrogen_depth(wave, kind)
    mean = smooth * np.exp(-kind.blanket * shape - kind.bands * (bands + 0.7 * late) - metals - hydrogen)
    made = [Direction(mean, np.inf), Direction(-mean * shape, 0.15, -kind.blanket)]
    if kind.jump:
        made.append(Direction(-mean * jump, 0.2, -kind.jump))
    if kind.bands:
        made += [Direction(-mean * bands, 0.4, -kind.bands), Direction(-mean * late, 0.4, -0.7 * kind.bands)]
    made += [Direction(-mean * depth, 0.3, -0.9) for depth in (metals, hydrogen) if depth.any()]
    if name == "white dwarf":
        # One in ten is of helium.
        made.append(Direction(-mean * _helium_depth(wave, kind), 4.0, 0.0))
    return tuple(made)


def _black_body(wave: FloatArray, kelvin: float) -> FloatArray:
    c2 = 1.438777e8
    return np.asarray((wave / 6000.0) ** -5.0 * np.expm1(c2 / (6000.0 * kelvin)) / np.expm1(c2 / (wave * kelvin)))


def _metal_depth(wave: FloatArray, kind: _Type) -> FloatArray:
    depth = np.zeros_like(wave)
    for rest, share, width, index in _METALS:
        depth += line_profile(wave, rest, width / rest * LIGHT_KMS, share * float(getattr(kind, index)))
    return depth + kind.helium * _helium_depth(wave, kind)


def _helium_depth(wave: FloatArray, kind: _Type) -> FloatArray:
    depth = np.zeros_like(wave)
    for rest, share in _HELIUM:
        depth += line_profile(wave, rest, 9.0 * kind.broadening / rest * LIGHT_KMS, share)
    return depth


def _hydrogen_depth(wave: FloatArray, kind: _Type) -> FloatArray:
    depth = np.zeros_like(wave)
    for rest, share in _BALMER:
        for width, part in ((8.2, 0.45), (28.0, 0.55)):
            fwhm = width * kind.broadening / rest * LIGHT_KMS
            # Pressure wipes out the high lines of a white dwarf.
            high = 0.5 if kind.broadening > 2 and rest < 3960 else 1.0
            depth += line_profile(wave, rest, fwhm, kind.balmer * share * part * high)
    return depth


def _band_depth(wave: FloatArray, table: tuple[tuple[float, float, float], ...]) -> FloatArray:
    """Return the optical depth of the molecular bands at full strength: sharp heads that fade to the red."""
    total = np.zeros_like(wave)
    for head, length, depth in table:
        beyond = wave - head
        shape = np.where(beyond > 0, np.exp(-np.maximum(beyond, 0) / length), np.exp(np.minimum(beyond, 0) / 3.0))
        total -= np.log(1.0 - depth * shape)
    return total
