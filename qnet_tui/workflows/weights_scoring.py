"""Scoring rows of a workspace with one weights file, block by block, here or in workers.

:mod:`qnet_tui.workflows.weights_answers` says what lies where; here the blocks come into being.
"""

import contextlib
import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.shards as shards
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.regrid import vectors_on
from qnet_tui.workflows.round_files import read_npz, write_npz
from qnet_tui.workflows.round_runner import RoundTask, Runner
from qnet_tui.workflows.run_al_tasks import Done
from qnet_tui.workflows.weights import load_weights
from storage.files import temporary_name
from storage.regrid import read_vectors
from storage.shards import file_crc32
from storage.workspace import Workspace

Block = tuple[Path, NDArray[np.void]]
"""The file of a block, and its rows (structured as :data:`qnet_tui.workflows.labelled_rows.ROWS_DTYPE`)."""


@dataclass
class Scoring:
    """One weights file on its way through the rows of a workspace.

    ``grid`` is the file's, ``own`` the workspace's; where they differ the originals are rebinned. ``lost`` collects the
    rows that cannot be scored, by reason.
    """

    ws: Workspace
    weights_file: Path
    offsets: str
    grid: str
    own: str
    jobs: int = 1
    runner: Runner | None = None
    lost: dict[str, list[NDArray[np.int64]]] = field(default_factory=dict)

    def lost_rows(self) -> NDArray[np.int64]:
        """Ids of the rows that cannot be scored."""
        return np.concatenate([np.empty(0, np.int64), *(ids for some in self.lost.values() for ids in some)])

    def without_originals(self, rows: NDArray[np.void]) -> NDArray[np.void]:
        """The rows whose vectors can be had, as far as the existence of their files tells; the others are lost."""
        if self.grid == self.own:
            return rows
        there = {f: Path(spectra_store.file_of(self.ws, f).path).is_file() for f in np.unique(rows["file_id"]).tolist()}
        gone = np.isin(rows["file_id"], [f for f, is_there in there.items() if not is_there])
        if gone.any():
            self._lose("the original is gone and cannot be rebinned (qnet ingest --relocate OLD NEW)", rows[gone])
        return rows[~gone]

    def score(self, blocks: Sequence[Block], progress: Progress, done: int, total: int) -> None:
        """Score the blocks; ``done`` of ``total`` rows have their answers before.

        Errors: :class:`QnetError` when a worker fails at a block; those of storage when a vector is not there.
        """
        words = f"scoring with {self.weights_file.name}"
        jobs = self.jobs if self.runner is None else self.runner.workers.where.jobs
        progress(words, done, total)
        if jobs > 1 and len(blocks) > 1:
            self._in_workers(blocks, jobs, words, progress, done, total)
            return
        for path, rows in blocks:
            placed = self._placed(rows, progress)
            if len(placed):
                x = shards.gather(self.ws, placed["shard_id"], placed["shard_row"])
                write_block(path, placed["id"].astype(np.int64), x, self.weights_file, self.offsets)
            done += len(rows)
            progress(words, done, total)

    def _in_workers(
        self, blocks: Sequence[Block], jobs: int, words: str, progress: Progress, done: int, total: int
    ) -> None:
        """Workers open no database: where the vectors of each block lie is told them in a file."""
        plans: list[Path] = []
        tasks: list[RoundTask] = []
        try:
            for path, rows in blocks:
                placed = self._placed(rows, progress)
                if not len(placed):
                    continue
                names = {record.id: str(self.ws.shards_dir / record.name) for record in shards.shards(self.ws)}
                used, which = np.unique(placed["shard_id"], return_inverse=True)
                plans.append(temporary_name(path.with_suffix(".plan")))
                write_npz(
                    plans[-1],
                    row_id=placed["id"],
                    which=which,
                    shard_row=placed["shard_row"],
                    shard_files=np.array([names[int(one)] for one in used]),
                )
                what = {"plan": str(plans[-1]), "target": str(path)}
                what |= {"weights": str(self.weights_file), "offsets": self.offsets}
                tasks.append(RoundTask(f"answer {path.parent.name} {path.stem}", score_block, what, (path,)))
            if self.runner is not None:
                self.runner.run_all(tasks, words)
            else:
                _run(tasks, jobs, words, progress, done, total)
        finally:
            for plan in plans:
                with contextlib.suppress(OSError):
                    plan.unlink(missing_ok=True)

    def _placed(self, rows: NDArray[np.void], progress: Progress) -> NDArray[np.void]:
        """The rows of a block with the places of their vectors on the weights' grid; what cannot be had is lost."""
        if self.grid == self.own:
            return rows
        while len(rows):
            try:
                vectors_on(self.ws, self.grid, rows["id"].astype(np.int64), progress)
                break
            except BadInput as error:
                files = {f: spectra_store.file_of(self.ws, f).path for f in np.unique(rows["file_id"]).tolist()}
                bad = np.isin(rows["file_id"], [f for f, path in files.items() if path == str(error.file)])
                if not bad.any():
                    raise
                self._lose(f"the original cannot be rebinned: {error.what}", rows[bad])
                rows = rows[~bad]
        placed = rows.copy()
        if len(rows):
            known = read_vectors(self.ws, self.grid)
            mine = known[np.searchsorted(known["row_id"], rows["id"])]
            placed["shard_id"], placed["shard_row"] = mine["shard_id"], mine["shard_row"]
        return placed

    def _lose(self, why: str, rows: NDArray[np.void]) -> None:
        self.lost.setdefault(why, []).append(rows["id"].astype(np.int64))


