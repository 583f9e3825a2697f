"""Commands of the merger: merge, and how well the inspectors agree."""

import getpass
from pathlib import Path

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JsonOption, WorkspaceOption, emit


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(merge)


def merge(
    workspace: Path | None = WorkspaceOption,
    accept_agreed: bool = typer.Option(False, "--accept-agreed", help="Merge what the inspectors agree on."),
    round_number: int | None = typer.Option(None, "--round", help="Only this round  [default: all]"),
    unseen: bool = typer.Option(False, "--unseen", help="Without a look at a random tenth; recorded."),
    code: str | None = typer.Option(None, "--as", metavar="CODE", help="Who merges."),
    as_json: bool = JsonOption,
) -> None:
    """Turn agreed votes into truth. Example: qnet merge --accept-agreed"""
    from qnet_tui.errors import BadInput
    from qnet_tui.workflows.merge import accept_agreed as verb

    if not accept_agreed:
        raise BadInput("say what to merge", mend="qnet merge --accept-agreed")
    result = verb(find_workspace(workspace), getpass.getuser(), code=code, round_number=round_number, unseen=unseen)
    emit(
        result,
        as_json,
        [
            f"{result.merged} objects merged into the truth; {result.trainable} of quality >= 2.5 will train",
            f"  {result.already} were merged before, {result.conflicts} in conflict, {result.open} wait for votes",
        ],
    )
