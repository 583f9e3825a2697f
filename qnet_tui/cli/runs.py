"""``qnet runs``: what ran and how it stands."""

from pathlib import Path

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JsonOption, WorkspaceOption, emit, number, table

runs_app = typer.Typer(help="Run histories.", no_args_is_help=True)
RunArgument = typer.Argument(..., metavar="RUN", help="Id, or the beginning of one.")


@runs_app.command("list")
def list_(workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """List runs, newest first. Example: qnet runs list"""
    from qnet_tui.workflows.runs import list_runs

    lines = list_runs(find_workspace(workspace))
    emit(
        lines,
        as_json,
        table(
            ("run", "state", "verb", "round", "started", "seconds", "networks", "seed", "note"),
            [
                (r.run, r.state, r.verb, r.round, r.started[:19], r.seconds,
                 f"{r.networks_done}/{r.networks}" if r.networks else "", r.seed, r.note)
                for r in lines
            ],
            digits=0,
        ),
    )  # fmt: skip


@runs_app.command("show")
def show(run: str = RunArgument, workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Show all that is known of one run. Example: qnet runs show al-0001"""
    from qnet_tui.workflows.runs import show_run

    detail = show_run(find_workspace(workspace), run)
    line = detail.line
    lines = [
        f"{line.run}  {line.state}  {line.verb}" + (f"  round {line.round}" if line.round else ""),
        f"  started   {line.started[:19]}Z  on {detail.host}, process {detail.pid}",
        f"  ended     {line.finished[:19] + 'Z' if line.finished else '-'}",
        f"  command   {detail.command}",
        *([f"  truth     {detail.truth_hash}"] if detail.truth_hash else []),
        *([f"  resume    {detail.resume}"] if detail.resume else []),
        *([f"  note      {line.note}"] if line.note else []),
    ]
    for title, values in (
        ("settings", detail.settings),
        ("versions", detail.versions),
        ("result", detail.result),
    ):
        lines.append(title)
        lines += [f"  {name:<24}{number(value) if not isinstance(value, (dict, list)) else value}"
                  for name, value in values.items()]  # fmt: skip
    emit(detail, as_json, lines)


@runs_app.command("stop")
def stop(run: str = RunArgument, workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Ask a running driver to stop; what is finished is kept. Example: qnet runs stop al-0002"""
    from qnet_tui.workflows.runs import stop_run

    line = stop_run(find_workspace(workspace), run)
    emit(line, as_json, [f"{line.run} was asked to stop; go on with: qnet run-al --resume {line.run}"])


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
def remove(run: str = RunArgument, workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Take a run off the list; an unfinished round is given up. Example: qnet runs rm al-0002"""
    from qnet_tui.workflows.runs import remove_run

    line = remove_run(find_workspace(workspace), run)
    emit(line, as_json, [f"{line.run} is off the list"])
