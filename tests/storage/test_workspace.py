import os
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest

from storage import locks
from storage.connection import connect, fetch, transaction
from storage.errors import NewerSchema, NotAWorkspace, ReadOnlyWorkspace, Refused, StorageError
from storage.locks import filesystem_of, locks_work
from storage.migrations import MIGRATIONS, SCHEMA_VERSION, migrate
from storage.settings import get_setting, set_setting
from storage.workspace import DATABASE, DIRECTORIES, Workspace, sweep


def test_creating_says_what_it_found_and_is_harmless_twice(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "ws"
    with Workspace.create(root) as ws:
        set_setting(ws, "grid", "log", "me")
        assert ws.facts["journal_mode"] == "delete"
        assert ws.facts["locks_work"] is True
        assert ws.facts["filesystem"] == filesystem_of(tmp_path)
    with Workspace.create(root) as ws:
        assert get_setting(ws, "grid") == "log"
    assert sorted(one.name for one in root.iterdir()) == sorted((*DIRECTORIES, DATABASE))


def test_everything_is_writable_for_the_group_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with Workspace.create(tmp_path / "ws") as ws:
            made = [ws.root, ws.shards_dir, ws.journal_dir, ws.round_dir(3), ws.run_dir("al-0001")]
    finally:
        os.umask(before)
    assert {stat.S_IMODE(one.stat().st_mode) for one in made} == {0o2770}
    assert stat.S_IMODE(ws.database.stat().st_mode) == 0o660
    assert ws.round_dir(3) == ws.root / "rounds" / "003"


def test_a_file_or_a_filled_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refused, match="is a file"):
        Workspace.create(tmp_path / "file")
    with pytest.raises(Refused, match="not empty and not a workspace"):
        Workspace.create(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_creation_that_was_cut_off_can_be_done_again(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    connect(tmp_path / DATABASE).close()
    with Workspace.create(tmp_path) as ws:
        assert fetch(ws.db, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_journals_without_a_database_are_not_covered_up(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "ABC.jsonl").write_text("{}\n")
    with pytest.raises(Refused, match="qnet vi recover"):
        Workspace.create(tmp_path)
    assert not (tmp_path / DATABASE).exists()


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.workspace.locks_work", lambda _: False)
    with pytest.raises(StorageError, match="locks do not work"):
        Workspace.create(tmp_path / "ws")
    assert not (tmp_path / "ws" / DATABASE).exists()


@pytest.mark.parametrize("answers", [(12, 12), (11, 12), (10, 10)])
def test_the_lock_test_believes_only_a_lock_that_was_refused_and_then_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: tuple[int, int]
) -> None:
    assert locks_work(tmp_path) is True
    given = iter(answers)
    monkeypatch.setattr(locks, "_second_process", lambda _: next(given))
    assert locks_work(tmp_path) is False
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_that_cannot_start_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with pytest.raises(StorageError, match="could not start a second process"):
        locks_work(tmp_path)


def test_the_file_system_is_that_of_the_longest_mount_point(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    (tmp_path / "my data").mkdir()
    spaced = str(tmp_path / "my data").replace(" ", "\\040")
    mounts.write_text(
        f"1 0 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / {tmp_path} rw shared:1 - lustre x rw\nbroken\n"
        f"3 2 0:3 / {spaced} rw - nfs4 y rw\n4 1 0:4 / {tmp_path}x rw - tmpfs z rw\n"
    )
    assert filesystem_of(tmp_path / "ws", mounts) == "lustre"
    assert filesystem_of(tmp_path / "my data" / "ws", mounts) == "nfs4"
    assert filesystem_of(Path("/"), mounts) == "ext4"
    assert filesystem_of(tmp_path, tmp_path / "absent") == "unknown"


def test_finding_a_workspace(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = ws.round_dir(1), tmp_path / "outside"
    outside.mkdir()
    monkeypatch.delenv("QNET_WORKSPACE", raising=False)
    monkeypatch.chdir(inside)
    assert Workspace.find() == ws.root
    monkeypatch.chdir(outside)
    assert Workspace.find(ws.root) == ws.root
    assert Workspace.find("../ws").resolve() == ws.root
    with pytest.raises(NotAWorkspace, match="qnet init"):
        Workspace.find()
    with pytest.raises(NotAWorkspace, match="is not a workspace; make one"):
        Workspace.find(outside)
    monkeypatch.setenv("QNET_WORKSPACE", str(ws.root))
    assert Workspace.find() == ws.root
    monkeypatch.setenv("QNET_WORKSPACE", str(outside))
    with pytest.raises(NotAWorkspace, match="correct QNET_WORKSPACE"):
        Workspace.find()


def test_opening_what_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspace, match="qnet init") as caught:
        Workspace.open(tmp_path)
    assert caught.value.exit_code == 2
    with sqlite3.connect(tmp_path / DATABASE) as foreign:
        foreign.execute("CREATE TABLE theirs (x)")
    foreign.close()
    with pytest.raises(NotAWorkspace, match="belongs to another program"):
        Workspace.open(tmp_path)


def test_a_newer_schema_is_refused_in_one_line(ws: Workspace) -> None:
    ws.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    ws.close()
    with pytest.raises(NewerSchema, match=f"schema {SCHEMA_VERSION + 1}.*update qnet") as caught:
        Workspace.open(ws.root)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_a_migration_is_all_or_nothing_and_puts_the_triggers_back(ws: Workspace) -> None:
    ws.db.execute("DROP TRIGGER event_no_delete")
    next_version = SCHEMA_VERSION + 1
    broken = (*MIGRATIONS, (next_version, ("CREATE TABLE fresh (x INTEGER)", "CREATE TABLE run (x INTEGER)")))
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(ws.db, broken)
    assert fetch(ws.db, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert fetch(ws.db, "SELECT name FROM sqlite_master WHERE name = 'fresh'") == []
    assert migrate(ws.db, (*MIGRATIONS, (next_version, ("CREATE TABLE fresh (x INTEGER)",)))) == next_version
    found = fetch(ws.db, "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    assert found == [("event_no_delete",), ("event_no_replace",), ("event_no_update",)]


def test_every_table_is_strict(ws: Workspace) -> None:
    loose = fetch(
        ws.db, "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'"
    )
    assert loose == []


def test_a_workspace_that_cannot_be_written_is_read(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    set_setting(ws, "grid", "linear", "me")
    ws.close()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    with Workspace.open(ws.root) as seen:
        assert seen.read_only
        assert get_setting(seen, "grid") == "linear"
        assert seen.round_dir(9) == ws.root / "rounds" / "009"
        assert not seen.round_dir(9).exists()
        with pytest.raises(ReadOnlyWorkspace):
            set_setting(seen, "grid", "log", "me")
    db = connect(ws.database)
    db.execute("PRAGMA user_version = 0")
    db.close()
    with pytest.raises(ReadOnlyWorkspace, match="older schema 0"):
        Workspace.open(ws.root)


def test_only_old_leftovers_are_swept(ws: Workspace) -> None:
    old, young = time.time() - 2 * 86_400, time.time()
    names = ("shards/a.npy.tmp.host.1.ff", "shards/unregistered.npy", "rounds/001/w.npy.tmp.host.1.ff", "shards/note")
    names += ("rounds/s.json.tmp.host.1.ff",)
    ws.round_dir(1)
    for age, prefix in ((old, "old"), (young, "young")):
        for name in names:
            path = ws.root / Path(name).parent / (prefix + Path(name).name)
            path.write_bytes(b"x")
            os.utime(path, (age, age))
    swept = sweep(ws)
    assert sorted(str(one.relative_to(ws.root)) for one in swept) == [
        "rounds/001/oldw.npy.tmp.host.1.ff", "rounds/olds.json.tmp.host.1.ff", "shards/olda.npy.tmp.host.1.ff",
        "shards/oldunregistered.npy",
    ]  # fmt: skip
    assert (ws.root / "shards" / "oldnote").exists()
    assert not any(one.exists() for one in swept)


def test_the_data_version_changes_when_another_writes(ws: Workspace) -> None:
    before = ws.data_version()
    assert ws.data_version() == before
    with Workspace.open(ws.root) as other:
        set_setting(other, "grid", "log", "me")
    assert ws.data_version() != before


def test_threads_have_connections_of_their_own_and_close_ends_them_all(ws: Workspace) -> None:
    seen: list[object] = []

    def other() -> None:
        seen.append(ws.db)
        with transaction(ws.db) as connection:
            connection.execute("INSERT INTO setting VALUES ('from a thread', '1', '', '')")

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen[0] is not ws.db
    assert get_setting(ws, "from a thread") == 1
    ours = ws.db
    ws.close()
    with pytest.raises(sqlite3.ProgrammingError):
        ours.conn.execute("SELECT 1")
