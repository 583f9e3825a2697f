"""What the tasks of a run left behind, and what was measured in it."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storage.connection import fetch, transaction
from storage.scalars import json_text
from storage.times import canonical_time, utc_now
from storage.workspace import Workspace


@dataclass(frozen=True)
class TaskRecord:
    """One task of a run; ``path`` and ``crc32`` of the file it wrote, ``seconds`` it took."""

    name: str
    kind: str
    state: str
    path: str
    crc32: int | None
    seconds: float | None
    detail: dict[str, Any]
    at: str


@dataclass(frozen=True)
class TaskCounts:
    """How many tasks of a run are done, how many of those since a moment, and how many failed at their last try."""

    done: int
    done_since: int
    failed: int


@dataclass(frozen=True)
class MetricRecord:
    """One measured number; ``n`` is the number of things it was measured on."""

    dataset: str
    epoch: int | None
    name: str
    value: float
    n: int | None


def register_task(
    ws: Workspace,
    run_id: str,
    name: str,
    kind: str,
    state: str,
    path: str = "",
    crc32: int | None = None,
    seconds: float | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record the state of a task, replacing what was recorded of it before."""
    with transaction(ws.db) as connection:
        connection.execute(
            "INSERT INTO task (run_id, name, kind, state, path, crc32, seconds, detail, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, name) DO UPDATE SET"
            " kind = excluded.kind, state = excluded.state, path = excluded.path, crc32 = excluded.crc32,"
            " seconds = excluded.seconds, detail = excluded.detail, at = excluded.at",
            (
                run_id, name, kind, state, str(path), None if crc32 is None else int(crc32),
                None if seconds is None else float(seconds), json_text(dict(detail or {})), utc_now(),
            ),
        )  # fmt: skip


def tasks(ws: Workspace, run_id: str) -> list[TaskRecord]:
    """Return the tasks of a run, by name."""
    return _records(ws, "1", run_id, "name")


def count_tasks(ws: Workspace, run_id: str, kind: str, state: str) -> int:
    """Return how many tasks of one kind of a run are in a state; a large round has thousands of others."""
    sql = "SELECT count(*) FROM task WHERE run_id = ? AND kind = ? AND state = ?"
    return int(fetch(ws.db, sql, (run_id, kind, state))[0][0])


def task_counts(ws: Workspace, run_id: str, since: float) -> TaskCounts:
    """Count the tasks of a run; ``since`` is a moment in seconds of the epoch."""
    sql = (
        "SELECT coalesce(sum(state = 'DONE'), 0), coalesce(sum(state = 'DONE' AND at >= ?), 0),"
        " coalesce(sum(state = 'FAILED'), 0) FROM task WHERE run_id = ?"
    )
    return TaskCounts(*fetch(ws.db, sql, (canonical_time(datetime.fromtimestamp(since, UTC).isoformat()), run_id))[0])


def finished_networks(ws: Workspace, run_id: str) -> int:
    """Return how many networks of a run are trained: its finished tasks "train 0", "train 1" and so on.

    Found by the beginning of the name, which is indexed, so that the many other tasks of a large run cost nothing.
    """
    sql = "SELECT count(*) FROM task WHERE run_id = ? AND name >= 'train ' AND name < 'train!' AND state = 'DONE'"
    return int(fetch(ws.db, sql, (run_id,))[0][0])


def network_tasks(ws: Workspace, run_id: str) -> list[TaskRecord]:
    """Return the tasks of a run that train networks ("train 0", "train 1"), in the order in which they ended."""
    return _records(ws, "name >= 'train ' AND name < 'train!'", run_id, "at, name")


def failed_tasks(ws: Workspace, run_id: str) -> list[TaskRecord]:
    """Return the tasks of a run whose last try failed, in the order in which they did."""
    return _records(ws, "state = 'FAILED'", run_id, "at, name")


def add_metrics(ws: Workspace, run_id: str, rows: Iterable[tuple[str, int | None, str, float, int | None]]) -> int:
    """Add measured numbers (dataset, epoch or None, name, value, n or None) all at once; return how many."""
    plain = [
        (
            run_id,
            dataset,
            None if epoch is None else int(epoch),
            name,
            float(value),
            None if n is None else int(n),
        )
        for dataset, epoch, name, value, n in rows
    ]
    with transaction(ws.db) as connection:
        connection.executemany(
            "INSERT INTO metric (run_id, dataset, epoch, name, value, n) VALUES (?, ?, ?, ?, ?, ?)", plain
        )
    return len(plain)


def metrics(ws: Workspace, run_id: str) -> list[MetricRecord]:
    """Return what was measured in a run, in the order it was added; a value that was NaN is NaN again."""
    return new_metrics(ws, run_id, 0)[1]


def new_metrics(ws: Workspace, run_id: str, after_id: int) -> tuple[int, list[MetricRecord]]:
    """Return what was measured in a run since ``after_id``, and the id to ask with the next time (0 at first)."""
    # The index on run_id holds the id too, so whoever watches a long run reads only what is new.
    rows = fetch(
        ws.db,
        "SELECT id, dataset, epoch, name, value, n FROM metric WHERE run_id = ? AND id > ? ORDER BY id",
        (run_id, int(after_id)),
    )
    found = [
        MetricRecord(dataset, epoch, name, math.nan if value is None else value, n)
        for _, dataset, epoch, name, value, n in rows
    ]
    return (int(rows[-1][0]) if rows else int(after_id)), found


def _records(ws: Workspace, where: str, run_id: str, order: str) -> list[TaskRecord]:
    rows = fetch(
        ws.db,
        "SELECT name, kind, state, path, crc32, seconds, detail, at FROM task"
        f" WHERE run_id = ? AND {where} ORDER BY {order}",
        (run_id,),
    )
    return [
        TaskRecord(name, kind, state, path, crc32, seconds, json.loads(detail), at)
        for name, kind, state, path, crc32, seconds, detail, at in rows
    ]
