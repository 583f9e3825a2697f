"""``qnet runs``: what ran and how it stands, and what is done about it."""

import csv
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JobsOption, JsonOption, WorkspaceOption, available_cores, emit, plain, progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from qnet_tui.workflows.run_watch import RunSnapshot

runs_app = typer.Typer(help="Run histories: what ran, how it stands, what differs.", no_args_is_help=True)
RunArgument = typer.Argument(..., metavar="RUN", help="Id, or the beginning of one.")
_LOOK_SECONDS = 1.0
_STEP_SECONDS = 10.0  # Off a screen, a step that merely went on is told no more often.


@runs_app.command("list")
def list_(
    state: list[str] | None = typer.Option(None, "--state", help="Only RUNNING, DONE, FAILED, STOPPED or LOST."),
    since: str = typer.Option("", metavar="WHEN", help="Begun since: 2026-11-20, 2026-11-20T14:00, 12h, 3d."),
    sort: str = typer.Option("started", help="started, run, state, verb, seconds, round, networks, seed, headline."),
    limit: int | None = typer.Option(None, min=1, help="At most so many."),
    everything: bool = typer.Option(False, "--all", help="Also those that were removed."),
    workspace: Path | None = WorkspaceOption,
    as_csv: bool = typer.Option(False, "--csv", help="Comma-separated values."),
    as_json: bool = JsonOption,
) -> None:
    """List runs, newest first. Example: qnet runs list --state LOST --since 3d

    On a terminal the columns that fit; into a file or pipe all of them. LOST: its process is gone, or was not heard of
    for a minute. JSON keys: run, verb, state, started, finished, seconds, round, stage, networks_done, networks, seed,
    note, truth, headline, headline_of, host, removed. Exit code 0, also of an empty list.
    """
    from qnet_tui.cli.run_text import list_lines
    from qnet_tui.workflows.runs import RunLine, list_runs

    runs = list_runs(
        find_workspace(workspace), states=state or (), since=since, sort=sort, limit=limit, include_removed=everything
    )
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(RunLine.__dataclass_fields__)
        writer.writerows(["" if cell is None else cell for cell in plain(one).values()] for one in runs)
        return
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    emit(runs, as_json, list_lines(runs, columns) if runs else ["no runs"])


