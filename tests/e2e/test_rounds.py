"""A round gives the same selection whatever the number of workers and however often it is killed."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.small_campaign import TINY

pytestmark = pytest.mark.e2e

OPTIONS = [word for name, value in TINY.items() if name != "block_rows" for word in (f"--{name}", str(value))]


def start(root: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "qnet_tui", "run-al", "-w", str(root), "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out


def tasks_done(root: Path, kind: str) -> int:
    try:
        with sqlite3.connect(f"file:{root / 'qnet.db'}?mode=ro", uri=True, timeout=5) as db:
            return int(db.execute("SELECT count(*) FROM task WHERE kind = ? AND state = 'DONE'", (kind,)).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def kill_when(process: subprocess.Popen[str], moment: object) -> None:
    deadline = time.monotonic() + 120
    while not moment():  # type: ignore[operator]
        assert process.poll() is None, "the run ended before the moment to kill it"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)


@pytest.fixture(scope="module")
def straight(ready, tmp_path_factory):
    """The selection of one worker, straight through."""
    root = Path(shutil.copytree(ready, tmp_path_factory.mktemp("straight") / "ws"))
    finish(start(root, "--preset", "smoke", *OPTIONS, "--seed", "7", "--jobs", "1"))
    return (root / "rounds" / "001" / "selection.csv").read_bytes()


def test_four_workers_select_what_one_does(ready, straight, tmp_path):
    root = Path(shutil.copytree(ready, tmp_path / "ws"))
    finish(start(root, "--preset", "smoke", *OPTIONS, "--seed", "7", "--jobs", "4"))
    assert (root / "rounds" / "001" / "selection.csv").read_bytes() == straight
    assert straight.count(b"\n") == TINY["select"] + 1


def test_killed_three_times_and_resumed(ready, straight, tmp_path):
    root = Path(shutil.copytree(ready, tmp_path / "ws"))
    plan = root / "rounds" / "001" / "plan" / "training.npz"
    process = start(root, "--preset", "smoke", *OPTIONS, "--seed", "7", "--jobs", "2")
    kill_when(process, plan.exists)
    process = start(root, "--resume", "al-", "--jobs", "1")
    kill_when(process, lambda: tasks_done(root, "train") >= 1)
    trained = {p: p.stat().st_mtime_ns for p in (root / "rounds/001/networks").glob("*.h5")}
    process = start(root, "--resume", "al-", "--jobs", "1")
    kill_when(process, lambda: tasks_done(root, "score") >= 1)
    finish(start(root, "--resume", "al-", "--jobs", "2"))
    assert (root / "rounds" / "001" / "selection.csv").read_bytes() == straight
    # What was finished was not done again.
    assert trained
    assert all(p.stat().st_mtime_ns == then for p, then in trained.items())


def test_another_seed_selects_otherwise(ready, straight, tmp_path):
    root = Path(shutil.copytree(ready, tmp_path / "ws"))
    finish(start(root, "--preset", "smoke", *OPTIONS, "--seed", "8", "--jobs", "2"))
    assert (root / "rounds" / "001" / "selection.csv").read_bytes() != straight


def test_sigterm_stops_the_run_and_resume_goes_on(ready, straight, tmp_path):
    root = Path(shutil.copytree(ready, tmp_path / "ws"))
    process = start(root, "--preset", "smoke", *OPTIONS, "--seed", "7", "--jobs", "1")
    deadline = time.monotonic() + 120
    while tasks_done(root, "train") < 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "--resume al-0001" in err
    assert "Traceback" not in err
    finish(start(root, "--resume", "al-0001", "--jobs", "1"))
    assert (root / "rounds" / "001" / "selection.csv").read_bytes() == straight


def test_a_race_killed_in_each_of_its_parts_selects_what_the_full_committee_does(ready, tmp_path):
    options = ["--preset", "smoke", *OPTIONS, "--networks", "16", "--seed", "7"]
    full, raced = (Path(shutil.copytree(ready, tmp_path / name)) for name in ("full", "raced"))
    said = json.loads(finish(start(full, *options, "--full", "--jobs", "2")))
    assert said["race"]["rule"] == "full"
    # The same networks: what is tested is what they are asked.
    shutil.copytree(full / "rounds" / "001" / "networks", raced / "rounds" / "001" / "networks")
    process = start(raced, *options, "--jobs", "1")
    for kind in ("opening", "candidates", "race"):
        kill_when(process, lambda kind=kind: tasks_done(raced, kind) >= 1)
        process = start(raced, "--resume", "al-", "--jobs", "2" if kind == "race" else "1")
    said = json.loads(finish(process))
    assert said["race"]["rule"] == "sound"
    assert 0 < said["evaluations"] <= said["evaluations_full"]
    table = "rounds/001/selection.csv"
    assert (raced / table).read_bytes() == (full / table).read_bytes()
