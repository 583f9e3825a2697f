"""How much of an object's features the noise leaves: what decides whether people or a pipeline can class it."""

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import N_PIXELS, STEP
from qnet_tui.simulation.observation import ArmData

_BIN = 4
_WINDOW = 800.0
"""Å: what is smooth over this width is continuum, and tells nothing."""


def feature_significance(flux: NDArray[np.float32], arms: list[ArmData]) -> NDArray[np.float64]:
    """Significance in sigma of everything in noiseless ``flux`` (n, 7781) that is not smooth continuum.

    sqrt of the sum over bins of 3.2 Å of (flux - its mean over 800 Å)^2 x ivar, with the ivar of all arms
    together. A row without data has 0.
    """
    weight = np.zeros((len(flux), N_PIXELS), dtype=np.float32)
    for arm in arms:
        weight[:, arm.camera.pixels] += arm.ivar
    used = N_PIXELS - N_PIXELS % _BIN
    binned = flux[:, :used].reshape(len(flux), -1, _BIN).mean(axis=2)
    precision = weight[:, :used].reshape(len(flux), -1, _BIN).sum(axis=2)
    half = int(_WINDOW / (2.0 * _BIN * STEP))
    padded = np.pad(binned, ((0, 0), (half + 1, half)), mode="edge").astype(np.float64)
    total = np.cumsum(padded, axis=1)
    smooth = (total[:, 2 * half + 1 :] - total[:, : -(2 * half + 1)]) / (2 * half + 1)
    result: NDArray[np.float64] = np.sqrt(np.sum((binned - smooth) ** 2 * precision, axis=1))
    return result
