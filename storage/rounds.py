"""Rounds: which objects each one asked people to look at, in which order and why.

Every change of a round also rewrites ``rounds/NNN/queue.jsonl``, which names the objects by survey and
identity: with the journals it is all that is needed to rebuild the votes into a fresh database.
"""
# ruff: noqa: A001, A002 - "round" is the word of the field for it.

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

from storage.connection import fetch, transaction
from storage.errors import Refused
from storage.files import make_directory, write_durably
from storage.scalars import plain
from storage.settings import get_setting
from storage.times import utc_now
from storage.workspace import Workspace

QUEUE_FILE = "queue.jsonl"


@dataclass(frozen=True)
class SelectionRecord:
    """One object of a round.

    Attributes:
        object_id: the object; ``row_id`` the row whose vector was scored (0 when not known any more).
        rank: 1 is asked first.
        score: what the strategy ranked by; ``entropy`` in bits.
        c_not: fraction of the ``n_networks`` calls that said NOT; ``c_qso_lz`` LOW-Z, ``c_qso_hz`` HIGH-Z.
        bmu: best-matching cell of the map, -1 without a map; ``cell_count`` rows in that cell.
        rejected: the cell was rejected, and people are asked all the same.
        why: the reason in words.
        strategy: the name of what chose it.
        round: the round it stands in; 0 before it is added.

    """

    object_id: int
    row_id: int
    rank: int
    score: float
    entropy: float
    c_not: float
    c_qso_lz: float
    c_qso_hz: float
    n_networks: int
    bmu: int
    cell_count: int
    rejected: bool
    why: str
    strategy: str
    round: int = 0


@dataclass(frozen=True)
class RoundSummary:
    """How far a round is: objects asked for and withdrawn, votes, objects with all votes, merged ones."""

    round: int
    run_id: str | None
    at: str
    strategy: str
    selected: int
    withdrawn: int
    votes: int
    fully_voted: int
    merged: int


_COLUMNS = tuple(field.name for field in fields(SelectionRecord))
_REALS = {"score", "entropy", "c_not", "c_qso_lz", "c_qso_hz"}
SELECT_RECORD = ", ".join(f"s.{name}" for name in _COLUMNS)
"""The columns of a :class:`SelectionRecord`, from a table with the alias ``s``."""


def next_round(ws: Workspace) -> int:
    """Return the number that the next selection gets: one more than the last, 1 at first."""
    return int(fetch(ws.db, "SELECT coalesce(max(round), 0) + 1 FROM selection")[0][0])


def add_selection(
    ws: Workspace,
    round: int,
    records: Sequence[SelectionRecord],
) -> int:
    """Queue objects in a round, in one transaction; return how many were not in it yet.

    The same object in the same round again adds nothing, so a run that is resumed may repeat it.

    Raises:
        Refused: the round is below 1, an object is not here, or waits in another round.

    """
    round = int(round)
    if round < 1:
        raise Refused(f"rounds are numbered from 1, not {round}")
    values = [(*map(plain, astuple(replace(record, round=round))), utc_now()) for record in records]
    make_directory(ws.rounds_dir / f"{round:03d}")
    with transaction(ws.db) as connection:
        before = connection.total_changes
        try:
            connection.executemany(
                f"INSERT INTO selection ({', '.join(_COLUMNS)}, at) VALUES"
                f" ({', '.join('?' * (len(_COLUMNS) + 1))}) ON CONFLICT (round, object_id) DO NOTHING",
                values,
            )
        except sqlite3.IntegrityError as error:
            raise _why_not(connection, round, records) or error from error
        added = connection.total_changes - before
        write_queue_file(ws, connection, round)
    return added


def selection(
    ws: Workspace,
    round: int,
    *,
    include_withdrawn: bool = False,
) -> list[SelectionRecord]:
    """Return the objects of a round by rank."""
    rows = fetch(
        ws.db,
        f"SELECT {SELECT_RECORD} FROM selection s WHERE s.round = ? AND (? OR s.withdrawn = '')"
        " ORDER BY s.rank, s.object_id",
        (int(round), int(include_withdrawn)),
    )
    return [selection_record(row) for row in rows]


def selection_record(row: tuple[Any, ...]) -> SelectionRecord:
    """Make a record of the columns :data:`SELECT_RECORD`; numbers that were NaN are NaN again."""
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in _REALS:
        values[name] = math.nan if values[name] is None else values[name]
    values["rejected"] = bool(values["rejected"])
    return SelectionRecord(**values)


