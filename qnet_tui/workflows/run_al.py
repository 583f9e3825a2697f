"""``qnet run-al``: one round of active learning, as a run that can be killed and resumed.

Stages, in the paper's order with the map first (docs/science.md): plan (truth, map, filters), train the committee,
score the pool, select, queue. Each stage leaves files that are whole or absent, so ``--resume`` does only what is
missing. Only this driver writes the database.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.settings as campaign
import storage.truth as truth_store
from qnet_tui.compute.driver import run_tasks
from qnet_tui.compute.tasks import Outcome, Task
from qnet_tui.compute.where import Where
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import RoundFiles
from qnet_tui.workflows.round_plan import Plan, make_plan
from qnet_tui.workflows.round_selection import described, make_selection, validation_counts
from qnet_tui.workflows.run_al_tasks import BLOCK_VALIDATION, score_member, train_member
from qnet_tui.workflows.versions import versions
from storage.errors import StorageError
from storage.workspace import Workspace

HEARTBEAT_SECONDS = 10.0


@dataclass
class RoundResult:
    """What ``qnet run-al`` says."""

    run: str
    round: int
    networks: int = 0
    rows: int = 0
    rejected: int = 0
    rejected_cells: int = 0
    unique: int = 0
    selected: int = 0
    outliers: int = 0
    undisputed: int = 0
    entropy_cut: float = float("nan")
    evaluations: int = 0
    evaluations_full: int = 0
    training: int = 0
    training_qso: int = 0
    filtered: dict[str, int] = field(default_factory=dict)
    map: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] | None = None
    failed_networks: list[dict[str, str]] = field(default_factory=list)
    not_copied: int = 0
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)


class Stopped(QnetError):
    """The run was asked to stop; what was finished is on disk."""


def run_round(
    root: Path, settings: RoundSettings, *, jobs: int = 1, command: str = "", progress: Progress = silent
) -> RoundResult:
    """Run one round on the workspace at ``root``.

    Errors: :class:`BadInput` without spectra or truth, or when a round is unfinished; ``DriverRunning`` when another
    ``run-al`` drives this workspace; :class:`Stopped` after SIGTERM or Ctrl-C (resume it).
    """
    with Workspace.open(root) as ws:
        unfinished = _unfinished(ws)
        if unfinished is not None and unfinished.state == "RUNNING":
            raise BadInput(
                f"{unfinished.id} is at work on this workspace (host {unfinished.host}, process {unfinished.pid}, "
                f"heard of {unfinished.heartbeat_age:.0f} s ago)",
                mend=f"wait for it, or stop it: qnet runs stop {unfinished.id}",
            )
        if unfinished is not None:
            raise BadInput(
                f"round {unfinished.round} was begun by {unfinished.id} and is {unfinished.state.lower()}",
                mend=f"qnet run-al --resume {unfinished.id}, or give it up: qnet runs rm {unfinished.id}",
            )
        number = rounds_store.next_round(ws)
        run_id = runs_store.new_run(
            ws, "run-al", settings.as_dict(), versions(), seed=settings.seed, round=number, command=command
        )
        try:
            runs_store.claim_driver(ws, run_id)
        except Exception:
            # Two drivers began in the same moment: this one never was.
            runs_store.finish(ws, run_id, "FAILED")
            runs_store.update_run(ws, run_id, hidden=True)
            raise
        return _drive(ws, run_id, number, settings, jobs, progress)


def resume_round(root: Path, run: str, *, jobs: int = 1, progress: Progress = silent) -> RoundResult:
    """Go on with a killed, stopped or failed ``run-al`` where it was; at most the tasks in hand are done again.

    Errors: :class:`BadInput` when ``run`` is no unfinished run-al of this workspace.
    """
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        if record.verb != "run-al":
            raise BadInput(f"{record.id} is a run of {record.verb}, not of run-al")
        if record.state == "DONE":
            raise BadInput(f"{record.id} is done", mend="qnet run-al starts the next round")
        if record.hidden:
            raise BadInput(f"{record.id} was given up", mend="qnet run-al starts the round anew")
        later = [r.id for r in runs_store.runs(ws) if r.verb == "run-al" and r.round == record.round]
        if later[0] != record.id:
            raise BadInput(f"round {record.round} is {later[0]}'s now", mend=f"qnet run-al --resume {later[0]}")
        runs_store.claim_driver(ws, record.id)
        return _drive(ws, record.id, record.round or 0, RoundSettings(**record.settings), jobs, progress)


def _unfinished(ws: Workspace) -> runs_store.RunRecord | None:
    """The round that is under way, or that was left with something worth resuming: a complete plan."""
    for run in runs_store.runs(ws):
        if run.verb != "run-al" or run.state == "DONE":
            continue
        if run.state == "RUNNING" or _recorded_plan(ws, run.id) is not None:
            return run
    return None


def _drive(
    ws: Workspace, run_id: str, number: int, settings: RoundSettings, jobs: int, progress: Progress
) -> RoundResult:
    files = RoundFiles(ws.round_dir(number))
    result = RoundResult(run=run_id, round=number)
    began = time.monotonic()
    try:
        files.make_folders(settings.networks)
        with _stop_signals() as stopped:
            clock = _Clock(ws, run_id, result, progress, stopped)
            _stages(ws, files, number, settings, jobs, result, clock)
        result.seconds = time.monotonic() - began
        runs_store.finish(ws, run_id, "DONE", asdict(result))
    except (Stopped, KeyboardInterrupt, SystemExit):
        runs_store.finish(ws, run_id, "STOPPED", asdict(result))
        raise Stopped("the run was stopped", mend=f"go on with: qnet run-al --resume {run_id}") from None
    except Exception as error:
        # A full disk must not hide its own cause behind a second failure to write it down.
        try:
            runs_store.finish(ws, run_id, "FAILED", {**asdict(result), "error": " ".join(str(error).split())})
        except Exception as second:
            error.add_note(f"and the failure could not be recorded: {second}")
        raise
    finally:
        with contextlib.suppress(StorageError):
            runs_store.release_driver(ws, run_id)
    return result


def _stages(
    ws: Workspace,
    files: RoundFiles,
    number: int,
    settings: RoundSettings,
    jobs: int,
    result: RoundResult,
    clock: "_Clock",
) -> None:
    with clock.stage("plan"):
        plan = _recorded_plan(ws, result.run)
        if plan is None:
            runs_store.update_run(ws, result.run, truth_hash=truth_store.truth_hash(ws))
            plan = make_plan(ws, files, settings, number, clock.progress)
            runs_store.register_task(ws, result.run, "plan", "plan", "DONE", str(files.pool), None, 0.0, asdict(plan))
    result.networks, result.rows = settings.networks, plan.rows
    result.rejected, result.rejected_cells, result.unique = plan.rejected, plan.rejected_cells, plan.unique
    result.training, result.training_qso = plan.training, plan.training_qso
    result.filtered, result.map = plan.filtered, plan.map_facts
    result.evaluations_full = plan.pool_rows * settings.networks

    grid = str(campaign.get_setting(ws, "grid", "log"))
    common = {"round_dir": str(files.root), "settings": settings.as_dict(), "grid": grid}
    where = Where(jobs=jobs, log=files.root / "log")
    with clock.stage("train"):
        tasks = [
            Task(f"train {m}", train_member, {**common, "round_number": number, "member": m})
            for m in range(settings.networks)
        ]
        failed = _run(ws, result, where, tasks, "training networks", clock)
        members = [m for m in range(settings.networks) if f"train {m}" not in failed]
        _enough(members, settings, failed)
    with clock.stage("score"):
        blocks: list[int | str] = list(range(plan.blocks(settings.block_rows)))
        if files.validation.exists():
            blocks.append(BLOCK_VALIDATION)
        tasks = [
            Task(f"score {m} {b}", score_member, {**common, "member": m, "block": b}) for m in members for b in blocks
        ]
        unscored = _run(ws, result, where, tasks, "scoring", clock)
        bad = {int(name.split()[1]) for name in unscored}
        members = [m for m in members if m not in bad]
        _enough(members, settings, unscored)
    result.networks = len(members)
    result.evaluations = plan.pool_rows * len(members)
    result.failed_networks = [{"task": name, "error": why} for name, why in {**failed, **unscored}.items()]
    with clock.stage("select"):
        counts = validation_counts(files, members, settings)
        if counts is not None:
            result.validation = described(counts)
            runs_store.add_metrics(
                ws,
                result.run,
                [
                    ("validation", None, "completeness", counts.completeness, counts.tp + counts.fn),
                    ("validation", None, "purity", counts.purity, counts.tp + counts.fp),
                ],
            )
        asked = make_selection(ws, files, members, settings, number, clock.progress)
        result.selected = sum(1 for r in asked.records if not r.rejected)
        result.outliers = sum(1 for r in asked.records if r.rejected)
        result.entropy_cut = asked.entropy_cut
        result.undisputed = sum(1 for r in asked.records if not r.rejected and r.entropy == 0)
        result.not_copied = len(asked.not_copied)
        _write_selection(ws, files, number)


def _enough(members: list[int], settings: RoundSettings, failures: dict[str, str]) -> None:
    """A committee that lost more than half of its members is no committee."""
    if len(members) < max(2, settings.networks // 2):
        lost = settings.networks - len(members)
        raise QnetError(f"{lost} of {settings.networks} networks failed: {next(iter(failures.values()))}")


def _write_selection(ws: Workspace, files: RoundFiles, number: int) -> None:
    from qnet_tui.workflows.export import selection_table, write_table

    write_table(files.selection, *selection_table(ws, number))


def _recorded_plan(ws: Workspace, run_id: str) -> Plan | None:
    for task in runs_store.tasks(ws, run_id):
        if task.name == "plan" and task.state == "DONE":
            return Plan(**task.detail)
    return None


def _run(
    ws: Workspace, result: RoundResult, where: Where, tasks: list[Task], words: str, clock: "_Clock"
) -> dict[str, str]:
    """Run what is not registered yet; register each outcome; return the failures."""
    finished = {t.name for t in runs_store.tasks(ws, result.run) if t.state == "DONE" and Path(t.path).exists()}
    todo = [task for task in tasks if task.name not in finished]
    done = len(tasks) - len(todo)
    failures: dict[str, str] = {}

    def on_done(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        kind = outcome.name.split()[0]
        if outcome.error is None:
            made = outcome.value
            runs_store.register_task(
                ws, result.run, outcome.name, kind, "DONE", made.path, made.crc32, made.seconds, made.detail
            )
        else:
            failures[outcome.name] = outcome.error
            runs_store.register_task(
                ws,
                result.run,
                outcome.name,
                kind,
                "FAILED",
                "",
                None,
                outcome.seconds,
                {"error": outcome.error},
            )
        clock.beat(words, done, len(tasks))

    clock.beat(words, done, len(tasks))
    run_tasks(todo, where, on_done, stop=clock.stop)
    clock.check()
    return failures


class _Clock:
    """Times the stages, keeps the heartbeat, and knows whether somebody asked to stop."""

    def __init__(
        self, ws: Workspace, run_id: str, result: RoundResult, progress: Progress, stopped: Callable[[], bool]
    ) -> None:
        self.ws, self.run_id, self.result, self.tell, self.stopped = ws, run_id, result, progress, stopped
        self.last_beat = 0.0

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage; a stop asked for between stages is honoured before the next begins."""
        self.check()
        runs_store.update_run(self.ws, self.run_id, stage=name)
        began = time.monotonic()
        try:
            yield
        finally:
            self.result.stage_seconds[name] = time.monotonic() - began

    def progress(self, stage: str, done: int, total: int) -> None:
        """Pass progress on; leave in the middle of a long stage when asked to stop."""
        self.check()
        self.beat(stage, done, total)

    def beat(self, stage: str, done: int, total: int) -> None:
        """Show progress and tell the database now and then that the driver lives."""
        self.tell(stage, done, total)
        if time.monotonic() - self.last_beat > HEARTBEAT_SECONDS:
            self.last_beat = time.monotonic()
            runs_store.heartbeat(self.ws, self.run_id)

    def stop(self) -> bool:
        """For the workers' loop, which asks about once a second: stop now? Keeps the heartbeat on long tasks."""
        if time.monotonic() - self.last_beat > HEARTBEAT_SECONDS:
            self.last_beat = time.monotonic()
            runs_store.heartbeat(self.ws, self.run_id)
        return self.stopped()

    def check(self) -> None:
        """Leave when somebody asked to stop."""
        if self.stopped():
            raise Stopped("the run was stopped", mend=f"go on with: qnet run-al --resume {self.run_id}")


@contextlib.contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """SIGTERM, SIGHUP and Ctrl-C ask the run to stop at the next task; a second one interrupts at once."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    try:
        previous = {n: signal.signal(n, ask) for n in numbers}
    except ValueError:
        # Not the main thread (the app runs a round in a worker thread): signals belong to the face.
        previous = {}
    try:
        yield lambda: bool(asked)
    finally:
        for n, handler in previous.items():
            signal.signal(n, handler)


def detach(arguments: list[str], log: Path) -> int:
    """Start ``qnet ARGUMENTS`` as a session of its own that outlives this terminal; return its process id."""
    import subprocess

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "qnet_tui", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            env=os.environ.copy(),
        )
    return process.pid
