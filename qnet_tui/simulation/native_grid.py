"""The native pixels of a DESI coadd: 0.8 Å from 3600 to 9824 Å in vacuum, seen by three overlapping arms.

Every noiseless spectrum of the simulator lives on this one grid, shape (rows, 7781); the arms are slices of it
(algorithm.md 1: B 0:2751, R 2700:5026, Z 4900:7781).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectra.arms import DESI_ARMS

STEP = 0.8
"""Width of a native pixel in Å."""

WAVE: NDArray[np.float64] = np.round(3600.0 + STEP * np.arange(7781), 1)
"""Wavelengths of the native pixels, Å in vacuum, float64 (7781,)."""
WAVE.setflags(write=False)

N_PIXELS = len(WAVE)

SPEED_OF_LIGHT = 299792.458
"""km/s."""

RESOLUTION_SIGMA = 0.75
"""Gaussian width of the spectrograph's response in Å (full width 1.8 Å), the same in every arm."""


@dataclass(frozen=True)
class Camera:
    """One arm: its letter and its first and past-the-last native pixel."""

    name: str
    start: int
    stop: int

    @property
    def pixels(self) -> slice:
        """The arm's slice of the native grid."""
        return slice(self.start, self.stop)

    @property
    def wave(self) -> NDArray[np.float64]:
        """Wavelengths of the arm, Å, float64."""
        return WAVE[self.start : self.stop]


CAMERAS = tuple(
    Camera(name, start, stop)
    for name, (start, stop) in zip(DESI_ARMS, ((0, 2751), (2700, 5026), (4900, 7781)), strict=True)
)
"""The arms in the order of DESI's files, which our reader shares."""


def pixel_of(wavelength: NDArray[np.float64]) -> NDArray[np.int64]:
    """Nearest native pixel of each wavelength (Å); may lie outside 0…7780."""
    pixel: NDArray[np.int64] = np.rint((wavelength - WAVE[0]) / STEP).astype(np.int64)
    return pixel
