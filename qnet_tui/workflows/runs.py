"""``qnet runs``: what ran, how it stands, and what to do about it. A run that stopped breathing is LOST."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import storage.rounds as rounds_store
import storage.runs as runs_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.run_detail import RunDetail, show_run
from qnet_tui.workflows.run_facts import headline, seconds_of
from qnet_tui.workflows.run_watch import lasted
from storage.runs import RunRecord
from storage.workspace import Workspace

if TYPE_CHECKING:
    from qnet_tui.compute.slurm_site import SlurmSite

__all__ = [
    "RunDetail",
    "RunLine",
    "annotate",
    "list_runs",
    "remove_run",
    "restore_run",
    "resume_run",
    "run_line",
    "run_of_round",
    "show_run",
    "stop_run",
]

STATES = ("RUNNING", "DONE", "FAILED", "STOPPED", "LOST")
SORTS = ("started", "run", "state", "verb", "seconds", "round", "networks", "seed", "headline")
_AGO = re.compile(r"(\d+)\s*(m|min|h|d|w)$")
_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True)
class RunLine:
    """One run in the list; ``seconds`` it took, or has taken so far; ``truth`` is the beginning of the truth's hash.

    ``headline`` is its one figure, ``headline_of`` what that is: completeness, agreement.
    """

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
    truth: str = ""
    headline: float | None = None
    headline_of: str = ""
    host: str = ""
    removed: bool = False


def list_runs(
    root: Path,
    *,
    states: Sequence[str] = (),
    since: str = "",
    sort: str = "started",
    limit: int | None = None,
    include_removed: bool = False,
) -> list[RunLine]:
    """Runs, newest first; ``sort`` by another of :data:`SORTS` puts the largest first and what is unknown last.

    ``since`` is a day or a time (ISO 8601, UTC), or how long ago: 90m, 12h, 3d, 2w. Errors: :class:`BadInput` for a
    state, a time or an order that there is not.
    """
    wanted = {state.upper() for state in states}
    if unknown := sorted(wanted - set(STATES)):
        raise BadInput(f"no state is called {unknown[0]}", mend=f"choose {', '.join(STATES)}")
    if sort not in SORTS:
        raise BadInput(f"runs cannot be sorted by {sort!r}", mend=f"choose {', '.join(SORTS)}")
    after = _moment(since) if since else ""
    with Workspace.open(root) as ws:
        records = [
            record
            for record in runs_store.runs(ws, include_hidden=include_removed)
            if (not wanted or record.state in wanted) and record.started_at >= after
        ]
        lines = [run_line(ws, record) for record in records]
    if sort != "started":
        key = {"networks": "networks_done"}.get(sort, sort)
        # A stable order: what is alike stays newest first, what is not known comes last.
        known = [line for line in lines if getattr(line, key) is not None]
        known.sort(key=lambda line: getattr(line, key), reverse=sort not in ("run", "state", "verb"))
        lines = known + [line for line in lines if getattr(line, key) is None]
    return lines if limit is None else lines[:limit]


def stop_run(root: Path, run: str) -> RunLine:
    """Ask a running driver on this host to stop after its tasks in hand.

    Errors: :class:`BadInput` when it does not run, or runs on another host (said which); :class:`QnetError` when its
    process is another account's.
    """
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        if record.state != "RUNNING":
            raise BadInput(f"{record.id} is {record.state.lower()}, there is nothing to stop")
        if record.host != os.uname().nodename:
            there = f"scancel {record.job}" if record.job else f"there: kill {record.pid}"
            raise BadInput(f"{record.id} runs on {record.host}", mend=there)
        try:
            os.kill(record.pid, signal.SIGTERM)
        except ProcessLookupError:
            raise BadInput(f"{record.id} has just ended, there is nothing to stop") from None
        except PermissionError:
            raise QnetError(
                f"{record.id} is process {record.pid} of another account", mend="ask whoever started it to stop it"
            ) from None
        return run_line(ws, record)


def resume_run(
    root: Path, run: str, *, jobs: int = 1, site: SlurmSite | None = None, progress: Progress = silent
) -> Any:
    """Go on with a stopped, failed or lost run of any verb; what its verb says when it ends is returned.

    ``site`` puts the tasks of a round into Slurm jobs. Errors: :class:`BadInput` for a run that is at work, done,
    removed, or of a verb that cannot be gone on with; whatever the verb itself refuses.
    """
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
    if record.state == "RUNNING":
        raise BadInput(
            f"{record.id} is at work on {record.host} (process {record.pid})", mend=f"qnet runs watch {record.id}"
        )
    if record.state == "DONE":
        raise BadInput(f"{record.id} is done", mend=f"qnet runs show {record.id} prints the command that repeats it")
    if record.hidden:
        raise BadInput(f"{record.id} was removed", mend=f"qnet runs rm --restore {record.id} brings it back")
    go_on = _resumers(jobs, site, progress).get(record.verb)
    if go_on is None:
        raise BadInput(f"a run of {record.verb} cannot be gone on with", mend="run its command again")
    return go_on(root, record.id)


def annotate(root: Path, run: str, note: str) -> RunLine:
    """Give a run a note, one line: the list prints it, and a terminal obeys what is no letter."""
    note = " ".join("".join(letter if letter.isprintable() else " " for letter in note).split())
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        runs_store.update_run(ws, record.id, note=note)
        return run_line(ws, runs_store.get_run(ws, record.id))


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
        if record.verb == "run-al" and record.round and not record.hidden:
            folder = ws.round_dir(int(record.round))
            if folder.exists():
                folder.rename(_aside(folder, record))
        runs_store.update_run(ws, record.id, hidden=True)
        return run_line(ws, runs_store.get_run(ws, record.id))


def restore_run(root: Path, run: str) -> RunLine:
    """Put a removed run back on the list, and the files of a round that was given up with it back in their place.

    Errors: :class:`BadInput` when it was not removed, or its round is another run's by now.
    """
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        if not record.hidden:
            raise BadInput(f"{record.id} was not removed")
        if record.verb == "run-al" and record.round:
            number = int(record.round)
            taken = [
                other.id
                for other in runs_store.runs(ws)
                if other.verb == "run-al" and other.round == number and other.id != record.id
            ]
            if taken or rounds_store.selection(ws, number, include_withdrawn=True):
                whose = f"{taken[0]}'s" if taken else "another's"
                raise BadInput(f"round {number} is {whose} by now", mend="one round has one run")
            folder = ws.rounds_dir / f"{number:03d}"
            aside = _aside(folder, record)
            if aside.exists():
                if folder.exists():
                    folder.rmdir()
                aside.rename(folder)
        runs_store.update_run(ws, record.id, hidden=False)
        return run_line(ws, runs_store.get_run(ws, record.id))


def run_of_round(ws: Workspace, number: int) -> RunRecord:
    """The run that made a round. Errors: :class:`BadInput` when there is none."""
    for record in runs_store.runs(ws):
        if record.verb == "run-al" and record.round == number:
            return record
    raise BadInput(f"no run made round {number}", mend="see qnet runs list")


def run_line(ws: Workspace, record: RunRecord) -> RunLine:
    """A run as the list has it."""
    figure = headline(record)
    seconds = seconds_of(record.result or {}) if record.state == "DONE" else None
    return RunLine(
        run=record.id,
        verb=record.verb,
        state=record.state,
        started=record.started_at,
        finished=record.ended_at or "",
        seconds=lasted(record) if seconds is None else seconds,
        round=record.round,
        stage=record.stage or "",
        networks_done=runs_store.finished_networks(ws, record.id),
        networks=record.settings.get("networks") if record.verb == "run-al" else None,
        seed=record.seed,
        note=record.note or "",
        truth=record.truth_hash[:8],
        headline=figure[1] if figure else None,
        headline_of=figure[0] if figure else "",
        host=record.host,
        removed=record.hidden,
    )


def _resumers(jobs: int, site: SlurmSite | None, progress: Progress) -> dict[str, Callable[[Path, str], Any]]:
    """How each verb goes on; its module is loaded only when it is asked."""

    def round_(root: Path, run: str) -> Any:
        from qnet_tui.workflows.run_al import resume_round

        return resume_round(root, run, jobs=jobs, site=site, progress=progress)

    def training(root: Path, run: str) -> Any:
        from qnet_tui.workflows.train import resume_train

        return resume_train(root, run, progress=progress)

    def datasets(root: Path, run: str) -> Any:
        from qnet_tui.workflows.datasets_run import resume_datasets

        return resume_datasets(root, run, jobs=jobs, progress=progress)

    def study(root: Path, run: str) -> Any:
        from qnet_tui.workflows.study import resume_study

        return resume_study(root, run, jobs=jobs, progress=progress)

    def compare(root: Path, run: str) -> Any:
        from qnet_tui.workflows.weights_comparison import resume_compare

        return resume_compare(root, run, jobs=jobs, progress=progress)

    return {"run-al": round_, "train": training, "datasets": datasets, "study": study, "compare": compare}


def _aside(folder: Path, record: RunRecord) -> Path:
    return folder.with_name(f"{folder.name}.given-up.{record.id}")


def _moment(text: str) -> str:
    """The time meant, as the database writes times. Errors: BadInput."""
    ago = _AGO.match(text.strip().lower())
    try:
        when = (
            datetime.now(UTC) - timedelta(seconds=int(ago.group(1)) * _UNITS[ago.group(2)])
            if ago
            else datetime.fromisoformat(text.strip())
        )
    except (ValueError, OverflowError):
        raise BadInput(f"{text!r} is no time", mend="as in 2026-11-20, 2026-11-20T14:00, 12h or 3d") from None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
