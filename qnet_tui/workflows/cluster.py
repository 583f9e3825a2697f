"""``qnet cluster``: describe a Slurm site, try it with one job, look at it."""

import re
import secrets
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from qnet_tui.compute import slurm_client
from qnet_tui.compute.driver import run_tasks
from qnet_tui.compute.slurm_site import SlurmSite
from qnet_tui.compute.tasks import Outcome, Task
from qnet_tui.compute.where import Where
from qnet_tui.compute.workers import Workers
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.cluster_probe import FROM_DRIVER, FROM_WORKER, probe
from qnet_tui.workflows.cluster_sites import clusters_file, read_site, read_sites, write_site
from qnet_tui.workflows.progress import Progress, silent

SEEN_SECONDS = 70.0
"""How long a network file system may take to show a file that another node has written."""

USUAL_HOURS = 4
USUAL_CORES = 16
GIB_OF_A_WORKER = 2.0
"""A worker with TensorFlow holds 0.7 to 1.2 GiB; the rest is for the vectors of a block and for growth."""


@dataclass(frozen=True)
class Partition:
    """One line of ``sinfo``: what a node of the partition has (0: not said) and its time limit in minutes or None."""

    name: str
    default: bool
    cores: int
    memory_gib: float
    minutes: float | None


@dataclass(frozen=True)
class WrittenSite:
    """What ``qnet cluster init`` did; ``note`` when Slurm could not be asked."""

    file: str
    settings: dict[str, Any]
    note: str = ""


@dataclass(frozen=True)
class SiteCheck:
    """What ``qnet cluster check`` found; times in seconds after the job was submitted."""

    name: str
    job: str
    host: str
    node: str
    cores: int
    started_seconds: float
    answered_seconds: float
    folder: str
    worker_reads: bool
    driver_reads: bool
    python: str
    tensorflow: str
    precision: str
    precision_why: str
    driver: str

    @property
    def ok(self) -> bool:
        """Whether a run can work there."""
        return self.worker_reads and self.driver_reads


@dataclass(frozen=True)
class SiteState:
    """One site and what the queue says of our jobs; ``trouble`` when it could not be asked."""

    name: str
    settings: dict[str, Any]
    jobs: list[dict[str, str]] = field(default_factory=list)
    trouble: str = ""


def init_site(name: str, given: dict[str, Any], *, force: bool = False) -> WrittenSite:
    """Write the table of a site: what is ``given`` (keys of a table), the rest as ``sinfo`` suggests.

    Errors: :class:`BadInput` for a value that cannot be, a partition that is not there, a name that is taken without
    ``force``; QnetError when Slurm cannot be asked and no partition is given.
    """
    given = {key: value for key, value in given.items() if value is not None}
    note = ""
    suggested: dict[str, Any] = {}
    try:
        suggested = _suggested(partitions(), given)
    except BadInput:
        raise
    except QnetError as error:
        if not given.get("partition"):
            raise
        note = f"written unchecked: {error}"
    site = SlurmSite(name, **{**suggested, **given})
    return WrittenSite(str(write_site(site, force=force)), asdict(site), note)


def partitions() -> list[Partition]:
    """The partitions of this cluster. Errors: QnetError when ``sinfo`` is not there or does not answer."""
    found: dict[str, Partition] = {}
    for line in slurm_client.ask("sinfo", "--noheader", "--format", "%P|%l|%c|%m").splitlines():
        parts = line.strip().split("|")
        if len(parts) == 4:
            name = parts[0].rstrip("*")
            # A partition with unlike nodes has several lines; the first speaks for it.
            cores, megabytes = (int(re.sub(r"\D.*", "", part) or 0) for part in parts[2:])
            found.setdefault(name, Partition(name, parts[0].endswith("*"), cores, megabytes / 1024, _minutes(parts[1])))
    return list(found.values())


def _suggested(known: list[Partition], given: dict[str, Any]) -> dict[str, Any]:
    wanted = given.get("partition")
    chosen = next((p for p in known if (p.name == wanted if wanted else p.default)), None)
    if wanted and chosen is None:
        names = ", ".join(p.name for p in known) or "none"
        raise BadInput(f"there is no partition {wanted!r} (sinfo lists {names})")
    chosen = chosen or (known[0] if known else None)
    if chosen is None:
        raise QnetError("sinfo lists no partition", mend="name one with --partition")
    cores = int(given.get("cores") or min(chosen.cores or USUAL_CORES, USUAL_CORES))
    workers = int(given.get("processes") or cores)
    memory = GIB_OF_A_WORKER * workers
    if chosen.memory_gib and chosen.cores:
        # Not more than these cores' part of the node, or the job blocks cores that it does not use.
        memory = min(memory, float(int(chosen.memory_gib * min(1.0, cores / chosen.cores))))
    minutes = min(USUAL_HOURS * 60, chosen.minutes or USUAL_HOURS * 60)
    return {
        "partition": chosen.name,
        "cores": cores,
        "memory_gib": max(memory, 1.0),
        "walltime": f"{int(minutes // 60):02d}:{int(minutes % 60):02d}:00",
    }


