"""Heat maps as shaded cells, scaled to the room there is, with a line below that says what the shades mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.plotting.canvas import Cells, Charset, Ink, glyphs
from qnet_tui.plotting.chart_frame import plain, title_lines
from qnet_tui.plotting.chart_ranges import axis_ticks, rough_label, span_of
from qnet_tui.plotting.charts import HeatMap

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_SHADES: dict[Charset, str] = {"braille": " ░▒▓█", "block": " ░▒▓█", "ascii": " .:*#"}
_INKS = np.array([Ink.BLANK, Ink.SHADE_1, Ink.SHADE_2, Ink.SHADE_3, Ink.SHADE_4], np.uint8)
_LEVELS = 4
_HUGE = 1e300


@dataclass(frozen=True)
class _Place:
    """Map rows and columns of every picture row and column: indices where each begins, and how often it is repeated."""

    row_starts: Ints
    column_starts: Ints
    row_repeat: int
    column_repeat: int


def draw_heat_map(cells: Cells, chart: HeatMap, charset: Charset) -> None:
    """Draw ``chart`` over the whole of ``cells``.

    A map larger than the room is aggregated: the greatest value of the cells that share a character, and a mark where
    any of them is marked.
    """
    values, marked = _sound(chart)
    lines = title_lines(chart.label, cells.columns, cells.rows, charset)
    title = len(lines)
    scale = 1 if cells.rows >= 4 else 0
    axes = cells.rows >= 10 and cells.columns >= 24 and values.size > 0
    numbers = _row_numbers(chart, values.shape[0], cells.rows) if axes else []
    left = max((len(text) for _, text in numbers), default=-1) + 1
    room = (cells.rows - title - scale - (2 if axes else 0), cells.columns - left)
    for row, line in enumerate(lines):
        cells.put(row, min(max(0, left - 1), cells.columns - len(line)), line, Ink.TITLE)
    if values.size == 0 or room[0] < 1 or room[1] < 1:
        cells.put(cells.rows // 2, 0, "no cells"[: cells.columns], Ink.AXIS)
        return
    place = _fit(values.shape[0], values.shape[1], *room)
    shown = np.fmax.reduceat(np.fmax.reduceat(values, place.row_starts, axis=0), place.column_starts, axis=1)
    marks = np.logical_or.reduceat(
        np.logical_or.reduceat(marked, place.row_starts, axis=0), place.column_starts, axis=1
    )
    levels, borders = _shade(shown, chart.log)
    levels, marks = _grown(levels, place), _grown(marks, place)
    shades = np.array([ord(shade) for shade in _SHADES[charset]], np.uint32)
    codes = np.where(marks, ord("x" if charset == "ascii" else "×"), shades[levels]).astype(np.uint32)
    cells.paste(Cells(codes, np.where(marks, np.uint8(Ink.MARK), _INKS[levels])), title, left)
    if axes:
        across = _column_numbers(chart, values.shape[1], codes.shape[1])
        _draw_axes(cells, (numbers, across), (title, left), codes.shape, charset)
    if scale:
        below = title + codes.shape[0] + (2 if axes else 0)
        _draw_scale(cells, chart, borders, int(marked.sum()), (below, left), charset)


def _sound(chart: HeatMap) -> tuple[Floats, NDArray[np.bool_]]:
    """Return finite values or NaN, and marks of the same shape."""
    values = np.asarray(chart.values, np.float64)
    values = np.atleast_2d(values) if values.size else np.empty((0, 0))
    values = np.where(np.abs(values) < _HUGE, values, np.nan)
    marked = np.asarray(chart.marked, bool)
    return values, marked if marked.shape == values.shape else np.zeros(values.shape, bool)


def _fit(rows: int, columns: int, room_rows: int, room_columns: int) -> _Place:
    """Say how a map of ``rows`` x ``columns`` fills the room; a character is twice as high as it is wide."""
    row_repeat = max(1, room_rows // rows)
    high = min(rows * row_repeat, room_rows)
    wide = max(1, round(2 * high / rows))
    column_repeat = max(1, min(room_columns // columns, wide))
    if column_repeat * 2 < row_repeat:
        row_repeat = max(1, column_repeat)
    shown_rows, shown_columns = min(rows, room_rows), min(columns, room_columns)
    return _Place(
        np.arange(shown_rows) * rows // shown_rows,
        np.arange(shown_columns) * columns // shown_columns,
        row_repeat,
        column_repeat,
    )


def _shade(values: Floats, log: bool) -> tuple[NDArray[np.intp], list[float]]:
    """Return the shade 0 to 4 of every cell (0: nothing there, or no positive value), and where 1 to 4 begin."""
    there = np.isfinite(values) & (values > 0) if log else np.isfinite(values) & (values != 0)
    if not there.any():
        return np.zeros(values.shape, np.intp), []
    scaled = np.where(there, values, np.nan)
    scaled = np.log10(scaled) if log else scaled
    low, high = float(np.nanmin(scaled)), float(np.nanmax(scaled))
    if not high > low:
        return np.where(there, _LEVELS, 0).astype(np.intp), [10**low if log else low]
    share = np.where(there, (scaled - low) / (high - low), 0.0)
    levels = np.where(there, np.minimum((share * _LEVELS).astype(np.intp), _LEVELS - 1) + 1, 0)
    borders = low + (high - low) * np.arange(_LEVELS) / _LEVELS
    return levels, [float(border) for border in (10.0**borders if log else borders)]


def _grown(cells: NDArray[np.intp] | NDArray[np.bool_], place: _Place) -> NDArray[np.intp]:
    return np.repeat(np.repeat(cells, place.row_repeat, axis=0), place.column_repeat, axis=1).astype(np.intp)


# (share of the way from the upper or left edge, label).
_Numbers = list[tuple[float, str]]


def _row_numbers(chart: HeatMap, size: int, rows: int) -> _Numbers:
    if chart.y_range is None:
        return _counted(size, rows // 4)
    span = span_of([], chart.y_range)
    return [(1.0 - float(span.position(value, 2)), text) for value, text in axis_ticks(span, max(2, rows // 4))]


def _column_numbers(chart: HeatMap, size: int, columns: int) -> _Numbers:
    if chart.x_range is None:
        return _counted(size, columns // 8)
    span = span_of([], chart.x_range)
    return [(float(span.position(value, 2)), text) for value, text in axis_ticks(span, max(2, columns // 8))]


def _counted(size: int, most: int) -> _Numbers:
    """Number the cells of one side from 0."""
    found = [value for value, _ in axis_ticks(span_of([[0, max(size - 1, 1)]]), max(1, most))]
    values = [int(value) for value in found if value == int(value) and value < size]
    return [((value + 0.5) / size, str(value)) for value in values]


def _draw_axes(
    cells: Cells,
    numbers: tuple[_Numbers, _Numbers],
    corner: tuple[int, int],
    shown: tuple[int, ...],
    charset: Charset,
) -> None:
    """Write the numbers down the left side and along the bottom of a picture of ``shown`` cells from ``corner`` on."""
    marks = glyphs(charset)
    top, left = corner
    for row in range(shown[0]):
        cells.put(top + row, left - 1, marks.vertical, Ink.AXIS)
    for share, text in numbers[0]:
        row = min(int(share * shown[0]), shown[0] - 1)
        cells.put(top + row, 0, f"{text:>{left - 1}}{marks.vertical_tick}", Ink.AXIS)
    bottom = top + shown[0]
    cells.put(bottom, left - 1, marks.corner + marks.horizontal * shown[1], Ink.AXIS)
    free = 0
    for share, text in numbers[1]:
        column = left + min(int(share * shown[1]), shown[1] - 1)
        cells.put(bottom, column, marks.horizontal_tick, Ink.AXIS)
        start = min(column, cells.columns - len(text))
        if start >= free:
            cells.put(bottom + 1, start, text, Ink.AXIS)
            free = start + len(text) + 1


def _draw_scale(
    cells: Cells, chart: HeatMap, borders: list[float], marked: int, corner: tuple[int, int], charset: Charset
) -> None:
    """Write what every shade begins at, and what the mark means, as far as there is room."""
    row, column = corner[0], max(0, corner[1] - 1)
    shades = _SHADES[charset]
    entries = [(shades[-len(borders) :][index], int(_INKS[-len(borders) :][index]), rough_label(border))
               for index, border in enumerate(borders)]  # fmt: skip
    if marked or chart.marked_label:
        sign = "x" if charset == "ascii" else "×"
        entries.append((sign, int(Ink.MARK), f"{plain(chart.marked_label, charset) or 'marked'} {marked}"))
    for sign, ink, text in entries:
        if column + 2 + len(text) > cells.columns:
            return
        cells.put(row, column, sign, Ink(ink))
        cells.put(row, column + 2, text, Ink.AXIS)
        column += len(text) + 4
