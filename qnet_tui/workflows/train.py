"""``qnet train``: one network on the truth, the weights file that goes into the pipeline."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.runs as runs_store
import storage.settings as campaign
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.heartbeat import beating
from qnet_tui.workflows.labelled_rows import all_rows, validation_rows
from qnet_tui.workflows.presets import RoundSettings, recorded_settings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import read_npz, write_npz
from qnet_tui.workflows.round_plan import training_set
from qnet_tui.workflows.truth_rounds import last_round, truth_name
from qnet_tui.workflows.validation_answers import answer, snr_and_magnitude, write_answers
from qnet_tui.workflows.versions import versions
from storage.workspace import Workspace

FINAL_EPOCHS, FINAL_LEARNING_RATE = 100, 1e-3
"""Section 4 of the paper; the rate is that of the original training (algorithm.md 4 and 12.11)."""

RESUMABLE = ("graph",)
"""Training engines whose runs can be resumed."""


@dataclass
class TrainResult:
    """What ``qnet train`` says."""

    run: str
    epochs: int
    best_epoch: int = 0
    val_loss: float | None = None
    weights: str = ""
    training: int = 0
    training_qso: int = 0
    validation: int = 0
    completeness: float | None = None
    purity: float | None = None
    tp: int | None = None
    fp: int | None = None
    fn: int | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def train(
    root: Path,
    settings: RoundSettings,
    *,
    at_round: int | None = None,
    epochs: int = FINAL_EPOCHS,
    learning_rate: float = FINAL_LEARNING_RATE,
    target: Path | None = None,
    command: str = "",
    progress: Progress = silent,
) -> TrainResult:
    """Train one network on the truth as it is (or was at ``at_round``), keeping the best epoch.

    The best epoch is that of the smallest validation loss; without held-out truth that of the smallest training loss.
    The weights lie in ``runs/ID/weights.h5`` and, when asked, at ``target``; what they say of every held-out object in
    ``runs/ID/validation.npz`` (:mod:`qnet_tui.workflows.validation_answers`). What it trains on and how far it is lie
    beside them until it is done, so that a killed run can be resumed (not with Keras).
    Errors: :class:`BadInput` without enough truth.
    """
    _check_folder(target)
    with Workspace.open(root) as ws:
        rows = all_rows(ws)
        labels = truth_store.current_truth(ws, at_round)
        data = training_set(ws, rows, labels, settings)
        # Networks of any truth are measured on the objects that are held out now, so that they can be compared.
        held = validation_rows(ws, rows, labels if at_round is None else truth_store.current_truth(ws))
        described = {
            **settings.as_dict(),
            "epochs": epochs,
            "learning_rate": learning_rate,
            "at_round": at_round,
            "truth": truth_name(ws, last_round(labels)),
            "out": str(target.absolute()) if target else None,
        }
        run_id = runs_store.new_run(ws, "train", described, versions(), seed=settings.seed, round=None, command=command)
        runs_store.update_run(ws, run_id, truth_hash=truth_store.truth_hash(ws, at_round))
        with _recorded_failure(ws, run_id), beating(ws, run_id):
            parts = {
                f"{which}_{name}": getattr(part, name)
                for which, part in (("training", data), ("validation", held))
                for name in ("x", "z", "is_qso", "bal", "row_id", "object_id")
            }
            if settings.train_engine in RESUMABLE:
                write_npz(_data_file(ws, run_id), **parts)
            return _train(ws, run_id, parts, target, progress)


def resume_train(root: Path, run: str, *, target: Path | None = None, progress: Progress = silent) -> TrainResult:
    """Go on with a killed or failed ``qnet train`` on the spectra that it began with; at most a minute is done again.

    The weights are the same to the last bit as those of a run that was not interrupted, on a processor of one type.
    ``target`` instead of the recorded one. Errors: :class:`BadInput` when ``run`` is no unfinished run of train, or one
    that cannot be resumed; one that is still running is refused by the store.
    """
    _check_folder(target)
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        anew = "train anew: qnet train"
        if record.verb != "train":
            raise BadInput(f"{record.id} is a run of {record.verb}, not of train")
        if record.state == "DONE":
            raise BadInput(f"{record.id} is done", mend="qnet weights list shows its weights")
        if record.hidden:
            raise BadInput(f"{record.id} was given up", mend=anew)
        if record.settings.get("train_engine") not in RESUMABLE:
            raise BadInput(f"{record.id} trains with Keras, which cannot be resumed", mend=anew)
        if not _data_file(ws, record.id).exists():
            raise BadInput(f"{record.id} was killed before it began to train", mend=anew)
        runs_store.resume_run(ws, record.id)
        with _recorded_failure(ws, record.id), beating(ws, record.id):
            recorded = record.settings.get("out")
            goal = target or (Path(recorded) if recorded else None)
            return _train(ws, record.id, read_npz(_data_file(ws, record.id)), goal, progress)


def can_resume(ws: Workspace, record: runs_store.RunRecord) -> bool:
    """Whether ``qnet train --resume`` would go on with this run."""
    return record.verb == "train" and record.state != "DONE" and _data_file(ws, record.id).exists()


def _train(
    ws: Workspace, run_id: str, parts: dict[str, NDArray[Any]], target: Path | None, progress: Progress
) -> TrainResult:
    """Train, or go on with, the network of a registered run."""
    from qnet_tui.quasarnet.boxes import encode
    from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
    from qnet_tui.quasarnet.training import EpochRecord, ValidationSet, train_network
    from qnet_tui.quasarnet.weights_file import write_weights
    from qnet_tui.spectra.grids import grid_named

    began = time.monotonic()
    record = runs_store.get_run(ws, run_id)
    extra = ("at_round", "out", "truth")
    settings = recorded_settings({k: v for k, v in record.settings.items() if k not in extra})
    grid = grid_named(str(campaign.get_setting(ws, "grid", "log")))
    n, n_held = len(parts["training_x"]), len(parts["validation_x"])
    result = TrainResult(run_id, settings.epochs, training=n, training_qso=int(parts["training_is_qso"].sum()),
                         validation=n_held)  # fmt: skip
    # Epochs after the last checkpoint are trained again and come out the same.
    recorded = {metric.epoch for metric in runs_store.metrics(ws, run_id)}

    def targets(which: str) -> Any:
        z, is_qso, bal = (parts[f"{which}_{name}"] for name in ("z", "is_qso", "bal"))
        return encode(z, is_qso, bal, grid)

    def on_epoch(record: EpochRecord) -> None:
        runs_store.heartbeat(ws, run_id)
        runs_store.add_metrics(ws, run_id, [
            (name, record.epoch, what, float(value), count)
            for name, what, value, count in (
                ("training", "loss", record.loss, n),
                ("validation", "loss", record.val_loss, n_held),
                ("validation", "completeness", record.completeness, (record.tp or 0) + (record.fn or 0)),
                ("validation", "purity", record.purity, (record.tp or 0) + (record.fp or 0)),
            )
            if value is not None and np.isfinite(value) and record.epoch not in recorded
        ])  # fmt: skip
        progress("training", record.epoch, settings.epochs)

    folder = ws.run_dir(run_id)
    checkpoint = folder / "checkpoint"
    trained = train_network(
        parts["training_x"],
        targets("training"),
        NetworkSettings(layers=settings.layers, filters=settings.filters, dropout=settings.dropout,
                        n_pixels=grid.n_pixels),
        TrainingSettings(epochs=settings.epochs, learning_rate=settings.learning_rate, batch=settings.batch,
                         keep="best-val-loss" if n_held else "best-loss",
                         c_threshold=settings.c_threshold, n_lines=settings.n_lines),
        settings.seed,
        grid=grid,
        validation=ValidationSet(parts["validation_x"], targets("validation"), parts["validation_is_qso"])
        if n_held else None,
        on_epoch=on_epoch,
        engine=settings.train_engine,
        precision=settings.precision,
        checkpoint=checkpoint,
    )  # fmt: skip
    best = next(r for r in trained.history if r.epoch == trained.best_epoch)
    attributes = {
        "seed": settings.seed,
        "c_th": settings.c_threshold,
        "truth_hash": record.truth_hash,
        "run": run_id,
    }
    own = folder / "weights.h5"
    for path in [own, *([target] if target else [])]:
        write_weights(path, trained.weights, attributes)
    # A run that an older version began does not know which objects its held-out spectra show.
    if n_held and "validation_object_id" in parts:
        held = {name.removeprefix("validation_"): a for name, a in parts.items() if name.startswith("validation_")}
        facts = snr_and_magnitude(ws, held["row_id"], held["object_id"])
        write_answers(folder / "validation.npz", answer(trained.weights, {**held, **facts}))
    result.best_epoch, result.val_loss, result.weights = trained.best_epoch, best.val_loss, str(target or own)
    result.completeness, result.purity = best.completeness, best.purity
    result.tp, result.fp, result.fn = best.tp, best.fp, best.fn
    result.history = [asdict(r) for r in trained.history]
    result.seconds = time.monotonic() - began
    runs_store.finish(ws, run_id, "DONE", {k: v for k, v in asdict(result).items() if k != "history"})
    for path in (checkpoint, _data_file(ws, run_id)):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    return result


@contextlib.contextmanager
def _recorded_failure(ws: Workspace, run_id: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        why = " ".join(str(error).split()) or type(error).__name__
        # A full disk must not hide its own cause behind a second failure to write it down.
        with contextlib.suppress(Exception):
            runs_store.finish(ws, run_id, "FAILED", {"error": why})
        raise


def _data_file(ws: Workspace, run_id: str) -> Path:
    return ws.run_dir(run_id) / "data.npz"


def _check_folder(target: Path | None) -> None:
    if target is not None and not target.parent.is_dir():
        raise BadInput("its folder does not exist", file=target, mend="make it, or choose another --out")
