"""Votes: what one person says of one object, durable twice before the screen moves on.

A commit writes the person's journal (fsync) and then the database; the same vote twice is harmless, so a
commit that failed is simply repeated. Undoing is an entry of its own, nothing is ever deleted. This module is
also the
face of the neighbouring ones: inspectors, the queue, drafts and the replay of journals.
"""
# ruff: noqa: A002 - "round" is the word of the field for it.

import math
import uuid
from dataclasses import dataclass, field, replace

from storage.connection import fetch, transaction
from storage.drafts import draft, drafts, drop_draft, load_position, save_draft, save_position
from storage.errors import Refused
from storage.inspectors import Inspector, add_inspector, inspector_for, inspectors, registered_code
from storage.journal import append_entries
from storage.ledger import CURRENT_MERGE, CURRENT_VOTE, VOTE_COLUMNS, Entry, enter
from storage.queue import (
    Lease,
    Progress,
    defer,
    leases,
    next_object,
    progress,
    release_leases,
    renew_lease,
    take_lease,
)
from storage.reconciliation import Recovery, reconcile, recover
from storage.times import canonical_time, utc_now
from storage.workspace import Workspace

__all__ = [
    "CLASSES",
    "ISSUES",
    "Inspector",
    "Lease",
    "Progress",
    "Recovery",
    "Vote",
    "add_inspector",
    "commit_vote",
    "defer",
    "draft",
    "drafts",
    "drop_draft",
    "inspector_for",
    "inspectors",
    "leases",
    "load_position",
    "new_uid",
    "next_object",
    "progress",
    "reconcile",
    "recover",
    "release_leases",
    "renew_lease",
    "save_draft",
    "save_position",
    "take_lease",
    "votes",
    "withdraw_vote",
]

CLASSES = ("STAR", "GALAXY", "QSO")
ISSUES = "CRS"


@dataclass(frozen=True)
class Vote:
    """What one inspector says of one object.

    Attributes:
        uid: made by the client, once for each answer; a repeated commit keeps it.
        round, object_id, inspector: where, what, who.
        spectype: STAR, GALAXY, QSO, or None where nothing can be said.
        z: the redshift, None where none can be given.
        quality: 0 to 4.
        issues: any of C (class wrong), R (redshift wrong), S (spectrum bad), sorted.
        comment: free text.
        z_source: typed, line, fit or pipeline.
        active_seconds: time spent, idle gaps left out.
        blind_peers, blind_model: what the inspector could not see.
        tags: words for the training, e.g. that much of the spectrum was masked.
        app_version: the program's version.
        committed_at: UTC, ISO 8601.
        superseded, withdrawn: set by :func:`votes`; a later vote replaced it, its author undid it.

    """

    uid: str
    round: int
    object_id: int
    inspector: str
    spectype: str | None
    z: float | None
    quality: int
    issues: str = ""
    comment: str = ""
    z_source: str = ""
    active_seconds: float = 0.0
    blind_peers: bool = True
    blind_model: bool = True
    tags: str = ""
    app_version: str = ""
    committed_at: str = field(default_factory=utc_now)
    superseded: bool = False
    withdrawn: bool = False


def new_uid() -> str:
    """Return a fresh uid for a vote."""
    return uuid.uuid4().hex


def commit_vote(ws: Workspace, vote: Vote) -> bool:
    """Make a vote durable: the journal first, then the database. Returns False if it was there already.

    An earlier vote of the same inspector on the object is superseded; a merged label of it is open again; the
    inspector's draft, deferral and lease of it end.

    Raises:
        Refused: a value that cannot be, the object was never in that round, or the inspector is unknown.
        StorageError: not saved in the database. If the journal took it, the next open of the workspace
            replays it;
            committing the same vote again is right in every case.

    """
    vote = _checked(ws, vote)
    survey, identity, targetid = fetch(
        ws.db, "SELECT survey, identity, targetid FROM object WHERE id = ?", (vote.object_id,)
    )[0]
    entry = Entry(
        uid=vote.uid,
        at=vote.committed_at,
        kind="vote",
        by=vote.inspector,
        body={name: getattr(vote, name) for name in VOTE_COLUMNS},
        survey=survey,
        identity=identity,
        targetid=targetid,
        object_id=vote.object_id,
        round=vote.round,
    )
    append_entries(ws.journal_dir, vote.inspector, [entry.as_line()])
    with transaction(ws.db) as connection:
        return enter(connection, entry)