def _minutes(text: str) -> float | None:
    """Slurm's [D-]HH:MM:SS or MM:SS in minutes; None for no limit."""
    days, _, rest = text.strip().rpartition("-")
    parts = rest.split(":")
    if not all(p.isdigit() for p in parts) or (days and not days.isdigit()):
        return None
    numbers = [int(p) for p in parts]
    if days:
        numbers += [0] * (3 - len(numbers))
    hours, minutes, seconds = [0] * (3 - len(numbers)) + numbers
    return int(days or 0) * 1440 + hours * 60 + minutes + seconds / 60


def check_site(name: str, folder: Path, *, timeout: float = 600.0, progress: Progress = silent) -> SiteCheck:
    """Submit one job as a run would, wait for its workers, have one look round, and cancel the job.

    ``folder`` is where a run would write: a new folder is made in it, and removed. Waits ``timeout`` seconds for the
    job to start. Errors, in one line each: no Slurm here, a setting that Slurm refuses, a job that never starts or
    ends at once (with the last words of its log), workers that cannot reach the driver (at which address).
    """
    site = replace(read_site(name), max_jobs=1)
    try:
        shared = Path(tempfile.mkdtemp(prefix="qnet-cluster-check-", dir=folder)).resolve()
    except OSError as error:
        raise QnetError(f"cannot be written: {error.strerror}", file=folder) from None
    try:
        found = _check(site, shared, timeout, progress)
    except BaseException:
        # The logs of the job say more than one line can.
        shutil.rmtree(shared / "look", ignore_errors=True)
        raise
    shutil.rmtree(shared, ignore_errors=True)
    return found


def _check(site: SlurmSite, shared: Path, timeout: float, progress: Progress) -> SiteCheck:
    look = shared / "look"
    look.mkdir()
    word = secrets.token_hex(8)
    (look / FROM_DRIVER).write_text(word)
    outcomes: list[Outcome] = []
    where = Where(jobs=site.workers, log=shared / "log", site=site, folder=shared, start_seconds=timeout)
    with Workers(where) as workers:
        crew: Any = workers.crew()
        crew.max_early = 1
        crew.want(1)
        began = time.monotonic()
        while not crew.living():
            progress(f"submitted; {crew.waiting()}", 0, 1)
            trouble = crew.trouble(time.monotonic() - began)
            if trouble is not None:
                raise trouble
            time.sleep(0.2)
        started = time.monotonic() - began
        progress("a worker is there; it starts TensorFlow", 0, 1)
        run_tasks([Task("check", probe, {"folder": str(look), "word": word})], workers, outcomes.append)
        answered = time.monotonic() - began
        driver = str(crew.cluster.scheduler.address)
    outcome = outcomes[0]
    if outcome.error is not None:
        raise QnetError(f"the worker ran, and its task failed: {outcome.error}", mend=f"see {shared}")
    facts = outcome.value
    reads = facts.pop("reads")
    return SiteCheck(
        name=site.name,
        started_seconds=started,
        answered_seconds=answered,
        folder=str(shared.parent),
        worker_reads=reads,
        driver_reads=_seen(look / FROM_WORKER, word),
        driver=driver,
        **facts,
    )


def _seen(path: Path, word: str) -> bool:
    end = time.monotonic() + SEEN_SECONDS
    while time.monotonic() < end:
        if path.name in {p.name for p in path.parent.iterdir()} and path.read_text() == word:
            return True
        time.sleep(0.2)
    return False


def show_sites(name: str | None = None) -> list[SiteState]:
    """One site, or all, with our jobs in the queue. Errors: :class:`BadInput` without any, or for an unknown name."""
    sites = [read_site(name)] if name else list(read_sites().values())
    if not sites:
        raise BadInput(f"no cluster is described in {clusters_file()}", mend="qnet cluster init NAME")
    trouble = ""
    jobs: list[dict[str, str]] = []
    try:
        jobs = [asdict(job) for job in slurm_client.queued_jobs() if job.name.startswith("qnet-")]
    except QnetError as error:
        trouble = str(error)
    settings = [{key: value for key, value in asdict(site).items() if key != "name"} for site in sites]
    return [SiteState(site.name, s, jobs, trouble) for site, s in zip(sites, settings, strict=True)]
