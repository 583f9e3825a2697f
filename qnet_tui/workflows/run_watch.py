"""How a run stands right now: stages, step, rate, time left, losses and curves. Reads, and never writes.

:func:`snapshot` looks once. A :class:`RunWatcher` looks again and again: it reads of the measured numbers only those
that are new, so that a look at a run of many epochs costs no more than at a short one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.run_facts import headline, resume_command
from storage.reading import open_for_reading
from storage.runs import RunRecord
from storage.workspace import Workspace

STAGES: dict[str, tuple[str, ...]] = {"run-al": ("plan", "train", "score", "select"), "train": ("train",)}
"""The stages of a verb in their order; another verb shows those that it has begun."""


@dataclass(frozen=True)
class StageTime:
    """One stage: ``state`` is "done", "now", "stopped" or "" (not begun); ``seconds`` None where not known."""

    name: str
    state: str
    seconds: float | None


@dataclass(frozen=True)
class Measured:
    """One figure of one dataset as it was measured after each epoch; NaN where it could not be."""

    dataset: str
    name: str
    epochs: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class MemberLoss:
    """The loss at the last epoch of one network of a committee."""

    network: str
    loss: float
    seconds: float | None


@dataclass(frozen=True)
class RunSnapshot:
    """One run as it is seen now.

    ``seconds`` since it began, to its end or its last heartbeat; ``done`` of ``total`` units of ``step`` at ``rate``
    a second, which leaves ``seconds_left`` (None where that cannot be said). ``workers`` at most; ``failures`` tasks
    failed at their last try, ``last_failure`` says why. ``resume`` is the command that goes on with it, "" for none.
    """

    run: str
    verb: str
    state: str
    round: int | None
    seed: int | None
    note: str
    command: str
    host: str
    pid: int
    job: str
    started: str
    ended: str
    seconds: float
    heartbeat_age: float
    stages: tuple[StageTime, ...]
    step: str
    done: int
    total: int
    rate: float | None
    seconds_left: float | None
    workers: int | None
    networks_done: int
    networks: int | None
    failures: int
    last_failure: str
    error: str
    headline: tuple[str, float] | None
    measured: tuple[Measured, ...]
    losses: tuple[MemberLoss, ...]
    resume: str

    @property
    def percent(self) -> float | None:
        """How much of the step is done."""
        return 100.0 * self.done / self.total if self.total > 0 else None


@dataclass(frozen=True)
class RunMark:
    """One run in the list beside the one that is watched."""

    run: str
    verb: str
    state: str
    round: int | None


@dataclass
class _Seen:
    """What was read of the measured numbers of one run so far."""

    last: int = 0
    curves: dict[tuple[str, str], tuple[list[int], list[float]]] = field(default_factory=dict)


class RunWatcher:
    """Looks at the runs of one workspace; a session for a screen, which asks it from one thread."""

    def __init__(self, ws: Workspace) -> None:
        """Look at ``ws``."""
        self._ws = ws
        self._seen: dict[str, _Seen] = {}

    @classmethod
    def open(cls, root: Path) -> RunWatcher:
        """Look at the workspace at ``root`` through a connection of its own that cannot write."""
        return cls(open_for_reading(root))

    def close(self) -> None:
        """Close the connection."""
        self._ws.close()

    @property
    def root(self) -> Path:
        """The workspace."""
        return self._ws.root

    def marks(self) -> tuple[RunMark, ...]:
        """Return the runs that were not removed, newest first."""
        return tuple(
            RunMark(record.id, record.verb, record.state, record.round) for record in runs_store.runs(self._ws)
        )

    def run_id(self, prefix: str | None) -> str:
        """Return the run meant: by the beginning of its id; None is the one at work, else the newest.

        Errors: BadInput when there is none; storage's own for an id that is none, or several.
        """
        if prefix is not None:
            return runs_store.get_run(self._ws, prefix).id
        records = runs_store.runs(self._ws)
        if not records:
            raise BadInput("no run was ever begun here", mend="qnet run-al begins one")
        return next((record.id for record in records if record.state == "RUNNING"), records[0].id)

    def look(self, run_id: str) -> RunSnapshot:
        """Return how the run stands. Errors: storage's own when there is no such run."""
        record = runs_store.get_run(self._ws, run_id)
        step, step_at, done, total = self._step(record)
        counts = runs_store.task_counts(self._ws, record.id, step_at)
        failed = runs_store.failed_tasks(self._ws, record.id) if counts.failed else []
        rate = _rate(record, step_at, done, counts.done_since)
        running = record.state == "RUNNING"
        trained = runs_store.network_tasks(self._ws, record.id)
        result = record.result or {}
        return RunSnapshot(
            run=record.id, verb=record.verb, state=record.state, round=record.round, seed=record.seed,
            note=record.note, command=record.command, host=record.host, pid=record.pid, job=record.job,
            started=record.started_at, ended=record.ended_at or "", seconds=lasted(record),
            heartbeat_age=record.heartbeat_age, stages=_stages(record), step=step, done=done, total=total, rate=rate,
            seconds_left=(total - done) / rate if running and rate and 0 <= done < total else None,
            workers=result.get("workers"),
            networks_done=sum(1 for one in trained if one.state == "DONE"),
            networks=record.settings.get("networks") if record.verb == "run-al" else None,
            failures=counts.failed,
            last_failure=f"{failed[-1].name}: {failed[-1].detail.get('error', '')}" if failed else "",
            error=str(result.get("error", "")), headline=headline(record), measured=self._measured(record.id),
            losses=tuple(
                MemberLoss(one.name.removeprefix("train "), float(one.detail["loss"]), one.seconds)
                for one in trained
                if one.state == "DONE" and isinstance(one.detail.get("loss"), (int, float))
            ),
            resume=resume_command(self._ws, record),
        )  # fmt: skip

    def _step(self, record: RunRecord) -> tuple[str, float, int, int]:
        """Return (step, when it began, done, total); the epochs of a training are counted by what was measured."""
        if record.step or record.verb != "train":
            return record.step, record.step_at, record.done, record.total
        epochs = [epoch for one in self._measured(record.id) for epoch in one.epochs]
        began = datetime.fromisoformat(record.started_at).timestamp()
        return "training", began, max(epochs, default=0), int(record.settings.get("epochs", 0))

    def _measured(self, run_id: str) -> tuple[Measured, ...]:
        seen = self._seen.setdefault(run_id, _Seen())
        seen.last, new = runs_store.new_metrics(self._ws, run_id, seen.last)
        for one in new:
            if one.epoch is not None:
                epochs, values = seen.curves.setdefault((one.dataset, one.name), ([], []))
                epochs.append(one.epoch)
                values.append(one.value)
        return tuple(
            Measured(dataset, name, tuple(epochs), tuple(values))
            for (dataset, name), (epochs, values) in seen.curves.items()
        )


