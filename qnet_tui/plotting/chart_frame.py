"""The axes about a chart: round numbers up the left side and along the bottom, names of both axes, marked lines."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from qnet_tui.plotting.canvas import SPACE, Cells, Charset, Ink, dots_per_cell, glyphs
from qnet_tui.plotting.chart_ranges import Span, axis_ticks
from qnet_tui.plotting.marker_layout import lay_out

_ROWS_PER_TICK = 3
_COLUMNS_PER_TICK = 7


@dataclass(frozen=True)
class Frame:
    """Where the canvas lies among the cells: its upper left cell (``top``, ``left``) and size; what stands about it.

    ``title`` are the lines above it: the name of the upward axis. ``axis_rows``: 0, 2 (line and numbers) or 3 rows (the
    axis' name) below it. ``lanes`` rows at its top hold the names of vertical lines; they belong to no curve.
    """

    top: int
    left: int
    rows: int
    columns: int
    title: tuple[str, ...]
    axis_rows: int
    lanes: int


def dots_of(charset: Charset) -> tuple[int, int]:
    """Return the dots (up, across) of a cell in a chart; in ASCII one sign fills its cell."""
    return (1, 1) if charset == "ascii" else dots_per_cell(charset)


def title_lines(text: str, columns: int, rows: int, charset: Charset) -> tuple[str, ...]:
    """Return ``text`` as the lines above a chart of ``rows`` x ``columns``: none in a low one, two in a high one."""
    lines = textwrap.wrap(plain(text, charset), max(columns, 1))
    most = 0 if rows < 7 else 1 if rows < 12 else 2
    if most and len(lines) > most:
        mark = "~" if charset == "ascii" else "…"
        lines[most - 1] = lines[most - 1][: columns - 1] + mark
    return tuple(lines[:most])


def frame_rows(rows: int, title: int, named_lines: bool, own_row: bool = False) -> tuple[int, int, int]:
    """Share ``rows`` out: (canvas rows, axis rows, lanes of names of vertical lines); ``title`` rows are taken.

    ``own_row``: the name of the axis below would cover its numbers and gets a row of its own, if there are enough.
    """
    axis = 0 if rows < 5 else 3 if own_row and rows >= 12 else 2
    lanes = 0 if not named_lines or rows < 8 else 1 if rows < 14 else 2
    return rows - title - axis - lanes, axis, lanes


def upward_ticks(span: Span, rows: int) -> list[tuple[float, str]]:
    """Return the (value, label) of a canvas' upward axis."""
    labels = []
    for part, share in span.parts:
        most = max(2, int(rows * share) // _ROWS_PER_TICK)
        # One number alone gives no scale.
        found = (axis_ticks(part, more) for more in range(most, most + 4))
        labels += next((ticks for ticks in found if len(ticks) > 1), axis_ticks(part, most))
    return labels


def gutter_for(labels: Sequence[tuple[float, str]], columns: int, axis_rows: int) -> int:
    """Return the columns left of the canvas: the longest label and the axis; none where there is no room for axes."""
    wide = max((len(text) for _, text in labels), default=0) + 1
    return wide if axis_rows and columns >= wide + 10 else 0


def draw_upward_axis(
    cells: Cells, frame: Frame, labels: Sequence[tuple[float, str]], span: Span, charset: Charset
) -> None:
    """Write labels, ticks and the line left of the canvas; ``labels`` are (height on ``span``, label)."""
    if not frame.left:
        return
    marks = glyphs(charset)
    for row in range(frame.top - frame.lanes, frame.top + frame.rows):
        cells.put(row, frame.left - 1, marks.vertical, Ink.AXIS)
    if span.skip is not None:
        fold = span.cell(0.5 * (span.skip[0] + span.skip[1]), frame.rows, dots_of(charset)[0])
        if fold is not None:
            cells.put(frame.top + frame.rows - 1 - fold, frame.left - 1, "~" if charset == "ascii" else "≈", Ink.MARK)
    used: set[int] = set()
    for value, text in labels:
        up = span.cell(value, frame.rows, dots_of(charset)[0])
        if up is not None and up not in used:
            used.add(up)
            row = frame.top + frame.rows - 1 - up
            cells.put(row, 0, f"{text:>{frame.left - 1}}{marks.vertical_tick}", Ink.AXIS)


def draw_along_axis(
    cells: Cells, frame: Frame, span: Span, label: str, charset: Charset, *, whole: bool = False
) -> None:
    """Write the line below the canvas, its ticks and numbers, and ``label`` at the right end of the numbers.

    ``whole``: only whole numbers make sense (epochs, rounds).
    """
    if not frame.axis_rows:
        return
    marks = glyphs(charset)
    row, left = frame.top + frame.rows, frame.left
    cells.put(row, left, marks.horizontal * frame.columns, Ink.AXIS)
    if left:
        cells.put(row, left - 1, marks.corner, Ink.AXIS)
    room = cells.columns - left
    label = plain(label, charset)[: room if frame.axis_rows == 3 else room // 2]
    # Where the margin of names is wide enough the label stands below it, else it takes the place of the last numbers.
    end = cells.columns - len(label) - 2 if label and frame.axis_rows < 3 else cells.columns
    before = -2
    numbers = axis_ticks(span, max(1, frame.columns // _COLUMNS_PER_TICK))
    wide = max((len(text) for _, text in numbers), default=0) + 2
    if wide * len(numbers) > frame.columns:
        numbers = axis_ticks(span, max(1, frame.columns // (wide + 2)))
    if whole and any(value != round(value) for value, _ in numbers):
        numbers = [(float(round(value)), f"{value:.0f}") for value, _ in numbers if value == round(value)]
    for value, text in numbers:
        column = span.cell(value, frame.columns, dots_of(charset)[1])
        if column is None:
            continue
        start = max(left + column - (len(text) - 1) // 2, 0)
        if start + len(text) > cells.columns:
            start = cells.columns - len(text)
        cells.put(row, left + column, marks.horizontal_tick, Ink.AXIS)
        if start > before + 1 and start + len(text) <= end:
            cells.put(row + 1, start, text, Ink.AXIS)
            before = start + len(text)
    at = cells.columns if frame.axis_rows < 3 else max(left + frame.columns, left + len(label))
    cells.put(row + frame.axis_rows - 1, at - len(label), label, Ink.AXIS)


def draw_title(cells: Cells, frame: Frame) -> None:
    """Write the name of the upward axis into the rows above the canvas."""
    for row, line in enumerate(frame.title):
        # A long line begins at the very left.
        cells.put(row, min(max(0, frame.left - 1), cells.columns - len(line)), line, Ink.TITLE)


def draw_verticals(
    cells: Cells, frame: Frame, lines: Sequence[tuple[float, str]], span: Span, charset: Charset, over: bool = False
) -> None:
    """Draw marked x: a dotted line behind the curves (``over`` them in a histogram), its name above it."""
    sign = glyphs(charset).lit if over else glyphs(charset).marker
    columns = [span.cell(value, frame.columns, dots_of(charset)[1]) for value, _ in lines]
    for column in columns:
        if column is not None:
            for row in range(frame.top, frame.top + frame.rows):
                if over or cells.codes[row, frame.left + column] == SPACE:
                    cells.put(row, frame.left + column, sign, Ink.MARK)
    if not frame.lanes:
        return
    names = [plain(name, charset) for _, name in lines]
    shown = [-1 if column is None else column for column in columns]
    placed = lay_out(names, shown, list(range(len(lines))), frame.columns, frame.lanes)
    for name in placed:
        cells.put(frame.top - 1 - name.lane, frame.left + name.start, name.text, Ink.MARK)


def draw_horizontals(
    cells: Cells, frame: Frame, lines: Sequence[tuple[float, str]], span: Span, charset: Charset
) -> list[tuple[int, str]]:
    """Draw marked y: a line behind the curves, its name in the first stretch of it that is free.

    Return (canvas row, name) of those that found none.
    """
    sign = "-" if charset == "ascii" else "┈"
    seen = [(span.cell(value, frame.rows, dots_of(charset)[0]), name) for value, name in lines]
    rows = [(frame.rows - 1 - up, name) for up, name in seen if up is not None]
    for row, _ in rows:
        for column in range(frame.left, frame.left + frame.columns):
            if cells.codes[frame.top + row, column] == SPACE:
                cells.put(frame.top + row, column, sign, Ink.MARK)
    left_over = []
    for row, name in rows:
        # Two lines in one row have their names beside each other.
        free = cells.codes[frame.top + row, frame.left : frame.left + frame.columns] == ord(sign)
        text = f" {plain(name, charset)} "
        starts = range(1, frame.columns - len(text))
        start = next((s for s in starts if free[s : s + len(text)].all()), None) if text.strip() else None
        if start is not None:
            cells.put(frame.top + row, frame.left + start, text, Ink.MARK)
        elif text.strip():
            left_over.append((row, text.strip()))
    return left_over


def say(cells: Cells, frame: Frame, text: str) -> None:
    """Write ``text`` in the middle of an empty canvas, as far as there is room."""
    text = text[: frame.columns]
    cells.put(frame.top + frame.rows // 2, frame.left + (frame.columns - len(text)) // 2, text, Ink.AXIS)


def plain(text: str, charset: Charset) -> str:
    """Return ``text`` on one line; what is not one cell wide becomes "?".

    In ASCII, letters of the field are written out.
    """
    text = " ".join(text.split())
    text = "".join(character if _one_cell(character) else "?" for character in text)
    if charset != "ascii":
        return text
    for sign, word in _WORDS:
        text = text.replace(sign, word)
    return text.encode("ascii", "replace").decode()


def _one_cell(character: str) -> bool:
    wide = unicodedata.east_asian_width(character) in "WF" or unicodedata.combining(character)
    return character.isprintable() and not wide


_WORDS = (
    ("Δ", "d"), ("δ", "d"), ("σ", "sigma"), ("α", "alpha"), ("β", "beta"), ("λ", "lambda"), ("Å", "A"), ("–", "-"),
    ("—", "-"), ("−", "-"), ("×", "x"), ("±", "+-"), ("≤", "<="), ("≥", ">="), ("·", "."), ("…", "~"), ("₁₀", "10"),
    ("²", "2"), ("█", "#"), ("░", "."), ("▒", ":"), ("▓", "*"),
)  # fmt: skip
