"""The rows of a table as a person has arranged them: filtered, sorted, and with a cursor. Nothing is drawn here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qnet_tui.workflows.review.tab import Column, cell

# The columns that a row is called by when its name is copied, the best first.
_NAMING = ("identity", "targetid", "object_id", "thing_id", "run")


def cell_text(row: Any, column: Column) -> str:
    """Return one cell as it is written: floats to the column's digits, what is unknown as "-", in one line."""
    value = cell(row, column.key)
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.{column.digits}f}" if math.isfinite(value) else "-"
    return one_line(str(value))


def one_line(text: str) -> str:
    """Return ``text`` in one line without anything that a terminal would take for a command."""
    if text.isprintable():
        return text
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


@dataclass(frozen=True, eq=False)
class Listing:
    """``rows`` under ``columns``; ``order`` are the rows that are shown (None: all, as they come).

    ``cursor`` counts within what is shown. ``sorted_by`` is a column (-1: none), ``falling`` from high to low;
    ``wanted`` are words that a row must have.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Any]
    order: tuple[int, ...] | None = None
    cursor: int = 0
    sorted_by: int = -1
    falling: bool = False
    wanted: str = ""

    def __len__(self) -> int:
        """Rows that are shown."""
        return len(self.rows) if self.order is None else len(self.order)

    @property
    def at(self) -> int | None:
        """Which of ``rows`` the cursor is on; None when nothing is shown."""
        if not len(self):
            return None
        return self.cursor if self.order is None else self.order[self.cursor]

    @property
    def row(self) -> Any:
        """The row under the cursor; None when nothing is shown."""
        return None if self.at is None else self.rows[self.at]

    def window(self, first: int, count: int) -> list[Any]:
        """Return at most ``count`` of the rows that are shown, from ``first``; no other row is read."""
        if self.order is None:
            return list(self.rows[first : first + count])
        return [self.rows[index] for index in self.order[first : first + count]]

    def moved(self, step: int) -> Listing:
        """Move the cursor by ``step`` rows, at most to the first or the last."""
        return replace(self, cursor=min(max(self.cursor + step, 0), max(len(self) - 1, 0)))

    def sorted_next(self) -> Listing:
        """Sort by the column after the one it is sorted by; after the last one, as the rows come."""
        column = self.sorted_by + 1 if self.sorted_by + 1 < len(self.columns) else -1
        return self._arranged(replace(self, sorted_by=column, falling=False))

    def turned(self) -> Listing:
        """Sort the other way round; what is unknown stays at the end."""
        return self._arranged(replace(self, falling=not self.falling))

    def filtered(self, words: str) -> Listing:
        """Show only rows in whose cells ``words`` stand one after the other, whatever their case; "" shows all."""
        return self._arranged(replace(self, wanted=" ".join(words.split())))

    def name_of_row(self) -> str:
        """Return what the row under the cursor is called: its identity where it has one, else its first cell."""
        if self.at is None or not self.columns:
            return ""
        named = {column.key.lower(): column for column in reversed(self.columns)}
        return cell_text(self.row, next((named[key] for key in _NAMING if key in named), self.columns[0]))

    def _arranged(self, wished: Listing) -> Listing:
        """Bring the rows into the order that is wished, and keep the cursor on its row where that is still shown."""
        here = self.at
        order: Sequence[int] = range(len(self.rows))
        if wished.wanted:
            order = [index for index in order if wished.wanted.lower() in self._text(self.rows[index])]
        if wished.sorted_by >= 0:
            order = _sorted(order, self.rows, self.columns[wished.sorted_by], falling=wished.falling)
        elif wished.falling:
            order = order[::-1]
        plain = isinstance(order, range) and order.step == 1
        shown = tuple(order)
        cursor = shown.index(here) if here is not None and here in shown else 0
        return replace(wished, order=None if plain else shown, cursor=cursor)

    def _text(self, row: Any) -> str:
        return " ".join(cell_text(row, column) for column in self.columns).lower()


def _sorted(order: Sequence[int], rows: Sequence[Any], column: Column, *, falling: bool) -> list[int]:
    """Sort by value: numbers before words, words whatever their case, and what is unknown at the end either way."""
    values = {index: cell(rows[index], column.key) for index in order}
    known = [index for index in order if not _is_unknown(values[index])]
    numbers = [index for index in known if isinstance(values[index], int | float)]
    words = [index for index in known if not isinstance(values[index], int | float)]
    numbers.sort(key=lambda index: values[index], reverse=falling)
    words.sort(key=lambda index: str(values[index]).lower(), reverse=falling)
    both = [*words, *numbers] if falling else [*numbers, *words]
    return both + [index for index in order if _is_unknown(values[index])]


def _is_unknown(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
