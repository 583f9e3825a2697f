import math
import multiprocessing
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from storage import runs as runs_module
from storage.errors import DriverRunning, Refused
from storage.runs import (
    add_metrics,
    claim_driver,
    driver,
    finish,
    get_run,
    heartbeat,
    metrics,
    new_run,
    register_task,
    release_driver,
    resume_run,
    runs,
    tasks,
    update_run,
)
from storage.workspace import Workspace


def start(ws: Workspace, verb: str = "run-al") -> str:
    return new_run(ws, verb, {"networks": 3, "lr": np.float32(0.5)}, {"qnet": "0.1"}, np.int64(7), 1, f"qnet {verb}")


def elsewhere(ws: Workspace, run_id: str, *, age: float = 0.0, host: str = "node7", pid: int = 1) -> None:
    """Make a run look as if another process had it."""
    ws.db.execute(
        "UPDATE run SET host = ?, pid = ?, heartbeat = ? WHERE id = ?", (host, pid, time.time() - age, run_id)
    )


def test_ids_say_the_verb_and_count_on(ws: Workspace) -> None:
    assert [start(ws, verb) for verb in ("run-al", "train", "study", "bench")] == [
        "al-0001", "tr-0002", "st-0003", "be-0004",
    ]  # fmt: skip
    assert [run.id for run in runs(ws)] == ["be-0004", "st-0003", "tr-0002", "al-0001"]
    run = get_run(ws, "al-0001")
    assert (run.state, run.seed, run.round, run.pid) == ("RUNNING", 7, 1, os.getpid())
    assert run.settings == {"networks": 3, "lr": 0.5}


def test_a_run_by_the_beginning_of_its_id(ws: Workspace) -> None:
    for _ in range(11):
        start(ws)
    ws.db.execute("UPDATE run SET id = 'al-00011' WHERE id = 'al-0011'")
    assert get_run(ws, "al-0001").id == "al-0001"
    assert get_run(ws, "al-0007").id == "al-0007"
    with pytest.raises(Refused, match="could be al-0001, al-0002"):
        get_run(ws, "al-")
    for absent in ("tr", ""):
        with pytest.raises(Refused, match="there is no run"):
            get_run(ws, absent)


def test_what_is_known_of_a_run_can_be_changed(ws: Workspace) -> None:
    run_id = start(ws)
    update_run(ws, run_id, stage="train", done=np.int64(2), total=3, note="ours", job="123", result={"n": np.int64(4)})
    run = get_run(ws, run_id)
    assert (run.stage, run.done, run.total, run.note, run.job) == ("train", 2, 3, "ours", "123")
    assert run.result == {"n": 4}
    update_run(ws, run_id, hidden=True, log=ws.root / "log")
    assert runs(ws) == []
    assert runs(ws, include_hidden=True)[0].log == str(ws.root / "log")
    for wrong in ({"state": "DONE"}, {"nonsense": 1}, {}):
        with pytest.raises(Refused, match="a run has no"):
            update_run(ws, run_id, **wrong)
    with pytest.raises(Refused, match="there is no run"):
        update_run(ws, "al-0009", note="x")


def test_a_run_ends_once_with_its_result(ws: Workspace) -> None:
    run_id = start(ws)
    claim_driver(ws, run_id)
    finish(ws, run_id, "DONE", {"selected": 12})
    run = get_run(ws, run_id)
    assert (run.state, run.result) == ("DONE", {"selected": 12})
    assert run.ended_at is not None
    assert driver(ws) is None
    with pytest.raises(Refused, match="ends as"):
        finish(ws, run_id, "LOST")
    with pytest.raises(Refused, match="there is no run"):
        finish(ws, "al-0009", "DONE")


def test_a_run_without_a_heartbeat_or_a_process_is_lost(ws: Workspace) -> None:
    run_id = start(ws)
    elsewhere(ws, run_id, age=30)
    assert get_run(ws, run_id).state == "RUNNING"
    elsewhere(ws, run_id, age=61)
    assert get_run(ws, run_id).state == "LOST"
    assert get_run(ws, run_id).heartbeat_age >= 61
    heartbeat(ws, run_id)
    assert get_run(ws, run_id).state == "RUNNING"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = runs_module.socket.gethostname()
    elsewhere(ws, run_id, host=here, pid=ended.pid)
    assert get_run(ws, run_id).state == "LOST"
    elsewhere(ws, run_id, host=here, pid=1)
    assert get_run(ws, run_id).state == "RUNNING"
    finish(ws, run_id, "STOPPED")
    elsewhere(ws, run_id, age=1000)
    heartbeat(ws, run_id)
    assert get_run(ws, run_id).state == "STOPPED"
    assert get_run(ws, run_id).heartbeat_age >= 1000


