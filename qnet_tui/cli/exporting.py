"""``qnet export``: tables for others."""

from pathlib import Path

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JsonOption, WorkspaceOption, emit, plain


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(export)


def export(
    kind: str = typer.Argument(..., metavar="KIND", help="selection, scores, votes, merged, truth, events or dropped."),
    out: Path = typer.Option(..., "--out", "-o", help="File to write, or a folder for the name the field gives it."),
    round_number: int | None = typer.Option(None, "--round", help="Round  [default: the last, or all]"),
    format: str = typer.Option(  # noqa: A002
        "ours", help="ours; votes also prospect; merged and truth also desi-merged, edr, quasarnet."
    ),
    inspector: str | None = typer.Option(None, metavar="CODE", help="Whose votes  [default: everybody's]"),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Write a table for others. Example: qnet export votes --format prospect --inspector ABC -o inspections/"""
    from qnet_tui.workflows.export import export as verb

    result = verb(find_workspace(workspace), kind, out, round_number=round_number, format=format, inspector=inspector)
    lines = [f"{result.rows:,} rows in {result.file}", *(f"  {place}" for place in result.files if place != out)]
    said = {name: value for name, value in plain(result).items() if value or name in ("rows", "file")}
    emit(said, as_json, [*lines, *(f"  {note}" for note in result.notes)])
