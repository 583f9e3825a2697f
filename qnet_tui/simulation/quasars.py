"""Quasars from formulae: a broken power law, the Balmer continuum, lines, iron, dust, winds and hydrogen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.absorbers import broad_troughs, narrow_systems
from qnet_tui.simulation.dust import small_cloud
from qnet_tui.simulation.forest import forest_transmission, strong_absorbers
from qnet_tui.simulation.galaxies import host_light
from qnet_tui.simulation.native_grid import WAVE
from qnet_tui.simulation.quasar_lines import LineStrengths, line_emission, wavelengths_needed

_UV_BREAK = 1250.0
_OPTICAL_BREAK = 5000.0
_BALMER_EDGE = 3646.0


@dataclass(frozen=True)
class Quasars:
    """Noiseless quasars: ``flux`` float32 (n, 7781) in arbitrary units per Å, and what is in each."""

    flux: NDArray[np.float32]
    kind: NDArray[np.str_]
    bal: NDArray[np.bool_]
    log_nhi: NDArray[np.float64]


def quasar_spectra(rng: np.random.Generator, z: NDArray[np.float64], luminosity: NDArray[np.float64]) -> Quasars:
    """Draw one quasar for each redshift; ``luminosity`` is log10 relative to a typical one (r = 20.5, z = 2).

    ``kind`` is "QSO", "BAL", "WEAK" (weak ultraviolet lines), "NARROW" (narrow-line type 1) or "RED".
    """
    n = len(z)
    kind, strengths, ebv = _draw_kinds(rng, z, luminosity)
    blue, red, steep = (
        rng.normal(-1.52, 0.30, n),
        rng.normal(-0.35, 0.35, n),
        rng.normal(-0.40, 0.35, n),
    )
    balmer = np.clip(rng.normal(0.10, 0.04, n), 0.0, 0.3)
    rest = (WAVE[None, :] / (1.0 + z[:, None])).astype(np.float32)
    power_law = _power_law(rest, blue, blue - steep, red)
    at_rest = {
        line: _power_law(np.full((n, 1), line, dtype=np.float32), blue, blue - steep, red)[:, 0].astype(np.float64)
        for line in wavelengths_needed()
    }
    flux = power_law * (1.0 + _balmer_continuum(rest, balmer))
    flux += line_emission(rng, z, strengths, at_rest)
    flux *= small_cloud(rest, ebv)
    bal = kind == "BAL"
    flux *= broad_troughs(rng, z, bal)
    flux *= narrow_systems(rng, z)
    flux *= forest_transmission(rng, z)
    hydrogen, log_nhi = strong_absorbers(rng, z)
    flux *= hydrogen
    flux += _host(rng, z, luminosity, power_law)
    return Quasars(flux.astype(np.float32), kind, bal, log_nhi)


def _draw_kinds(
    rng: np.random.Generator, z: NDArray[np.float64], luminosity: NDArray[np.float64]
) -> tuple[NDArray[np.str_], LineStrengths, NDArray[np.float64]]:
    """Kinds, line strengths and own reddening (mag) of quasars."""
    n = len(z)
    chance = rng.random(n)
    kind = np.full(n, "QSO", dtype="U8")
    # A wind can be seen where C IV is in the spectrum; one such quasar in seven has one.
    kind[(chance < 0.14) & (z > 1.45)] = "BAL"
    kind[(chance >= 0.14) & (chance < 0.16)] = "WEAK"
    kind[(chance >= 0.16) & (chance < 0.20)] = "NARROW"
    kind[(chance >= 0.20) & (chance < 0.25)] = "RED"
    fwhm = np.clip(np.exp(rng.normal(np.log(4300.0), 0.30, n)), 1600.0, 12000.0)
    fwhm = np.where(kind == "NARROW", rng.uniform(900.0, 2000.0, n), fwhm)
    broad = np.exp(rng.normal(0.0, 0.27, n))
    broad = np.where(kind == "WEAK", broad * rng.uniform(0.08, 0.3, n), broad)
    # Strong iron goes with weak forbidden lines and narrow broad lines (eigenvector 1).
    first = rng.standard_normal(n) - np.where(kind == "NARROW", 1.5, 0.0)
    strengths = LineStrengths(
        fwhm=fwhm * np.exp(0.10 * first),
        blueshift=np.clip(rng.gamma(2.0, 350.0, n) - 0.25 * 350.0 * first, -300.0, 4000.0),
        broad=broad,
        narrow=np.exp(rng.normal(0.0, 0.6, n) + 0.45 * first) * 10.0 ** (-0.15 * luminosity),
        narrow_fwhm=np.exp(rng.normal(np.log(420.0), 0.25, n)),
        spread=np.full(n, 0.25),
        iron_uv=np.exp(rng.normal(0.0, 0.35, n)),
        iron_optical=np.exp(rng.normal(0.0, 0.35, n) - 0.35 * first),
        luminosity=np.clip(luminosity, -2.5, 1.5),
    )
    ebv = rng.exponential(0.018, n)
    ebv = np.where(kind == "RED", rng.uniform(0.06, 0.25, n), ebv)
    ebv = np.where(kind == "BAL", rng.exponential(0.035, n), ebv)
    return kind, strengths, ebv


def _power_law(
    rest: NDArray[np.float32],
    blue: NDArray[np.float64],
    far: NDArray[np.float64],
    red: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Continuous power law in f_λ, one at 3000 Å: index ``far`` below 1250 Å, ``blue`` to 5000 Å, ``red`` above.

    ``far`` enters as the index of f_λ; a less steep rise to the blue than ``blue``.
    """
    log = np.log(rest)
    low, high = np.float32(np.log(_UV_BREAK)), np.float32(np.log(_OPTICAL_BREAK))
    pivot = np.float32(np.log(3000.0))
    b, f, r = (a[:, None].astype(np.float32) for a in (blue, far, red))
    middle = np.clip(log, low, high)
    exponent = b * (middle - pivot) + f * np.minimum(log - low, 0.0) + r * np.maximum(log - high, 0.0)
    result: NDArray[np.float32] = np.exp(exponent)
    return result


