"""Entries of people and how each one changes the tables: the one path for a key press and for a replay.

The same entry twice is harmless. Each entry carries its place in the order in which things were done, which no
clock disturbs; applied in that order, the entries of all journals give the same votes, stars, looks and merged
labels as they gave the first time.
"""

import json
import sqlite3
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from storage.entries import CURRENT_MERGE, CURRENT_VOTE, MERGE_COLUMNS, UNSAID, VOTE_COLUMNS, Entry, UnknownEntry
from storage.events import append_event, has_event, place_in_order
from storage.journal import append_entries
from storage.times import just_after


def write(connection: sqlite3.Connection, journals: Path, entries: Sequence[Entry]) -> int:
    """Do what was not done before: the journals first, durably, then the tables; return how many were new.

    Inside the caller's transaction, so that nobody else comes between and the journals have the order of the log.
    """
    fresh = [entry for entry in entries if not has_event(connection, entry.uid)]
    place = place_in_order(connection)
    for number, entry in enumerate(fresh):
        fresh[number] = replace(entry, ordered_at=place)
        place = just_after(place)
    for code in sorted({entry.by for entry in fresh}):
        append_entries(journals, code, [entry.as_line() for entry in fresh if entry.by == code])
    return sum(enter(connection, entry) for entry in fresh)


def enter(connection: sqlite3.Connection, entry: Entry, *, replayed: Container[str] | None = None) -> bool:
    """Apply an entry inside the caller's transaction; return False when it was applied before.

    Args:
        connection: in a transaction.
        entry: what was done.
        replayed: None when it is done now, so that it comes after everything in the tables. In a replay, the
            uids entered by it so far: after those it comes too, and for all others their places decide.

    Raises:
        UnknownEntry: it cannot be applied to this database.

    """
    if has_event(connection, entry.uid):
        return False
    if entry.kind == "inspector":
        _inspector(connection, entry)
        append_event(
            connection, entry.uid, entry.at, entry.kind, entry.by, None, None, entry.body, entry.ordered_at
        )  # fmt: skip
        return True
    apply = _KINDS.get(entry.kind)
    if apply is None:
        raise UnknownEntry(f"journal entries of kind {entry.kind!r} are not known", mend="update qnet")
    object_id = _object_of(connection, entry)
    apply(connection, entry, object_id, replayed)
    append_event(
        connection, entry.uid, entry.at, entry.kind, entry.by, object_id, entry.round, entry.body, entry.ordered_at
    )  # fmt: skip
    return True


def _inspector(connection: sqlite3.Connection, entry: Entry) -> None:
    """Register a person; a code that came from a file becomes the account's that claims it."""
    connection.execute(
        "INSERT INTO inspector (code, os_user, name, added_at) VALUES (?, ?, ?, ?) ON CONFLICT (code) DO UPDATE"
        " SET os_user = excluded.os_user, name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END"
        " WHERE os_user = '' AND excluded.os_user <> ''",
        (entry.by, entry.body["os_user"], entry.body["name"], entry.at),
    )


def _object_of(connection: sqlite3.Connection, entry: Entry) -> int:
    row = connection.execute(
        "SELECT id FROM object WHERE survey = ? AND identity = ?", (entry.survey, entry.identity)
    ).fetchone()
    if row is None:
        raise UnknownEntry(f"object {entry.survey}:{entry.identity} is not here", mend="ingest its spectrum")
    return int(row[0])


def _check_person(connection: sqlite3.Connection, code: str) -> None:
    if connection.execute("SELECT 1 FROM inspector WHERE code = ?", (code,)).fetchone() is None:
        raise UnknownEntry(f"inspector {code} is not here")


def _vote(connection: sqlite3.Connection, entry: Entry, object_id: int, replayed: Container[str] | None) -> None:
    _check_person(connection, entry.by)
    before = connection.execute(
        f"SELECT v.uid, e.ordered_at FROM vote v JOIN event e ON e.uid = v.uid"
        f" WHERE v.object_id = ? AND v.inspector = ? AND {CURRENT_VOTE}",
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
            entry.uid, entry.round, object_id, entry.by, entry.body.get("committed_at", entry.at), superseded_by,
            *_cells(entry.body, VOTE_COLUMNS),
        ),
    )  # fmt: skip
    _open_again(connection, entry, object_id, entry.uid, holds=not superseded_by, replayed=replayed)
    _end_of_work(connection, object_id, entry.by)


