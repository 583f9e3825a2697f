"""How far each sample of a spectrum can be trusted when a template is fitted to it.

The survey's ivar knows photon and read noise. A fit must also allow for what it does not know: sky that was badly
subtracted, cosmic rays, absorption between us and a quasar, and templates that are only roughly right.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectral_lines.rest_grid import LIGHT_KMS, FloatArray

# What our templates leave unexplained, as a share of the flux.
MODEL_ERROR = 0.04
_QUASAR_ERROR = 0.08
_FOREST_ERROR = 0.5
_FOREST_END = 1216.0
# Observed wavelengths (Å, vacuum) where every sample is doubtful: the brightest sky line and the oxygen bands.
_DOUBTFUL = ((5570.0, 5590.0, 0.3), (6865.0, 6945.0, 0.05), (7590.0, 7700.0, 0.1))
# One sample counts at most this many sigma before there is a model to compare it with.
_CAP = 15.0
# Where C IV absorption can be seen (rest Å), how long a run of it is a wind, and what winds then hide.
_TROUGH, _TROUGH_KMS = (1430.0, 1549.0), 2000.0
_FLANKS = ((1130.0, 1242.0), (1300.0, 1398.0), (1430.0, 1549.0))
# Not nothing, for at high redshift there is little else.
_FLANK_WEIGHT = 0.02
_LEVEL_SAMPLES, _LOCAL_SAMPLES = 60, 12


def trusted_weights(wave: FloatArray, flux: FloatArray, weight: FloatArray, z: float, quasar: bool) -> FloatArray:
    """Return the weights (n,) of samples for a fit near redshift ``z``; 0 where there are no data.

    The variance 1/weight grows by the errors of the templates (a share of the flux, more in the Lyman alpha forest of
    a ``quasar``), and by the square of the excess of the local scatter over the expected.
    """
    good = weight > 0
    if not good.any():
        return np.zeros_like(weight)
    variance = np.divide(1.0, weight, out=np.full_like(weight, np.inf), where=good)
    local = block_medians(flux, good, _LOCAL_SAMPLES)
    away = np.abs(flux - local)
    # 1.4826 makes a median of absolute deviations a sigma; a median of 12 takes 4 % of the scatter away.
    excess = block_medians(away / np.sqrt(np.where(good, variance, 1.0)), good, _LEVEL_SAMPLES) * 1.4826 * 1.04
    variance = variance * np.maximum(excess, 1.0) ** 2
    share = np.full_like(wave, _QUASAR_ERROR if quasar else MODEL_ERROR)
    for low, high, error in _DOUBTFUL:
        inside = slice(*np.searchsorted(wave, [low, high]))
        share[inside] = np.maximum(share[inside], error)
    if quasar:
        share[wave < _FOREST_END * (1.0 + z)] = _FOREST_ERROR
    level = light_level(flux, good)
    variance = variance + (share * level) ** 2
    capped = np.maximum(variance, (away / _CAP) ** 2)
    return np.where(good, 1.0 / capped, 0.0)


def less_outliers(flux: FloatArray, model: FloatArray, weight: FloatArray, quasar: bool) -> FloatArray:
    """Return the weights (n,) with those of samples that a model does not explain taken down.

    Single samples lose weight as in a Cauchy distribution. For a ``quasar``, runs of samples below the model are
    absorption (broad troughs, strong absorbers) and lose it all.
    """
    good = weight > 0
    pull = (flux - model) * np.sqrt(weight)
    scatter = max(1.0, 1.4826 * float(np.median(np.abs(pull[good])))) if good.any() else 1.0
    robust = weight / (1.0 + (pull / (3.0 * scatter)) ** 2)
    if not quasar:
        return np.asarray(robust, np.float64)
    kernel = np.ones(7)
    total = np.convolve(weight * (flux - model), kernel, "same")
    norm = np.convolve(weight, kernel, "same")
    mean = np.divide(total, np.sqrt(norm), out=np.zeros_like(total), where=norm > 0)
    spread = max(1.0, 1.4826 * float(np.median(np.abs(mean[good])))) if good.any() else 1.0
    absorbed = np.convolve(mean < -3.5 * spread, np.ones(5), "same") > 0
    # Never more than a third: a spectrum below its model everywhere is a wrong model.
    if np.count_nonzero(absorbed & good) > np.count_nonzero(good) / 3:
        return np.asarray(robust, np.float64)
    return np.where(absorbed, 0.0, robust)


def outside_winds(wave: FloatArray, kept: FloatArray, weight: FloatArray, z: float) -> FloatArray:
    """Return a factor (n,) for the weights of a quasar at ``z``: little where its wind may reach, 1 elsewhere.

    A wind shows itself in a trough of C IV at least 2000 km/s wide (as for the balnicity index), where
    :func:`less_outliers` has ``kept`` nothing of the ``weight``; without one all samples are 1. With one, the flanks of
    Lyman alpha, N V, Si IV and C IV count for little: where a trough begins inside a line cannot be seen.
    """
    rest = wave / (1.0 + z)
    gone = (weight > 0) & (kept == 0) & (rest > _TROUGH[0]) & (rest < _TROUGH[1])
    width = np.log(rest[-1] / rest[0]) / max(rest.size - 1, 1) * LIGHT_KMS
    ends = np.flatnonzero(np.diff(np.concatenate([[0], gone.astype(np.int8), [0]])))
    longest = float((ends[1::2] - ends[::2]).max(initial=0)) * width
    usable = np.ones_like(wave)
    if longest > _TROUGH_KMS:
        for low, high in _FLANKS:
            usable[(rest > low) & (rest < high)] = _FLANK_WEIGHT
    return usable


def light_level(flux: FloatArray, good: NDArray[np.bool_]) -> FloatArray:
    """Return how bright a spectrum is around each sample, (n,), of which errors of templates are a share.

    In a deep trough that is the light beside it, or the few photons at its bottom would outweigh everything else.
    """
    near, wide = (np.abs(block_medians(flux, good, width)) for width in (_LEVEL_SAMPLES, 10 * _LEVEL_SAMPLES))
    return np.asarray(np.maximum(near, wide), np.float64)


def block_medians(values: FloatArray, good: NDArray[np.bool_], width: int) -> FloatArray:
    """Return a smooth run of the good values (n,): medians of blocks of ``width`` samples, joined by lines."""
    n_blocks = -(-values.size // width)
    padded = np.full(n_blocks * width, np.nan)
    padded[: values.size] = np.where(good, values, np.nan)
    blocks = padded.reshape(n_blocks, width)
    some = np.flatnonzero(np.isfinite(blocks).any(axis=1))
    if some.size == 0:
        return np.zeros(values.size)
    medians = np.nanmedian(blocks[some], axis=1)
    return np.asarray(np.interp(np.arange(values.size), (some + 0.5) * width - 0.5, medians), np.float64)
