"""Vectors of the same rows on another wavelength grid than the workspace's: a shard set of their own."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.connection import fetch, transaction
from storage.errors import Refused
from storage.workspace import Workspace

VECTOR_DTYPE = np.dtype([("row_id", "i8"), ("shard_id", "i8"), ("shard_row", "i8")])


def add_vectors(
    ws: Workspace, grid: str, row_ids: ArrayLike, shard_id: int, shard_rows: ArrayLike | None = None
) -> int:
    """Say where rows have their vectors on ``grid``; return how many are new.

    Args:
        ws: the workspace.
        grid: the name of the other grid, the same as the shard's.
        row_ids: (n,) int64 ids of the row table.
        shard_id: the shard that holds them.
        shard_rows: (n,) int64 rows there, by default 0 … n-1.

    Raises:
        Refused: the shard is not there or on another grid, or a place is outside it.

    """
    ids = np.asarray(row_ids, dtype=np.int64)
    places = np.arange(ids.size) if shard_rows is None else np.asarray(shard_rows, dtype=np.int64)
    found = fetch(ws.db, "SELECT grid, n_rows FROM shard WHERE id = ?", (int(shard_id),))
    if not found or found[0][0] != grid:
        raise Refused(f"there is no shard {shard_id} on the grid {grid!r}", file=ws.root)
    if ids.shape != places.shape or (places.size and not 0 <= places.min() <= places.max() < found[0][1]):
        raise Refused(f"{ids.size} rows cannot lie where they are said to in shard {shard_id}")
    with transaction(ws.db) as connection:
        before = connection.total_changes
        connection.executemany(
            "INSERT INTO vector (grid, row_id, shard_id, shard_row) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(grid, row, int(shard_id), place) for row, place in zip(ids.tolist(), places.tolist(), strict=True)],
        )
        return connection.total_changes - before


def read_vectors(ws: Workspace, grid: str) -> NDArray[np.void]:
    """Return where rows have their vectors on another grid, an array of :data:`VECTOR_DTYPE` by row."""
    rows = fetch(ws.db, "SELECT row_id, shard_id, shard_row FROM vector WHERE grid = ? ORDER BY row_id", (grid,))
    return np.array(rows, dtype=VECTOR_DTYPE)
