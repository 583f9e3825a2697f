"""Replaying the journals: what the database lacks is entered at the next open, or into a fresh database.

Each journal is in the order its person acted; between persons the places in the order of all decide.
"""

import heapq
import json
import secrets
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlite_utils

from storage.connection import connect, fetch, fetch_in, transaction
from storage.entries import Entry, UnknownEntry
from storage.errors import DamagedWorkspace, NotAWorkspace
from storage.files import one_line_errors, sync_directory
from storage.journal import JournalPart, journal_files, read_entries
from storage.ledger import enter
from storage.migrations import check_readable, migrate
from storage.rounds import QUEUE_FILE, SelectionRecord
from storage.settings import SETTINGS_FILE, restore_settings
from storage.times import utc_now
from storage.workspace import DATABASE, Workspace

_MARK_AFTER_BYTES = 65_536


@dataclass(frozen=True)
class Recovery:
    """What :func:`recover` did.

    Attributes:
        fresh: a new database was made; else the one there was sound and only got what it lacked.
        entries: journal entries entered (votes, undone votes, merged labels, inspectors).
        votes: votes in the database now, superseded and undone ones with them.
        merges: merged labels in it now.
        objects: objects that the rounds ask or asked for.
        left: entries and lines that could not be used, each in a few words.
        moved_aside: where the damaged database lies now, if there was one.

    """

    fresh: bool
    entries: int
    votes: int
    merges: int
    objects: int
    left: tuple[str, ...]
    moved_aside: Path | None


def reconcile(ws: Workspace) -> int:
    """Enter what the journals have and the database lacks; return how many entries.

    Entries about objects that are not here stay in the journal and are tried again at the next open. What was
    read is marked, so an open costs little however long the journals are.
    """
    marks = dict(fetch(ws.db, "SELECT name, bytes FROM journal_mark"))
    parts: list[tuple[str, JournalPart]] = []
    grown = 0
    for path in journal_files(ws.journal_dir):
        start = marks.get(path.name, 0)
        size = path.stat().st_size
        if size == start:
            continue
        # A file shorter than its mark was replaced from a backup: read it whole.
        part = read_entries(path, start if size > start else 0)
        parts.append((path.name, part))
        grown += part.end - start
    lacking = _lacking(ws.db, (line["uid"] for _, part in parts for line in part.entries))
    if not lacking and abs(grown) < _MARK_AFTER_BYTES:
        return 0
    with transaction(ws.db) as connection:
        entered, left = _replay(connection, [part.entries for _, part in parts], lacking, whole_groups=True)
        unplaced = {name for name, _ in left}
        for name, part in parts:
            if not any(line["uid"] in unplaced for line in part.entries):
                connection.execute(
                    "INSERT INTO journal_mark (name, bytes) VALUES (?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes",
                    (name, part.end),
                )
    return entered


def recover(root: str | Path) -> Recovery:
    """Rebuild settings, inspectors, rounds, votes, stars, looks and merged labels from ``journal/`` and ``rounds/``.

    A sound database is kept and gets what it lacks. A damaged one is moved aside, never deleted. Files, truth
    and runs are not in the journals: ingest and import again; objects keep their numbers.

    Raises:
        NotAWorkspace: there is nothing to rebuild from.
        StorageError: the new database could not be written; the old one is where it was.

    """
    root = Path(root).absolute()
    database = root / DATABASE
    journals = journal_files(root / "journal")
    queues = sorted((root / "rounds").glob(f"*/{QUEUE_FILE}"))
    if not journals and not queues:
        raise NotAWorkspace("has no journals and no rounds to rebuild from", file=root)
    if _is_sound(database):
        with closing(connect(database)) as db:
            return _rebuild(db, root, journals, queues)
    with one_line_errors(root), tempfile.TemporaryDirectory(prefix=".recover.", dir=root) as scratch:
        built = Path(scratch) / DATABASE
        with closing(connect(built)) as db:
            report = _rebuild(db, root, journals, queues)
        moved = _move_aside(database)
        built.replace(database)
        sync_directory(root)
    return replace(report, fresh=True, moved_aside=moved)


def _rebuild(db: sqlite_utils.Database, root: Path, journals: list[Path], queues: list[Path]) -> Recovery:
    """Enter into ``db`` all that it lacks of the settings, queue files and journals, in one transaction."""
    migrate(db)
    parts = [read_entries(path) for path in journals]
    left = [
        f"{path.name}: {part.bad_lines} lines are no entries"
        for path, part in zip(journals, parts, strict=True)
        if part.bad_lines
    ]
    with transaction(db) as connection:
        left += restore_settings(connection, root / "rounds" / SETTINGS_FILE)
        left += _restore_queues(connection, queues)
        lacking = _lacking(db, (line["uid"] for part in parts for line in part.entries))
        entered, unplaced = _replay(connection, [part.entries for part in parts], lacking, whole_groups=False)
    left += [f"{uid}: {reason}" for uid, reason in unplaced]
    votes, merges, objects = fetch(
        db,
        "SELECT (SELECT count(*) FROM vote), (SELECT count(*) FROM merge),"
        " (SELECT count(DISTINCT object_id) FROM selection)",
    )[0]
    return Recovery(False, entered, votes, merges, objects, tuple(left), None)


