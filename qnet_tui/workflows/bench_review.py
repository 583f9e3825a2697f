"""``qnet bench review``: how long the review takes to open on a round of many rows, beside one of a thousand.

The rounds are made up (a committee of 200 that raced, with its calls, its map and its labels), because what is
measured is reading them. Every tab opens in a process of its own, twice: the first time its summary is computed, then
it is kept. Times are those of opening the tab, without the start of the interpreter and the loading of its libraries;
repeated openings are compared in processor seconds, which another user's load does not stretch.
"""

from __future__ import annotations

import importlib
import json
import math
import shutil
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.bench_measure import Measure, in_clean_process, note
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import GROUPS, RoundFiles, write_npy, write_npz
from qnet_tui.workflows.scale_stages import peak_bytes
from storage.files import make_directory, write_durably
from storage.workspace import Workspace

HERE = "qnet_tui.workflows.bench_review"
OPENED = ("completeness", "thresholds", "entropy", "map", "outliers", "rounds")
"""The tabs that read rounds; the others read what runs of their own left."""

SMALL = 1_000
NETWORKS = 200
BLOCK = 20_000
LABELS, ASKED, OUTLYING = 80, 100, 10
"""Objects with a label, asked about, and asked about although rejected: as many in both, for rows are measured."""

TIMES = 9
"""So often a tab is opened after the first time; the median of the processor seconds counts."""

DISPUTED = 0.3
"""Share of rows about which the made-up networks do not agree: high, so that a thousand rows have enough of them."""

SLOWER = 3.0
MEGABYTES = 150.0
BYTES_A_ROW = 1_500
"""Disk that a row needs: database, plan, calls."""


def bench_review(
    rows: int, *, folder: Path | None = None, quick: bool = False, progress: Progress = silent
) -> list[Measure]:
    """Open the tabs on a made-up round of ``rows`` rows and on one of 1,000, in ``folder``, which is removed.

    Of each tab: the processor time of opening it again, its ratio to that on the small round (at most 3), and the peak
    of memory of opening it for the first time (at most 150 MB). Errors: :class:`BadInput` when ``folder`` holds
    something; :class:`QnetError` when the disk has not the room.
    """
    if quick:
        rows = min(rows, 5_000)
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise BadInput("is not empty", file=folder, mend="name a new folder: it is removed afterwards")
    place = Path(tempfile.mkdtemp(prefix="qnet-review-")) if folder is None else folder
    place.mkdir(parents=True, exist_ok=True)
    try:
        free, needed = shutil.disk_usage(place).free, rows * BYTES_A_ROW
        if free < needed:
            raise QnetError(f"{rows:,} rows need {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free", file=place,
                            mend="give another --folder, or fewer --rows")  # fmt: skip
        figures: dict[int, dict[str, dict[str, float]]] = {}
        for size in (SMALL, rows):
            root = place / str(size)
            in_clean_process(f"{HERE}:build", progress, root=str(root), rows=size)
            figures[size] = {}
            for name in OPENED:
                said = in_clean_process(f"{HERE}:open_repeatedly", progress, root=str(root), name=name)
                figures[size][name] = {one.name: one.ours for one in said}
        return _lines(rows, figures)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _lines(rows: int, figures: dict[int, dict[str, dict[str, float]]]) -> list[Measure]:
    words = (
        f"{rows:,} rows (ours) and {SMALL:,} (peer), {NETWORKS} networks that raced, made up; each tab in a process of "
        "its own, libraries loaded before; the target of a time is that of its ratio"
    )
    out = [note("how", words)]
    for name in OPENED:
        large, small = figures[rows][name], figures[SMALL][name]
        ratio = large["again"] / max(small["again"], 1e-9)
        detail = (
            f"processor, median of {TIMES}; the first opening took {large['first']:.2f} s; {large['rows']:,.0f} lines"
        )
        out.append(Measure(f"{name}, opened again", large["again"] * 1e3, small["again"] * 1e3, ratio, "ms", False,
                           detail, SLOWER, ratio <= SLOWER))  # fmt: skip
        peak = large["peak"] / 1e6
        out.append(Measure(f"{name}, peak of memory", peak, small["peak"] / 1e6, peak / (small["peak"] / 1e6), "MB",
                           False, f"of the process that computes; {large['start'] / 1e6:.0f} MB before it opens",
                           MEGABYTES, peak <= MEGABYTES))  # fmt: skip
    return out


