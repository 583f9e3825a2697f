"""``qnet ingest``: survey files become vectors in shards and metadata in the database.

Files are read and rebinned, in worker processes when that pays, gathered in the order of their names into shards of
some 20,000 vectors, and committed a few files at a time. A kill between two commits loses the files since the last
shard, nothing else; the next ingest takes them up again because a file without its record does not exist.

Memory does not grow with the survey. A worker holds a few rows of spectra and the vectors of its file (of a gzipped
one also the unpacked flux and ivar); what it has made waits in a file for its turn. The driver holds the vectors of
one shard, twice while it writes them (70 MB), and the rows of its files.
"""

import contextlib
import hashlib
import json
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.settings as campaign
import storage.shards as shards
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.progress import Progress, silent
from storage.connection import transaction
from storage.errors import Refused
from storage.files import temporary_name
from storage.workspace import Workspace

SHARD_ROWS = 20_000
"""Vectors in a shard: 35 MB at 443 pixels (scale.md 3.1)."""

COMMIT_SECONDS = 0.25
"""A transaction takes in files for so long: others wait for it, and a commit costs as much as several files."""

WORKERS_START = 3.0
"""Seconds that worker processes must save to be worth starting."""

# What reading costs a core: seconds a byte of a plain and of a gzipped file, and a file.
_PLAIN, _GZIPPED, _FILE = 1.0e-9, 8.0e-9, 2.0e-3


@dataclass(frozen=True)
class FileVectors:
    """One file as it was read: plain values and arrays."""

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
class _FileToRead:
    """A file that is not in the workspace yet."""

    path: Path
    size: int
    fingerprint: str


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


def read_file_vectors(path: str, grid_name: str, fingerprint: str) -> FileVectors:
    """One survey file as vectors on the named grid.

    Errors: :class:`BadInput` with one line that names the file, :class:`QnetError` when the system refuses it.
    """
    from qnet_tui.spectra.grids import grid_named
    from qnet_tui.spectra.read import read_vectors
    from qnet_tui.spectra.redrock import redrock_sibling

    where = Path(path)
    stat = where.stat()
    file, made = read_vectors(where, grid_named(grid_name))
    sibling = redrock_sibling(where)
    return FileVectors(
        path=path,
        survey=file.survey,
        kind=file.kind,
        program=file.program,
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        fingerprint=fingerprint,
        redrock_path=str(sibling) if sibling else "",
        rows=file.rows,
        x=made.x,
        kept=made.kept,
        dropped=dict(made.dropped),
        notes=tuple(file.notes),
    )


_ARRAYS = ("rows", "x", "kept")


def vectors_to_file(path: str, grid_name: str, fingerprint: str, out: Path) -> None:
    """Task of a worker: :func:`read_file_vectors`, left in the file ``out`` for the driver."""
    made = read_file_vectors(path, grid_name, fingerprint)
    plain = {name: value for name, value in vars(made).items() if name not in _ARRAYS}
    partial = out.with_name(f"{out.name}.part")
    with partial.open("wb") as stream:
        np.save(stream, np.frombuffer(json.dumps(plain).encode(), dtype=np.uint8))
        for name in _ARRAYS:
            np.save(stream, getattr(made, name), allow_pickle=False)
    partial.replace(out)


def vectors_from_file(out: Path) -> FileVectors:
    """What :func:`vectors_to_file` left; the file is removed."""
    with out.open("rb") as stream:
        plain = json.loads(np.load(stream).tobytes())
        arrays = {name: np.load(stream, allow_pickle=False) for name in _ARRAYS}
    out.unlink()
    plain["dropped"] = {int(position): reason for position, reason in plain["dropped"].items()}
    plain["notes"] = tuple(plain["notes"])
    return FileVectors(**plain, **arrays)


def ingest(
    root: Path,
    paths: Sequence[str],
    *,
    grid: str | None = None,
    jobs: int = 1,
    progress: Progress = silent,
) -> IngestResult:
    """Ingest every spectra file among ``paths`` (files, folders, globs, ``@LIST``) into the workspace at ``root``.

    ``grid`` ("log" or "linear") can be chosen at the first ingest only: vectors of two grids never mix. Progress
    counts rows; how many there will be is estimated from the sizes of the files.
    Errors: :class:`BadInput` when a path does not exist or the grid differs; unreadable files are listed in the
    result and the others are done.
    """
    from qnet_tui.spectra.discovery import find_files

    began = time.monotonic()
    with Workspace.open(root) as ws:
        result = IngestResult(grid=_grid_of(ws, grid))

        def looked_at(n: int) -> None:
            if time.monotonic() - began > 2:
                progress("looking at files", n, 0)

        found = find_files(paths, looked_at)
        result.left = [Named(str(path), why) for path, why in found.left]
        todo = _not_yet_known(ws, found.spectra, result)
        intake = _Intake(ws, result, sum(file.size for file in todo), progress)
        try:
            if _workers_pay(todo, jobs):
                _read_in_workers(ws, todo, result, jobs, intake)
            else:
                _read_here(todo, result, intake)
        except (KeyboardInterrupt, SystemExit):
            intake.store()
            raise
        intake.store()
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


