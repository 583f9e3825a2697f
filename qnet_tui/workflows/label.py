"""``qnet label``: one inspector's walk through the queue, the same for the screen and for ``--plain``.

The session joins the workspace's database with the pure parts below: it hands out items, keeps drafts, and commits
an answer durably (journal and transaction) before it hands out the next. It belongs to the thread that opened it.
"""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import storage.settings as campaign
import storage.votes as store
from qnet_tui.errors import BadInput
from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.item import ItemState
from qnet_tui.workflows.inspectors import inspector_of
from qnet_tui.workflows.label_find import Finder
from qnet_tui.workflows.label_item import Item, blinded, pipeline_words
from qnet_tui.workflows.label_shelf import AHEAD, Shelf
from qnet_tui.workflows.label_trail import Trail
from qnet_tui.workflows.label_votes import OwnVotes, Saved, Terms
from storage.rounds import SelectionRecord, rounds
from storage.stars import set_star, stars
from storage.workspace import Workspace

__all__ = ["Item", "LabelOptions", "LabelSession", "Progress", "Saved"]


@dataclass(frozen=True)
class LabelOptions:
    """What ``qnet label`` was asked: ``inspector`` is ``--as``, ``charset`` None means what the locale can show.

    ``fast_commit`` None means as the person's own file of keys says.
    """

    inspector: str | None = None
    round: int | None = None
    blind: bool = False
    charset: str | None = None
    fast_commit: bool | None = None


@dataclass(frozen=True)
class Progress:
    """Votes needed and made by everybody, mine, objects left for me, who holds some, and my seconds an object."""

    needed: int
    made: int
    mine: int
    mine_left: int
    held: tuple[tuple[str, float], ...]
    usual_seconds: float | None


