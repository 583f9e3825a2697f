"""Workers in Slurm jobs, through dask-jobqueue's SLURMCluster.

The driver, the reports and the tasks are those of :mod:`qnet_tui.compute.driver`. Everything between the driver and
the workers goes over TLS with certificates that live as long as the run, in a folder that only its owner can read;
the nodes must see that folder and reach the driver's interface.
"""

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qnet_tui.compute import slurm_client
from qnet_tui.compute.crew import THREAD_PINS, WORKER_CONFIG, Crew, no_interrupts, quiet
from qnet_tui.compute.slurm_site import SlurmSite
from qnet_tui.compute.where import Where
from qnet_tui.errors import BadInput, QnetError

ADAPT_SECONDS = 2.0
IDLE_SECONDS = 120.0
"""So long a job may be idle: longer than a driver needs between two stages, shorter than a queue usually takes."""

MAX_EARLY = 3
"""When so many jobs in a row ended before a worker connected, the next will too."""

CONNECT_SECONDS = 60
"""How long a worker looks for its driver before its job ends."""

LOGS_KEPT = 200


@dataclass
class SlurmCrew(Crew):
    """Workers in Slurm jobs; ``watch`` is what is known of the jobs (:class:`slurm_jobs.Watch`)."""

    watch: Any = None
    site: SlurmSite | None = None
    logs: Path = Path()
    patience: float = 0.0
    max_early: int = MAX_EARLY

    report_seconds = 70.0

    def want(self, tasks: int) -> None:
        """Ask for no more jobs than the tasks in hand can use."""
        self.watch.wanted = min(tasks, self.jobs)

    def waiting(self) -> str:
        """What the queue says of the jobs, in one line."""
        jobs = sorted(self.watch.listed.values(), key=lambda job: job.id)
        if not self.watch.asked:
            return "the queue was not asked yet"
        more = f" and {len(jobs) - 3} more" if len(jobs) > 3 else ""
        return ", ".join(job.words for job in jobs[:3]) + more or "squeue lists none of them"

    def trouble(self, alone: float) -> QnetError | None:
        """Jobs that are refused, end at once, can never start, or have not for too long."""
        watch, site = self.watch, self.site
        if site is None or self.living():
            return None
        table = f"[{site.name}]"
        if watch.refused and not any(job.job_id for job in tuple(self.cluster.workers.values())):
            return QnetError(
                f"Slurm refused the job: {watch.refused}",
                mend=f"correct {table} of clusters.toml, try it with: qnet cluster check {site.name}",
            )
        if watch.early >= self.max_early:
            return self._early_end(table)
        listed = list(watch.listed.values())
        if listed and all(job.state == "PENDING" and job.reason in slurm_client.HOPELESS for job in listed):
            return QnetError(
                f"Slurm will never start the jobs: {self.waiting()}", mend=f"correct {table} of clusters.toml"
            )
        if alone > self.patience and watch.early:
            return self._early_end(table)
        if alone > self.patience:
            return QnetError(
                f"no worker has been there for {self.patience / 60:.0f} min: {self.waiting()}",
                mend=f"finished tasks are kept: resume later, or raise start_minutes in {table}",
            )
        return None

    def _early_end(self, table: str) -> QnetError:
        log = self.logs / f"job-{self.watch.early_id}.log"
        last = last_words(log)
        if any(word in last for word in ("Timed out", "connect", "Connection", "Network", "route")):
            return QnetError(
                f"the workers cannot reach the driver at {self.cluster.scheduler.address} ({last})",
                mend=f"set interface or driver_interface in {table} to a network of the compute nodes: "
                + ", ".join(interfaces()),
            )
        return QnetError(
            f"{self.watch.early} job{'s' * (self.watch.early > 1)} ended before a worker connected: "
            f"{last or 'no word of why'}",
            mend=f"see {log}, and prologue, scratch and memory_gib in {table}",
        )


def last_words(log: Path) -> str:
    """The line of a job's log that most likely says why it ended: the last that speaks of an error, else the last."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines()[-LOGS_KEPT:] if line.strip()]
    except OSError:
        return ""
    named = [line for line in lines if re.search(r"\w*(Error|Exception)\b|\berror\b|Timed out", line)]
    return (named or lines or [""])[-1][:300]


def interfaces() -> list[str]:
    """Names of this machine's networks."""
    import socket

    return [name for _, name in socket.if_nameindex()]


def job_name(folder: Path) -> str:
    """The name of the jobs of the crew of a folder: the same for a resumed run, so that it finds what was left."""
    return "qnet-" + hashlib.blake2s(str(folder.resolve()).encode(), digest_size=4).hexdigest()