def _not_yet_known(ws: Workspace, files: Sequence[Path], result: IngestResult) -> list[_FileToRead]:
    todo = []
    for path in files:
        try:
            stat = path.stat()
            known = spectra_store.known_file(ws, str(path), stat.st_size, stat.st_mtime_ns)
            if known is None:
                fingerprint = fingerprint_of(path)
                known = spectra_store.known_file(ws, str(path), stat.st_size, stat.st_mtime_ns, fingerprint)
        except OSError as error:
            result.failed.append(Named(str(path), f"cannot be read: {error.strerror}"))
            continue
        if known:
            result.already += 1
        else:
            todo.append(_FileToRead(path, stat.st_size, fingerprint))
    return todo


def _workers_pay(files: Sequence[_FileToRead], jobs: int) -> bool:
    """Whether ``jobs`` processes save more time than it takes to start them."""
    seconds = sum(_FILE + file.size * (_GZIPPED if file.path.suffix == ".gz" else _PLAIN) for file in files)
    return jobs > 1 and len(files) > 1 and seconds * (1 - 1 / jobs) >= WORKERS_START


def _read_here(files: Sequence[_FileToRead], result: IngestResult, intake: "_Intake") -> None:
    for file in files:
        try:
            made = read_file_vectors(str(file.path), result.grid, file.fingerprint)
        except QnetError as error:
            intake.failed(file, str(error))
        except OSError as error:
            intake.failed(file, f"cannot be read: {error.strerror}")
        else:
            intake.take(file, made)


def _read_in_workers(
    ws: Workspace, files: Sequence[_FileToRead], result: IngestResult, jobs: int, intake: "_Intake"
) -> None:
    """Read in worker processes, and take in what they made in the order of ``files``."""
    from qnet_tui.compute.driver import run_tasks
    from qnet_tui.compute.tasks import Outcome, Task
    from qnet_tui.compute.where import Where

    def tasks() -> Iterator[Task]:
        for file, out in zip(files, outs, strict=True):
            what = {"path": str(file.path), "grid_name": result.grid, "fingerprint": file.fingerprint, "out": out}
            yield Task(str(file.path), vectors_to_file, what)

    def hear(outcome: Outcome) -> None:
        ended[outcome.name] = outcome
        while len(files) > intake.n_files and (next_one := ended.pop(str(files[intake.n_files].path), None)):
            file, out = files[intake.n_files], outs[intake.n_files]
            if next_one.error is not None:
                intake.failed(file, next_one.error)
            else:
                intake.take(file, vectors_from_file(out))

    # Temporary files by their names, so that a sweep finds them should this process be killed.
    outs = [temporary_name(ws.shards_dir / "ingest") for _ in files]
    ended: dict[str, Outcome] = {}
    try:
        run_tasks(tasks(), Where(jobs=jobs), hear)
    finally:
        for out in outs[intake.n_files :]:
            with contextlib.suppress(OSError):
                out.unlink(missing_ok=True)


class _Intake:
    """The files that have been read, in the order of their names, on their way to shards and database."""

    def __init__(self, ws: Workspace, result: IngestResult, n_bytes: int, progress: Progress) -> None:
        self._ws, self._result, self._progress = ws, result, progress
        self._gathered: list[FileVectors] = []
        self._n_rows = self._bytes_done = 0
        self._bytes = n_bytes
        self.n_files = 0
        """How many files were taken in or failed."""

    def take(self, source: _FileToRead, file: FileVectors) -> None:
        """Take in the next file, and store what was gathered when that is a shard."""
        self._gathered.append(file)
        self._n_rows += len(file.rows)
        self._advance(source)
        if sum(len(f.x) for f in self._gathered) >= SHARD_ROWS:
            self.store()

    def failed(self, source: _FileToRead, why: str) -> None:
        """The next file could not be read."""
        self._result.failed.append(Named(str(source.path), why))
        self._advance(source)

    def store(self) -> None:
        """One shard for the vectors gathered, then the files in transactions of some files each."""
        files, self._gathered = self._gathered, []
        if files:
            _store(self._ws, files, self._result)

    def _advance(self, source: _FileToRead) -> None:
        self.n_files += 1
        self._bytes_done += source.size
        rows = round(self._n_rows * (self._bytes / self._bytes_done)) if self._bytes_done else self._n_rows
        self._progress("reading spectra", self._n_rows, rows)


def _store(ws: Workspace, files: Sequence[FileVectors], result: IngestResult) -> None:
    total = sum(len(f.x) for f in files)
    shard_id = shards.write_shard(ws, np.concatenate([f.x for f in files]), result.grid) if total else None
    firsts = np.cumsum([0, *(len(f.x) for f in files)]).tolist()
    waiting = deque(zip(files, firsts, strict=False))
    while waiting:
        # A commit waits for the disk three times, so several files share one.
        with transaction(ws.db):
            began = time.monotonic()
            while waiting and time.monotonic() - began < COMMIT_SECONDS:
                _store_file(ws, *waiting.popleft(), shard_id, result)


def _store_file(ws: Workspace, file: FileVectors, first: int, shard_id: int | None, result: IngestResult) -> None:
    """Enter a file whose vectors begin at row ``first`` of the shard."""
    shard_rows = np.full(len(file.rows), -1, dtype=np.int64)
    shard_rows[file.kept] = np.arange(first, first + len(file.kept))
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
    try:
        result.rows_added += spectra_store.add_file(ws, record, file.rows, shard_id, shard_rows, file.dropped)
    except Refused as error:
        result.failed.append(Named(file.path, str(error)))
        return
    result.files += 1
    result.rows_read += len(file.rows)
    result.notes.extend(Named(file.path, note) for note in file.notes)
    dropped = Counter(result.rows_dropped) + Counter(file.dropped.values())
    result.rows_dropped = dict(sorted(dropped.items()))
