"""A spectrum with its axes, and line markers laid over it.

:func:`framed` gives the part that stays while a redshift moves (flux, noise, axes); :func:`with_markers` lays the
part that moves over a copy. Row 0 is the upper lane of names; then come the lower lane, the flux, and the axis.
"""

from __future__ import annotations

from collections.abc import Sequence

from qnet_tui.plotting.absence import draw_absence, mark_overlaps
from qnet_tui.plotting.arm_raster import ArmTrace, draw_arms
from qnet_tui.plotting.axes import draw_flux_axis, draw_wavelength_axis
from qnet_tui.plotting.canvas import CHARSETS, Cells, Charset, Ink, glyphs
from qnet_tui.plotting.frame_layout import Layout
from qnet_tui.plotting.marker_layout import Marker, lay_out
from qnet_tui.plotting.marker_raster import draw_markers
from qnet_tui.plotting.model_raster import Model, draw_model
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.smoothing import Trace
from qnet_tui.plotting.spectrum_data import Stretch
from qnet_tui.plotting.spectrum_raster import draw_spectrum

_UNDER_CURSOR = {
    charset: (marks.horizontal, marks.sky_axis, marks.no_data_axis, marks.overlap_axis)
    for charset, marks in ((charset, glyphs(charset)) for charset in CHARSETS)
}


def framed(
    trace: Trace,
    window: Window,
    layout: Layout,
    charset: Charset = "braille",
    *,
    noise: bool = True,
    rest_z: float | None = None,
    sky: Sequence[float] = (),
    absent: Sequence[Stretch] = (),
    overlaps: Sequence[tuple[float, float]] = (),
    arms: Sequence[ArmTrace] = (),
) -> Cells:
    """Draw flux, noise and axes, and what is to be known about the data.

    ``sky`` are observed wavelengths (Å) of night-sky lines, marked on the axis; ``absent`` the stretches without
    data, hatched and named; ``overlaps`` (low, high) Å what two arms share, marked on the axis. With ``arms`` these
    are drawn apart over the flux.
    """
    cells = Cells.blank(layout.rows, layout.columns)
    rows, columns = layout.plot_rows, layout.plot_columns
    cells.paste(draw_spectrum(trace, window, rows, columns, charset, noise=noise), layout.lanes, layout.gutter)
    if layout.gutter:
        draw_flux_axis(cells, layout.lanes, rows, window, charset)
    axis = layout.lanes + rows
    draw_wavelength_axis(cells, axis, layout.axis_rows, layout.gutter, window, charset, rest_z)
    for wavelength in sky:
        column = window.column_of(wavelength, columns)
        at = (axis, layout.gutter + column)
        # A tick or its label says more than a sky line: it keeps its place.
        if column >= 0 and chr(cells.codes[at]) == glyphs(charset).horizontal:
            cells.put(*at, glyphs(charset).sky_axis, Ink.SKY)
    if arms:
        draw_arms(cells, layout.lanes, layout.gutter, rows, columns, arms, overlaps, window, charset)
    mark_overlaps(cells, axis, layout.gutter, columns, overlaps, window, charset)
    draw_absence(cells, layout.lanes, layout.gutter, rows, columns, absent, window, charset)
    return cells


def with_markers(
    base: Cells,
    window: Window,
    layout: Layout,
    markers: Sequence[Marker],
    charset: Charset = "braille",
    *,
    cursor: float | None = None,
    model: Model | None = None,
) -> Cells:
    """Lay the model, markers, their names and the cursor (observed Å) over a copy of ``base``.

    A marker shows only in cells that hold neither flux nor model, so it never hides the spectrum; the most important
    one wins a cell. A column that two lines share shows one marker.
    """
    cells = base.copy()
    marks = glyphs(charset)
    top, bottom = layout.lanes, layout.lanes + layout.plot_rows
    if model is not None:
        size = (layout.plot_rows, layout.plot_columns)
        draw_model(cells, top, layout.gutter, *size, model.wavelength, model.flux, window, charset)
    draw_markers(cells, window, layout, markers, charset)
    if layout.lanes:
        columns = [window.column_of(marker.wavelength, layout.plot_columns) for marker in markers]
        ranks = [-1 if marker.lit else marker.rank for marker in markers]
        names = [marker.name for marker in markers]
        for placed in lay_out(names, columns, ranks, layout.plot_columns, layout.lanes):
            marker = markers[placed.marker]
            ink = Ink.LIT if marker.lit else Ink.NAME if marker.style == "line" else Ink.TICK
            cells.put(layout.lanes - 1 - placed.lane, layout.gutter + placed.start, placed.text, ink)
    column = window.column_of(cursor, layout.plot_columns) if cursor is not None else -1
    if column >= 0:
        cells.put(top, layout.gutter + column, marks.cursor_top, Ink.CURSOR)
        if chr(base.codes[bottom, layout.gutter + column]) in _UNDER_CURSOR[charset]:
            # Never over the digits of a tick.
            cells.put(bottom, layout.gutter + column, marks.cursor_axis, Ink.CURSOR)
    return cells
