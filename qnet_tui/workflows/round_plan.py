"""The first stages of a round: what the committee trains on, the map, and which rows it is asked about.

Map and filters run over all rows before the committee does (architecture.md, order of a round). The plan is written
once, as files, so that a resumed round trains and scores exactly what the killed one did, whatever was labelled or
ingested meanwhile.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.rounds as rounds_store
import storage.shards as shards
import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.active_learning.map_file import load_map, save_map
from qnet_tui.active_learning.outlier_map import (
    best_matching_units,
    cell_counts,
    default_settings,
    draw_training_sample,
    map_side,
    rejected_cells,
    train_map,
)
from qnet_tui.active_learning.pool import Pool, countable
from qnet_tui.active_learning.selection import MapColumns, SelectionSettings, eligible
from qnet_tui.active_learning.strategies import StrategySettings
from qnet_tui.errors import BadInput
from qnet_tui.workflows.labelled_rows import LabelledRows, all_rows, labelled_rows, validation_rows
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.round_files import RoundFiles, read_npz, write_npy, write_npz
from storage.workspace import Workspace

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
    write_pool(ws, files, rows[scored], pool, scored, cells[scored], counts, cut.mask)
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
        len(x), side=settings.map_side or map_side(len(rows)), seed=seed, torus=settings.map_torus
    )
    trained = train_map(x, chosen, on_progress=lambda done, total: progress("training the map", done, total))
    save_map(files.map, trained)
    return {
        "side": chosen.side,
        "trained_on": sample.source,
        "sample": len(x),
        "sigma": chosen.sigma,
        "learning_rate": chosen.learning_rate,
        "iterations": chosen.iterations,
        "torus": chosen.torus,
        "quantization_error": trained.quantization_error,
        "topographic_error": trained.torus_topographic_error,
    }


def _cells_of_all(
    ws: Workspace, files: RoundFiles, rows: NDArray[Any], progress: Progress, block: int = 50_000
) -> NDArray[np.int64]:
    weights = load_map(files.map).weights
    cells = np.empty(len(rows), dtype=np.int64)
    for first in range(0, len(rows), block):
        part = slice(first, first + block)
        x = shards.gather(ws, rows["shard_id"][part], rows["shard_row"][part])
        cells[part] = best_matching_units(x, weights)
        progress("placing spectra on the map", min(first + block, len(rows)), len(rows))
    write_npy(files.best_matching_units, np.stack([rows["id"].astype(np.int64), cells], axis=1))
    return cells


def make_pool(ws: Workspace, rows: NDArray[Any], labels: NDArray[Any], settings: RoundSettings) -> Pool:
    """All rows as the selection sees them: what is labelled, queued before, or excluded by the user's wishes."""
    labelled = np.isin(rows["object_id"], labels["object_id"])
    queued = np.isin(rows["object_id"], np.fromiter(rounds_store.ever_queued(ws), dtype=np.int64))
    excluded = np.zeros(len(rows), dtype=bool)
    if settings.exclude_file:
        excluded |= np.isin(rows["object_id"], _excluded_objects(ws, Path(settings.exclude_file)))
    where = np.ones(len(rows), dtype=bool)
    if settings.where:
        where = np.isin(rows["id"], all_rows(ws, settings.where)["id"])
    # The place of each row's file among the files by name: the last tie-break but one.
    paths = {f.id: f.path for f in spectra_store.files(ws)}
    place = {file_id: i for i, file_id in enumerate(sorted(paths, key=lambda i: paths[i]))}
    used, index = np.unique(rows["file_id"], return_inverse=True)
    return Pool(
        row_id=rows["id"].astype(np.int64),
        object_key=rows["object_id"].astype(np.int64),
        targetid=rows["targetid"].astype(np.int64),
        objtype=rows["objtype"],
        arms_missing=rows["arms_missing"],
        kind=rows["kind"],
        expid=rows["expid"].astype(np.int64),
        file_order=np.array([place[int(i)] for i in used], dtype=np.int64)[index],
        hdu_row=rows["hdu_row"].astype(np.int64),
        labelled=labelled,
        queued=queued,
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


def write_pool(
    ws: Workspace,
    files: RoundFiles,
    rows: NDArray[Any],
    pool: Pool,
    scored: NDArray[np.bool_],
    cells: NDArray[np.int64],
    counts: NDArray[np.int64],
    rejected: NDArray[np.bool_],
) -> None:
    """Write the rows that the committee scores: where their vectors lie, and all that the selection asks of them."""
    paths = {record.id: ws.shards_dir / record.name for record in shards.shards(ws)}
    used, index = np.unique(rows["shard_id"], return_inverse=True)
    write_npz(
        files.pool,
        shard_files=np.array([str(paths[int(s)]) for s in used]),
        shard_index=index.astype(np.int64),
        shard_row=rows["shard_row"].astype(np.int64),
        bmu=cells,
        cell_counts=counts,
        cell_rejected=rejected,
        **{f"pool_{field.name}": getattr(pool, field.name)[scored] for field in fields(pool)},
    )


def read_pool(files: RoundFiles) -> tuple[Pool, MapColumns]:
    """The pool of a written plan and what the map says of it."""
    arrays = read_npz(files.pool)
    pool = Pool(**{field.name: arrays[f"pool_{field.name}"] for field in fields(Pool)})
    return pool, MapColumns(arrays["bmu"], arrays["cell_counts"], arrays["cell_rejected"])
