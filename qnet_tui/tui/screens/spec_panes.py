"""The file viewer as something to look at: its panes, drawn from the row, the moment and the words alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qnet_tui.inspection.item import ItemState
from qnet_tui.inspection.keys import Action
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.label_actions import Moment, fit_offered
from qnet_tui.tui.screens.desk_work import DeskWork
from qnet_tui.tui.spec_words import FileWords, Told, facts_rows, header_rows, hint_row
from qnet_tui.tui.tones import Piece, Row
from qnet_tui.tui.view import View
from qnet_tui.workflows.label_item import Item
from qnet_tui.workflows.spectrum_file import RowShown, SpectrumFile


class SpecPanes(DeskWork[Moment, SpectrumFile]):
    """The panes of one file: what is known of the row stands below the spectrum."""

    words_pane: ClassVar[str] = "facts"

    def __init__(
        self,
        desk: Desk[SpectrumFile],
        words: FileWords,
        shown: RowShown,
        charset: Charset,
        actions: tuple[Action, ...],
    ) -> None:
        """Begin at ``shown``; ``actions`` are those with live keys."""
        super().__init__(desk, charset, actions, Moment(ItemState(), View()))
        self.words, self.shown = words, shown

    @property
    def seen(self) -> Moment:
        """The moment as it is drawn: while a fit is offered, the lines stand where it would put them."""
        return self.moment if self.offer is None else fit_offered(self.offer, self.moment)

    def _item_shown(self) -> Item | None:
        return self.shown.item

    def _header(self, columns: int) -> Sequence[Row]:
        return header_rows(self.words, self.shown, columns, self.charset)

    def _words(self, message: Piece | None, rows: int, columns: int) -> list[Row]:
        told = Told(self._view_words(), message, self.actions)
        return facts_rows(self.shown, self.seen, told, rows, columns, self.charset)

    def _hint(self, columns: int) -> Row:
        return hint_row(self.moment, self.actions, self.words.rows, columns, self.charset)
