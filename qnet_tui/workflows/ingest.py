"""``qnet ingest``: survey files become vectors in shards and metadata in the database.

Files are read and rebinned (in worker processes when there are many), gathered in the order of their names into
shards of some 20,000 vectors, and committed file by file. A kill between two commits loses the files since the last
shard, nothing else; the next ingest takes them up again because a file without its record does not exist.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.settings as campaign
import storage.shards as shards
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.progress import Progress, silent
from storage.workspace import Workspace

SHARD_ROWS = 20_000
"""Vectors in a shard: 35 MB at 443 pixels (scale.md 3.1)."""

FILES_WORTH_WORKERS = 8
"""Below this many files starting worker processes costs more than they save."""


@dataclass(frozen=True)
class FileVectors:
    """One file as a worker returns it: plain values and arrays that travel between processes."""

    path: str
    survey: str
    kind: str
    program: str
    size: int
    mtime_ns: int
    fingerprint: str
    redrock_path: str
    rows: NDArray[Any]
    x: NDArray[np.float32]
    kept: NDArray[np.int64]
    dropped: dict[int, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Named:
    """A file and what is said of it."""

    path: str
    reason: str


@dataclass
class IngestResult:
    """What ``qnet ingest`` says. ``failed`` files could not be read; ``left`` ones are no spectra."""

    files: int = 0
    rows_read: int = 0
    rows_added: int = 0
    rows_dropped: dict[str, int] = field(default_factory=dict)
    already: int = 0
    left: list[Named] = field(default_factory=list)
    failed: list[Named] = field(default_factory=list)
    notes: list[Named] = field(default_factory=list)
    grid: str = ""
    seconds: float = 0.0


def fingerprint_of(path: Path) -> str:
    """Hash of a file's size and of its first and last 64 KiB: the same file under another path is known again."""
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as stream:
        digest.update(stream.read(65536))
        stream.seek(max(0, size - 65536))
        digest.update(stream.read(65536))
    return digest.hexdigest()


def read_file_vectors(path: str, grid_name: str) -> FileVectors:
    """Task of a worker: one survey file as vectors on the named grid.

    Errors: :class:`BadInput` with one line that names the file.
    """
    from qnet_tui.spectra.grids import grid_named
    from qnet_tui.spectra.read import read_spectra
    from qnet_tui.spectra.redrock import redrock_sibling
    from qnet_tui.spectra.vectors import make_vectors

    where = Path(path)
    stat = where.stat()
    file = read_spectra(where, masks=False)
    made = make_vectors(file, grid_named(grid_name))
    sibling = redrock_sibling(where)
    return FileVectors(
        path=path,
        survey=file.survey,
        kind=file.kind,
        program=file.program,
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        fingerprint=fingerprint_of(where),
        redrock_path=str(sibling) if sibling else "",
        rows=file.rows,
        x=made.x,
        kept=made.kept,
        dropped=dict(made.dropped),
        notes=tuple(file.notes),
    )


def ingest(
    root: Path,
    paths: Sequence[str],
    *,
    grid: str | None = None,
    jobs: int = 1,
    progress: Progress = silent,
) -> IngestResult:
    """Ingest every spectra file among ``paths`` (files, folders, globs, ``@LIST``) into the workspace at ``root``.

    ``grid`` ("log" or "linear") can be chosen at the first ingest only: vectors of two grids never mix.
    Errors: :class:`BadInput` when a path does not exist or the grid differs; unreadable files are listed in the
    result and the others are done.
    """
    from qnet_tui.spectra.discovery import find_files

    began = time.monotonic()
    with Workspace.open(root) as ws:
        result = IngestResult(grid=_grid_of(ws, grid))
        found = find_files(paths)
        result.left = [Named(str(path), why) for path, why in found.left]
        todo = _not_yet_known(ws, found.spectra, result)
        gathered: list[FileVectors] = []
        for done, file in enumerate(_read_all(todo, result, jobs), start=1):
            if file is not None:
                gathered.append(file)
            if sum(len(f.x) for f in gathered) >= SHARD_ROWS:
                _store(ws, gathered, result)
                gathered = []
            progress("reading spectra", done, len(todo))
        _store(ws, gathered, result)
    result.seconds = time.monotonic() - began
    return result


