"""The rows that a committee is asked about, as files that are mapped: ``plan/pool.npz`` and ``plan/pool/NAME.npy``.

Each column is an array of its own, so a worker reads its block of it and nothing else of millions of rows, and the
driver only the columns that it asks for. The small ``pool.npz`` (shard files, the map's cells) is written last: it
says that the plan is whole.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.shards as shards
from qnet_tui.active_learning.pool import Pool
from qnet_tui.active_learning.selection import MapColumns
from qnet_tui.errors import QnetError
from qnet_tui.workflows.round_files import RoundFiles, write_npz
from storage.files import make_directory
from storage.workspace import Workspace

_PLACES = ("shard_index", "shard_row", "bmu")


def write_pool(
    ws: Workspace,
    files: RoundFiles,
    rows: Mapping[str, NDArray[Any]] | NDArray[np.void],
    pool: Pool,
    scored: NDArray[np.bool_],
    cells: NDArray[np.integer[Any]],
    counts: NDArray[np.int64],
    rejected: NDArray[np.bool_],
) -> None:
    """Write the rows that the committee scores: where their vectors lie, and all that the selection asks of them.

    ``rows`` has ``shard_id`` and ``shard_row`` of the scored rows and ``cells`` their cells; ``pool`` are all rows, of
    which ``scored`` takes them. One column is in memory at a time.
    """
    paths = {record.id: ws.shards_dir / record.name for record in shards.shards(ws)}
    folder = _folder(files)
    make_directory(folder)
    used = np.unique(rows["shard_id"])
    shards.write_array(folder / "shard_index.npy", np.searchsorted(used, rows["shard_id"]).astype(np.int32))
    shards.write_array(folder / "shard_row.npy", np.asarray(rows["shard_row"]).astype(np.int32))
    shards.write_array(folder / "bmu.npy", np.asarray(cells).astype(np.int32))
    for field in fields(Pool):
        shards.write_array(folder / f"{field.name}.npy", getattr(pool, field.name)[scored])
    write_npz(
        files.pool,
        shard_files=np.array([str(paths[int(s)]) for s in used]),
        cell_counts=counts,
        cell_rejected=rejected,
    )


def read_pool(files: RoundFiles) -> tuple[Pool, MapColumns]:
    """The pool of a written plan and what the map says of it; its columns are mapped, not read.

    Errors: :class:`QnetError` when a file is gone or damaged.
    """
    columns = _columns(files)
    pool = Pool(**{field.name: columns[field.name] for field in fields(Pool)})
    return pool, MapColumns(columns["bmu"], columns["cell_counts"], columns["cell_rejected"])


def pool_size(files: RoundFiles) -> int:
    """Number of rows in the pool of a written plan."""
    return len(_columns(files)["row_id"])


def pool_vectors(files: RoundFiles, rows: slice | NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Vectors of some rows of the pool, (k, n_pixels) float32, for a worker that opens no database.

    ``rows`` are positions in the pool, in any order. Memory does not depend on how many other rows there are. Errors
    are those of :func:`storage.shards.gather_files`.
    """
    columns = _columns(files)
    paths = [Path(str(path)) for path in columns["shard_files"]]
    return shards.gather_files(paths, columns["shard_index"][rows], columns["shard_row"][rows])


def _folder(files: RoundFiles) -> Path:
    return files.pool.with_suffix("")


def _columns(files: RoundFiles) -> dict[str, NDArray[Any]]:
    path = files.pool
    try:
        with np.load(path, allow_pickle=False) as plan:
            found = {name: plan[name] for name in plan.files}
        if "pool_row_id" in found:
            return _columns_of_0_1(found)
        for name in (*_PLACES, *(field.name for field in fields(Pool))):
            path = _folder(files) / f"{name}.npy"
            found[name] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        why = "gone" if isinstance(error, FileNotFoundError) else f"damaged ({' '.join(str(error).split())})"
        raise QnetError(
            f"the plan of this round is {why}", file=path, mend="restore the file from a copy of the workspace"
        ) from error
    return found


def _columns_of_0_1(found: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The columns of a plan that version 0.1 wrote as one file, with text where there are flags now."""
    columns = {name.removeprefix("pool_"): values for name, values in found.items()}
    return columns | {
        "target": columns["objtype"] == "TGT",
        "arm_missing": columns["arms_missing"] != "",
        "coadd": columns["kind"] == "coadd",
    }
