"""Galaxies: old, intermediate and young starlight with its breaks and absorption, gas and its emission lines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.dust import starburst
from qnet_tui.simulation.native_grid import WAVE
from qnet_tui.simulation.profiles import FWHM_PER_SIGMA, gaussians, observed_sigma

# Starlight without lines, f_λ relative to 5500 Å, at rest wavelengths in Å: a passive galaxy (breaks at 2640,
# 2900 and 4000 Å), an A-star population (Balmer jump), and ongoing star formation.
_OLD = (
    (1200, 0.012), (1500, 0.020), (2000, 0.030), (2400, 0.045), (2620, 0.07), (2660, 0.10), (2850, 0.12),
    (2930, 0.18), (3100, 0.22), (3300, 0.27), (3550, 0.32), (3750, 0.36), (3850, 0.38), (3970, 0.43),
    (4030, 0.66), (4150, 0.70), (4280, 0.72), (4400, 0.84), (4700, 0.94), (5000, 0.97), (5150, 0.94),
    (5500, 1.0), (6000, 1.03), (6500, 1.03), (7000, 1.02), (7500, 1.03), (8000, 1.02), (9000, 0.97), (10000, 0.92),
)  # fmt: skip
_MIDDLE = (
    (1200, 0.15), (1500, 0.45), (2000, 0.55), (2500, 0.62), (3000, 0.72), (3500, 0.80), (3650, 0.84),
    (3760, 1.30), (3850, 1.75), (4000, 1.95), (4200, 1.85), (4500, 1.60), (5000, 1.25), (5500, 1.0),
    (6000, 0.85), (7000, 0.66), (8000, 0.55), (9000, 0.47), (10000, 0.40),
)  # fmt: skip
_YOUNG = (
    (912, 4.0), (1200, 9.0), (1500, 8.2), (2000, 5.6), (2500, 4.1), (3000, 3.1), (3500, 2.40), (3650, 2.30),
    (3760, 2.35), (4000, 2.10), (4500, 1.60), (5000, 1.25), (5500, 1.0), (6000, 0.83), (7000, 0.60), (8000, 0.46),
    (9000, 0.37), (10000, 0.31),
)  # fmt: skip

# Stellar absorption: rest wavelength in vacuum (Å), equivalent width (Å), width sigma (Å).
_OLD_ABSORPTION = (
    (2796.4, 5.0, 6.0), (2803.5, 4.0, 6.0), (2853.0, 6.0, 8.0), (3581.0, 3.0, 12.0), (3735.0, 4.0, 12.0),
    (3835.0, 8.0, 16.0), (3934.8, 8.0, 8.0), (3969.6, 6.5, 7.5), (4102.9, 0.8, 6.0), (4227.9, 1.2, 5.0),
    (4305.6, 6.0, 13.0), (4384.8, 2.5, 8.0), (4532.0, 2.0, 12.0), (4669.0, 2.5, 14.0), (4862.7, 1.5, 5.5),
    (5016.0, 2.5, 12.0), (5176.4, 4.8, 11.0), (5270.9, 2.6, 8.0), (5336.9, 2.2, 8.0), (5407.5, 1.4, 7.0),
    (5711.0, 0.9, 7.0), (5784.0, 0.8, 7.0), (5893.6, 3.6, 6.0), (6191.0, 1.0, 8.0), (6496.0, 1.0, 7.0),
    (7186.0, 8.0, 45.0), (8500.4, 1.3, 4.5), (8544.4, 3.5, 5.0), (8664.5, 2.9, 5.0),
)  # fmt: skip
_BALMER_ABSORPTION = (
    (3751.2, 4.5, 7.0), (3771.7, 5.0, 7.0), (3799.0, 6.0, 7.5), (3836.5, 7.0, 8.0), (3890.2, 8.0, 8.5),
    (3971.2, 9.0, 9.0), (4102.9, 8.5, 9.5), (4341.7, 7.5, 9.5), (4862.7, 7.0, 9.0), (6564.6, 4.5, 8.0),
    (3934.8, 2.0, 5.0), (2799.0, 3.0, 7.0), (5893.6, 1.0, 4.0),
)  # fmt: skip
_YOUNG_ABSORPTION = ((1260.4, 1.5, 3.0), (1303.0, 1.8, 3.5), (1334.5, 1.5, 3.0), (1397.0, 2.5, 6.0),
                     (1549.0, 3.0, 6.0), (2344.2, 1.4, 2.5), (2374.5, 1.2, 2.5), (2382.8, 1.7, 2.5),
                     (2586.7, 1.8, 2.5), (2600.2, 2.0, 2.5), (2796.4, 2.0, 2.5), (2803.5, 1.8, 2.5),
                     (2853.0, 0.8, 2.5))  # fmt: skip

# Gas: rest wavelength in vacuum (Å), flux relative to H beta for [O III] = 1 of its own, and whether a line
# scales with the ionisation ("o"), with nitrogen and sulphur ("n") or is a hydrogen or [O II] line ("h").
_GAS = (
    (3727.09, 1.2, "h"), (3729.88, 1.7, "h"), (3869.86, 0.25, "o"), (3889.9, 0.12, "h"), (3971.2, 0.14, "h"),
    (4102.89, 0.24, "h"), (4341.68, 0.46, "h"), (4862.68, 1.0, "h"), (4960.30, 0.33, "o"), (5008.24, 1.0, "o"),
    (5877.3, 0.11, "h"), (6302.05, 0.12, "n"), (6549.86, 0.33, "n"), (6564.61, 3.0, "h"), (6585.27, 1.0, "n"),
    (6718.29, 0.55, "n"), (6732.68, 0.42, "n"), (9071.1, 0.2, "o"), (9533.2, 0.5, "o"),
)  # fmt: skip

KINDS = ("PASSIVE", "SPIRAL", "STARFORMING", "BLUE", "POSTBURST", "SEYFERT2")
_SHARES = (0.28, 0.16, 0.26, 0.22, 0.05, 0.03)
_Z_RANGE = {
    "PASSIVE": (0.05, 1.05, 0.6, 0.25),
    "SPIRAL": (0.01, 0.7, 0.25, 0.18),
    "STARFORMING": (0.02, 1.6, 0.8, 0.4),
    "BLUE": (0.01, 1.6, 0.6, 0.5),
    "POSTBURST": (0.05, 1.0, 0.5, 0.2),
    "SEYFERT2": (0.02, 0.8, 0.35, 0.2),
}


@dataclass(frozen=True)
class Galaxies:
    """Noiseless galaxies: ``flux`` float32 (n, 7781) in arbitrary units per Å, redshift and kind of each."""

    flux: NDArray[np.float32]
    z: NDArray[np.float64]
    kind: NDArray[np.str_]


def galaxy_spectra(rng: np.random.Generator, n: int) -> Galaxies:
    """Draw ``n`` galaxies between z = 0.01 and 1.6: kinds, redshifts, starlight, dust and emission lines."""
    kind = rng.choice(np.array(KINDS), size=n, p=_SHARES)
    z = np.zeros(n)
    for name, (low, high, mean, spread) in _Z_RANGE.items():
        chosen = np.flatnonzero(kind == name)
        z[chosen] = _truncated_normal(rng, mean, spread, low, high, len(chosen))
    old, middle, young = _populations(rng, kind)
    ebv = np.where(np.isin(kind, ("PASSIVE", "POSTBURST")), 0.02, 0.12) * rng.exponential(1.0, n)
    flux = _starlight(z, old, middle, young, np.minimum(ebv, 0.5))
    flux += _emission(rng, z, kind, young, flux)
    return Galaxies(flux.astype(np.float32), z, kind.astype("U12"))


def host_light(rng: np.random.Generator, z: NDArray[np.float64]) -> NDArray[np.float32]:
    """Starlight of quasar hosts at ``z``, about one at rest 5500 Å: half old, half intermediate, some young."""
    n = len(z)
    old = rng.uniform(0.4, 0.9, n)
    young = rng.uniform(0.0, 0.15, n)
    return _starlight(z, old, 1.0 - old - young, young, rng.exponential(0.05, n))


def _truncated_normal(
    rng: np.random.Generator, mean: float, spread: float, low: float, high: float, n: int
) -> NDArray[np.float64]:
    """Normal draws, those outside drawn again."""
    value = rng.normal(mean, spread, n)
    while (outside := (value < low) | (value > high)).any():
        value[outside] = rng.normal(mean, spread, int(outside.sum()))
    return value


def _populations(
    rng: np.random.Generator, kind: NDArray[np.str_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the light at 5500 Å from old, intermediate and young stars."""
    n = len(kind)
    middle, young = np.zeros(n), np.zeros(n)
    ranges = {
        "PASSIVE": ((0.0, 0.08), (0.0, 0.01)),
        "SPIRAL": ((0.1, 0.4), (0.03, 0.12)),
        "STARFORMING": ((0.2, 0.5), (0.12, 0.4)),
        "BLUE": ((0.2, 0.45), (0.35, 0.55)),
        "POSTBURST": ((0.5, 0.9), (0.0, 0.02)),
        "SEYFERT2": ((0.05, 0.4), (0.0, 0.15)),
    }
    for name, (m, y) in ranges.items():
        chosen = kind == name
        middle[chosen] = rng.uniform(*m, int(chosen.sum()))
        young[chosen] = rng.uniform(*y, int(chosen.sum()))
    return 1.0 - middle - young, middle, young


