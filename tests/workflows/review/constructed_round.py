"""A round whose calls, cells and answers on the held-out objects are written by hand, in the files of a real one."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.active_learning.pool import Pool
from qnet_tui.evaluation.classification import ClassificationCounts
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import RoundFiles, write_npy, write_npz
from qnet_tui.workflows.round_plan import make_pool, write_pool
from qnet_tui.workflows.round_selection import described
from storage.files import make_directory, write_durably
from storage.workspace import Workspace

SETTINGS = RoundSettings(networks=4, select=2, outliers=1, map_side=2, percentile=25.0)


def objects_of(ws: Workspace, n: int) -> np.ndarray:
    """Rows of the first ``n`` unlabelled objects that a round may select and that have one row only."""
    rows = all_rows(ws)
    labelled = np.isin(rows["object_id"], truth_store.current_truth(ws)["object_id"])
    rows = rows[(rows["object_id"] > 0) & rows["target"] & ~rows["arm_missing"] & ~labelled]
    names, counts = np.unique(rows["object_id"], return_counts=True)
    rows = rows[np.isin(rows["object_id"], names[counts == 1])]
    assert len(rows) >= n
    return rows[:n]


def plan(ws: Workspace, files: RoundFiles, rows: np.ndarray, cells: Sequence[int], counts: Sequence[int],
         rejected: Sequence[bool]) -> Pool:  # fmt: skip
    make_directory(files.pool.parent)
    pool = make_pool(ws, rows, truth_store.current_truth(ws), replace(SETTINGS))
    where = {name: rows[name] for name in ("shard_id", "shard_row")}
    write_pool(ws, files, where, pool, np.ones(len(rows), bool), np.array(cells), np.array(counts), np.array(rejected))
    write_npy(files.best_matching_units, np.column_stack([rows["id"], cells]).astype(np.int64))
    return pool


def raced(files: RoundFiles, calls: Sequence[Sequence[int]], outlying: Sequence[bool], networks: int = 4) -> None:
    """Calls (NOT, LOW-Z, HIGH-Z) of the networks that were asked about each row."""
    counts, out = np.array(calls, dtype=np.int16), np.array(outlying)
    make_directory(files.committee.parent)
    write_durably(files.committee, json.dumps({"members": list(range(networks))}).encode())
    for group, rows in (("regular", np.flatnonzero(~out)), ("outliers", np.flatnonzero(out))):
        if not len(rows):
            continue
        race, said = files.race(group), counts[rows]
        race.make_folders()
        write_npy(race.rows, rows.astype(np.int32))
        write_npy(race.starts, np.array([0, len(rows)], dtype=np.int64))
        none = np.zeros((0, networks), dtype=np.float32)
        write_npz(race.block(0), counts=said, asked=said.sum(axis=1).astype(np.int16),
                  complete=np.zeros(0, np.int32), c=none, z=none)  # fmt: skip


def asked_everyone(files: RoundFiles, calls: Sequence[Sequence[int]], networks: int = 4) -> None:
    """The same as a full round: each network's confidence and redshift for every row."""
    files.make_folders(networks)
    for member in range(networks):
        said = []
        for not_, low, _ in calls:
            said.append((0.1, 1.0) if member < not_ else (0.99, 1.0) if member < not_ + low else (0.99, 3.0))
        write_npy(files.scores(member, 0), np.array(said, dtype=np.float32))


def record(row: Any, rank: int, entropy: float, cell: int, cell_count: int, **changes: Any) -> Any:
    made = rounds_store.SelectionRecord(
        object_id=int(row["object_id"]), row_id=int(row["id"]), rank=rank, score=entropy, entropy=entropy, c_not=0.5,
        c_qso_lz=0.5, c_qso_hz=0.0, n_networks=4, bmu=cell, cell_count=cell_count, rejected=False, why="made up",
        strategy="entropy",
    )  # fmt: skip
    return replace(made, **changes)


def run_of(ws: Workspace, number: int, settings: RoundSettings = SETTINGS, labels: int = 100,
           counts: ClassificationCounts | None = None) -> str:  # fmt: skip
    run = runs_store.new_run(ws, "run-al", settings.as_dict(), {}, 1, number, "by hand")
    for member in range(settings.networks):
        runs_store.register_task(ws, run, f"train {member}", "train", "DONE", "", 0, 1.0, {})
    result = {"networks": settings.networks, "training": labels}
    runs_store.finish(ws, run, "DONE", {**result, "validation": described(counts) if counts else None})
    return run


def validation(files: RoundFiles, object_ids: Sequence[int], is_qso: Sequence[bool], called: Sequence[bool]) -> None:
    """Held-out objects and what all four networks say of them; redshifts are 1."""
    make_directory(files.validation.parent)
    files.make_folders(4)
    n = len(object_ids)
    write_npz(files.validation, x=np.zeros((n, 1), np.float32), z=np.ones(n), is_qso=np.array(is_qso),
              row_id=np.arange(1, n + 1), object_id=np.array(object_ids, dtype=np.int64))  # fmt: skip
    for member in range(4):
        write_npy(files.scores(member, "validation"),
                  np.column_stack([np.where(called, 0.99, 0.1), np.ones(n)]).astype(np.float32))  # fmt: skip
