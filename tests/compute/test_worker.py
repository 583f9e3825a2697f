"""What a worker does, done in this process."""

import os
import pickle
from pathlib import Path

import pytest

from qnet_tui.compute.worker import LOG_VARIABLE, Desk, Report, dask_setup, perform

HERE = "tests.compute.task_functions:"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, 7)


def performed(desk: Desk, name: str, **arguments: object) -> Report:
    perform(HERE + name, pickle.dumps(arguments), desk)
    report = desk.read()
    assert report is not None
    assert desk.died() is None
    desk.clear()
    return report


def test_a_value_comes_back_with_who_and_how_long(desk: Desk) -> None:
    assert desk.read() is None
    report = performed(desk, "nap", seconds=0.05, value={"a": 1})
    assert pickle.loads(report.value) == {"a": 1}
    assert report.error is None
    assert 0.05 <= report.seconds < 5
    assert report.worker.endswith(f":{os.getpid()}")
    assert list(desk.folder.iterdir()) == []


def test_errors_are_one_line_each(desk: Desk) -> None:
    def ends(name: str) -> tuple[str | None, int, bool]:
        report = performed(desk, name)
        assert report.value == b""
        return report.error, report.exit_code, bool(report.traceback)

    assert ends("bad_input") == ("truth.csv: row 3: column Z is missing; name it Z", 2, False)
    assert ends("crash") == ("RuntimeError: a library is unhappy", 1, True)
    assert ends("leave") == ("SystemExit: 3", 1, True)
    assert ends("unpicklable")[1:] == (1, True)
    assert ends("AN_OBJECT") == ("TypeError: 'str' object is not callable", 1, True)


def test_errors_of_the_layer_below_keep_their_message(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class StorageError(Exception):
        exit_code = 2

    def refuse() -> None:
        raise StorageError("qnet.db: a newer schema\n; update the program")

    monkeypatch.setattr("tests.compute.task_functions.crash", refuse)
    report = performed(desk, "crash")
    assert (report.error, report.exit_code) == ("qnet.db: a newer schema ; update the program", 2)
    assert report.traceback == ""


def test_the_mark_is_there_while_the_function_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.compute.task_functions.crash", desk.died)
    assert pickle.loads(performed(desk, "crash").value).endswith(f":{os.getpid()}")


def test_a_finished_task_is_not_run_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    perform(HERE + "square", pickle.dumps({"x": 3}), desk)
    perform(HERE + "crash", pickle.dumps({}), desk)
    report = desk.read()
    assert report is not None
    assert pickle.loads(report.value) == 9


@pytest.mark.parametrize("to_file", [True, False])
def test_output_goes_to_the_log(to_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    monkeypatch.setenv(LOG_VARIABLE, str(log) if to_file else "")
    saved = [os.dup(1), os.dup(2)]
    try:
        dask_setup(object())
        os.write(1, b"one\n")
        os.write(2, b"two\n")
    finally:
        for fd, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, fd)
            os.close(copy)
    assert log.read_text() == ("before\none\ntwo\n" if to_file else "before\n")
