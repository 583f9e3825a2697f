"""One SQLite connection as every part of the program uses it, and two ways to use it: read all, or write.

Rollback journal (never WAL: a workspace may lie on a network file system), synchronous FULL, foreign keys on,
``BEGIN IMMEDIATE`` for every write so that a read-then-write never fails for want of an upgrade. Rows are
always
fetched completely: an unfinished cursor keeps a read lock and would stop every writer's commit.
"""

import random
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlite_utils

from storage.errors import DamagedWorkspace, DatabaseBusy, DiskFull, ReadOnlyWorkspace, StorageError
from storage.files import create_private_to_group

WAIT_SECONDS = 30.0
"""How long SQLite itself waits for a lock, and again how long a refused BEGIN or COMMIT is repeated."""

CACHE_KIB = 65_536
OLDEST_SQLITE = (3, 37, 0)
"""The first SQLite with STRICT tables."""

_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FULL_EXTENDED = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_FSYNC}
_LOCK_EXTENDED = {
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_IOERR_RDLOCK,
    sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
}


def connect(path: str | Path, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS) -> sqlite_utils.Database:
    """Open the database file, creating an empty one with mode 0660 when it is not there and may be written.

    Args:
        path: the database file.
        read_only: open without any right to write (``mode=ro`` and ``query_only``).
        wait_seconds: how long a lock is waited for.

    Raises:
        StorageError: the file cannot be opened; the line names it.

    """
    path = Path(path)
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old", mend="use a Python with SQLite 3.37 or newer")
    if not read_only:
        create_private_to_group(path)
    uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rw'}"
    with database_errors(path):
        connection = sqlite3.connect(uri, uri=True, timeout=wait_seconds, isolation_level=None, check_same_thread=False)
        try:
            db = sqlite_utils.Database(connection, recursive_triggers=True, execute_plugins=False)
            connection.execute("PRAGMA foreign_keys = ON")
            if read_only:
                connection.execute("PRAGMA query_only = ON")
            else:
                connection.execute("PRAGMA journal_mode = DELETE").fetchall()
                connection.execute("PRAGMA synchronous = FULL")
                # A transaction that outgrows the cache locks readers out before its commit.
                connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        except BaseException:
            connection.close()
            raise
    return db


@contextmanager
def transaction(
    db: sqlite_utils.Database, *, patience: float = WAIT_SECONDS, begin_within: float | None = None
) -> Iterator[sqlite3.Connection]:
    """Write inside one ``BEGIN IMMEDIATE`` transaction; all or nothing.

    A ``BEGIN`` or ``COMMIT`` refused because of another program's lock is repeated, with a random pause,
    until ``patience`` seconds have passed (at least once more after SQLite's own wait). Inside another
    ``transaction`` of the same connection it is a savepoint: its failure undoes only its own part, and
    nothing is durable before the outermost one ends. With ``begin_within`` a ``BEGIN`` is refused after about
    that many seconds; what was begun waits for its ``COMMIT`` as ever.

    Yields:
        The connection, for ``execute`` and ``executemany``.

    Raises:
        DatabaseBusy, DiskFull, ReadOnlyWorkspace, DamagedWorkspace, StorageError: one line each; the
            transaction is rolled back.

    """
    connection = db.conn
    with database_errors(path_of(connection)):
        if _is_open(connection):
            with db.atomic():
                yield connection
            return
        if begin_within is None:
            _persistently(connection, "BEGIN IMMEDIATE", patience)
        else:
            _begin_within(connection, begin_within)
        try:
            yield connection
            _persistently(connection, "COMMIT", patience)
        except BaseException:
            # SQLite rolls back by itself on a full disk; then there is nothing left to undo.
            if _is_open(connection):
                connection.execute("ROLLBACK")
            raise


def fetch(
    db: sqlite_utils.Database, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """Run a query and return all its rows, so that no lock outlives the call."""
    with database_errors(path_of(db.conn)):
        return db.conn.execute(sql, parameters).fetchall()


def fetch_in(
    db: sqlite_utils.Database, sql: str, values: Iterable[int | str], *, before: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Run ``sql`` for any number of values: ``{}`` in it becomes the placeholders of one slice of them.

    SQLite limits the placeholders of a statement, so the values go in slices of 10 000; ``before`` are the
    parameters that stand before the placeholders. Rows come slice after slice.
    """
    values = list(values)
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(values), 10_000):
        part = values[start : start + 10_000]
        rows += fetch(db, sql.format(",".join("?" * len(part))), (*before, *part))
    return rows


def path_of(connection: sqlite3.Connection) -> str:
    """Return the file of a connection as SQLite knows it ("" for one that is closed or in memory)."""
    try:
        rows = connection.execute("PRAGMA database_list").fetchall()
    except sqlite3.Error:
        return ""
    return str(rows[0][2]) if rows else ""


@contextmanager
def database_errors(path: str | Path) -> Iterator[None]:
    """Turn what SQLite raises for outside reasons into one line; let programming errors through."""
    try:
        yield
    except sqlite3.Error as error:
        mapped = _mapped(error, path)
        if mapped is None:
            raise
        raise mapped from error


def _is_open(connection: sqlite3.Connection) -> bool:
    return connection.in_transaction


def _begin_within(connection: sqlite3.Connection, seconds: float) -> None:
    (usual,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {round(500 * seconds)}")
    try:
        # Two attempts: SQLite's waiting is not fair.
        _persistently(connection, "BEGIN IMMEDIATE", 0.0)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {usual}")


def _persistently(connection: sqlite3.Connection, statement: str, patience: float) -> None:
    end = time.monotonic() + patience
    last_try = False
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY_CODES or last_try:
                raise
            last_try = time.monotonic() >= end
            # Writers that were refused together must not come back together.
            time.sleep(random.uniform(0.005, 0.05))


def _mapped(error: sqlite3.Error, path: str | Path) -> StorageError | None:
    extended = getattr(error, "sqlite_errorcode", None)
    if extended is None:
        return None
    code = extended & 0xFF
    if code in _BUSY_CODES:
        return DatabaseBusy("another program is writing and did not finish in time", file=path, mend="do it again")
    if code == sqlite3.SQLITE_FULL or extended in _FULL_EXTENDED:
        return DiskFull(
            f"not written ({error}): disk, quota or file size limit",
            file=path,
            mend="make room, then do it again",
        )
    if extended == sqlite3.SQLITE_READONLY_ROLLBACK:
        return ReadOnlyWorkspace(
            "a write that was cut off must be rolled back first",
            file=path,
            mend="open it once from an account that may write",
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
        return ReadOnlyWorkspace(f"not permitted ({error})", file=path, mend="ask the owner for group write permission")
    if code == sqlite3.SQLITE_CANTOPEN:
        return ReadOnlyWorkspace(
            "the database or its journal cannot be opened",
            file=path,
            mend="check that it is there and that the directory may be written",
        )
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return DamagedWorkspace(
            f"the database is damaged ({error})",
            file=path,
            mend="restore a backup, or rebuild the votes with 'qnet vi recover'",
        )
    if extended in _LOCK_EXTENDED or code == sqlite3.SQLITE_PROTOCOL:
        return StorageError(
            f"the file system refuses locks ({error})",
            file=path,
            mend="move the workspace to one with working locks",
        )
    if code == sqlite3.SQLITE_IOERR:
        return StorageError(f"the disk failed ({error})", file=path)
    return None