def _starlight(
    z: NDArray[np.float64],
    old: NDArray[np.float64],
    middle: NDArray[np.float64],
    young: NDArray[np.float64],
    ebv: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Stars and their dust on the native grid, (n, 7781), about one at rest 5500 Å."""
    n = len(z)
    rest = (WAVE[None, :] / (1.0 + z[:, None])).astype(np.float32)
    total = np.zeros(rest.shape, dtype=np.float32)
    parts = (
        (_OLD, _OLD_ABSORPTION, old),
        (_MIDDLE, _BALMER_ABSORPTION, middle),
        (_YOUNG, _YOUNG_ABSORPTION, young),
    )
    for table, absorption, share in parts:
        nodes = np.array(table, dtype=np.float64)
        light = np.exp(np.interp(np.log(rest), np.log(nodes[:, 0]), np.log(nodes[:, 1]))).astype(np.float32)
        lines = np.array(absorption, dtype=np.float64)
        row = np.repeat(np.arange(n), len(lines))
        stretch = np.repeat(1.0 + z, len(lines))
        centre = np.tile(lines[:, 0], n) * stretch
        sigma = np.hypot(np.tile(lines[:, 2], n) * stretch, observed_sigma(centre, 0.0))
        depth = gaussians(n, row, centre, sigma, np.tile(lines[:, 1], n) * stretch)
        total += share[:, None].astype(np.float32) * light * np.exp(-depth)
    return total * starburst(rest, ebv)


def _emission(
    rng: np.random.Generator,
    z: NDArray[np.float64],
    kind: NDArray[np.str_],
    young: NDArray[np.float64],
    starlight: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Nebular lines, (n, 7781): H beta by the share of young light, [O III] by kind, [N II] against it."""
    n = len(z)
    seyfert, passive = kind == "SEYFERT2", kind == "PASSIVE"
    hbeta = 45.0 * young**1.2 * np.exp(rng.normal(0.0, 0.45, n))
    hbeta = np.where(passive, 0.15 * rng.exponential(1.0, n), hbeta)
    hbeta = np.where(seyfert, rng.uniform(1.5, 10.0, n), hbeta)
    oxygen = np.exp(rng.normal(np.log(0.5), 0.5, n)) + 3.0 * young * rng.uniform(0.3, 1.5, n)
    oxygen = np.where(seyfert, rng.uniform(5.0, 13.0, n), oxygen)
    nitrogen = np.clip(1.1 - 1.6 * young + rng.normal(0.0, 0.2, n), 0.15, 3.0)
    nitrogen = np.where(seyfert, rng.uniform(1.5, 3.5, n), nitrogen)
    width = np.where(seyfert, rng.uniform(300.0, 600.0, n), np.exp(rng.normal(np.log(190.0), 0.35, n)))
    # The continuum that turns the equivalent width of H beta into a flux: the starlight near rest 4863 Å, or at
    # the red end when that lies outside.
    near = np.clip(np.searchsorted(WAVE, 4862.7 * (1.0 + z)), 20, len(WAVE) - 21)
    level = np.array([starlight[i, p - 20 : p + 21].mean() for i, p in enumerate(near)], dtype=np.float64)
    factor = {"h": np.ones(n), "o": oxygen, "n": nitrogen}
    row, centre, sigma, area = [], [], [], []
    for rest, share, group in _GAS:
        where = rest * (1.0 + z)
        row.append(np.arange(n))
        centre.append(where)
        sigma.append(observed_sigma(where, width / FWHM_PER_SIGMA))
        area.append(hbeta * (1.0 + z) * level * share * factor[group])
    return gaussians(n, *(np.concatenate(part) for part in (row, centre, sigma, area)))
