"""The label screen as something to look at: its panes, drawn from the item, the moment and the status alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qnet_tui.tui.hints import hint_row
from qnet_tui.tui.label_actions import Moment, fit_offered
from qnet_tui.tui.label_words import Said, Status, answer_rows, header_rows, nothing_left_lines
from qnet_tui.tui.screens.desk_work import SavingWork
from qnet_tui.tui.tones import Piece, Row
from qnet_tui.workflows.label import Item, LabelSession


class LabelPanes(SavingWork[Moment, LabelSession, Status]):
    """The panes of one inspector: the answer stands below the spectrum."""

    words_pane: ClassVar[str] = "answer"

    # The round that was asked for (None: all), and the item that is looked at.
    round: int | None = None
    item: Item | None = None

    @property
    def seen(self) -> Moment:
        """The moment as it is drawn: while a fit is offered, the lines stand where it would put them."""
        return self.moment if self.offer is None else fit_offered(self.offer, self.moment)

    def _item_shown(self) -> Item | None:
        return self.item

    def _header(self, columns: int) -> Sequence[Row]:
        return header_rows(self.item, self.status, columns, self.charset)

    def _words(self, message: Piece | None, rows: int, columns: int) -> list[Row]:
        said = Said(self._view_words(), message, self.actions, self.offer is not None)
        return answer_rows(self.item, self.seen, said, rows, columns, self.charset)

    def _hint(self, columns: int) -> Row:
        moment = self.moment if self.picture is not None else None
        return hint_row(moment, self.actions, columns, self.charset)

    def _nothing_left(self) -> list[str] | None:
        progress = self.status.progress
        return None if progress is None else nothing_left_lines(self.round, progress, self.actions)

    def _view_words(self) -> str:
        if self.picture is None:
            return ""
        # Which template it is says more than that there is one.
        model, view = self.picture.model_words(self.seen), self.moment.view
        return view.words().replace(f"model {view.template}".rstrip(), model) if model else view.words()
