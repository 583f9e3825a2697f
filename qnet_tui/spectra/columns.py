"""Columns of survey tables in one type each, whatever type the file has.

Tables in the field differ: integers of any width, floats where integers are meant, bytes or text,
big-endian or native. What cannot be what it should be becomes the "not known" value of its kind, never a
wrong number.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_integers(column: NDArray[Any], default: int) -> NDArray[np.int64]:
    """A column as int64 (n,); ``default`` for what is no integer (text, NaN, fractions, beyond int64).

    A cell that is an array counts as no integer.
    """
    out = np.full(len(column), default, dtype=np.int64)
    if column.ndim != 1 or column.dtype.kind not in "iuf":
        return out
    if column.dtype.kind == "i":
        good = np.ones(len(column), dtype=bool)
    elif column.dtype.kind == "u":
        good = column <= np.iinfo(np.int64).max
    else:
        # 2**63 itself is a float64 that int64 cannot hold.
        good = np.isfinite(column) & (np.abs(column) < 2.0**63)
        good[good] = np.trunc(column[good]) == column[good]
    out[good] = column[good].astype(np.int64)
    return out


def as_small_integers(column: NDArray[Any], default: int = -1) -> NDArray[np.int32]:
    """A column as int32 (n,); ``default`` for what int32 cannot hold."""
    wide = as_integers(column, default)
    small = np.iinfo(np.int32)
    return np.where((wide >= small.min) & (wide <= small.max), wide, default).astype(np.int32)


def as_floats(column: NDArray[Any]) -> NDArray[np.float64]:
    """A column as float64 (n,); NaN for what is no finite number."""
    if column.ndim != 1 or column.dtype.kind not in "iuf":
        return np.full(len(column), np.nan)
    values = column.astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def as_float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """float64 as float32; NaN for what float32 cannot hold."""
    with np.errstate(over="ignore"):
        small = values.astype(np.float32)
    small[~np.isfinite(small)] = np.nan
    return small


def as_texts(column: NDArray[Any]) -> NDArray[np.str_]:
    """A column as stripped text (n,), from bytes or text; "" for anything else."""
    if column.ndim == 1 and column.dtype.kind == "S":
        # A column of a petal has a handful of different texts, and each is worked on by Python.
        texts, which = np.unique(column, return_inverse=True)
        return np.char.strip(np.char.decode(texts, "latin-1"))[which]
    if column.ndim == 1 and column.dtype.kind == "U":
        return np.char.strip(column.astype(np.str_))
    return np.zeros(len(column), dtype="U1")
