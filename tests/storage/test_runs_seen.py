"""What is seen of a run from outside: that it is lost, and what it has measured so far."""

import math
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage.errors import ReadOnlyWorkspace
from storage.reading import open_for_reading
from storage.runs import (
    add_metrics,
    failed_tasks,
    finished_networks,
    get_run,
    heartbeat,
    metrics,
    network_tasks,
    new_metrics,
    new_run,
    register_task,
    task_counts,
)
from storage.spectra import counts
from storage.standing import recent_active_seconds, standing
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")


def begun(ws: Workspace, verb: str = "run-al") -> str:
    return new_run(ws, verb, {}, {}, 1, 1, f"qnet {verb}")


def taken_over(ws: Workspace, run_id: str, pid: int, heard: float) -> None:
    ws.db.execute("UPDATE run SET pid = ?, heartbeat = ? WHERE id = ?", (pid, heard, run_id))


def test_a_run_of_this_process_runs(ws: Workspace) -> None:
    assert get_run(ws, begun(ws)).state == "RUNNING"


@needs_proc
def test_another_process_with_the_number_of_a_killed_one_does_not_bring_its_run_back(ws: Workspace) -> None:
    run_id = begun(ws)
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        # The heartbeat is that of a process that was there half a minute before this one began.
        taken_over(ws, run_id, other.pid, time.time() - 30)
        assert get_run(ws, run_id).state == "LOST"
        taken_over(ws, run_id, other.pid, time.time())
        assert get_run(ws, run_id).state == "RUNNING"
    finally:
        other.communicate(b"\n")


@needs_proc
def test_a_killed_process_that_nobody_has_waited_for_is_gone(ws: Workspace) -> None:
    run_id = begun(ws)
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    taken_over(ws, run_id, other.pid, time.time())
    assert get_run(ws, run_id).state == "RUNNING"
    other.kill()
    deadline = time.monotonic() + 10
    while get_run(ws, run_id).state == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert get_run(ws, run_id).state == "LOST"
    other.communicate()


def test_only_what_is_new_is_read(ws: Workspace) -> None:
    run_id, other = begun(ws), begun(ws)
    add_metrics(ws, run_id, [("training", 1, "loss", 2.0, 5), ("validation", 1, "loss", math.nan, 5)])
    last, first = new_metrics(ws, run_id, 0)
    assert [(m.dataset, m.epoch) for m in first] == [("training", 1), ("validation", 1)]
    assert math.isnan(first[1].value)
    assert new_metrics(ws, run_id, last) == (last, [])
    add_metrics(ws, other, [("training", 1, "loss", 9.0, 5)])
    add_metrics(ws, run_id, [("training", 2, "loss", 1.0, 5)])
    after, new = new_metrics(ws, run_id, last)
    assert [(m.epoch, m.value) for m in new] == [(2, 1.0)]
    assert after > last
    assert len(metrics(ws, run_id)) == 3


def test_tasks_are_counted_without_reading_them(ws: Workspace) -> None:
    run_id = begun(ws)
    register_task(ws, run_id, "plan", "plan", "DONE")
    register_task(ws, run_id, "train 0", "train", "DONE", seconds=3.0, detail={"loss": 0.5})
    between = time.time()
    time.sleep(0.01)
    register_task(ws, run_id, "train 1", "train", "FAILED", detail={"error": "no memory"})
    register_task(ws, run_id, "train 2", "train", "DONE")
    register_task(ws, run_id, "score 0 0", "score", "DONE")
    assert finished_networks(ws, run_id) == 2
    assert [one.name for one in network_tasks(ws, run_id)] == ["train 0", "train 1", "train 2"]
    found = task_counts(ws, run_id, between)
    assert (found.done, found.done_since, found.failed) == (4, 2, 1)
    assert [(one.name, one.detail) for one in failed_tasks(ws, run_id)] == [("train 1", {"error": "no memory"})]
    assert finished_networks(ws, begun(ws)) == 0


def test_a_workspace_that_is_read_is_not_written(ws: Workspace) -> None:
    run_id = begun(ws)
    reading = open_for_reading(ws.root)
    try:
        assert get_run(reading, run_id).state == "RUNNING"
        with pytest.raises(ReadOnlyWorkspace):
            heartbeat(reading, run_id, "training", 1, 2)
        heartbeat(ws, run_id, "training", 1, 2)
        assert get_run(reading, run_id).done == 1
    finally:
        reading.close()


def test_where_a_campaign_stands(tmp_path) -> None:
    with Workspace.create(tmp_path / "empty") as empty:
        found = standing(empty)
        assert (found.files, found.rows, found.objects, found.train, found.validation) == (0, 0, 0, 0, 0)
        assert recent_active_seconds(empty, "ABC") == []
    with make_workspace(tmp_path / "ws", [desi_spectrum(39627000000000310 + n) for n in range(3)]) as made:
        found = standing(made)
        known = counts(made)
        assert (
            (found.files, found.rows, found.objects) == (known["files"], known["rows"], known["objects"]) == (1, 3, 3)
        )
        assert standing(made, found) == found
