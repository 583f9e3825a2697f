"""Curves over two axes: where everything goes, and which dots each curve is made of.

Joining the dots is somebody else's work (:data:`Plot`): this module says which, in which order, and writes axes, names
and marks about them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qnet_tui.plotting.canvas import SPACE, Cells, Charset, Codes, Ink, merged
from qnet_tui.plotting.chart_frame import (
    Frame,
    dots_of,
    draw_along_axis,
    draw_horizontals,
    draw_title,
    draw_upward_axis,
    draw_verticals,
    frame_rows,
    gutter_for,
    plain,
    say,
    title_lines,
    upward_ticks,
)
from qnet_tui.plotting.chart_names import CurveName, margin_for, place_names
from qnet_tui.plotting.chart_paths import Floats, band_points, joined_path, lone_points
from qnet_tui.plotting.chart_ranges import Span, folded, span_of
from qnet_tui.plotting.charts import Curve, LineChart

# (points (k, 2) in dots, rows, columns of cells, sign for ASCII, joined) -> characters (rows, columns).
Plot = Callable[[Floats, int, int, str, bool], Codes]

CURVE_INKS = (Ink.CURVE_1, Ink.CURVE_2, Ink.CURVE_3, Ink.CURVE_4, Ink.CURVE_5, Ink.CURVE_6)
_FAINT_INKS = (Ink.FAINT_1, Ink.FAINT_2, Ink.FAINT_3, Ink.FAINT_4, Ink.FAINT_5, Ink.FAINT_6)
_ALL_FAINT = (Ink.FAINT, *_FAINT_INKS)

# In ASCII every curve has a sign of its own.
_SIGNS = "*+ox#@"
_FAINT_SIGN = "."

# What a dot is drawn as where there are few.
_POINT = ord("•")

# A dashed line: so many columns of cells drawn, then so many left free. What climbs higher than this many rows within
# a free column is dashed upwards instead, or it would vanish.
_DASH, _DASH_GAP, _STEEP = 4, 2, 3

# Of every so many dots (across, up) of a band one is drawn.
_BAND_EVERY: dict[Charset, tuple[int, int]] = {"braille": (2, 2), "block": (2, 2), "ascii": (2, 2)}


@dataclass(frozen=True)
class _Drawn:
    """A curve on its way into the picture."""

    curve: Curve
    ink: Ink
    sign: str


def draw_lines(cells: Cells, chart: LineChart, charset: Charset, plot: Plot) -> None:
    """Draw ``chart`` over the whole of ``cells``."""
    xs, ys = _spans(chart, cells.rows)
    curves = _coloured(chart.curves)
    ends = [_ends(drawn.curve, xs, ys) for drawn in curves]
    named = [
        (plain(drawn.curve.name, charset), float(xs.position(end[1][0], 2)))
        for drawn, end in zip(curves, ends, strict=True)
        if end is not None
    ]
    frame, labels = _frame(cells, chart, ys, named, charset)

    cells.paste(_canvas(curves, xs, ys, frame, charset, plot), frame.top, frame.left)
    draw_verticals(cells, frame, chart.verticals, xs, charset)
    left_over = draw_horizontals(cells, frame, chart.horizontals, ys, charset)
    draw_upward_axis(cells, frame, labels, ys, charset)
    draw_along_axis(cells, frame, xs, chart.x_label, charset, whole=_whole([curve.x for curve in chart.curves]))
    draw_title(cells, frame)
    _mark_dots(cells, curves, xs, ys, frame, charset)
    if all(end is None for end in ends):
        say(cells, frame, "nothing to draw")
        return
    # Lines that are covered all along have their names beside those of the curves, if there is a margin.
    wanted = [CurveName(name, row, frame.columns - 1, Ink.MARK, faint=True) for row, name in left_over]
    for drawn, end in zip(curves, ends, strict=True):
        if end is not None:
            begin, (row, column) = (_cell(point, xs, ys, frame, charset) for point in end)
            faint = drawn.curve.faint
            wanted.append(CurveName(plain(drawn.curve.name, charset), row, column, drawn.ink, faint, begin))
    part = cells.codes[frame.top : frame.top + frame.rows, frame.left :]
    for text in place_names(wanted, part != SPACE, frame.columns, charset):
        cells.put(frame.top + text.row, frame.left + text.start, text.text, text.ink)


def _spans(chart: LineChart, rows: int) -> tuple[Span, Span]:
    curves = chart.curves
    dots = [np.asarray(curve.dot, np.float64) for curve in curves if curve.dot is not None]
    across = [*(curve.x for curve in curves), *(dot[:1] for dot in dots)]
    xs = span_of(across, chart.x_range, log=chart.log_x, room=bool(curves) and all(c.stroke == "dots" for c in curves))
    heights = [_heights(curve) for curve in curves]
    ys = span_of(heights, chart.y_range, room=True)
    if chart.y_range is not None or any(curve.stroke == "dots" for curve in curves):
        return xs, ys
    seen = [part[np.isfinite(part)] for part in heights]
    return xs, folded([(float(part.min()), float(part.max())) for part in seen if part.size], ys, rows)


def _whole(values: Sequence[Floats]) -> bool:
    """Say whether all finite values are whole numbers, and there are two different ones."""
    joined = np.concatenate([np.asarray(part, np.float64).ravel() for part in values]) if values else np.empty(0)
    joined = joined[np.isfinite(joined)]
    return joined.size > 0 and bool((joined == np.round(joined)).all()) and bool(np.ptp(joined) >= 1)


def _heights(curve: Curve) -> Floats:
    """Return all y that belong to a curve: its own, its band's, its marked dot's."""
    parts = [curve.y, curve.lo, curve.hi, None if curve.dot is None else curve.dot[1:]]
    return np.concatenate([np.asarray(part, np.float64).ravel() for part in parts if part is not None])


def _coloured(curves: Sequence[Curve]) -> list[_Drawn]:
    """Give every curve its ink: one for each group, the next one for a curve without.

    Faint curves take the dim ink of their group, or the one of all faint ones.
    """
    groups: dict[int, int] = {}
    used = 0
    out: list[_Drawn] = []
    for curve in curves:
        if curve.faint and curve.group < 0:
            out.append(_Drawn(curve, Ink.FAINT, _FAINT_SIGN))
            continue
        if curve.group < 0 or curve.group not in groups:
            groups[curve.group] = used
            used += 1
        index = groups[curve.group] % len(CURVE_INKS)
        if curve.faint:
            out.append(_Drawn(curve, _FAINT_INKS[index], _FAINT_SIGN))
        else:
            out.append(_Drawn(curve, CURVE_INKS[index], _SIGNS[index]))
    return out


def _ends(curve: Curve, xs: Span, ys: Span) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the first and the last point (x, y) inside the window; None if none is.

    A cloud of dots has no end: its middle heights on the left and on the right stand for it.
    """
    n = min(np.size(curve.x), np.size(curve.y))
    across, up = xs.position(curve.x, 2).ravel()[:n], ys.position(curve.y, 2).ravel()[:n]
    inside = np.flatnonzero((across >= 0) & (across <= 1) & (up >= 0) & (up <= 1))
    if inside.size == 0:
        return None
    x, y = np.asarray(curve.x, np.float64).ravel(), np.asarray(curve.y, np.float64).ravel()
    if curve.stroke == "dots":
        middle = float(np.median(y[inside]))
        return (float(x[inside].min()), middle), (float(x[inside].max()), middle)
    first, last = int(inside[0]), int(inside[-1])
    return (float(x[first]), float(y[first])), (float(x[last]), float(y[last]))


