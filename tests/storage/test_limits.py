"""Full disks, limits on file sizes, and accounts that may only read."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from storage.connection import fetch
from storage.errors import DiskFull
from storage.events import verify_events
from storage.shards import shards, verify, write_shard
from storage.votes import votes
from storage.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


def outcome(*arguments: str, **more: object) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.writers", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **more,  # type: ignore[call-overload]
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return str(done.stdout).splitlines()


def test_a_limit_on_file_sizes_is_one_line_and_costs_nothing_that_was_saved(queued: Workspace) -> None:
    queued.close()
    limit = queued.database.stat().st_size + 40_000

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    *uids, last = outcome("write_until_full", str(queued.root), "ABC", preexec_fn=small_files)
    assert last.startswith("DiskFull: ")
    assert "make room, then do it again" in last
    assert len(uids) > 10
    with Workspace.open(queued.root) as ws:
        assert set(uids) <= {one.uid for one in votes(ws, current=False)}
        assert fetch(ws.db, "PRAGMA integrity_check") == [("ok",)]
        assert verify_events(ws) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; where none can be mounted the test is left out."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        answer = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False
        )
        mounted = answer.returncode == 0
    if not mounted:
        pytest.skip("no small file system can be mounted by this account")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_one_line_and_costs_nothing_that_was_saved(queued: Workspace, small_disk: Path) -> None:
    queued.close()
    root = small_disk / "ws"
    shutil.copytree(queued.root, root)
    *uids, last = outcome("write_until_full", str(root), "ABC")
    assert last.startswith("DiskFull: ")
    assert len(uids) > 10
    with Workspace.open(root) as ws:
        assert set(uids) <= {one.uid for one in votes(ws, current=False)}
        assert fetch(ws.db, "PRAGMA integrity_check") == [("ok",)]
        before = [one.name for one in shards(ws)]
        with pytest.raises(DiskFull, match="make room"):
            write_shard(ws, np.zeros((1000, 443), np.float32), "log")
        assert [one.name for one in shards(ws)] == before
        assert sorted(one.name for one in ws.shards_dir.iterdir()) == sorted(before)
        assert verify(ws) == []


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that another account can reach."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def test_an_account_that_may_not_write_can_read(queued: Workspace, open_place: Path) -> None:
    queued.close()
    root = open_place / "ws"
    shutil.copytree(queued.root, root)
    for directory, _, names in os.walk(root):
        Path(directory).chmod(0o555)
        for name in names:
            (Path(directory) / name).chmod(0o444)
    # To the superuser every file is writable, so that test becomes somebody else.
    first, second = outcome("read_only", str(root), str(NOBODY) if os.geteuid() == 0 else "")
    assert first == "True 8"
    assert second.startswith("ReadOnlyWorkspace: ")
    assert "group write permission" in second
    for directory, _, _ in os.walk(root):
        Path(directory).chmod(0o755)
