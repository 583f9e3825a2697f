"""The first stages of a round: what the committee trains on, the map, and which rows it is asked about.

Map and filters run over all rows before the committee does (architecture.md, order of a round). The plan is written
once, as files, so that a resumed round trains and scores exactly what the killed one did, whatever was labelled or
ingested meanwhile.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.rounds as rounds_store
import storage.shards as shards
import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.active_learning.best_matching_units import best_matching_units
from qnet_tui.active_learning.map_file import load_map, save_map
from qnet_tui.active_learning.outlier_map import (
    cell_counts,
    default_settings,
    draw_training_sample,
    map_side,
    rejected_cells,
    train_map,
)
from qnet_tui.active_learning.pool import Pool, countable
from qnet_tui.active_learning.selection import SelectionSettings, eligible
from qnet_tui.active_learning.strategies import StrategySettings
from qnet_tui.errors import BadInput
from qnet_tui.workflows.labelled_rows import LabelledRows, all_rows, labelled_rows, of_objects, validation_rows
from qnet_tui.workflows.pool_files import pool_size, pool_vectors, read_pool, write_pool
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.round_files import RoundFiles, write_npy, write_npz
from storage.workspace import Workspace

__all__ = [
    "MINIMUM_TRAINING",
    "Plan",
    "make_plan",
    "make_pool",
    "pool_size",
    "pool_vectors",
    "read_pool",
    "selection_settings",
    "thin_supplement",
    "training_set",
    "write_pool",
]

MINIMUM_TRAINING = 10
"""Fewer secure labels than this train nothing worth asking."""


@dataclass(frozen=True)
class Plan:
    """Counts of a written plan."""

    training: int
    training_qso: int
    validation: int
    rows: int
    counted: int
    rejected: int
    rejected_cells: int
    side: int
    cut: float
    filtered: dict[str, int]
    pool_rows: int
    unique: int
    map_facts: dict[str, Any]

    def blocks(self, block_rows: int) -> int:
        """Number of blocks the pool is scored in."""
        return -(-self.pool_rows // block_rows)


def selection_settings(settings: RoundSettings) -> SelectionSettings:
    """The part of a round's settings that selects."""
    return SelectionSettings(
        strategy=settings.strategy,
        select=settings.select,
        percentile=settings.percentile,
        cells="nonempty" if settings.percentile_cells == "nonempty" else "all",
        outliers=settings.outliers,
        sky=settings.filter_sky,
        missing_arm=settings.filter_missing_arm,
        labelled=settings.filter_labelled,
        scoring=StrategySettings(c_threshold=settings.c_threshold, z_split=settings.z_split, seed=settings.seed),
    )


