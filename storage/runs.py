"""Runs: one execution of a verb that takes long, whether it still lives, and which one drives the workspace.

The state "LOST" is never stored, it is seen: a run that says it is running but whose heartbeat is old, or
whose process is gone from this host, is lost.
"""
# ruff: noqa: A002 - "round" is the word of the field for it.

import json
import os
import socket
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from storage.connection import fetch, transaction
from storage.errors import DriverRunning, Refused
from storage.scalars import json_text, plain
from storage.tasks import (
    MetricRecord,
    TaskCounts,
    TaskRecord,
    add_metrics,
    count_tasks,
    failed_tasks,
    finished_networks,
    metrics,
    network_tasks,
    new_metrics,
    register_task,
    task_counts,
    tasks,
)
from storage.times import utc_now
from storage.workspace import Workspace

__all__ = [
    "LOST_AFTER_SECONDS",
    "MetricRecord",
    "RunRecord",
    "TaskCounts",
    "TaskRecord",
    "add_metrics",
    "claim_driver",
    "count_tasks",
    "driver",
    "failed_tasks",
    "finish",
    "finished_networks",
    "get_run",
    "heartbeat",
    "metrics",
    "network_tasks",
    "new_metrics",
    "new_run",
    "register_task",
    "release_driver",
    "resume_run",
    "runs",
    "task_counts",
    "tasks",
    "update_run",
]

LOST_AFTER_SECONDS = 60.0
CLOCK_SLACK_SECONDS = 5.0
"""So much later than the last heartbeat a process must have begun to be taken for another."""
FINAL_STATES = ("DONE", "FAILED", "STOPPED")

_PREFIXES = {
    "run-al": "al",
    "train": "tr",
    "score": "sc",
    "study": "st",
    "ingest": "in",
    "datasets": "ds",
    "compare": "cp",
}
_UPDATABLE = {
    "stage", "done", "total", "round", "seed", "settings", "versions", "command", "job", "truth_hash", "log",
    "note", "hidden", "result", "host", "pid",
}  # fmt: skip
_JSON = {"settings", "versions", "result"}


@dataclass(frozen=True)
class RunRecord:
    """One run as it is seen now; ``state`` is RUNNING, DONE, FAILED, STOPPED or LOST.

    ``heartbeat`` is in seconds of the epoch and ``heartbeat_age`` in seconds before now; ``done`` of
    ``total`` units of ``step``, begun at ``step_at`` (seconds of the epoch), are finished; ``job`` is the batch
    system's id; ``hidden`` is a soft removal.
    """

    id: str
    verb: str
    state: str
    stage: str
    done: int
    total: int
    started_at: str
    ended_at: str | None
    round: int | None
    seed: int | None
    settings: dict[str, Any]
    versions: dict[str, Any]
    command: str
    host: str
    pid: int
    job: str
    heartbeat: float
    truth_hash: str
    log: str
    note: str
    hidden: bool
    result: dict[str, Any]
    step: str
    step_at: float
    heartbeat_age: float = 0.0


_COLUMNS = ", ".join(field.name for field in fields(RunRecord) if field.name != "heartbeat_age")


def new_run(
    ws: Workspace,
    verb: str,
    settings: Mapping[str, Any],
    versions: Mapping[str, Any],
    seed: int | None,
    round: int | None,
    command: str,
) -> str:
    """Register a run of this process as RUNNING and return its id: two letters of the verb and a number."""
    with transaction(ws.db) as connection:
        number = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM run").fetchone()[0]
        run_id = f"{_PREFIXES.get(verb, verb[:2])}-{number:04d}"
        connection.execute(
            "INSERT INTO run (id, number, verb, state, started_at, round, seed, settings, versions, command,"
            " host, pid, heartbeat) VALUES (?, ?, ?, 'RUNNING', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run_id, number, verb, utc_now(), _cell(round), _cell(seed), json_text(dict(settings)),
                json_text(dict(versions)), command, socket.gethostname(), os.getpid(), time.time(),
            ),
        )  # fmt: skip
    return run_id


