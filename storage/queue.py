"""The queue of a person: which object is next, who holds which, and what is left.

Nothing is reserved ahead: a lease is on one object, ends after some minutes without a sign of life, and only
keeps two people from looking at the same object at the same moment.
"""
# ruff: noqa: A002 - "round" is the word of the field for it.

import os
import socket
import sqlite3
import time
from collections.abc import Collection
from dataclasses import dataclass

from storage.connection import fetch, transaction
from storage.entries import CURRENT_MERGE, CURRENT_VOTE
from storage.inspectors import registered_code
from storage.rounds import SELECT_RECORD, SelectionRecord, selection_record
from storage.settings import get_setting
from storage.times import utc_now
from storage.workspace import Workspace


@dataclass(frozen=True)
class Lease:
    """Who holds an object, where, and until when (seconds of the epoch)."""

    object_id: int
    inspector: str
    host: str
    pid: int
    taken_at: str
    expires: float


@dataclass(frozen=True)
class Progress:
    """Votes needed and made by all; votes of mine, objects left for me, and those of them that others hold.

    ``made`` of ``needed`` counts an object at most as often as votes are required; a merged object needs no
    more than it has. ``held`` is a part of ``mine_left``: (inspector, seconds of the epoch until when).
    """

    needed: int
    made: int
    mine: int
    mine_left: int
    held: tuple[tuple[str, float], ...]


# An object is open for a person when its round still asks for it, it has too few votes and no merged label,
# and the person has not voted on it.
_OPEN = f"""
    s.withdrawn = '' AND (:round IS NULL OR s.round = :round)
    AND (SELECT count(*) FROM vote v WHERE v.object_id = s.object_id AND v.round = s.round AND {CURRENT_VOTE})
        < :required
    AND NOT EXISTS (SELECT 1 FROM vote v WHERE v.object_id = s.object_id AND v.round = s.round
        AND v.inspector = :inspector AND {CURRENT_VOTE})
    AND NOT EXISTS (SELECT 1 FROM merge m WHERE m.object_id = s.object_id AND m.round = s.round
        AND {CURRENT_MERGE})
"""

# What waits for a person and is in nobody else's hands, in the order in which it comes.
_WAITING = (
    f"SELECT {SELECT_RECORD} FROM selection s"
    " LEFT JOIN deferral d ON d.object_id = s.object_id AND d.inspector = :inspector"
    f" WHERE {_OPEN} AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.object_id = s.object_id"
    " AND l.inspector <> :inspector AND l.expires > :now)"
    " ORDER BY d.at IS NOT NULL, d.at, s.round, s.rank, s.object_id LIMIT :enough"
)


def next_object(
    ws: Workspace,
    round: int | None,
    inspector: str,
    votes_required: int,
    *,
    skip: Collection[int] = (),
) -> SelectionRecord | None:
    """Return the object that a person sees next and lease it to that person; other leases of theirs end.

    Args:
        ws: the workspace.
        round: only this round, None for all, oldest first.
        inspector: the code.
        votes_required: how many people see each object.
        skip: objects to pass over this time.

    Returns:
        The first by round and rank that is open for the person and not leased by another; what the person
        deferred comes last. None when there is none: :func:`progress` says why.

    """
    inspector = registered_code(ws, inspector)
    now = time.time()
    passed_over = {int(one) for one in skip}
    with transaction(ws.db) as connection:
        rows = connection.execute(
            _WAITING,
            {
                "round": round,
                "required": int(votes_required),
                "inspector": inspector,
                "now": now,
                "enough": len(passed_over) + 1,
            },
        ).fetchall()
        found = next((one for one in map(selection_record, rows) if one.object_id not in passed_over), None)
        connection.execute("DELETE FROM lease WHERE inspector = ? OR expires <= ?", (inspector, now))
        if found is not None:
            _lease(connection, ws, inspector, found.object_id, now)
    return found


def upcoming(
    ws: Workspace, round: int | None, inspector: str, votes_required: int, count: int
) -> list[SelectionRecord]:
    """Return the ``count`` objects that would come next for a person, in order, leasing none of them.

    For having them ready: whether one of them is really next is decided when it is asked for.
    """
    values = {
        "round": round,
        "required": int(votes_required),
        "inspector": registered_code(ws, inspector),
        "now": time.time(),
        "enough": int(count),
    }
    return [selection_record(row) for row in fetch(ws.db, _WAITING, values)]


