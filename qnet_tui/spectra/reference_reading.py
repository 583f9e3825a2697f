"""The field's reading of a coadd, as plainly as the equations stand: what the reading of ours is compared with.

The file is read as a whole with fitsio, and every spectrum and arm is rebinned by two ``np.bincount`` in float64, in a
loop over spectra (:mod:`qnet_tui.spectra.vectors` has the equations). Nothing is cleaned. Only the bench uses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fitsio
import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectra.arms import DESI_ARMS, Arm
from qnet_tui.spectra.grids import Grid


@dataclass(frozen=True, eq=False)
class ArmAsRead:
    """An arm as fitsio reads it, without the cleaning of ours."""

    wavelength: NDArray[np.float64]
    flux: NDArray[np.float32]
    ivar: NDArray[np.float32]


def read_arms(path: Path) -> list[ArmAsRead]:
    """The arms of a file, read with fitsio."""
    with fitsio.FITS(str(path)) as fits:
        return [
            ArmAsRead(*(fits[f"{name.upper()}_{part}"].read() for part in ("WAVELENGTH", "FLUX", "IVAR")))
            for name in DESI_ARMS
        ]


def rebinned(arms: "Sequence[Arm | ArmAsRead]", grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Σ flux·ivar / Σ ivar and Σ ivar of every bin, two bincount per spectrum and arm."""
    n = len(arms[0].flux)
    flux, weight = (np.zeros((n, grid.n_pixels)) for _ in range(2))
    for arm in arms:
        bins = grid.bins_of(arm.wavelength)
        inside = bins >= 0
        bins = bins[inside]
        product, ivar = (arm.flux * arm.ivar)[:, inside], arm.ivar[:, inside]
        for i in range(n):
            flux[i] += np.bincount(bins, weights=product[i], minlength=grid.n_pixels)
            weight[i] += np.bincount(bins, weights=ivar[i], minlength=grid.n_pixels)
    filled = weight != 0
    flux[filled] /= weight[filled]
    return flux, weight


def renormalised(
    flux: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(flux - mean) / rms of the rows with any weight, and which those are."""
    kept = np.flatnonzero(weight.sum(axis=1) != 0)
    flux, weight = flux[kept], weight[kept]
    mean = np.average(flux, axis=1, weights=weight)[:, np.newaxis]
    rms = np.sqrt(np.average((flux - mean) ** 2, axis=1, weights=weight))[:, np.newaxis]
    return (flux - mean) / rms, kept
