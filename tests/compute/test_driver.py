"""Runs with real worker processes."""

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qnet_tui.compute.crew import THREAD_PINS, Crew
from qnet_tui.compute.driver import run_tasks
from qnet_tui.compute.local_cluster import local_crew
from qnet_tui.compute.tasks import Outcome, Summary, Task
from qnet_tui.compute.where import Where
from qnet_tui.errors import QnetError
from tests.compute import task_functions as f


def run(tasks: Any, where: Where | None = None, **options: Any) -> tuple[Summary, dict[str, Outcome]]:
    outcomes: list[Outcome] = []
    summary = run_tasks(tasks, where or Where(jobs=2), outcomes.append, **options)
    named = {o.name: o for o in outcomes}
    assert len(named) == len(outcomes), "an outcome was heard twice"
    return summary, named


def wait_for(what: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_nothing_to_do_starts_nothing() -> None:
    start = time.monotonic()
    assert run([]) == (Summary(0, (), 0, 0.0, False), {})
    assert time.monotonic() - start < 1


def test_one_and_four_workers_give_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "16")

    def tasks() -> Any:
        yield from (Task(f"draw-{i}", f.draw, {"seed": i}) for i in range(12))
        yield from (Task(f"env-{i}", f.environment, {"names": list(THREAD_PINS)}) for i in range(2))
        yield Task("chatter", f.chatter)

    before = {n: os.environ.get(n) for n in THREAD_PINS}
    one, alone = run(tasks(), Where(jobs=1, log=tmp_path / "log"))
    four, together = run(tasks(), Where(jobs=4))
    assert one.done == four.done == 15
    assert {n: o.value for n, o in alone.items()} == {n: o.value for n, o in together.items()}
    assert len({o.worker for o in alone.values()}) == 1
    assert len({o.worker for o in together.values()}) > 1
    assert alone["env-0"].value == dict(THREAD_PINS)
    assert {n: os.environ.get(n) for n in THREAD_PINS} == before
    assert capfd.readouterr() == ("", "")
    log = (tmp_path / "log").read_text()
    assert "said on stdout" in log
    assert "written to descriptor 2" in log


