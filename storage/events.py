"""The event log: what people said and did, append-only, each entry carrying the hash of the one before.

Triggers refuse changes and deletions; the chain shows what happened to a log that was edited by other means.
"""
# ruff: noqa: A002 - "round" is the word of the field for it.

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from storage.connection import fetch
from storage.times import just_after, utc_now
from storage.workspace import Workspace

_FIRST = "0" * 64


@dataclass(frozen=True)
class Event:
    """One entry: ``kind`` is one of those of :class:`storage.ledger.Entry`; ``body`` is all that was said."""

    id: int
    uid: str
    at: str
    kind: str
    by: str
    object_id: int | None
    round: int | None
    body: dict[str, Any]


def append_event(
    connection: sqlite3.Connection,
    uid: str,
    at: str,
    kind: str,
    by: str,
    object_id: int | None,
    round: int | None,
    body: dict[str, Any],
    ordered_at: str = "",
) -> None:
    """Add an entry inside the caller's transaction; ``ordered_at`` is its place in the order of all."""
    last = connection.execute("SELECT hash FROM event ORDER BY id DESC LIMIT 1").fetchone()
    previous = last[0] if last else _FIRST
    text = json.dumps(body, sort_keys=True)
    entry = (uid, at, kind, by, object_id, round, text)
    connection.execute(
        "INSERT INTO event (uid, at, kind, by, object_id, round, body, previous, hash, ordered_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*entry, previous, _hash(previous, entry), ordered_at or at),
    )


def place_in_order(connection: sqlite3.Connection) -> str:
    """Return the place of what is done now: the present time, but after everything in the log.

    Within a transaction this is the order in which things were done, also where the clocks of two machines
    disagree (a hybrid logical clock: Kulkarni et al. 2014).
    """
    (last,) = connection.execute("SELECT max(ordered_at) FROM event").fetchone()
    now = utc_now()
    return now if not last or last < now else just_after(last)


def has_event(connection: sqlite3.Connection, uid: str) -> bool:
    """Say whether an entry with this uid is in the log."""
    return connection.execute("SELECT 1 FROM event WHERE uid = ?", (uid,)).fetchone() is not None


def events(ws: Workspace, object_id: int | None = None) -> list[Event]:
    """Return the log in its order, or the part of it about one object."""
    rows = fetch(
        ws.db,
        "SELECT id, uid, at, kind, by, object_id, round, body FROM event WHERE ?1 IS NULL OR object_id = ?1"
        " ORDER BY id",
        (object_id,),
    )
    return [
        Event(number, uid, at, kind, by, about, round_, json.loads(body))
        for number, uid, at, kind, by, about, round_, body in rows
    ]


def rounds_changed(ws: Workspace, after: int) -> tuple[int, set[int]]:
    """Return the id of the last entry, and the rounds of those after entry ``after``: what is to be read again."""
    rows = fetch(ws.db, "SELECT id, round FROM event WHERE id > ? ORDER BY id", (int(after),))
    return (int(rows[-1][0]) if rows else int(after), {int(number) for _, number in rows if number is not None})


def verify_events(ws: Workspace) -> list[int]:
    """Return the ids of entries whose hash does not follow from their content and the entry before."""
    bad = []
    previous = _FIRST
    rows = fetch(ws.db, "SELECT id, previous, hash, uid, at, kind, by, object_id, round, body FROM event ORDER BY id")
    for number, stored_previous, stored, *entry in rows:
        if stored_previous != previous or stored != _hash(previous, tuple(entry)):
            bad.append(number)
        previous = stored
    return bad


def _hash(previous: str, entry: tuple[Any, ...]) -> str:
    return hashlib.sha256((previous + json.dumps(entry)).encode()).hexdigest()
