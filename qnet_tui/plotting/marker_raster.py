"""Line markers in the cells of a plot: strokes through its height, bands, and the ticks of other redshifts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qnet_tui.plotting.canvas import BoolArray, Cells, Charset, Glyphs, Ink, glyphs
from qnet_tui.plotting.frame_layout import Layout
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.model_raster import free_cells
from qnet_tui.plotting.ranges import Window

_INKS = {"emission": Ink.EMISSION, "absorption": Ink.ABSORPTION, "sky": Ink.SKY}

# In a high picture markers are dashed, with a stroke in every second to fifth row: they stand back, and moving one
# costs fewer bytes. (rows of the plot from which on, rows per stroke), for the lit marker and for the others.
_LIT_DASHES = ((18, 2),)
_DASHES = ((10, 2), (18, 3), (28, 5))
# A galaxy at low redshift has two dozen lines in view: those after the most important ones have fewer strokes.
_IMPORTANT, _FEWER = 6, 2
# A band this many columns wide is drawn as one; a narrower one is a stroke at its centre.
_COLUMNS_FOR_A_BAND = 3
# A tick that would stand on flux looks for room in this many rows below its own.
_TICK_REACH = 3


def draw_markers(cells: Cells, window: Window, layout: Layout, markers: Sequence[Marker], charset: Charset) -> None:
    """Draw ``markers`` into the plot of ``cells``: only where neither flux nor model stands, the lit one last."""
    marks = glyphs(charset)
    top, bottom = layout.lanes, layout.lanes + layout.plot_rows
    plot = (slice(top, bottom), slice(layout.gutter, layout.gutter + layout.plot_columns))
    free = free_cells(cells.codes[plot], cells.inks[plot], charset)
    strokes = [marker for marker in markers if marker.style == "line"]
    by_importance = sorted(strokes, key=lambda each: (not each.lit, each.rank))
    # The most important are drawn last, so that they win a column.
    for place, marker in reversed(list(enumerate(by_importance))):
        for column in _columns(marker, window, layout.plot_columns):
            shown = free[:, column] & _dashes(layout.plot_rows, marker.lit, important=place < _IMPORTANT)
            cells.codes[top:bottom, layout.gutter + column][shown] = ord(_stroke(marker, marks))
            cells.inks[top:bottom, layout.gutter + column][shown] = Ink.LIT if marker.lit else _INKS[marker.kind]
    for marker in strokes:
        _draw_bar(cells, window, layout, marker, marks)
    for marker in markers:
        if marker.style != "line":
            _draw_tick(cells, window, layout, marker, free)


def _dashes(rows: int, lit: bool, *, important: bool) -> BoolArray:
    """Return which of ``rows`` rows carry a stroke."""
    every = max([each for least, each in (_LIT_DASHES if lit else _DASHES) if rows >= least], default=1)
    every *= _FEWER if every > 1 and not important else 1
    return np.asarray(np.arange(rows) % every == 0, np.bool_)


def _stroke(marker: Marker, marks: Glyphs) -> str:
    return (
        marks.lit
        if marker.lit
        else {"emission": marks.marker, "absorption": marks.absorption}.get(marker.kind, marks.sky)
    )


def _edges(marker: Marker, window: Window, columns: int) -> tuple[int, int] | None:
    """Return the first and last column of a band that is wide enough to be one; they may lie outside the plot."""
    if marker.extent is None:
        return None
    width = (window.x1 - window.x0) / columns
    first, last = (int(np.floor((edge - window.x0) / width)) for edge in marker.extent)
    return (first, last) if last - first >= _COLUMNS_FOR_A_BAND - 1 and last >= 0 and first < columns else None


def _columns(marker: Marker, window: Window, columns: int) -> list[int]:
    """Return the columns with a stroke: one for a line, two for the edges of a wide band."""
    edges = _edges(marker, window, columns) or (window.column_of(marker.wavelength, columns),)
    return [column for column in edges if 0 <= column < columns]


def _draw_bar(cells: Cells, window: Window, layout: Layout, marker: Marker, marks: Glyphs) -> None:
    """Draw the bar over a wide band, in the top row of the plot."""
    edges = _edges(marker, window, layout.plot_columns)
    if edges is None:
        return
    first, last = edges
    bar = marks.band[0] + marks.band[1] * (last - first - 1) + marks.band[2]
    for column in range(max(first, 0), min(last, layout.plot_columns - 1) + 1):
        at = (layout.lanes, layout.gutter + column)
        if cells.inks[at] not in (Ink.FLUX, Ink.CLIPPED):
            cells.put(*at, bar[column - first], _INKS[marker.kind])


def _draw_tick(cells: Cells, window: Window, layout: Layout, marker: Marker, free: BoolArray) -> None:
    """Write the sign of a tick into the first cell of its column, from its row downwards, that hides nothing."""
    column = window.column_of(marker.wavelength, layout.plot_columns)
    if column < 0 or not marker.sign:
        return
    # The top row is the cursor's, which often stands on the very line, and that of bars over bands.
    begin = 2 if marker.style == "low tick" else 1
    for row in range(begin, min(begin + _TICK_REACH, layout.plot_rows)):
        if free[row, column] and cells.inks[layout.lanes + row, layout.gutter + column] != Ink.TICK:
            cells.put(layout.lanes + row, layout.gutter + column, marker.sign[0], Ink.TICK)
            return