def test_workers_that_die_and_tasks_that_fail(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tasks = [
        Task("poison", f.die),
        Task("killed-once", f.die_first_time, {"mark": str(tmp_path / "mark")}),
        Task("bad", f.bad_input),
        Task("crash", f.crash),
        Task("unpicklable", f.unpicklable),
        Task("unreadable", f.square, {"x": f.Unreadable()}),
        *(Task(f"nap-{i}", f.nap, {"seconds": 0.05, "value": i}) for i in range(12)),
    ]
    summary, outcomes = run(tasks)
    assert sorted(summary.failed) == ["bad", "crash", "poison", "unpicklable", "unreadable"]
    assert (summary.done, summary.deaths, summary.stopped) == (13, 4, False)
    assert [outcomes[f"nap-{i}"].value for i in range(12)] == list(range(12))
    assert outcomes["killed-once"].value == "second time"
    assert outcomes["poison"].error == "its worker died 3 times while it ran (killed, or out of memory)"
    assert outcomes["poison"].exit_code == 1
    assert outcomes["bad"].error == "truth.csv: row 3: column Z is missing; name it Z"
    assert outcomes["bad"].exit_code == 2
    assert outcomes["bad"].traceback == ""
    assert outcomes["crash"].error == "RuntimeError: a library is unhappy"
    assert "task_functions.py" in outcomes["crash"].traceback
    assert outcomes["unreadable"].error == "ImportError: no such thing here"
    assert capfd.readouterr() == ("", "")


def test_a_worker_over_its_memory_is_killed_and_the_others_go_on() -> None:
    tasks = [Task("hoard", f.hoard, {"mebibytes": 600}), Task("small", f.square, {"x": 3})]
    summary, outcomes = run(tasks, Where(jobs=1, memory_gib=0.4))
    assert outcomes["small"].value == 9
    assert summary.failed == ("hoard",)
    assert summary.deaths == 3


def test_stop_keeps_what_has_finished() -> None:
    heard: list[str] = []
    tasks = (Task(f"nap-{i}", f.nap, {"seconds": 0.05 if i < 3 else 60.0}) for i in range(10_000))
    start = time.monotonic()
    summary = run_tasks(tasks, Where(jobs=2), lambda o: heard.append(o.name), stop=lambda: len(heard) == 3)
    assert summary.stopped
    assert (summary.done, summary.failed) == (3, ())
    assert sorted(heard) == ["nap-0", "nap-1", "nap-2"]
    # At most two a worker were taken from the generator, and one more was looked at.
    assert int(next(tasks).name.removeprefix("nap-")) <= 3 + 2 * 2 + 1
    assert time.monotonic() - start < 45


def test_an_error_of_the_caller_closes_the_workers(tmp_path: Path) -> None:
    tasks = [Task("a", f.leave_pid, {"folder": str(tmp_path), "number": i, "seconds": 0}) for i in range(2)]

    def full(_outcome: Outcome) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        run_tasks(tasks[:1], Where(jobs=1), full)
    pid = int(next(tmp_path.glob("pid-*")).name.removeprefix("pid-"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ValueError, match="two tasks are named 'a'"):
        run(tasks, Where(jobs=1))


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    with local_crew(Where(jobs=2)) as two:
        yield two
    assert not two.folder.exists()


def test_workers_listen_on_this_machine_only_and_ask_for_a_certificate(crew: Crew) -> None:
    address = crew.client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    assert all(a.startswith("tls://127.0.0.1:") for a in crew.client.nthreads())
    assert crew.folder.stat().st_mode & 0o077 == 0
    stranger = ssl.create_default_context()
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    port = int(address.rsplit(":", 1)[1])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"),
        stranger.wrap_socket(plain) as secure,
    ):
        secure.recv(1)


def test_a_worker_whose_nanny_gave_up_is_replaced(crew: Crew) -> None:
    lost, kept = crew.cluster.workers.values()
    crew.cluster.sync(lost.close)
    wait_for(lambda: crew.living() == 1)
    crew.revive()
    wait_for(lambda: crew.living() == 2)
    assert kept in crew.cluster.workers.values()
    assert lost not in crew.cluster.workers.values()
    assert crew.client.submit(f.square, 4).result(10) == 16


def test_workers_that_cannot_be_started_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("distributed.LocalCluster", refuse)
    with pytest.raises(QnetError, match=r"could not be started: .*unavailable; try fewer --jobs"):
        run([Task("a", f.square, {"x": 1})])


def test_a_run_whose_workers_are_all_lost_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client

    # As when a worker that died cannot be started again.
    monkeypatch.setattr(Client, "nthreads", lambda self: {})
    monkeypatch.setattr("qnet_tui.compute.driver.HEALTH_SECONDS", 0.0)
    monkeypatch.setattr(Crew, "revive_seconds", 0.3)
    with pytest.raises(QnetError, match="no worker process has been alive for 1 s"):
        run([Task("a", f.nap, {"seconds": 60})], Where(jobs=1, start_seconds=0.6))


def test_a_task_that_never_gets_to_run_ends_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A worker that dies before it can say that it began, twice.
    monkeypatch.setattr("qnet_tui.compute.driver.perform", f.die_when_performed)
    monkeypatch.setattr("qnet_tui.compute.driver.MAX_ATTEMPTS", 2)
    _, outcomes = run([Task("a", f.square, {"x": 2})], Where(jobs=1))
    assert outcomes["a"].error == "its worker died 2 times before it began"
    monkeypatch.setattr("qnet_tui.compute.driver.perform", f.crash_when_performed)
    _, outcomes = run([Task("a", f.square, {"x": 2})], Where(jobs=1))
    assert outcomes["a"].error == "OSError: [Errno 28] No space left on device"


def test_a_signal_in_the_middle_of_a_result() -> None:
    heard: list[str] = []

    def interrupted(outcome: Outcome) -> None:
        if not heard:
            os.kill(os.getpid(), signal.SIGTERM)
        heard.append(outcome.name)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        run_tasks((Task(f"a{i}", f.square, {"x": i}) for i in range(1000)), Where(jobs=1), interrupted)
    assert end.value.code == 143
    assert 1 <= len(heard) < 1000
    assert signal.getsignal(signal.SIGTERM) is before


def test_two_signals_at_once_do_not_wait() -> None:
    heard: list[str] = []

    def interrupted(outcome: Outcome) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        heard.append(outcome.name)

    with pytest.raises(KeyboardInterrupt):
        run_tasks([Task("a", f.square, {"x": 2})], Where(jobs=1), interrupted)
    assert heard == []


def test_a_run_in_a_thread_of_an_app() -> None:
    summaries: list[Summary] = []
    thread = threading.Thread(target=lambda: summaries.append(run([Task("a", f.square, {"x": 2})], Where(jobs=1))[0]))
    thread.start()
    thread.join(30)
    assert [s.done for s in summaries] == [1]
