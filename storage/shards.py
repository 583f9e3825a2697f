"""Immutable ``.npy`` blocks of vectors: written once, registered after fsync and rename, mapped for reading.

A file without a row in table ``shard`` does not exist; a registered one is never changed. So a crash at any
moment leaves either the shard or nothing, and readers need no lock.
"""

import io
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.connection import fetch, transaction
from storage.errors import DamagedWorkspace, Refused
from storage.files import one_line_errors, write_durably
from storage.times import utc_now
from storage.workspace import Workspace

_BLOCK = 1 << 22


@dataclass(frozen=True)
class ShardRecord:
    """One registered block: (n_rows, n_pixels) float32 on the grid ``grid``; crc32 of the whole file."""

    id: int
    name: str
    grid: str
    n_rows: int
    n_pixels: int
    crc32: int


@dataclass(frozen=True)
class BadShard:
    """A registered block whose file is not what was written, and in which way."""

    id: int
    name: str
    reason: str


def write_array(path: str | Path, array: NDArray[Any]) -> int:
    """Write an array as ``.npy`` (format 1.0, C order) so that a crash leaves all of it or nothing.

    Returns:
        The CRC-32 of the file's bytes.

    Raises:
        DiskFull, ReadOnlyWorkspace, StorageError: nothing is left behind.

    """
    array = np.ascontiguousarray(array)
    if array.dtype.hasobject:
        raise Refused(f"arrays of type {array.dtype} cannot be stored", file=path)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    body = array.data.cast("B") if array.size else memoryview(b"")
    write_durably(Path(path), head.getvalue(), body)
    return zlib.crc32(body, zlib.crc32(head.getvalue()))


def file_crc32(path: str | Path) -> int:
    """Return the CRC-32 of a file's bytes."""
    crc = 0
    with one_line_errors(Path(path)), Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc


def write_shard(ws: Workspace, x: NDArray[np.float32], grid: str) -> int:
    """Write and register a block of vectors; return its shard id.

    Args:
        ws: the workspace.
        x: (n, n_pixels) float32, renormalised fluxes.
        grid: the name of the wavelength grid they are on.

    Raises:
        Refused: not two-dimensional float32, or empty.
        StorageError: not written; then nothing is registered.

    """
    if x.ndim != 2 or x.dtype != np.float32 or 0 in x.shape:
        raise Refused(f"a shard is a filled (n, pixels) array of float32, not {x.dtype} of shape {x.shape}")
    name = f"{grid}-{secrets.token_hex(8)}.npy"
    crc = write_array(ws.shards_dir / name, x)
    with transaction(ws.db) as connection:
        cursor = connection.execute(
            "INSERT INTO shard (name, grid, n_rows, n_pixels, crc32, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (name, grid, x.shape[0], x.shape[1], crc, utc_now()),
        )
        return int(cursor.lastrowid or 0)


def shards(ws: Workspace, grid: str | None = None) -> list[ShardRecord]:
    """Return the registered blocks (of one grid), by id."""
    rows = fetch(
        ws.db,
        "SELECT id, name, grid, n_rows, n_pixels, crc32 FROM shard WHERE ?1 IS NULL OR grid = ?1 ORDER BY id",
        (grid,),
    )
    return [ShardRecord(*row) for row in rows]


def open_shard(ws: Workspace, shard_id: int) -> NDArray[np.float32]:
    """Map a block for reading: (n_rows, n_pixels) float32, read-only.

    Raises:
        Refused: no such shard is registered.
        DamagedWorkspace: the file is missing, has another size or another shape than was registered.

    """
    rows = fetch(ws.db, "SELECT id, name, grid, n_rows, n_pixels, crc32 FROM shard WHERE id = ?", (int(shard_id),))
    if not rows:
        raise Refused(f"there is no shard {shard_id}", file=ws.root)
    return _mapped(ws, ShardRecord(*rows[0]))


