"""Histograms: which column of the picture is filled how high, with counts up the side and the series' names above."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.plotting.canvas import SPACE, Cells, Charset, Codes, Ink
from qnet_tui.plotting.chart_frame import (
    Frame,
    draw_along_axis,
    draw_upward_axis,
    draw_verticals,
    frame_rows,
    gutter_for,
    plain,
    say,
    upward_ticks,
)
from qnet_tui.plotting.chart_names import shortened
from qnet_tui.plotting.chart_ranges import Span, log_count_ticks, span_of
from qnet_tui.plotting.charts import Histogram

Floats = NDArray[np.float64]


class Tools(Protocol):
    """Who fills bars."""

    def fill(self, heights: NDArray[np.int64], rows: int, sign: str) -> Codes:
        """Return ``rows`` x columns characters with ``sign`` in the lowest ``heights`` (columns,) cells."""


# Series differ by their shade, so that they can be told apart without colour.
_SIGNS: dict[Charset, str] = {"braille": "█▒░▓", "block": "█▒░▓", "ascii": "#=:%"}
_INKS = (Ink.CURVE_1, Ink.CURVE_2, Ink.CURVE_3, Ink.CURVE_4)

# The top of a bar by eighths of a cell.
_TOPS = " ▁▂▃▄▅▆▇"

_ROWS_PER_DECADE = 2


def draw_histogram(cells: Cells, chart: Histogram, charset: Charset, tools: Tools) -> None:
    """Draw ``chart`` over the whole of ``cells``."""
    edges, series = _sound(chart)
    named = any(name for _, name in chart.verticals)
    title = 1 if cells.rows >= 7 else 0
    rows, axis, lanes = frame_rows(cells.rows, title, named, own_row=bool(chart.x_label))
    heights = [np.log10(1 + counts) if chart.log_counts else counts for _, counts in series]
    top = max((float(part.max()) for part in heights if part.size), default=0.0)
    ys = Span(0.0, 1.02 * top if top > 0 else 1.0)
    labels = log_count_ticks(ys.high, max(2, rows // _ROWS_PER_DECADE)) if chart.log_counts else upward_ticks(ys, rows)
    if not chart.log_counts and top < 10:  # counts are whole numbers
        labels = [(value, text) for value, text in labels if value == int(value)]
    left = gutter_for(labels, cells.columns, axis)
    frame = Frame(title + lanes, left, rows, cells.columns - left, (), axis, lanes)
    xs = span_of([edges])
    drawable = edges.size > 1 and bool(series)
    if drawable:
        canvas = _bars(edges, xs, heights, ys.high, frame, charset, tools)
        cells.paste(canvas, frame.top, frame.left)
    draw_upward_axis(cells, frame, labels, ys, charset)
    draw_along_axis(cells, frame, xs, chart.x_label, charset)
    draw_verticals(cells, frame, chart.verticals, xs, charset, over=True)
    if title:
        _draw_legend(cells, frame, [name for name, _ in series], chart.log_counts, charset)
    if not drawable or top <= 0:
        say(cells, frame, "nothing to count")


def _sound(chart: Histogram) -> tuple[Floats, list[tuple[str, Floats]]]:
    """Return rising finite edges and counts that are numbers from 0 on; no edges where the bins make no sense."""
    edges = np.asarray(chart.edges, np.float64).ravel()
    if edges.size < 2 or not np.isfinite(edges).all() or (np.abs(edges) >= 1e300).any() or (np.diff(edges) < 0).any():
        edges = np.empty(0)
    series = []
    for name, counts in chart.series[: len(_INKS)]:
        values = np.asarray(counts, np.float64).ravel()[: max(edges.size - 1, 0)]
        values = np.pad(values, (0, max(edges.size - 1 - values.size, 0)))
        series.append((name, np.where(np.isfinite(values), np.clip(values, 0, 1e300), 0.0)))
    return edges, series


def columns_of(edges: ArrayLike, span: Span, columns: int) -> NDArray[np.int64]:
    """Return the first column of every bin and the end of the last one, int (m + 1,), among ``columns``."""
    share = (np.asarray(edges, np.float64) - span.low) / (span.high - span.low)
    return np.clip(np.floor(share * columns + 0.5), 0, columns).astype(np.int64)


def _bars(
    edges: Floats, xs: Span, heights: list[Floats], top: float, frame: Frame, charset: Charset, tools: Tools
) -> Cells:
    """Fill the bars of every series: the lower one of two stands in front, the higher one shows above it."""
    canvas = Cells.blank(frame.rows, frame.columns)
    borders = columns_of(edges, xs, frame.columns)
    highest = np.zeros(frame.columns)
    for index, part in enumerate(heights):
        exact = _column_heights(borders, part, frame.columns) / (top if top > 0 else 1.0)
        # Shades have no eighths: whatever was counted is at least a cell high.
        whole = np.floor(exact * frame.rows + (0.5 if index else 0.0)).astype(np.int64)
        if index:
            whole[exact > 0] = np.maximum(whole[exact > 0], 1)
        codes = tools.fill(whole, frame.rows, _SIGNS[charset][index])
        shown = (codes != SPACE) & ((exact <= highest) | (canvas.codes == SPACE))
        canvas.codes[shown] = codes[shown]
        canvas.inks[shown] = _INKS[index]
        if index == 0:
            _put_tops(canvas, exact * frame.rows, _INKS[index], charset)
        highest = np.maximum(highest, exact)
    return canvas


def _column_heights(borders: NDArray[np.int64], heights: Floats, columns: int) -> Floats:
    """Return the height of each column: the greatest of the bins that fall on it."""
    out = np.zeros(columns)
    for first, end, height in zip(borders[:-1].tolist(), borders[1:].tolist(), heights.tolist(), strict=True):
        begin = min(first, columns - 1)
        out[begin : max(end, begin + 1)] = np.maximum(out[begin : max(end, begin + 1)], height)
    return out


def _put_tops(canvas: Cells, exact: Floats, ink: Ink, charset: Charset) -> None:
    for column in np.flatnonzero(exact > 0).tolist():
        whole = int(exact[column])
        eighths = int((exact[column] - whole) * 8 + 0.5)
        if whole == 0:
            eighths = max(eighths, 1)
        row = canvas.rows - 1 - whole
        if row < 0 or eighths == 0:
            continue
        top = ("█" if eighths > 7 else _TOPS[eighths]) if charset != "ascii" else "_" if eighths < 5 else "#"
        canvas.put(row, column, top, ink)


def _draw_legend(cells: Cells, frame: Frame, names: list[str], log: bool, charset: Charset) -> None:
    """Write sign and name of each series above the canvas; of a single series only its name."""
    column = max(0, frame.left - 1)
    room = (cells.columns - column) // max(len(names), 1) - (6 if len(names) > 1 else 0)
    for index, text in enumerate(shortened([plain(name, charset) or "count" for name in names], room, charset)):
        if len(names) > 1:
            cells.put(0, column, _SIGNS[charset][index] * 2, _INKS[index])
            column += 3
        cells.put(0, column, text, Ink.TITLE)
        column += len(text) + 3
    if log and names and column + 8 <= cells.columns:
        cells.put(0, column - 1, "log scale", Ink.AXIS)
