"""A login node is no place for hours of work: many people share it, and sites end what takes too much of it."""

from dataclasses import replace
from pathlib import Path

import storage.runs as runs_store
from qnet_tui.compute import slurm_client
from qnet_tui.errors import BadInput
from qnet_tui.workflows.presets import RoundSettings, recorded_settings
from storage.workspace import Workspace

LIMIT_CORE_HOURS = 0.5
"""Half an hour of one core: a demo or a small round is no burden to anyone."""


def on_login_node() -> bool:
    """Whether jobs can be submitted from here and this process does not run in one."""
    return slurm_client.has_slurm() and not slurm_client.in_allocation()


def refuse_heavy_round(root: Path, work: RoundSettings | str, jobs: int) -> None:
    """Refuse a round (its settings, or the run to resume) of more than half a core hour on a login node.

    Errors: :class:`BadInput` that says what to do instead.
    """
    if not on_login_node():
        return
    from qnet_tui.workflows.dry_run import estimate

    if isinstance(work, str):
        with Workspace.open(root) as ws:
            work = recorded_settings(runs_store.get_run(ws, work).settings)
    _refuse(float(estimate(root, work, jobs)["core_hours"]), "qnet run-al --cluster NAME puts the work into jobs")


def refuse_heavy_training(root: Path, settings: RoundSettings, epochs: int) -> None:
    """Refuse one training of more than half a core hour on a login node. Errors: :class:`BadInput`."""
    if not on_login_node():
        return
    from qnet_tui.workflows.dry_run import estimate

    stages = estimate(root, replace(settings, networks=1, epochs=epochs), 1)["stages"]
    hours = sum(stage["core_hours"] for stage in stages if stage["stage"] == "training")
    _refuse(hours, "srun or salloc gives you a node")


def _refuse(core_hours: float, instead: str) -> None:
    if core_hours > LIMIT_CORE_HOURS:
        raise BadInput(
            f"about {core_hours:.1f} core hours are too much for a login node (this one can submit Slurm jobs and is "
            "not inside one)",
            mend=f"{instead}; --on-login-node does it here all the same",
        )
