"""What a worker does for a study: one map, or one committee from its picks to its answers.

A task reads the plan and what the committee before it said, and writes one whole file. All that is drawn comes from
(seed, replica, arm, labels spent, member), so a study that was killed and resumed has the same bytes. A committee's
file holds ``picked`` i8 (spent,) the pool's objects in the order in which they were asked about, ``c_test`` and
``z_test`` f4 (networks, n_test) confidence and redshift of each member for the test objects and, where another round
follows, ``c_pool`` and ``z_pool`` f4 (networks, n_pool).
"""

import functools
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.replay import highest_scores, random_order, start_set
from qnet_tui.active_learning.strategies import StrategySettings, strategy_named
from qnet_tui.workflows.round_files import read_npz, write_npz
from qnet_tui.workflows.run_al_tasks import Done, trainer_of
from qnet_tui.workflows.study_plan import StudyPool, read_study_pool
from qnet_tui.workflows.study_settings import (
    RANDOM,
    START,
    Arm,
    StudyFiles,
    StudySettings,
    recorded_study,
    seed_of,
)
from storage.shards import file_crc32


def start_of(pool: StudyPool, settings: StudySettings, replica: int) -> NDArray[np.int64]:
    """The secure labels that a replica starts with, ascending positions in the pool."""
    seed = seed_of(settings, replica, START, 0, -1)
    return start_set(pool.snr, pool.readable, settings.start, settings.start_bias, seed)


def make_cells(run_dir: str, replica: int, settings: dict[str, Any]) -> Done:
    """Train the map of a replica on its start, place the pool on it and reject cells, as a round does."""
    from qnet_tui.active_learning.best_matching_units import best_matching_units
    from qnet_tui.active_learning.outlier_map import (
        cell_counts,
        default_settings,
        map_side,
        rejected_cells,
        train_map,
    )

    began = time.monotonic()
    files, chosen = StudyFiles(Path(run_dir)), recorded_study(settings)
    target = files.cells(replica)
    if target.exists():
        return Done(str(target), file_crc32(target), 0.0, {})
    pool = read_study_pool(files)
    x = np.asarray(pool.x[start_of(pool, chosen, replica)])
    seed = int(seed_of(chosen, replica, "map", 0, -1).generate_state(1)[0])
    side = map_side(len(pool))
    trained = train_map(x, default_settings(len(x), side=side, seed=seed))
    bmu = best_matching_units(pool.x, trained.weights)
    cut = rejected_cells(cell_counts(bmu, side), chosen.percentile)
    write_npz(target, bmu=bmu, rejected=cut.mask)
    detail = {"rejected": float(cut.mask[bmu].sum()), "side": float(side)}
    return Done(str(target), file_crc32(target), time.monotonic() - began, detail)


def make_committee(
    run_dir: str,
    replica: int,
    strategy: str,
    with_map: bool,
    spent: int,
    settings: dict[str, Any],
    grid: str,
    precision: str,
) -> Done:
    """Ask for labels, train the committee on all there are then, and let it answer.

    ``strategy`` is :data:`START` (nothing is asked), :data:`RANDOM` without the map (the first ``spent`` of the
    replica's random order) or that of an arm, which goes on from the committee of the round before.
    """
    began = time.monotonic()
    files, chosen = StudyFiles(Path(run_dir)), recorded_study(settings)
    arm = Arm(strategy, with_map)
    target = files.committee(replica, arm.name, spent)
    if target.exists():
        return Done(str(target), file_crc32(target), 0.0, {})
    pool = read_study_pool(files)
    start = start_of(pool, chosen, replica)
    picked = _asked(files, pool, start, chosen, replica, arm, spent)
    labelled = np.concatenate([start, picked[pool.readable[picked]]])
    test = np.load(files.test, mmap_mode="r")
    goes_on = strategy != RANDOM and spent < chosen.ask * chosen.rounds
    out: dict[str, list[Any]] = {name: [] for name in ("c_test", "z_test", *(("c_pool", "z_pool") * goes_on))}
    x = np.asarray(pool.x[labelled])
    training = 0.0
    for member in range(chosen.networks):
        at = time.monotonic()
        weights = _trained(x, pool, labelled, chosen, replica, arm, spent, member, grid, precision)
        training += time.monotonic() - at
        for which, vectors in (("test", test), *((("pool", pool.x),) if goes_on else ())):
            c, z = _answers(weights, vectors, chosen, grid)
            out[f"c_{which}"].append(c)
            out[f"z_{which}"].append(z)
    write_npz(target, picked=picked, **{name: np.stack(values) for name, values in out.items()})
    took = time.monotonic() - began
    epochs, steps = chosen.epochs()
    rows = len(test) + len(pool) * goes_on
    detail = {
        "samples": float(chosen.networks * epochs * steps * chosen.batch),
        "evaluations": float(chosen.networks * rows),
        "train_seconds": training,
    }
    return Done(str(target), file_crc32(target), took, detail)


