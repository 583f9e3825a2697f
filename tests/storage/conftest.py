"""A small workspace as an ingest leaves it, and one with a round that waits for votes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.rounds import SelectionRecord, add_selection
from storage.shards import write_shard
from storage.spectra import INPUT_FIELDS, ROW_DTYPE, FileRecord, add_file, read_rows
from storage.votes import add_inspector
from storage.workspace import Workspace

INPUT_DTYPE = np.dtype([("identity", "U24"), *((name, ROW_DTYPE[name]) for name in INPUT_FIELDS)])
FIRST_TARGETID = 39_627_000_000_000_000
PIXELS = 16


def desi_rows(n: int, first: int = 0) -> NDArray[Any]:
    """``n`` rows of different DESI targets, as a reader gives them."""
    rows = np.zeros(n, dtype=INPUT_DTYPE)
    number = np.arange(first, first + n)
    rows["hdu_row"] = np.arange(n)
    rows["targetid"] = FIRST_TARGETID + number
    rows["identity"] = rows["targetid"].astype(str)
    rows["objtype"], rows["arms"], rows["pipeline"], rows["pipeline_class"] = "TGT", "brz", "redrock", "QSO"
    rows["flux_r"] = 1.0 + number
    rows["flux_g"] = np.nan
    rows["ra"], rows["dec"] = number, -number
    rows["tileid"], rows["night"], rows["expid"] = 80605, 20210205, -1
    rows["pipeline_z"] = 0.01 * number
    return rows


def file_record(path: str = "/data/coadd-1.fits", fingerprint: str = "f1", **changes: Any) -> FileRecord:
    values: dict[str, Any] = {
        "path": path, "survey": "desi", "kind": "coadd", "program": "dark", "size": 100, "mtime_ns": 5,
        "n_rows": 1, "fingerprint": fingerprint,
    }  # fmt: skip
    return FileRecord(**(values | changes))


def ingest(ws: Workspace, n: int, first: int = 0, name: str = "1") -> NDArray[np.float32]:
    """Put ``n`` rows and their vectors into the workspace; row i of the vectors holds the number first + i."""
    x = np.repeat(np.arange(first, first + n, dtype=np.float32)[:, None], PIXELS, axis=1)
    shard = write_shard(ws, x, "log")
    record = file_record(f"/data/coadd-{name}.fits", f"f{name}", n_rows=n)
    assert add_file(ws, record, desi_rows(n, first), shard, np.arange(n)) == n
    return x


def queue(ws: Workspace, n: int, number: int = 1, skip: int = 0) -> list[SelectionRecord]:
    rows = read_rows(ws)[skip : skip + n]
    records = [
        SelectionRecord(
            object_id=row["object_id"], row_id=row["id"], rank=rank, score=2.0 - 0.01 * rank, entropy=1.3,
            c_not=0.2, c_qso_lz=0.3, c_qso_hz=0.5, n_networks=10, bmu=7, cell_count=40, rejected=False,
            why="entropy 1.30 bit, cell 7, count 40", strategy="entropy",
        )
        for rank, row in enumerate(rows, start=1)
    ]  # fmt: skip
    add_selection(ws, number, records)
    return records


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "ws") as workspace:
        yield workspace


@pytest.fixture
def queued(ws: Workspace) -> Workspace:
    """Twelve objects, eight of them queued in round 1, four inspectors."""
    ingest(ws, 12)
    queue(ws, 8)
    for code in ("ABC", "DEF", "GHI", "JKL"):
        add_inspector(ws, code, code.lower(), f"Dr {code}")
    return ws


@pytest.fixture
def reopen() -> Callable[[Workspace], Workspace]:
    def again(workspace: Workspace) -> Workspace:
        workspace.close()
        return Workspace.open(workspace.root)

    return again
