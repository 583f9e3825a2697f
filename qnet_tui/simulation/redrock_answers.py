"""What the redshift pipeline would answer: mostly right, and wrong in the ways that it is known to be wrong.

A quasar may come out as a galaxy, most of all with weak lines or few of them; a quasar's redshift may rest on a
line taken for another; a faint spectrum may come out as anything, with a small Δχ² and ZWARN bit 2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALL_DELTA_CHI2 = 1 << 2
_CLASSES = np.array(["STAR", "GALAXY", "QSO"])
_LINES = np.array([1215.67, 1549.06, 1908.73, 2798.75, 4862.68])
_ZERR = {"QSO": 3e-4, "GALAXY": 4e-5, "STAR": 2e-5}


@dataclass(frozen=True)
class RedrockAnswers:
    """One answer per object: class, z and its error, ZWARN bits, χ² and Δχ² to the next best."""

    spectral_class: NDArray[np.str_]
    subtype: NDArray[np.str_]
    z: NDArray[np.float64]
    zerr: NDArray[np.float64]
    zwarn: NDArray[np.int64]
    chi2: NDArray[np.float64]
    deltachi2: NDArray[np.float64]
    npixels: NDArray[np.int64]


def answer(
    rng: np.random.Generator,
    objects: NDArray[np.void],
    significance: NDArray[np.float64],
    n_good: NDArray[np.int64],
) -> RedrockAnswers:
    """Answers for objects (``OBJECT_DTYPE``) whose features have the significance given, in sigma.

    ``n_good`` is the number of unmasked pixels of each row.
    """
    n = len(objects)
    true, z_true = objects["spectral_class"], objects["z"]
    known = np.isin(true, _CLASSES)
    right = known & (rng.random(n) < 1.0 / (1.0 + np.exp(-(significance - 5.5) / 1.5)))
    spectral_class = np.where(right, true, rng.choice(_CLASSES, n, p=(0.15, 0.6, 0.25))).astype("U6")
    z = np.where(right, z_true, _redshift_of_nothing(rng, spectral_class))
    quasar = right & (true == "QSO")
    weak = np.isin(objects["subclass"], ("WEAK", "RED")) | ((z_true > 0.9) & (z_true < 1.6))
    taken_for_galaxy = quasar & (rng.random(n) < np.where(weak, 0.12, 0.03))
    spectral_class[taken_for_galaxy] = "GALAXY"
    z = np.where(taken_for_galaxy, np.where(z_true < 1.6, z_true, rng.uniform(0.2, 1.6, n)), z)
    swapped = quasar & ~taken_for_galaxy & (rng.random(n) < 0.03)
    ratio = rng.choice(_LINES, n) / rng.choice(_LINES, n)
    with_swap = (1.0 + z_true) * ratio - 1.0
    swapped &= (with_swap > 0.05) & (with_swap < 6.0) & (ratio != 1.0)
    z = np.where(swapped, with_swap, z)
    taken_for_quasar = right & (true == "GALAXY") & (rng.random(n) < 0.01)
    spectral_class[taken_for_quasar] = "QSO"
    zerr = np.array([_ZERR[c] for c in spectral_class.tolist()]) * (1.0 + np.abs(z)) * np.exp(rng.normal(0, 0.4, n))
    zerr *= np.clip(15.0 / np.maximum(significance, 0.5), 0.3, 8.0) ** 0.5
    z = z + zerr * rng.standard_normal(n)
    faulty = taken_for_galaxy | swapped | taken_for_quasar
    deltachi2 = np.where(right, significance**2 * rng.uniform(0.3, 0.9, n), rng.exponential(9.0, n))
    deltachi2 = np.where(faulty, deltachi2 * rng.uniform(0.02, 0.2, n), deltachi2)
    zwarn = np.where(deltachi2 < 9.0, SMALL_DELTA_CHI2, 0).astype(np.int64)
    chi2 = n_good * (1.02 + 0.02 * rng.standard_normal(n))
    subtype = np.where(spectral_class == "STAR", np.where(true == "STAR", objects["subclass"], "K"), "").astype("U20")
    subtype = np.where(np.isin(subtype, ("DA", "DB", "DC")), "WD", subtype)
    subtype = np.where(spectral_class == "QSO", np.where(z > 1.6, "HIZ", "LOZ"), subtype).astype("U20")
    return RedrockAnswers(spectral_class, subtype, z, zerr, zwarn, chi2, deltachi2, n_good)


def _redshift_of_nothing(rng: np.random.Generator, spectral_class: NDArray[np.str_]) -> NDArray[np.float64]:
    """Redshifts that templates find in noise: anywhere in the range that each class is searched in."""
    n = len(spectral_class)
    z = np.where(spectral_class == "GALAXY", rng.uniform(0.0, 1.7, n), rng.uniform(0.1, 6.0, n))
    return np.where(spectral_class == "STAR", rng.uniform(-0.002, 0.002, n), z)
