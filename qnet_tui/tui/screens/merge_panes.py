"""The merging screen as something to look at: its panes, drawn from the case, the moment and the status alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.tui.layout import Panes
from qnet_tui.tui.merge_actions import MergeMoment
from qnet_tui.tui.merge_layout import merge_panes_for
from qnet_tui.tui.merge_marks import ticks_of_others
from qnet_tui.tui.merge_words import MergeStatus, Said, case_rows, merge_header_rows, merge_hint_row, nothing_left_lines
from qnet_tui.tui.screens.desk_work import SavingWork
from qnet_tui.tui.tones import Piece, Row
from qnet_tui.workflows.label_item import Item
from qnet_tui.workflows.merge import Case, MergeSession


class MergeScreenPanes(SavingWork[MergeMoment, MergeSession, MergeStatus]):
    """The panes of one merger: the table of votes stands below the spectrum."""

    words_pane: ClassVar[str] = "votes"
    most_zooms: ClassVar[int] = 2

    # The round that was asked for (None: all), and the case that is looked at.
    round: int | None = None
    case: Case | None = None

    def _item_shown(self) -> Item | None:
        return self.case.item if self.case is not None else None

    def _title(self, item: Item) -> str:
        return self.case.title if self.case is not None else item.title

    def _panes(self, columns: int, rows: int) -> Panes:
        return merge_panes_for(columns, rows, len(self.case.votes) if self.case is not None else 3)

    def _header(self, columns: int) -> Sequence[Row]:
        return merge_header_rows(self.case, self.status, columns, self.charset)

    def _words(self, message: Piece | None, rows: int, columns: int) -> list[Row]:
        said = Said(self._view_words(), message, self.actions)
        return case_rows(self.case, self.moment, said, rows, columns, self.charset)

    def _hint(self, columns: int) -> Row:
        return merge_hint_row(self.case, self.moment, self.actions, columns, self.charset)

    def _nothing_left(self) -> list[str] | None:
        counts = self.status.counts
        return None if counts is None else nothing_left_lines(self.round, counts, self.actions)

    def _ticks(self) -> Sequence[Marker]:
        return () if self.case is None else ticks_of_others(self.case.votes, self.moment)
