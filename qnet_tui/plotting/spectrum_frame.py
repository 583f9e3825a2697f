"""A spectrum with its axes, and line markers laid over it.

:func:`framed` gives the part that stays while a redshift moves (flux, noise, axes); :func:`with_markers` lays the
part that moves over a copy. Row 0 is the upper lane of names; then come the lower lane, the flux, and the axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qnet_tui.plotting.axes import GUTTER, draw_flux_axis, draw_wavelength_axis
from qnet_tui.plotting.canvas import SPACE, Cells, Charset, Ink, glyphs
from qnet_tui.plotting.marker_layout import Marker, lay_out
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.smoothing import Trace
from qnet_tui.plotting.spectrum_raster import draw_spectrum

_INKS = {"emission": Ink.EMISSION, "absorption": Ink.ABSORPTION, "sky": Ink.SKY}

# In a high picture markers are dashed, every other row: they stand back, and moving one costs half the bytes.
_ROWS_FOR_DASHES = 12
# Rows with fewer than this leave the wavelength labels one row, right of their ticks.
_ROWS_FOR_TWO_AXIS_ROWS = 18


@dataclass(frozen=True)
class Layout:
    """Where the parts of a framed spectrum lie in ``rows`` x ``columns`` cells.

    ``gutter`` 0 leaves out the flux axis, ``lanes`` 0 the names of lines.
    """

    rows: int
    columns: int
    lanes: int = 2
    gutter: int = GUTTER

    @property
    def axis_rows(self) -> int:
        """One row of wavelength axis in a low picture, two in a high one."""
        return 2 if self.rows >= _ROWS_FOR_TWO_AXIS_ROWS else 1

    @property
    def plot_rows(self) -> int:
        """Rows of flux."""
        return max(self.rows - self.lanes - self.axis_rows, 1)

    @property
    def plot_columns(self) -> int:
        """Columns of flux."""
        return max(self.columns - self.gutter, 1)


def framed(
    trace: Trace,
    window: Window,
    layout: Layout,
    charset: Charset = "braille",
    *,
    noise: bool = True,
    rest_z: float | None = None,
    sky: Sequence[float] = (),
) -> Cells:
    """Draw flux, noise and axes; ``sky`` are observed wavelengths (Å) of night-sky lines, marked on the axis."""
    cells = Cells.blank(layout.rows, layout.columns)
    flux = draw_spectrum(trace, window, layout.plot_rows, layout.plot_columns, charset, noise=noise)
    cells.paste(flux, layout.lanes, layout.gutter)
    if layout.gutter:
        draw_flux_axis(cells, layout.lanes, layout.plot_rows, window, charset)
    axis = layout.lanes + layout.plot_rows
    draw_wavelength_axis(cells, axis, layout.axis_rows, layout.gutter, window, charset, rest_z)
    for wavelength in sky:
        column = window.column_of(wavelength, layout.plot_columns)
        at = (axis, layout.gutter + column)
        # A tick or its label says more than a sky line: it keeps its place.
        if column >= 0 and chr(cells.codes[at]) == glyphs(charset).horizontal:
            cells.put(*at, glyphs(charset).sky_axis, Ink.SKY)
    return cells


def with_markers(
    base: Cells,
    window: Window,
    layout: Layout,
    markers: Sequence[Marker],
    charset: Charset = "braille",
    *,
    cursor: float | None = None,
) -> Cells:
    """Lay markers, their names and the cursor (observed Å) over a copy of ``base``.

    A marker shows only in cells that hold no flux, so it never hides the spectrum; the most important one wins a
    cell. A column that two lines share shows one marker.
    """
    cells = base.copy()
    marks = glyphs(charset)
    strokes = {"emission": marks.marker, "absorption": marks.absorption, "sky": marks.sky}
    columns = [window.column_of(marker.wavelength, layout.plot_columns) for marker in markers]
    top, bottom = layout.lanes, layout.lanes + layout.plot_rows
    for index in sorted(range(len(markers)), key=lambda i: (markers[i].lit, -markers[i].rank)):
        marker, column = markers[index], columns[index]
        if column < 0:
            continue
        at = layout.gutter + column
        inks, codes = base.inks[top:bottom, at], base.codes[top:bottom, at]
        free = (codes == SPACE) | (inks == Ink.NOISE)
        if not marker.lit and layout.plot_rows >= _ROWS_FOR_DASHES:
            free &= np.arange(layout.plot_rows) % 2 == 0
        cells.codes[top:bottom, at][free] = ord(marks.lit if marker.lit else strokes[marker.kind])
        cells.inks[top:bottom, at][free] = Ink.LIT if marker.lit else _INKS[marker.kind]
    if layout.lanes:
        ranks = [-1 if marker.lit else marker.rank for marker in markers]
        names = [marker.name for marker in markers]
        for placed in lay_out(names, columns, ranks, layout.plot_columns, layout.lanes):
            ink = Ink.LIT if markers[placed.marker].lit else Ink.NAME
            cells.put(layout.lanes - 1 - placed.lane, layout.gutter + placed.start, placed.text, ink)
    column = window.column_of(cursor, layout.plot_columns) if cursor is not None else -1
    if column >= 0:
        cells.put(top, layout.gutter + column, marks.cursor_top, Ink.CURSOR)
        if chr(base.codes[bottom, layout.gutter + column]) in (marks.horizontal, marks.sky_axis):
            # Never over the digits of a tick.
            cells.put(bottom, layout.gutter + column, marks.cursor_axis, Ink.CURSOR)
    return cells
