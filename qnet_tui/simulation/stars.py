"""Stars A to M and white dwarfs: black bodies with the Balmer jump, metal blanketing, lines and molecular bands.

Strengths against effective temperature are rounded from the run of line indices along the main sequence; they
make a star recognisable by eye and by a classifier, not a stellar atmosphere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import SPEED_OF_LIGHT, WAVE
from qnet_tui.simulation.profiles import gaussians, observed_sigma

_KELVIN = np.array([3000.0, 3800, 4500, 5200, 5800, 6500, 7500, 9000, 12000, 20000])
# Against the temperatures above: depth of the Balmer jump, strength of the blanketing, and equivalent widths (Å)
# of H delta, Ca K, the G band, Mg b, Na D, iron blends, and the calcium triplet's strongest line.
_JUMP = np.array([0.0, 0.0, 0.0, 0.0, 0.03, 0.16, 0.38, 0.55, 0.45, 0.22])
_BLANKET = np.array([1.0, 1.2, 1.0, 0.70, 0.42, 0.20, 0.06, 0.01, 0.0, 0.0])
# Colour temperature of the light redward of the jump over the effective one (hydrogen's own opacity is grey there).
_COLOUR = np.array([1.0, 1.03, 1.05, 1.05, 1.06, 1.12, 1.28, 1.45, 1.30, 1.10])
_H_DELTA = np.array([0.0, 0.1, 0.4, 1.0, 2.2, 5.0, 9.5, 14.0, 8.5, 4.5])
_CA_K = np.array([14.0, 17.0, 16.0, 13.0, 9.5, 7.0, 4.0, 1.2, 0.5, 0.2])
_G_BAND = np.array([2.0, 5.5, 7.5, 7.0, 5.2, 2.6, 0.6, 0.0, 0.0, 0.0])
_MG_B = np.array([12.0, 15.0, 9.0, 5.5, 3.4, 2.0, 1.0, 0.4, 0.2, 0.0])
_NA_D = np.array([14.0, 9.0, 5.0, 2.4, 1.3, 0.8, 0.5, 0.4, 0.3, 0.2])
_IRON = np.array([3.0, 4.0, 3.5, 2.6, 1.8, 1.0, 0.4, 0.1, 0.0, 0.0])
_CA_TRIPLET = np.array([3.5, 4.0, 4.0, 3.6, 3.3, 2.8, 2.0, 1.2, 0.6, 0.2])

# Lines: rest wavelength in vacuum (Å), strength relative to its table, width sigma (Å), table.
_METALS = (
    (3934.8, 1.0, 6.0, _CA_K), (3969.6, 0.8, 6.0, _CA_K), (4227.9, 0.10, 3.5, _CA_K), (4306.0, 1.0, 9.0, _G_BAND),
    (3883.0, 0.8, 14.0, _G_BAND), (4215.0, 0.3, 9.0, _G_BAND), (5176.4, 1.0, 9.0, _MG_B),
    (5893.6, 1.0, 4.0, _NA_D), (8190.0, 0.35, 7.0, _NA_D), (4384.8, 1.0, 5.0, _IRON), (4532.0, 0.7, 9.0, _IRON),
    (4669.0, 0.7, 9.0, _IRON), (5270.9, 1.0, 6.0, _IRON), (5336.9, 0.8, 6.0, _IRON), (5407.5, 0.5, 5.0, _IRON),
    (6191.0, 0.5, 5.0, _IRON), (6496.0, 0.5, 5.0, _IRON), (3735.0, 1.5, 10.0, _IRON), (3581.0, 1.5, 10.0, _IRON),
    (8500.4, 0.4, 3.5, _CA_TRIPLET), (8544.4, 1.0, 4.0, _CA_TRIPLET), (8664.5, 0.85, 4.0, _CA_TRIPLET),
)  # fmt: skip
# The Balmer series: wavelength (Å) and equivalent width relative to H delta.
_BALMER = ((6564.61, 0.75), (4862.68, 0.95), (4341.68, 1.0), (4102.89, 1.0), (3971.20, 0.95), (3890.15, 0.8),
           (3836.47, 0.65), (3798.98, 0.5), (3771.70, 0.4), (3751.22, 0.3))  # fmt: skip
# Heads of TiO, CaH, MgH and VO bands: head (Å), length to the red (Å), depth at 3000 K.
_BANDS = (
    (4761.0, 90.0, 0.45), (4954.0, 110.0, 0.55), (5167.0, 130.0, 0.55), (5448.0, 110.0, 0.45), (5597.0, 70.0, 0.25),
    (5759.0, 60.0, 0.25), (5862.0, 130.0, 0.45), (6159.0, 150.0, 0.55), (6384.0, 60.0, 0.30), (6651.0, 110.0, 0.45),
    (6750.0, 120.0, 0.45), (7054.0, 180.0, 0.70), (7126.0, 90.0, 0.30), (7590.0, 190.0, 0.45), (7666.0, 90.0, 0.25),
    (8206.0, 60.0, 0.20), (8432.0, 110.0, 0.35), (8859.0, 140.0, 0.30), (9208.0, 160.0, 0.25),
)  # fmt: skip

_TYPES = ("A", "F", "G", "K", "M")
_TYPE_SHARES = (0.14, 0.30, 0.20, 0.18, 0.18)
_TYPE_KELVIN = {
    "A": (7500.0, 10500.0),
    "F": (6000.0, 7500.0),
    "G": (5250.0, 6000.0),
    "K": (4000.0, 5250.0),
    "M": (2900.0, 3850.0),
}
_DWARF_TYPES = ("DA", "DB", "DC")
_DWARF_SHARES = (0.78, 0.10, 0.12)
# Helium lines of DB white dwarfs: wavelength (Å) and relative strength.
_HELIUM = ((3820.7, 0.5), (3889.7, 0.9), (3965.8, 0.3), (4027.3, 0.9), (4121.9, 0.25), (4389.2, 0.35),
           (4472.7, 1.1), (4714.5, 0.35), (4923.3, 0.5), (5017.1, 0.5), (5877.3, 1.2), (6680.0, 0.8),
           (7067.1, 0.6), (7283.4, 0.25))  # fmt: skip


@dataclass(frozen=True)
class Stars:
    """Noiseless stars: ``flux`` float32 (n, 7781) in arbitrary units per Å, redshift (v/c) and type of each."""

    flux: NDArray[np.float32]
    z: NDArray[np.float64]
    kind: NDArray[np.str_]


def star_spectra(rng: np.random.Generator, n: int) -> Stars:
    """Draw ``n`` stars of types A, F, G, K and M with radial velocities of 120 km/s rms."""
    kind = rng.choice(np.array(_TYPES), size=n, p=_TYPE_SHARES)
    kelvin = np.zeros(n)
    for name, (low, high) in _TYPE_KELVIN.items():
        chosen = kind == name
        kelvin[chosen] = rng.uniform(low, high, int(chosen.sum()))
    z = rng.normal(0.0, 120.0, n) / SPEED_OF_LIGHT
    # Halo stars are poor in metals: their blanketing and metal lines are weak.
    metals = np.where(rng.random(n) < 0.35, rng.uniform(0.15, 0.6, n), rng.uniform(0.7, 1.1, n))
    flux = _black_body(kelvin * np.interp(kelvin, _KELVIN, _COLOUR)) * _jump(kelvin) * _blanketing(kelvin, metals)
    flux *= np.exp(-_metal_lines(z, kelvin, metals) - _balmer_lines(z, np.interp(kelvin, _KELVIN, _H_DELTA), 1.0))
    flux *= _molecular_bands(rng, kelvin)
    return Stars(flux.astype(np.float32), z, kind.astype("U8"))


def white_dwarf_spectra(rng: np.random.Generator, n: int) -> Stars:
    """Draw ``n`` white dwarfs: hydrogen (DA), helium (DB) and featureless (DC) atmospheres."""
    kind = rng.choice(np.array(_DWARF_TYPES), size=n, p=_DWARF_SHARES)
    kelvin = np.exp(rng.uniform(np.log(8500.0), np.log(35000.0), n))
    kelvin = np.where(kind == "DC", rng.uniform(5000.0, 10000.0, n), kelvin)
    kelvin = np.where(kind == "DB", rng.uniform(12000.0, 28000.0, n), kelvin)
    z = rng.normal(30.0, 60.0, n) / SPEED_OF_LIGHT
    hydrogen = np.where(kind == "DA", 48.0 * np.exp(-0.5 * (np.log(kelvin / 12500.0) / 0.55) ** 2), 0.0)
    depth = _balmer_lines(z, hydrogen * rng.uniform(0.85, 1.1, n), 3.2)
    table = np.array(_HELIUM)
    row = np.repeat(np.arange(n), len(table))
    centre = np.tile(table[:, 0], n) * np.repeat(1.0 + z, len(table))
    helium = np.where(kind == "DB", 12.0, 0.0) * rng.uniform(0.6, 1.2, n)
    depth += gaussians(n, row, centre, np.full(len(row), 13.0), np.tile(table[:, 1], n) * np.repeat(helium, len(table)))
    flux = _black_body(kelvin) * np.exp(-depth)
    flux *= np.where((kind == "DA")[:, None], _jump(np.clip(kelvin, 9000.0, None), 0.35), 1.0)
    return Stars(flux.astype(np.float32), z, kind.astype("U8"))


def _black_body(kelvin: NDArray[np.float64]) -> NDArray[np.float32]:
    """B_λ relative to its value at 6000 Å, (n, 7781)."""
    c2 = 1.438777e8
    x = c2 / (WAVE[None, :] * kelvin[:, None])
    reference = c2 / (6000.0 * kelvin[:, None])
    result: NDArray[np.float32] = ((WAVE / 6000.0) ** -5.0 * np.expm1(reference) / np.expm1(x)).astype(np.float32)
    return result


def _jump(kelvin: NDArray[np.float64], strength: float = 1.0) -> NDArray[np.float32]:
    """Transmission across the Balmer jump: 1 to the red, 1 - depth to the blue, blurred by the high lines."""
    depth = strength * np.interp(kelvin, _KELVIN, _JUMP)
    step = 1.0 / (1.0 + np.exp((WAVE - 3705.0) / 22.0))
    result: NDArray[np.float32] = (1.0 - depth[:, None] * step).astype(np.float32)
    return result


def _blanketing(kelvin: NDArray[np.float64], metals: NDArray[np.float64]) -> NDArray[np.float32]:
    """What the crowd of weak metal lines takes away from the blue, (n, 7781)."""
    shape = np.interp(WAVE, [3600, 3850, 3950, 4020, 4200, 4500, 5000, 5600], [1, 1, 0.85, 0.6, 0.42, 0.2, 0.07, 0])
    strength = np.interp(kelvin, _KELVIN, _BLANKET) * metals**0.5
    result: NDArray[np.float32] = np.exp(-strength[:, None] * shape).astype(np.float32)
    return result


def _metal_lines(
    z: NDArray[np.float64], kelvin: NDArray[np.float64], metals: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Optical depth of the metal lines, (n, 7781)."""
    n = len(z)
    row, centre, sigma, area = [], [], [], []
    for rest, share, width, table in _METALS:
        where = rest * (1.0 + z)
        row.append(np.arange(n))
        centre.append(where)
        sigma.append(np.hypot(width, observed_sigma(where, 0.0)))
        area.append(share * np.interp(kelvin, _KELVIN, table) * metals**0.6)
    return gaussians(n, *(np.concatenate(part) for part in (row, centre, sigma, area)))


