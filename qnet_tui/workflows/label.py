"""``qnet label``: one inspector's walk through the queue, the same for the screen and for ``--plain``.

The session joins the workspace's database with the pure parts below: it hands out items, keeps drafts, and commits
an answer durably (journal and transaction) before it hands out the next. It belongs to the thread that opened it.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import storage.settings as campaign
import storage.votes as store
from qnet_tui import __version__
from qnet_tui.errors import BadInput
from qnet_tui.inspection.answer import Answer, Refused
from qnet_tui.inspection.item import ItemState
from qnet_tui.inspection.pace import usual_seconds
from qnet_tui.workflows.label_item import Item, load_item
from storage.merges import merges
from storage.rounds import SelectionRecord, rounds, selection
from storage.workspace import Workspace

__all__ = ["Item", "LabelOptions", "LabelSession", "Progress", "Saved"]


@dataclass(frozen=True)
class LabelOptions:
    """What ``qnet label`` was asked: ``inspector`` is ``--as``, ``charset`` None means what the locale can show."""

    inspector: str | None = None
    round: int | None = None
    blind: bool = False
    charset: str | None = None


@dataclass(frozen=True)
class Progress:
    """Votes needed and made by everybody, mine, objects left for me, who holds some, and my seconds an object."""

    needed: int
    made: int
    mine: int
    mine_left: int
    held: tuple[tuple[str, float], ...]
    usual_seconds: float | None


@dataclass(frozen=True)
class Saved:
    """A committed answer: its ``uid``, and when it was saved, in the local time of the inspector."""

    uid: str
    at: datetime


class LabelSession:
    """The queue of one inspector in one workspace.

    Every method may raise :class:`storage.errors.StorageError` (disk full, database busy); nothing is then lost
    that was acknowledged, and the same call may simply be made again.
    """

    def __init__(self, ws: Workspace, inspector: str, options: LabelOptions, now: Callable[[], datetime]) -> None:
        """Use :meth:`open`."""
        self._ws = ws
        self._now = now
        self.inspector = inspector
        self.round = options.round
        self.votes_required = int(campaign.get_setting(ws, "votes_required"))
        # An inspector may only tighten the campaign's blinding.
        self.blind_model = bool(campaign.get_setting(ws, "blind_model")) or options.blind
        self.blind_peers = bool(campaign.get_setting(ws, "blind_peers")) or options.blind
        self._totals = {summary.round: summary.selected for summary in rounds(ws)}
        self._active = [vote.active_seconds for vote in self._my_votes()]
        # Objects passed over without a commit, oldest first, and where in them the inspector stands.
        self._trail: list[SelectionRecord] = []
        self._at = -1
        self._unsaved: store.Vote | None = None
        self.current: Item | None = None

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
            return cls(ws, _inspector(ws, user, options.inspector), options, now)
        except BaseException:
            ws.close()
            raise

    def start(self) -> Item | None:
        """Return the item to begin with: where this inspector was, else the first of the queue; None when done."""
        position = store.load_position(self._ws, self.inspector) or {}
        record = self._record(position.get("round"), position.get("object_id"))
        if record is not None and self._is_open(record) and self._lease(record):
            return self._show(record, new=True)
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
        answer = state.with_commit_asked().answer
        vote = self._vote(item, answer, state.tags, active_seconds)
        store.commit_vote(self._ws, vote)
        self._unsaved = None
        self._active.append(vote.active_seconds)
        self._trail = [record for record in self._trail if record.object_id != item.object_id]
        self._at -= 1
        self.current = None
        return Saved(vote.uid, datetime.fromisoformat(vote.committed_at).astimezone())

    def next(self) -> Item | None:
        """Return the next item without committing the current one; after the last one those passed over; or None."""
        return self._next(put_off=[])

    def previous(self) -> Item:
        """Return the item before, among those passed over in this session.

        Raises:
            Refused: there is none that is still open.
        """
        before = self._at if self.current is None else self._at - 1
        for at in range(before, -1, -1):
            if self._is_open(self._trail[at]) and self._lease(self._trail[at]):
                self._at = at
                return self._show(self._trail[at])
        raise Refused("this is the first spectrum of this session: u reopens your last answer")

    def defer(self) -> Item | None:
        """Put the current item at the end of the queue and return the next; the same one when it is the last."""
        if self.current is not None:
            object_id = self.current.object_id
            store.defer(self._ws, self.inspector, object_id)
            self._trail = [record for record in self._trail if record.object_id != object_id]
            self._at -= 1
            self.current = None
            return self._next(put_off=[object_id])
        return self.next()

    def undo(self) -> Item:
        """Withdraw my last committed answer and return its item with the answer as a draft.

        Raises:
            Refused: I have no answer left in this round (storage's own Refused when it is merged already).
        """
        mine = self._my_votes()
        if not mine:
            raise Refused("there is no answer of yours to reopen")
        last = mine[-1]
        record = self._record(last.round, last.object_id)
        if record is None:
            raise Refused("your last answer is about an object that was withdrawn from its round")
        store.withdraw_vote(self._ws, last.uid, self.inspector)
        self._active = self._active[:-1]
        body = {"item": {"answer": _answer_of(last).to_json()}, "active_seconds": last.active_seconds}
        store.save_draft(self._ws, self.inspector, last.object_id, body)
        if not self._lease(record):
            raise Refused("your answer is withdrawn, but somebody else is looking at the spectrum now: it comes back")
        # The current item follows the reopened one, as it did before.
        at = self._at if self.current is not None else self._at + 1
        self._trail.insert(max(at, 0), record)
        self._at = max(at, 0)
        return self._show(record)

    def keep_draft(self, body: dict[str, Any]) -> None:
        """Keep what was said of the current item so far (JSON), and that the inspector is here."""
        if self.current is not None:
            store.save_draft(self._ws, self.inspector, self.current.object_id, body)
            self._keep_position()

    def stay(self) -> bool:
        """Keep the current item from others for another while; False when somebody else may have it by now."""
        if self.current is None:
            return True
        record = self._record(self.current.round, self.current.object_id)
        return store.renew_lease(self._ws, self.inspector) or (record is not None and self._lease(record))

    def progress(self) -> Progress:
        """Count votes and what is left."""
        counts = store.progress(self._ws, self.round, self.inspector, self.votes_required)
        return Progress(
            counts.needed, counts.made, counts.mine, counts.mine_left, counts.held, usual_seconds(self._active)
        )

    def close(self) -> None:
        """Give back what is held and close the database."""
        try:
            store.release_leases(self._ws, self.inspector)
        finally:
            self._ws.close()

    def _next(self, put_off: list[int]) -> Item | None:
        """Go forward; objects just put off come after everything else."""
        for at in range(self._at + 1, len(self._trail)):
            if self._is_open(self._trail[at]) and self._lease(self._trail[at]):
                self._at = at
                return self._show(self._trail[at])
        return self._next_of_queue(put_off)

    def _next_of_queue(self, put_off: list[int]) -> Item | None:
        passed = [record.object_id for record in self._trail]
        here = [] if self.current is None else [self.current.object_id]
        # First what is new, then what was passed over, and last the one that was on the screen just now.
        for skip in (passed + put_off, here + put_off, []):
            record = self._take(skip)
            if record is not None:
                if record.object_id in passed:
                    self._trail = []
                return self._show(record, new=True)
        self.current = None
        return None

    def _take(self, skip: list[int]) -> SelectionRecord | None:
        return store.next_object(self._ws, self.round, self.inspector, self.votes_required, skip=skip)

    def _show(self, record: SelectionRecord, *, new: bool = False) -> Item:
        if new:
            self._trail.append(record)
            self._at = len(self._trail) - 1
        path = self._ws.round_dir(record.round) / "spectra" / f"{record.object_id}.npz"
        draft = store.draft(self._ws, self.inspector, record.object_id)
        total = self._totals.get(record.round, 0)
        self.current = load_item(path, record, total=total, blind=self.blind_model, draft=draft)
        if len(self._trail) > 1:
            # Without anything passed over, the queue itself leads back here: no need to write it down.
            self._keep_position()
        return self.current

    def _keep_position(self) -> None:
        if self.current is not None:
            place = {"round": self.current.round, "object_id": self.current.object_id}
            store.save_position(self._ws, self.inspector, place)

    def _vote(self, item: Item, answer: Answer, tags: tuple[str, ...], active_seconds: float) -> store.Vote:
        """Return the vote to save; a repeated attempt with the same answer keeps its uid and time."""
        vote = store.Vote(
            uid=store.new_uid(),
            round=item.round,
            object_id=item.object_id,
            inspector=self.inspector,
            spectype=answer.spectype,
            z=answer.z,
            quality=answer.quality if answer.quality is not None else 0,
            issues=answer.issues,
            comment=answer.comment,
            z_source=answer.z_source or "",
            active_seconds=round(active_seconds, 1),
            blind_peers=self.blind_peers,
            blind_model=self.blind_model,
            tags=" ".join(tags),
            app_version=__version__,
            committed_at=self._now().isoformat(),
        )
        before = self._unsaved
        if before is not None and before.object_id == vote.object_id and _says(before) == _says(vote):
            return before
        self._unsaved = vote
        return vote

    def _my_votes(self) -> list[store.Vote]:
        mine = [vote for vote in store.votes(self._ws, round=self.round) if vote.inspector == self.inspector]
        return sorted(mine, key=lambda vote: vote.committed_at)

    def _lease(self, record: SelectionRecord) -> bool:
        return store.take_lease(self._ws, self.inspector, record.object_id)

    def _record(self, round_number: object, object_id: object) -> SelectionRecord | None:
        if not isinstance(round_number, int) or (self.round is not None and round_number != self.round):
            return None
        return next((each for each in selection(self._ws, round_number) if each.object_id == object_id), None)

    def _is_open(self, record: SelectionRecord) -> bool:
        votes = store.votes(self._ws, round=record.round, object_id=record.object_id)
        if len(votes) >= self.votes_required or any(vote.inspector == self.inspector for vote in votes):
            return False
        return all(merge.object_id != record.object_id for merge in merges(self._ws, record.round))


def _inspector(ws: Workspace, user: str, code: str | None) -> str:
    known = store.inspectors(ws)
    if code is not None and all(one.code.lower() != code.lower() for one in known):
        return store.add_inspector(ws, code, user, "").code
    if code is None and all(one.os_user != user for one in known):
        raise BadInput(f"account {user} has no inspector code yet", mend="say who you are once: qnet label --as ABC")
    return store.inspector_for(ws, user, code).code


def _says(vote: store.Vote) -> tuple[object, ...]:
    return (vote.spectype, vote.z, vote.quality, vote.issues, vote.comment, vote.z_source)


def _answer_of(vote: store.Vote) -> Answer:
    return Answer.from_json(
        {
            "spectype": vote.spectype,
            "z": vote.z,
            "quality": vote.quality,
            "issues": vote.issues,
            "comment": vote.comment,
            "z_source": vote.z_source,
        }
    )
