"""Spectra that nobody can class: empty fibres, spoiled calibrations, two objects in one fibre."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.galaxies import galaxy_spectra
from qnet_tui.simulation.native_grid import CAMERAS, WAVE
from qnet_tui.simulation.stars import star_spectra

KINDS = ("EMPTY", "FLAT", "STEPS", "BLEND", "SCATTERED")
_SHARES = (0.35, 0.2, 0.15, 0.15, 0.15)


@dataclass(frozen=True)
class Junk:
    """Noiseless flux float32 (n, 7781) in arbitrary units per Å, and the kind of each."""

    flux: NDArray[np.float32]
    kind: NDArray[np.str_]


def junk_spectra(rng: np.random.Generator, n: int) -> Junk:
    """Draw ``n`` spoiled spectra.

    EMPTY: the fibre missed its target (almost no flux). FLAT: a featureless continuum. STEPS: a featureless
    continuum whose three arms are at different levels. BLEND: a star on a galaxy. SCATTERED: light of a bright
    neighbour, a smooth wiggle.
    """
    kind = rng.choice(np.array(KINDS), size=n, p=_SHARES)
    slope = rng.normal(-1.0, 0.8, n)
    flux = ((WAVE / 6000.0)[None, :] ** slope[:, None]).astype(np.float32)
    for row in np.flatnonzero(kind == "STEPS"):
        for camera in CAMERAS:
            # The arms overlap; the later one's level wins there, as after a bad flux calibration.
            flux[row, camera.pixels] = (WAVE[camera.pixels] / 6000.0) ** slope[row] * rng.uniform(0.5, 1.6)
    blends = np.flatnonzero(kind == "BLEND")
    star, galaxy = star_spectra(rng, len(blends)), galaxy_spectra(rng, len(blends))
    share = rng.uniform(0.3, 0.7, len(blends))[:, None].astype(np.float32)
    flux[blends] = share * _unit(star.flux) + (1.0 - share) * _unit(galaxy.flux)
    for row in np.flatnonzero(kind == "SCATTERED"):
        phase, period = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(1500.0, 5000.0)
        flux[row] *= 1.0 + 0.25 * np.sin(2.0 * np.pi * WAVE / period + phase).astype(np.float32)
    return Junk(flux, kind.astype("U12"))


def _unit(flux: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spectra with a mean of one."""
    unit: NDArray[np.float32] = flux / flux.mean(axis=1, keepdims=True)
    return unit
