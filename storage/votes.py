"""Votes: what one person says of one object, durable twice before the screen moves on.

A commit writes the person's journal (fsync) and then the database; the same vote twice is harmless, so a
commit that failed is simply repeated. Undoing is an entry of its own, nothing is ever deleted. This module is
also the face of the neighbouring ones: inspectors, the queue, drafts, undo and the replay of journals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from storage.connection import fetch, fetch_in, transaction
from storage.drafts import draft, drafts, drop_draft, load_position, save_draft, save_position
from storage.entries import CURRENT_VOTE, VOTE_COLUMNS, Entry
from storage.errors import DatabaseBusy, Refused, StorageError
from storage.inspectors import Inspector, add_inspector, inspector_for, inspectors
from storage.journal import append_entries
from storage.ledger import write
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
    upcoming,
)
from storage.reconciliation import Recovery, reconcile, recover
from storage.times import utc_now
from storage.undo import restore_vote, undone_votes, withdraw_vote
from storage.vote_rows import CLASSES, ISSUES, Vote, checked_vote, new_uid, votes
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
    "commit_votes",
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
    "restore_vote",
    "save_draft",
    "save_position",
    "take_lease",
    "undone_votes",
    "upcoming",
    "votes",
    "withdraw_vote",
]

SOON = 1.0
"""Seconds that a vote waits for the database before it is written to the journal alone, and then waits on."""


def commit_vote(ws: Workspace, vote: Vote) -> bool:
    """Make a vote durable: the journal first, then the database. Return False if it was there already.

    An earlier vote of the same inspector on the object is superseded; a merged label of it is open again; the
    inspector's draft, deferral and lease of it end.

    Raises:
        Refused: a value that cannot be, the object was never in that round, or the inspector is unknown.
        StorageError: not saved in the database. If the journal took it, the next open of the workspace
            replays it; committing the same vote again is right in every case.

    """
    vote = checked_vote(ws, vote)
    entry = _entry(ws, vote)
    journal_had_its_turn = False
    try:
        with transaction(ws.db, begin_within=SOON) as connection:
            journal_had_its_turn = True
            return bool(write(connection, ws.journal_dir, [entry]))
    except StorageError as error:
        # A database that cannot even be locked keeps nobody's answer out of the journal. Inside the transaction the
        # journal would have got it with its place in the order of all; now the next open finds one.
        if journal_had_its_turn:
            raise
        append_entries(ws.journal_dir, vote.inspector, [entry.as_line()])
        if not isinstance(error, DatabaseBusy):
            raise
    with transaction(ws.db) as connection:
        return bool(write(connection, ws.journal_dir, [entry]))


def commit_votes(ws: Workspace, votes: Iterable[Vote], origin: str) -> int:
    """Take over votes from a file of other people's, all of them or none; return how many were new.

    A vote whose uid is known adds nothing, so the uid of an imported vote is made from what it says (its
    inspector, object and answer), and the same file twice adds nothing. The inspectors are registered before, if
    need be with no account (``add_inspector(ws, code, "", name)``). ``committed_at`` may lie far back; what
    is later is decided by when a vote is entered.

    Args:
        ws: the workspace.
        votes: of any number of inspectors, each object once for each of them.
        origin: the file, kept with every vote.

    Raises:
        Refused: as :func:`commit_vote`, or an inspector gave a vote on the object here, which no file
            replaces (drop it from the list first); nothing was written.
        StorageError: nothing was entered; importing again is right in every case. If the power failed after the
            last journal was written, the next open enters all of it.

    """
    if not origin:
        raise Refused("imported votes need a word on where they came from")
    wanted = {vote.uid: vote for vote in votes}
    known = {uid for (uid,) in fetch_in(ws.db, "SELECT uid FROM event WHERE uid IN ({})", wanted)}
    now, group = utc_now(), new_uid()
    fresh = [checked_vote(ws, replace(vote, origin=origin)) for uid, vote in wanted.items() if uid not in known]
    entries = [_entry(ws, vote, at=now, group=group, group_size=len(fresh)) for vote in fresh]
    with transaction(ws.db) as connection:
        _check_given_here(ws, fresh)
        return write(connection, ws.journal_dir, entries)


def _check_given_here(ws: Workspace, imported: Sequence[Vote]) -> None:
    """Refuse to replace by a file what somebody answered here."""
    wanted = {(vote.object_id, vote.inspector) for vote in imported}
    if len(wanted) < len(imported):
        raise Refused("the file has two votes of one inspector on one object", mend="keep the later one")
    here = set(fetch(ws.db, f"SELECT object_id, inspector FROM vote WHERE origin = '' AND {CURRENT_VOTE}"))
    for object_id, inspector in sorted(wanted & here):
        name = fetch(ws.db, "SELECT survey || ':' || identity FROM object WHERE id = ?", (object_id,))[0][0]
        raise Refused(f"{inspector} voted on {name} here", mend="leave that row out of the file")


def _entry(ws: Workspace, vote: Vote, *, at: str = "", group: str = "", group_size: int = 0) -> Entry:
    """Return the entry of a checked vote; with ``at`` one that is entered later than it was given."""
    survey, identity, targetid = fetch(
        ws.db, "SELECT survey, identity, targetid FROM object WHERE id = ?", (vote.object_id,)
    )[0]
    body = {name: getattr(vote, name) for name in VOTE_COLUMNS}
    return Entry(
        uid=vote.uid,
        at=at or vote.committed_at,
        kind="vote",
        by=vote.inspector,
        body=body | {"committed_at": vote.committed_at} if at else body,
        survey=survey,
        identity=identity,
        targetid=targetid,
        object_id=vote.object_id,
        round=vote.round,
        group=group,
        group_size=group_size,
    )
