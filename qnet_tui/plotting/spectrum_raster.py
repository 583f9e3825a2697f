"""A spectrum drawn into terminal cells: flux, its noise, and what lies outside the window.

The picture depends only on the trace, the window and the size, so it is drawn once and kept; markers, which move
with every key, are laid over it in :mod:`qnet_tui.plotting.spectrum_frame`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qnet_tui.plotting.canvas import BoolArray, Cells, Charset, Ink, dots_per_cell, dots_to_codes, glyphs
from qnet_tui.plotting.envelope import Envelope, envelope
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.smoothing import Trace

FloatArray = NDArray[np.float64]


def draw_spectrum(
    trace: Trace, window: Window, rows: int, columns: int, charset: Charset = "braille", *, noise: bool = True
) -> Cells:
    """Draw ``trace`` in ``window`` on ``rows`` x ``columns`` cells.

    Flux is the min/max envelope of every dot column, joined between columns; noise is a dotted line that shows only
    where nothing else is; a column whose flux leaves the window carries a small arrow at that edge.
    """
    cells = Cells.blank(rows, columns)
    if rows < 1 or columns < 1:
        return cells
    high, wide = dots_per_cell(charset)
    flux = envelope(trace.wavelength, trace.flux, window.x0, window.x1, columns * wide)
    dots = _fill(flux, window, rows * high)
    cells.codes[:] = dots_to_codes(dots, charset)
    drawn: BoolArray = np.asarray(dots.reshape(rows, high, columns, wide).any(axis=(1, 3)), np.bool_)
    cells.inks[drawn] = Ink.FLUX
    if noise:
        _lay_noise(cells, trace, window, charset, ~drawn)
    _mark_clipped(cells, flux, window, charset, wide)
    return cells


def _fill(shape: Envelope, window: Window, dot_rows: int) -> BoolArray:
    """Return the dots (dot_rows, dot_columns) between the low and the high edge of each column."""
    top = _dot_row(shape.high, window, dot_rows)
    bottom = _dot_row(shape.low, window, dot_rows)
    row = np.arange(dot_rows, dtype=np.float64)[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray((row >= top) & (row <= bottom), np.bool_)


def _dot_row(flux: FloatArray, window: Window, dot_rows: int) -> FloatArray:
    """Return the dot row of each flux, counted from the top; NaN for no data, beyond the picture when clipped."""
    height = np.clip(window.height(flux), -1.0, 2.0)
    # A flux exactly at the upper edge belongs to the top row.
    row = np.floor((1.0 - height) * dot_rows)
    return np.where(height == 0.0, dot_rows - 1.0, row)


def _lay_noise(cells: Cells, trace: Trace, window: Window, charset: Charset, free: BoolArray) -> None:
    """Draw a dot in every other cell at the median height of the noise, where cells are free: never a line."""
    high, wide = dots_per_cell(charset)
    rows, columns = cells.rows, cells.columns
    shape = envelope(trace.wavelength, trace.noise, window.x0, window.x1, columns)
    level = _dot_row(0.5 * (shape.low + shape.high), window, rows * high)
    shown = np.flatnonzero(np.isfinite(level) & (level >= 0) & (level < rows * high))
    shown = shown[shown % 2 == 0]
    dots = np.zeros((rows * high, columns * wide), np.bool_)
    dots[level[shown].astype(np.intp), shown * wide] = True
    codes = dots_to_codes(dots, charset)
    here = free & dots.reshape(rows, high, columns, wide).any(axis=(1, 3))
    cells.codes[here] = codes[here]
    cells.inks[here] = Ink.NOISE


def _mark_clipped(cells: Cells, flux: Envelope, window: Window, charset: Charset, wide: int) -> None:
    """Put an arrow at the edge over which the flux of a column leaves the window."""
    # Half a dot outside is rounding, not clipping.
    slack = 0.5 / (cells.rows * dots_per_cell(charset)[0])
    with np.errstate(invalid="ignore"):
        above = (window.height(flux.high) > 1.0 + slack).reshape(cells.columns, wide).any(axis=1)
        below = (window.height(flux.low) < -slack).reshape(cells.columns, wide).any(axis=1)
    marks = glyphs(charset)
    cells.codes[0, above], cells.inks[0, above] = ord(marks.up), Ink.CLIPPED
    cells.codes[-1, below], cells.inks[-1, below] = ord(marks.down), Ink.CLIPPED
