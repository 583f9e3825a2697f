"""Commands that bring inspections of others and lists of objects in: vi import, vi queue."""

from pathlib import Path

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.inspection import vi_app
from qnet_tui.cli.output import JobsOption, JsonOption, WorkspaceOption, available_cores, emit, progress

_LISTED = 20


def register(app: typer.Typer) -> None:  # noqa: ARG001 - these commands belong to the group vi
    """Add this file's commands."""
    vi_app.command("import")(vi_import)
    vi_app.command("queue")(vi_queue)


def vi_import(
    file: Path = typer.Argument(..., metavar="FILE", help="Inspection file of Prospect, or votes that qnet exported."),
    workspace: Path | None = WorkspaceOption,
    code: str | None = typer.Option(None, "--as", metavar="CODE", help="Whose the rows without a scanner are."),
    round_number: int | None = typer.Option(None, "--round", help="Only objects of this round  [default: any]"),
    as_json: bool = JsonOption,
) -> None:
    """Take over the votes of an inspection file. Example: qnet vi import desi-vi_tile80605_ABC.csv"""
    from qnet_tui.workflows.import_votes import import_votes

    with progress() as show:
        r = import_votes(find_workspace(workspace), file, code=code, round_number=round_number, progress=show)
    lines = [f"{r.dialect}: {r.rows:,} rows, {r.added:,} votes added, {r.known:,} known already"]
    if r.inspectors:
        lines.append("  " + "  ".join(f"{inspector} {n:,}" for inspector, n in r.inspectors.items()))
    for number, n in r.rounds.items():
        lines.append(f"  round {number}: {n:,} votes" + (" (a new round)" if number in r.new_rounds else ""))
    if r.new_inspectors:
        lines.append(f"  new here: {', '.join(r.new_inspectors)} (claim yours with: qnet vi inspectors add CODE)")
    lines += [f"  {note}" for note in r.notes]
    lines += [f"  rejected line {bad['line']}: {bad['reason']}" for bad in r.rejected[:_LISTED]]
    if len(r.rejected) > _LISTED:
        lines.append(f"  ... and {len(r.rejected) - _LISTED:,} more (all with --json)")
    emit(r, as_json, lines)


def vi_queue(
    file: Path | None = typer.Argument(None, metavar="[FILE]", help="List of objects: one id a line, or any table."),
    workspace: Path | None = WorkspaceOption,
    random: int | None = typer.Option(None, "--random", metavar="N", min=1, help="N objects drawn at random instead."),
    outliers: int | None = typer.Option(
        None, "--outliers", metavar="N", min=1, help="The N most disputed of those that the map rejected instead."
    ),
    round_number: int | None = typer.Option(None, "--round", help="Whose outliers  [default: those of the last run]"),
    seed: int = typer.Option(91701, help="Seed of the random draw."),
    jobs: int | None = JobsOption,
    as_json: bool = JsonOption,
) -> None:
    """Queue given, random or outlying objects as a new round. Example: qnet vi queue cosmos.csv"""
    from qnet_tui.workflows import queue_list

    root = find_workspace(workspace)
    if (file is not None) + (random is not None) + (outliers is not None) != 1:
        raise typer.BadParameter("give FILE, or --random N, or --outliers N")
    if round_number is not None and outliers is None:
        raise typer.BadParameter("--round says whose outliers: it goes with --outliers")
    with progress() as show:
        if file is not None:
            r = queue_list.queue_file(root, file, progress=show)
        elif random is not None:
            r = queue_list.queue_random(root, random, seed=seed, progress=show)
        else:
            r = queue_list.queue_outliers(
                root, outliers or 0, of_round=round_number, jobs=jobs or available_cores(), progress=show
            )
    how = {
        "list": f"named by {file.name if file else ''}",
        "random": f"drawn at random with seed {r.seed}",
        "outliers": f"that the map of round {r.of_round} rejected, the most disputed first",
    }
    lines = [f"round {r.round}: {r.asked:,} objects {how[r.strategy]}"]
    if r.labelled:
        lines.append(f"  {r.labelled:,} of them have a label already")
    if r.scored:
        lines.append(f"  {r.scored:,} rejected rows were scored for it")
    if r.filtered:
        lines.append("  left out " + ", ".join(f"{n:,} {why}" for why, n in r.filtered.items()))
    for one in r.left[:_LISTED]:
        where = f"line {one['line']}: " if one["line"] else ""
        lines.append(f"  not queued: {where}{one['id']} {one['reason']}".rstrip())
    if len(r.left) > _LISTED:
        lines.append(f"  ... and {len(r.left) - _LISTED:,} more (all with --json)")
    emit(r, as_json, [*lines, "next: qnet label"])
