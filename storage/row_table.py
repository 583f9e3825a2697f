"""The row table as one numpy array, and the expressions people may cut it with."""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import sqlite_utils
from numpy.typing import NDArray

from storage.connection import connect, database_errors
from storage.errors import BadExpression
from storage.workspace import Workspace

ROW_DTYPE = np.dtype(
    [
        ("id", "i8"),
        ("object_id", "i8"),
        ("file_id", "i8"),
        ("hdu_row", "i8"),
        ("kind", "U8"),
        ("survey", "U4"),
        ("targetid", "i8"),
        ("thing_id", "i8"),
        ("plate", "i4"),
        ("mjd", "i4"),
        ("fiberid", "i4"),
        ("tileid", "i4"),
        ("night", "i4"),
        ("expid", "i8"),
        ("objtype", "U8"),
        ("ra", "f8"),
        ("dec", "f8"),
        ("flux_g", "f4"),
        ("flux_r", "f4"),
        ("flux_z", "f4"),
        ("ebv", "f4"),
        ("desi_target", "i8"),
        ("arms", "U3"),
        ("arms_missing", "U3"),
        ("frac_masked", "f4"),
        ("snr", "f4"),
        ("pipeline", "U8"),
        ("pipeline_class", "U8"),
        ("pipeline_z", "f8"),
        ("pipeline_zerr", "f8"),
        ("pipeline_zwarn", "i8"),
        ("pipeline_deltachi2", "f8"),
        ("shard_id", "i8"),
        ("shard_row", "i8"),
    ]
)
"""One row that has a vector. ``object_id`` 0: the row has no identity, it can be scored but never selected.
Fluxes in nanomaggies; NaN where the file had none."""

_PAGE = 50_000
"""Ids that one statement looks at: a read lock of some tenths of a second, whatever the size of the table."""

_SLICE = 10_000
_MAGNITUDES = {"mag_g": "flux_g", "mag_r": "flux_r", "mag_z": "flux_z"}
_TABLES = {"row", "file", "t"}
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}


def read_rows(ws: Workspace, where: str | None = None, *, object_ids: Iterable[int] | None = None) -> NDArray[np.void]:
    """Return the rows that have a vector, as an array of :data:`ROW_DTYPE` sorted by id.

    That is 340 bytes a row; of millions of rows take pages of a few columns (:func:`row_pages`).

    Args:
        ws: the workspace.
        where: an SQL expression over the columns of the row, ``program`` and ``path`` of its file, and
            ``mag_g``, ``mag_r``, ``mag_z`` (22.5 - 2.5 log10 flux, NULL unless the flux is positive), e.g.
            ``desi_target & 4 AND mag_r < 22.5``. It is evaluated on a connection that cannot write.
        object_ids: only rows of these objects, any number of them.

    Raises:
        BadExpression: ``where`` does not parse, names an unknown column or does more than compare.

    """
    if object_ids is None:
        return joined(row_pages(ws, where), ROW_DTYPE)
    found = joined(_pages_of_objects(ws, where, sorted({int(one) for one in object_ids})), ROW_DTYPE)
    return found[np.argsort(found["id"], kind="stable")]


def row_pages(
    ws: Workspace, where: str | None = None, *, columns: Sequence[str] | None = None
) -> Iterator[NDArray[np.void]]:
    """Yield the rows of :func:`read_rows` in pages by id, with some of the columns, in memory that does not grow.

    Args:
        ws: the workspace.
        where: as in :func:`read_rows`.
        columns: fields of :data:`ROW_DTYPE` in the order wanted; None: all.

    Yields:
        Arrays of those fields, at most 50 000 rows each. Every page is read completely before it is yielded:
        no lock is held while the caller works on it. Rows added since the first page are not in it.

    """
    dtype = ROW_DTYPE if columns is None else np.dtype([(name, ROW_DTYPE[name]) for name in columns])
    with closing(_reading(ws)) as db:
        # The ids of one statement and not its number of rows are limited: an expression that few rows fulfil
        # would else look through the whole table under one lock.
        (last,) = _page(db.conn, "SELECT coalesce(max(id), 0) FROM row", ws, where)[0]
        first = True
        for start in range(0, max(int(last), 1), _PAGE):
            query = _query(dtype, where, f"r.id > {start} AND r.id <= {min(start + _PAGE, last)}")
            page = np.array(_page(db.conn, query, ws, where), dtype=dtype)
            # Somebody who asks for rows gets the columns even when there are none.
            if page.size or first:
                yield page
            first = False


