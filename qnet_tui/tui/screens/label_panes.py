"""The label screen as something to look at: its panes, drawn from the item, the moment and the status alone."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from qnet_tui.inspection.item import ItemState
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.label_picture import Picture, notice
from qnet_tui.tui.label_words import Status, answer_rows, header_rows, hint_row, nothing_left_lines
from qnet_tui.tui.layout import SMALLEST, Panes, panes_for
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.screens.keyed import KeyedScreen
from qnet_tui.tui.tones import Piece, Row
from qnet_tui.tui.view import View
from qnet_tui.tui.widgets.cells import CellPane
from qnet_tui.tui.widgets.rows import Rows
from qnet_tui.workflows.label import Item

_MOST_ZOOMS = 3


class LabelPanes(KeyedScreen):
    """Header, spectrum, answer with small panes, and one line of keys (or the line that is being typed)."""

    def __init__(self, status: Status, charset: Charset, round_number: int | None) -> None:
        """Begin empty; ``round_number`` is the round that was asked for."""
        super().__init__()
        self.status, self.charset, self.round = status, charset, round_number
        self.item: Item | None = None
        self.moment = Moment(ItemState(), View())
        self.picture: Picture | None = None
        self.message: Piece | None = None
        self.naming = False
        self.line: LineEdit | None = None

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield Rows(id="header")
        yield CellPane(id="spectrum")
        with Horizontal(id="lower"):
            yield Rows(id="answer")
            for place in range(_MOST_ZOOMS):
                yield CellPane(id=f"zoom{place}")
        yield Rows(id="hint")
        yield Static("", id="enlarge", markup=False)

    def on_resize(self) -> None:
        """Draw everything for the new size."""
        self.draw()

    def draw(self) -> None:
        """Show what there is; each pane sends only what changed."""
        columns, rows = self.size
        if not columns:
            return
        small = columns < SMALLEST[0] or rows < SMALLEST[1]
        self.set_class(small, "small")
        if small:
            need = f"{SMALLEST[0]} x {SMALLEST[1]}"
            self.query_one("#enlarge", Static).update(f"enlarge: qnet needs {need}, this is {columns} x {rows}")
            return
        panes = panes_for(columns, rows)
        self._resize("#spectrum", columns, panes.spectrum_rows)
        self._resize("#lower", columns, panes.lower_rows)
        self._resize("#answer", panes.answer_columns, panes.lower_rows)
        self.query_one("#header", Rows).show(header_rows(self.item, self.status, columns, self.charset))
        self._draw_spectrum(columns, panes.spectrum_rows)
        self._draw_small(panes)
        room = (panes.lower_rows, panes.answer_columns)
        answer = answer_rows(self.item, self.moment, self.status, self.message, *room, self.charset)
        self.query_one("#answer", Rows).show(answer)
        self.query_one("#hint", Rows).show([self._bottom_row(columns)])

    def _draw_spectrum(self, columns: int, rows: int) -> None:
        pane = self.query_one("#spectrum", CellPane)
        if self.picture is not None:
            pane.show(self.picture.main(self.moment, rows, columns))
        elif self.item is not None:
            pane.show(notice(rows, columns, [self.item.title, self.item.problem[: columns - 2]]))
        elif self.status.progress is not None:
            pane.show(notice(rows, columns, nothing_left_lines(self.round, self.status.progress)))

    def _draw_small(self, panes: Panes) -> None:
        for place in range(_MOST_ZOOMS):
            pane = self.query_one(f"#zoom{place}", CellPane)
            pane.display = place < panes.zooms
            if not pane.display:
                continue
            self._resize(f"#zoom{place}", panes.zoom_columns, panes.lower_rows)
            if self.picture is None:
                pane.show(notice(panes.lower_rows, panes.zoom_columns, []))
            else:
                room = (panes.lower_rows, panes.zoom_columns)
                pane.show(self.picture.small(self.moment, *room, place, panes.zooms))

    def _bottom_row(self, columns: int) -> Row:
        if self.line is not None:
            return self.line.row(columns)
        blind = self.status.blind
        return hint_row(self.moment, naming=self.naming, blind=blind, columns=columns, charset=self.charset)

    def _resize(self, selector: str, columns: int, rows: int) -> None:
        """Set a size only when it changes: every change lays the whole screen out again."""
        styles = self.query_one(selector).styles
        if styles.width is None or styles.width.value != columns:
            styles.width = columns
        if styles.height is None or styles.height.value != rows:
            styles.height = rows
