"""The axes about a spectrum: flux up the left side, wavelength (observed or rest frame) along the bottom."""

from __future__ import annotations

import math

import numpy as np

from qnet_tui.plotting.canvas import Cells, Charset, Ink, glyphs
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.ticks import round_step, tick_label, ticks

# Five characters of a flux and the axis itself.
GUTTER = 6

_ROWS_PER_FLUX_TICK = 3
_COLUMNS_PER_WAVELENGTH_TICK = 10


def draw_flux_axis(cells: Cells, top: int, rows: int, window: Window, charset: Charset) -> None:
    """Write round fluxes and the axis into the gutter (columns 0 to 5) of ``rows`` rows from ``top`` on."""
    marks = glyphs(charset)
    for row in range(top, top + rows):
        cells.put(row, GUTTER - 1, marks.vertical, Ink.AXIS)
    for row, label in flux_ticks(window, rows):
        cells.put(top + row, 0, f"{label:>{GUTTER - 1}}{marks.vertical_tick}", Ink.AXIS)


def flux_ticks(window: Window, rows: int) -> list[tuple[int, str]]:
    """Return (row from the top, label) of the flux ticks, at most one in every two rows."""
    if window.scale == "asinh":
        return _bent_ticks(window, rows)
    values = ticks(window.y0, window.y1, max(2, rows // _ROWS_PER_FLUX_TICK))
    step = round_step(window.y1 - window.y0, max(2, rows // _ROWS_PER_FLUX_TICK))
    return [(_row_of(value, window, rows), tick_label(value, step)) for value in values]


def _bent_ticks(window: Window, rows: int) -> list[tuple[int, str]]:
    """Return ticks at 0 and 1, 2, 5 x 10^k, the roundest first, as far as they keep two rows apart."""
    largest = max(abs(window.y0), abs(window.y1))
    decades = range(math.floor(math.log10(largest)), math.floor(math.log10(largest)) - 4, -1)
    candidates = [0.0]
    for digit in (1.0, 2.0, 5.0):
        candidates += [sign * digit * 10.0**decade for decade in decades for sign in (1.0, -1.0)]
    placed: list[tuple[int, str]] = []
    for value in candidates:
        if window.y0 <= value <= window.y1:
            row = _row_of(value, window, rows)
            if all(abs(row - other) >= 2 for other, _ in placed):
                placed.append((row, tick_label(value, abs(value))))
    return sorted(placed)


def _row_of(flux: float, window: Window, rows: int) -> int:
    height = float(window.height(np.array(flux)))
    return min(max(math.floor((1.0 - height) * rows), 0), rows - 1)


def draw_wavelength_axis(
    cells: Cells, top: int, rows: int, gutter: int, window: Window, charset: Charset, rest_z: float | None
) -> None:
    """Write the wavelength axis into ``rows`` (1 or 2) rows from ``top`` on, right of ``gutter`` (0 or 6) columns.

    ``rest_z`` None labels observed wavelengths, else the wavelengths divided by 1 + ``rest_z``. One row holds the
    labels right of their ticks, two rows hold them under the ticks.
    """
    marks = glyphs(charset)
    columns = cells.columns - gutter
    cells.put(top, gutter, marks.horizontal * columns, Ink.AXIS)
    if gutter:
        cells.put(top, gutter - 1, marks.corner, Ink.AXIS)
        cells.put(top + rows - 1, 0, "  obs" if rest_z is None else " rest", Ink.AXIS)
    stretch = 1.0 if rest_z is None else 1.0 + rest_z
    low, high = window.x0 / stretch, window.x1 / stretch
    most = max(1, columns // _COLUMNS_PER_WAVELENGTH_TICK)
    step = round_step(high - low, most)
    for value in ticks(low, high, most):
        column = window.column_of(value * stretch, columns)
        label = tick_label(value, step, width=8)
        # The last two columns belong to the unit; a label that would touch it is left out, its tick stays.
        if column < 0:
            continue
        cells.put(top, gutter + column, marks.horizontal_tick, Ink.AXIS)
        start = max(column - (len(label) - 1) // 2, 0) if rows > 1 else column + 1
        if start + len(label) <= columns - 2:
            cells.put(top + rows - 1, gutter + start, label, Ink.AXIS)
    cells.put(top + rows - 1, cells.columns - 1, "A" if charset == "ascii" else "Å", Ink.AXIS)