def withdraw_vote(ws: Workspace, uid: str, by: str) -> None:
    """Undo a vote, as an entry of its own: the object is open again for its inspector. Twice is harmless.

    Raises:
        Refused: no such vote; a later one superseded it; or a merged label rests on it (the line names the
            merger).

    """
    with transaction(ws.db) as connection:
        row = connection.execute(
            "SELECT v.object_id, v.inspector, v.round, v.superseded_by, v.withdrawn_at, o.survey, o.identity,"
            " o.targetid FROM vote v JOIN object o ON o.id = v.object_id WHERE v.uid = ?",
            (uid,),
        ).fetchone()
        if row is None:
            raise Refused(f"there is no vote {uid}", file=ws.root)
        object_id, inspector, round_, superseded_by, withdrawn_at, survey, identity, targetid = row
        if withdrawn_at:
            return
        if superseded_by:
            raise Refused("a later vote superseded this one", mend="undo that one")
        merged = connection.execute(
            f"SELECT by, at FROM merge WHERE object_id = ? AND {CURRENT_MERGE}"
            " AND EXISTS (SELECT 1 FROM json_each(vote_uids) WHERE value = ?)",
            (object_id, uid),
        ).fetchone()
        if merged is not None:
            raise Refused(f"{merged[0]} merged this vote at {merged[1][:16]}Z", mend=f"vote again, or ask {merged[0]}")
        entry = Entry(
            uid=new_uid(),
            at=utc_now(),
            kind="withdraw",
            by=inspector,
            body={"vote_uid": uid, "by": by},
            survey=survey,
            identity=identity,
            targetid=targetid,
            object_id=object_id,
            round=round_,
        )
        append_entries(ws.journal_dir, inspector, [entry.as_line()])
        enter(connection, entry)


def votes(
    ws: Workspace,
    round: int | None = None,
    object_id: int | None = None,
    current: bool = True,
) -> list[Vote]:
    """Return votes by object and time: those that hold; with ``current=False`` all that ever were."""
    names = ("uid", "round", "object_id", "inspector", *VOTE_COLUMNS, "committed_at")
    rows = fetch(
        ws.db,
        f"SELECT {', '.join(names)}, superseded_by <> '', withdrawn_at <> '' FROM vote"
        " WHERE (?1 IS NULL OR round = ?1) AND (?2 IS NULL OR object_id = ?2)"
        f" AND (NOT ?3 OR ({CURRENT_VOTE})) ORDER BY object_id, committed_at, uid",
        (round, object_id, int(current)),
    )
    found = []
    for *values, superseded, withdrawn in rows:
        known = dict(zip(names, values, strict=True))
        known |= {name: bool(known[name]) for name in ("blind_peers", "blind_model")}
        found.append(Vote(**known, superseded=bool(superseded), withdrawn=bool(withdrawn)))
    return found


def _checked(ws: Workspace, vote: Vote) -> Vote:
    """Return the vote in the one form that is stored; refuse before anything is written."""
    if not vote.uid:
        raise Refused("a vote needs a uid")
    if vote.spectype is not None and vote.spectype not in CLASSES:
        raise Refused(f"the class is one of {', '.join(CLASSES)}, not {vote.spectype!r}")
    if vote.quality not in range(5):
        raise Refused(f"the quality is 0 to 4, not {vote.quality}")
    if not set(vote.issues) <= set(ISSUES):
        raise Refused(f"issues are letters of {ISSUES}, not {vote.issues!r}")
    z = None if vote.z is None or math.isnan(vote.z) else float(vote.z)
    if z is not None and math.isinf(z):
        raise Refused("the redshift is infinite")
    object_id, round_ = int(vote.object_id), int(vote.round)
    if not fetch(ws.db, "SELECT 1 FROM selection WHERE round = ? AND object_id = ?", (round_, object_id)):
        raise Refused(f"object {object_id} is not in round {round_}", file=ws.root)
    return replace(
        vote,
        object_id=object_id,
        round=round_,
        inspector=registered_code(ws, vote.inspector),
        z=z,
        quality=int(vote.quality),
        issues="".join(sorted(set(vote.issues))),
        active_seconds=float(vote.active_seconds),
        blind_peers=bool(vote.blind_peers),
        blind_model=bool(vote.blind_model),
        committed_at=canonical_time(vote.committed_at),
    )