def _balmer_lines(z: NDArray[np.float64], h_delta: NDArray[np.float64], broadening: float) -> NDArray[np.float32]:
    """Optical depth of the Balmer series, (n, 7781): a core and wings 3.5 times as wide (pressure broadening)."""
    n = len(z)
    row, centre, sigma, area = [], [], [], []
    for rest, share in _BALMER:
        where = rest * (1.0 + z)
        for width, part in ((3.5 * broadening, 0.45), (12.0 * broadening, 0.55)):
            row.append(np.arange(n))
            centre.append(where)
            sigma.append(np.full(n, width))
            area.append(h_delta * share * part)
    return gaussians(n, *(np.concatenate(part) for part in (row, centre, sigma, area)))


def _molecular_bands(rng: np.random.Generator, kelvin: NDArray[np.float64]) -> NDArray[np.float32]:
    """Transmission of molecular bands of late K and M stars: sharp heads that fade to the red."""
    n = len(kelvin)
    strength = np.clip((4250.0 - kelvin) / 950.0, 0.0, 1.25)
    result = np.ones((n, len(WAVE)), dtype=np.float32)
    cool = np.flatnonzero(strength > 0)
    for head, length, depth in _BANDS:
        beyond = WAVE - head
        shape = np.where(beyond > 0, np.exp(-np.maximum(beyond, 0.0) / length), np.exp(np.minimum(beyond, 0.0) / 3.0))
        scatter = np.exp(rng.normal(0.0, 0.1, len(cool)))
        result[cool] *= (1.0 - np.clip(depth * strength[cool] * scatter, 0, 0.9)[:, None] * shape).astype(np.float32)
    return result
