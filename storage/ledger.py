"""Entries of people and how each one changes the tables: the one path for a key press and for a replay.

The same entry twice is harmless. Applied in the order they were made, the entries of all journals give the
same votes and merged labels as they gave the first time.
"""

import json
import sqlite3
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from storage.errors import Refused
from storage.events import append_event, has_event

VOTE_COLUMNS = (
    "spectype", "z", "quality", "issues", "comment", "z_source", "active_seconds", "blind_peers",
    "blind_model", "tags", "app_version",
)  # fmt: skip
MERGE_COLUMNS = ("spectype", "z", "quality", "issues", "comment", "n_votes", "rule", "unseen", "vote_uids")
CURRENT_VOTE = "superseded_by = '' AND withdrawn_at = ''"
CURRENT_MERGE = "superseded_by = '' AND reopened_at = ''"


class UnknownEntry(Refused):
    """A journal entry that this database cannot take: its object, person, vote or kind is unknown here."""


@dataclass(frozen=True)
class Entry:
    """One thing a person did.

    ``kind``: inspector, vote, withdraw, merge. ``by``: whose journal it is in. The object is named by survey
    and identity, which outlive the database; ``object_id`` is what it was called when the line was written.
    """

    uid: str
    at: str
    kind: str
    by: str
    body: dict[str, Any] = field(default_factory=dict)
    survey: str = ""
    identity: str = ""
    targetid: int = 0
    object_id: int = 0
    round: int = 0

    def as_line(self) -> dict[str, Any]:
        """Return what the journal keeps."""
        line: dict[str, Any] = {
            "format": 1, "uid": self.uid, "at": self.at, "kind": self.kind, "by": self.by, "body": self.body,
        }  # fmt: skip
        if self.identity:
            line |= {
                "survey": self.survey, "identity": self.identity, "targetid": self.targetid,
                "object_id": self.object_id, "round": self.round,
            }  # fmt: skip
        return line

    @classmethod
    def of_line(cls, line: dict[str, Any]) -> "Entry":
        """Read what the journal kept."""
        return cls(**{name: line[name] for name in cls.__dataclass_fields__ if name in line})


def enter(connection: sqlite3.Connection, entry: Entry, *, replayed: Container[str] | None = None) -> bool:
    """Apply an entry inside the caller's transaction; return False when it was applied before.

    Args:
        connection: in a transaction.
        entry: what was done.
        replayed: None when it is done now, so that it comes after everything in the tables. In a replay, the
            uids entered by it so far: after those it comes too, and for all others the times decide.

    Raises:
        UnknownEntry: it cannot be applied to this database.

    """
    if has_event(connection, entry.uid):
        return False
    if entry.kind == "inspector":
        connection.execute(
            "INSERT INTO inspector (code, os_user, name, added_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (entry.by, entry.body["os_user"], entry.body["name"], entry.at),
        )
        append_event(connection, entry.uid, entry.at, entry.kind, entry.by, None, None, entry.body)
        return True
    object_id = _object_of(connection, entry)
    if entry.kind == "vote":
        _vote(connection, entry, object_id, replayed)
    elif entry.kind == "withdraw":
        _withdraw(connection, entry)
    elif entry.kind == "merge":
        _merge(connection, entry, object_id, replayed)
    else:
        raise UnknownEntry(f"journal entries of kind {entry.kind!r} are not known", mend="update qnet")
    append_event(connection, entry.uid, entry.at, entry.kind, entry.by, object_id, entry.round, entry.body)
    return True


def _object_of(connection: sqlite3.Connection, entry: Entry) -> int:
    row = connection.execute(
        "SELECT id FROM object WHERE survey = ? AND identity = ?", (entry.survey, entry.identity)
    ).fetchone()
    if row is None:
        raise UnknownEntry(f"object {entry.survey}:{entry.identity} is not here", mend="ingest its spectrum")
    return int(row[0])


def _vote(connection: sqlite3.Connection, entry: Entry, object_id: int, replayed: Container[str] | None) -> None:
    person = connection.execute("SELECT code FROM inspector WHERE code = ?", (entry.by,)).fetchone()
    if person is None:
        raise UnknownEntry(f"inspector {entry.by} is not here")
    before = connection.execute(
        f"SELECT uid, committed_at FROM vote WHERE object_id = ? AND inspector = ? AND {CURRENT_VOTE}",
        (object_id, entry.by),
    ).fetchone()
    superseded_by = ""
    if before is not None:
        if _follows(entry, before, replayed):
            connection.execute("UPDATE vote SET superseded_by = ? WHERE uid = ?", (entry.uid, before[0]))
        else:
            superseded_by = before[0]
    connection.execute(
        "INSERT INTO vote (uid, round, object_id, inspector, committed_at, superseded_by,"
        f" {', '.join(VOTE_COLUMNS)}) VALUES ({', '.join('?' * (6 + len(VOTE_COLUMNS)))})",
        (
            entry.uid, entry.round, object_id, entry.by, entry.at, superseded_by,
            *(_cell(entry.body[name]) for name in VOTE_COLUMNS),
        ),
    )  # fmt: skip
    # What was settled from other votes is open again.
    connection.execute(
        f"UPDATE merge SET reopened_at = ?1 WHERE object_id = ?2 AND {CURRENT_MERGE} AND (?3 OR at < ?1)",
        (entry.at, object_id, int(replayed is None)),
    )
    for table in ("draft", "deferral", "lease"):
        connection.execute(f"DELETE FROM {table} WHERE object_id = ? AND inspector = ?", (object_id, entry.by))


def _withdraw(connection: sqlite3.Connection, entry: Entry) -> None:
    changed = connection.execute(
        "UPDATE vote SET withdrawn_at = ? WHERE uid = ? AND withdrawn_at = ''",
        (entry.at, entry.body["vote_uid"]),
    ).rowcount
    if changed != 1:
        raise UnknownEntry(f"vote {entry.body['vote_uid']} is not here or was withdrawn")


def _merge(connection: sqlite3.Connection, entry: Entry, object_id: int, replayed: Container[str] | None) -> None:
    before = connection.execute(
        f"SELECT uid, at FROM merge WHERE object_id = ? AND {CURRENT_MERGE}", (object_id,)
    ).fetchone()
    superseded_by = ""
    if before is not None:
        if _follows(entry, before, replayed):
            connection.execute("UPDATE merge SET superseded_by = ? WHERE uid = ?", (entry.uid, before[0]))
        else:
            superseded_by = before[0]
    reopened_at = ""
    if replayed is not None:
        # A vote made after it, and entered before this replay, had opened it again.
        later = connection.execute(
            "SELECT min(committed_at) FROM vote WHERE object_id = ? AND committed_at > ?",
            (object_id, entry.at),
        ).fetchone()[0]
        reopened_at = later or ""
    connection.execute(
        "INSERT INTO merge (uid, round, object_id, by, at, superseded_by, reopened_at,"
        f" {', '.join(MERGE_COLUMNS)}) VALUES ({', '.join('?' * (7 + len(MERGE_COLUMNS)))})",
        (
            entry.uid, entry.round, object_id, entry.by, entry.at, superseded_by, reopened_at,
            *(_cell(entry.body[name]) for name in MERGE_COLUMNS),
        ),
    )  # fmt: skip


def _follows(entry: Entry, before: tuple[str, str], replayed: Container[str] | None) -> bool:
    """Say whether the entry came after the one that holds, given as (uid, time)."""
    return replayed is None or before[0] in replayed or before[1] <= entry.at


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value) if isinstance(value, list) else value