def make_plan(ws: Workspace, files: RoundFiles, settings: RoundSettings, round_number: int, progress: Progress) -> Plan:
    """Write training set, validation set, map, cells and pool of a round; return their counts.

    Errors: :class:`BadInput` when there is no truth, no row, or nothing left to ask about.
    """
    rows = all_rows(ws)
    if not len(rows):
        raise BadInput("this workspace has no spectra", mend="qnet ingest PATH first")
    labels = truth_store.current_truth(ws)
    training = training_set(ws, rows, labels, settings)
    write_npz(
        files.training,
        x=training.x,
        z=training.z,
        is_qso=training.is_qso,
        bal=training.bal,
        row_id=training.row_id,
    )
    validation = validation_rows(ws, rows, labels)
    if len(validation):
        write_npz(
            files.validation,
            x=validation.x,
            z=validation.z,
            is_qso=validation.is_qso,
            row_id=validation.row_id,
            object_id=validation.object_id,
        )
    progress("training the map", 0, 0)
    facts = _make_map(ws, files, settings, round_number, rows, training, progress)
    cells = _cells_of_all(ws, files, rows, progress)
    pool = make_pool(ws, rows, labels, settings)
    counted = countable(pool)
    counts = cell_counts(cells, int(facts["side"]), counted)
    chosen = selection_settings(settings)
    cut = rejected_cells(counts, settings.percentile, chosen.cells)
    facts["warning"] = cut.warning
    mask, filtered = eligible(pool, chosen)
    outlying = cut.mask[cells]
    asked = mask & ~outlying
    # The rejected rows are scored only when some of them are wanted (the paper's 100 outliers of run 2).
    scored = mask if settings.outliers else asked
    if not asked.any():
        reasons = {**filtered, "outliers on the map": int((mask & outlying).sum())}
        raise BadInput(
            "nothing is left to ask about: " + ", ".join(f"{n:,} {why}" for why, n in reasons.items() if n),
            mend="ingest more spectra, or switch a filter off",
        )
    where_they_lie = {name: rows[name][scored] for name in ("shard_id", "shard_row")}
    write_pool(ws, files, where_they_lie, pool, scored, cells[scored], counts, cut.mask)
    return Plan(
        training=len(training),
        training_qso=int(training.is_qso.sum()),
        validation=len(validation),
        rows=len(rows),
        counted=int(counted.sum()),
        rejected=int((outlying & counted).sum()),
        rejected_cells=int(cut.mask.sum()),
        side=int(facts["side"]),
        cut=cut.cut,
        filtered=dict(filtered),
        pool_rows=int(scored.sum()),
        unique=len(np.unique(rows["object_id"][asked])),
        map_facts=facts,
    )


def training_set(ws: Workspace, rows: NDArray[Any], labels: NDArray[Any], settings: RoundSettings) -> LabelledRows:
    """The secure labels of role train, with the supplement thinned as asked (``TABLE:N``)."""
    mine = labels[labels["role"] == "train"]
    if settings.supplement:
        mine = thin_supplement(mine, settings.supplement, settings.seed)
    made = labelled_rows(
        ws,
        rows,
        mine,
        one_per_object=False,
        keep_bad_as_negative=settings.keep_bad_as_negative,
        training=True,
    )
    if len(made) < MINIMUM_TRAINING:
        raise BadInput(
            f"only {len(made)} spectra have a secure label to train on (at least {MINIMUM_TRAINING})",
            mend="qnet truth import FILE",
        )
    if made.is_qso.all() or not made.is_qso.any():
        kind = "a quasar" if made.is_qso.all() else "no quasar"
        raise BadInput(f"every training label is {kind}", mend="import truth of the other kind as well")
    return made


def thin_supplement(labels: NDArray[Any], supplement: str, seed: int) -> NDArray[Any]:
    """Keep N labels, drawn with the seed, of those imported from TABLE (``supplement`` is ``TABLE:N``)."""
    name, _, number = supplement.rpartition(":")
    if not name or not number.isdigit():
        raise BadInput(f"--supplement {supplement!r} is not TABLE:N", mend="for example --supplement eboss.fits:15000")
    from_table = np.flatnonzero(labels["origin"] == f"table:{name}")
    if not len(from_table):
        raise BadInput(f"no truth came from a table called {name!r}", mend="qnet truth import it first")
    drawn = np.random.default_rng(np.random.SeedSequence([seed, len(from_table)])).permutation(from_table)
    keep = np.ones(len(labels), dtype=bool)
    keep[drawn[int(number) :]] = False
    return labels[keep]