def ever_queued(ws: Workspace) -> set[int]:
    """Return the objects that some round asks or asked for and that were not withdrawn."""
    return {row[0] for row in fetch(ws.db, "SELECT object_id FROM selection WHERE withdrawn = ''")}


def withdraw(
    ws: Workspace,
    round: int,
    object_ids: Iterable[int],
    reason: str,
    by: str,
) -> int:
    """Take objects out of a round so that they may be selected again; return how many.

    Their votes stay. Leases on them end.

    Raises:
        Refused: no reason.

    """
    if not reason.strip():
        raise Refused("a withdrawal needs a reason")
    wanted = [int(one) for one in object_ids]
    with transaction(ws.db) as connection:
        before = connection.total_changes
        connection.executemany(
            "UPDATE selection SET withdrawn = ?, withdrawn_by = ? WHERE round = ? AND object_id = ? AND withdrawn = ''",
            [(reason, by, int(round), one) for one in wanted],
        )
        changed = connection.total_changes - before
        connection.executemany("DELETE FROM lease WHERE object_id = ?", [(one,) for one in wanted])
        if changed:
            write_queue_file(ws, connection, round)
    return changed


def rounds(ws: Workspace) -> list[RoundSummary]:
    """Return how far each round is, by number."""
    rows = fetch(
        ws.db,
        """
        WITH cast_votes AS (
            SELECT round, object_id, count(*) AS n FROM vote
            WHERE superseded_by = '' AND withdrawn_at = '' GROUP BY round, object_id
        )
        SELECT s.round,
               (SELECT r.id FROM run r WHERE r.round = s.round AND r.verb = 'run-al'
                ORDER BY r.number DESC LIMIT 1),
               min(s.at), min(s.strategy),
               sum(s.withdrawn = ''), sum(s.withdrawn <> ''),
               sum(CASE WHEN s.withdrawn = '' THEN coalesce(v.n, 0) ELSE 0 END),
               sum(s.withdrawn = '' AND coalesce(v.n, 0) >= ?),
               sum(s.withdrawn = '' AND EXISTS (
                   SELECT 1 FROM merge m WHERE m.round = s.round AND m.object_id = s.object_id
                   AND m.superseded_by = '' AND m.reopened_at = ''))
        FROM selection s LEFT JOIN cast_votes v ON v.round = s.round AND v.object_id = s.object_id
        GROUP BY s.round ORDER BY s.round
        """,
        (get_setting(ws, "votes_required"),),
    )
    return [RoundSummary(*row) for row in rows]


def write_queue_file(ws: Workspace, connection: sqlite3.Connection, round: int) -> None:
    """Write ``rounds/NNN/queue.jsonl``: an object a line, with survey, identity, file and withdrawal."""
    rows = connection.execute(
        f"SELECT {SELECT_RECORD}, s.withdrawn, s.withdrawn_by, s.at, o.survey, o.identity, o.targetid,"
        " f.path, r.hdu_row FROM selection s JOIN object o ON o.id = s.object_id"
        " LEFT JOIN row r ON r.id = s.row_id LEFT JOIN file f ON f.id = r.file_id WHERE s.round = ?"
        " ORDER BY s.rank, s.object_id",
        (int(round),),
    ).fetchall()
    names = (
        *_COLUMNS,
        "withdrawn",
        "withdrawn_by",
        "at",
        "survey",
        "identity",
        "targetid",
        "path",
        "hdu_row",
    )
    lines = "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
    write_durably(ws.rounds_dir / f"{round:03d}" / QUEUE_FILE, lines.encode())


def _why_not(
    connection: sqlite3.Connection,
    round: int,
    records: Sequence[SelectionRecord],
) -> Refused | None:
    for record in records:
        object_id = int(record.object_id)
        if connection.execute("SELECT 1 FROM object WHERE id = ?", (object_id,)).fetchone() is None:
            return Refused(f"there is no object {object_id}")
        other = connection.execute(
            "SELECT round FROM selection WHERE object_id = ? AND withdrawn = '' AND round <> ?",
            (object_id, int(round)),
        ).fetchone()
        if other is not None:
            return Refused(f"object {object_id} is queued in round {other[0]}", mend="withdraw it there first")
    return None
