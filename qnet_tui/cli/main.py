"""The ``qnet`` command line: groups of commands, each in a file of its own. Imports Typer and nothing heavy."""

import sys
from pathlib import Path
from typing import Any

import typer

from qnet_tui.cli import (
    benchmarks,
    campaign,
    clusters,
    exporting,
    inspection,
    inspection_files,
    merging,
    review,
    rounds,
    runs,
    scoring,
    spectrum,
    status,
    study,
    tools,
)
from qnet_tui.cli.output import WorkspaceOption, any_letters, exit_codes

app = typer.Typer(
    name="qnet",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Active learning for DESI's quasar line finder. A campaign: init, ingest, truth import, truth split, "
        "run-al, label, merge, run-al again, train. Start with: qnet demo; in a workspace: qnet"
    ),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from qnet_tui import __version__

        typer.echo(f"qnet {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    _version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
    workspace: Path | None = WorkspaceOption,
) -> None:
    """Without a command open the home screen of the workspace on a terminal; elsewhere show the help."""
    if ctx.invoked_subcommand is not None:
        if workspace is not None:
            raise typer.BadParameter(f"-w comes after the command: qnet {ctx.invoked_subcommand} -w {workspace}")
        return
    home = _home(workspace) if ctx.obj is not None and _on_terminal() else None
    if home is None:
        typer.echo(ctx.get_help())
        return
    raise typer.Exit(ctx.obj.home(home))


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _home(given: Path | None) -> Path | None:
    """The workspace whose home screen is meant; None where there is none, unless one was named."""
    from qnet_tui.cli.campaign import find_workspace
    from storage.errors import NotAWorkspace

    try:
        return find_workspace(given)
    except NotAWorkspace:
        if given is not None:
            raise
        return None


for group in (
    campaign,
    rounds,
    inspection,
    merging,
    inspection_files,
    review,
    exporting,
    spectrum,
    benchmarks,
    tools,
    scoring,
    status,
    study,
):
    group.register(app)
app.add_typer(campaign.truth_app, name="truth")
app.add_typer(campaign.campaign_app, name="campaign")
app.add_typer(inspection.vi_app, name="vi")
app.add_typer(runs.runs_app, name="runs")
app.add_typer(clusters.cluster_app, name="cluster")
app.add_typer(tools.weights_app, name="weights")


def run(screens: Any, arguments: list[str] | None = None) -> None:
    """Run the command line; ``screens`` opens what needs a screen (see :mod:`qnet_tui.__main__`)."""
    any_letters()
    with exit_codes():
        app(args=sys.argv[1:] if arguments is None else arguments, obj=screens)