def _lacking(db: sqlite_utils.Database, uids: Iterable[str]) -> set[str]:
    wanted = set(uids)
    return wanted - {row[0] for row in fetch_in(db, "SELECT uid FROM event WHERE uid IN ({})", wanted)}


def _replay(
    connection: sqlite3.Connection,
    journals: Iterable[tuple[dict[str, Any], ...]],
    lacking: set[str],
    *,
    whole_groups: bool,
) -> tuple[int, list[tuple[str, str]]]:
    """Enter what is lacking in order; return how many, and (uid, reason) of what could not be entered.

    With ``whole_groups`` an import that was cut off before all its journals were written is not entered: who
    imported was told so, and a repeated import is another group. Where a damaged database is rebuilt, every
    line that is left counts.
    """
    journals = list(journals)
    # A commit that had to wait or was repeated is in its journal twice; the last time it had its place in the order.
    last = {line["uid"]: line for lines in journals for line in lines}
    present = Counter(line["group"] for lines in journals for line in lines if line.get("group"))
    entered: set[str] = set()
    left: dict[str, str] = {}
    for _, _, holder in heapq.merge(*(_in_order(index, lines) for index, lines in enumerate(journals))):
        line, uid = holder.line, holder.line["uid"]
        if uid not in lacking or last[uid] is not line:
            continue
        group = line.get("group")
        if whole_groups and group and present[group] < line.get("group_size", 0):
            left[uid] = "the import that it belongs to was cut off: import the file again"
            continue
        try:
            if _entered_whole(connection, Entry.of_line(line), entered):
                entered.add(uid)
        except UnknownEntry as error:
            left[uid] = error.what
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, KeyError, TypeError, ValueError) as error:
            left[uid] = f"cannot be read ({error})"
    return len(entered), [(uid, reason) for uid, reason in left.items() if uid not in entered]


def _entered_whole(connection: sqlite3.Connection, entry: Entry, entered: set[str]) -> bool:
    """Enter one entry; what it had changed before it turned out to be of no use is taken back."""
    connection.execute("SAVEPOINT entry")
    try:
        new = enter(connection, entry, replayed=entered)
    except BaseException:
        # On a full disk SQLite has rolled back everything by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK TO entry")
            connection.execute("RELEASE entry")
        raise
    connection.execute("RELEASE entry")
    return new


@dataclass(frozen=True)
class _Line:
    line: dict[str, Any]


def _in_order(index: int, lines: tuple[dict[str, Any], ...]) -> Iterator[tuple[str, tuple[int, int], _Line]]:
    """Give each line a place that never runs back within its journal, whatever the clocks said."""
    latest = ""
    for number, line in enumerate(lines):
        latest = max(latest, str(line.get("ordered_at") or line["at"]))
        yield latest, (index, number), _Line(line)


def _restore_queues(connection: sqlite3.Connection, queues: list[Path]) -> list[str]:
    """Put objects and selections back from the queue files; return what could not be read."""
    left = []
    columns = [*SelectionRecord.__dataclass_fields__, "withdrawn", "withdrawn_by", "at"]
    for path in queues:
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                line = json.loads(text)
                values = {name: line[name] for name in columns}
                values |= {"object_id": _restored_object(connection, line), "row_id": 0}
                connection.execute(
                    f"INSERT INTO selection ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
                    " ON CONFLICT (round, object_id) DO NOTHING",
                    [values[name] for name in columns],
                )
            except (ValueError, KeyError, TypeError, sqlite3.IntegrityError) as error:
                left.append(f"{path.parent.name}/{path.name} line {number}: cannot be read ({error})")
    return left


def _restored_object(connection: sqlite3.Connection, line: dict[str, Any]) -> int:
    """Return the object's id here, making it, with the id it had wherever that is free."""
    name = (line["survey"], line["identity"])
    found = connection.execute("SELECT id FROM object WHERE survey = ? AND identity = ?", name).fetchone()
    if found is None:
        taken = connection.execute("SELECT 1 FROM object WHERE id = ?", (line["object_id"],)).fetchone()
        connection.execute(
            "INSERT INTO object (id, survey, identity, targetid) VALUES (?, ?, ?, ?)",
            (None if taken else line["object_id"], *name, line["targetid"]),
        )
        found = connection.execute("SELECT id FROM object WHERE survey = ? AND identity = ?", name).fetchone()
    return int(found[0])


def _is_sound(database: Path) -> bool:
    """Say whether the database may stay. One of a newer program, or one that is busy, is not ours to move."""
    if not database.is_file() or database.stat().st_size == 0:
        return False
    try:
        with closing(connect(database)) as db:
            check_readable(db, database)
            return fetch(db, "PRAGMA integrity_check") == [("ok",)]
    except (DamagedWorkspace, NotAWorkspace, sqlite3.DatabaseError):
        return False


def _move_aside(database: Path) -> Path | None:
    """Rename a damaged database; and its rollback journal, which would else be played into the new one."""
    stamp = utc_now()[:19].replace(":", "").replace("-", "")
    target = database.with_name(f"{database.name}.damaged-{stamp}-{secrets.token_hex(2)}")
    moved = None
    for suffix in ("", "-journal"):
        source = database.with_name(database.name + suffix)
        if source.exists():
            source.replace(target.with_name(target.name + suffix))
            moved = target
    return moved
