"""What one site wants to hear when it is asked for workers: one table of ``clusters.toml``, checked."""

import re
from dataclasses import dataclass

from qnet_tui.errors import BadInput

DRIVERS = ("here", "batch")
WALLTIME = re.compile(r"(\d+-)?\d{1,3}(:\d{2}){0,2}")


@dataclass(frozen=True)
class SlurmSite:
    """Settings of a Slurm site. Every field but ``name`` is a line of its table, explained where it is written.

    A job holds ``cores`` cores, ``memory_gib`` GiB (0: do not ask for any) and ``processes`` workers of one thread
    (None: one a core); at most ``max_jobs`` jobs are asked for. ``walltime`` is in Slurm's words (MM, HH:MM:SS,
    D-HH:MM:SS). ``interface`` is the network that the workers, and without ``driver_interface`` also the driver,
    listen on. ``driver`` says where ``--detach`` puts the driver: "here", or "batch" in a job of its own.
    """

    name: str
    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    directives: tuple[str, ...] = ()
    cores: int = 4
    processes: int | None = None
    memory_gib: float = 8.0
    walltime: str = "02:00:00"
    max_jobs: int = 4
    interface: str = ""
    driver_interface: str = ""
    driver_port: int = 0
    scratch: str = "${TMPDIR:-/tmp}"
    prologue: tuple[str, ...] = ()
    worker_extra: tuple[str, ...] = ()
    start_minutes: float = 720.0
    driver: str = "here"
    driver_partition: str = ""
    driver_walltime: str = ""
    driver_cores: int = 2
    driver_memory_gib: float = 8.0
    driver_directives: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no Slurm could run."""
        where = f"[{self.name}]"
        for name in ("cores", "max_jobs", "workers_of_a_job", "start_minutes", "driver_cores"):
            if getattr(self, name) <= 0:
                raise BadInput(f"{where} {name.replace('workers_of_a_job', 'processes')} must be 1 or more")
        if self.workers_of_a_job > self.cores:
            raise BadInput(f"{where} {self.processes} processes do not fit on {self.cores} cores of one thread each")
        for name in ("memory_gib", "driver_memory_gib"):
            if getattr(self, name) < 0:
                raise BadInput(f"{where} {name} cannot be negative", mend="0 asks for no memory at all")
        for name in ("walltime", "driver_walltime"):
            text = getattr(self, name)
            if text and not WALLTIME.fullmatch(text):
                raise BadInput(f"{where} {name} {text!r} is no time of Slurm", mend="as in 02:00:00 or 1-12:00:00")
        if self.driver not in DRIVERS:
            raise BadInput(f"{where} driver {self.driver!r} is not {' or '.join(DRIVERS)}")

    @property
    def workers_of_a_job(self) -> int:
        """Worker processes in each job."""
        return self.cores if self.processes is None else self.processes

    @property
    def workers(self) -> int:
        """The most worker processes that there may be."""
        return self.max_jobs * self.workers_of_a_job

    def headers(self) -> list[str]:
        """What is written behind ``#SBATCH`` for what Dask has no word for; the last of equal ones wins."""
        named = (("--qos", self.qos), ("--constraint", self.constraint))
        return [*(f"{option}={value}" for option, value in named if value), *self.directives]