def _balmer_continuum(rest: NDArray[np.float32], strength: NDArray[np.float64]) -> NDArray[np.float32]:
    """Balmer continuum over the power law, ``strength`` of it at the edge (Grandi 1982, partly opaque gas).

    B_λ(15,000 K) (1 - exp(-(λ/3646 Å)^3)) blueward of the edge; redward the crowded high Balmer lines carry it
    on for some 150 Å.
    """
    x = rest / np.float32(_BALMER_EDGE)
    planck = np.exp(-(np.float32(143877.0 / 15.0) / rest - np.float32(143877.0 / 15.0 / _BALMER_EDGE)))
    shape = planck * x ** np.float32(-3.4) * (1.0 - np.exp(-(x**3))) / np.float32(1.0 - np.exp(-1.0))
    beyond = np.exp(-np.maximum(rest - np.float32(_BALMER_EDGE), 0.0) / 75.0)
    result: NDArray[np.float32] = strength[:, None].astype(np.float32) * np.where(x < 1, shape, beyond)
    return result


def _host(
    rng: np.random.Generator,
    z: NDArray[np.float64],
    luminosity: NDArray[np.float64],
    power_law: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Starlight of the host galaxy: a fixed luminosity, so it shows in faint quasars at z < 1.2 only."""
    result = np.zeros_like(power_law)
    near = np.flatnonzero(z < 1.2)
    if len(near) == 0:
        return result
    ratio = 10.0 ** (-0.6 * (luminosity[near] + 1.5)) * np.exp(rng.normal(0.0, 0.5, len(near))) * 0.35
    ratio = np.clip(ratio, 0.0, 0.8)
    # One at 5000 Å like the power law there, whose value is the pivot's times (5000/3000)^blue.
    level = (5000.0 / 3000.0) ** -1.55
    result[near] = host_light(rng, z[near]) * (ratio * level)[:, None].astype(np.float32)
    return result
