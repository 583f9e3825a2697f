"""A round whose workers are Slurm jobs: the same selection as on one machine, whatever is killed on the way."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import slurm
from tests.small_campaign import TINY

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(slurm.missing()), reason=f"Slurm is not installed here: no {slurm.missing()}"),
]

SETTINGS = {**TINY, "networks": 4}
OPTIONS = [word for name, value in SETTINGS.items() if name != "block_rows" for word in (f"--{name}", str(value))]


class Site:
    """A Slurm, a user's folder of settings, and qnet run with both."""

    def __init__(self, cluster: slurm.Slurm, config: Path) -> None:
        self.slurm = cluster
        self.file = config / "qnet" / "clusters.toml"
        self.environment = {**cluster.environment, "XDG_CONFIG_HOME": str(config)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "qnet_tui", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def qnet(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        assert "Traceback" not in err
        return process.returncode, out, err

    def init(self, *options: str) -> None:
        code, _, err = self.qnet(
            "cluster", "init", "t", "--force", "--cores", "1", "--memory", "2", "--max-jobs", "2", "--interface", "lo",
            *options,
        )  # fmt: skip
        assert code == 0, err

    def change(self, line: str) -> None:
        key = line.split(" = ", 1)[0]
        lines = [line if old.startswith(f"{key} =") else old for old in self.file.read_text().splitlines()]
        assert line in lines
        self.file.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    cluster = slurm.Slurm()
    try:
        yield Site(cluster, tmp_path_factory.mktemp("config"))
    finally:
        cluster.stop()


def wait_for(what: Callable[[], object], process: subprocess.Popen[str] | None = None, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        if process is not None and process.poll() is not None:
            pytest.fail(f"the run ended before: {process.communicate()}")
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def done(root: Path, kind: str) -> int:
    try:
        with sqlite3.connect(f"file:{root / 'qnet.db'}?mode=ro", uri=True, timeout=5) as db:
            return int(db.execute("SELECT count(*) FROM task WHERE kind = ? AND state = 'DONE'", (kind,)).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_killed_cancelled_and_resumed_the_selection_is_that_of_one_machine(
    site: Site, ready: Path, tmp_path: Path
) -> None:
    here, there = (Path(shutil.copytree(ready, tmp_path / name / "ws")) for name in ("here", "there"))
    # A replacement comes 13 to 15 s after its job was cancelled: the other worker must not be through by then.
    command = ["run-al", "--preset", "smoke", *OPTIONS, "--networks", "8", "--epochs", "600", "--seed", "7"]
    local = site.start(*command, "-w", str(here), "--jobs", "1")

    site.init()
    process = site.start(*command, "-w", str(there), "--cluster", "t")
    workers = there / "rounds" / "001" / "workers"
    try:
        # A worker process is killed while it trains: it comes again in the same job.
        wait_for(lambda: list(workers.glob("crew-*/*.running")), process)
        mark = next(workers.glob("crew-*/*.running"))
        wait_for(lambda: ":" in mark.read_text())
        assert mark.parent.stat().st_mode & 0o077 == 0
        assert all(p.stat().st_mode & 0o077 == 0 for p in mark.parent.glob("tls-*"))
        os.kill(int(mark.read_text().rsplit(":", 1)[1]), signal.SIGKILL)
        # A job is cancelled: another one comes.
        wait_for(lambda: done(there, "train") >= 1, process)
        first = site.slurm.jobs("R")
        assert len(first) == 2
        site.slurm.say("scancel", first[0])
        wait_for(lambda: set(site.slurm.jobs("R")) - set(first), process)
    finally:
        # The driver is killed: its jobs end, and a driver in a job of its own goes on.
        process.kill()
        process.communicate()
    trained = {p: p.stat().st_mtime_ns for p in (there / "rounds/001/networks").glob("*.h5")}
    assert trained
    _, err = local.communicate(timeout=240)
    assert local.returncode == 0, err
    site.init("--driver", "batch", "--max-jobs", "1")
    site.change("driver_memory_gib = 2.0")
    code, out, err = site.qnet("run-al", "--resume", "al-", "--cluster", "t", "--detach", "-w", str(there), "--json")
    assert code == 0, err
    said = json.loads(out)
    selection = there / "rounds" / "001" / "selection.csv"
    wait_for(lambda: selection.exists() or said["job"] not in site.slurm.jobs())
    assert selection.exists(), Path(said["log"]).read_text()
    wait_for(lambda: not site.slurm.jobs(), seconds=30)
    assert selection.read_bytes() == (here / "rounds" / "001" / "selection.csv").read_bytes()
    assert all(p.stat().st_mtime_ns == then for p, then in trained.items())
    # Nothing private is left behind, and what the jobs said is there to read.
    assert not list(workers.glob("crew-*"))
    assert len(list(workers.glob("job-*.log"))) >= 4


def test_a_site_is_described_tried_and_shown(site: Site, tmp_path: Path) -> None:
    site.file.unlink(missing_ok=True)
    code, _, err = site.qnet("cluster", "check", "t", "--folder", str(tmp_path))
    assert code == 2
    assert "no cluster is called 't'" in err
    site.init()
    assert 'partition = "debug"' in site.file.read_text()
    code, _, err = site.qnet("cluster", "init", "t")
    assert code == 2
    assert "--force" in err
    code, out, err = site.qnet("cluster", "check", "t", "--folder", str(tmp_path), "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["ok"]
    assert found["node"] in slurm.NODES
    assert found["tensorflow"]
    assert 0 < found["started_seconds"] < found["answered_seconds"]
    assert list(tmp_path.iterdir()) == []
    code, out, err = site.qnet("cluster", "show", "t", "--json")
    assert code == 0, err
    (state,) = json.loads(out)
    assert state["settings"]["max_jobs"] == 2
    assert state["trouble"] == ""


def test_what_a_site_refuses_is_one_line(site: Site, tmp_path: Path) -> None:
    code, _, err = site.qnet("cluster", "init", "t", "--force", "--partition", "nope")
    assert (code, err.count("\n")) == (2, 1)
    assert "there is no partition 'nope' (sinfo lists debug)" in err
    for change, words in (
        ('partition = "nope"', "Invalid partition name specified; correct [t]"),
        ('walltime = "2-00:00:00"', "will never start the jobs: job "),
        ('prologue = ["echo no such module >&2; exit 1"]', "ended before a worker connected: no such module"),
        ('interface = "nowhere0"', "'nowhere0' is not a valid network interface"),
    ):
        site.init()
        site.change(change)
        code, _, err = site.qnet("cluster", "check", "t", "--folder", str(tmp_path), "--timeout", "60")
        assert code == 1
        assert words in err.splitlines()[-1]
    assert site.slurm.jobs() == []
