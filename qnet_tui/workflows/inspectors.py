"""``qnet vi``: who inspects, what the queue looks like, who said what when, and the rebuild from the journals."""

from dataclasses import dataclass
from pathlib import Path

import storage.inspectors as inspectors_store
import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.settings as campaign
import storage.votes as votes_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.truth import find_objects
from storage.inspectors import Inspector, add_inspector, inspectors
from storage.queue import Lease, leases, progress
from storage.reconciliation import Recovery
from storage.reconciliation import recover as rebuild
from storage.spectra import objects
from storage.stars import stars
from storage.workspace import Workspace


@dataclass(frozen=True)
class QueueLine:
    """How far one round is; ``mine`` and ``mine_left`` are those of the inspector asked for."""

    round: int
    asked: int
    votes_needed: int
    votes_made: int
    merged: int
    inspector: str
    mine: int
    mine_left: int


@dataclass(frozen=True)
class HistoryLine:
    """One event in the life of an object's labels."""

    at: str
    what: str
    by: str
    spectype: str
    z: float | None
    quality: float | None
    comment: str


def status(root: Path) -> list[QueueLine]:
    """Every round's queue, for every inspector (or for nobody, when none is registered)."""
    with Workspace.open(root) as ws:
        needed = int(campaign.get_setting(ws, "votes_required", 3))
        codes = [one.code for one in inspectors(ws)] or [""]
        out = []
        for summary in rounds_store.rounds(ws):
            for code in codes:
                p = progress(ws, summary.round, code, needed)
                out.append(QueueLine(summary.round, summary.selected, p.needed, p.made, summary.merged, code,
                                     p.mine, p.mine_left))  # fmt: skip
        return out


def history(root: Path, identity: str) -> list[HistoryLine]:
    """Votes (superseded and undone ones too) and merged labels of one object, in the order of time.

    Errors: :class:`BadInput` when no spectrum here has that id.
    """
    with Workspace.open(root) as ws:
        object_id = find_objects(ws, [identity])[identity]
        if object_id is None:
            raise BadInput(f"no spectrum here has the id {identity}")
        out = []
        for v in votes_store.votes(ws, object_id=object_id, current=False):
            what = "vote" + (" (undone)" if v.withdrawn else " (superseded)" if v.superseded else "")
            out.append(HistoryLine(v.committed_at, what, v.inspector, v.spectype or "", v.z, v.quality, v.comment))
        for m in merges_store.merges(ws, current=False):
            if m.object_id == object_id:
                what = "merged" + (" (superseded)" if m.superseded else " (open again)" if m.reopened else "")
                out.append(HistoryLine(m.at, what, m.by, m.spectype or "", m.z, m.quality, m.comment))
        return sorted(out, key=lambda line: line.at)


def held(root: Path) -> list[Lease]:
    """Who holds which object until when."""
    with Workspace.open(root) as ws:
        return leases(ws)


@dataclass(frozen=True)
class StarLine:
    """An object that somebody starred."""

    identity: str
    inspector: str
    at: str
    note: str


def starred(root: Path, code: str | None = None) -> list[StarLine]:
    """Objects that were starred for discussion: everybody's, or those of one inspector."""
    with Workspace.open(root) as ws:
        found = stars(ws, inspectors_store.registered_code(ws, code) if code is not None else None)
        names = {int(one["id"]): str(one["identity"]) for one in objects(ws, {star.object_id for star in found})}
        return [StarLine(names[star.object_id], star.inspector, star.at, star.note) for star in found]


def register(root: Path, code: str, os_user: str, name: str = "") -> Inspector:
    """Bind an inspector's code to an account."""
    with Workspace.open(root) as ws:
        return add_inspector(ws, code, os_user, name)


def inspector_of(ws: Workspace, os_user: str, code: str | None, command: str = "label") -> str:
    """Return the code that an account inspects under; a ``code`` that is nobody's yet is bound to the account.

    ``command`` is the one that a person without a code is told to type.

    BadInput when the account has none and none was given; storage's Refused when the code is another account's.
    """
    known: list[Inspector] = inspectors(ws)
    # A code without an account is known from a file of votes: its person comes to claim it.
    if code is not None and all(one.code.lower() != code.lower() or not one.os_user for one in known):
        return add_inspector(ws, code, os_user, "").code
    if code is None and all(one.os_user != os_user for one in known):
        raise BadInput(
            f"account {os_user} has no inspector code yet", mend=f"say who you are once: qnet {command} --as ABC"
        )
    return inspectors_store.inspector_for(ws, os_user, code).code


def everybody(root: Path) -> list[Inspector]:
    """All inspectors."""
    with Workspace.open(root) as ws:
        return inspectors(ws)


def recover(root: Path) -> Recovery:
    """Rebuild the votes from ``journal/`` and ``rounds/`` when the database is gone or damaged."""
    return rebuild(root)
