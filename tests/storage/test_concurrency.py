"""Several programs at once: voters, openers that migrate, readers beside a writer."""

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from storage.connection import connect, fetch, transaction
from storage.events import verify_events
from storage.migrations import SCHEMA_VERSION
from storage.rounds import selection
from storage.shards import gather
from storage.spectra import read_rows
from storage.votes import progress, votes
from storage.workspace import DATABASE, Workspace
from tests.storage.conftest import ingest

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.writers", *arguments],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_four_people_share_a_queue_without_loss_or_repetition(queued: Workspace) -> None:
    codes = ("ABC", "DEF", "GHI", "JKL")
    people = [start("empty_the_queue", str(queued.root), code, "3") for code in codes]
    for one in people:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in people:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    acknowledged = []
    for one in people:
        out, err = one.communicate(timeout=60)
        assert one.returncode == 0, err
        acknowledged += out.split()
    found = votes(queued)
    assert sorted(one.uid for one in found) == sorted(acknowledged)
    # One who finds all that is left in other hands stops early, so nobody is asked for more than is required.
    assert max(Counter(one.object_id for one in found).values()) <= 3
    assert len({(one.object_id, one.inspector) for one in found}) == len(found)
    assert len(found) >= 8
    assert progress(queued, 1, "ABC", 3).made == len(found)
    assert verify_events(queued) == []


@pytest.mark.parametrize("empty", [True, False])
def test_four_programs_that_open_an_old_database_at_once_migrate_it_once(tmp_path: Path, empty: bool) -> None:
    if empty:
        connect(tmp_path / DATABASE).close()
    else:
        Workspace.create(tmp_path).close()
        db = connect(tmp_path / DATABASE)
        # Ours by its mark, and empty: what a migration from before the first schema finds.
        tables = [name for (name,) in fetch(db, "SELECT name FROM sqlite_master WHERE type = 'table'")]
        db.execute("PRAGMA foreign_keys = OFF")
        with transaction(db) as connection:
            for name in tables:
                if not name.startswith("sqlite_"):
                    connection.execute(f"DROP TABLE {name}")
            connection.execute("PRAGMA user_version = 0")
        db.close()
    openers = [start("open_it", str(tmp_path)) for _ in range(4)]
    for one in openers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in openers:
        out, err = one.communicate(timeout=60)
        assert (out.strip(), err) == (str(SCHEMA_VERSION), "")


def test_readers_see_whole_files_while_a_writer_commits(ws: Workspace) -> None:
    done = threading.Event()
    seen: list[int] = []
    failures: list[BaseException] = []

    def read() -> None:
        try:
            with Workspace.open(ws.root) as mine:
                while not done.is_set():
                    rows = read_rows(mine)
                    vectors = gather(mine, rows["shard_id"], rows["shard_row"])
                    assert rows.size % 50 == 0
                    assert rows.size == 0 or vectors[:, 0].tolist() == list(range(rows.size))
                    seen.append(rows.size)
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(20):
        ingest(ws, 50, first=50 * number, name=str(number))
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert seen
    assert read_rows(ws).size == 1000


def test_threads_of_one_program_use_one_workspace(queued: Workspace) -> None:
    failures: list[BaseException] = []
    object_ids = [one.object_id for one in selection(queued, 1)]

    def work(code: str) -> None:
        from storage.votes import Vote, commit_vote, new_uid

        try:
            for object_id in object_ids:
                commit_vote(queued, Vote(new_uid(), 1, object_id, code, "STAR", 0.0, 3))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(code,)) for code in ("ABC", "DEF", "GHI", "JKL")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(votes(queued)) == 32
    assert verify_events(queued) == []
