"""The review screen as something to look at: its panes, drawn from what it holds alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from qnet_tui.inspection.answer import z_text
from qnet_tui.inspection.item import ItemState
from qnet_tui.inspection.keys import Action, worded
from qnet_tui.plotting.canvas import Cells, Charset
from qnet_tui.tui.hints import in_charset, message_row
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.label_picture import Picture, notice
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.listing import Listing
from qnet_tui.tui.review_choices import Choices
from qnet_tui.tui.review_words import (
    Busy,
    Told,
    bar_row,
    hint_row,
    middle_rows,
    place_words,
    shown_line,
    shown_words,
    told_rows,
    trouble_lines,
)
from qnet_tui.tui.screens.keyed import KeyedScreen
from qnet_tui.tui.tones import Piece, Row, Tone
from qnet_tui.tui.view import View
from qnet_tui.tui.widgets.cells import CellPane
from qnet_tui.tui.widgets.chart import ChartPane
from qnet_tui.tui.widgets.rows import Rows
from qnet_tui.tui.widgets.table import Shape, Table
from qnet_tui.workflows.review.tab import Tab
from qnet_tui.workflows.review.tabs import TABS
from qnet_tui.workflows.spectrum_file import RowShown, started

# The table has at most this share of the width; the chart has the rest.
_TABLE_SHARE = 0.45
_HEADER_ROWS, _HINT_ROWS = 2, 1

Fill = Literal["both", "chart", "table"]


@dataclass(frozen=True)
class Shown:
    """A tab that was computed, with its table as the person has arranged it."""

    tab: Tab
    listing: Listing
    shape: Shape

    @classmethod
    def of(cls, tab: Tab, charset: Charset) -> Shown:
        """Begin at the first row, in the order of the tab."""
        columns = tuple(
            replace(column, head=in_charset([(column.head, Tone.PLAIN)], charset)[0][0]) for column in tab.columns
        )
        return cls(tab, Listing(columns, tab.rows), Shape.of(columns, tab.rows))


@dataclass(frozen=True, eq=False)
class SpectrumOfRow:
    """The spectrum of one row, ready to be drawn, or why there is none."""

    picture: Picture | None
    moment: Moment
    title: str
    problem: str = ""

    @classmethod
    def of(cls, shown: RowShown, z: float | None, charset: Charset) -> SpectrumOfRow:
        """Draw it with the lines at ``z``; None: where the pipeline has them, if it has an answer."""
        item = shown.item
        state = ItemState() if item.problem else started(item, z)
        picture = None if item.problem else Picture(item.data, charset, ())
        return cls(picture, Moment(state, View()), item.title, item.problem)

    @classmethod
    def unreadable(cls, title: str, why: str) -> SpectrumOfRow:
        """Return what is shown of a spectrum that cannot be read."""
        return cls(None, Moment(ItemState(), View()), title, why)

    @property
    def z_words(self) -> str:
        """Say where the lines stand."""
        answer = self.moment.state.answer
        if answer.z is None:
            return "no redshift is known"
        return f"lines at z {z_text(answer.z)}{' of the pipeline' if answer.z_source == 'pipeline' else ''}"

    def cells(self, rows: int, columns: int) -> Cells:
        """Return the picture at a size."""
        if self.picture is None:
            return notice(rows, columns, [self.title, self.problem[: columns - 2]])
        return self.picture.main(self.moment, rows, columns)


class ReviewPanes(KeyedScreen):
    """Tabs, what is shown, a table beside a chart, the sentence to take away, and one row of keys."""

    def __init__(
        self, charset: Charset, actions: tuple[Action, ...], name: str, choices: Choices, *, back: bool
    ) -> None:
        """Begin at the tab ``name`` with nothing computed yet; ``back``: there is a home screen to go back to."""
        super().__init__()
        self.charset, self._actions = charset, actions
        self.lit, self.choices, self.has_home = name, choices, back
        self.shown: Shown | None = None
        self.trouble = ""
        self.busy: Busy | None = None
        self.fill: Fill = "both"
        self.spectrum: SpectrumOfRow | None = None
        self.message: Piece | None = None
        self.line: LineEdit | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that exist here."""
        return self._actions

    @property
    def tab(self) -> Tab | None:
        """The tab that is shown."""
        return None if self.shown is None else self.shown.tab

    @property
    def listing(self) -> Listing:
        """The table that is shown, empty when there is none."""
        return Listing((), ()) if self.shown is None else self.shown.listing

    def say(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Show one line until the next key; actions in braces are written as their keys."""
        self.message = (worded(text, self.actions), tone)
        self.draw()

    # ------------------------------------------------------------------ drawing

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield Rows(id="header")
        with Horizontal(id="body"):
            yield Table(id="table")
            yield ChartPane(id="chart", charset=self.charset)
            yield CellPane(id="spectrum")
        yield Rows(id="says")
        yield Rows(id="hint")
        yield Static("", id="enlarge", markup=False)

    def draw(self) -> None:
        """Show what there is; each pane sends only what changed."""
        columns, rows = self.size
        if not columns or not self.is_attached:
            return
        if self._is_too_small():
            return
        told = (
            Told([], False) if self.tab is None or self._middle() else told_rows(self.tab, rows, columns, self.charset)
        )
        body = rows - _HEADER_ROWS - _HINT_ROWS - len(told.rows)
        self._resize("#body", columns, body)
        self.query_one("#says").display = bool(told.rows)
        self._resize("#says", columns, len(told.rows))
        self.query_one("#header", Rows).show(self._header(columns))
        self._draw_body(columns, body)
        self.query_one("#says", Rows).show(told.rows)
        self.query_one("#hint", Rows).show([self._bottom_row(columns, told)])

    def _header(self, columns: int) -> list[Row]:
        left = [] if self.tab is None else shown_words(self.tab)
        if self.spectrum is not None and self.spectrum.picture is not None:
            left.append(self.spectrum.z_words)
        return [
            bar_row(tuple(TABS), self.lit, columns, self.charset),
            shown_line(left, place_words(self.listing), columns, self.charset),
        ]

    def _middle(self) -> list[str]:
        """Return what stands in place of table and chart when there are none."""
        if self.trouble:
            return trouble_lines(self.lit, self.trouble, self.choices.asked(self.lit), self.actions)
        if self.tab is None:
            return [] if self.busy is None else [self.busy.words(), TABS[self.lit]]
        if not self.tab.rows and self.tab.chart is None:
            return [self.tab.empty or "nothing to show yet", *self.tab.notes]
        return []

    def _draw_body(self, columns: int, rows: int) -> None:
        table = self.query_one("#table", Table)
        middle, shown = self._middle(), self.shown
        if middle or shown is None:
            self._show_panes(table=columns, chart=0, spectrum=0, rows=rows)
            table.show(middle_rows(middle, rows, columns, self.charset))
            return
        beside, wide = self._shared(shown, columns)
        with_spectra = bool(shown.tab.spectra)
        self._show_panes(wide, 0 if with_spectra else beside, beside if with_spectra else 0, rows)
        if wide:
            shown = self.shown = self._measured(shown, table, rows)
            table.show_listing(shown.listing, shown.shape, rows, wide, self.charset)
        if beside and with_spectra:
            self.query_one("#spectrum", CellPane).show(self._spectrum_cells(rows, beside))
        elif beside:
            self.query_one("#chart", ChartPane).show_chart(shown.tab.chart, (beside, rows))

    def _spectrum_cells(self, rows: int, columns: int) -> Cells:
        if self.spectrum is not None:
            return self.spectrum.cells(rows, columns)
        is_there = self._path_of_row() is not None or not len(self.listing)
        return notice(rows, columns, [] if is_there else ["no spectrum of it was copied"])

    def _path_of_row(self) -> Path | None:
        """Return the file of the spectrum of the row under the cursor."""
        at, spectra = self.listing.at, () if self.tab is None else self.tab.spectra
        return spectra[at] if at is not None and at < len(spectra) else None

    def _measured(self, shown: Shown, table: Table, rows: int) -> Shown:
        """Widen columns for figures that come into sight and are wider than any that was measured."""
        first = table.top_for(shown.listing, rows)
        shape = shown.shape.with_rows(shown.listing.columns, shown.listing.window(first, rows - 1))
        return shown if shape == shown.shape else replace(shown, shape=shape)

    def _shared(self, shown: Shown, columns: int) -> tuple[int, int]:
        """Return the columns of the chart and of the table; 0: it is not shown."""
        if (shown.tab.chart is None and not shown.tab.spectra) or self.fill == "table":
            return 0, columns
        if self.fill == "chart" or not shown.tab.columns or not shown.tab.rows:
            return columns, 0
        table = min(shown.shape.natural + 1, int(_TABLE_SHARE * columns))
        return columns - table - 1, table

    def _show_panes(self, table: int, chart: int, spectrum: int, rows: int) -> None:
        for name, columns in (("#table", table), ("#chart", chart), ("#spectrum", spectrum)):
            pane = self.query_one(name)
            pane.display = columns > 0
            if columns:
                self._resize(name, columns, rows)
                pane.set_class(table > 0 and name != "#table", "beside")

    def _bottom_row(self, columns: int, told: Told) -> Row:
        if self.line is not None:
            return self.line.row(columns)
        if self.message is not None:
            return message_row(self.message, columns, self.charset)
        return hint_row(self.tab, self.listing, told, self.has_home, self.actions, columns, self.charset)
