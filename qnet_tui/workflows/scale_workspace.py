"""A workspace of any number of rows, made through the functions that an ingest uses, to measure what rows cost.

The spectra are some hundred simulated ones, each time with fresh noise on top, so that shards hold real numbers; files,
identities and repeats are made up. Four coadd files of 500 rows are followed by one of exposures of their objects.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.settings as campaign
import storage.shards as shards
import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.workflows.ingest import COMMIT_SECONDS, SHARD_ROWS, FileVectors
from qnet_tui.workflows.simulate import simulate_survey
from storage.connection import transaction
from storage.workspace import Workspace

FILE_ROWS = 500
COADDS_IN_FIVE = 4
FIRST_TARGETID = 39_627_000_000_000_000
_MIXER, _IDS = 0x9E3779B1, 1 << 36
NOISE = 0.1
"""Standard deviation of what is added to the renormalised fluxes (whose own is 1)."""

LABELS = 4_000


@dataclass
class Written:
    """What one enlargement cost. Seconds of the wall; making the vectors up is in none of them."""

    files: int = 0
    rows: int = 0
    shard_bytes: int = 0
    shard_seconds: float = 0.0
    commit_seconds: list[float] = field(default_factory=list)


def simulate_first(folder: Path, rows: int = FILE_ROWS) -> Path:
    """Simulate the one coadd file of ``rows`` rows that all others are made from; return its path."""
    return simulate_survey(folder, rows, 1, rows_per_file=rows, repeats=0.0).files[0]


def enlarge(ws: Workspace, first: FileVectors, rows: int) -> Written:
    """Add files until ``rows`` rows have a vector; the same workspace and numbers give the same rows."""
    if campaign.get_setting(ws, "grid", None) is None:
        campaign.set_setting(ws, "grid", "log", by="bench")
    said = Written()
    number = len(spectra_store.files(ws))
    have = sum(record.n_rows for record in shards.shards(ws, "log"))
    per_file = len(first.x)
    while have < rows:
        n_files = min(-(-SHARD_ROWS // per_file), -(-(rows - have) // per_file))
        rng = np.random.default_rng([number, 1])
        x = rng.standard_normal((n_files * per_file, first.x.shape[1]), dtype=np.float32)
        x *= np.float32(NOISE)
        x.reshape(n_files, per_file, -1)[:] += first.x
        tables = [_rows(first, number + i) for i in range(n_files)]
        began = time.perf_counter()
        shard_id = shards.write_shard(ws, x, "log")
        said.shard_seconds += time.perf_counter() - began
        said.shard_bytes += x.nbytes
        waiting = list(enumerate(tables))
        while waiting:
            began = time.perf_counter()
            with transaction(ws.db):
                while waiting and time.perf_counter() - began < COMMIT_SECONDS:
                    i, table = waiting.pop(0)
                    places = np.full(len(table), -1, dtype=np.int64)
                    places[first.kept] = np.arange(i * per_file, (i + 1) * per_file)
                    record = _record(number + i, len(table))
                    said.rows += spectra_store.add_file(ws, record, table, shard_id, places, first.dropped)
            said.commit_seconds.append(time.perf_counter() - began)
        number += n_files
        have += n_files * per_file
        said.files += n_files
    return said


def label_some(ws: Workspace) -> int:
    """Give a tenth of the objects, at most 4,000, a secure label, a fifth of them held out; return how many."""
    n = min(LABELS, spectra_store.counts(ws)["objects"] // 10)
    said = {int(row["object_id"]): row for row in spectra_store.read_rows(ws, object_ids=range(1, 1 + n))}
    labels: dict[str, list[truth_store.TruthLabel]] = {"train": [], "validation": []}
    for object_id, row in said.items():
        # The pipeline's answer serves as the truth.
        spectype, z = str(row["pipeline_class"]) or "GALAXY", float(row["pipeline_z"])
        role = "validation" if object_id % 5 == 0 else "train"
        labels[role].append(truth_store.TruthLabel(object_id, spectype, None if np.isnan(z) else z, 4.0))
    for role, some in labels.items():
        truth_store.add_labels(ws, some, "table:made up", "catalogue", role=role)
    return len(said)


def _rows(first: FileVectors, number: int) -> NDArray[Any]:
    """The rows of file ``number``: those of the simulated one, showing objects of their own."""
    rows = first.rows.copy()
    place = np.arange(len(rows))
    group, member = divmod(number, COADDS_IN_FIVE + 1)
    coadd = np.full(len(rows), member) if member < COADDS_IN_FIVE else place % COADDS_IN_FIVE
    # Neighbours in a file are no neighbours among the ids: the index of objects gets them in no order.
    target = FIRST_TARGETID + ((group * COADDS_IN_FIVE + coadd) * len(rows) + place) * _MIXER % _IDS
    real = rows["targetid"] > 0
    rows["targetid"][real] = target[real]
    rows["identity"][real] = target[real].astype(rows["identity"].dtype)
    rows["expid"] = -1 if member < COADDS_IN_FIVE else 100_000 + number
    return rows


def _record(number: int, n_rows: int) -> spectra_store.FileRecord:
    kind = "coadd" if number % (COADDS_IN_FIVE + 1) < COADDS_IN_FIVE else "exposure"
    return spectra_store.FileRecord(
        path=f"/made-up/{number // 1000:03d}/{kind}-{number}.fits", survey="desi", kind=kind, program="dark",
        size=32_000_000 + number, mtime_ns=number, n_rows=n_rows, fingerprint=f"made-up-{number}",
    )  # fmt: skip


def disk_bytes(folder: Path) -> Mapping[str, int]:
    """Bytes of the database and of the shards of a workspace."""
    return {
        "database": (folder / "qnet.db").stat().st_size,
        "shards": sum(path.stat().st_size for path in (folder / "shards").iterdir()),
    }
