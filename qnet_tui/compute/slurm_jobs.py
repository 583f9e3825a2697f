"""Jobs that hold workers, through dask-jobqueue, with what it leaves out. Imports Dask: only a Slurm crew loads it.

Left out there (0.9.0): Slurm's commands have no time limit; a job that ``sbatch`` refuses, that ends before its
workers connect, or that holds several workers and is lost, is never replaced, and adapting may cancel a job of which
only one worker is idle. Here whole jobs are counted, and those that are gone are dropped, so that Dask asks anew.
"""

import asyncio
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dask_jobqueue.slurm import SLURMCluster, SLURMJob
from distributed import Status
from distributed.deploy import Adaptive

from qnet_tui.compute import slurm_client
from qnet_tui.errors import QnetError

SQUEUE_SECONDS = 15.0
"""How often the queue is asked while jobs wait; never, once all have their workers."""

SOON_SECONDS = 3.0
"""The same in a job's first minute, and when a job that had workers has none."""

YOUNG_SECONDS = 2.0
"""So long after it was submitted a job need not be in the queue yet."""

REFUSED_SECONDS = 60.0
"""After so long a job that was refused (too many jobs at once, a busy controller) is asked for again."""


@dataclass
class Watch:
    """What is known of the jobs of one crew; written in Dask's thread, read in the driver's.

    ``wanted`` tasks are in hand. ``listed`` are the jobs in the queue as last seen, ``connected`` the names of those
    whose workers have ever connected, ``refused`` the last complaint of ``sbatch``; ``early`` counts the jobs in a
    row that ended before a worker connected, the last of which had the id ``early_id``.
    """

    name: str
    processes: int
    wanted: int = 0
    listed: dict[str, slurm_client.QueuedJob] = field(default_factory=dict)
    submitted: dict[str, float] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)
    refused: str = ""
    early: int = 0
    early_id: str = ""
    asked: float = 0.0


class SiteJob(SLURMJob):  # type: ignore[misc]
    """A job whose submission cannot hang or raise: what goes wrong is kept in the watch."""

    _command_template: str

    def __init__(self, *positional: Any, watch: Watch, folder: Path, **named: Any) -> None:
        """As dask-jobqueue's, with the paths of its certificates quoted for the shell."""
        self.watch = watch
        self.refused_at = 0.0
        super().__init__(*positional, **named)
        self._command_template = self._command_template.replace(str(folder), shlex.quote(str(folder)))

    async def start(self) -> None:
        """Submit the job."""
        try:
            await super().start()
            self.watch.submitted[self.job_id] = time.monotonic()
            self.watch.refused = ""
        except (RuntimeError, ValueError, OSError) as error:
            self.watch.refused = str(error)
            self.refused_at = time.monotonic()
            self.status = Status.running  # Dask would not close one that never ran.

    async def close(self) -> None:
        """Cancel the job."""
        await super().close()
        self.status = Status.closed

    @staticmethod
    async def _call(cmd: list[str], **_options: Any) -> str:
        """Run one of Slurm's commands outside Dask's loop, with its time limit."""
        try:
            return await asyncio.to_thread(slurm_client.ask, *cmd)
        except QnetError as error:
            raise RuntimeError(str(error)) from None


class SiteCluster(SLURMCluster):  # type: ignore[misc]
    """A cluster of such jobs."""

    job_cls = SiteJob


class JobsAdaptive(Adaptive):  # type: ignore[misc]
    """As many jobs as the tasks in hand can use; the ones that are lost come again, and idle ones go as a whole."""

    def __init__(self, cluster: Any, *, watch: Watch, **options: Any) -> None:
        """As Dask's, with what is known of the jobs."""
        self.watch = watch
        super().__init__(cluster, **options)

    async def target(self) -> int:
        """Workers for the tasks in hand, in whole jobs."""
        each = self.watch.processes
        return -(-self.watch.wanted // each) * each

    async def adapt(self) -> None:
        """Drop the jobs that are gone, then compare what there is with what is wanted."""
        await self._look()
        await super().adapt()

    async def recommendations(self, target: int) -> dict[str, Any]:
        """More jobs, or the names of idle ones that have been too many for a while."""
        cluster, watch = self.cluster, self.watch
        if cluster.plan != cluster.requested:
            await cluster
        excess = len(cluster.worker_spec) - target // watch.processes
        if excess < 0:
            self.close_counts.clear()
            return {"status": "up", "n": target}
        workers = self._workers_of_jobs()
        idle = [job for job in cluster.worker_spec if not any(w.processing for w in workers.get(job, ()))]
        idle.sort(key=lambda job: job in workers)  # Those that still wait in the queue go first.
        chosen = idle[:excess]
        for job in list(self.close_counts):
            if job not in chosen:
                del self.close_counts[job]
        for job in chosen:
            self.close_counts[job] += 1
        firmly = [job for job in chosen if self.close_counts[job] >= self.wait_count]
        for job in firmly:
            del self.close_counts[job]
        return {"status": "down", "workers": firmly} if firmly else {"status": "same"}

    async def scale_down(self, workers: list[str]) -> None:
        """Cancel whole jobs by name; none of their workers has a task."""
        await self.cluster.scale_down(workers)

    def _workers_of_jobs(self) -> dict[str, list[Any]]:
        """The connected workers by the name of their job."""
        found: dict[str, list[Any]] = {}
        for worker in self.cluster.scheduler.workers.values():
            name = str(worker.name)
            job = name if name in self.cluster.worker_spec else name.rsplit("-", 1)[0]
            found.setdefault(job, []).append(worker)
        return found

    async def _look(self) -> None:
        """Drop jobs that are no longer in the queue, or were refused a while ago."""
        watch, jobs = self.watch, self.cluster.workers
        here = set(self._workers_of_jobs())
        if here - watch.connected:
            watch.early = 0
        watch.connected |= here
        for name, job in list(jobs.items()):
            if job.job_id is None and time.monotonic() - job.refused_at > REFUSED_SECONDS:
                del jobs[name]
        missing = {name: job for name, job in jobs.items() if name not in here and job.job_id is not None}
        now = time.monotonic()
        soon = any(name in watch.connected or now - watch.submitted[job.job_id] < 60 for name, job in missing.items())
        if not missing or now - watch.asked < (SOON_SECONDS if soon else SQUEUE_SECONDS):
            return
        watch.asked = now
        try:
            watch.listed = {job.id: job for job in await asyncio.to_thread(slurm_client.queued_jobs, watch.name)}
        except QnetError:
            return  # A controller that is down for a while says nothing about the jobs.
        for name, job in missing.items():
            queued = watch.listed.get(job.job_id)
            young = time.monotonic() - watch.submitted.get(job.job_id, 0.0) < YOUNG_SECONDS
            if jobs.get(name) is not job or (queued is None and young):
                continue
            if queued is None or queued.state in slurm_client.GONE:
                if name not in watch.connected:
                    watch.early += 1
                    watch.early_id = job.job_id
                watch.connected.discard(name)
                del jobs[name]
