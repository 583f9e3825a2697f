# ruff: noqa: PT012 - what is tested is what a failure inside the block leaves behind.
import errno
import os
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest

from storage.connection import connect, fetch, fetch_in, transaction
from storage.errors import (
    DamagedWorkspace,
    DatabaseBusy,
    DiskFull,
    ReadOnlyWorkspace,
    StorageError,
)
from storage.files import make_directory, one_line_errors, temporary_name, write_durably


@pytest.fixture
def path(tmp_path: Path) -> Path:
    db = connect(tmp_path / "a b?.db")
    db.execute("CREATE TABLE t (x INTEGER UNIQUE) STRICT")
    db.close()
    return tmp_path / "a b?.db"


def test_a_new_file_is_writable_for_the_group_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        connect(tmp_path / "new.db").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.db").stat().st_mode) == 0o660


def test_the_pragmas_that_a_shared_database_needs(path: Path) -> None:
    db = connect(path)
    found = [fetch(db, f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert found == ["delete", 2, 1]
    assert fetch(db, "PRAGMA recursive_triggers") == [(1,)]


def test_a_failed_transaction_leaves_nothing_and_the_connection_usable(path: Path) -> None:
    db = connect(path)
    with pytest.raises(ValueError, match="mine"), transaction(db) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        raise ValueError("mine")
    with transaction(db) as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    assert fetch(db, "SELECT x FROM t") == [(2,)]


def test_a_nested_transaction_undoes_only_its_own_part(path: Path) -> None:
    db = connect(path)
    with transaction(db) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(KeyError), transaction(db):
            connection.execute("INSERT INTO t VALUES (2)")
            raise KeyError
        with transaction(db):
            connection.execute("INSERT INTO t VALUES (3)")
        other = connect(path)
        assert fetch(other, "SELECT x FROM t") == []
    assert fetch(db, "SELECT x FROM t ORDER BY x") == [(1,), (3,)]


def test_programming_errors_are_not_hidden(path: Path) -> None:
    db = connect(path)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        fetch(db, "SELECT * FROM misspelt")
    with pytest.raises(sqlite3.IntegrityError), transaction(db) as connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(1,), (1,)])


def test_a_lock_that_stays_is_reported_and_one_that_ends_is_waited_for(path: Path) -> None:
    holder, waiting = connect(path), connect(path, wait_seconds=0.01)
    holder.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(DatabaseBusy, match="another program"), transaction(waiting, patience=0.2):
        pytest.fail("the lock was given twice")
    assert 0.2 <= time.monotonic() - started < 2
    release = threading.Timer(0.15, lambda: holder.execute("COMMIT"))
    release.start()
    with transaction(waiting, patience=5) as connection:
        connection.execute("INSERT INTO t VALUES (5)")
    release.join()
    assert fetch(holder, "SELECT x FROM t") == [(5,)]


def test_a_commit_that_a_reader_blocks_is_repeated(path: Path) -> None:
    reader, writer = connect(path), connect(path, wait_seconds=0.01)
    with transaction(writer) as connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(2000)])
    unfinished = reader.conn.execute("SELECT x FROM t")
    unfinished.fetchone()
    release = threading.Timer(0.15, unfinished.close)
    release.start()
    with transaction(writer, patience=5) as connection:
        connection.execute("INSERT INTO t VALUES (-1)")
    release.join()
    assert fetch(reader, "SELECT count(*) FROM t") == [(2001,)]


def test_a_commit_that_stays_blocked_is_rolled_back(path: Path) -> None:
    reader, writer = connect(path), connect(path, wait_seconds=0.01)
    with transaction(writer) as connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(2000)])
    unfinished = reader.conn.execute("SELECT x FROM t")
    unfinished.fetchone()
    with pytest.raises(DatabaseBusy), transaction(writer, patience=0.1) as connection:
        connection.execute("INSERT INTO t VALUES (-1)")
    unfinished.close()
    assert not writer.conn.in_transaction
    assert fetch(reader, "SELECT count(*) FROM t") == [(2000,)]


