"""Where there are no data, drawn so that nobody takes it for a flux of zero: hatched, and named where there is room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qnet_tui.plotting.canvas import SPACE, Cells, Charset, Ink, glyphs
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.spectrum_data import Stretch

# Hatching is sparse: one cell in so many, along diagonals.
_HATCH_EVERY = 4


def columns_of(low: float, high: float, window: Window, columns: int) -> tuple[int, int]:
    """Return [first, stop) of the columns that [low, high) Å covers by half or more; equal when there are none."""
    width = (window.x1 - window.x0) / columns
    first = int(np.clip(np.ceil((low - window.x0) / width - 0.5), 0, columns))
    stop = int(np.clip(np.floor((high - window.x0) / width + 0.5), 0, columns))
    return first, max(stop, first)


def stretch_words(stretch: Stretch, columns: int) -> str:
    """Return what is written into a stretch of ``columns`` cells without data: "" when nothing fits."""
    full, short = (stretch.why, stretch.why) if stretch.why != "missing" else _arm_words(stretch.arm)
    return next((words for words in (f" {full} ", full, short) if len(words) <= columns), "")


def _arm_words(arm: str) -> tuple[str, str]:
    return f"no {arm.upper()} arm", f"no {arm.upper()}"


def draw_absence(
    cells: Cells,
    top: int,
    left: int,
    rows: int,
    columns: int,
    stretches: Sequence[Stretch],
    window: Window,
    charset: Charset = "braille",
) -> None:
    """Hatch the free cells of ``rows`` x ``columns`` from (top, left) where there are no data, and mark the axis below.

    The axis is the row after the plot. Words are written in the middle when they fit.
    """
    marks = glyphs(charset)
    diagonal = (np.arange(rows)[:, None] + np.arange(columns)[None, :]) % _HATCH_EVERY == 0
    codes = cells.codes[top : top + rows, left : left + columns]
    inks = cells.inks[top : top + rows, left : left + columns]
    for stretch in stretches:
        first, stop = columns_of(stretch.low, stretch.high, window, columns)
        if first == stop:
            continue
        part = np.zeros_like(diagonal)
        part[:, first:stop] = diagonal[:, first:stop]
        part &= codes == SPACE
        codes[part], inks[part] = ord(marks.hatch), Ink.ABSENT
        for column in range(first, stop):
            if chr(cells.codes[top + rows, left + column]) == marks.horizontal:
                cells.put(top + rows, left + column, marks.no_data_axis, Ink.ABSENT)
        words = stretch_words(stretch, stop - first)
        if words and rows > 2:
            cells.put(top + rows // 2, left + first + (stop - first - len(words)) // 2, words, Ink.ABSENT)


def mark_overlaps(
    cells: Cells,
    row: int,
    left: int,
    columns: int,
    overlaps: Sequence[tuple[float, float]],
    window: Window,
    charset: Charset = "braille",
) -> None:
    """Mark on the axis (``row``) the columns that two arms share, at least one for each overlap in the window."""
    marks = glyphs(charset)
    for low, high in overlaps:
        first, stop = columns_of(low, high, window, columns)
        if first == stop:
            first = window.column_of(0.5 * (low + high), columns)
            stop = first + 1
        for column in range(max(first, 0), stop):
            if chr(cells.codes[row, left + column]) == marks.horizontal:
                cells.put(row, left + column, marks.overlap_axis, Ink.OVERLAP)
