"""What a spectrum of thousands of pixels does inside each of the few hundred columns of a terminal.

Every column keeps the least and the greatest value of its pixels, so that a line of one pixel stands out at any
width of the window: averaging or picking would lose it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# The sum of two values below this is finite.
_HUGE = 1e300


@dataclass(frozen=True)
class Envelope:
    """Least and greatest value per column, float64 (columns,), NaN where the column has no data."""

    low: FloatArray
    high: FloatArray


def envelope(wavelength: FloatArray, values: FloatArray, x0: float, x1: float, columns: int) -> Envelope:
    """Cut ``values`` (n,) at increasing ``wavelength`` (n,) into ``columns`` equal stretches of [x0, x1).

    Columns that hold no pixel (a window narrower than the pixels) take the straight line between two pixels that
    follow each other; neighbouring columns are extended to meet halfway, so that the drawn curve hangs together.
    Values that are not finite, or whose sums are not, are gaps: a column that holds nothing else is NaN and nothing is
    drawn across it.
    """
    low = np.full(columns, np.nan)
    high, first, last = low.copy(), low.copy(), low.copy()
    if columns <= 0 or not x1 > x0 or wavelength.size == 0:
        return Envelope(low, high)
    width = (x1 - x0) / columns
    values = np.where(np.abs(values) < _HUGE, values, np.nan)
    _bin(wavelength, values, x0, width, columns, (low, high, first, last))
    _fill_between_pixels(wavelength, values, x0, width, (low, high, first, last))
    meet = 0.5 * (last[:-1] + first[1:])
    low[:-1], high[:-1] = np.fmin(low[:-1], meet), np.fmax(high[:-1], meet)
    low[1:], high[1:] = np.fmin(low[1:], meet), np.fmax(high[1:], meet)
    # fmin and fmax ignore NaN, and a meeting point is NaN beside a gap: an empty column stays empty.
    return Envelope(low, high)


def _bin(
    wavelength: FloatArray,
    values: FloatArray,
    x0: float,
    width: float,
    columns: int,
    into: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> None:
    """Fill (low, high, first, last) of the columns that hold at least one finite pixel."""
    start, stop = np.searchsorted(wavelength, (x0, x0 + columns * width))
    inside = values[start:stop]
    finite = np.isfinite(inside)
    inside = inside[finite]
    if inside.size == 0:
        return
    column = np.minimum(((wavelength[start:stop][finite] - x0) / width).astype(np.intp), columns - 1)
    begins = np.concatenate([[0], np.flatnonzero(np.diff(column)) + 1])
    ends = np.concatenate([begins[1:], [column.size]]) - 1
    filled = column[begins]
    low, high, first, last = into
    low[filled] = np.minimum.reduceat(inside, begins)
    high[filled] = np.maximum.reduceat(inside, begins)
    first[filled], last[filled] = inside[begins], inside[ends]


def _fill_between_pixels(
    wavelength: FloatArray,
    values: FloatArray,
    x0: float,
    width: float,
    into: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> None:
    """Give columns without a pixel the line between their two neighbouring pixels, when these are no gap."""
    if wavelength.size < 2:
        return
    low = into[0]
    empty = np.flatnonzero(np.isnan(low))
    centres = x0 + (empty + 0.5) * width
    right = np.searchsorted(wavelength, centres)
    inside = (right > 0) & (right < wavelength.size)
    empty, centres, right = empty[inside], centres[inside], right[inside]
    step = wavelength[right] - wavelength[right - 1]
    # Two pixels follow each other when no pixel is missing between them; spacing grows with wavelength on a
    # logarithmic grid, so the usual step is taken from the neighbourhood of the spectrum as a whole.
    usual = float(np.median(np.diff(wavelength)))
    share = (centres - wavelength[right - 1]) / np.where(step > 0, step, 1.0)
    before, after = values[right - 1], values[right]
    between = before * (1 - share) + after * share
    # Rounding may not take the line beyond its ends.
    between = np.clip(between, np.minimum(before, after), np.maximum(before, after))
    between = np.where(step <= 3.0 * usual, between, np.nan)
    for column_values in into:
        column_values[empty] = between