def update_run(ws: Workspace, run_id: str, **values: Any) -> None:
    """Change what is known of a run: stage, done, total, note, job, log, truth_hash, hidden and so on.

    Raises:
        Refused: no such run, or nothing of that name can be changed.

    """
    wrong = sorted(set(values) - _UPDATABLE)
    if wrong or not values:
        raise Refused(
            f"a run has no {', '.join(wrong) or 'value'} to change",
            mend=f"it has {', '.join(sorted(_UPDATABLE))}",
        )
    cells = [json_text(value) if name in _JSON else _cell(value) for name, value in values.items()]
    with transaction(ws.db) as connection:
        changed = connection.execute(
            f"UPDATE run SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?", (*cells, run_id)
        ).rowcount
        if changed != 1:
            raise Refused(f"there is no run {run_id}", file=ws.root)


def heartbeat(ws: Workspace, run_id: str, step: str = "", done: int = 0, total: int = 0) -> None:
    """Say that the run lives, and that ``done`` of ``total`` units of a step are finished: one short write.

    Call it every ten seconds or so, and not more often than every second or two.
    """
    now = time.time()
    with transaction(ws.db) as connection:
        connection.execute("UPDATE run SET heartbeat = ? WHERE id = ? AND state = 'RUNNING'", (now, run_id))
        if step:
            connection.execute(
                "UPDATE run SET step = ?, step_at = CASE WHEN step = ? THEN step_at ELSE ? END, done = ?, total = ?"
                " WHERE id = ? AND state = 'RUNNING'",
                (step, step, now, int(done), int(total), run_id),
            )


def finish(ws: Workspace, run_id: str, state: str, result: Mapping[str, Any] | None = None) -> None:
    """End a run as DONE, FAILED or STOPPED, with its result, and let another drive.

    Raises:
        Refused: another state, or no such run.

    """
    if state not in FINAL_STATES:
        raise Refused(f"a run ends as {', '.join(FINAL_STATES)}, not {state!r}")
    with transaction(ws.db) as connection:
        changed = connection.execute(
            "UPDATE run SET state = ?, ended_at = ?, heartbeat = ?, result = ? WHERE id = ?",
            (state, utc_now(), time.time(), json_text(dict(result or {})), run_id),
        ).rowcount
        if changed != 1:
            raise Refused(f"there is no run {run_id}", file=ws.root)
        connection.execute("DELETE FROM driver WHERE run_id = ?", (run_id,))


def resume_run(ws: Workspace, run_id: str) -> None:
    """Make this process the one that carries a run on: RUNNING again, with this host, process and heartbeat.

    Raises:
        DriverRunning: another process is at work on it.
        Refused: no such run, or it is done.

    """
    with transaction(ws.db) as connection:
        run = _one(connection, run_id)
        if run.state == "DONE":
            raise Refused(f"run {run_id} is done", file=ws.root)
        if run.state == "RUNNING" and not _is_mine(run):
            raise _running(ws, run)
        _take(connection, run_id)


def runs(ws: Workspace, *, include_hidden: bool = False) -> list[RunRecord]:
    """Return the runs, newest first, with the state that they are in now."""
    rows = fetch(
        ws.db,
        f"SELECT {_COLUMNS} FROM run WHERE ? OR hidden = 0 ORDER BY number DESC",
        (int(include_hidden),),
    )
    return [_record(row) for row in rows]


def get_run(ws: Workspace, prefix: str) -> RunRecord:
    """Return the run whose id starts with ``prefix``; the whole id always wins.

    Raises:
        Refused: none, or several (the line names them).

    """
    rows = fetch(ws.db, f"SELECT {_COLUMNS} FROM run WHERE substr(id, 1, ?) = ? ORDER BY number", (len(prefix), prefix))
    found = [_record(row) for row in rows]
    exact = [run for run in found if run.id == prefix]
    if exact:
        return exact[0]
    if not found or not prefix:
        raise Refused(f"there is no run {prefix!r}", file=ws.root, mend="see 'qnet runs list'")
    if len(found) > 1:
        names = ", ".join(run.id for run in found[:5]) + (" …" if len(found) > 5 else "")
        raise Refused(f"{prefix!r} could be {names}", mend="give more of the id")
    return found[0]


