"""Runs whose answers on the held-out objects are written by hand: every figure of a tab can be worked out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import storage.runs as runs_store
from qnet_tui.workflows.validation_answers import ValidationAnswers, write_answers
from storage.workspace import Workspace

Z = (0.8, 1.2, 1.7, 2.3, 2.6, 3.1)
"""Redshifts of the quasars."""


def answers(
    qso: Sequence[float],
    other: Sequence[float] = (),
    *,
    z: Sequence[float] = (),
    zbest: Sequence[float] = (),
    snr: Sequence[float] = (),
    mag_r: Sequence[float] = (),
    first_object: int = 101,
) -> ValidationAnswers:
    """Quasars with these confidences of their most confident line, then other objects with theirs.

    Redshifts repeat :data:`Z` for quasars and are 0.3 for others; what is predicted is the truth unless given.
    """
    c = np.array([*qso, *other], dtype=np.float32)
    n, lines = len(c), np.full((6, len(c)), 0.01, dtype=np.float32)
    lines[np.arange(n) % 6, np.arange(n)] = c  # Another line decides in each object.
    true_z = np.array([*(z or [Z[i % 6] for i in range(len(qso))]), *([0.3] * len(other))], dtype=np.float64)
    best = np.array(zbest, dtype=np.float64) if len(zbest) else true_z
    unknown = np.full(n, np.nan, np.float32)
    return ValidationAnswers(
        object_id=np.arange(first_object, first_object + n),
        z=true_z,
        is_qso=np.arange(n) < len(qso),
        c_line=lines,
        zbest=best,
        z_line=np.tile(best, (6, 1)).astype(np.float32),
        snr=np.array(snr, np.float32) if len(snr) else unknown,
        mag_r=np.array(mag_r, np.float32) if len(mag_r) else unknown,
    )


def training(
    root: Path,
    said: ValidationAnswers | None,
    *,
    truth: str = "",
    epochs: Sequence[tuple[int, int, int]] = (),
    c_threshold: float = 0.95,
) -> str:
    """Register a finished ``train`` run with these answers, and (tp, fp, fn) of its epochs from 0 on."""
    with Workspace.open(root) as ws:
        settings = {"c_threshold": c_threshold, "n_lines": 1, "at_round": None, "truth": truth}
        run = runs_store.new_run(ws, "train", settings, {}, seed=1, round=None, command="")
        for epoch, (tp, fp, fn) in enumerate(epochs):
            runs_store.add_metrics(ws, run, [
                ("validation", epoch, name, k / n, n)
                for name, k, n in (("completeness", tp, tp + fn), ("purity", tp, tp + fp)) if n
            ])  # fmt: skip
        if said is not None:
            path = ws.run_dir(run) / "validation.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_answers(path, said)
        runs_store.finish(ws, run, "DONE", {"training": 4679, "best_epoch": max(0, len(epochs) - 1)})
    return run


def committee(root: Path, said: Sequence[ValidationAnswers], number: int = 1) -> str:
    """Register a finished round whose networks give these answers for the same held-out objects."""
    from qnet_tui.evaluation.classification import committee_majority, completeness_purity
    from qnet_tui.workflows.presets import round_settings
    from qnet_tui.workflows.round_files import RoundFiles, write_npy, write_npz
    from qnet_tui.workflows.round_selection import described

    c = np.stack([one.c_line.max(axis=0) for one in said], axis=1)
    truth = said[0]
    with Workspace.open(root) as ws:
        run = runs_store.new_run(ws, "run-al", round_settings("smoke").as_dict(), {}, 1, number, "")
        files = RoundFiles(ws.round_dir(number))
        files.make_folders(len(said))
        write_npz(files.pool, rows=np.empty(0))
        write_npz(files.validation, object_id=truth.object_id, z=truth.z, is_qso=truth.is_qso,
                  row_id=np.arange(len(truth.z)))  # fmt: skip
        for k, one in enumerate(said):
            write_npy(files.scores(k, "validation"), np.stack([c[:, k], one.zbest], axis=1).astype(np.float32))
            runs_store.register_task(ws, run, f"train {k}", "train", "DONE")
        counts = completeness_purity(committee_majority(c), truth.is_qso)
        runs_store.finish(ws, run, "DONE", {"training": 100, "validation": described(counts)})
    return run
