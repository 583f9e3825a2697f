"""``qnet study``: active learning replayed on a labelled pool, to say what a label chosen by a strategy is worth.

Stages: plan (pool and test objects), start (one committee and one map a replica), then the curve of random labels and
the arms, round by round. Every committee is a task that leaves one whole file, so ``--resume`` trains only those that
are missing; after each stage ``curves.json`` says what is known so far.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.compute.where import Where
from qnet_tui.errors import BadInput
from qnet_tui.workflows.driven_run import driven_run
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_runner import RoundTask, Runner
from qnet_tui.workflows.study_plan import StudyPlan, make_study_plan
from qnet_tui.workflows.study_report import StudyReport, study_report, write_curves
from qnet_tui.workflows.study_settings import RANDOM, START, Arm, StudyFiles, StudySettings, recorded_study
from qnet_tui.workflows.study_tasks import make_cells, make_committee
from qnet_tui.workflows.versions import versions
from storage.files import make_directory
from storage.workspace import Workspace


@dataclass
class StudyResult:
    """What ``qnet study`` says: counts of the plan, the random curve, the worth of every arm, and verdicts.

    ``arms`` are :class:`~qnet_tui.workflows.study_report.ArmWorth` as plain values, one for each arm, round and
    measure; the rows of single replicas are in ``curves.json``.
    """

    run: str
    replicas: int = 0
    state: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    committees: int = 0
    committees_done: int = 0
    advice: str = ""
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    arms: list[dict[str, Any]] = field(default_factory=list)
    random_curve: list[dict[str, Any]] = field(default_factory=list)
    curves: str = ""
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)


def run_study(
    root: Path, settings: StudySettings, *, jobs: int = 1, command: str = "", progress: Progress = silent
) -> StudyResult:
    """Run a study on the labelled objects of the workspace at ``root``, with ``jobs`` workers.

    Errors: :class:`BadInput` for a pool or truth that cannot be studied (nothing is registered then);
    ``round_runner.Stopped`` after SIGTERM or Ctrl-C (resume it).
    """
    with Workspace.open(root) as ws:
        make_study_plan(ws, None, settings)
        run_id = runs_store.new_run(
            ws, "study", settings.as_dict(), versions(), seed=settings.seed, round=None, command=command
        )
        runs_store.update_run(ws, run_id, truth_hash=truth_store.truth_hash(ws))
        return _drive(ws, run_id, settings, jobs, progress)


def resume_study(root: Path, run: str, *, jobs: int = 1, progress: Progress = silent) -> StudyResult:
    """Go on with a killed, stopped or failed study; the committees that are there are kept.

    Errors: :class:`BadInput` when ``run`` is no unfinished study; one that is still running is refused by the store.
    """
    with Workspace.open(root) as ws:
        record = _study(ws, run)
        if record.state == "DONE":
            raise BadInput(f"{record.id} is done", mend=f"qnet study --show {record.id}")
        if record.hidden:
            raise BadInput(f"{record.id} was given up", mend="qnet study starts anew")
        runs_store.resume_run(ws, record.id)
        return _drive(ws, record.id, recorded_study(record.settings), jobs, progress)


def show_study(root: Path, run: str) -> tuple[StudyResult, StudyReport]:
    """What a study found, or has found so far. Errors: :class:`BadInput` when ``run`` is no study."""
    with Workspace.open(root) as ws:
        record = _study(ws, run)
        settings, files = recorded_study(record.settings), StudyFiles(ws.run_dir(record.id))
        result = StudyResult(record.id, settings.seeds, record.state, committees=settings.committees)
        result.settings = settings.as_dict()
        plan = _recorded_plan(ws, record.id)
        result.plan = {} if plan is None else asdict(plan)
        report = study_report(files, settings)
        _say(result, report, files)
        result.seconds = float(record.result.get("seconds", 0.0))
        result.stage_seconds = dict(record.result.get("stage_seconds", {}))
        return result, report


def _study(ws: Workspace, run: str) -> runs_store.RunRecord:
    record = runs_store.get_run(ws, run)
    if record.verb != "study":
        raise BadInput(f"{record.id} is a run of {record.verb}, not of study", mend="see 'qnet runs list'")
    return record


def _drive(ws: Workspace, run_id: str, settings: StudySettings, jobs: int, progress: Progress) -> StudyResult:
    files = StudyFiles(ws.run_dir(run_id))
    result = StudyResult(run_id, settings.seeds, "DONE", settings.as_dict(), committees=settings.committees)
    make_directory(files.root)
    where = Where(jobs=jobs, log=files.root / "log", folder=files.root / "workers")
    with driven_run(ws, run_id, where, result, progress, f"qnet study --resume {run_id}") as runner:
        _stages(runner, files, settings, result)
    return result


def _stages(runner: Runner, files: StudyFiles, settings: StudySettings, result: StudyResult) -> None:
    ws, clock = runner.ws, runner.clock
    with clock.stage("plan"):
        plan = _recorded_plan(ws, result.run)
        if plan is None or not all(path.exists() for path in (files.plan, files.pool, files.test)):
            plan = make_study_plan(ws, files, settings)
            runs_store.register_task(ws, result.run, "plan", "plan", "DONE", str(files.plan), None, 0.0, asdict(plan))
        for r in range(settings.seeds):
            make_directory(files.replica(r))
        for path in (*runner.damaged("committee"), *runner.damaged("map")):
            path.unlink(missing_ok=True)  # Not what was written: made again.
    result.plan = asdict(plan)

    def committees(arm: Arm, spent: int) -> list[RoundTask]:
        common = {
            "run_dir": str(files.root), "settings": settings.as_dict(), "grid": plan.grid, "precision": plan.precision,
            "strategy": arm.strategy, "with_map": arm.map, "spent": spent,
        }  # fmt: skip
        return [
            RoundTask(f"committee {arm.name} {spent} replica {r}", make_committee, {**common, "replica": r},
                      (files.committee(r, arm.name, spent),))
            for r in range(settings.seeds)
        ]  # fmt: skip

    def stage(name: str, tasks: list[RoundTask], words: str) -> None:
        with clock.stage(name):
            runner.run_all(tasks, words)
            report = study_report(files, settings)
            write_curves(files.curves, result.run, report)
            _say(result, report, files)

    maps = [
        RoundTask(f"map replica {r}", make_cells,
                  {"run_dir": str(files.root), "replica": r, "settings": settings.as_dict()}, (files.cells(r),))
        for r in range(settings.seeds)
        if any(arm.map for arm in settings.arms)
    ]  # fmt: skip
    stage("start", [*committees(Arm(START, False), 0), *maps], "training the start")
    # The curve after the first round: so a study that is looked at early already compares something.
    for number in range(1, settings.rounds + 1):
        tasks = [task for arm in settings.arms for task in committees(arm, number * settings.ask)]
        if number == 1:
            tasks = [*(t for n in settings.curve for t in committees(Arm(RANDOM, False), n)), *tasks]
        stage(f"round {number}", tasks, f"training the committees of round {number}")


def _say(result: StudyResult, report: StudyReport, files: StudyFiles) -> None:
    result.committees_done = len(report.rows)
    result.advice = report.advice
    result.verdicts = [asdict(one) for one in report.verdicts]
    result.arms = [asdict(one) for one in report.arms]
    result.random_curve = report.random_curve
    result.curves = str(files.curves)


def _recorded_plan(ws: Workspace, run_id: str) -> StudyPlan | None:
    for task in runs_store.tasks(ws, run_id):
        if task.name == "plan" and task.state == "DONE":
            return StudyPlan(**task.detail)
    return None
