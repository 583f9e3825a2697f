"""Painting lines: Gaussians of any width added to many spectra at once, each only where it is not negligible."""

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.native_grid import N_PIXELS, RESOLUTION_SIGMA, SPEED_OF_LIGHT, STEP, WAVE, pixel_of

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
_REACH = 4.5
_SMALLEST_WINDOW = 8


def observed_sigma(centre: NDArray[np.float64], sigma_kms: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Width in Å of a line at ``centre`` (observed Å) with a velocity width in km/s, as the spectrograph sees it."""
    intrinsic = centre * np.asarray(sigma_kms, dtype=np.float64) / SPEED_OF_LIGHT
    return np.hypot(intrinsic, RESOLUTION_SIGMA)


def gaussians(
    n_rows: int,
    row: NDArray[np.int64],
    centre: NDArray[np.float64],
    sigma: NDArray[np.float64],
    area: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Sum of Gaussian lines on the native grid, float32 (n_rows, 7781).

    ``row``, ``centre`` (Å), ``sigma`` (Å) and ``area`` (flux density times Å) have one entry per line and are
    of equal length. Lines are cut at 4.5 sigma; what falls outside the grid is lost. The sum of a line over
    the pixels times 0.8 Å is its area. Lines are worked through in groups of like width, so that a narrow
    line costs a few pixels and a broad one a few hundred.
    """
    image = np.zeros((n_rows, N_PIXELS), dtype=np.float32)
    if len(row) == 0:
        return image
    flat = image.reshape(-1)
    half = np.maximum(np.ceil(_REACH * sigma / STEP), 1.0)
    middle = pixel_of(centre)
    seen = (middle + half >= 0) & (middle - half < N_PIXELS) & (area != 0)
    group = np.maximum(np.ceil(np.log2(half)).astype(np.int64), int(np.log2(_SMALLEST_WINDOW)))
    for size in np.unique(group[seen]):
        chosen = np.flatnonzero(seen & (group == size))
        reach = 1 << int(size)
        pixel = middle[chosen, None] + np.arange(-reach, reach + 1)
        inside = (pixel >= 0) & (pixel < N_PIXELS)
        clipped = np.clip(pixel, 0, N_PIXELS - 1)
        distance = ((WAVE[clipped] - centre[chosen, None]) / sigma[chosen, None]).astype(np.float32)
        height = (area[chosen] / (sigma[chosen] * np.sqrt(2.0 * np.pi))).astype(np.float32)
        value = np.where(inside, height[:, None] * np.exp(-0.5 * distance * distance), np.float32(0.0))
        where = row[chosen, None] * N_PIXELS + clipped
        flat += np.bincount(where.ravel(), weights=value.ravel(), minlength=flat.size).astype(np.float32)
    return image
