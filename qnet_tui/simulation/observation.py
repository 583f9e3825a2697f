"""From noiseless spectra to what three DESI cameras record: flux, inverse variance and mask of every arm.

Noise is Gaussian with the variance that the inverse variance states; on top of it come, unstated as in real
files, the remains of the sky subtraction and unflagged cosmic-ray hits. Masked pixels have ivar 0 and a mask
bit (specmask of desispec).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.airglow import (
    BANDS,
    photon_variance,
    residual_templates,
    sky_level,
    sky_variance,
)
from qnet_tui.simulation.native_grid import CAMERAS, WAVE, Camera

COSMIC = 1 << 2
BAD_SKY = 1 << 6
NO_DATA = 1 << 8
BAD_COLUMN = 1 << 10
"""Bits of specmask (algorithm.md 8)."""

_COSMICS_PER_ARM_AND_EXPOSURE = 0.35
_BLUE_CCD_FEATURE = (4378.0, 22.0)
# Share of mantissa bits kept: a flux is rounded to 1/8192 of itself and an ivar to 1/1024, far below the noise,
# so that compressed files are half as large.
_FLUX_BITS = 12
_IVAR_BITS = 9


@dataclass(frozen=True)
class Conditions:
    """How a tile was observed: effective time per exposure in units of 1,000 s, and how bright the airglow was."""

    depth: float
    airglow: float
    n_exposures: int


@dataclass(frozen=True)
class ArmData:
    """One arm of one exposure or coadd: flux and ivar float32, mask int32, each (rows, pixels of the arm)."""

    camera: Camera
    flux: NDArray[np.float32]
    ivar: NDArray[np.float32]
    mask: NDArray[np.int32]


def draw_conditions(rng: np.random.Generator, exposures: int) -> Conditions:
    """Conditions of one tile: 0.6 to 1.6 of the nominal depth in all, shared by its exposures."""
    n_exposures = exposures if exposures > 0 else int(rng.integers(1, 5))
    total = float(np.clip(np.exp(rng.normal(0.0, 0.2)), 0.6, 1.6))
    return Conditions(depth=total / n_exposures, airglow=float(np.exp(rng.normal(0.0, 0.25))), n_exposures=n_exposures)


def expected_variance(
    flux: NDArray[np.float32], camera: Camera, depth: NDArray[np.float64], airglow: float
) -> NDArray[np.float32]:
    """Variance of every pixel of one arm, (rows, pixels): sky, its lines and the object's own photons.

    ``flux`` is noiseless on the native grid, ``depth`` the effective time per row in units of 1,000 s.
    """
    base = sky_variance(camera)
    quiet = photon_variance(camera) * sky_level()[camera.pixels]
    sky = quiet + (base - quiet) * airglow
    source = np.maximum(flux[:, camera.pixels], 0.0) * photon_variance(camera).astype(np.float32)
    total: NDArray[np.float32] = (sky.astype(np.float32) + source) / depth[:, None].astype(np.float32)
    return total


def sky_remains(rng: np.random.Generator, n_rows: int, airglow: float) -> NDArray[np.float32]:
    """What the sky subtraction leaves in ``n_rows`` fibres, 1e-17 erg/s/cm2/Å, float32 (n_rows, 7781).

    Per band of lines a wrong level (about 0.5 %) and a wrong shift (about 0.01 Å), both with heavy tails
    (Student's t of 3 degrees); a wrong continuum level, bluer than red; a bump of a detector at 4378 Å.
    """
    n_bands = len(BANDS)
    level = 0.005 * rng.standard_t(3, (n_rows, n_bands))
    shift = 0.008 * rng.standard_t(3, (n_rows, n_bands))
    remains = np.hstack([level, shift]) * airglow @ residual_templates()
    tilt = (WAVE[None, :] - 6000.0) / 4000.0
    offset = rng.normal(0.0, 0.008, (n_rows, 1)) * (1.0 - np.clip(tilt, -0.6, 1.0))
    remains += offset * sky_level()[None, :]
    centre, width = _BLUE_CCD_FEATURE
    bump = np.where(rng.random(n_rows) < 0.1, rng.normal(0.0, 0.12, n_rows), rng.normal(0.0, 0.015, n_rows))
    remains += bump[:, None] * np.exp(-0.5 * ((WAVE - centre) / width) ** 2)[None, :]
    rounded: NDArray[np.float32] = remains.astype(np.float32)
    return rounded


def expose(
    rng: np.random.Generator,
    flux: NDArray[np.float32],
    depth: NDArray[np.float64],
    conditions: Conditions,
    lost: NDArray[np.int64],
    stretch: NDArray[np.bool_],
) -> list[ArmData]:
    """One exposure (or a coadd taken as one) of noiseless spectra ``flux`` (rows, 7781).

    ``depth`` is the effective time per row in units of 1,000 s; ``lost`` the index of the row's dead camera or
    -1; ``stretch`` tells which rows have a long masked run. Flux is in 1e-17 erg/s/cm2/Å.
    """
    n_rows = len(flux)
    seen = flux + sky_remains(rng, n_rows, conditions.airglow)
    arms = []
    for number, camera in enumerate(CAMERAS):
        variance = expected_variance(flux, camera, depth, conditions.airglow)
        noise = rng.standard_normal(variance.shape, dtype=np.float32)
        observed = seen[:, camera.pixels] + noise * np.sqrt(variance)
        mask = np.zeros(variance.shape, dtype=np.int32)
        _hit_with_cosmics(rng, observed, variance, mask)
        _mask_stretches(rng, mask, stretch)
        dead = lost == number
        mask[dead] |= NO_DATA
        ivar = np.where(mask == 0, 1.0 / variance, np.float32(0.0)).astype(np.float32)
        observed[dead] = 0.0
        arms.append(ArmData(camera, kept_bits(observed, _FLUX_BITS), kept_bits(ivar, _IVAR_BITS), mask))
    return arms


def _hit_with_cosmics(
    rng: np.random.Generator,
    observed: NDArray[np.float32],
    variance: NDArray[np.float32],
    mask: NDArray[np.int32],
) -> None:
    """Add cosmic-ray hits in place: nine of ten are flagged, the rest stay in the data with a stated error."""
    n_rows, n_pixels = observed.shape
    n_hits = rng.poisson(_COSMICS_PER_ARM_AND_EXPOSURE * n_rows)
    row = rng.integers(0, n_rows, n_hits)
    first = rng.integers(0, n_pixels, n_hits)
    length = rng.integers(2, 7, n_hits)
    height = rng.exponential(25.0, n_hits)
    flagged = rng.random(n_hits) < 0.9
    for i in range(n_hits):
        run = slice(int(first[i]), int(first[i] + length[i]))
        if flagged[i]:
            observed[row[i], run] += np.float32(height[i]) * np.sqrt(variance[row[i], run])
            mask[row[i], run] |= COSMIC
        else:
            observed[row[i], run] += np.float32(0.2 * height[i]) * np.sqrt(variance[row[i], run])


def _mask_stretches(rng: np.random.Generator, mask: NDArray[np.int32], stretch: NDArray[np.bool_]) -> None:
    """Flag a run of 20 to 300 pixels in the rows named, in about one arm of two."""
    for row in np.flatnonzero(stretch):
        first, length = int(rng.integers(0, mask.shape[1])), int(rng.integers(20, 300))
        bit = int(rng.choice((BAD_COLUMN, BAD_SKY)))
        if rng.random() < 0.5:
            mask[row, first : first + length] |= bit


def coadd(exposures: list[list[ArmData]]) -> list[ArmData]:
    """Inverse-variance mean of exposures, arm by arm; a pixel is masked when no exposure has it (AND of masks)."""
    merged = []
    for arms in zip(*exposures, strict=True):
        weight: NDArray[np.float32] = np.sum(np.stack([a.ivar for a in arms]), axis=0)
        total: NDArray[np.float32] = np.sum(np.stack([a.ivar * a.flux for a in arms]), axis=0)
        flux = np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), 0.0).astype(np.float32)
        mask = np.bitwise_and.reduce([a.mask for a in arms])
        mask = np.where((weight == 0) & (mask == 0), NO_DATA, mask).astype(np.int32)
        mask = np.where(weight > 0, 0, mask).astype(np.int32)
        merged.append(ArmData(arms[0].camera, kept_bits(flux, _FLUX_BITS), kept_bits(weight, _IVAR_BITS), mask))
    return merged


def kept_bits(values: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Round float32 values to ``bits`` bits of mantissa (to nearest, zeros stay), so that they compress."""
    drop = 23 - bits
    raw = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    half = np.uint32(1 << (drop - 1))
    rounded = (raw + half) & ~np.uint32((1 << drop) - 1)
    return rounded.view(np.float32)


def median_snr(arms: list[ArmData]) -> NDArray[np.float64]:
    """Median of flux x sqrt(ivar) over the pixels with ivar > 0, per row; 0 where a row has none."""
    n_rows = len(arms[0].flux)
    signal = np.hstack([a.flux * np.sqrt(a.ivar) for a in arms])
    good = np.hstack([a.ivar > 0 for a in arms])
    result = np.zeros(n_rows)
    for row in range(n_rows):
        if good[row].any():
            result[row] = np.median(signal[row, good[row]])
    return result


def scale_to_snr(
    shape: NDArray[np.float32], target: NDArray[np.float64], depth: NDArray[np.float64], airglow: float
) -> NDArray[np.float32]:
    """Scale noiseless ``shape`` (rows, 7781) so that the median S/N per pixel becomes ``target``.

    The median is over every eleventh pixel of the three arms. The object's photons add to the noise, so the
    scale is found by 24 bisections of its logarithm.
    """
    picked = [(c, np.arange(c.start, c.stop, 11)) for c in CAMERAS]
    model = np.hstack([shape[:, index] for _, index in picked]).astype(np.float64)
    gain = np.hstack([photon_variance(c)[::11] for c, _ in picked]) / depth[:, None]
    quiet = np.hstack([(photon_variance(c) * sky_level()[c.pixels])[::11] for c, _ in picked])
    lines = np.hstack([sky_variance(c)[::11] for c, _ in picked]) - quiet
    sky = (quiet + lines * airglow) / depth[:, None]
    low, high = np.full(len(shape), -12.0), np.full(len(shape), 14.0)
    for _ in range(24):
        middle = 0.5 * (low + high)
        flux = np.exp(middle)[:, None] * model
        snr = np.median(flux / np.sqrt(sky + np.maximum(flux, 0.0) * gain), axis=1)
        low, high = np.where(snr < target, middle, low), np.where(snr < target, high, middle)
    scaled: NDArray[np.float32] = shape * np.exp(0.5 * (low + high))[:, None].astype(np.float32)
    return scaled
