"""Finding one object of the queue, and whether an inspector may answer it (again)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import storage.votes as store
from qnet_tui.inspection.answer import Refused
from qnet_tui.workflows.label_votes import OwnVotes, Terms, draft_of
from qnet_tui.workflows.truth import find_objects
from storage.merges import MergedLabel, merges
from storage.rounds import SelectionRecord, rounds, selection
from storage.spectra import objects
from storage.workspace import Workspace

# Fewer digits than these are the end of too many ids.
_ENDING = 4


class Finder:
    """Objects of the rounds that one inspector works on."""

    def __init__(self, ws: Workspace, terms: Terms, own: OwnVotes) -> None:
        """Look through the rounds of ``terms``."""
        self._ws, self._terms, self._own = ws, terms, own

    def record(self, round_number: object, object_id: object) -> SelectionRecord | None:
        """Return the selection of an object in one of the rounds, None when there is none."""
        if not isinstance(round_number, int) or round_number not in self._rounds():
            return None
        return next((each for each in selection(self._ws, round_number) if each.object_id == object_id), None)

    def is_open(self, record: SelectionRecord) -> bool:
        """Whether the object still needs an answer of mine."""
        votes = store.votes(self._ws, round=record.round, object_id=record.object_id)
        if len(votes) >= self._terms.required or any(vote.inspector == self._terms.inspector for vote in votes):
            return False
        return self._merged(record) is None

    def lease(self, record: SelectionRecord) -> bool:
        """Hold the object; False when somebody else does."""
        return store.take_lease(self._ws, self._terms.inspector, record.object_id)

    def by_identity(self, text: str) -> SelectionRecord:
        """Return the latest selection of an object by its id, or by how its id ends.

        Raises:
            Refused: there is none, or more than one ends so.
        """
        wanted = text.strip()
        if not wanted:
            raise Refused("which one? a TARGETID, T<THING_ID>, PLATE-MJD-FIBERID, or how it ends")
        object_id = find_objects(self._ws, [wanted])[wanted]
        found = [record for record in self._selected() if record.object_id == object_id]
        if found:
            return found[-1]
        if object_id is not None:
            raise Refused(f"no round asks for {wanted}")
        return self._by_ending(wanted)

    def by_rank(self, round_number: int | None, rank: int) -> SelectionRecord:
        """Return the object at a place of a round (None: the latest).

        Raises:
            Refused: the round has no such place.
        """
        number = max(self._rounds()) if round_number is None else round_number
        found = selection(self._ws, number)
        record = next((each for each in found if each.rank == rank), None)
        if record is None:
            last = max((each.rank for each in found), default=0)
            raise Refused(f"round {number} goes from 1 to {last}")
        return record

    def why_open(self, record: SelectionRecord) -> tuple[str, dict[str, Any] | None]:
        """Return what must be said before a new answer, and my earlier one as its draft ("" and None without).

        Raises:
            Refused: it needs no answer of mine; the line says why.
        """
        merged = self._merged(record)
        mine = self._own.on(record.round, record.object_id)
        if mine is not None:
            reopens = f", and reopens what {merged.by} merged" if merged is not None else ""
            return f"you answered this one: a new answer replaces yours{reopens}", draft_of(mine)
        if merged is not None:
            raise Refused(f"{merged.by} has merged it: it needs no answer any more")
        made = len(store.votes(self._ws, round=record.round, object_id=record.object_id))
        if made >= self._terms.required:
            raise Refused(f"it has all its {made} votes, none of them yours")
        return "", None

    def held_words(self, record: SelectionRecord) -> str:
        """Say who is looking at the object now, and until when at most."""
        for lease in store.leases(self._ws):
            if lease.object_id == record.object_id:
                return (
                    f"{lease.inspector} is looking at it, until {datetime.fromtimestamp(lease.expires):%H:%M} at most"
                )
        return "somebody else is looking at it"

    def _by_ending(self, ending: str) -> SelectionRecord:
        if len(ending) < _ENDING:
            raise Refused(f"there is no object {ending}; at least {_ENDING} characters say how one ends")
        latest = {record.object_id: record for record in self._selected()}
        known = objects(self._ws, list(latest))
        found = [int(one["id"]) for one in known if str(one["identity"]).endswith(ending)]
        if len(found) != 1:
            raise Refused(f"{len(found)} objects end in {ending}: type more of it" if found else f"no {ending} here")
        return latest[found[0]]

    def _selected(self) -> list[SelectionRecord]:
        return [record for number in self._rounds() for record in selection(self._ws, number)]

    def _rounds(self) -> list[int]:
        if self._terms.round is not None:
            return [self._terms.round]
        return sorted(summary.round for summary in rounds(self._ws))

    def _merged(self, record: SelectionRecord) -> MergedLabel | None:
        return next((label for label in merges(self._ws, record.round) if label.object_id == record.object_id), None)
