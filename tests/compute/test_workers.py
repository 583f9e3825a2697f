"""Workers that are kept over several calls, and reports that other nodes write late."""

import os
import threading
import time
from pathlib import Path

from qnet_tui.compute.driver import run_tasks
from qnet_tui.compute.tasks import Outcome, Task
from qnet_tui.compute.where import Where
from qnet_tui.compute.worker import Desk, Report
from qnet_tui.compute.workers import Workers
from tests.compute import task_functions as f


def test_workers_stay_for_the_next_stage_and_go_with_the_run(tmp_path: Path) -> None:
    outcomes: list[Outcome] = []
    with Workers(Where(jobs=1)) as workers:
        for stage in "abc":
            tasks = [
                Task(f"{stage}{i}", f.leave_pid, {"folder": str(tmp_path), "number": i, "seconds": 0}) for i in (0, 1)
            ]
            assert run_tasks(tasks, workers, outcomes.append).done == 2
        # A stop drops what runs, and its workers; the next call has others.
        naps = [Task("nap", f.nap, {"seconds": 60})]
        assert run_tasks(naps, workers, outcomes.append, stop=lambda: True).stopped
        assert run_tasks([Task("d", f.square, {"x": 3})], workers, outcomes.append).done == 1
    assert len({o.worker for o in outcomes if o.name != "d"}) == 1
    assert len({o.worker for o in outcomes}) == 2
    assert [o.value for o in outcomes] == [0, 1, 0, 1, 0, 1, 9]
    for outcome in outcomes:
        assert not Path(f"/proc/{outcome.worker.split(':')[1]}").exists()


def test_nothing_is_started_before_there_is_a_task() -> None:
    with Workers(Where(jobs=1)) as workers:
        assert run_tasks([], workers, print).done == 0
        assert workers._crew is None


def test_a_report_that_a_network_file_system_shows_late(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 1)
    assert desk.read(0.3) is None
    report = Report(b"", None, 0, "", 0.0, f"node:{os.getpid()}")
    late = threading.Timer(0.5, desk.write, [report])
    late.start()
    begin = time.monotonic()
    assert desk.read(20) == report
    assert time.monotonic() - begin < 15
    late.join()
