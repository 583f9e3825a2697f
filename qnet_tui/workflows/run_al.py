"""``qnet run-al``: one round of active learning, as a run that can be killed and resumed.

Stages, in the paper's order with the map first (docs/science.md): plan (truth, map, filters), train the committee,
score the pool (:mod:`qnet_tui.workflows.round_race`: networks stop being asked where a row can no longer be selected),
select, queue. Each stage leaves files that are whole or absent, so ``--resume`` does only what is missing. Only this
driver writes the database.
"""

import contextlib
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.settings as campaign
import storage.truth as truth_store
from qnet_tui.compute.slurm_site import SlurmSite
from qnet_tui.compute.where import Where
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.driven_run import driven_run
from qnet_tui.workflows.presets import RoundSettings, recorded_settings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import RoundFiles, committee_members
from qnet_tui.workflows.round_plan import Plan, make_plan
from qnet_tui.workflows.round_race import score_round
from qnet_tui.workflows.round_runner import RoundTask, Runner
from qnet_tui.workflows.round_selection import described, make_selection, validation_counts
from qnet_tui.workflows.run_al_tasks import train_member
from qnet_tui.workflows.versions import versions
from storage.errors import StorageError
from storage.workspace import Workspace


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
    race: dict[str, Any] = field(default_factory=dict)
    training: int = 0
    training_qso: int = 0
    filtered: dict[str, int] = field(default_factory=dict)
    map: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] | None = None
    failed_networks: list[dict[str, str]] = field(default_factory=list)
    not_copied: int = 0
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)


def run_round(
    root: Path,
    settings: RoundSettings,
    *,
    jobs: int = 1,
    site: SlurmSite | None = None,
    command: str = "",
    progress: Progress = silent,
) -> RoundResult:
    """Run one round on the workspace at ``root``, with ``jobs`` workers here or on the cluster ``site``.

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
        return _drive(ws, run_id, number, settings, _where(ws, number, jobs, site), progress)


def resume_round(
    root: Path, run: str, *, jobs: int = 1, site: SlurmSite | None = None, progress: Progress = silent
) -> RoundResult:
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
        number = record.round or 0
        settings = recorded_settings(record.settings)
        return _drive(ws, record.id, number, settings, _where(ws, number, jobs, site), progress)


def _where(ws: Workspace, number: int, jobs: int, site: SlurmSite | None) -> Where:
    root = ws.round_dir(number)
    return Where(jobs=jobs, log=root / "log", site=site, folder=root / "workers")


def _unfinished(ws: Workspace) -> runs_store.RunRecord | None:
    """The round that is under way, or that was left with something worth resuming: a complete plan."""
    for run in runs_store.runs(ws):
        if run.verb != "run-al" or run.state == "DONE":
            continue
        if run.state == "RUNNING" or _recorded_plan(ws, run.id) is not None:
            return run
    return None


def _drive(
    ws: Workspace, run_id: str, number: int, settings: RoundSettings, where: Where, progress: Progress
) -> RoundResult:
    files = RoundFiles(ws.round_dir(number))
    result = RoundResult(run=run_id, round=number)
    try:
        with driven_run(ws, run_id, where, result, progress, f"qnet run-al --resume {run_id}") as runner:
            files.make_folders(settings.networks)
            _stages(runner, files, number, settings, result)
    finally:
        with contextlib.suppress(StorageError):
            runs_store.release_driver(ws, run_id)
    return result


def _stages(runner: Runner, files: RoundFiles, number: int, settings: RoundSettings, result: RoundResult) -> None:
    ws, clock = runner.ws, runner.clock
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

    grid = str(campaign.get_setting(ws, "grid", "log"))
    with clock.stage("train"):
        members, failed = _trained(runner, files, number, settings, grid)
    with clock.stage("score"):
        scored = score_round(runner, files, members, settings, number, grid)
    result.networks = len(scored.members)
    result.evaluations, result.evaluations_full = scored.said.evaluations, plan.pool_rows * result.networks
    result.race = scored.race
    result.failed_networks = [{"task": name, "error": why} for name, why in failed.items()]
    with clock.stage("select"):
        counts = validation_counts(files, scored.members, settings)
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
        asked = make_selection(ws, files, scored.said, settings, number, clock.progress)
        if "h_low" in result.race:
            # The promise of a race holds from h_low upward; rounding is not a difference.
            low = result.race["h_low"] - 1e-9
            result.race["below_h_low"] = sum(1 for r in asked.records if not r.rejected and r.entropy < low)
        result.selected = sum(1 for r in asked.records if not r.rejected)
        result.outliers = sum(1 for r in asked.records if r.rejected)
        result.entropy_cut = asked.entropy_cut
        result.undisputed = sum(1 for r in asked.records if not r.rejected and r.entropy == 0)
        result.not_copied = len(asked.not_copied)
        _write_selection(ws, files, number)


def _trained(
    runner: Runner, files: RoundFiles, number: int, settings: RoundSettings, grid: str
) -> tuple[list[int], dict[str, str]]:
    """Train the members that are missing or whose file is not what was written; (members, failures by task).

    In a race that was begun these are the members that began it, and none of them may fail.
    """
    begun = committee_members(files)
    members = list(range(settings.networks)) if begun is None else begun
    common = {"round_dir": str(files.root), "settings": settings.as_dict(), "grid": grid, "round_number": number}
    tasks = [RoundTask(f"train {m}", train_member, {**common, "member": m}, (files.network(m),)) for m in members]
    failed = runner.run(tasks, "training networks")
    damaged = [path for path in runner.damaged("train") if path in {t.files[0] for t in tasks}]
    for path in damaged:
        files.add_note(f"{path} is not what was written: trained again")
        path.unlink(missing_ok=True)
    if damaged:
        failed = runner.run(tasks, "training networks")
    trained = [m for m in members if f"train {m}" not in failed]
    if begun is not None and failed:
        raise QnetError(f"a network of the race could not be trained again: {next(iter(failed.values()))}")
    _enough(trained, settings, failed)
    return trained, failed


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
