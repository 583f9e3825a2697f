"""The row table as one numpy array, and the expressions people may cut it with."""

import math
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import numpy as np
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
_MAGNITUDES = {"mag_g": "flux_g", "mag_r": "flux_r", "mag_z": "flux_z"}
_TABLES = {"row", "file", "t"}
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}


def read_rows(ws: Workspace, where: str | None = None, *, object_ids: Iterable[int] | None = None) -> NDArray[np.void]:
    """Return the rows that have a vector, as an array of :data:`ROW_DTYPE` sorted by id.

    Args:
        ws: the workspace.
        where: an SQL expression over the columns of the row, ``program`` and ``path`` of its file, and
            ``mag_g``, ``mag_r``, ``mag_z`` (22.5 - 2.5 log10 flux, NULL unless the flux is positive), e.g.
            ``desi_target & 4 AND mag_r < 22.5``. It is evaluated on a connection that cannot write.
        object_ids: only rows of these objects.

    Raises:
        BadExpression: ``where`` does not parse, names an unknown column or does more than compare.

    """
    columns = ", ".join("coalesce(object_id, 0)" if name == "object_id" else name for name in _names())
    of_objects = "" if object_ids is None else f" AND r.object_id IN ({','.join(str(int(one)) for one in object_ids)})"
    magnitudes = ", ".join(f"magnitude(r.{flux}) AS {name}" for name, flux in _MAGNITUDES.items())
    # The expression sees one flat table, so no column needs a prefix and none is ambiguous; what must hold in
    # any case is inside it, out of the reach of a stray parenthesis. The line break keeps a comment at its
    # end from swallowing the parenthesis.
    query = (
        f"WITH t AS (SELECT r.*, f.program AS program, f.path AS path, {magnitudes}"
        f" FROM row r JOIN file f ON f.id = r.file_id WHERE r.shard_id IS NOT NULL AND r.id > ?{of_objects})"
        f" SELECT {columns} FROM t WHERE ({where or '1'}\n) ORDER BY id LIMIT {_PAGE}"
    )
    pages: list[NDArray[np.void]] = []
    last = 0
    with closing(connect(ws.database, read_only=ws.read_only)) as db:
        # Not mode=ro where one may write: such a connection cannot roll back what a killed writer left.
        db.conn.execute("PRAGMA query_only = ON")
        db.conn.create_function("magnitude", 1, _magnitude, deterministic=True)
        db.conn.set_authorizer(_only_reading)
        # Page by page: each fetch is complete, so a long table never keeps a writer from its commit for long.
        while True:
            page = np.array(_page(db.conn, query, last, ws, where), dtype=ROW_DTYPE)
            pages.append(page)
            if page.size < _PAGE:
                break
            last = int(page["id"][-1])
    return np.concatenate(pages)


def _page(
    connection: sqlite3.Connection, query: str, last: int, ws: Workspace, where: str | None
) -> list[tuple[Any, ...]]:
    with database_errors(ws.database):
        try:
            return connection.execute(query, (last,)).fetchall()
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
