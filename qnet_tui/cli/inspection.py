"""Commands of people: label, and what a team asks about its queue."""

import getpass
import sys
from pathlib import Path
from typing import Any

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JsonOption, WorkspaceOption, emit, number, plain, table

vi_app = typer.Typer(help="Visual inspection: queue, history, inspectors, recovery.", no_args_is_help=True)
inspectors_app = typer.Typer(help="Who inspects.", invoke_without_command=True)
vi_app.add_typer(inspectors_app, name="inspectors")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(label)
    app.command()(keys)


def label(
    ctx: typer.Context,
    workspace: Path | None = WorkspaceOption,
    code: str | None = typer.Option(None, "--as", metavar="CODE", help="Inspector; needed the first time."),
    round_number: int | None = typer.Option(None, "--round", help="Only this round  [default: all, oldest first]"),
    blind: bool = typer.Option(False, "--blind", help="Hide the model's answer even where the campaign shows it."),
    charset: str | None = typer.Option(None, help="braille, block or ascii  [default: what the locale can show]"),
    as_lines: bool = typer.Option(False, "--plain", help="Line by line on stdin and stdout, no screen."),
    fast: bool | None = typer.Option(
        None, "--fast-commit/--no-fast-commit", help="A quality saves at once when nothing is missing  [default: no]"
    ),
) -> None:
    """Look at my queue and label it. Example: qnet label --as ABC"""
    from qnet_tui.workflows.label import LabelOptions

    root = find_workspace(workspace)
    options = LabelOptions(inspector=code, round=round_number, blind=blind, charset=charset, fast_commit=fast)
    if as_lines:
        from qnet_tui.workflows.label_plain import run_plain

        raise typer.Exit(run_plain(root, options, sys.stdin, sys.stdout))
    raise typer.Exit(ctx.obj.label(root, options))


def keys(
    screen: str | None = typer.Option(None, help="label, merge or spec  [default: all]"),
    as_json: bool = JsonOption,
) -> None:
    """Print the keys that are live, with those of my own file. Example: qnet keys --screen label"""
    from qnet_tui.errors import BadInput
    from qnet_tui.workflows.user_keys import TABLES, keys_file, live_keys

    if screen is not None and screen not in TABLES:
        raise BadInput(f"no screen is called {screen!r}", mend=f"--screen takes {', '.join(TABLES)}")
    found = live_keys(screen)
    rows: list[Any] = [(x.screen, " ".join(x.keys), x.action, x.words, "changed" if x.changed else "") for x in found]
    lines = table(("screen", "keys", "action", "does", ""), rows)
    emit(found, as_json, [*lines, "", f"your own keys: {keys_file()}"])


@vi_app.command("stars")
def vi_stars(
    code: str | None = typer.Option(None, "--as", metavar="CODE", help="Only those of this inspector."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """List what somebody wants to talk about. Example: qnet vi stars"""
    from qnet_tui.workflows.inspectors import starred

    found = starred(find_workspace(workspace), code)
    emit(found, as_json, table(("object", "by", "since", "note"), [tuple(plain(one).values()) for one in found]))


@vi_app.command("status")
def vi_status(workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Show how far the queues are. Example: qnet vi status"""
    from qnet_tui.workflows.inspectors import status

    lines = status(find_workspace(workspace))
    emit(
        lines,
        as_json,
        table(
            ("round", "asked", "votes needed", "votes made", "merged", "inspector", "mine", "left for me"),
            [tuple(plain(line).values()) for line in lines],
        ),
    )


@vi_app.command("history")
def vi_history(
    identity: str = typer.Argument(..., metavar="TARGETID", help="TARGETID, T<THING_ID> or PLATE-MJD-FIBERID."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Show who said what of an object, and when. Example: qnet vi history 39627640483350787"""
    from qnet_tui.workflows.inspectors import history

    lines = history(find_workspace(workspace), identity)
    emit(
        lines,
        as_json,
        table(
            ("at", "what", "by", "class", "z", "quality", "comment"),
            [(h.at, h.what, h.by, h.spectype, number(h.z, 4), h.quality, h.comment) for h in lines],
        ),
    )


@vi_app.command("leases")
def vi_leases(workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Show who holds which object. Example: qnet vi leases"""
    import time

    from qnet_tui.workflows.inspectors import held

    found = held(find_workspace(workspace))
    rows: list[Any] = [
        (x.object_id, x.inspector, x.host, x.pid, time.strftime("%H:%M:%S", time.localtime(x.expires))) for x in found
    ]
    emit(found, as_json, table(("object", "inspector", "host", "process", "until"), rows))


@vi_app.command("recover")
def vi_recover(
    folder: Path = typer.Argument(..., metavar="DIR", help="The workspace."), as_json: bool = JsonOption
) -> None:
    """Rebuild votes from the journals when the database is gone. Example: qnet vi recover guadalupe-qso"""
    from qnet_tui.workflows.inspectors import recover

    r = recover(folder)
    lines = [
        f"{'rebuilt' if r.fresh else 'the database is sound; entered'}: {r.entries} entries, {r.votes} votes, "
        f"{r.merges} merged labels, {r.objects} objects",
        *([f"  the damaged database lies in {r.moved_aside}"] if r.moved_aside else []),
        *(f"  could not be used: {one}" for one in r.left),
        *(["  ingest and import the truth again: they are not in the journals"] if r.fresh else []),
    ]
    emit(r, as_json, lines)


@inspectors_app.callback()
def inspectors(ctx: typer.Context, workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """List the inspectors. Example: qnet vi inspectors"""
    if ctx.invoked_subcommand is None:
        from qnet_tui.workflows.inspectors import everybody

        found = everybody(find_workspace(workspace))
        emit(
            found,
            as_json,
            table(("code", "account", "name", "since"), [tuple(plain(i).values()) for i in found]),
        )


@inspectors_app.command("add")
def inspectors_add(
    code: str = typer.Argument(..., metavar="CODE", help="2 to 10 letters or digits."),
    account: str | None = typer.Option(None, help="Account that votes under it  [default: yours]"),
    name: str = typer.Option("", help="The person's name."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Bind a code to an account. Example: qnet vi inspectors add ABC --name 'A. B. Cee'"""
    from qnet_tui.workflows.inspectors import register as add

    one = add(find_workspace(workspace), code, account or getpass.getuser(), name)
    emit(one, as_json, [f"{one.code} is account {one.os_user}"])
