"""A table beside a chart: the rows that can be seen, and as many of their columns as the pane is wide.

Where the pane is narrow the columns of the largest ``need`` go first, the first column never; a figure is never cut.
Only rows that change are sent, so that a step of the cursor costs two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.cells import cell_len, set_cell_size

from qnet_tui.plotting.canvas import Charset, glyphs
from qnet_tui.tui.hints import in_charset, shown_row
from qnet_tui.tui.listing import Listing, cell_text
from qnet_tui.tui.tones import Piece, Row, Tone
from qnet_tui.tui.widgets.rows import Rows
from qnet_tui.workflows.review.tab import Column, cell

# A column of words is at first as wide as this at most, and takes what is left over when all else has its room.
_WORDS_MOST, _WORDS_LEAST = 30, 6
# Rows that are measured beforehand; wider figures further down widen their column when they come into sight.
_MEASURED = 2000
_LEAD, _GAP = 2, 2


@dataclass(frozen=True)
class Shape:
    """What a table's columns need: ``widths`` of heading and cells, and which are ``figures`` (set to the right)."""

    widths: tuple[int, ...]
    figures: tuple[bool, ...]

    @classmethod
    def of(cls, columns: Sequence[Column], rows: Sequence[Any]) -> Shape:
        """Measure all rows, or some of them from everywhere where there are many."""
        if len(rows) <= _MEASURED:
            some: Sequence[Any] = rows
        else:
            some = [rows[int(index)] for index in np.linspace(0, len(rows) - 1, _MEASURED)]
        empty = cls(tuple(cell_len(column.head) for column in columns), tuple(True for _ in columns))
        figures = tuple(all(_is_figure(cell(row, column.key)) for row in some) for column in columns)
        return replace(empty.with_rows(columns, some), figures=figures)

    def with_rows(self, columns: Sequence[Column], rows: Sequence[Any]) -> Shape:
        """Widen what ``rows`` need wider."""
        widths = [
            max([width, *(cell_len(cell_text(row, column)) for row in rows)])
            for width, column in zip(self.widths, columns, strict=True)
        ]
        return replace(self, widths=tuple(widths))

    @property
    def natural(self) -> int:
        """Columns of the terminal that show everything, long words aside."""
        return _LEAD + sum(self._first()) + _GAP * (len(self.widths) - 1)

    def fitted(self, columns: Sequence[Column], room: int) -> list[tuple[int, int]]:
        """Return (column, width) of those that are shown in ``room``, in their order."""
        widths = dict(enumerate(self._first()))
        room -= _LEAD
        left_out: list[int] = []
        while _total(widths) > room and (leaving := _least_needed(columns, widths)):
            left_out += leaving
            for index in leaving:
                del widths[index]
        # Words may be cut, so the most needed of them may have what room there is.
        needed = min((columns[index].need for index in left_out), default=0)
        spare = room - _total(widths) - _GAP
        for index in reversed(left_out):
            if not self.figures[index] and columns[index].need == needed and spare >= _WORDS_LEAST:
                widths = dict(sorted({**widths, index: min(spare, self.widths[index])}.items()))
                break
        words = [index for index in widths if not self.figures[index]]
        while _total(widths) > room and words and widths[widest := max(words, key=widths.__getitem__)] > _WORDS_LEAST:
            widths[widest] -= 1
        while _total(widths) > room and len(widths) > 1:
            del widths[max(widths)]
        for index in words:
            if index in widths:
                widths[index] += min(max(room - _total(widths), 0), self.widths[index] - widths[index])
        return list(widths.items())

    def _first(self) -> list[int]:
        pairs = zip(self.widths, self.figures, strict=True)
        return [width if figure else min(width, _WORDS_MOST) for width, figure in pairs]


def _total(widths: dict[int, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


def _least_needed(columns: Sequence[Column], shown: dict[int, int]) -> list[int]:
    """Return the column to leave out next, and the other end of its interval; none when all are always shown."""
    need = max(columns[index].need for index in shown)
    if need == 0:
        return []
    last = max(index for index in shown if columns[index].need == need)
    ends = _ends(columns[last].key)
    return [index for index in shown if index == last or columns[index].key in ends]


def _ends(key: str) -> tuple[str, ...]:
    """Return the keys of the interval that ``key`` is an end of: one end alone would tell nothing."""
    for end in ("lo", "hi"):
        if key == end or key.endswith(f"_{end}"):
            return (f"{key[:-2]}lo", f"{key[:-2]}hi")
    return ()


def _is_figure(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


class Table(Rows):
    """The pane of a table: a row of headings, and below it the rows about the cursor."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        """Make an empty pane."""
        super().__init__(id=id)
        self._top = 0

    def top_for(self, listing: Listing, rows: int) -> int:
        """Return the first row of ``listing`` in sight, scrolled no further than the cursor needs."""
        return scrolled(self._top, listing.cursor, rows - 1, len(listing))

    def show_listing(self, listing: Listing, shape: Shape, rows: int, columns: int, charset: Charset) -> None:
        """Show ``listing`` in ``rows`` x ``columns``."""
        self._top = self.top_for(listing, rows)
        self.show(table_rows(listing, shape, self._top, rows, columns, charset))


def scrolled(top: int, cursor: int, room: int, count: int) -> int:
    """Return the first row in sight: ``top`` unless the cursor would be outside, or rows would stay empty."""
    room = max(room, 1)
    top = min(max(top, cursor - room + 1), cursor)
    return max(min(top, count - room), 0)


def table_rows(listing: Listing, shape: Shape, top: int, rows: int, columns: int, charset: Charset) -> list[Row]:
    """Return ``rows`` rows of ``columns``: the headings, then the listing from ``top``."""
    shown = shape.fitted(listing.columns, columns)
    heads = [listing.columns[index].head for index, _ in shown]
    leads = [" " * _GAP for _ in shown]
    for place, (index, _) in enumerate(shown):
        if index == listing.sorted_by:
            # Before its column, where there always is a blank: a figure's heading ends where its figures end.
            leads[place] = f" {glyphs(charset).down if listing.falling else glyphs(charset).up}"
    found = [_row(leads, heads, shown, shape, Tone.STRONG, charset)]
    for at, row in enumerate(listing.window(top, rows - 1), start=top):
        here = at == listing.cursor
        leads = [("▸ " if here and not place else " " * _GAP) for place in range(len(shown))]
        texts = [cell_text(row, listing.columns[index]) for index, _ in shown]
        found.append(_row(leads, texts, shown, shape, Tone.CHOSEN if here else Tone.PLAIN, charset))
    lines = [shown_row(row, columns, charset) for row in found]
    return [*lines, *(shown_row((), columns, charset) for _ in range(rows - len(lines)))][:rows]


def _row(
    leads: Sequence[str],
    texts: Sequence[str],
    shown: Sequence[tuple[int, int]],
    shape: Shape,
    tone: Tone,
    charset: Charset,
) -> list[Piece]:
    """Return one row: before every cell the two characters of ``leads``, figures to the right, words to the left."""
    row = ""
    for lead, text, (index, width) in zip(leads, texts, shown, strict=True):
        plain = in_charset([(text, tone)], charset)[0][0]
        row += lead + (plain.rjust(width) if shape.figures[index] else _padded(plain, width))
    return [(row, tone)]


def _padded(text: str, width: int) -> str:
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
