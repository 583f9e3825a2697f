"""How the working screens look: a spectrum, words and small panes below it, and one row of keys, at any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.keys import Action, worded
from qnet_tui.plotting.canvas import Charset
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.hints import letters_row, message_row, offer_row
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.label_picture import Picture, notice
from qnet_tui.tui.layout import Panes, panes_for
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.screens.keyed import KeyedScreen
from qnet_tui.tui.tones import Piece, Row, Tone, width
from qnet_tui.tui.view import View
from qnet_tui.tui.widgets.cells import CellPane
from qnet_tui.tui.widgets.rows import Rows
from qnet_tui.workflows.label_item import Item


class Shown(Protocol):
    """What a screen has before it as one key press finds it: pure, replaced by every key."""

    @property
    def view(self) -> View:
        """How the spectrum is looked at."""

    @property
    def z(self) -> float | None:
        """The redshift whose lines are drawn."""

    @property
    def seen(self) -> Moment:
        """The same as the pictures take it."""


M = TypeVar("M", bound=Shown)


class PicturePanes(KeyedScreen, Generic[M]):
    """Header, spectrum, words with small panes, and one row of keys (or the line that is being typed).

    All of it is drawn from what the screen holds; each screen says what its words are.
    """

    # The id of the pane of words, and how many small panes there can be beside it.
    words_pane: ClassVar[str]
    most_zooms: ClassVar[int] = 3

    def __init__(self, charset: Charset, actions: tuple[Action, ...], moment: M) -> None:
        """Begin at ``moment`` without a picture; ``actions`` are those that exist here, with live keys."""
        super().__init__()
        self.charset, self._actions, self.moment = charset, actions, moment
        self.picture: Picture | None = None
        self.message: Piece | None = None
        # The action that waits for a letter ("name_line" or "standard_comment"), "" when none does.
        self.asked = ""
        # What the local fit found, until it is taken or left.
        self.offer: LocalFit | None = None
        self.line: LineEdit | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that exist here."""
        return self._actions

    @property
    def seen(self) -> Moment:
        """The moment as it is drawn."""
        return self.moment.seen

    def say(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Show one line until the next key; actions in braces are written as their keys."""
        self.message = (worded(text, self.actions), tone)
        self.draw()

    def refuse(self, error: Exception) -> None:
        """Keep what could not be done, and why, as the message."""
        text = error.said(self.actions) if isinstance(error, Refused) else str(error)
        self.message = (" ".join(text.split()), Tone.WARN)

    # ------------------------------------------------------------------ what each screen says itself

    def _item_shown(self) -> Item | None:
        """Return the spectrum that is looked at with what is known of it; None when there is none."""
        raise NotImplementedError

    def _title(self, item: Item) -> str:
        """Return what the object is called."""
        return item.title

    def _panes(self, columns: int, rows: int) -> Panes:
        """Share out the terminal."""
        return panes_for(columns, rows)

    def _header(self, columns: int) -> Sequence[Row]:
        """Return the two rows above the spectrum."""
        raise NotImplementedError

    def _words(self, message: Piece | None, rows: int, columns: int) -> list[Row]:
        """Return the pane of words, with ``message`` in it."""
        raise NotImplementedError

    def _hint(self, columns: int) -> Row:
        """Return the last row when nothing else stands there: the keys that help now."""
        raise NotImplementedError

    def _nothing_left(self) -> list[str] | None:
        """Return what stands in place of the spectrum when there is none; None: whatever stood there."""
        return None

    def _ticks(self) -> Sequence[Marker]:
        """Return markers to be laid over the lines."""
        return ()

    # ------------------------------------------------------------------ drawing

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield Rows(id="header")
        yield CellPane(id="spectrum")
        with Horizontal(id="lower"):
            yield Rows(id=self.words_pane)
            for place in range(self.most_zooms):
                yield CellPane(id=f"zoom{place}")
        yield Rows(id="hint")
        yield Static("", id="enlarge", markup=False)

    def draw(self) -> None:
        """Show what there is; each pane sends only what changed."""
        columns, rows = self.size
        if not columns or not self.is_attached:
            return
        if self._is_too_small():
            return
        panes, words = self._panes(columns, rows), f"#{self.words_pane}"
        self._resize("#spectrum", columns, panes.spectrum_rows)
        self._resize("#lower", columns, panes.lower_rows)
        self._resize(words, panes.text_columns, panes.lower_rows)
        self.query_one("#header", Rows).show(self._header(columns))
        self._draw_spectrum(columns, panes.spectrum_rows)
        self._draw_small(panes)
        # A message stands among the words, or over the whole last row when it is too long for that.
        over = self.line is None and not self.asked
        long = over and self.message is not None and width([self.message]) >= panes.text_columns
        message = None if long else self.message
        self.query_one(words, Rows).show(self._words(message, panes.lower_rows, panes.text_columns))
        self.query_one("#hint", Rows).show([self._bottom_row(columns, self.message if long else None)])

    def _draw_spectrum(self, columns: int, rows: int) -> None:
        pane, item = self.query_one("#spectrum", CellPane), self._item_shown()
        if self.picture is not None:
            pane.show(self.picture.main(self.seen, rows, columns, self._ticks()))
        elif item is not None:
            pane.show(notice(rows, columns, [self._title(item), item.problem[: columns - 2]]))
        elif (lines := self._nothing_left()) is not None:
            pane.show(notice(rows, columns, lines))

    def _draw_small(self, panes: Panes) -> None:
        room = (panes.lower_rows, panes.zoom_columns)
        for place in range(self.most_zooms):
            pane = self.query_one(f"#zoom{place}", CellPane)
            pane.display = place < panes.zooms
            if not pane.display:
                continue
            self._resize(f"#zoom{place}", panes.zoom_columns, panes.lower_rows)
            if self.picture is None:
                pane.show(notice(*room, []))
            else:
                pane.show(self.picture.small(self.seen, *room, place, panes.zooms, self._ticks()))

    def _view_words(self) -> str:
        """Say how the spectrum is looked at, and which template is drawn."""
        words = self.moment.view.words()
        model = self.picture.model_words(self.seen) if self.picture is not None else ""
        return f"{words}: {model}" if model and not self.moment.view.template else words

    def _bottom_row(self, columns: int, message: Piece | None) -> Row:
        if self.line is not None:
            return self.line.row(columns)
        if self.asked:
            return letters_row(self.asked, columns, self.charset, self.actions)
        if message is not None:
            return message_row(message, columns, self.charset)
        if self.offer is not None:
            return offer_row(self.offer, self.moment.z, columns, self.charset, self.actions)
        return self._hint(columns)

    def _picture_of(self, item: Item, *, with_templates: bool = False) -> Picture:
        # Templates take a moment to make: only for those who look at them.
        wanted = with_templates or self.moment.view.model
        return Picture(item.data, self.charset, item.templates if wanted else ())
