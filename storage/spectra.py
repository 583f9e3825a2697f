"""Files, their rows and the objects they show: what an ingest writes and what everything else asks for.

A file is added in one transaction. Rows that gave no vector are kept with the reason; an object exists as
soon as one kept row shows it. The arrays themselves are in shards (:mod:`storage.shards`).
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.connection import fetch, fetch_in, transaction
from storage.errors import Refused
from storage.row_table import ROW_DTYPE, joined, read_rows, row_pages
from storage.times import utc_now
from storage.workspace import Workspace

__all__ = [
    "INPUT_FIELDS",
    "OBJECT_DTYPE",
    "ROW_DTYPE",
    "DroppedRow",
    "FileRecord",
    "StoredFile",
    "add_file",
    "counts",
    "dropped_rows",
    "file_of",
    "files",
    "joined",
    "known_file",
    "object_ids",
    "objects",
    "read_rows",
    "relocate",
    "row_pages",
]

INPUT_FIELDS = (
    "hdu_row", "targetid", "thing_id", "plate", "mjd", "fiberid", "tileid", "night", "expid", "objtype",
    "ra", "dec", "flux_g", "flux_r", "flux_z", "ebv", "desi_target", "arms", "arms_missing", "frac_masked",
    "snr", "pipeline", "pipeline_class", "pipeline_z", "pipeline_zerr", "pipeline_zwarn",
    "pipeline_deltachi2",
)  # fmt: skip
"""Fields that :func:`add_file` takes over from each row as they are (besides ``identity``)."""

OBJECT_DTYPE = np.dtype(
    [
        ("id", "i8"),
        ("survey", "U4"),
        ("identity", "U24"),
        ("targetid", "i8"),
        ("ra", "f8"),
        ("dec", "f8"),
        ("role", "U10"),
    ]
)


@dataclass(frozen=True)
class FileRecord:
    """A spectrum file as it was read; ``fingerprint`` identifies its content wherever it lies."""

    path: str
    survey: str
    kind: str
    program: str
    size: int
    mtime_ns: int
    n_rows: int
    fingerprint: str
    redrock_path: str = ""


@dataclass(frozen=True)
class StoredFile(FileRecord):
    """A file in the database, with its id."""

    id: int = 0


@dataclass(frozen=True)
class DroppedRow:
    """A spectrum that gave no vector, and why."""

    path: str
    hdu_row: int
    targetid: int
    reason: str


_FILE_COLUMNS = "path, survey, kind, program, size, mtime_ns, n_rows, fingerprint, redrock_path, id"


def known_file(
    ws: Workspace, path: str | Path, size: int, mtime_ns: int, fingerprint: str | None = None
) -> StoredFile | None:
    """Return the file if its rows are here already: same path, size and time, or (if given) same fingerprint.

    The fingerprint also finds a file that was moved or copied; its ``path`` is then the one stored.
    """
    found = fetch(
        ws.db,
        f"SELECT {_FILE_COLUMNS} FROM file WHERE path = ? AND size = ? AND mtime_ns = ?",
        (str(path), int(size), int(mtime_ns)),
    )
    if not found and fingerprint is not None:
        found = fetch(ws.db, f"SELECT {_FILE_COLUMNS} FROM file WHERE fingerprint = ?", (fingerprint,))
    return StoredFile(*found[0]) if found else None


def add_file(
    ws: Workspace,
    record: FileRecord,
    rows: NDArray[Any],
    shard_id: int | None,
    shard_rows: NDArray[np.int64],
    dropped: Mapping[int, str] | Iterable[tuple[int, str]] = (),
) -> int:
    """Add a file with its rows, and the objects they show, in one transaction.

    Args:
        ws: the workspace.
        record: the file. One whose fingerprint is known adds nothing; if its known path is gone, the new path
            takes its place.
        rows: (n,) structured array with ``identity`` and the fields of :data:`INPUT_FIELDS`; NaN is "not
            known".
        shard_id: the shard that holds the vectors, None when no row gave one.
        shard_rows: (n,) int64, row in that shard, -1 for a row without a vector.
        dropped: position in ``rows`` → reason, for each row without a vector.

    Returns:
        The number of rows added that have a vector.

    Raises:
        Refused: another content was ingested under the same path, or the arguments contradict each other.
        StorageError: nothing was added.

    """
    reasons = dict(dropped.items() if isinstance(dropped, Mapping) else dropped)
    places = np.asarray(shard_rows, dtype=np.int64)
    _check_rows(record, rows, shard_id, places, reasons)
    with transaction(ws.db) as connection:
        if _is_known(connection, record):
            return 0
        file_id = connection.execute(
            "INSERT INTO file (path, survey, kind, program, size, mtime_ns, n_rows, fingerprint,"
            " redrock_path, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.path, record.survey, record.kind, record.program, int(record.size),
                int(record.mtime_ns), int(record.n_rows), record.fingerprint, record.redrock_path, utc_now(),
            ),
        ).lastrowid  # fmt: skip
        kept = places >= 0
        owner = _objects_of(connection, record.survey, rows, kept)
        columns = (
            "file_id",
            "kind",
            "survey",
            *INPUT_FIELDS,
            "object_id",
            "shard_id",
            "shard_row",
            "dropped",
        )
        statement = f"INSERT INTO row ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        connection.executemany(
            statement,
            (
                (file_id, record.kind, record.survey, *values, owner.get(identity), shard_id, place, "")
                if place >= 0
                else (file_id, record.kind, record.survey, *values, None, None, None, reasons[position])
                for position, (values, identity, place) in enumerate(
                    zip(
                        rows[list(INPUT_FIELDS)].tolist(),
                        rows["identity"].tolist(),
                        places.tolist(),
                        strict=True,
                    )
                )
            ),
        )
    return int(kept.sum())


def relocate(ws: Workspace, old: str | Path, new: str | Path) -> int:
    """Say that originals moved: paths at or below ``old`` now start with ``new``; return how many.

    Raises:
        Refused: another file is registered under one of the new paths.

    """
    before, after = str(old).rstrip("/"), str(new).rstrip("/")

    def moved(path: str) -> str:
        inside = path.startswith(before + "/") or (path == before and path != "")
        return after + path[len(before) :] if inside else path

    with transaction(ws.db) as connection:
        stored = connection.execute("SELECT id, path, redrock_path FROM file ORDER BY id").fetchall()
        changed = [
            (moved(path), moved(redrock), file_id)
            for file_id, path, redrock in stored
            if (moved(path), moved(redrock)) != (path, redrock)
        ]
        try:
            connection.executemany("UPDATE file SET path = ?, redrock_path = ? WHERE id = ?", changed)
        except sqlite3.IntegrityError:
            raise Refused(f"files are registered below {after} already", file=ws.root) from None
    return len(changed)


def files(ws: Workspace) -> list[StoredFile]:
    """Return every file, by id."""
    return [StoredFile(*row) for row in fetch(ws.db, f"SELECT {_FILE_COLUMNS} FROM file ORDER BY id")]


def file_of(ws: Workspace, file_id: int) -> StoredFile:
    """Return one file by id.

    Raises:
        Refused: there is none.

    """
    rows = fetch(ws.db, f"SELECT {_FILE_COLUMNS} FROM file WHERE id = ?", (int(file_id),))
    if not rows:
        raise Refused(f"there is no file {file_id}", file=ws.root)
    return StoredFile(*rows[0])


def dropped_rows(ws: Workspace) -> list[DroppedRow]:
    """Return the rows that gave no vector, by file and HDU row."""
    return [
        DroppedRow(*row)
        for row in fetch(
            ws.db,
            "SELECT f.path, r.hdu_row, r.targetid, r.dropped FROM row r JOIN file f ON f.id = r.file_id"
            " WHERE r.dropped <> '' ORDER BY f.path, r.hdu_row",
        )
    ]


def counts(ws: Workspace) -> dict[str, int]:
    """Return how much is here: files, rows (with a vector), coadds, exposures, dropped, objects, shards."""
    names = ("files", "rows", "coadds", "exposures", "dropped", "objects", "shards")
    found = fetch(
        ws.db,
        "SELECT (SELECT count(*) FROM file), count(shard_id),"
        " coalesce(sum(shard_id IS NOT NULL AND kind = 'coadd'), 0),"
        " coalesce(sum(shard_id IS NOT NULL AND kind = 'exposure'), 0), coalesce(sum(dropped <> ''), 0),"
        " (SELECT count(*) FROM object), (SELECT count(*) FROM shard) FROM row",
    )[0]
    return dict(zip(names, found, strict=True))


def objects(ws: Workspace, ids: Iterable[int] | None = None) -> NDArray[np.void]:
    """Return objects as an array of :data:`OBJECT_DTYPE`: those of ``ids`` in that order, or all by id.

    ``targetid`` is 0 when the survey has none; ``role`` is "", "train" or "validation".

    Raises:
        Refused: an id that no object has.

    """
    columns = "id, survey, identity, targetid, ra, dec, role"
    if ids is None:
        return np.array(fetch(ws.db, f"SELECT {columns} FROM object ORDER BY id"), dtype=OBJECT_DTYPE)
    wanted = [int(one) for one in ids]
    rows = fetch_in(ws.db, f"SELECT {columns} FROM object WHERE id IN ({{}})", dict.fromkeys(wanted))
    found = {row[0]: row for row in rows}
    absent = [one for one in wanted if one not in found]
    if absent:
        raise Refused(f"there is no object {absent[0]}", file=ws.root)
    return np.array([found[one] for one in wanted], dtype=OBJECT_DTYPE)


def object_ids(ws: Workspace, survey: str, identities: Iterable[str]) -> dict[str, int]:
    """Return identity → object id for those that some spectrum has.

    An SDSS object that is known by its THING_ID is also found under ``P<plate>-<mjd>-<fiberid>`` of any of
    its rows.
    """
    wanted = list(dict.fromkeys(str(one) for one in identities))
    rows = fetch_in(
        ws.db,
        "SELECT identity, id FROM object WHERE survey = ? AND identity IN ({})",
        wanted,
        before=(survey,),
    )
    found = {str(identity): int(number) for identity, number in rows}
    left = [one for one in wanted if one.startswith("P") and one not in found] if survey == "sdss" else []
    if left:
        by_fibre = fetch_in(
            ws.db,
            "SELECT 'P' || plate || '-' || mjd || '-' || fiberid, min(object_id) FROM row"
            " WHERE plate > 0 AND object_id IS NOT NULL AND plate IN ({}) GROUP BY plate, mjd, fiberid",
            {part for one in left if (part := one[1:].split("-")[0]).isdigit()},
        )
        named = {str(identity): int(number) for identity, number in by_fibre}
        found |= {one: named[one] for one in left if one in named}
    return found


def _check_rows(
    record: FileRecord,
    rows: NDArray[Any],
    shard_id: int | None,
    places: NDArray[np.int64],
    reasons: Mapping[int, str],
) -> None:
    fields = rows.dtype.names or ()
    absent = [name for name in ("identity", *INPUT_FIELDS) if name not in fields]
    if absent:
        raise Refused(f"rows lack the field {absent[0]}", file=record.path)
    if places.shape != rows.shape:
        raise Refused(f"{rows.size} rows but {places.size} shard rows", file=record.path)
    without = np.flatnonzero(places < 0).tolist()
    if set(without) != set(reasons) or not all(reasons.values()):
        raise Refused("each row without a vector needs a reason, and no other one", file=record.path)
    if shard_id is None and len(without) < rows.size:
        raise Refused("rows with a vector but no shard", file=record.path)


def _is_known(connection: sqlite3.Connection, record: FileRecord) -> bool:
    same = connection.execute("SELECT id, path FROM file WHERE fingerprint = ?", (record.fingerprint,)).fetchone()
    if same is not None:
        if same[1] != record.path and not Path(same[1]).exists():
            connection.execute("UPDATE file SET path = ? WHERE id = ?", (record.path, same[0]))
        return True
    if connection.execute("SELECT 1 FROM file WHERE path = ?", (record.path,)).fetchone() is not None:
        raise Refused(
            "changed since it was ingested, and votes may rest on what it held",
            file=record.path,
            mend="ingest the new one under another path",
        )
    return False


def _objects_of(
    connection: sqlite3.Connection, survey: str, rows: NDArray[Any], kept: NDArray[np.bool_]
) -> dict[str, int]:
    """Make the objects that kept rows show for the first time; return identity → id for all of them."""
    named = rows[kept & (rows["identity"] != "")]
    _, first = np.unique(named["identity"], return_index=True)
    connection.executemany(
        "INSERT INTO object (survey, identity, targetid, ra, dec) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (survey, identity) DO UPDATE SET targetid = excluded.targetid, ra = excluded.ra,"
        " dec = excluded.dec WHERE object.ra IS NULL",
        [
            (survey, identity, targetid, ra, dec)
            for identity, targetid, ra, dec in named[np.sort(first)][["identity", "targetid", "ra", "dec"]].tolist()
        ],
    )
    owner: dict[str, int] = {}
    names = np.unique(named["identity"]).tolist()
    for start in range(0, len(names), 10_000):
        part = names[start : start + 10_000]
        owner.update(
            connection.execute(
                f"SELECT identity, id FROM object WHERE survey = ? AND identity IN ({', '.join('?' * len(part))})",
                (survey, *part),
            ).fetchall()
        )
    return owner
