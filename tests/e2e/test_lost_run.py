"""A round whose driver is killed is seen as lost from another process within a minute, and goes on from there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import storage.runs as runs_store
from qnet_tui.workflows.home import status
from qnet_tui.workflows.runs import list_runs
from storage.workspace import Workspace

pytestmark = pytest.mark.e2e

QNET = [sys.executable, "-m", "qnet_tui"]
TINY = ["--preset", "smoke", "--networks", "4", "--epochs", "2", "--filters", "6", "--batch", "32", "--select", "8"]


def qnet(*words):
    return subprocess.run([*QNET, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)


def listed(root):
    return {one["run"]: one for one in json.loads(qnet("runs", "list", "-w", root, "--json").stdout)}


@pytest.fixture(scope="module")
def lost(ready, tmp_path_factory):
    """A workspace whose driver was killed while it trained, and when."""
    root = shutil.copytree(ready, tmp_path_factory.mktemp("lost") / "ws")
    driver = subprocess.Popen(
        [*QNET, "run-al", "-w", str(root), *TINY, "--jobs", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        with Workspace.open(root) as ws:
            while not runs_store.runs(ws) or not runs_store.finished_networks(ws, "al-0001"):
                assert driver.poll() is None, "the round ended before it could be killed"
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert runs_store.get_run(ws, "al-0001").state == "RUNNING"
    finally:
        # The driver alone, as the kernel does it when memory is short; its workers end by themselves.
        os.kill(driver.pid, signal.SIGKILL)
    # Nobody waits for it: the dead process keeps its number until the end of the test.
    yield root, time.monotonic()
    driver.wait(30)


def test_it_is_lost_within_a_minute_and_goes_on(lost):
    root, killed = lost
    seen = listed(root)["al-0001"]
    assert seen["state"] == "LOST"
    assert time.monotonic() - killed < 60
    before = seen["networks_done"]
    assert 1 <= before < 4
    assert status(root).next.command == "qnet runs resume al-0001"

    done = qnet("runs", "resume", "al-0001", "-w", root, "--jobs", "1", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["run"], result["networks"], result["selected"]) == ("al-0001", 4, 8)
    (after,) = list_runs(root)
    assert (after.state, after.networks_done, after.networks) == ("DONE", 4, 4)