class LabelSession:
    """The queue of one inspector in one workspace.

    Every method may raise :class:`storage.errors.StorageError` (disk full, database busy); nothing is then lost
    that was acknowledged, and the same call may simply be made again.
    """

    def __init__(self, ws: Workspace, inspector: str, options: LabelOptions, now: Callable[[], datetime]) -> None:
        """Use :meth:`open`."""
        self._ws = ws
        self.inspector = inspector
        self.round = options.round
        self.votes_required = int(campaign.get_setting(ws, "votes_required"))
        # An inspector may only tighten the campaign's blinding.
        self.blind_model = bool(campaign.get_setting(ws, "blind_model")) or options.blind
        self.blind_peers = bool(campaign.get_setting(ws, "blind_peers")) or options.blind
        self._reveals = bool(campaign.get_setting(ws, "show_after_commit")) and not options.blind
        self._own = OwnVotes(ws, self._terms(), now)
        self._finder = Finder(ws, self._terms(), self._own)
        self._shelf = Shelf(ws, {summary.round: summary.selected for summary in rounds(ws)})
        self._trail = Trail()
        self.current: Item | None = None
        self._shown: SelectionRecord | None = None
        self._placed = False

    @classmethod
    def open(
        cls,
        root: Path,
        options: LabelOptions,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        os_user: str | None = None,
    ) -> LabelSession:
        """Open the workspace for the inspector that this account is bound to.

        ``--as CODE`` binds a new code to the account the first time; afterwards it may be left out. BadInput when
        nobody is bound, or there is no such round; storage's Refused when the code is another account's.
        """
        user = os_user or getpass.getuser()
        ws = Workspace.open(root)
        try:
            known = [summary.round for summary in rounds(ws)]
            if not known:
                raise BadInput("there is nothing to label yet", mend="'qnet run-al' selects spectra", file=root)
            if options.round is not None and options.round not in known:
                raise BadInput(f"there is no round {options.round}", mend=f"rounds: {', '.join(map(str, known))}")
            return cls(ws, inspector_of(ws, user, options.inspector), options, now)
        except BaseException:
            ws.close()
            raise

    def start(self) -> Item | None:
        """Return the item to begin with: where this inspector was, else the first of the queue; None when done."""
        position = store.load_position(self._ws, self.inspector) or {}
        record = self._finder.record(position.get("round"), position.get("object_id"))
        if record is not None and position.get("again"):
            # The inspector was about to answer anew; if that is refused now, the queue goes on.
            with contextlib.suppress(Refused):
                return self._go_to(record)
        elif record is not None and self._finder.is_open(record) and self._finder.lease(record):
            return self._show_new(record)
        return self._next_of_queue([])

    def commit(self, state: ItemState, active_seconds: float) -> Saved:
        """Save the answer for the current item, durably, and close the item. :meth:`next` then moves on.

        Repeating a commit that failed saves one vote, however often it is tried.

        Raises:
            Refused: the answer is not complete, or there is no item.
        """
        item = self.current
        if item is None:
            raise Refused("there is no spectrum to save an answer for")
        saved = self._own.commit(item, state.with_commit_asked(), active_seconds)
        revealed = self._revealed(self._shown) if self._shown is not None else ""
        self._leave(item.object_id)
        return replace(saved, revealed=revealed)

    def next(self) -> Item | None:
        """Return the next item without committing the current one; after the last one those passed over; or None."""
        return self._next(put_off=[])

    def previous(self) -> Item:
        """Return the item before, among those passed over in this session.

        Raises:
            Refused: there is none that is still open.
        """
        for record in self._trail.behind(including_here=self.current is None):
            if self._finder.is_open(record) and self._finder.lease(record):
                self._trail.stand_at(record)
                return self._show(record)
        raise Refused("this is the first spectrum of this session: {undo} reopens your last answer")

    def defer(self) -> Item | None:
        """Put the current item at the end of the queue and return the next; the same one when it is the last."""
        if self.current is None:
            return self.next()
        object_id = self.current.object_id
        store.defer(self._ws, self.inspector, object_id)
        self._leave(object_id)
        return self._next(put_off=[object_id])

    def undo(self) -> Item:
        """Withdraw my last committed answer and return its item with the answer as a draft.

        Raises:
            Refused: I have no answer left in this round (storage's own Refused when it is merged already).
        """
        mine = self._own.given()
        if not mine:
            raise Refused("there is no answer of yours to reopen")
        record = self._finder.record(mine[-1].round, mine[-1].object_id)
        if record is None:
            raise Refused("your last answer is about an object that was withdrawn from its round")
        self._own.undo(mine[-1])
        if not self._finder.lease(record):
            raise Refused("your answer is withdrawn, but somebody else is looking at the spectrum now: it comes back")
        return self._show_before(record)

    def redo(self) -> tuple[Saved, str, Item | None]:
        """Let the answer that was undone last hold again; return it, its object's name, and the item to show now.

        Raises:
            Refused: nothing was undone, or the answer was changed since (storage's own when it was merged).
        """
        vote, saved = self._own.redo()
        record = self._finder.record(vote.round, vote.object_id)
        title = self._shelf.take(record).title if record is not None else f"object {vote.object_id}"
        if self.current is not None and self.current.object_id == vote.object_id:
            self._leave(vote.object_id)
            return saved, title, self.next()
        return saved, title, self.current

    def find(self, text: str) -> Item:
        """Return the item of an object by its id (TARGETID, T<THING_ID>, PLATE-MJD-FIBERID) or how the id ends.

        An object that I answered before comes with that answer; a new one will replace it.

        Raises:
            Refused: no round asks for it, it needs no answer of mine, or somebody else is looking at it.
        """
        return self._go_to(self._finder.by_identity(text))

    def go_to(self, rank: int) -> Item:
        """Return the item of the object with that place in the round: the current one's, else the latest.

        Raises:
            Refused: as for :meth:`find`.
        """
        here = self.current.round if self.current is not None else self.round
        return self._go_to(self._finder.by_rank(here, rank))

    def star(self) -> Item:
        """Star the current item for discussion, or take the star back; return the item as it is then."""
        if self.current is None:
            raise Refused("there is no spectrum to star")
        starred = not self.current.starred
        set_star(self._ws, self.inspector, self.current.object_id, starred)
        self.current = replace(self.current, starred=starred)
        return self.current

    def keep_draft(self, body: dict[str, Any]) -> None:
        """Keep what was said of the current item so far (JSON), and that the inspector is here."""
        if self.current is not None:
            store.save_draft(self._ws, self.inspector, self.current.object_id, body)
            self._keep_position()

    def stay(self) -> bool:
        """Keep the current item from others for another while; False when somebody else may have it by now."""
        if self.current is None or self._shown is None:
            return True
        return store.renew_lease(self._ws, self.inspector) or self._finder.lease(self._shown)

    def progress(self) -> Progress:
        """Count votes and what is left."""
        counts = store.progress(self._ws, self.round, self.inspector, self.votes_required)
        return Progress(counts.needed, counts.made, counts.mine, counts.mine_left, counts.held, self._own.usual_seconds)

    def prepare(self) -> bool:
        """Read one of the next spectra ahead; False when the next five lie ready. Nothing is leased by it."""
        passed = set(self._trail.object_ids)
        waiting = store.upcoming(self._ws, self.round, self.inspector, self.votes_required, AHEAD + len(passed))
        ahead = [*self._trail.ahead(), *(record for record in waiting if record.object_id not in passed)]
        return self._shelf.fetch_one(ahead[:AHEAD])

    def close(self) -> None:
        """Give back what is held and close the database."""
        try:
            store.release_leases(self._ws, self.inspector)
        finally:
            self._ws.close()

    # ------------------------------------------------------------------ moving

    def _next(self, put_off: list[int]) -> Item | None:
        """Go forward; objects just put off come after everything else."""
        for record in self._trail.ahead():
            if self._finder.is_open(record) and self._finder.lease(record):
                self._trail.stand_at(record)
                return self._show(record)
        return self._next_of_queue(put_off)

    def _next_of_queue(self, put_off: list[int]) -> Item | None:
        passed = self._trail.object_ids
        here = [] if self.current is None else [self.current.object_id]
        # First what is new, then what was passed over, and last the one that was on the screen just now.
        for skip in (passed + put_off, here + put_off, []):
            record = store.next_object(self._ws, self.round, self.inspector, self.votes_required, skip=skip)
            if record is not None:
                if record.object_id in passed:
                    self._trail.clear()
                return self._show_new(record)
        self.current = self._shown = None
        return None

    def _go_to(self, record: SelectionRecord) -> Item:
        if self.current is not None and self.current.object_id == record.object_id:
            raise Refused("this is the one")
        note, draft = self._finder.why_open(record)
        if not self._finder.lease(record):
            raise Refused(self._finder.held_words(record))
        return self._show_before(record, note=note, draft=draft)

    def _show_new(self, record: SelectionRecord) -> Item:
        self._trail.add(record)
        return self._show(record)

    def _show_before(self, record: SelectionRecord, *, note: str = "", draft: dict[str, Any] | None = None) -> Item:
        """Show ``record``; the current item follows it, as it did before."""
        self._trail.put_before(record, something_shown=self.current is not None)
        return self._show(record, note=note, draft=draft)

    def _show(self, record: SelectionRecord, *, note: str = "", draft: dict[str, Any] | None = None) -> Item:
        item = self._shelf.take(record)
        self._shown = record
        self.current = replace(
            blinded(item) if self.blind_model else item,
            draft=store.draft(self._ws, self.inspector, record.object_id) or draft,
            starred=bool(stars(self._ws, self.inspector, record.object_id)),
            note=note,
        )
        if len(self._trail) > 1 or note or self._placed:
            # Without anything passed over, the queue itself leads back here: no need to write it down.
            self._keep_position()
        return self.current

    def _leave(self, object_id: int) -> None:
        self._trail.leave(object_id)
        self.current = self._shown = None

    # ------------------------------------------------------------------ the database

    def _terms(self) -> Terms:
        return Terms(self.inspector, self.round, self.votes_required, self.blind_peers, self.blind_model, self._reveals)

    def _revealed(self, record: SelectionRecord) -> str:
        """Return what was hidden of an object that I have answered now, where the campaign shows it."""
        if not (self._reveals and self.blind_model):
            return ""
        item = self._shelf.take(record)
        return "; ".join(words for words in (pipeline_words(item), item.why) if words)

    def _keep_position(self) -> None:
        if self.current is not None:
            place: dict[str, Any] = {"round": self.current.round, "object_id": self.current.object_id}
            store.save_position(self._ws, self.inspector, place | ({"again": True} if self.current.note else {}))
            self._placed = True