def snapshot(ws: Workspace, run_id: str) -> RunSnapshot:
    """Return how the run with this id (or beginning of one) stands now. Errors: storage's own for no such run."""
    return RunWatcher(ws).look(run_id)


def lasted(record: RunRecord) -> float:
    """Seconds from the beginning of a run to its end, to now while it runs, or to its last heartbeat if it is lost."""
    began = datetime.fromisoformat(record.started_at).timestamp()
    if record.ended_at and record.state not in ("RUNNING", "LOST"):
        return max(0.0, datetime.fromisoformat(record.ended_at).timestamp() - began)
    return max(0.0, (record.heartbeat if record.state == "LOST" else time.time()) - began)


def _rate(record: RunRecord, step_at: float, done: int, tasks_since: int) -> float | None:
    """Units of the step a second until the last heartbeat; what a killed run had done before does not count."""
    spent = record.heartbeat - step_at
    since = min(tasks_since, done) if tasks_since else done
    return since / spent if spent > 0 and since > 0 and step_at > 0 else None


def _stages(record: RunRecord) -> tuple[StageTime, ...]:
    result: dict[str, Any] = record.result or {}
    took = {str(name): float(seconds) for name, seconds in (result.get("stage_seconds") or {}).items()}
    here = record.stage if record.state != "DONE" else ""
    known = STAGES.get(record.verb, ())
    names = [*known, *(name for name in (*took, here) if name and name not in known)]
    found = []
    for name in dict.fromkeys(names):
        if name == here:
            began = result.get("stage_at")
            until = time.time() if record.state == "RUNNING" else record.heartbeat
            seconds = took.get(name, max(0.0, until - float(began)) if began else None)
            found.append(StageTime(name, "now" if record.state == "RUNNING" else "stopped", seconds))
        elif name in took or record.state == "DONE":
            seconds = took.get(name, lasted(record) if known == (name,) else None)
            found.append(StageTime(name, "done", seconds))
        elif record.verb == "train":
            state = "now" if record.state == "RUNNING" else "stopped"
            found.append(StageTime(name, state, lasted(record)))
        else:
            found.append(StageTime(name, "", None))
    return tuple(found)
