"""Slurm's own commands, each with a time limit: a controller that does not answer must not hang a driver."""

import getpass
import os
import shutil
import subprocess
from dataclasses import dataclass

from qnet_tui.errors import QnetError

SECONDS = 30.0
"""How long Slurm may take to answer; a busy controller takes some."""

GONE = frozenset(
    {
        "COMPLETED", "COMPLETING", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY",
        "BOOT_FAIL", "DEADLINE",
    }
)  # fmt: skip
"""States of a job whose workers are gone."""

HOPELESS = frozenset(
    {
        "BadConstraints", "PartitionTimeLimit", "PartitionNodeLimit", "AccountNotAllowed", "QOSNotAllowed",
        "InvalidAccount", "InvalidQOS", "AssociationNotFound", "QOSMaxWallDurationPerJobLimit",
        "AssocMaxWallDurationPerJobLimit", "QOSMaxCpuPerJobLimit", "QOSMaxMemoryPerJob", "AssocMaxCpuPerJobLimit",
        "AssocMaxMemPerJob",
    }
)  # fmt: skip
"""Reasons for which a pending job will never start, however long one waits."""


@dataclass(frozen=True)
class QueuedJob:
    """One line of ``squeue``: ``reason`` is Slurm's word for why a job waits, ``nodes`` where it runs."""

    id: str
    name: str
    state: str
    reason: str
    nodes: str

    @property
    def words(self) -> str:
        """As a person reads it."""
        return f"job {self.id} {self.state}" + (f" ({self.reason})" if self.state == "PENDING" else f" on {self.nodes}")


def environment() -> dict[str, str]:
    """Our variables without those of the job that we run in: ``sbatch`` would take them as wishes."""
    return {
        k: v for k, v in os.environ.items() if k == "SLURM_CONF" or not k.startswith(("SLURM_", "SLURMD_", "SBATCH_"))
    }


def ask(*command: str, stdin: str = "") -> str:
    """Run one of Slurm's commands and return what it said; QnetError in one line when it cannot or will not."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env=environment(),
            check=False,
        )
    except FileNotFoundError:
        raise QnetError(
            f"there is no {command[0]} on this machine", mend="run this on a node of the cluster that can submit jobs"
        ) from None
    except subprocess.TimeoutExpired:
        raise QnetError(
            f"{command[0]} did not answer within {SECONDS:.0f} s", mend="is Slurm's controller up?"
        ) from None
    if done.returncode:
        raise QnetError(complaint(command[0], done.stderr or done.stdout))
    return done.stdout


def complaint(program: str, said: str) -> str:
    """The one line that says why: Slurm prints the cause last, behind its own name and the word error."""
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip() and "--help" not in line]
    causes = [line.split("error: ", 1)[1] for line in lines if "error: " in line]
    return f"{program}: " + (causes or lines or ["failed and said nothing"])[-1].removeprefix(f"{program}: ")


def queued_jobs(name: str = "") -> list[QueuedJob]:
    """Our jobs in the queue, only those of this name when one is given."""
    named = ("--name", name) if name else ()
    lines = ask("squeue", "--noheader", "--user", getpass.getuser(), *named, "--format", "%i|%j|%T|%r|%N").splitlines()
    return [QueuedJob(*(part.strip() for part in line.split("|", 4))) for line in lines if line.count("|") >= 4]


def cancel_jobs(name: str) -> None:
    """Cancel every job of ours of this name."""
    ask("scancel", "--user", getpass.getuser(), "--name", name)


def has_slurm() -> bool:
    """Whether jobs can be submitted from this machine."""
    return shutil.which("sbatch") is not None


def in_allocation() -> bool:
    """Whether this process runs inside a Slurm job."""
    return bool(os.environ.get("SLURM_JOB_ID"))
