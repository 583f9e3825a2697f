"""``run-al --detach`` at a site that wants drivers in jobs: the same command, run by Slurm on a node."""

import math
import shlex
import sys
from pathlib import Path

from qnet_tui.compute import slurm_client
from qnet_tui.compute.slurm_site import SlurmSite
from qnet_tui.errors import QnetError

WARNING_SECONDS = 120
"""So long before its time is up the driver is told to stop; what runs is dropped and can be resumed."""


def driver_script(site: SlurmSite, arguments: list[str], log: Path) -> str:
    """The batch script that runs ``qnet ARGUMENTS`` with this interpreter; its words go to ``log``."""
    partition = site.driver_partition or site.partition
    named = (("--partition", partition), ("--account", site.account))
    directives = [
        "--job-name=qnet-driver",
        f'--output="{log}"',
        "--open-mode=append",
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={site.driver_cores}",
        *([f"--mem={math.ceil(site.driver_memory_gib * 1024)}M"] if site.driver_memory_gib else []),
        f"--time={site.driver_walltime or site.walltime}",
        f"--signal=B:TERM@{WARNING_SECONDS}",
        *(f"{option}={value}" for option, value in named if value),
        # The quality of service and the kind of node of the workers, unless the driver's own lines say otherwise.
        *([] if site.driver_directives else site.headers()),
        *site.driver_directives,
    ]
    command = shlex.join([sys.executable, "-m", "qnet_tui", *arguments])
    lines = ["#!/usr/bin/env bash", *(f"#SBATCH {one}" for one in directives), *site.prologue, f"exec {command}", ""]
    return "\n".join(lines)


def submit_driver(site: SlurmSite, arguments: list[str], log: Path) -> str:
    """Submit the driver; return the id of its job. Errors: QnetError in one line when Slurm refuses."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QnetError(f"cannot be made: {error.strerror}", file=log.parent) from None
    said = slurm_client.ask("sbatch", "--parsable", stdin=driver_script(site, arguments, log))
    return said.strip().split(";")[0]