def _make_map(
    ws: Workspace,
    files: RoundFiles,
    settings: RoundSettings,
    round_number: int,
    rows: NDArray[Any],
    training: LabelledRows,
    progress: Progress,
) -> dict[str, Any]:
    """Train the map on the labelled set (or a sample of all rows) and return what was chosen and measured."""
    seed = int(np.random.SeedSequence([settings.seed, round_number, 2]).generate_state(1)[0])
    labelled = settings.map_trained_on == "labelled"
    sample = draw_training_sample(
        len(training) if labelled else len(rows), source="labelled" if labelled else "pool", seed=seed
    )
    if labelled:
        x = training.x[sample.rows]
    else:
        x = shards.gather(ws, rows["shard_id"][sample.rows], rows["shard_row"][sample.rows])
    chosen = default_settings(
        len(x),
        side=settings.map_side or map_side(len(rows)),
        seed=seed,
        torus=settings.map_torus,
        engine=settings.map_engine,
    )
    trained = train_map(x, chosen, on_progress=lambda done, total: progress("training the map", done, total))
    save_map(files.map, trained)
    return {
        "side": chosen.side,
        "trained_on": sample.source,
        "sample": len(x),
        "engine": chosen.engine,
        "epochs": chosen.iterations if chosen.engine == "batch" else round(chosen.iterations / len(x), 1),
        "starts": chosen.starts,
        "sigma": chosen.sigma,
        "learning_rate": chosen.learning_rate,
        "iterations": chosen.iterations,
        "torus": chosen.torus,
        "quantization_error": trained.quantization_error,
        "topographic_error": trained.torus_topographic_error,
    }


def _cells_of_all(
    ws: Workspace, files: RoundFiles, rows: NDArray[Any], progress: Progress, block: int = 20_000
) -> NDArray[np.int64]:
    """The cell of every row, a block of vectors (35 MB) in memory at once; written with the rows' ids."""
    weights = load_map(files.map).weights
    placed = np.empty((len(rows), 2), dtype=np.int64)
    placed[:, 0] = rows["id"]
    for first in range(0, len(rows), block):
        part = slice(first, first + block)
        x = shards.gather(ws, rows["shard_id"][part], rows["shard_row"][part])
        placed[part, 1] = best_matching_units(x, weights)
        progress("placing spectra on the map", min(first + block, len(rows)), len(rows))
    write_npy(files.best_matching_units, placed)
    return placed[:, 1]


def make_pool(ws: Workspace, rows: NDArray[Any], labels: NDArray[Any], settings: RoundSettings) -> Pool:
    """All rows as the selection sees them: what is labelled, queued before, or excluded by the user's wishes.

    ``rows`` are those of :func:`~qnet_tui.workflows.labelled_rows.all_rows`, of which the pool keeps views.
    """
    objects = rows["object_id"]
    excluded = np.zeros(len(rows), dtype=bool)
    if settings.exclude_file:
        excluded |= of_objects(objects, _excluded_objects(ws, Path(settings.exclude_file)))
    where = np.ones(len(rows), dtype=bool)
    if settings.where:
        pages = spectra_store.row_pages(ws, settings.where, columns=("id",))
        admitted = np.concatenate([page["id"] for page in pages])
        where = np.zeros(len(rows), dtype=bool)
        # What was ingested since the rows were read is not among them.
        where[np.searchsorted(rows["id"], admitted[np.isin(admitted, rows["id"])])] = True
    # The place of each row's file among the files by name: the last tie-break but one.
    paths = {f.id: f.path for f in spectra_store.files(ws)}
    place = np.zeros(1 + max(paths, default=0), dtype=np.int32)
    place[sorted(paths, key=lambda i: paths[i])] = np.arange(len(paths))
    return Pool(
        row_id=rows["id"],
        object_key=objects,
        targetid=rows["targetid"],
        target=rows["target"],
        arm_missing=rows["arm_missing"],
        coadd=rows["coadd"],
        expid=rows["expid"],
        file_order=place[rows["file_id"]],
        hdu_row=rows["hdu_row"],
        labelled=of_objects(objects, labels["object_id"]),
        queued=of_objects(objects, np.fromiter(rounds_store.ever_queued(ws), dtype=np.int64)),
        excluded=excluded,
        where=where,
    )


def _excluded_objects(ws: Workspace, table: Path) -> NDArray[np.int64]:
    from qnet_tui.workflows.truth import find_objects

    try:
        words = [line.split(",")[0].strip() for line in table.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read: {error}", file=table, mend="--exclude takes one id per line") from None
    ids = [w for w in words if w and not w.startswith("#")]
    return np.array(sorted({o for o in find_objects(ws, ids).values() if o is not None}), dtype=np.int64)