def claim_driver(ws: Workspace, run_id: str) -> None:
    """Make this process with this run the only driver of the workspace; a lost driver is taken over.

    Raises:
        DriverRunning: another one lives; the line names run, host, process and the age of its heartbeat.
        Refused: no such run.

    """
    with transaction(ws.db) as connection:
        _one(connection, run_id)
        held = connection.execute("SELECT run_id FROM driver").fetchone()
        if held is not None:
            holder = _one(connection, held[0])
            if holder.state == "RUNNING" and not (holder.id == run_id and _is_mine(holder)):
                raise _running(ws, holder)
        connection.execute(
            "INSERT INTO driver (only, run_id) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET run_id = excluded.run_id",
            (run_id,),
        )
        _take(connection, run_id)


def release_driver(ws: Workspace, run_id: str) -> None:
    """Let another run drive; harmless when this one does not."""
    with transaction(ws.db) as connection:
        connection.execute("DELETE FROM driver WHERE run_id = ?", (run_id,))


def driver(ws: Workspace) -> RunRecord | None:
    """Return the run that drives the workspace (it may be LOST), or None."""
    rows = fetch(ws.db, f"SELECT {_COLUMNS} FROM run WHERE id = (SELECT run_id FROM driver)")
    return _record(rows[0]) if rows else None


def _record(row: tuple[Any, ...]) -> RunRecord:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    for name in _JSON:
        values[name] = json.loads(values[name])
    values["hidden"] = bool(values["hidden"])
    age = max(0.0, time.time() - values["heartbeat"])
    if values["state"] == "RUNNING" and (age > LOST_AFTER_SECONDS or _is_gone(values)):
        values["state"] = "LOST"
    return RunRecord(**values, heartbeat_age=age)


def _one(connection: sqlite3.Connection, run_id: str) -> RunRecord:
    row = connection.execute(f"SELECT {_COLUMNS} FROM run WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise Refused(f"there is no run {run_id}")
    return _record(row)


def _cell(value: Any) -> Any:
    value = plain(value)
    return int(value) if isinstance(value, bool) else str(value) if isinstance(value, Path) else value


def _take(connection: sqlite3.Connection, run_id: str) -> None:
    connection.execute(
        "UPDATE run SET state = 'RUNNING', ended_at = NULL, host = ?, pid = ?, heartbeat = ? WHERE id = ?",
        (socket.gethostname(), os.getpid(), time.time(), run_id),
    )


def _is_mine(run: RunRecord) -> bool:
    return run.host == socket.gethostname() and run.pid == os.getpid()


def _is_gone(run: Mapping[str, Any]) -> bool:
    """Say whether the process of a run of this host has ended; of another host that cannot be seen.

    A process that began after the last heartbeat only has the number of the one that wrote it; one that ended and
    whose parent has not asked for it yet is gone too. Both are told by /proc, where there is one.
    """
    if run["host"] != socket.gethostname():
        return False
    try:
        os.kill(run["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    try:
        text = Path(f"/proc/{run['pid']}/stat").read_text(encoding="ascii", errors="replace")
        # The name of the program comes second, in parentheses, and may hold anything.
        words = text.rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(words[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return False
    return words[0] in ("Z", "X") or time.time() - age > run["heartbeat"] + CLOCK_SLACK_SECONDS


def _running(ws: Workspace, run: RunRecord) -> DriverRunning:
    return DriverRunning(
        f"run {run.id} is at work on {run.host} (process {run.pid}, heartbeat {run.heartbeat_age:.0f} s ago)",
        file=ws.root,
        mend=f"wait for it, or end it with 'qnet runs stop {run.id}'",
    )
