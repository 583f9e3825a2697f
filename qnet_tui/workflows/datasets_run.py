"""``qnet review datasets --run``: whether it is the labels of active learning that help, or only their number (Fig. 6).

The truth as it was at round 0, 1, … up to now gives datasets that grow. Each is trained on as it is, and every one but
the largest also on sets drawn from it with replacement to the size of the largest (Green et al. 2025, section 4.2). All
are measured on the objects that are held out now, which none trains on, with the same settings and number of epochs. A
smaller dataset makes fewer gradient steps in an epoch; how many is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import storage.runs as runs_store
import storage.settings as campaign
import storage.truth as truth_store
from qnet_tui.compute.where import Where
from qnet_tui.errors import BadInput
from qnet_tui.workflows.datasets_plan import Growth, growth_of, planned, training_name, trainings_of, write_plan
from qnet_tui.workflows.datasets_tasks import DatasetsFiles, train_dataset
from qnet_tui.workflows.driven_run import driven_run
from qnet_tui.workflows.login_node import refuse_heavy_training
from qnet_tui.workflows.presets import RoundSettings, recorded_settings, round_settings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_runner import RoundTask, Runner
from qnet_tui.workflows.train import FINAL_LEARNING_RATE
from qnet_tui.workflows.versions import versions
from storage.files import make_directory
from storage.workspace import Workspace

VERB = "datasets"

_WORDS = "training datasets"


@dataclass
class DatasetsResult:
    """What ``qnet review datasets --run`` says; ``datasets`` as in :func:`planned`."""

    run: str
    epochs: int
    bootstraps: int
    trainings: int = 0
    validation: int = 0
    validation_hash: str = ""
    datasets: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)


def run_datasets(
    root: Path,
    *,
    bootstraps: int = 10,
    epochs: int = 100,
    filters: int | None = None,
    seed: int | None = None,
    preset: str = "paper",
    jobs: int = 1,
    on_login_node: bool = False,
    command: str = "",
    progress: Progress = silent,
) -> DatasetsResult:
    """Train every dataset and its bootstraps on the workspace at ``root`` with ``jobs`` workers.

    Errors: :class:`BadInput` where nothing is held out, the truth has not grown since it was imported, or the work is
    too heavy for a login node; :class:`~qnet_tui.workflows.round_runner.Stopped` after SIGTERM or Ctrl-C (resume it).
    """
    settings = round_settings(preset, filters=filters, seed=seed, epochs=epochs, learning_rate=FINAL_LEARNING_RATE)
    with Workspace.open(root) as ws:
        growth = growth_of(ws, settings)
        if not on_login_node:
            refuse_heavy_training(root, settings, epochs * len(growth.trainings(bootstraps)))
        described = {**settings.as_dict(), "bootstraps": bootstraps}
        run_id = runs_store.new_run(ws, VERB, described, versions(), seed=settings.seed, round=None, command=command)
        runs_store.update_run(ws, run_id, truth_hash=truth_store.truth_hash(ws))
        return _drive(ws, run_id, settings, bootstraps, growth, jobs, progress)


def resume_datasets(
    root: Path, run: str, *, jobs: int = 1, on_login_node: bool = False, progress: Progress = silent
) -> DatasetsResult:
    """Go on with a killed, stopped or failed run; a training that is finished is not done again.

    Errors: :class:`BadInput` when ``run`` is no unfinished run of this kind; one that still runs is refused by the
    store.
    """
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        if record.verb != VERB:
            raise BadInput(f"{record.id} is a run of {record.verb}, not of review datasets --run")
        if record.state == "DONE":
            raise BadInput(f"{record.id} is done", mend="qnet review datasets shows it")
        if record.hidden:
            raise BadInput(f"{record.id} was given up", mend="start anew: qnet review datasets --run")
        settings = recorded_settings({k: v for k, v in record.settings.items() if k != "bootstraps"})
        bootstraps = int(record.settings["bootstraps"])
        if not on_login_node:
            left = planned(ws, record.id).get("trainings", 1) - runs_store.count_tasks(ws, record.id, "train", "DONE")
            refuse_heavy_training(root, settings, settings.epochs * max(1, left))
        runs_store.resume_run(ws, record.id)
        return _drive(ws, record.id, settings, bootstraps, None, jobs, progress)


def _drive(
    ws: Workspace,
    run_id: str,
    settings: RoundSettings,
    bootstraps: int,
    growth: Growth | None,
    jobs: int,
    progress: Progress,
) -> DatasetsResult:
    folder = ws.run_dir(run_id)
    result = DatasetsResult(run_id, settings.epochs, bootstraps)
    where = Where(jobs=jobs, log=folder / "log", folder=folder / "workers")

    def tell(stage: str, done: int, total: int) -> None:
        # Called whenever a training is finished: what is there can be looked at while the run goes on.
        if stage == _WORDS:
            _register_metrics(ws, run_id, DatasetsFiles(folder), planned(ws, run_id))
        progress(stage, done, total)

    with driven_run(ws, run_id, where, result, tell, f"qnet review datasets --run --resume {run_id}") as runner:
        with runner.clock.stage("plan"):
            plan = planned(ws, run_id)
            if not plan:
                plan = write_plan(ws, run_id, growth or growth_of(ws, settings), settings, bootstraps)
        for name in ("trainings", "validation", "validation_hash", "datasets", "skipped"):
            setattr(result, name, plan[name])
        with runner.clock.stage("train"):
            _train(runner, plan, settings)
    return result


def _train(runner: Runner, plan: dict[str, Any], settings: RoundSettings) -> None:
    ws = runner.ws
    files = DatasetsFiles(ws.run_dir(runner.run_id))
    grid = str(campaign.get_setting(ws, "grid", "log"))
    common = {"folder": str(files.root), "settings": settings.as_dict(), "grid": grid}
    tasks = []
    for one, bootstrap in trainings_of(plan):
        mine = files.training(one["index"], bootstrap)
        make_directory(mine.root)
        if mine.read_history() is None:
            # Damaged since it was written, or never finished: trained again, whatever is registered.
            mine.history.unlink(missing_ok=True)
        arguments = {**common, "dataset": one["index"], "bootstrap": bootstrap, "size": one["drawn"]}
        tasks.append(RoundTask(f"train {one['index']}-{bootstrap}", train_dataset, arguments,
                               (mine.history, mine.answers, mine.weights)))  # fmt: skip
    runner.run_all(tasks, _WORDS)


def _register_metrics(ws: Workspace, run_id: str, files: DatasetsFiles, plan: dict[str, Any]) -> None:
    """Enter the epochs of every finished training that are not entered yet, one training at a time."""
    known = {metric.dataset for metric in runs_store.metrics(ws, run_id)}
    for one, bootstrap in trainings_of(plan):
        name = training_name(one["name"], bootstrap)
        said = files.training(one["index"], bootstrap).read_history() if name not in known else None
        if said is None:
            continue
        runs_store.add_metrics(ws, run_id, [
            (name, record["epoch"], what, float(value), n)
            for record in said["history"]
            for what, value, n in (
                ("loss", record["loss"], said["size"]),
                ("val_loss", record["val_loss"], plan["validation"]),
                ("completeness", record["completeness"], record["tp"] + record["fn"]),
                ("purity", record["purity"], record["tp"] + record["fp"]),
            )
            if value is not None
        ])  # fmt: skip
