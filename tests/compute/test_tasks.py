from functools import partial
from pathlib import Path

import pytest

from qnet_tui.compute.tasks import Outcome, Task
from qnet_tui.compute.where import Where, available_cores
from qnet_tui.errors import BadInput
from tests.compute import task_functions


def test_only_functions_that_a_worker_can_import_are_tasks() -> None:
    def inner() -> None: ...

    assert Task("a", task_functions.square, {"x": 2}).arguments == {"x": 2}
    for bad in (inner, lambda: None, partial(task_functions.square, 2)):
        with pytest.raises(ValueError, match=r"task 'b': .* is not a module-level function"):
            Task("b", bad)


def test_outcome_says_whether_it_is_good() -> None:
    assert Outcome("a", value=None).ok
    assert not Outcome("a", error="no").ok


def test_where_is_checked() -> None:
    assert Where(jobs=3, memory_gib=1.5, log=Path("x.log")).jobs == 3
    with pytest.raises(BadInput, match="--jobs 1 or more"):
        Where(jobs=0)
    with pytest.raises(BadInput, match="memory limit"):
        Where(memory_gib=0.0)


def test_cores_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {3, 5, 7}, raising=False)
    assert available_cores() == 3
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert available_cores() == 1