@contextlib.contextmanager
def slurm_crew(where: Where) -> Iterator[SlurmCrew]:
    """Start the driver's side, ask for jobs as tasks come, and cancel every job at the end whatever happens.

    The workers connect later, when Slurm starts their jobs. Raises QnetError when the driver's side cannot be
    started or Slurm is not there.
    """
    from dask import config
    from distributed import Client

    from qnet_tui.compute.slurm_jobs import JobsAdaptive, SiteCluster, Watch

    site, folder = where.site, where.folder
    if site is None or folder is None:
        raise ValueError("a Slurm crew needs a site and a folder")
    folder = folder.resolve()
    name = job_name(folder)
    # Jobs of a driver that was killed may still wait in the queue; they could never reach it.
    slurm_client.cancel_jobs(name)
    jobs = -(-where.jobs // site.workers_of_a_job)
    watch = Watch(name, site.workers_of_a_job)
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet(where.log))
        private = stack.enter_context(_private(folder))
        stack.enter_context(
            config.set(
                {
                    # Nothing of the user's own file of Dask: the site is described in one place.
                    "jobqueue.slurm": {**config.get("jobqueue.slurm", {}), **_nothing()},
                    "distributed.scheduler.http.routes": [],
                    "distributed.deploy.lost-worker-timeout": "2s",
                }
            )
        )
        try:
            with no_interrupts():
                cluster = SiteCluster(
                    name=name,
                    job_name=name,
                    cores=site.workers_of_a_job,
                    processes=site.workers_of_a_job,
                    job_cpu=site.cores,
                    memory=f"{site.memory_gib}GiB" if site.memory_gib else "0B",
                    queue=site.partition or None,
                    account=site.account or None,
                    walltime=site.walltime,
                    interface=site.interface or None,
                    python=shlex.quote(sys.executable),
                    nanny=True,
                    death_timeout=CONNECT_SECONDS,
                    local_directory=f'"{site.scratch}"',
                    job_script_prologue=_prologue(site),
                    worker_extra_args=["--no-dashboard", *site.worker_extra],
                    job_extra_directives=[f'--output="{folder}/job-%j.log"', *site.headers()],
                    job_directives_skip=[] if site.memory_gib else ["--mem="],
                    security=_security(private),
                    scheduler_options=_scheduler(site),
                    silence_logs=False,
                    watch=watch,
                    folder=private,
                )
                stack.callback(_close, cluster, name)
                client = Client(cluster, set_as_default=False)
                stack.callback(client.close)
        except ValueError as e:
            raise BadInput(" ".join(str(e).split()), mend=f"correct [{site.name}] of clusters.toml") from e
        except (OSError, RuntimeError, TimeoutError) as e:
            raise QnetError(
                f"the driver's side of the workers could not be started: {e}",
                mend=f"interfaces here: {', '.join(interfaces())}; see [{site.name}] of clusters.toml",
            ) from e
        cluster.adapt(
            Adaptive=JobsAdaptive,
            watch=watch,
            minimum_jobs=1,
            maximum_jobs=jobs,
            interval=f"{ADAPT_SECONDS}s",
            wait_count=int(IDLE_SECONDS / ADAPT_SECONDS),
        )
        yield SlurmCrew(
            cluster, client, private, where.jobs, watch=watch, site=site, logs=folder, patience=where.patience
        )


def _security(private: Path) -> Any:
    """Certificates that live as long as the run, in files that only their owner can read."""
    from distributed import Security

    made = Security.temporary().get_tls_config_for_role("worker")
    files = {part: str(private / f"tls-{part}.pem") for part in ("ca_file", "cert", "key")}
    for part, path in files.items():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(made[part])
    roles = ("scheduler", "worker", "client")
    same = {f"tls_{role}_{part}": files[part] for role in roles for part in ("cert", "key")}
    return Security(require_encryption=True, tls_ca_file=files["ca_file"], **same)


def _scheduler(site: SlurmSite) -> dict[str, Any]:
    # The driver counts the deaths itself, as with workers on this machine.
    options: dict[str, Any] = {
        "allowed_failures": 0,
        "dashboard": False,
        "dashboard_address": "127.0.0.1:0",
        "port": site.driver_port,
    }
    # A driver in a job of its own is on a node, where the workers' network has the workers' name.
    if site.driver_interface and not slurm_client.in_allocation():
        options["interface"] = site.driver_interface
    return options


def _prologue(site: SlurmSite) -> list[str]:
    """Lines before the worker starts: the pins, Dask's settings, then what the site wants."""
    settings = {
        "DASK_" + key.upper().replace(".", "__").replace("-", "_"): repr(value) for key, value in WORKER_CONFIG.items()
    }
    settings |= {"DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "spawn", "DASK_LOGGING__DISTRIBUTED": "info"}
    # A node must not wait for what the driver's terminal or job has set, and must have what it lacks.
    exports = [f"export {key}={shlex.quote(value)}" for key, value in {**THREAD_PINS, **settings}.items()]
    return [*site.prologue, *exports]


def _nothing() -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(("queue", "account", "project", "interface", "job-cpu", "job-mem", "extra"))
    empty |= dict.fromkeys(("job-extra", "env-extra", "header-skip", "log-directory"))
    return empty


@contextlib.contextmanager
def _private(folder: Path) -> Iterator[Path]:
    """A folder below ``folder`` that only its owner can read; those of drivers that were killed are removed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("crew-*"):
            shutil.rmtree(left, ignore_errors=True)
        private = Path(tempfile.mkdtemp(prefix="crew-", dir=folder))
    except OSError as e:
        raise QnetError(f"cannot be written: {e.strerror}", file=folder, mend="check its rights and the space") from e
    try:
        yield private
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _close(cluster: Any, name: str) -> None:
    with contextlib.suppress(Exception):
        cluster.close(timeout=slurm_client.SECONDS)
    # Also what Dask had already forgotten.
    with contextlib.suppress(QnetError):
        slurm_client.cancel_jobs(name)