def _cell(point: tuple[float, float], xs: Span, ys: Span, frame: Frame, charset: Charset) -> tuple[int, int]:
    """Return (row, column) of the canvas that holds ``point`` (x, y), which is inside the window."""
    high, wide = dots_of(charset)
    return frame.rows - 1 - (ys.cell(point[1], frame.rows, high) or 0), xs.cell(point[0], frame.columns, wide) or 0


def _frame(
    cells: Cells, chart: LineChart, ys: Span, named: Sequence[tuple[str, float]], charset: Charset
) -> tuple[Frame, list[tuple[float, str]]]:
    """Share the cells out among canvas, axes and names; return the labels of the upward axis too."""
    lines_named = any(name for _, name in chart.verticals)
    title = title_lines(chart.y_label, cells.columns, cells.rows, charset)
    own_row = False
    while True:
        rows, axis, lanes = frame_rows(cells.rows, len(title), lines_named, own_row)
        labels = upward_ticks(ys, rows)
        left = gutter_for(labels, cells.columns, axis)
        width = cells.columns - left
        margin = margin_for(named, width) if width >= 20 else 0
        if own_row or margin > len(chart.x_label):
            return Frame(len(title) + lanes, left, rows, width - margin, title, axis, lanes), labels
        own_row = True


def _canvas(curves: Sequence[_Drawn], xs: Span, ys: Span, frame: Frame, charset: Charset, plot: Plot) -> Cells:
    """Draw bands, then faint curves, then the others, the first of them on top."""
    high, wide = dots_of(charset)
    size = (frame.columns * wide, frame.rows * high)
    canvas = Cells.blank(frame.rows, frame.columns)
    for drawn in curves:
        if drawn.curve.lo is not None and drawn.curve.hi is not None:
            bars = drawn.curve.stroke == "dots"
            band = _interval(drawn.curve, xs, ys, size, bars=bars, every=_BAND_EVERY[charset])
            _lay_over(canvas, plot(band, frame.rows, frame.columns, "|" if bars else ".", bars), Ink.BAND, charset)
    # Curves of one kind are drawn in one go: plotext's cost is mostly per picture, and their dots share cells.
    kinds: dict[tuple[bool, int, str, str], list[Curve]] = {}
    for drawn in curves:
        kind = (not drawn.curve.faint, -drawn.ink, drawn.curve.stroke, drawn.sign)
        kinds.setdefault(kind, []).append(drawn.curve)
    for (_, ink, stroke, sign), alike in sorted(kinds.items(), key=lambda item: item[0][:2]):
        points = np.concatenate([_points(curve, xs, ys, size, wide) for curve in alike])
        codes = plot(points, frame.rows, frame.columns, sign, stroke != "dots")
        if stroke == "dots" and len(points) <= frame.columns and charset != "ascii":
            codes = np.where(codes != SPACE, _POINT, SPACE).astype(np.uint32)
        _lay_over(canvas, _dashed(codes) if stroke == "dashed" else codes, Ink(-ink), charset)
    return canvas