def open_repeatedly(*, root: str, name: str, progress: Progress) -> list[Measure]:
    """Open one tab for the first time and then again and again; seconds, lines, and the peak of this process."""
    module = importlib.import_module(f"qnet_tui.workflows.review.{name}")
    from qnet_tui.workflows.review.tab import Asked

    start, wall, cpu, rows = peak_bytes(), [], [], 0
    for _ in range(1 + TIMES):
        began, spent = time.perf_counter(), time.process_time()
        with Workspace.open(Path(root)) as ws:
            rows = len(module.open_tab(ws, Asked(), progress).rows)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    said = {"first": wall[0], "again": median(cpu[1:]), "rows": rows, "start": start, "peak": peak_bytes()}
    return [Measure(key, float(value), None, None, "", False, "") for key, value in said.items()]


def build(*, root: str, rows: int, progress: Progress) -> list[Measure]:
    """Make a workspace of ``rows`` rows with one selected round: rows, truth, map, pool, calls, queue, run."""
    from qnet_tui.workflows.ingest import read_file_vectors
    from qnet_tui.workflows.scale_workspace import enlarge, simulate_first

    place = Path(root)
    Workspace.create(place).close()
    first = read_file_vectors(str(simulate_first(place / "simulated")), "log", "made up")
    with Workspace.open(place) as ws:
        progress("writing rows", 0, rows)
        # Nobody looks at the vectors: one pixel of each is enough.
        enlarge(ws, replace(first, x=np.ascontiguousarray(first.x[:, :1])), rows)
        _label(ws)
        # Of a small map more is cut away, so that as many of its rejected objects can be asked about.
        percentile = 15.0 if rows > 10 * SMALL else 40.0
        _scored_round(ws, RoundSettings(select=ASKED, outliers=OUTLYING, percentile=percentile), progress)
    shutil.rmtree(place / "simulated")
    return []


def _label(ws: Workspace) -> None:
    """Give some objects a secure label: the pipeline's answer serves as the truth."""
    said = {int(row["object_id"]): row for row in spectra_store.read_rows(ws, object_ids=range(1, 1 + LABELS))}
    for role in ("train", "validation"):
        labels = [
            truth_store.TruthLabel(object_id, str(row["pipeline_class"]) or "GALAXY", _known(row["pipeline_z"]), 4.0)
            for object_id, row in said.items()
            if (object_id % 2 == 0) == (role == "train")
        ]
        truth_store.add_labels(ws, labels, "table:made up", "catalogue", role=role)


def _known(z: float) -> float | None:
    return None if math.isnan(z) else float(z)


