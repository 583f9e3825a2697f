"""``qnet run-al --dry-run``: what a round would do and cost, from the truth and rows that are here."""

from pathlib import Path
from typing import Any

import numpy as np

import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.active_learning.selection import eligible
from qnet_tui.workflows.labelled_rows import all_rows, validation_rows
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_plan import make_pool, selection_settings, training_set
from storage.workspace import Workspace

TRAIN_RATE, SCORE_RATE = 450.0, 1700.0
"""Spectra per second and core of one 6-layer network of 100 filters: assumed until this workspace has a run."""

TASKS_THAT_TELL = 8
"""The first task of each worker loads and traces TensorFlow: the median of fewer tasks would tell of that."""

NETWORK_BYTES = 2_500_000
SPECTRUM_BYTES = 200_000


def estimate(root: Path, settings: RoundSettings, jobs: int) -> dict[str, Any]:
    """Counts, evaluations, disk and time of a round with these settings; nothing is written.

    Rates are those of the last finished round of the same architecture here, else assumed ones (said which). The
    rows that the map will reject are not known yet, so evaluations are an upper bound.
    """
    with Workspace.open(root) as ws:
        rows = all_rows(ws)
        labels = truth_store.current_truth(ws)
        training = training_set(ws, rows, labels, settings)
        mask, _ = eligible(make_pool(ws, rows, labels, settings), selection_settings(settings))
        validation = len(validation_rows(ws, rows, labels))
        train_rate, score_rate, source = _rates(ws, settings)
    pool = int(mask.sum())
    samples = settings.networks * settings.epochs * len(training)
    evaluations = settings.networks * (pool + validation)
    core_seconds = samples / train_rate + evaluations / score_rate
    disk = (
        settings.networks * (NETWORK_BYTES * (settings.filters / 100) ** 2 + 8 * pool)
        + (settings.select + settings.outliers) * SPECTRUM_BYTES
    )
    return {
        "networks": settings.networks,
        "training_spectra": len(training),
        "training_samples": samples,
        "pool_rows": pool,
        "pool_objects": len(np.unique(rows["object_id"][mask])),
        "validation_objects": validation,
        "evaluations": evaluations,
        "tasks": settings.networks * (1 + -(-pool // settings.block_rows) + (1 if validation else 0)),
        "core_hours": core_seconds / 3600,
        "jobs": jobs,
        "hours": core_seconds / 3600 / jobs,
        "disk_megabytes": disk / 1e6,
        "rates_from": source,
    }


def _rates(ws: Workspace, settings: RoundSettings) -> tuple[float, float, str]:
    """Training and scoring rates per core from the tasks of the last round of this architecture."""
    for run in runs_store.runs(ws):
        same = all(run.settings.get(k) == getattr(settings, k) for k in ("layers", "filters", "batch"))
        if run.verb != "run-al" or run.state != "DONE" or not same:
            continue
        tasks = runs_store.tasks(ws, run.id)
        train = [t for t in tasks if t.kind == "train" and t.seconds]
        score = [t for t in tasks if t.kind == "score" and t.seconds]
        if min(len(train), len(score)) >= TASKS_THAT_TELL:
            samples = run.settings["epochs"] * run.result["training"]
            return (
                float(np.median([samples / (t.seconds or 1) for t in train])),
                float(np.median([t.detail.get("rows", 0) / (t.seconds or 1) for t in score])),
                f"measured in {run.id}",
            )
    # The work of the convolutions goes with the square of the filters.
    faster = (100 / settings.filters) ** 2
    return TRAIN_RATE * faster, SCORE_RATE * faster, "assumed (no finished round of this architecture here)"
