"""``qnet train``: one network on the truth, the weights file that goes into the pipeline."""

import contextlib
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import storage.runs as runs_store
import storage.settings as campaign
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.labelled_rows import all_rows, validation_rows
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_plan import training_set
from qnet_tui.workflows.versions import versions
from storage.workspace import Workspace

FINAL_EPOCHS, FINAL_LEARNING_RATE = 100, 1e-3
"""Section 4 of the paper; the rate is that of the original training (algorithm.md 4 and 12.11)."""


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
    The weights lie in ``runs/ID/weights.h5`` and, when asked, at ``target``.
    Errors: :class:`BadInput` without enough truth.
    """
    from qnet_tui.quasarnet.boxes import encode
    from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
    from qnet_tui.quasarnet.training import EpochRecord, ValidationSet, train_network
    from qnet_tui.quasarnet.weights_file import write_weights
    from qnet_tui.spectra.grids import grid_named

    if target is not None and not target.parent.is_dir():
        raise BadInput("its folder does not exist", file=target, mend="make it, or choose another --out")
    began = time.monotonic()
    with Workspace.open(root) as ws:
        rows = all_rows(ws)
        labels = truth_store.current_truth(ws, at_round)
        data = training_set(ws, rows, labels, settings)
        held = validation_rows(ws, rows, labels)
        grid = grid_named(str(campaign.get_setting(ws, "grid", "log")))
        described = {
            **settings.as_dict(),
            "epochs": epochs,
            "learning_rate": learning_rate,
            "at_round": at_round,
        }
        run_id = runs_store.new_run(ws, "train", described, versions(), seed=settings.seed, round=None, command=command)
        result = TrainResult(run_id, epochs, training=len(data), training_qso=int(data.is_qso.sum()),
                             validation=len(held))  # fmt: skip

        def on_epoch(record: EpochRecord) -> None:
            runs_store.heartbeat(ws, run_id)
            runs_store.add_metrics(ws, run_id, [
                (name, record.epoch, what, float(value), n)
                for name, what, value, n in (
                    ("training", "loss", record.loss, len(data)),
                    ("validation", "loss", record.val_loss, len(held)),
                    ("validation", "completeness", record.completeness, (record.tp or 0) + (record.fn or 0)),
                    ("validation", "purity", record.purity, (record.tp or 0) + (record.fp or 0)),
                )
                if value is not None and np.isfinite(value)
            ])  # fmt: skip
            progress("training", record.epoch, epochs)

        try:
            trained = train_network(
                data.x,
                encode(data.z, data.is_qso, data.bal, grid),
                NetworkSettings(layers=settings.layers, filters=settings.filters, dropout=settings.dropout,
                                n_pixels=grid.n_pixels),
                TrainingSettings(epochs=epochs, learning_rate=learning_rate, batch=settings.batch,
                                 keep="best-val-loss" if len(held) else "best-loss",
                                 c_threshold=settings.c_threshold, n_lines=settings.n_lines),
                settings.seed,
                grid=grid,
                validation=ValidationSet(held.x, encode(held.z, held.is_qso, held.bal, grid), held.is_qso)
                if len(held) else None,
                on_epoch=on_epoch,
            )  # fmt: skip
            best = next(r for r in trained.history if r.epoch == trained.best_epoch)
            attributes = {
                "seed": settings.seed,
                "c_th": settings.c_threshold,
                "truth_hash": truth_store.truth_hash(ws, at_round),
                "run": run_id,
            }
            own = ws.run_dir(run_id) / "weights.h5"
            for path in [own, *([target] if target else [])]:
                write_weights(path, trained.weights, attributes)
        except BaseException as error:
            why = " ".join(str(error).split()) or type(error).__name__
            # A full disk must not hide its own cause behind a second failure to write it down.
            with contextlib.suppress(Exception):
                runs_store.finish(ws, run_id, "FAILED", {"error": why})
            raise
        result.best_epoch, result.val_loss, result.weights = (
            trained.best_epoch,
            best.val_loss,
            str(target or own),
        )
        result.completeness, result.purity = best.completeness, best.purity
        result.tp, result.fp, result.fn = best.tp, best.fp, best.fn
        result.history = [asdict(r) for r in trained.history]
        result.seconds = time.monotonic() - began
        runs_store.finish(ws, run_id, "DONE", {k: v for k, v in asdict(result).items() if k != "history"})
    return result