def _withdraw(connection: sqlite3.Connection, entry: Entry, object_id: int, _replayed: Container[str] | None) -> None:
    uid = entry.body["vote_uid"]
    changed = connection.execute(
        "UPDATE vote SET withdrawn_at = ? WHERE uid = ? AND withdrawn_at = ''", (entry.at, uid)
    ).rowcount
    if changed != 1:
        raise UnknownEntry(f"vote {uid} is not here or was withdrawn")
    # Refused when it is done; but a merger may have been faster than what only a journal has.
    connection.execute(
        f"UPDATE merge SET reopened_at = ?1 WHERE object_id = ?2 AND {CURRENT_MERGE}"
        " AND EXISTS (SELECT 1 FROM json_each(vote_uids) WHERE value = ?3)",
        (entry.at, object_id, uid),
    )


def _restore(connection: sqlite3.Connection, entry: Entry, object_id: int, replayed: Container[str] | None) -> None:
    uid = entry.body["vote_uid"]
    other = connection.execute(
        f"SELECT uid FROM vote WHERE object_id = ? AND inspector = ? AND uid <> ? AND {CURRENT_VOTE}",
        (object_id, entry.by, uid),
    ).fetchone()
    # A vote that came after this entry and was in the tables before it has taken the place meanwhile.
    changed = connection.execute(
        "UPDATE vote SET withdrawn_at = '', superseded_by = ? WHERE uid = ? AND withdrawn_at <> ''",
        (other[0] if other else "", uid),
    ).rowcount
    if changed != 1:
        raise UnknownEntry(f"vote {uid} is not here or was not withdrawn")
    _open_again(connection, entry, object_id, uid, holds=other is None, replayed=replayed)
    _end_of_work(connection, object_id, entry.by)


def _open_again(
    connection: sqlite3.Connection,
    entry: Entry,
    object_id: int,
    vote_uid: str,
    *,
    holds: bool,
    replayed: Container[str] | None,
) -> None:
    """Open what was settled without knowing a vote that came after it, or that holds all the same."""
    merged = connection.execute(
        f"SELECT m.uid, e.ordered_at, m.vote_uids, m.round FROM merge m JOIN event e ON e.uid = m.uid"
        f" WHERE m.object_id = ? AND {CURRENT_MERGE}",
        (object_id,),
    ).fetchone()
    if merged is None or vote_uid in json.loads(merged[2]):
        return
    if _follows(entry, merged, replayed) or (holds and merged[3] == entry.round):
        connection.execute("UPDATE merge SET reopened_at = ? WHERE uid = ?", (entry.at, merged[0]))


def _merge(connection: sqlite3.Connection, entry: Entry, object_id: int, replayed: Container[str] | None) -> None:
    before = connection.execute(
        "SELECT m.uid, e.ordered_at FROM merge m JOIN event e ON e.uid = m.uid"
        f" WHERE m.object_id = ? AND {CURRENT_MERGE}",
        (object_id,),
    ).fetchone()
    superseded_by = ""
    if before is not None:
        if _follows(entry, before, replayed):
            connection.execute("UPDATE merge SET superseded_by = ? WHERE uid = ?", (entry.uid, before[0]))
        else:
            superseded_by = before[0]
    reopened_at = "" if replayed is None else _opened_by(connection, entry, object_id)
    connection.execute(
        "INSERT INTO merge (uid, round, object_id, by, at, superseded_by, reopened_at,"
        f" {', '.join(MERGE_COLUMNS)}) VALUES ({', '.join('?' * (7 + len(MERGE_COLUMNS)))})",
        (
            entry.uid, entry.round, object_id, entry.by, entry.at, superseded_by, reopened_at,
            *_cells(entry.body, MERGE_COLUMNS),
        ),
    )  # fmt: skip


