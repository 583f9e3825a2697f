"""The record of how much of each spectrum there is: arms with data, masked share, signal to noise."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectra.arms import DESI_ARMS, Arm

_ROWS_AT_ONCE = 8  # a block of native spectra then stays in the processor's cache


def note_arms(rows: NDArray[np.void], arms: Sequence[Arm]) -> None:
    """Fill ``arms`` and ``arms_missing`` of the rows: the arms with any ivar > 0, and those without."""
    has_data: dict[str, NDArray[np.bool_]] = {arm.name: np.any(arm.ivar > 0, axis=1) for arm in arms}
    letters: NDArray[Any] = np.zeros(len(rows), dtype="U3")
    missing: NDArray[Any] = np.zeros(len(rows), dtype="U3")
    if "sdss" in has_data:
        letters[has_data["sdss"]] = "s"
    else:
        for name in DESI_ARMS:
            present = has_data.get(name, np.zeros(len(rows), dtype=bool))
            letters = np.char.add(letters, np.where(present, name, ""))
            missing = np.char.add(missing, np.where(present, "", name))
    rows["arms"], rows["arms_missing"] = letters, missing


def note_quality(rows: NDArray[np.void], arms: Sequence[Arm]) -> None:
    """Fill ``frac_masked`` (share of native pixels with ivar 0) and ``snr`` of the rows.

    snr is the median of flux·√ivar over the native pixels with ivar > 0 of all arms, NaN without any.
    Overlapping pixels of two arms count twice.
    """
    n_pixels = sum(len(arm.wavelength) for arm in arms)
    ratio = np.empty((_ROWS_AT_ONCE, n_pixels), dtype=np.float32)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[first : first + _ROWS_AT_ONCE]
        values, n_good = ratio[: len(block)], np.zeros(len(block), dtype=np.int64)
        at = 0
        for arm in arms:
            ivar = arm.ivar[first : first + len(block)]
            part = values[:, at : at + ivar.shape[1]]
            with np.errstate(over="ignore"):
                np.sqrt(ivar, out=part)
                part *= arm.flux[first : first + len(block)]
            good = ivar > 0
            np.putmask(part, ~good, np.inf)  # behind every measured pixel in the order
            n_good += np.count_nonzero(good, axis=1)
            at += ivar.shape[1]
        block["frac_masked"] = 1 - n_good / n_pixels
        block["snr"] = _medians_of_first(values, n_good)


def _medians_of_first(values: NDArray[np.float32], counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Median of the ``counts[i]`` smallest values of each row; NaN for none. Reorders ``values``."""
    lower, upper = np.maximum(counts - 1, 0) // 2, np.minimum(counts // 2, values.shape[1] - 1)
    values.partition(np.unique(np.concatenate([lower, upper])), axis=1)
    row = np.arange(len(values))
    with np.errstate(over="ignore", invalid="ignore"):
        medians = values[row, lower] / 2 + values[row, upper] / 2
    return np.where((counts > 0) & np.isfinite(medians), medians, np.float32(np.nan))
