"""What a study would train and cost: ``qnet study --dry-run``, and the refusal of hours of work on a login node."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.login_node import LIMIT_CORE_HOURS, on_login_node
from qnet_tui.workflows.study_plan import make_study_plan
from qnet_tui.workflows.study_settings import RANDOM, StudySettings, recorded_study
from storage.workspace import Workspace

TRAIN_RATE, SCORE_RATE = 6600.0, 30_000.0
"""Training samples and evaluations a second and core, of 6 layers of 24 filters (measured on one core of a server)."""

MAP_SECONDS = 40.0
"""One map of 40 × 40 cells and the cells of 16,000 objects."""


def refuse_heavy_study(root: Path, work: StudySettings | str) -> None:
    """Refuse a study (its settings, or the run to resume) of more than half a core hour on a login node.

    Errors: :class:`BadInput` that says what to do instead.
    """
    if not on_login_node():
        return
    if isinstance(work, str):
        with Workspace.open(root) as ws:
            record = runs_store.get_run(ws, work)
        if record.verb != "study":
            return  # Who resumes it says so.
        work = recorded_study(record.settings)
    hours = float(estimate_study(root, work, 1)["core_hours"])
    if hours > LIMIT_CORE_HOURS:
        raise BadInput(
            f"about {hours:.1f} core hours are too much for a login node",
            mend="srun or salloc gives you a node; --on-login-node does it here all the same",
        )


def estimate_study(root: Path, settings: StudySettings, jobs: int) -> dict[str, Any]:
    """What a study would train and cost; nothing is written. Errors: those of its plan."""
    with Workspace.open(root) as ws:
        plan = make_study_plan(ws, None, settings)
        rates = _last_rates(ws, settings)
    epochs, steps = settings.epochs()
    networks = settings.committees * settings.networks
    going_on = settings.seeds * (1 + (settings.rounds - 1) * sum(a.strategy != RANDOM for a in settings.arms))
    evaluations = settings.networks * (settings.committees * plan.test + going_on * plan.pool)
    samples = networks * epochs * steps * settings.batch
    maps = settings.seeds * any(arm.map for arm in settings.arms)
    seconds = samples / rates[0] + evaluations / rates[1] + maps * MAP_SECONDS
    return {
        **asdict(plan),
        "replicas": settings.seeds,
        "arms": [arm.name for arm in settings.arms],
        "random_labels": list(settings.curve),
        "committees": settings.committees,
        "networks": networks,
        "maps": maps,
        "epochs": epochs,
        "steps": epochs * steps,
        "training_samples": samples,
        "evaluations": evaluations,
        "core_hours": seconds / 3600,
        "hours": seconds / 3600 / jobs,
        "jobs": jobs,
        "rates_from": rates[2],
    }


def _last_rates(ws: Workspace, settings: StudySettings) -> tuple[float, float, str]:
    """Samples and evaluations a second of a worker: of the last study with such networks here, else assumed."""
    same = ("layers", "filters", "batch", "precision")
    for run in runs_store.runs(ws):
        alike = run.verb == "study" and all(run.settings.get(k) == getattr(settings, k) for k in same)
        tasks = [t for t in runs_store.tasks(ws, run.id) if t.kind == "committee" and t.seconds] if alike else []
        if len(tasks) >= 2 * settings.seeds:
            train = np.median([t.detail["samples"] / t.detail["train_seconds"] for t in tasks])
            score = np.median([t.detail["evaluations"] / (t.seconds - t.detail["train_seconds"]) for t in tasks])
            return float(train), float(score), f"measured in {run.id}"
    faster = (24 / settings.filters) ** 1.3
    return TRAIN_RATE * faster, SCORE_RATE * faster, "assumed (no study with such networks here)"