def take_lease(ws: Workspace, inspector: str, object_id: int) -> bool:
    """Lease one object to a person, whose other leases end; False when another holds it."""
    inspector = registered_code(ws, inspector)
    now = time.time()
    with transaction(ws.db) as connection:
        held = connection.execute(
            "SELECT 1 FROM lease WHERE object_id = ? AND inspector <> ? AND expires > ?",
            (int(object_id), inspector, now),
        ).fetchone()
        if held is not None:
            return False
        connection.execute("DELETE FROM lease WHERE inspector = ? OR object_id = ?", (inspector, int(object_id)))
        _lease(connection, ws, inspector, int(object_id), now)
        return True


def renew_lease(ws: Workspace, inspector: str) -> bool:
    """Prolong what a person holds; False when it ended meanwhile and another may have the object."""
    now = time.time()
    with transaction(ws.db) as connection:
        return bool(
            connection.execute(
                "UPDATE lease SET expires = ? WHERE inspector = ? AND expires > ?",
                (now + _length(ws), inspector, now),
            ).rowcount
        )


def release_leases(ws: Workspace, inspector: str) -> int:
    """Give back what a person holds; return how many."""
    with transaction(ws.db) as connection:
        return int(connection.execute("DELETE FROM lease WHERE inspector = ?", (inspector,)).rowcount)


def leases(ws: Workspace) -> list[Lease]:
    """Return the leases that have not expired, by inspector."""
    rows = fetch(
        ws.db,
        "SELECT object_id, inspector, host, pid, taken_at, expires FROM lease WHERE expires > ?"
        " ORDER BY inspector, object_id",
        (time.time(),),
    )
    return [Lease(*row) for row in rows]


def defer(ws: Workspace, inspector: str, object_id: int) -> None:
    """Put an object at the end of a person's queue and give it back."""
    inspector = registered_code(ws, inspector)
    with transaction(ws.db) as connection:
        connection.execute(
            "INSERT INTO deferral (inspector, object_id, at) VALUES (?, ?, ?)"
            " ON CONFLICT (inspector, object_id) DO UPDATE SET at = excluded.at",
            (inspector, int(object_id), utc_now()),
        )
        connection.execute("DELETE FROM lease WHERE inspector = ? AND object_id = ?", (inspector, int(object_id)))


def progress(
    ws: Workspace,
    round: int | None,
    inspector: str,
    votes_required: int,
) -> Progress:
    """Count what is needed, made and left, in a round or (None) in all."""
    values = {"round": round, "required": int(votes_required), "inspector": inspector, "now": time.time()}
    needed, made, mine = fetch(
        ws.db,
        f"""
        SELECT coalesce(sum(CASE WHEN merged THEN min(n, :required) ELSE :required END), 0),
               coalesce(sum(min(n, :required)), 0), coalesce(sum(mine), 0)
        FROM (
            SELECT (SELECT count(*) FROM vote v WHERE v.object_id = s.object_id AND v.round = s.round
                    AND {CURRENT_VOTE}) AS n,
                   EXISTS (SELECT 1 FROM merge m WHERE m.object_id = s.object_id AND m.round = s.round
                    AND {CURRENT_MERGE}) AS merged,
                   EXISTS (SELECT 1 FROM vote v WHERE v.object_id = s.object_id AND v.round = s.round
                    AND v.inspector = :inspector AND {CURRENT_VOTE}) AS mine
            FROM selection s WHERE s.withdrawn = '' AND (:round IS NULL OR s.round = :round)
        )
        """,
        values,
    )[0]
    left = fetch(
        ws.db,
        "SELECT l.inspector, l.expires FROM selection s LEFT JOIN lease l ON l.object_id = s.object_id"
        f" AND l.inspector <> :inspector AND l.expires > :now WHERE {_OPEN} ORDER BY l.inspector, l.expires",
        values,
    )
    held = tuple((str(code), float(until)) for code, until in left if code is not None)
    return Progress(int(needed), int(made), int(mine), len(left), held)


def _lease(connection: sqlite3.Connection, ws: Workspace, inspector: str, object_id: int, now: float) -> None:
    connection.execute(
        "INSERT INTO lease (object_id, inspector, host, pid, taken_at, expires) VALUES (?, ?, ?, ?, ?, ?)",
        (object_id, inspector, socket.gethostname(), os.getpid(), utc_now(), now + _length(ws)),
    )


def _length(ws: Workspace) -> float:
    return 60.0 * float(get_setting(ws, "lease_minutes"))
