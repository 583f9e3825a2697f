"""qnet bench: what qnet does beside what users have today, in one run."""

from pathlib import Path

import typer

from qnet_tui.cli.output import JsonOption, emit, number, progress, table

bench_app = typer.Typer(help="Measure qnet beside what users have today, as ratios in one run.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(bench_app, name="bench")


@bench_app.command("screen")
def bench_screen(
    file: Path | None = typer.Option(None, "--file", help="Spectra to use  [default: quasars of the sample]"),
    quick: bool = typer.Option(False, "--quick", help="One size and few keys: does it run, not how fast."),
    as_json: bool = JsonOption,
) -> None:
    """Bytes and time of a key at the label screen, beside plotting libraries. Example: qnet bench screen --quick"""
    from qnet_tui.workflows.bench_screen import bench_screen as verb

    with progress() as show:
        found = verb(file, quick=quick, progress=show)
    rows = [
        (one.name, number(one.ours, 1), number(one.peer, 1), number(one.ratio, 3), one.unit,
         "" if one.target is None else f"{one.target:g}", {True: "yes", False: "NO", None: ""}[one.met],
         "exact" if one.exact else "", one.detail)
        for one in found
    ]  # fmt: skip
    emit(found, as_json, table(("what", "ours", "peer", "ratio", "unit", "at most", "met", "", "how"), rows))