def test_a_second_driver_is_refused_and_a_lost_one_taken_over(ws: Workspace) -> None:
    first, second = start(ws), start(ws)
    claim_driver(ws, first)
    claim_driver(ws, first)
    elsewhere(ws, first, age=12)
    with pytest.raises(
        DriverRunning, match=f"run {first} is at work on node7 .process 1, heartbeat 12 s ago"
    ) as caught:
        claim_driver(ws, second)
    assert caught.value.exit_code == 2
    with pytest.raises(DriverRunning):
        claim_driver(ws, first)
    with pytest.raises(DriverRunning):
        resume_run(ws, first)
    elsewhere(ws, first, age=100)
    held = driver(ws)
    assert held is not None
    assert (held.id, held.state) == (first, "LOST")
    claim_driver(ws, first)
    assert get_run(ws, first).pid == os.getpid()
    elsewhere(ws, first, age=100)
    claim_driver(ws, second)
    release_driver(ws, first)
    still = driver(ws)
    assert still is not None
    assert still.id == second
    release_driver(ws, second)
    assert driver(ws) is None
    with pytest.raises(Refused, match="there is no run"):
        claim_driver(ws, "al-0042")


def test_resuming_makes_a_run_ours_unless_it_is_done(ws: Workspace) -> None:
    run_id = start(ws)
    finish(ws, run_id, "FAILED", {"error": "x"})
    resume_run(ws, run_id)
    run = get_run(ws, run_id)
    assert (run.state, run.ended_at) == ("RUNNING", None)
    finish(ws, run_id, "DONE")
    with pytest.raises(Refused, match="is done"):
        resume_run(ws, run_id)


def _claim(root: str, gate: object, results: object) -> None:
    with Workspace.open(root) as ws:
        run_id = new_run(ws, "run-al", {}, {}, 1, None, "")
        gate.wait()  # type: ignore[attr-defined]
        try:
            claim_driver(ws, run_id)
        except DriverRunning:
            results.put(0)  # type: ignore[attr-defined]
        else:
            results.put(1)  # type: ignore[attr-defined]
        gate.wait()  # type: ignore[attr-defined]


def test_of_four_drivers_at_once_one_drives(ws: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_claim, args=(str(ws.root), gate, results)) for _ in range(4)]
    for process in processes:
        process.start()
    answers = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
    assert sorted(answers) == [0, 0, 0, 1]
    assert sorted(run.id for run in runs(ws)) == ["al-0001", "al-0002", "al-0003", "al-0004"]


def test_tasks_are_replaced_by_name(ws: Workspace) -> None:
    run_id = start(ws)
    register_task(ws, run_id, "net-02", "train", "RUNNING")
    register_task(
        ws, run_id, "net-01", "train", "DONE", str(ws.root / "w.h5"), np.int64(2**32 - 1), 1.5, {"e": np.int64(3)}
    )
    register_task(ws, run_id, "net-02", "train", "FAILED", detail={"error": "killed"})
    first, second = tasks(ws, run_id)
    assert (first.name, first.state, first.crc32, first.seconds, first.detail) == (
        "net-01",
        "DONE",
        2**32 - 1,
        1.5,
        {"e": 3},
    )
    assert (second.name, second.state, second.detail) == ("net-02", "FAILED", {"error": "killed"})
    assert tasks(ws, "other") == []


def test_metrics_keep_their_order_and_their_nan(ws: Workspace) -> None:
    run_id = start(ws)
    rows = [
        ("val", 1, "purity", np.float32(0.5), 20),
        ("val", None, "auc", math.nan, None),
        ("val", np.int64(2), "x", 1, np.int64(3)),
    ]
    assert add_metrics(ws, run_id, rows) == 3
    found = metrics(ws, run_id)
    assert [(one.dataset, one.epoch, one.name, one.n) for one in found] == [
        ("val", 1, "purity", 20), ("val", None, "auc", None), ("val", 2, "x", 3),
    ]  # fmt: skip
    assert found[0].value == 0.5
    assert math.isnan(found[1].value)
