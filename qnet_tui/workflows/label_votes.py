"""The answers of one inspector as votes: made, saved, undone and redone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import storage.votes as store
from qnet_tui import __version__
from qnet_tui.inspection.answer import Answer, Refused
from qnet_tui.inspection.item import ItemState
from qnet_tui.inspection.pace import usual_seconds
from qnet_tui.workflows.label_item import Item
from storage.workspace import Workspace


@dataclass(frozen=True)
class Saved:
    """A committed answer.

    ``uid`` of the vote; ``at``, when it was saved, in the local time of the inspector; ``votes`` of the
    ``required`` that the object has now; ``revealed``, what was hidden until now and the campaign shows afterwards.
    """

    uid: str
    at: datetime
    votes: int = 0
    required: int = 0
    revealed: str = ""


@dataclass(frozen=True)
class Terms:
    """What a vote records of how it was made, and how many an object needs.

    ``reveals``: what was hidden is shown after the commit, so a later answer to the same object is not blind.
    """

    inspector: str
    round: int | None
    required: int
    blind_peers: bool
    blind_model: bool
    reveals: bool


class OwnVotes:
    """The votes of one inspector, in the rounds that were asked for."""

    def __init__(self, ws: Workspace, terms: Terms, now: Callable[[], datetime]) -> None:
        """Count how long earlier answers took."""
        self._ws, self._terms, self._now = ws, terms, now
        # Votes that came in with a file took no time here.
        self._active = [vote.active_seconds for vote in self.given() if vote.active_seconds > 0]
        self._unsaved: store.Vote | None = None

    @property
    def usual_seconds(self) -> float | None:
        """Active seconds an answer takes; None before the third."""
        return usual_seconds(self._active)

    def given(self) -> list[store.Vote]:
        """Return the votes that hold, in the order in which they were made."""
        mine = (vote for vote in store.votes(self._ws, round=self._terms.round) if self._is_mine(vote))
        return sorted(mine, key=lambda vote: vote.committed_at)

    def on(self, round_number: int, object_id: int) -> store.Vote | None:
        """Return my vote on an object, where it holds."""
        found = store.votes(self._ws, round=round_number, object_id=object_id)
        return next((vote for vote in found if self._is_mine(vote)), None)

    def commit(self, item: Item, state: ItemState, active_seconds: float) -> Saved:
        """Save an answer durably. Repeating a commit that failed saves one vote, however often it is tried."""
        vote = self._vote(item, state, active_seconds)
        store.commit_vote(self._ws, vote)
        self._unsaved = None
        self._active.append(vote.active_seconds)
        return self._saved(vote)

    def undo(self, vote: store.Vote) -> None:
        """Withdraw a vote; its answer stays as a draft."""
        store.withdraw_vote(self._ws, vote.uid, self._terms.inspector)
        self._active = self._active[:-1]
        store.save_draft(self._ws, self._terms.inspector, vote.object_id, draft_of(vote))

    def redo(self) -> tuple[store.Vote, Saved]:
        """Let the vote that was undone last hold again.

        Raises:
            Refused: there is none, or its answer was changed since.
        """
        undone = store.undone_votes(self._ws, self._terms.inspector, self._terms.round)
        if not undone:
            raise Refused("there is nothing to redo: {undo} reopens an answer first")
        vote = undone[0]
        draft = store.draft(self._ws, self._terms.inspector, vote.object_id)
        if draft is not None and answer_in(draft) != answer_of(vote):
            raise Refused("you changed that answer since: {commit} saves it as it is now")
        store.restore_vote(self._ws, vote.uid, self._terms.inspector)
        store.drop_draft(self._ws, self._terms.inspector, vote.object_id)
        self._active.append(vote.active_seconds)
        return vote, self._saved(vote)

    def _is_mine(self, vote: store.Vote) -> bool:
        return vote.inspector == self._terms.inspector

    def _saved(self, vote: store.Vote) -> Saved:
        made = len(store.votes(self._ws, round=vote.round, object_id=vote.object_id))
        at = datetime.fromisoformat(vote.committed_at).astimezone()
        return Saved(vote.uid, at, made, max(self._terms.required, made))

    def _vote(self, item: Item, state: ItemState, active_seconds: float) -> store.Vote:
        """Return the vote to save; a repeated attempt with the same answer keeps its uid and time."""
        answer, terms = state.answer, self._terms
        vote = store.Vote(
            uid=store.new_uid(),
            round=item.round,
            object_id=item.object_id,
            inspector=terms.inspector,
            spectype=answer.spectype,
            z=answer.z,
            quality=answer.quality if answer.quality is not None else 0,
            issues=answer.issues,
            comment=answer.comment,
            z_source=answer.z_source or "",
            z_error=answer.z_error,
            active_seconds=round(active_seconds, 1),
            blind_peers=terms.blind_peers,
            blind_model=terms.blind_model and not self._was_revealed(item.object_id),
            tags=" ".join(state.tags),
            app_version=__version__,
            committed_at=self._now().isoformat(),
        )
        before = self._unsaved
        if before is not None and before.object_id == vote.object_id and answer_of(before) == answer_of(vote):
            return before
        self._unsaved = vote
        return vote

    def _was_revealed(self, object_id: int) -> bool:
        """Whether I answered before and was then shown what had been hidden."""
        if not self._terms.reveals:
            return False
        return any(map(self._is_mine, store.votes(self._ws, object_id=object_id, current=False)))


def answer_of(vote: store.Vote) -> Answer:
    """Return what a vote says."""
    names = ("spectype", "z", "quality", "issues", "comment", "z_source", "z_error")
    return Answer.from_json({name: getattr(vote, name) for name in names})


def answer_in(draft: Mapping[str, Any]) -> Answer:
    """Return the answer that a draft carries."""
    item = draft.get("item")
    answer = item.get("answer") if isinstance(item, Mapping) else None
    return Answer.from_json(answer if isinstance(answer, Mapping) else {})


def draft_of(vote: store.Vote) -> dict[str, Any]:
    """Return a vote as the draft of a new answer to the same object."""
    return {"item": {"answer": answer_of(vote).to_json()}, "active_seconds": vote.active_seconds}