def gather(ws: Workspace, shard_ids: ArrayLike, shard_rows: ArrayLike) -> NDArray[np.float32]:
    """Read vectors from wherever they lie, in the order asked for.

    Args:
        ws: the workspace.
        shard_ids: (n,) int64, shard of each vector.
        shard_rows: (n,) int64, its row there.

    Returns:
        (n, n_pixels) float32, in memory; (0, 0) when nothing was asked for. Each shard is opened once and
        read from its first to its last wanted row.

    Raises:
        Refused: unknown shard, a row outside it, or shards with different numbers of pixels.
        DamagedWorkspace: see :func:`open_shard`.

    """
    ids = np.asarray(shard_ids, dtype=np.int64)
    rows = np.asarray(shard_rows, dtype=np.int64)
    if ids.shape != rows.shape or ids.ndim != 1:
        raise Refused(f"{ids.shape} shards for {rows.shape} rows")
    known = {record.id: record for record in shards(ws)}
    wanted = np.unique(ids)
    for shard_id in wanted.tolist():
        if shard_id not in known:
            raise Refused(f"there is no shard {shard_id}", file=ws.root)
    if not ids.size:
        return np.empty((0, 0), dtype=np.float32)
    widths = {known[shard_id].n_pixels for shard_id in wanted.tolist()}
    if len(widths) > 1:
        raise Refused(f"vectors of different grids cannot be read together ({sorted(widths)} pixels)")
    out = np.empty((ids.size, widths.pop()), dtype=np.float32)
    order = np.lexsort((rows, ids))
    starts = np.searchsorted(ids[order], wanted)
    for shard_id, places in zip(wanted.tolist(), np.split(order, starts[1:]), strict=True):
        here = rows[places]
        record = known[shard_id]
        if here[0] < 0 or here[-1] >= record.n_rows:
            raise Refused(f"shard {shard_id} has {record.n_rows} rows, not one numbered {here[-1]}")
        mapped = _mapped(ws, record)
        # A run of rows is copied once; numpy would copy a list of them twice.
        is_run = here[-1] - here[0] + 1 == here.size and bool((np.diff(here) == 1).all())
        out[places] = mapped[here[0] : here[-1] + 1] if is_run else mapped[here]
    return out


def gather_files(paths: Sequence[Path], which: ArrayLike, shard_rows: ArrayLike) -> NDArray[np.float32]:
    """Read vectors from shard files given by path, for a worker that opens no database.

    Args:
        paths: shard files.
        which: (n,) int64, position in ``paths`` of each vector's file.
        shard_rows: (n,) int64, its row there.

    Returns:
        (n, n_pixels) float32 in the order asked for; (0, 0) when nothing was asked for.

    Raises:
        DamagedWorkspace: a file is missing, cut off, or has fewer rows.
        Refused: files with different numbers of pixels.

    """
    index = np.asarray(which, dtype=np.int64)
    rows = np.asarray(shard_rows, dtype=np.int64)
    out: NDArray[np.float32] | None = None
    for i in np.unique(index).tolist():
        try:
            mapped = np.load(paths[i], mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DamagedWorkspace("the shard is missing or cut off", file=paths[i]) from error
        here = np.flatnonzero(index == i)
        if mapped.ndim != 2 or rows[here].min() < 0 or rows[here].max() >= mapped.shape[0]:
            raise DamagedWorkspace(f"the shard has shape {mapped.shape}", file=paths[i])
        if out is None:
            out = np.empty((index.size, mapped.shape[1]), dtype=np.float32)
        if mapped.shape[1] != out.shape[1]:
            raise Refused(
                f"vectors of different grids cannot be read together ({out.shape[1]}, {mapped.shape[1]} pixels)"
            )
        out[here] = mapped[rows[here]]
    return np.empty((0, 0), dtype=np.float32) if out is None else out


def verify(ws: Workspace, shard_ids: Sequence[int] | None = None) -> list[BadShard]:
    """Read every byte of the (given) shards and return those that are not what was written."""
    wanted = None if shard_ids is None else set(shard_ids)
    bad = []
    for record in shards(ws):
        if wanted is not None and record.id not in wanted:
            continue
        try:
            _mapped(ws, record)
        except DamagedWorkspace as error:
            bad.append(BadShard(record.id, record.name, error.what))
            continue
        if file_crc32(ws.shards_dir / record.name) != record.crc32:
            bad.append(BadShard(record.id, record.name, "checksum differs"))
    return bad


def _mapped(ws: Workspace, record: ShardRecord) -> NDArray[np.float32]:
    path = ws.shards_dir / record.name
    mend = "restore it from a copy, or ingest the files again into a new workspace"
    if not path.is_file():
        raise DamagedWorkspace("the shard is missing", file=path, mend=mend)
    try:
        with one_line_errors(path):
            mapped: np.memmap[Any, np.dtype[np.float32]] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DamagedWorkspace("the shard is cut off or overwritten", file=path, mend=mend) from error
    if mapped.shape != (record.n_rows, record.n_pixels) or mapped.dtype != np.float32:
        raise DamagedWorkspace(
            f"the shard holds {mapped.shape} {mapped.dtype}, not {(record.n_rows, record.n_pixels)} float32",
            file=path,
            mend=mend,
        )
    if path.stat().st_size != mapped.offset + mapped.nbytes:
        raise DamagedWorkspace("the shard has more bytes than were written", file=path, mend=mend)
    return mapped
