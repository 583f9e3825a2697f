"""``qnet runs``: what ran, how it stands, and what to do about it. A run that stopped breathing is LOST."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import storage.rounds as rounds_store
import storage.runs as runs_store
from qnet_tui.errors import BadInput
from storage.workspace import Workspace


@dataclass(frozen=True)
class RunLine:
    """One run in the list."""

    run: str
    verb: str
    state: str
    started: str
    finished: str
    seconds: float | None
    round: int | None
    stage: str
    networks_done: int
    networks: int | None
    seed: int | None
    note: str


@dataclass(frozen=True)
class RunDetail:
    """All that is known of one run."""

    line: RunLine
    host: str
    pid: int
    heartbeat_age: float
    command: str
    settings: dict[str, Any]
    versions: dict[str, Any]
    truth_hash: str
    result: dict[str, Any]
    metrics: list[dict[str, Any]] = field(default_factory=list)
    resume: str = ""


def list_runs(root: Path) -> list[RunLine]:
    """Every run that was not removed, newest first."""
    with Workspace.open(root) as ws:
        return [_line(ws, record) for record in runs_store.runs(ws)]


def show_run(root: Path, run: str) -> RunDetail:
    """One run by its id or an unambiguous beginning of it."""
    from qnet_tui.workflows.train import can_resume

    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        metrics = [
            {"dataset": m.dataset, "epoch": m.epoch, "name": m.name, "value": m.value, "n": m.n}
            for m in runs_store.metrics(ws, record.id)
        ]
        resumable = can_resume(ws, record) or (record.verb == "run-al" and record.state != "DONE")
        return RunDetail(
            line=_line(ws, record),
            host=record.host,
            pid=record.pid,
            heartbeat_age=record.heartbeat_age,
            command=record.command,
            settings=record.settings,
            versions=record.versions,
            truth_hash=record.truth_hash,
            result=record.result or {},
            metrics=metrics,
            resume=f"qnet {record.verb} --resume {record.id}" if resumable else "",
        )


def stop_run(root: Path, run: str) -> RunLine:
    """Ask a running driver on this host to stop after its tasks in hand.

    Errors: :class:`BadInput` when it does not run, or runs on another host (said which).
    """
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        if record.state != "RUNNING":
            raise BadInput(f"{record.id} is {record.state.lower()}, there is nothing to stop")
        if record.host != os.uname().nodename:
            raise BadInput(f"{record.id} runs on {record.host}", mend=f"there: kill {record.pid}")
        os.kill(record.pid, signal.SIGTERM)
        return _line(ws, record)


def annotate(root: Path, run: str, note: str) -> RunLine:
    """Give a run a note."""
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        runs_store.update_run(ws, record.id, note=note)
        return _line(ws, runs_store.get_run(ws, record.id))


def remove_run(root: Path, run: str) -> RunLine:
    """Take a run off the list. An unfinished round is given up with it: its files are moved aside, not deleted.

    Errors: :class:`BadInput` for a run in progress, or one whose round has been selected (its labels count).
    """
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        if record.state == "RUNNING":
            raise BadInput(f"{record.id} is running", mend=f"qnet runs stop {record.id} first")
        if record.verb == "run-al" and record.round and rounds_store.selection(ws, int(record.round)):
            raise BadInput(f"round {record.round} came from {record.id} and has a selection", mend="its labels count")
        line = _line(ws, record)
        if record.verb == "run-al" and record.round:
            folder = ws.round_dir(int(record.round))
            if folder.exists():
                folder.rename(folder.with_name(f"{folder.name}.given-up.{record.id}"))
        runs_store.update_run(ws, record.id, hidden=True)
        return line


def run_of_round(ws: Workspace, number: int) -> Any:
    """The run that made a round. Errors: :class:`BadInput` when there is none."""
    for record in runs_store.runs(ws):
        if record.verb == "run-al" and record.round == number:
            return record
    raise BadInput(f"no run made round {number}", mend="see qnet runs list")


def _line(ws: Workspace, record: Any) -> RunLine:
    return RunLine(
        run=record.id,
        verb=record.verb,
        state=record.state,
        started=record.started_at,
        finished=record.ended_at or "",
        seconds=(record.result or {}).get("seconds"),
        round=record.round,
        stage=record.stage or "",
        networks_done=runs_store.count_tasks(ws, record.id, "train", "DONE") if record.verb == "run-al" else 0,
        networks=record.settings.get("networks") if record.verb == "run-al" else None,
        seed=record.seed,
        note=record.note or "",
    )