def _run(tasks: Sequence[RoundTask], jobs: int, words: str, progress: Progress, done: int, total: int) -> None:
    from qnet_tui.compute.driver import run_tasks
    from qnet_tui.compute.tasks import Outcome
    from qnet_tui.compute.where import Where

    failures: list[str] = []
    ended = 0

    def hear(outcome: Outcome) -> None:
        nonlocal ended
        ended += 1
        if outcome.error is not None:
            failures.append(outcome.error)
        progress(words, done + (total - done) * ended // len(tasks), total)

    run_tasks(tasks, Where(jobs=jobs), hear)
    if failures:
        raise QnetError(f"{len(failures)} of {len(tasks)} blocks were not scored: {failures[0]}")


def score_block(plan: str, target: str, weights: str, offsets: str) -> Done:
    """Task of a worker: score the rows of a plan's block. One that was done before costs nothing."""
    began = time.monotonic()
    path = Path(target)
    if not path.exists():
        where = read_npz(Path(plan))
        x = shards.gather_files([Path(str(p)) for p in where["shard_files"]], where["which"], where["shard_row"])
        write_block(path, where["row_id"].astype(np.int64), x, Path(weights), offsets)
    return Done(target, file_crc32(target), time.monotonic() - began, {})


def write_block(
    path: Path, row_id: NDArray[np.int64], x: NDArray[np.float32], weights_file: Path, offsets: str
) -> None:
    """Let the network answer for the vectors ``x`` (n, n_pixels) and write the block, whole or not at all."""
    from qnet_tui.quasarnet.boxes import decode

    weights, predictor = _network(weights_file, offsets, weights_file.stat().st_mtime_ns)
    lines = decode(predictor.predict(weights, x), weights.grid)
    write_npz(
        path,
        row_id=row_id,
        c_line=lines.c_line.astype(np.float32),
        z_line=lines.z_line.astype(np.float32),
        zbest=lines.zbest,
    )


# One file is read, and its graph traced, once for all blocks.
@functools.lru_cache(maxsize=4)
def _network(weights_file: Path, offsets: str, _written: int) -> tuple[Any, Any]:
    from qnet_tui.quasarnet.inference import Predictor

    weights = load_weights(weights_file, offsets)
    return weights, Predictor(weights.settings)