def relocate(root: Path, old: str, new: str) -> int:
    """Tell the workspace that originals moved from folder ``old`` to folder ``new``; return how many files."""
    with Workspace.open(root) as ws:
        return spectra_store.relocate(ws, old, new)


def _grid_of(ws: Workspace, asked: str | None) -> str:
    fixed = campaign.get_setting(ws, "grid", None)
    if fixed is None:
        if asked not in {None, "log", "linear"}:
            raise BadInput(f"no grid is called {asked!r}", mend="choose log or linear")
        campaign.set_setting(ws, "grid", asked or "log", by="ingest")
        return asked or "log"
    if asked is not None and asked != fixed:
        raise BadInput(
            f"this workspace is on the {fixed} grid since its first ingest",
            mend=f"leave out --grid, or make another workspace for the {asked} grid",
        )
    return str(fixed)


def _not_yet_known(ws: Workspace, files: Sequence[Path], result: IngestResult) -> list[Path]:
    todo = []
    for path in files:
        try:
            stat = path.stat()
            known = spectra_store.known_file(ws, str(path), stat.st_size, stat.st_mtime_ns, fingerprint_of(path))
        except OSError as error:
            result.failed.append(Named(str(path), f"cannot be read: {error.strerror}"))
            continue
        if known:
            result.already += 1
        else:
            todo.append(path)
    return todo


def _read_all(files: Sequence[Path], result: IngestResult, jobs: int) -> Iterator[FileVectors | None]:
    """Yield each file's vectors in the order of ``files`` (None for one that failed, which is listed)."""
    grid = result.grid
    if jobs <= 1 or len(files) < FILES_WORTH_WORKERS:
        for path in files:
            try:
                yield read_file_vectors(str(path), grid)
            except BadInput as error:
                result.failed.append(Named(str(path), str(error)))
                yield None
        return
    from qnet_tui.compute.driver import run_tasks
    from qnet_tui.compute.tasks import Outcome, Task
    from qnet_tui.compute.where import Where

    # Groups of files keep what waits for its turn in memory bounded, whatever the order in which workers finish.
    group_size = 16 * jobs
    for first in range(0, len(files), group_size):
        group = files[first : first + group_size]
        outcomes: dict[str, Outcome] = {}
        run_tasks(
            [Task(str(p), read_file_vectors, {"path": str(p), "grid_name": grid}) for p in group],
            Where(jobs=jobs),
            lambda outcome, seen=outcomes: seen.__setitem__(outcome.name, outcome),  # type: ignore[misc]
        )
        for path in group:
            outcome = outcomes.get(str(path))
            if outcome is None or outcome.error is not None:
                why = outcome.error if outcome is not None else "its worker was lost"
                result.failed.append(Named(str(path), str(why)))
                yield None
            else:
                yield outcome.value


def _store(ws: Workspace, files: Sequence[FileVectors], result: IngestResult) -> None:
    """One shard for the vectors of ``files``, then one transaction per file."""
    if not files:
        return
    total = sum(len(f.x) for f in files)
    shard_id = shards.write_shard(ws, np.concatenate([f.x for f in files]), result.grid) if total else None
    dropped: Counter[str] = Counter(result.rows_dropped)
    first = 0
    for file in files:
        shard_rows = np.full(len(file.rows), -1, dtype=np.int64)
        shard_rows[file.kept] = np.arange(first, first + len(file.kept))
        first += len(file.kept)
        record = spectra_store.FileRecord(
            path=file.path,
            survey=file.survey,
            kind=file.kind,
            program=file.program,
            size=file.size,
            mtime_ns=file.mtime_ns,
            n_rows=len(file.rows),
            fingerprint=file.fingerprint,
            redrock_path=file.redrock_path,
        )
        result.rows_added += spectra_store.add_file(ws, record, file.rows, shard_id, shard_rows, file.dropped)
        result.files += 1
        result.rows_read += len(file.rows)
        result.notes.extend(Named(file.path, note) for note in file.notes)
        dropped.update(file.dropped.values())
    result.rows_dropped = dict(sorted(dropped.items()))
