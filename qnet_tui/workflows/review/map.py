"""The cells of a round's map: counts over all rows, which were rejected, and the classes in them (Fig. 2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.evaluation.intervals import wilson
from qnet_tui.plotting.charts import HeatMap
from qnet_tui.truth.classes import is_good
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.kept import Arrays, fingerprint_of, kept
from qnet_tui.workflows.review.scored import ScoredRound, cells_of, round_shown, scored_rounds
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from qnet_tui.workflows.round_plan import selection_settings
from storage.workspace import Workspace

ALL = "all rows"
CLASSES = ("STAR", "GALAXY", "QSO", "BAD")
"""The panels of the paper's figure; BAD is a label of quality below 2.5."""

_WORDS = {"STAR": "stars", "GALAXY": "galaxies", "QSO": "quasars", "BAD": "spectra without a secure label"}
_COLUMNS = (
    Column("cell", "cell"), Column("row", "row", need=1), Column("column", "column", need=1),
    Column("count", "count"), Column("rejected", "rejected"), Column("by_class", "labelled"),
)  # fmt: skip

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class CellLine:
    """One cell of a round's map."""

    cell: int
    row: int
    column: int
    count: int
    rejected: bool
    by_class: dict[str, int]


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:
    """Counts of every cell over all rows with an identity, and the classes of the labelled rows in it."""
    one = round_shown(ws, asked.round)
    if one is None:
        return Tab("map", _COLUMNS, (), asked, empty="no round has a map yet: qnet run-al")
    shown = asked.dataset or ALL
    if shown not in (ALL, *CLASSES):
        raise BadInput(f"the map has no dataset {shown!r}", mend=f"choose {', '.join((ALL, *CLASSES))}")
    counts, rejected = cells_of(one.files)
    by_class, notes = _labelled(ws, one, len(counts), progress)
    side = round(len(counts) ** 0.5)
    values = counts if shown == ALL else by_class[CLASSES.index(shown)]
    return Tab(
        name="map",
        columns=_COLUMNS,
        rows=_lines(counts, rejected, by_class, side),
        asked=replace(asked, round=one.number, dataset=shown),
        chart=HeatMap(
            np.where(values > 0, values, np.nan).astype(np.float64).reshape(side, side),
            rejected.reshape(side, side),
            "rows in a cell" if shown == ALL else f"labelled {_WORDS[shown]} in a cell",
            "rejected",
        ),
        says=_says(counts, rejected, by_class, "QSO" if shown == ALL else shown, one),
        notes=notes,
        rounds=scored_rounds(ws),
        datasets=(ALL, *CLASSES),
    )


def _lines(counts: Counts, rejected: NDArray[np.bool_], by_class: Counts, side: int) -> list[CellLine]:
    lines = []
    for cell, (n, out, classes) in enumerate(zip(counts.tolist(), rejected.tolist(), by_class.T.tolist(), strict=True)):
        said = {name: k for name, k in zip(CLASSES, classes, strict=True) if k}
        lines.append(CellLine(cell, cell // side, cell % side, n, out, said))
    return lines


def _labelled(ws: Workspace, one: ScoredRound, cells: int, progress: Progress) -> tuple[Counts, tuple[str, ...]]:
    """Labelled rows by class and cell, int64 (4, cells), of the labels as they are now."""
    labels = truth_store.current_truth(ws)
    name = np.where(is_good(labels["quality"]), labels["spectype"], "BAD")
    which = np.array([CLASSES.index(c) if c in CLASSES else len(CLASSES) - 1 for c in name.tolist()], dtype=np.int64)
    if not one.files.best_matching_units.exists():
        return np.zeros((len(CLASSES), cells), np.int64), (f"{one.files.best_matching_units} is gone: no classes",)
    said = hashlib.sha256(labels["object_id"].tobytes() + which.tobytes()).hexdigest()
    try:
        found = kept(
            one.files.root,
            "classes",
            fingerprint_of("classes 1", said, one.files.best_matching_units),
            lambda: _placed(ws, one, labels["object_id"], which, cells, progress),
        )
    except QnetError as error:
        return np.zeros((len(CLASSES), cells), np.int64), (f"{error}: no classes",)
    notes = [f"labelled: {int(found['by_class'].sum()):,} rows of objects with a label as of now, by class and quality"]
    if int(found["without"]):
        notes.append(f"{int(found['without']):,} labelled rows were ingested after this map was made")
    return found["by_class"], tuple(notes)


def _placed(ws: Workspace, one: ScoredRound, objects: Counts, which: Counts, cells: int, progress: Progress) -> Arrays:
    try:
        placed = np.load(one.files.best_matching_units, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise QnetError(f"damaged ({' '.join(str(error).split())})", file=one.files.best_matching_units) from error
    ids, units = np.ascontiguousarray(placed[:, 0]), placed[:, 1]
    by_class, without = np.zeros((len(CLASSES), cells), dtype=np.int64), 0
    at_once = 5_000
    for first in range(0, len(objects), at_once):
        some = objects[first : first + at_once]
        rows = spectra_store.read_rows(ws, object_ids=some.tolist())
        at = np.minimum(np.searchsorted(ids, rows["id"]), max(0, len(ids) - 1))
        known = ids[at] == rows["id"] if len(ids) else np.zeros(len(rows), dtype=bool)
        kind = which[first + np.searchsorted(some, rows["object_id"][known])]
        np.add.at(by_class, (kind, np.asarray(units[at[known]])), 1)
        without += int(np.count_nonzero(~known))
        progress("placing labels on the map", min(first + at_once, len(objects)), len(objects))
    return {"by_class": by_class, "without": np.array(without)}


def _says(counts: Counts, rejected: NDArray[np.bool_], by_class: Counts, which: str, one: ScoredRound) -> str:
    from qnet_tui.active_learning.outlier_map import rejected_cells

    cells, total = len(counts), int(counts.sum())
    chosen = selection_settings(one.settings)
    cut = rejected_cells(counts, one.settings.percentile, chosen.cells).cut
    out = int(counts[rejected].sum())
    words = (
        f"{total:,} rows in {cells:,} cells (median {np.median(counts):,.0f}, {int((counts == 0).sum())} empty); "
        f"rejected: {int(rejected.sum())} cells of {cut:,.4g} rows or fewer ({one.settings.percentile:g}th percentile)"
        f", {out:,} rows" + (f" ({out / total:.2%})" if total else "")
    )
    mine, every = by_class[CLASSES.index(which)], by_class.sum(axis=0)
    k, n = int(mine[2 * mine > every].sum()), int(mine.sum())
    if not n:
        return f"{words}; none of the labelled are {_WORDS[which]}."
    lo, hi = wilson(k, n)
    return (
        f"{words}; {k / n:.0%} ({lo:.0%}–{hi:.0%}) of the {n:,} labelled {_WORDS[which]} lie in cells where most of "
        f"the labelled are {_WORDS[which]}, which are {n / int(every.sum()):.0%} of all labelled."
    )
