"""Drivers that are interrupted or killed: their workers end, what had finished is registered."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


class Driver:
    """A driver in a process group of its own, as a terminal starts it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.compute.driver_script", str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A driver that is killed leaves its folder of temporary files behind.
            env={**os.environ, "TMPDIR": str(folder)},
            start_new_session=True,
        )

    def done(self) -> list[str]:
        path = self.folder / "done"
        return sorted(path.read_text().split()) if path.exists() else []

    def workers(self) -> list[int]:
        return [int(p.name.removeprefix("pid-")) for p in self.folder.glob("pid-*")]


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Driver]:
    """Four drivers that have done their three short tasks and are busy with a long one."""
    folder = tmp_path_factory.mktemp("drivers")
    all_of_them = {name: Driver(folder / name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")}
    for d in all_of_them.values():
        wait_for(lambda d=d: len(d.done()) == 3 and len(d.workers()) == 1)  # type: ignore[misc]
    yield all_of_them  # type: ignore[misc]
    for d in all_of_them.values():
        if d.process.poll() is None:
            os.killpg(d.process.pid, signal.SIGKILL)
        d.process.wait()


def blocked(pid: int) -> set[int]:
    """Signals that a process does not hear."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = int(next(line for line in lines if line.startswith("SigBlk")).split()[1], 16)
    return {number for number in range(1, 32) if mask >> (number - 1) & 1}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_what_a_terminal_sends_to_its_group_is_not_heard_by_a_worker_not_even_while_it_starts(
    drivers: dict[str, Driver],
) -> None:
    (worker,) = drivers["SIGKILL"].workers()
    assert blocked(worker) >= {signal.SIGINT, signal.SIGHUP}


def test_ctrl_c_reaches_the_whole_group_and_only_the_driver_acts(drivers: dict[str, Driver]) -> None:
    driver = drivers["SIGINT"]
    os.killpg(driver.process.pid, signal.SIGINT)
    out, err = driver.process.communicate(timeout=60)
    assert (driver.folder / "ended").read_text() == "KeyboardInterrupt "
    assert driver.process.returncode in (-signal.SIGINT, 130)
    assert driver.done() == ["nap-0", "nap-1", "nap-2"]
    assert out == ""
    assert err.count("Traceback") == 1, err
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert not any(alive(p) for p in driver.workers())


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_polite_kill_and_a_hang_up_are_a_clean_end_too(drivers: dict[str, Driver], name: str) -> None:
    driver, number = drivers[name], signal.Signals[name]
    # A terminal that goes away tells the whole group.
    os.killpg(driver.process.pid, number) if name == "SIGHUP" else driver.process.terminate()
    out, err = driver.process.communicate(timeout=60)
    assert (driver.folder / "ended").read_text() == f"SystemExit {128 + number}"
    assert driver.process.returncode == 128 + number
    assert driver.done() == ["nap-0", "nap-1", "nap-2"]
    assert (out, err) == ("", "")
    assert not any(alive(p) for p in driver.workers())


def test_workers_end_by_themselves_when_their_driver_is_killed(drivers: dict[str, Driver]) -> None:
    driver = drivers["SIGKILL"]
    assert any(alive(p) for p in driver.workers())
    driver.process.kill()
    driver.process.wait()
    wait_for(lambda: not any(alive(p) for p in driver.workers()), 20)
    assert driver.done() == ["nap-0", "nap-1", "nap-2"]
