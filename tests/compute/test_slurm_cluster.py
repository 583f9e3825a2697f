"""The parts of a Slurm crew that need no Slurm: settings, which jobs are wanted, what makes it useless to go on."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qnet_tui.compute import slurm_client, slurm_jobs
from qnet_tui.compute.slurm_client import QueuedJob
from qnet_tui.compute.slurm_cluster import SlurmCrew, job_name, last_words
from qnet_tui.compute.slurm_jobs import JobsAdaptive, Watch
from qnet_tui.compute.slurm_site import SlurmSite
from qnet_tui.compute.where import Where
from qnet_tui.errors import BadInput, QnetError


def test_a_site_is_checked() -> None:
    site = SlurmSite(
        "p", cores=8, processes=6, max_jobs=3, qos="regular", constraint="cpu", directives=("--exclusive",)
    )
    assert (site.workers_of_a_job, site.workers) == (6, 18)
    assert site.headers() == ["--qos=regular", "--constraint=cpu", "--exclusive"]
    for bad, words in (
        ({"cores": 0}, "cores must be 1 or more"),
        ({"cores": 2, "processes": 3}, "3 processes do not fit on 2 cores"),
        ({"walltime": "tomorrow"}, "'tomorrow' is no time of Slurm"),
        ({"driver_walltime": "1:2:3:4"}, "no time of Slurm"),
        ({"memory_gib": -1.0}, "memory_gib cannot be negative"),
        ({"driver": "there"}, "is not here or batch"),
    ):
        with pytest.raises(BadInput, match=words):
            SlurmSite("p", **bad)
    for time_of_slurm in ("30", "02:00:00", "1-12:00:00", "90:00"):
        assert SlurmSite("p", walltime=time_of_slurm).walltime == time_of_slurm


def test_workers_elsewhere_need_a_folder_and_wait_as_long_as_the_site_says() -> None:
    site = SlurmSite("p", start_minutes=2)
    with pytest.raises(ValueError, match="share with the driver"):
        Where(site=site)
    assert Where(site=site, folder=Path()).patience == 120
    assert Where(site=site, folder=Path(), start_seconds=5).patience == 5
    assert Where().patience == 60


def test_jobs_of_one_folder_have_one_name(tmp_path: Path) -> None:
    assert job_name(tmp_path) == job_name(tmp_path / "." / "x" / "..")
    assert job_name(tmp_path) != job_name(tmp_path / "other")


def test_the_last_words_of_a_job_are_those_that_speak_of_an_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_words(log) == ""
    log.write_text("hello\n\n")
    assert last_words(log) == "hello"
    log.write_text("Traceback\nOSError: [Errno 28] No space left on device\n2026 - distributed - INFO - End worker\n")
    assert last_words(log) == "OSError: [Errno 28] No space left on device"


class Cluster:
    """What an Adaptive asks of a cluster: three jobs of two workers, with the workers that are connected."""

    def __init__(self) -> None:
        self.worker_spec: dict[str, Any] = {f"q-{i}": {"group": ["-0", "-1"]} for i in range(3)}
        self.workers = {name: SimpleNamespace(job_id=name[2:], refused_at=0.0) for name in self.worker_spec}
        self.scheduler = SimpleNamespace(workers={})
        self.plan = self.requested = set(self.worker_spec)

    def connect(self, name: str, busy: bool) -> None:
        self.scheduler.workers[name] = SimpleNamespace(name=name, processing=[1] if busy else [])


@pytest.fixture
def adaptive(monkeypatch: pytest.MonkeyPatch) -> JobsAdaptive:
    monkeypatch.setattr(slurm_jobs, "SOON_SECONDS", -1.0)
    monkeypatch.setattr(slurm_jobs, "SQUEUE_SECONDS", -1.0)
    monkeypatch.setattr(slurm_jobs, "YOUNG_SECONDS", 0.0)
    found = JobsAdaptive(None, watch=Watch("q", 2), wait_count=2, maximum=6, interval=None)
    found.cluster = Cluster()
    found.watch.submitted = {job.job_id: time.monotonic() - 10 for job in found.cluster.workers.values()}
    return found


def test_as_many_whole_jobs_as_the_tasks_in_hand_can_use(adaptive: JobsAdaptive) -> None:
    def recommended(tasks: int) -> dict[str, Any]:
        adaptive.watch.wanted = tasks
        return asyncio.run(adaptive.recommendations(asyncio.run(adaptive.target())))

    assert recommended(5) == {"status": "same"}
    assert recommended(7) == {"status": "up", "n": 8}
    # One worker of a job is idle, the other has a task: the job stays. The one that still waits in the queue goes.
    adaptive.cluster.connect("q-0-0", busy=True)
    adaptive.cluster.connect("q-0-1", busy=False)
    adaptive.cluster.connect("q-1-0", busy=False)
    assert recommended(3) == {"status": "same"}
    assert recommended(3) == {"status": "down", "workers": ["q-2"]}
    assert recommended(1) == {"status": "same"}
    assert sorted(recommended(1)["workers"]) == ["q-1", "q-2"]
    # Wanted again in between: it is not counted as too many any longer.
    assert recommended(3) == {"status": "same"}
    assert recommended(6) == {"status": "same"}
    assert recommended(3) == {"status": "same"}


def test_jobs_that_are_gone_are_dropped(adaptive: JobsAdaptive, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = [QueuedJob("0", "q", "RUNNING", "None", "n1"), QueuedJob("2", "q", "PENDING", "Priority", "")]
    monkeypatch.setattr(slurm_client, "queued_jobs", lambda _name: list(queue))
    adaptive.cluster.connect("q-1-0", busy=True)
    asyncio.run(adaptive._look())
    assert sorted(adaptive.cluster.workers) == ["q-0", "q-1", "q-2"]
    # The one that had a worker is lost; another ends before it ever had one; Dask then asks for both anew.
    adaptive.cluster.scheduler.workers.clear()
    queue[0] = QueuedJob("0", "q", "FAILED", "NonZeroExitCode", "n1")
    asyncio.run(adaptive._look())
    assert sorted(adaptive.cluster.workers) == ["q-2"]
    assert (adaptive.watch.early, adaptive.watch.early_id) == (1, "0")
    # A controller that does not answer says nothing of the jobs.
    queue.clear()

    def silent(_name: str) -> list[QueuedJob]:
        raise QnetError("squeue did not answer")

    monkeypatch.setattr(slurm_client, "queued_jobs", silent)
    asyncio.run(adaptive._look())
    assert sorted(adaptive.cluster.workers) == ["q-2"]


def test_a_refused_job_is_asked_for_again_after_a_while(
    adaptive: JobsAdaptive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm_client, "queued_jobs", lambda _name: [])
    adaptive.cluster.workers = {"q-0": SimpleNamespace(job_id=None, refused_at=time.monotonic())}
    asyncio.run(adaptive._look())
    assert list(adaptive.cluster.workers) == ["q-0"]
    adaptive.cluster.workers["q-0"].refused_at -= slurm_jobs.REFUSED_SECONDS + 1
    asyncio.run(adaptive._look())
    assert list(adaptive.cluster.workers) == []


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SlurmCrew:
    monkeypatch.setattr(SlurmCrew, "living", lambda self: 0)
    cluster = SimpleNamespace(workers={}, scheduler=SimpleNamespace(address="tls://10.0.0.1:4000"))
    watch = Watch("q", 2)
    return SlurmCrew(cluster, None, tmp_path, 4, watch=watch, site=SlurmSite("p"), logs=tmp_path, patience=60)


def test_what_makes_it_useless_to_go_on_is_one_line(crew: SlurmCrew) -> None:
    def line(alone: float = 0.0) -> str:
        trouble = crew.trouble(alone)
        return "" if trouble is None else str(trouble)

    assert line() == ""
    crew.watch.asked = 1.0
    crew.watch.listed = {str(i): QueuedJob(str(i), "q", "PENDING", "Priority", "") for i in range(5)}
    assert line(59) == ""
    assert line(61).startswith(
        "no worker has been there for 1 min: job 0 PENDING (Priority), job 1 PENDING (Priority), "
        "job 2 PENDING (Priority) and 2 more; finished tasks are kept"
    )
    crew.watch.listed = {"7": QueuedJob("7", "q", "PENDING", "PartitionTimeLimit", "")}
    assert line() == "Slurm will never start the jobs: job 7 PENDING (PartitionTimeLimit); correct [p] of clusters.toml"
    crew.watch.listed = {}
    crew.watch.early, crew.watch.early_id = 3, "9"
    (crew.logs / "job-9.log").write_text("module: command not found\n")
    assert line().startswith("3 jobs ended before a worker connected: module: command not found; see ")
    (crew.logs / "job-9.log").write_text("2026 - distributed.dask_worker - INFO - Timed out starting worker\n")
    assert "the workers cannot reach the driver at tls://10.0.0.1:4000" in line()
    assert "set interface or driver_interface in [p] to a network of the compute nodes: " in line()
    crew.watch.refused = "sbatch: Invalid account"
    assert line() == (
        "Slurm refused the job: sbatch: Invalid account; "
        "correct [p] of clusters.toml, try it with: qnet cluster check p"
    )
    # One that was refused beside others that are in the queue is no reason to give up.
    crew.cluster.workers["q-0"] = SimpleNamespace(job_id="3")
    crew.watch.early = 0
    assert line() == ""


def test_no_more_jobs_are_wanted_than_there_may_be(crew: SlurmCrew) -> None:
    crew.want(100)
    assert crew.watch.wanted == 4
    crew.want(1)
    assert crew.watch.wanted == 1
