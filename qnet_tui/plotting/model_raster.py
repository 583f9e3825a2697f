"""A model drawn over a spectrum: thin strokes that cannot be taken for the flux, with or without colour.

Flux is made of dots and fills what it covers; the model is one stroke per column, at one of a few heights within a
cell. Of the cells into which both fall the model takes one in three along rows and columns: neither hides the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qnet_tui.plotting.canvas import SPACE, BoolArray, Cells, Charset, Codes, Ink, Inks, glyphs
from qnet_tui.plotting.envelope import FloatArray, envelope
from qnet_tui.plotting.ranges import Window

# Of the cells that flux and model share, the model takes one in so many along a row or a column: a line of one
# column keeps most of its flux.
_SHARE = 3


@dataclass(frozen=True, eq=False)
class Model:
    """A model: ``flux`` (n,) at increasing ``wavelength`` (n,) Å, NaN where it says nothing."""

    wavelength: FloatArray
    flux: FloatArray


def free_cells(codes: Codes, inks: Inks, charset: Charset) -> BoolArray:
    """Return which cells hold nothing that a stroke would hide: blanks, noise and hatching, but no words."""
    hatch = ord(glyphs(charset).hatch)
    absent = inks == Ink.ABSENT
    return np.asarray(np.where(absent, codes == hatch, (codes == SPACE) | (inks == Ink.NOISE)), np.bool_)


def draw_model(
    cells: Cells,
    top: int,
    left: int,
    rows: int,
    columns: int,
    wavelength: FloatArray,
    model: FloatArray,
    window: Window,
    charset: Charset = "braille",
) -> None:
    """Draw ``model`` (n,) at increasing ``wavelength`` (n,) Å into ``rows`` x ``columns`` cells from (top, left).

    NaN is a gap. What lies outside the window is not drawn: an arrow says that flux is clipped, a model has none.
    """
    if rows < 1 or columns < 1:
        return
    strokes = np.array([ord(stroke) for stroke in glyphs(charset).model], np.uint32)
    shape = envelope(wavelength, model, window.x0, window.x1, columns)
    upper = _level(shape.high, window, rows * strokes.size)
    lower = _level(shape.low, window, rows * strokes.size)
    column = np.flatnonzero(np.isfinite(upper) & np.isfinite(lower))
    if column.size == 0:
        return
    high, low = upper[column].astype(np.intp), lower[column].astype(np.intp)
    first, last = high // strokes.size, low // strokes.size
    # A stroke that stays in one cell lies at the mean; a steep one runs from its upper to its lower end.
    middle = (high + low) // 2
    alone = first == last
    row = np.arange(rows)[:, None]
    inside = (row >= first) & (row <= last)
    stroke = np.full((rows, column.size), strokes.size // 2, np.intp)
    stroke = np.where(row == first, np.where(alone, middle, high) % strokes.size, stroke)
    stroke = np.where((row == last) & ~alone, low % strokes.size, stroke)
    codes = cells.codes[top : top + rows, left : left + columns]
    inks = cells.inks[top : top + rows, left : left + columns]
    free = free_cells(codes[:, column], inks[:, column], charset)
    drawn = inside & (free | ((row + column) % _SHARE == 0)) & (inks[:, column] != Ink.CLIPPED)
    at = np.nonzero(drawn)
    codes[at[0], column[at[1]]] = strokes[stroke[at]]
    inks[at[0], column[at[1]]] = Ink.MODEL


def _level(values: FloatArray, window: Window, levels: int) -> FloatArray:
    """Return the level of each value from the top, 0 to ``levels`` - 1; beyond when outside, NaN for no value."""
    height = np.clip(window.height(values), -1.0, 2.0)
    return np.where(height == 0.0, levels - 1.0, np.floor((1.0 - height) * levels))