def _scored_round(ws: Workspace, settings: RoundSettings, progress: Progress) -> None:
    from qnet_tui.active_learning.outlier_map import cell_counts, map_side, rejected_cells
    from qnet_tui.active_learning.pool import countable
    from qnet_tui.active_learning.selection import eligible, select
    from qnet_tui.workflows.labelled_rows import all_rows
    from qnet_tui.workflows.pool_files import write_pool
    from qnet_tui.workflows.round_plan import make_pool, selection_settings
    from qnet_tui.workflows.round_scores import pool_scores
    from qnet_tui.workflows.versions import versions

    rng = np.random.default_rng(7)
    files = RoundFiles(ws.round_dir(1))
    make_directory(files.pool.parent)
    rows, labels = all_rows(ws), truth_store.current_truth(ws)
    side = map_side(len(rows))
    # Cells are as unevenly full as those of a real map.
    weights = rng.lognormal(0.0, 1.0, side * side)
    cells = rng.choice(side * side, size=len(rows), p=weights / weights.sum())
    write_npy(files.best_matching_units, np.column_stack([rows["id"], cells]).astype(np.int64))
    pool = make_pool(ws, rows, labels, settings)
    counts = cell_counts(cells, side, countable(pool))
    cut = rejected_cells(counts, settings.percentile)
    scored, _ = eligible(pool, selection_settings(settings))
    where = {name: rows[name][scored] for name in ("shard_id", "shard_row")}
    write_pool(ws, files, where, pool, scored, cells[scored], counts, cut.mask)
    _race(files, cut.mask[cells[scored]], rng, progress)
    validation = _validation(files, labels, rng)

    from qnet_tui.workflows.pool_files import read_pool

    kept, on_map = read_pool(files)
    said = pool_scores(files, list(range(NETWORKS)), kept.object_key, settings, progress)
    picks = select(kept, said.scores, selection_settings(settings), on_map).picks
    rounds_store.add_selection(ws, 1, [
        rounds_store.SelectionRecord(**{k: v for k, v in asdict(pick).items() if k != "targetid"}) for pick in picks
    ])  # fmt: skip
    run = runs_store.new_run(ws, "run-al", settings.as_dict(), versions(), settings.seed, 1, "qnet bench review")
    runs_store.finish(ws, run, "DONE", {"networks": NETWORKS, "training": len(labels), "validation": validation})


def _race(files: RoundFiles, outlying: np.ndarray[Any, np.dtype[np.bool_]], rng: Any, progress: Progress) -> None:
    """Calls of a committee of which few were asked about most rows; those most disputed have all answers."""
    make_directory(files.committee.parent)
    write_durably(files.committee, json.dumps({"members": list(range(NETWORKS))}).encode())
    for group, of_group in zip(GROUPS, (~outlying, outlying), strict=True):
        race, rows = files.race(group), np.flatnonzero(of_group).astype(np.int32)
        if not len(rows):
            continue
        race.make_folders()
        starts = np.append(np.arange(0, len(rows), BLOCK), len(rows)).astype(np.int64)
        write_npy(race.rows, rows)
        write_npy(race.starts, starts)
        for block in range(len(starts) - 1):
            n = int(starts[block + 1] - starts[block])
            disputed = rng.random(n) < DISPUTED
            asked = np.where(disputed, NETWORKS, 8).astype(np.int16)
            shares = np.where(disputed[:, None], rng.dirichlet([0.6, 0.4, 0.4], n), [0.999, 0.0005, 0.0005])
            counts = rng.multinomial(asked.astype(np.int64), shares).astype(np.int16)
            complete = np.flatnonzero(disputed)[:200].astype(np.int32)
            answers = rng.random((2, len(complete), NETWORKS), dtype=np.float32)
            write_npz(race.block(block), counts=counts, asked=asked, complete=complete, c=answers[0], z=answers[1])
            progress("making calls up", block + 1, len(starts) - 1)


def _validation(files: RoundFiles, labels: Any, rng: Any) -> dict[str, Any]:
    """The held-out objects and what every member says of them."""
    from qnet_tui.evaluation.classification import committee_majority, completeness_purity
    from qnet_tui.workflows.round_selection import described

    held = labels[labels["role"] == "validation"]
    is_qso = held["spectype"] == "QSO"
    n, x = len(held), np.zeros((len(held), 1), dtype=np.float32)
    write_npz(files.validation, x=x, z=np.nan_to_num(held["z"]), is_qso=is_qso, row_id=held["object_id"],
              object_id=held["object_id"])  # fmt: skip
    files.make_folders(NETWORKS)
    confidence = np.clip(np.where(is_qso, 0.97, 0.3)[:, None] + rng.normal(0, 0.2, (n, NETWORKS)), 0, 1)
    for member in range(NETWORKS):
        both = np.column_stack([confidence[:, member], np.nan_to_num(held["z"])]).astype(np.float32)
        write_npy(files.scores(member, "validation"), both)
    counts = completeness_purity(committee_majority(confidence), is_qso)
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in described(counts).items()}