@runs_app.command("show")
def show(run: str = RunArgument, workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Show all that is known of one run. Example: qnet runs show al-0001

    JSON keys: line{}, host, pid, heartbeat_age, command, settings{}, versions{}, truth_hash, result{}, metrics[],
    resume, job, changed[], inputs[], stage_seconds{}, failed_tasks, failures[], log, artefacts[], again.
    """
    from qnet_tui.cli.run_text import detail_lines
    from qnet_tui.workflows.runs import show_run

    detail = show_run(find_workspace(workspace), run)
    emit(detail, as_json, detail_lines(detail))


@runs_app.command("compare")
def compare(
    runs: list[str] = typer.Argument(..., metavar="RUN RUN...", help="Two runs or more."),
    everything: bool = typer.Option(False, "--all", help="Also what is the same in all of them."),
    force: bool = typer.Option(False, "--force", help="Compare figures in spite of different validation objects."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Show what differs between runs, + at the better figure. Example: qnet runs compare al-0001 al-0002

    Figures that were measured on different held-out objects are left out, and it is said why. JSON keys: runs[],
    rows[{group, name, values[], differs, better[]}], same, comparable, why. Exit code 0.
    """
    from qnet_tui.cli.run_text import compared_lines
    from qnet_tui.workflows.runs_compare import compare_runs

    found = compare_runs(find_workspace(workspace), runs, everything=everything, force=force)
    emit(found, as_json, compared_lines(found, everything))


@runs_app.command("watch")
def watch(
    ctx: typer.Context,
    run: str | None = typer.Argument(None, metavar="[RUN]", help="Id  [default: the one at work, else the newest]"),
    as_lines: bool = typer.Option(False, "--plain", help="A line whenever something changed, no screen."),
    charset: str | None = typer.Option(None, help="braille, block or ascii, of the screen."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Watch a run at work: stages, rate, time left, curves. Example: qnet runs watch al-0002

    --json prints how it stands now, and ends. Without a screen it ends with the run: exit code 0 when it is DONE,
    1 otherwise. JSON keys: run, verb, state, round, seed, started, seconds, heartbeat_age, stages[], step, done, total,
    rate, seconds_left, workers, networks_done, networks, failures, last_failure, error, headline, measured[], losses[],
    resume.
    """
    from qnet_tui.workflows.run_watch import RunWatcher

    root = find_workspace(workspace)
    if not (as_json or as_lines) and sys.stdout.isatty() and sys.stdin.isatty() and ctx.obj is not None:
        raise typer.Exit(ctx.obj.watch(root, run, charset))
    watcher = RunWatcher.open(root)
    try:
        chosen = watcher.run_id(run)
        if as_json:
            emit(watcher.look(chosen), True, ())
            return
        ended = _follow(watcher.look, chosen)
    finally:
        watcher.close()
    raise typer.Exit(0 if ended.state == "DONE" else 1)


@runs_app.command("stop")
def stop(run: str = RunArgument, workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Ask a running driver to stop; what is finished is kept. Example: qnet runs stop al-0002"""
    from qnet_tui.workflows.runs import stop_run

    line = stop_run(find_workspace(workspace), run)
    emit(line, as_json, [f"{line.run} was asked to stop; go on with: qnet runs resume {line.run}"])


@runs_app.command("resume")
def resume(
    run: str = RunArgument,
    jobs: int | None = JobsOption,
    cluster: str | None = typer.Option(None, metavar="NAME", help="Work in Slurm jobs (a round)."),
    on_login_node: bool = typer.Option(False, "--on-login-node", help="Heavy work here all the same."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Go on with a stopped, failed or lost run of any verb. Example: qnet runs resume al-0002

    What was finished is not done again. JSON: what the verb itself prints when it ends. Exit code 0 when it is done,
    1 when it failed or was stopped again, 2 when there is nothing to go on with.
    """
    from qnet_tui.workflows.cluster_sites import read_site
    from qnet_tui.workflows.login_node import refuse_heavy_round
    from qnet_tui.workflows.runs import resume_run, show_run

    root = find_workspace(workspace)
    site = None if cluster is None else read_site(cluster)
    jobs = jobs or (available_cores() if site is None else site.workers)
    line = show_run(root, run).line
    if line.verb == "run-al" and line.state not in ("RUNNING", "DONE") and site is None and not on_login_node:
        refuse_heavy_round(root, line.run, jobs)
    with progress() as tell:
        result = resume_run(root, line.run, jobs=jobs, site=site, progress=tell)
    seconds = getattr(result, "seconds", None)
    took = f" in {seconds:.0f} s" if isinstance(seconds, float) else ""
    emit(result, as_json, [f"{line.run} is done{took}; all of it: qnet runs show {line.run}"])


@runs_app.command("note")
def note(
    run: str = RunArgument,
    text: str = typer.Argument(..., metavar="TEXT"),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Give a run a note. Example: qnet runs note al-0001 'first try'"""
    from qnet_tui.workflows.runs import annotate

    line = annotate(find_workspace(workspace), run, text)
    emit(line, as_json, [f"{line.run}: {line.note}"])


@runs_app.command("rm")
def remove(
    run: str = RunArgument,
    restore: bool = typer.Option(False, "--restore", help="Put a removed run back."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Take a run off the list; an unfinished round is given up. Example: qnet runs rm al-0002

    Nothing is deleted: --restore puts it back, with the files of its round.
    """
    from qnet_tui.workflows.runs import remove_run, restore_run

    root = find_workspace(workspace)
    line = restore_run(root, run) if restore else remove_run(root, run)
    words = "is back on the list" if restore else f"is off the list (back with: qnet runs rm --restore {line.run})"
    emit(line, as_json, [f"{line.run} {words}"])


def _follow(look: "Callable[[str], RunSnapshot]", run: str) -> "RunSnapshot":
    """Print a line whenever something changed, until the run has ended; return how it ended."""
    from qnet_tui.cli.run_text import watch_line

    told: tuple[object, ...] = ()
    done_told, at = -1, 0.0
    while True:
        now = look(run)
        stage = next((one.name for one in now.stages if one.state == "now"), "")
        seen = (now.state, stage, now.step, now.failures, now.headline)
        went_on = now.done != done_told and time.monotonic() - at >= _STEP_SECONDS
        if seen != told or went_on:
            told, done_told, at = seen, now.done, time.monotonic()
            sys.stdout.write(watch_line(now) + "\n")
            sys.stdout.flush()
        if now.state != "RUNNING":
            return now
        time.sleep(_LOOK_SECONDS)
