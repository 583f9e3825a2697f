"""Who is in a petal: kinds, redshifts and brightness of its targets, drawn from the settings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.cosmology import luminosity_distance
from qnet_tui.simulation.galaxies import galaxy_spectra
from qnet_tui.simulation.junk import junk_spectra
from qnet_tui.simulation.native_grid import N_PIXELS
from qnet_tui.simulation.quasars import quasar_spectra
from qnet_tui.simulation.settings import SignalToNoiseMix, SimulationSettings
from qnet_tui.simulation.stars import star_spectra, white_dwarf_spectra

# Quasars per unit redshift as a quasar survey to r = 23 finds them, relative.
_QUASAR_COUNTS = (
    (0.05, 0.05), (0.3, 0.25), (0.6, 0.50), (1.0, 0.80), (1.4, 1.0), (1.7, 1.05), (2.0, 0.95), (2.3, 0.80),
    (2.6, 0.55), (3.0, 0.30), (3.5, 0.14), (4.0, 0.07), (4.5, 0.03), (6.0, 0.01),
)  # fmt: skip

CLASS_OF_KIND = {
    "quasar": "QSO",
    "galaxy": "GALAXY",
    "star": "STAR",
    "white_dwarf": "STAR",
    "junk": "JUNK",
}
"""What each kind of target is in truth; JUNK is no class that people vote for."""


@dataclass(frozen=True)
class Targets:
    """Noiseless targets in arbitrary units, and what each is.

    ``shape`` is float32 (n, 7781); ``spectral_class`` "QSO", "GALAXY", "STAR" or "JUNK"; ``z`` NaN where there
    is none; ``snr`` the wanted median S/N per pixel; ``bal`` tells BAL quasars.
    """

    shape: NDArray[np.float32]
    spectral_class: NDArray[np.str_]
    subclass: NDArray[np.str_]
    z: NDArray[np.float64]
    snr: NDArray[np.float64]
    bal: NDArray[np.bool_]


def draw_targets(rng: np.random.Generator, n: int, settings: SimulationSettings) -> Targets:
    """Draw ``n`` targets by the settings' class mix, S/N mix and redshift range; sky fibres are not among them."""
    shares = settings.mix.shares()
    kind = rng.choice(np.array(list(shares)), size=n, p=list(shares.values()))
    shape = np.zeros((n, N_PIXELS), dtype=np.float32)
    subclass = np.full(n, "", dtype="U12")
    z = np.full(n, np.nan)
    bal = np.zeros(n, dtype=np.bool_)
    snr = draw_snr(rng, kind, settings.snr)

    quasar = np.flatnonzero(kind == "quasar")
    z[quasar] = draw_quasar_redshifts(rng, len(quasar), settings.z_quasar)
    quasars = quasar_spectra(rng, z[quasar], luminosity_of(z[quasar], snr[quasar]))
    shape[quasar], subclass[quasar], bal[quasar] = quasars.flux, quasars.kind, quasars.bal
    galaxy = np.flatnonzero(kind == "galaxy")
    galaxies = galaxy_spectra(rng, len(galaxy))
    shape[galaxy], subclass[galaxy], z[galaxy] = galaxies.flux, galaxies.kind, galaxies.z
    for name, make in (("star", star_spectra), ("white_dwarf", white_dwarf_spectra)):
        chosen = np.flatnonzero(kind == name)
        stars = make(rng, len(chosen))
        shape[chosen], subclass[chosen], z[chosen] = stars.flux, stars.kind, stars.z
    junk = np.flatnonzero(kind == "junk")
    spoiled = junk_spectra(rng, len(junk))
    shape[junk], subclass[junk] = spoiled.flux, spoiled.kind
    snr[junk[spoiled.kind == "EMPTY"]] = rng.uniform(0.0005, 0.03, int((spoiled.kind == "EMPTY").sum()))
    spectral_class = np.array([CLASS_OF_KIND[k] for k in kind.tolist()], dtype="U8")
    return Targets(shape, spectral_class, subclass, z, snr, bal)


def draw_snr(rng: np.random.Generator, kind: NDArray[np.str_], mix: SignalToNoiseMix) -> NDArray[np.float64]:
    """Median S/N per pixel of each target: log-normal around the kind's median, inside the mix's limits."""
    factor = np.ones(len(kind))
    factor[kind == "galaxy"] = mix.galaxy_factor
    factor[np.isin(kind, ("star", "white_dwarf"))] = mix.star_factor
    median = np.log(mix.median * factor)
    drawn = rng.normal(median, mix.scatter)
    low, high = np.log(mix.low), np.log(mix.high)
    for _ in range(100):
        outside = (drawn < low) | (drawn > high)
        if not outside.any():
            break
        drawn[outside] = rng.normal(median[outside], mix.scatter)
    result: NDArray[np.float64] = np.exp(np.clip(drawn, low, high))
    return result


def draw_quasar_redshifts(rng: np.random.Generator, n: int, limits: tuple[float, float]) -> NDArray[np.float64]:
    """``n`` quasar redshifts between the limits, by the counts of a survey to r = 23."""
    table = np.array(_QUASAR_COUNTS)
    grid = np.linspace(limits[0], limits[1], 2000)
    density = np.interp(grid, table[:, 0], table[:, 1])
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    result: NDArray[np.float64] = np.interp(rng.random(n) * cumulative[-1], cumulative, grid)
    return result


def luminosity_of(z: NDArray[np.float64], snr: NDArray[np.float64]) -> NDArray[np.float64]:
    """log10 luminosity relative to a quasar of r = 20.5 at z = 2, from the S/N that its magnitude would give.

    In 1,000 s a target of r = 22 has a median S/N per pixel of about 1 in the dark.
    """
    magnitude = 22.0 - 2.2 * np.log10(snr)
    distance = luminosity_distance(z) / luminosity_distance(np.array([2.0]))[0]
    result: NDArray[np.float64] = -0.4 * (magnitude - 20.5) + 2.0 * np.log10(distance)
    return result