def joined(pages: Iterable[NDArray[np.void]], dtype: np.dtype[Any]) -> NDArray[np.void]:
    """Put pages one after the other; a list of them and their concatenation would need the memory twice."""
    out: NDArray[np.void] = np.empty(0, dtype=dtype)
    for page in pages:
        end = len(out)
        # The system moves the pages of a large array; no view of it has been given away yet.
        out.resize(end + len(page), refcheck=False)
        out[end:] = page
    return out


def _pages_of_objects(ws: Workspace, where: str | None, wanted: Sequence[int]) -> Iterator[NDArray[np.void]]:
    with closing(_reading(ws)) as db:
        # A statement's length is limited, so the objects go in slices.
        for start in range(0, max(len(wanted), 1), _SLICE):
            some = ",".join(map(str, wanted[start : start + _SLICE]))
            query = _query(ROW_DTYPE, where, f"r.object_id IN ({some})")
            yield np.array(_page(db.conn, query, ws, where), dtype=ROW_DTYPE)


def _query(dtype: np.dtype[Any], where: str | None, of_them: str) -> str:
    names = dtype.names or ()
    columns = ", ".join("coalesce(object_id, 0)" if name == "object_id" else name for name in names)
    if not where or not where.strip():
        return f"SELECT {columns} FROM row r WHERE r.shard_id IS NOT NULL AND {of_them} ORDER BY id"
    magnitudes = ", ".join(f"magnitude(r.{flux}) AS {name}" for name, flux in _MAGNITUDES.items())
    # The expression sees one flat table, so no column needs a prefix and none is ambiguous; what must hold in
    # any case is inside it, out of the reach of a stray parenthesis. The line break keeps a comment at its
    # end from swallowing the parenthesis.
    return (
        f"WITH t AS (SELECT r.*, f.program AS program, f.path AS path, {magnitudes}"
        f" FROM row r JOIN file f ON f.id = r.file_id WHERE r.shard_id IS NOT NULL AND {of_them})"
        f" SELECT {columns} FROM t WHERE ({where}\n) ORDER BY id"
    )


def _reading(ws: Workspace) -> sqlite_utils.Database:
    """A connection that can only read; not mode=ro, which could not roll back what a killed writer left."""
    db = connect(ws.database, read_only=ws.read_only)
    db.conn.execute("PRAGMA query_only = ON")
    db.conn.create_function("magnitude", 1, _magnitude, deterministic=True)
    db.conn.set_authorizer(_only_reading)
    return db


def _page(connection: sqlite3.Connection, query: str, ws: Workspace, where: str | None) -> list[tuple[Any, ...]]:
    with database_errors(ws.database):
        try:
            return connection.execute(query).fetchall()
        except (sqlite3.ProgrammingError, sqlite3.Warning) as error:
            raise _bad(where, str(error)) from error
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_AUTH}:
                raise _bad(where, str(error)) from error
            raise


def _bad(where: str | None, reason: str) -> BadExpression:
    names = ", ".join((*_names(), "program", "path", *_MAGNITUDES))
    return BadExpression(f"the expression {where!r} cannot be used: {reason}", mend=f"columns are {names}")


def _names() -> tuple[str, ...]:
    return ROW_DTYPE.names or ()


def _magnitude(flux: float | None) -> float | None:
    return 22.5 - 2.5 * math.log10(flux) if flux is not None and flux > 0 else None


def _only_reading(
    action: int, first: str | None, second: str | None, _database: str | None, _source: str | None
) -> int:
    forbidden = (
        action not in _ALLOWED
        or (action == sqlite3.SQLITE_READ and first not in _TABLES)
        or (action == sqlite3.SQLITE_FUNCTION and second == "load_extension")
    )
    return sqlite3.SQLITE_DENY if forbidden else sqlite3.SQLITE_OK
