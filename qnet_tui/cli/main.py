"""The ``qnet`` command line: groups of commands, each in a file of its own. Imports Typer and nothing heavy."""

import sys
from typing import Any

import typer

from qnet_tui.cli import (
    benchmarks,
    campaign,
    clusters,
    inspection,
    inspection_files,
    merging,
    review,
    rounds,
    runs,
    spectrum,
    tools,
)
from qnet_tui.cli.output import exit_codes

app = typer.Typer(
    name="qnet",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Active learning for DESI's quasar line finder. A campaign: init, ingest, truth import, truth split, "
        "run-al, label, merge, run-al again, train. Start with: qnet demo"
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
) -> None:
    """Take the options that every command shares; without a command show the help."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


for group in (campaign, rounds, inspection, merging, inspection_files, review, spectrum, benchmarks, tools):
    group.register(app)
app.add_typer(campaign.truth_app, name="truth")
app.add_typer(campaign.campaign_app, name="campaign")
app.add_typer(inspection.vi_app, name="vi")
app.add_typer(runs.runs_app, name="runs")
app.add_typer(clusters.cluster_app, name="cluster")
app.add_typer(tools.weights_app, name="weights")


def run(screens: Any, arguments: list[str] | None = None) -> None:
    """Run the command line; ``screens`` opens what needs a screen (see :mod:`qnet_tui.__main__`)."""
    with exit_codes():
        app(args=sys.argv[1:] if arguments is None else arguments, obj=screens)