def _opened_by(connection: sqlite3.Connection, entry: Entry, object_id: int) -> str:
    """Return when a replayed merged label was opened again by what it did not know, "" if it was not."""
    (at,) = connection.execute(
        f"SELECT min(CASE WHEN v.withdrawn_at <> '' THEN v.withdrawn_at ELSE e.at END)"
        f" FROM vote v JOIN event e ON e.uid = v.uid WHERE v.object_id = ?1 AND CASE"
        " WHEN v.uid IN (SELECT value FROM json_each(?4)) THEN v.withdrawn_at <> ''"
        f" ELSE e.ordered_at > ?2 OR (v.round = ?3 AND {CURRENT_VOTE}) END",
        (object_id, entry.ordered_at or entry.at, entry.round, json.dumps(entry.body["vote_uids"])),
    ).fetchone()
    return str(at or "")


def _reopen(connection: sqlite3.Connection, entry: Entry, _object_id: int, _replayed: Container[str] | None) -> None:
    uid = entry.body["merge_uid"]
    if connection.execute("SELECT 1 FROM merge WHERE uid = ?", (uid,)).fetchone() is None:
        raise UnknownEntry(f"merged label {uid} is not here")
    connection.execute("UPDATE merge SET reopened_at = ? WHERE uid = ? AND reopened_at = ''", (entry.at, uid))


def _star(connection: sqlite3.Connection, entry: Entry, object_id: int, replayed: Container[str] | None) -> None:
    _check_person(connection, entry.by)
    before = connection.execute(
        "SELECT s.uid, e.ordered_at FROM star s JOIN event e ON e.uid = s.uid"
        " WHERE s.inspector = ? AND s.object_id = ?",
        (entry.by, object_id),
    ).fetchone()
    if before is None or _follows(entry, before, replayed):
        connection.execute(
            "INSERT INTO star (inspector, object_id, starred, note, uid, at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (inspector, object_id) DO UPDATE SET starred = excluded.starred, note = excluded.note,"
            " uid = excluded.uid, at = excluded.at",
            (entry.by, object_id, int(entry.kind == "star"), entry.body["note"], entry.uid, entry.at),
        )


def _look(connection: sqlite3.Connection, entry: Entry, object_id: int, replayed: Container[str] | None) -> None:
    _check_person(connection, entry.by)
    before = connection.execute(
        "SELECT l.uid, e.ordered_at FROM look l JOIN event e ON e.uid = l.uid"
        " WHERE l.round = ? AND l.object_id = ? AND l.inspector = ?",
        (entry.round, object_id, entry.by),
    ).fetchone()
    if before is None or _follows(entry, before, replayed):
        connection.execute(
            "INSERT INTO look (round, object_id, inspector, vote_uids, uid, at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (round, object_id, inspector) DO UPDATE SET vote_uids = excluded.vote_uids,"
            " uid = excluded.uid, at = excluded.at",
            (entry.round, object_id, entry.by, json.dumps(entry.body["vote_uids"]), entry.uid, entry.at),
        )


_Apply = Callable[[sqlite3.Connection, Entry, int, Container[str] | None], None]
_KINDS: Mapping[str, _Apply] = MappingProxyType(
    {
        "vote": _vote, "withdraw": _withdraw, "restore": _restore, "merge": _merge, "reopen": _reopen,
        "star": _star, "unstar": _star, "look": _look,
    }
)  # fmt: skip


def _end_of_work(connection: sqlite3.Connection, object_id: int, inspector: str) -> None:
    for table in ("draft", "deferral", "lease"):
        connection.execute(f"DELETE FROM {table} WHERE object_id = ? AND inspector = ?", (object_id, inspector))


def _follows(entry: Entry, before: tuple[str, ...], replayed: Container[str] | None) -> bool:
    """Say whether the entry came after the one that holds, given as (uid, place, …)."""
    return replayed is None or before[0] in replayed or before[1] <= (entry.ordered_at or entry.at)


def _cells(body: Mapping[str, Any], names: tuple[str, ...]) -> list[Any]:
    return [_cell(body[name] if name in body or name not in UNSAID else UNSAID[name]) for name in names]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value) if isinstance(value, list) else value
