"""What three people would write down: class, redshift, quality from 0 to 4, issue letters, a remark.

Quality follows the significance of the features (legibility.py): 4 is certain, below 2.5 is no truth
(algorithm.md 6). Whoever gives 2 or more is right about the class; below that people guess.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.redrock_answers import RedrockAnswers

N_INSPECTORS = 3
_CLASSES = ("STAR", "GALAXY", "QSO")
# Significance of the features (sigma) and the quality an average inspector gives.
_SCALE = ((1.5, 0.0), (3.0, 0.8), (4.5, 1.6), (7.0, 2.7), (11.0, 3.3), (25.0, 3.9), (60.0, 4.0))
_VELOCITY_ERROR = {"QSO": 450.0, "GALAXY": 60.0, "STAR": 30.0}
"""km/s rms of a settled redshift against the true one: lines are broad, and marked by eye."""


@dataclass(frozen=True)
class Inspection:
    """Merged labels of n objects: class, z float64, quality (mean of the votes), issues and remark of each."""

    spectral_class: NDArray[np.str_]
    z: NDArray[np.float64]
    quality: NDArray[np.float64]
    issues: NDArray[np.str_]
    remark: NDArray[np.str_]


def inspect(
    rng: np.random.Generator,
    objects: NDArray[np.void],
    significance: NDArray[np.float64],
    lost_arm: NDArray[np.bool_],
    pipeline: RedrockAnswers,
) -> Inspection:
    """Let three people inspect objects (``OBJECT_DTYPE``) whose features have the significance given."""
    n = len(objects)
    true = objects["spectral_class"]
    table = np.array(_SCALE)
    mean = np.interp(np.log(np.maximum(significance, 1e-3)), np.log(table[:, 0]), table[:, 1])
    classless = ~np.isin(true, _CLASSES)
    mean = np.where(classless, np.minimum(mean, rng.uniform(0.0, 1.2, n)), mean)
    votes = mean[:, None] + rng.normal(0.0, 0.25, (n, 1)) + rng.normal(0.0, 0.3, (n, N_INSPECTORS))
    whole: NDArray[np.float64] = np.clip(np.rint(votes), 0.0, 4.0)
    quality: NDArray[np.float64] = np.round(whole.mean(axis=1), 3)
    # Nobody sure ever agrees on an object that has no class.
    quality[classless] = np.minimum(quality[classless], 1.667)
    sure = quality >= 2.0
    guess = np.where(rng.random(n) < 0.5, true, pipeline.spectral_class)
    guess = np.where(np.isin(guess, _CLASSES), guess, rng.choice(np.array(_CLASSES), n))
    spectral_class = np.where(sure, true, guess).astype("U8")
    error = np.array([_VELOCITY_ERROR.get(c, 0.0) for c in spectral_class.tolist()])
    z: NDArray[np.float64] = objects["z"] + (1.0 + objects["z"]) * error / 299792.458 * rng.standard_normal(n)
    z = np.where(sure, z, np.where(rng.random(n) < 0.4, np.nan_to_num(z, nan=0.0), pipeline.z))
    z = np.where((spectral_class == "STAR") & (np.abs(z) > 0.003), rng.normal(0.0, 0.0005, n), z)
    wrong_z = sure & (np.abs(z - pipeline.z) > 0.0033 * (1.0 + np.abs(z)))
    wrong_class = sure & (spectral_class != pipeline.spectral_class)
    bad = lost_arm | (quality < 1.0)
    issues = [
        ("R" if r else "") + ("C" if c else "") + ("S" if s else "")
        for r, c, s in zip(wrong_z, wrong_class, bad, strict=True)
    ]
    remark = [_remark(o, bool(s), float(q)) for o, s, q in zip(objects, sure, quality, strict=True)]
    return Inspection(spectral_class, z, quality, np.array(issues, "U4"), np.array(remark, "U40"))


def _remark(thing: np.void, sure: bool, quality: float) -> str:
    """A comment as inspectors leave it, where there is something to say."""
    subclass = str(thing["subclass"])
    if sure and thing["bal"]:
        return "BAL"
    if sure and subclass in ("DA", "DB", "DC"):
        return f"white dwarf, {subclass}"
    if subclass == "BLEND" and quality >= 0.3:
        return "two objects, blend"
    if subclass == "STEPS":
        return "steps between the arms"
    return "nothing to see" if quality < 0.5 else ""
