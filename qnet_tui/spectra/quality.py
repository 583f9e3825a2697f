"""The record of how much of each spectrum there is: arms with data, masked share, signal to noise."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectra.arms import DESI_ARMS, Arm
from qnet_tui.spectra.row_medians import countable_length, row_medians

_ROWS_AT_ONCE = 64  # about 2 MB of ratios: they stay in the processor's cache

_SUBSETS = [[name for bit, name in enumerate(DESI_ARMS) if code >> bit & 1] for code in range(2 ** len(DESI_ARMS))]
_LETTERS = np.array(["".join(names) for names in _SUBSETS], dtype="U3")
_MISSING = np.array(["".join(n for n in DESI_ARMS if n not in names) for names in _SUBSETS], dtype="U3")


def note_arms(rows: NDArray[np.void], arms: Sequence[Arm]) -> None:
    """Fill ``arms`` and ``arms_missing`` of the rows: the arms with any ivar > 0, and those without."""
    _note_arms(rows, {arm.name: np.any(arm.ivar > 0, axis=1) for arm in arms})


def note_quality(rows: NDArray[np.void], arms: Sequence[Arm]) -> None:
    """Fill ``arms``, ``arms_missing``, ``frac_masked`` (share of native pixels with ivar 0) and ``snr`` of the rows.

    snr is the median of flux·√ivar over the native pixels with ivar > 0 of all arms, NaN without any.
    Overlapping pixels of two arms count twice.
    """
    n_pixels = sum(len(arm.wavelength) for arm in arms)
    ratio = np.empty((min(_ROWS_AT_ONCE, len(rows)), countable_length(n_pixels)), dtype=np.float32)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        block = rows[part]
        values = ratio[: len(block)]
        n_good = np.zeros(len(block), dtype=np.int64)
        has_data: dict[str, NDArray[np.bool_]] = {}
        at = 0
        for arm in arms:
            width = len(arm.wavelength)
            good = _ratio(values[:, at : at + width], arm.flux[part], arm.ivar[part])
            has_data[arm.name] = good > 0
            n_good += good
            at += width
        values[:, at:] = np.inf
        block["frac_masked"] = 1 - n_good / n_pixels
        block["snr"] = row_medians(values, n_good)
        _note_arms(block, has_data)


def _ratio(out: NDArray[np.float32], flux: NDArray[np.float32], ivar: NDArray[np.float32]) -> NDArray[np.int64]:
    """Put flux·√ivar of an arm in ``out``, +inf where ivar is 0; return how many pixels of each row have ivar > 0."""
    with np.errstate(over="ignore"):
        np.sqrt(ivar, out=out)
        out *= flux
    masked = np.flatnonzero(ivar == 0)
    row = masked // ivar.shape[1]
    out[row, masked - row * ivar.shape[1]] = np.inf
    good: NDArray[np.int64] = ivar.shape[1] - np.bincount(row, minlength=len(ivar))
    return good


def _note_arms(rows: NDArray[np.void], has_data: Mapping[str, NDArray[np.bool_]]) -> None:
    if "sdss" in has_data:
        rows["arms"], rows["arms_missing"] = np.where(has_data["sdss"], "s", ""), ""
        return
    code = np.zeros(len(rows), dtype=np.int64)
    for bit, name in enumerate(DESI_ARMS):
        if name in has_data:
            code |= has_data[name].astype(np.int64) << bit
    rows["arms"], rows["arms_missing"] = _LETTERS[code], _MISSING[code]