def _asked(
    files: StudyFiles,
    pool: StudyPool,
    start: NDArray[np.int64],
    settings: StudySettings,
    replica: int,
    arm: Arm,
    spent: int,
) -> NDArray[np.int64]:
    """All objects that the arm has asked about when it has spent so many labels, in their order."""
    if arm.strategy == START:
        return np.empty(0, dtype=np.int64)
    allowed = np.ones(len(pool), dtype=bool)
    allowed[start] = False
    if arm == Arm(RANDOM, False):
        return random_order(allowed, seed_of(settings, replica, RANDOM, 0, -1))[:spent]
    first = spent == settings.ask
    before = read_npz(files.committee(replica, START if first else arm.name, spent - settings.ask))
    allowed[before["picked"]] = False
    if arm.map:
        cells = read_npz(files.cells(replica))
        allowed &= ~cells["rejected"][cells["bmu"]]
    seed = seed_of(settings, replica, arm.name, spent, -1)
    if arm.strategy == RANDOM:
        score = np.zeros(len(pool))  # All are equal, and the draw among equals decides.
    else:
        rule = StrategySettings(c_threshold=settings.c_threshold, z_split=settings.z_split)
        score = strategy_named(arm.strategy).score(before["c_pool"].T, before["z_pool"].T, rule, pool.object_id)
    return np.concatenate([before["picked"], highest_scores(score, allowed, settings.ask, seed)])


def _trained(
    x: NDArray[np.float32],
    pool: StudyPool,
    labelled: NDArray[np.int64],
    settings: StudySettings,
    replica: int,
    arm: Arm,
    spent: int,
    member: int,
    grid: str,
    precision: str,
) -> Any:
    """One member, trained on its bootstrap of the labels: in equally many steps whatever their number."""
    from qnet_tui.active_learning.bootstrap import bootstrap_indices
    from qnet_tui.quasarnet.boxes import encode
    from qnet_tui.spectra.grids import grid_named

    draw, fill, network = seed_of(settings, replica, arm.name, spent, member).spawn(3)
    epochs, steps = settings.epochs()
    rows = filled(bootstrap_indices(len(labelled), draw), steps * settings.batch, fill)
    at = labelled[rows]
    targets = encode(pool.z[at], pool.is_qso[at], pool.bal[at], grid_named(grid))
    trainer = trainer_of(
        settings.layers, settings.filters, settings.dropout, x.shape[1], epochs, settings.learning_rate, settings.batch,
        "graph", precision, grid,
    )  # fmt: skip
    return trainer.train(x[rows], targets, int(network.generate_state(1)[0] >> 1)).weights


def filled(drawn: NDArray[np.int64], size: int, seed: np.random.SeedSequence) -> NDArray[np.int64]:
    """The draw (n,) over and over until ``size`` rows: each of it equally often, or once more by a draw."""
    whole, rest = divmod(size, len(drawn))
    return np.concatenate([np.tile(drawn, whole), np.random.default_rng(seed).permutation(drawn)[:rest]])


def _answers(
    weights: Any, x: NDArray[np.float32], settings: StudySettings, grid: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    from qnet_tui.spectra.grids import grid_named

    # Strategies and curves read the confidences themselves: float32, as in a round.
    said = _predictor(settings.layers, settings.filters, x.shape[1]).answers(
        weights, x, grid_named(grid), c_threshold=settings.c_threshold, z_split=settings.z_split
    )
    return said.c_qso, said.zbest


@functools.lru_cache(maxsize=2)
def _predictor(layers: int, filters: int, n_pixels: int) -> Any:
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.settings import NetworkSettings

    return Predictor(NetworkSettings(layers=layers, filters=filters, n_pixels=n_pixels), "float32")