def _points(curve: Curve, xs: Span, ys: Span, size: tuple[int, int], wide: int) -> Floats:
    across, up = xs.position(curve.x, size[0]).ravel(), ys.position(curve.y, size[1]).ravel()
    if curve.stroke == "dots":
        return lone_points(across, up, size)
    path = joined_path(across, up, size, gap=wide)
    return np.concatenate([np.full((1, 2), np.nan), path])  # the pen is lifted between two curves


def _interval(curve: Curve, xs: Span, ys: Span, size: tuple[int, int], *, bars: bool, every: tuple[int, int]) -> Floats:
    """Return the dots of a curve's interval: a lattice between its bounds, or a bar at each point (``bars``)."""
    across = xs.position(curve.x, size[0]).ravel()
    low, high = (ys.position(bound, size[1]).ravel() for bound in (curve.lo, curve.hi) if bound is not None)
    if not bars:
        return band_points(across, low, high, size, every)
    n = min(across.size, low.size, high.size)
    gaps = np.full(n, np.nan)
    ups = np.column_stack([low[:n], high[:n], gaps]).ravel()
    return joined_path(np.repeat(across[:n], 3), ups, size, gap=-1)


def _dashed(codes: Codes) -> Codes:
    """Cut gaps of :data:`_DASH_GAP` columns; where a curve is steep within one, cut it upwards."""
    rows, columns = codes.shape
    drawn = codes != SPACE
    gap = (np.arange(columns) % (_DASH + _DASH_GAP)) >= _DASH
    steep = drawn.sum(axis=0) > _STEEP
    upwards = (np.arange(rows) % (_DASH // 2 + 1)) == 0
    cut = (gap & ~steep)[None, :] | ((gap & steep)[None, :] & upwards[:, None])
    return np.where(cut, SPACE, codes).astype(np.uint32)


def _lay_over(canvas: Cells, codes: Codes, ink: Ink, charset: Charset) -> None:
    """Put ``codes`` on ``canvas``; dots of curves that share a cell are all shown, in the ink of the upper one.

    Bands and faint curves give way instead, so that what is drawn over them stands free.
    """
    new = codes != SPACE
    gives_way = np.isin(canvas.inks, (Ink.BAND, *(() if ink in _ALL_FAINT else _ALL_FAINT)))
    below = np.where(gives_way | (canvas.codes == _POINT), SPACE, canvas.codes).astype(np.uint32)
    above = codes[new]
    alone = above == _POINT
    canvas.codes[new] = np.where(alone, _POINT, merged(np.where(alone, SPACE, above), below[new], charset))
    canvas.inks[new] = ink


def _mark_dots(cells: Cells, curves: Sequence[_Drawn], xs: Span, ys: Span, frame: Frame, charset: Charset) -> None:
    high, wide = dots_of(charset)
    for drawn in reversed(curves):
        if drawn.curve.dot is None:
            continue
        across, up = xs.cell(drawn.curve.dot[0], frame.columns, wide), ys.cell(drawn.curve.dot[1], frame.rows, high)
        if across is not None and up is not None:
            sign = "o" if charset == "ascii" else "●"
            cells.put(frame.top + frame.rows - 1 - up, frame.left + across, sign, drawn.ink)