def test_a_read_only_connection_cannot_write(path: Path) -> None:
    db = connect(path, read_only=True)
    with pytest.raises(ReadOnlyWorkspace), transaction(db) as connection:
        connection.execute("INSERT INTO t VALUES (1)")


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(DamagedWorkspace, match=r"x\.db: the database is damaged"):
        connect(tmp_path / "x.db")
    with pytest.raises(ReadOnlyWorkspace, match="cannot be opened"):
        connect(tmp_path / "absent.db", read_only=True)


def test_any_number_of_values_can_be_asked_for(path: Path) -> None:
    db = connect(path)
    with transaction(db) as connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(25_000)])
    rows = fetch_in(db, "SELECT x FROM t WHERE x >= ? AND x IN ({})", range(40_000), before=(10,))
    assert sorted(rows) == [(i,) for i in range(10, 25_000)]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EROFS, ReadOnlyWorkspace),
        (errno.EACCES, ReadOnlyWorkspace),
        (errno.EIO, StorageError),
    ],
)
def test_errors_of_the_disk_are_one_line(tmp_path: Path, code: int, kind: type[StorageError]) -> None:
    with pytest.raises(kind) as caught, one_line_errors(tmp_path / "file"):
        raise OSError(code, os.strerror(code))
    assert type(caught.value) is kind
    assert str(tmp_path / "file") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (sqlite3.SQLITE_FULL, DiskFull, "make room"),
        (sqlite3.SQLITE_IOERR_WRITE, DiskFull, "make room"),
        (sqlite3.SQLITE_READONLY_ROLLBACK, ReadOnlyWorkspace, "rolled back first"),
        (sqlite3.SQLITE_READONLY, ReadOnlyWorkspace, "group write"),
        (sqlite3.SQLITE_IOERR_LOCK, StorageError, "refuses locks"),
        (sqlite3.SQLITE_PROTOCOL, StorageError, "refuses locks"),
        (sqlite3.SQLITE_IOERR_READ, StorageError, "the disk failed"),
        (sqlite3.SQLITE_CORRUPT, DamagedWorkspace, "qnet vi recover"),
    ],
)
def test_errors_of_sqlite_are_one_line(path: Path, code: int, kind: type[StorageError], says: str) -> None:
    db = connect(path)
    with pytest.raises(kind, match=says) as caught, transaction(db):
        error = sqlite3.OperationalError("first\nsecond")
        error.sqlite_errorcode = code
        raise error
    assert "\n" not in str(caught.value)
    assert not db.conn.in_transaction


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_durably(tmp_path / "f", b"old")
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o660
    with pytest.raises(TypeError):
        write_durably(tmp_path / "f", b"new", "text is refused")  # type: ignore[arg-type]
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["f"]
    assert temporary_name(tmp_path / "f") != temporary_name(tmp_path / "f")


def test_a_sqlite_without_strict_tables_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(StorageError, match="too old; use a Python with SQLite"):
        connect(path)


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"Not a directory|File exists"):
        make_directory(tmp_path / "file" / "below")


def test_file_systems_without_group_ids_or_directory_sync_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_chmod, real_fsync = Path.chmod, os.fsync

    def chmod(self: Path, mode: int, **more: bool) -> None:
        if mode & 0o2000:
            raise PermissionError(errno.EPERM, "no set-group-id here")
        real_chmod(self, mode, **more)

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(refused, "sync")
        real_fsync(handle)

    monkeypatch.setattr(Path, "chmod", chmod)
    monkeypatch.setattr(os, "fsync", fsync)
    make_directory(tmp_path / "d")
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o770
    refused = errno.EINVAL
    write_durably(tmp_path / "d" / "f", b"x")
    refused = errno.EIO
    with pytest.raises(StorageError, match="sync"):
        write_durably(tmp_path / "d" / "g", b"x")
