"""Where tasks run: how many worker processes, how much memory each may take, where their noise goes."""

import os
from dataclasses import dataclass
from pathlib import Path

from qnet_tui.compute.slurm_site import SlurmSite
from qnet_tui.errors import BadInput


@dataclass(frozen=True)
class Where:
    """Worker processes on this machine, or in Slurm jobs when a ``site`` is given.

    ``jobs`` processes of one thread each (with a site: the most that may be there at once); the results do not
    depend on how many. ``memory_gib`` is the most that one may hold: a worker at 95 % of it is killed and its
    task tried again in a fresh one (None: no limit; a site has its own). Workers live for the whole run, because
    loading TensorFlow takes seconds; a task that leaves memory behind is therefore answered by this limit and
    not by restarts after so many tasks (a worker grew from 703 to 704 MiB over 60 trained networks). ``log`` takes
    what workers write to stdout and stderr and what Dask logs (None: thrown away); ``start_seconds`` is how long a
    run waits when it has no living worker (None: a minute here, what the site says there). ``folder`` is seen by
    this process and by the nodes of the site; reports, the workers' certificates and the logs of the jobs go there.
    """

    jobs: int = 1
    memory_gib: float | None = None
    log: Path | None = None
    start_seconds: float | None = None
    site: SlurmSite | None = None
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot run."""
        if self.jobs < 1:
            raise BadInput(f"{self.jobs} jobs cannot run anything", mend="use --jobs 1 or more")
        if self.memory_gib is not None and self.memory_gib <= 0:
            raise BadInput(f"a memory limit of {self.memory_gib} GiB is not possible")
        if self.site is not None and self.folder is None:
            raise ValueError("workers on other nodes need a folder that they share with the driver")

    @property
    def patience(self) -> float:
        """Seconds that a run waits when it has no living worker."""
        if self.start_seconds is not None:
            return self.start_seconds
        return 60.0 if self.site is None else 60.0 * self.site.start_minutes


def available_cores() -> int:
    """Cores that this process may use: its affinity and not what the machine has, as on a shared node."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
