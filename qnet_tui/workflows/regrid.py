"""Vectors on another grid than the workspace's, rebinned from the originals into shards of their own.

A linear and a logarithmic weights file can so be measured on the same spectra. What was rebinned once is kept.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import storage.regrid as regrid_store
import storage.shards as shards
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.progress import Progress, silent
from storage.workspace import Workspace


def vectors_on(
    ws: Workspace, grid_name: str, row_ids: NDArray[np.int64], progress: Progress = silent
) -> NDArray[np.float32]:
    """Vectors (n, n_pixels) float32 of the rows ``row_ids`` on the grid called ``grid_name``.

    Rows without one are read from their original files and kept in a new shard. A row that cannot be rendered on the
    grid (its file is gone or was changed) is refused. Errors: :class:`BadInput` naming the file and the mend.
    """
    wanted = np.unique(row_ids)
    known = regrid_store.read_vectors(ws, grid_name)
    missing = np.setdiff1d(wanted, known["row_id"])
    if len(missing):
        _rebin(ws, grid_name, missing, progress)
        known = regrid_store.read_vectors(ws, grid_name)
    mine = known[np.searchsorted(known["row_id"], row_ids)]
    return shards.gather(ws, mine["shard_id"], mine["shard_row"])


def _rebin(ws: Workspace, grid_name: str, row_ids: NDArray[np.int64], progress: Progress) -> None:
    from qnet_tui.spectra.grids import grid_named
    from qnet_tui.spectra.read import read_vectors

    grid = grid_named(grid_name)
    rows = all_rows(ws, f"id BETWEEN {row_ids.min()} AND {row_ids.max()}")
    rows = rows[np.searchsorted(rows["id"], row_ids)]
    x = np.empty((len(rows), grid.n_pixels), dtype=np.float32)
    done = 0
    for file_id in np.unique(rows["file_id"]):
        here = np.flatnonzero(rows["file_id"] == file_id)
        path = Path(spectra_store.file_of(ws, int(file_id)).path)
        source, made = read_vectors(path, grid, quality=False)
        place = {int(r): i for i, r in enumerate(source.rows["hdu_row"][made.kept])}
        for i in here:
            if int(rows["hdu_row"][i]) not in place:
                raise BadInput("it is no longer the file that was ingested", file=path, row=int(rows["hdu_row"][i]),
                               mend="qnet ingest --relocate OLD NEW when originals moved")  # fmt: skip
            x[i] = made.x[place[int(rows["hdu_row"][i])]]
        done += len(here)
        progress(f"rebinning on the {grid_name} grid", done, len(rows))
    regrid_store.add_vectors(ws, grid_name, row_ids, shards.write_shard(ws, x, grid_name))
