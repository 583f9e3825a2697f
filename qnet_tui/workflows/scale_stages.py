"""What one stage of a round costs on a large workspace: each function runs in a process of its own and says so.

The peak of memory is that of the process and so of the stage: interpreter and libraries included, and pages of mapped
files too, although the system may take those back. Plan, scoring and database are the real functions of a round; the
calls of the committee that the selection stage chooses from are made up, because 200 trained networks are not here.
"""

import functools
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.workflows.bench_measure import Measure
from qnet_tui.workflows.ingest import read_file_vectors
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.pool_files import pool_size, pool_vectors, read_pool
from qnet_tui.workflows.presets import RoundSettings, round_settings
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.round_files import RoundFiles, write_npy
from qnet_tui.workflows.scale_workspace import enlarge, label_some, simulate_first
from storage.connection import fetch, transaction
from storage.files import make_directory
from storage.workspace import Workspace

NETWORKS = 200
DISPUTED = 0.03
"""Share of rows whose made-up calls are not nearly unanimous, as in performance.md 3."""

_STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """The most memory that this process ever had resident.

    Of Linux its own figure: ``ru_maxrss`` of a process that was just started still holds that of its parent.
    """
    if _STATUS.exists():
        line = next(one for one in _STATUS.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024


def simulate(*, file_folder: str, rows: int, progress: Progress) -> list[Measure]:
    """Make the file that the workspace is made from; in a process of its own, because that needs memory."""
    progress("simulating", 0, 0)
    simulate_first(Path(file_folder), rows)
    return []


def build(*, root: str, rows: int, file_folder: str, progress: Progress) -> list[Measure]:
    """Enlarge the workspace at ``root`` to ``rows`` rows; made when it is not there."""
    place = Path(root)
    if not place.exists():
        Workspace.create(place).close()
    first = read_file_vectors(str(next(Path(file_folder).rglob("coadd-*"))), "log", "made up")
    began = peak_bytes()
    with Workspace.open(place) as ws:
        progress("writing shards and rows", 0, rows)
        said = enlarge(ws, first, rows)
        if not len(truth_store.current_truth(ws)):
            label_some(ws)
        total = spectra_store.counts(ws)
    commits = np.array(said.commit_seconds or [0.0])
    return _said(
        began, rows=total["rows"], objects=total["objects"], files=total["files"], written_rows=said.rows,
        shard_bytes=said.shard_bytes, shard_seconds=said.shard_seconds, commit_seconds=float(commits.sum()),
        commit_median=float(np.median(commits)), commit_max=float(commits.max()),
        database_bytes=(place / "qnet.db").stat().st_size,
    )  # fmt: skip


def plan(*, root: str, round_number: int, changes: dict[str, Any], progress: Progress) -> list[Measure]:
    """The whole plan of a round, as its driver makes it: rows, truth, map, cells of all rows, filters, pool on disk."""
    from qnet_tui.workflows.round_plan import make_plan

    began = peak_bytes()
    clock: dict[str, tuple[float, float]] = {}

    def tell(stage: str, done: int, total: int) -> None:
        now = time.perf_counter()
        clock[stage] = (clock.get(stage, (now, now))[0], now)
        progress(stage, done, total)

    start, cpu = time.perf_counter(), time.process_time()
    with Workspace.open(root) as ws:
        files = _files(ws, round_number)
        rows = all_rows(ws)
        read = time.perf_counter() - start
        n, size = len(rows), rows.nbytes
        del rows
        start, cpu = time.perf_counter(), time.process_time()
        made = make_plan(ws, files, _settings(changes), round_number, tell)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    trained, placed = clock.get("training the map", (0.0, 0.0)), clock["placing spectra on the map"]
    on_disk = sum(path.stat().st_size for path in files.pool.parent.rglob("*") if path.is_file())
    return _said(
        began, rows=n, seconds=seconds, cpu=cpu, read_seconds=read, rows_bytes=size, pool_rows=made.pool_rows,
        map_training_seconds=trained[1] - trained[0], cells_seconds=placed[1] - trained[1], plan_bytes=on_disk,
    )  # fmt: skip


def stream(
    *, root: str, round_number: int, filters: int, layers: int, networks: int, most: int, precision: str,
    progress: Progress,
) -> list[Measure]:  # fmt: skip
    """What workers do: blocks of the pool through networks (of initial weights), their answers to disk."""
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.network import initial_arrays
    from qnet_tui.quasarnet.precision import choose
    from qnet_tui.quasarnet.settings import NetworkSettings
    from qnet_tui.quasarnet.weights import weights_from_arrays
    from qnet_tui.spectra.grids import grid_named

    grid, settings = grid_named("log"), NetworkSettings(layers=layers, filters=filters)
    chosen = choose(precision)
    predictor = Predictor(settings, chosen)
    committee = [
        weights_from_arrays(settings, grid.wave, initial_arrays(settings, np.random.SeedSequence(i)), rescale=True)
        for i in range(networks)
    ]
    defaults = RoundSettings()
    with Workspace.open(root) as ws:
        files = _files(ws, round_number)
    n = min(pool_size(files), most)
    out = files.root / "scores"
    make_directory(out)
    asked = functools.partial(predictor.answers, grid=grid, c_threshold=defaults.c_threshold, z_split=defaults.z_split)
    # The first batches pay for the trace.
    asked(committee[0], pool_vectors(files, slice(0, min(n, 1152))))
    began, rechecked = peak_bytes(), 0
    start, cpu = time.perf_counter(), time.process_time()
    reading = 0.0
    for first in range(0, n, defaults.block_rows):
        at = time.perf_counter()
        x = pool_vectors(files, slice(first, min(first + defaults.block_rows, n)))
        reading += time.perf_counter() - at
        for member, weights in enumerate(committee):
            said = asked(weights, x)
            rechecked += said.rechecked
            write_npy(out / f"{member}-{first}.npy", np.stack([said.c_qso, said.zbest], axis=1))
        progress("streaming shards", first + len(x), n)
    return _said(
        began, rows=n, seconds=time.perf_counter() - start, cpu=time.process_time() - cpu, reading_seconds=reading,
        rechecked=rechecked, bfloat16=float(chosen == "bfloat16"),
        score_bytes=sum(path.stat().st_size for path in out.iterdir()) / networks,
    )  # fmt: skip


def choose_objects(*, root: str, round_number: int, changes: dict[str, Any], progress: Progress) -> list[Measure]:
    """Selection among all rows of the pool by made-up calls of 200 networks, and its entry into the queue."""
    from qnet_tui.active_learning.entropy import entropy_bits
    from qnet_tui.active_learning.selection import select
    from qnet_tui.active_learning.strategies import RowScores
    from qnet_tui.workflows.round_plan import selection_settings

    settings = _settings(changes)
    with Workspace.open(root) as ws:
        files = _files(ws, round_number)
        pool, on_map = read_pool(files)
        n = len(pool)
        began = peak_bytes()
        rng = np.random.default_rng(1)
        counts, entropy = np.empty((n, 3), dtype=np.int32), np.empty(n)
        progress("making calls up", 0, n)
        for first in range(0, n, settings.block_rows):
            part = slice(first, min(first + settings.block_rows, n))
            shares = np.where(
                rng.random((part.stop - first, 1)) < DISPUTED,
                rng.dirichlet([0.6, 0.4, 0.4], part.stop - first),
                np.array([0.999, 0.0005, 0.0005]),
            )
            counts[part] = rng.multinomial(NETWORKS, shares)
            entropy[part] = entropy_bits(counts[part])
        start, cpu = time.perf_counter(), time.process_time()
        chosen = select(pool, RowScores(entropy, entropy, counts), selection_settings(settings), on_map)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        start = time.perf_counter()
        records = [
            rounds_store.SelectionRecord(**{k: v for k, v in asdict(pick).items() if k != "targetid"})
            for pick in chosen.picks
        ]
        rounds_store.add_selection(ws, round_number, records)
        queued = time.perf_counter() - start
    return _said(
        began, rows=n, seconds=seconds, cpu=cpu, objects=chosen.unique, selected=len(records),
        cut=chosen.entropy_cut or 0.0, queue_seconds=queued,
    )  # fmt: skip


def database(*, root: str, round_number: int, tasks: int, progress: Progress) -> list[Measure]:
    """What people wait for: opening, the list of runs, the export of a selection, files that are known already."""
    from qnet_tui.workflows.export import export
    from qnet_tui.workflows.runs import list_runs

    began, place = peak_bytes(), Path(root)
    progress("asking the database", 0, 0)
    opened = median(_seconds(lambda: Workspace.open(place).close()) for _ in range(5))
    with Workspace.open(place) as ws:
        run = runs_store.new_run(ws, "run-al", RoundSettings().as_dict(), {}, 1, round_number, "qnet bench scale")
        with transaction(ws.db):
            for i in range(tasks):
                kind = "train" if i < NETWORKS else "score"
                runs_store.register_task(ws, run, f"{kind} {i}", kind, "DONE", "", 0, 1.0, {"evaluations": 1.0})
        runs_store.finish(ws, run, "DONE")
        one_task = median(
            _seconds(lambda: runs_store.register_task(ws, run, "score 0", "score", "DONE", "", 0, 1.0, {}))
            for _ in range(5)
        )
        listed = fetch(ws.db, "SELECT path, size, mtime_ns, fingerprint FROM file")
        known = _seconds(lambda: [spectra_store.known_file(ws, *one) for one in listed])
        (objects,) = fetch(ws.db, "SELECT object_id FROM selection LIMIT 1000")[:1] or [(0,)]
        found = _seconds(lambda: spectra_store.read_rows(ws, object_ids=[*range(1, 1001), *objects]))
    target = place.parent / "selection.csv"
    return _said(
        began, bytes=place.joinpath("qnet.db").stat().st_size, open_seconds=opened,
        list_seconds=median(_seconds(lambda: list_runs(place)) for _ in range(3)),
        export_seconds=median(
            _seconds(lambda: export(place, "selection", target, round_number=round_number)) for _ in range(3)
        ),
        known_seconds=known, files=len(listed), task_seconds=one_task, objects_seconds=found,
    )  # fmt: skip


def _said(start_bytes: int, **values: float) -> list[Measure]:
    """The figures of a stage as they leave the process, with its peak and what it had before the work."""
    every = {**values, "peak": peak_bytes(), "start": start_bytes, "pid": os.getpid()}
    return [Measure(name, float(value), None, None, "", False, "") for name, value in every.items()]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _settings(changes: dict[str, Any]) -> RoundSettings:
    return round_settings("paper", **changes)


def _files(ws: Workspace, number: int) -> RoundFiles:
    files = RoundFiles(ws.round_dir(number))
    make_directory(files.pool.parent)
    return files
