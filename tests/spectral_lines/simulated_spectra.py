"""Simulated spectra with known redshifts, as the label screen hands them to a fit: arms joined, full resolution."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from qnet_tui.plotting.smoothing import join_arms
from qnet_tui.simulation.petal import observe_petal
from qnet_tui.simulation.settings import ClassMix, SignalToNoiseMix, SimulationSettings

LIGHT_KMS = 299792.458
MIXES = {"QSO": ClassMix(1, 0, 0, 0, 0), "GALAXY": ClassMix(0, 1, 0, 0, 0), "STAR": ClassMix(0, 0, 1, 0, 0),
         "JUNK": ClassMix(0, 0, 0, 0, 1)}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """One simulated spectrum and its true redshift."""

    wave: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    z: float
    snr: float
    subclass: str

    def start(self, rng: np.random.Generator, reach: float = 3000.0) -> float:
        """A random start within ``reach`` km/s."""
        return float(self.z + rng.uniform(-reach, reach) / LIGHT_KMS * (1 + self.z))

    def off(self, z: float) -> float:
        """How far a redshift is from the true one, km/s."""
        return LIGHT_KMS * (z - self.z) / (1 + self.z)


@cache
def simulated(kind: str, n: int, least_snr: float = 0.0, seed: int = 20) -> tuple[Known, ...]:
    """The first spectra of a class with the S/N asked for, of twice as many made."""
    settings = SimulationSettings(
        rows=2 * n, seed=seed, mix=MIXES[kind], snr=SignalToNoiseMix(median=5.0), repeats=0.0, sky=0.0
    )
    petal = observe_petal(np.random.SeedSequence(seed), settings, 0, 2 * n, None)
    found = []
    for i, thing in enumerate(petal.objects.table):
        if petal.snr[i] >= least_snr:
            joined = join_arms([(arm.camera.wave, arm.flux[i], arm.ivar[i]) for arm in petal.arms])
            found.append(Known(*joined, float(thing["z"]), float(petal.snr[i]), str(thing["subclass"])))
    return tuple(found[:n])
