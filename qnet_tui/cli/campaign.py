"""Commands that make a campaign and fill it: demo, init, ingest, truth, campaign."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qnet_tui.cli.output import (
    JobsOption,
    JsonOption,
    WorkspaceOption,
    available_cores,
    emit,
    number,
    progress,
    table,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qnet_tui.workflows.ingest import Named

_FEW = 3  # files with one reason that are named one by one

truth_app = typer.Typer(help="What is known of objects: import, exclude, split.", no_args_is_help=True)
campaign_app = typer.Typer(help="The settings that a team agrees on.", no_args_is_help=True)


def find_workspace(given: Path | None) -> Path:
    """The workspace asked for, else the nearest upward, else $QNET_WORKSPACE."""
    from storage.workspace import Workspace

    return Workspace.find(given)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(demo)
    app.command()(init)
    app.command()(ingest)


def demo(
    ctx: typer.Context,
    folder: Path | None = typer.Argument(None, metavar="[DIR]", help="Where to make the demo's workspace."),
    jobs: int | None = JobsOption,
    as_json: bool = JsonOption,
) -> None:
    """Run one whole round on the sample inside the package. Example: qnet demo"""
    import sys

    from qnet_tui.workflows.demo import demo as run_demo

    with progress() as show:
        result = run_demo(folder, jobs=jobs or available_cores(), progress=show)
    c, p = result.completeness_interval, result.purity_interval
    k = result.counts
    emit(
        result,
        as_json,
        [
            f"A round of active learning on {result.rows:,} spectra, in {result.seconds:.0f} s:",
            f"  trained on      {result.training:,} labelled spectra",
            f"  completeness    {result.completeness:.3f}  (95 %: {c[0]:.3f}-{c[1]:.3f})  "
            f"{k['tp']} of {k['tp'] + k['fn']} quasars that it never saw",
            f"  purity          {result.purity:.3f}  (95 %: {p[0]:.3f}-{p[1]:.3f})  "
            f"{k['tp']} of {k['tp'] + k['fp']} calls are right",
            "                  (an object is called a quasar when most networks call it one at c > 0.95)",
            f"  selected        {result.selected} objects that the networks disagree on most "
            f"(entropy >= {number(result.entropy_cut)} bit)",
            "",
            "Now look at them, label some, and go round again:",
            f"  cd {result.workspace}",
            "  qnet label --as ABC          look and label (Enter commits, ? lists the keys, :q leaves)",
            "  qnet merge --accept-agreed   your labels become truth",
            "  qnet run-al --preset smoke   the next round learns from them",
            "  qnet                         where the campaign stands; v opens the review with its figures",
        ],
    )
    if not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        sys.stdout.write("\n")
        if typer.confirm("Open the labelling screen now?", default=True):
            from qnet_tui.workflows.label import LabelOptions

            raise typer.Exit(ctx.obj.label(result.workspace, LabelOptions(inspector="ABC")))


def init(
    folder: Path = typer.Argument(..., metavar="DIR", help="Folder of the new workspace."),
    as_json: bool = JsonOption,
) -> None:
    """Make a workspace: one folder, one campaign. Example: qnet init guadalupe-qso"""
    from qnet_tui.workflows.initialise import initialise

    result = initialise(folder)
    emit(
        result,
        as_json,
        [
            f"workspace {result.workspace}",
            f"  file system  {result.filesystem}",
            f"  journal      {result.journal_mode}",
            f"  locks        {'work (tested with a second process)' if result.locks_work else 'DO NOT WORK here'}",
            "next: qnet ingest PATH...",
        ],
    )
    if not result.locks_work:
        tell("qnet: two people at once could damage this workspace; make it on another file system")
        raise typer.Exit(1)


def _by_reason(word: str, named: "Sequence[Named]") -> list[str]:
    """Lines that name the files, or where more than a few have one reason how many and one of them."""
    reasons: dict[str, list[str]] = {}
    for one in named:
        reasons.setdefault(one.reason, []).append(one.path)
    lines = []
    for reason, paths in reasons.items():
        if len(paths) > _FEW:
            lines.append(f"{word} {len(paths):,} files, as {paths[0]}: {reason}  (all of them: --json)")
        else:
            lines += [f"{word} {path}: {reason}" for path in paths]
    return lines


def ingest(
    paths: list[str] = typer.Argument(None, metavar="PATH...", help="Files, folders, globs or @LIST."),
    workspace: Path | None = WorkspaceOption,
    grid: str | None = typer.Option(None, help="log or linear; chosen at the first ingest  [default: log]"),
    jobs: int | None = JobsOption,
    relocate: tuple[str, str] | None = typer.Option(None, metavar="OLD NEW", help="Originals moved from OLD to NEW."),
    as_json: bool = JsonOption,
) -> None:
    """Take in DESI coadd-/spectra- and SDSS spec- files. Example: qnet ingest /data/coadds '@more.txt'"""
    from qnet_tui.workflows import ingest as verb

    root = find_workspace(workspace)
    if relocate is not None:
        moved = verb.relocate(root, *relocate)
        emit({"relocated": moved}, as_json, [f"{moved} files are now looked for below {relocate[1]}"])
        return
    if not paths:
        raise typer.BadParameter("give at least one PATH, or --relocate OLD NEW")
    with progress() as show:
        result = verb.ingest(root, paths, grid=grid, jobs=jobs or available_cores(), progress=show)
    lines = [
        f"{result.files} files, {result.rows_read:,} rows read, {result.rows_added:,} added on the {result.grid} grid"
        f" in {result.seconds:.1f} s"
    ]
    if result.already:
        lines.append(f"{result.already} files were here already")
    lines += [f"dropped {n:,}: {reason}" for reason, n in result.rows_dropped.items()]
    lines += ["  (which ones: qnet export dropped -o dropped.csv)"] if result.rows_dropped else []
    lines += _by_reason("note", result.notes)
    lines += _by_reason("left", result.left)
    emit(result, as_json, lines)
    for one in result.failed:
        tell(f"qnet: {one.reason}" if one.path in one.reason else f"qnet: {one.path}: {one.reason}")
    if result.failed:
        raise typer.Exit(2)


@truth_app.command("import")
def truth_import(
    file: Path | None = typer.Argument(None, metavar="FILE", help="Truth table of any dialect (CSV, FITS, gz)."),
    workspace: Path | None = WorkspaceOption,
    format: str = typer.Option("auto", help="Dialect; auto recognises it."),  # noqa: A002
    role: str = typer.Option("train", help="train or validation."),
    quality: float | None = typer.Option(None, min=0, max=4, help="Quality for tables without one  [default: 3]"),
    from_spectra: bool = typer.Option(False, "--from-spectra", help="Take SPECOBJ of the SDSS files instead."),
    as_json: bool = JsonOption,
) -> None:
    """Import labels. Example: qnet truth import truth_table_QSO_v1.2.csv"""
    from qnet_tui.workflows.truth import import_from_spectra, import_truth

    root = find_workspace(workspace)
    if from_spectra == (file is not None):
        raise typer.BadParameter("give FILE, or --from-spectra without a file")
    if file is None:
        result = import_from_spectra(root, role=role)
    else:
        result = import_truth(root, file, format=format, role=role, quality=quality)
    lines = [
        f"{result.dialect}: {result.rows:,} rows, {result.imported:,} labels imported as {result.role}, "
        f"{result.unmatched:,} have no spectrum here",
        "  " + "  ".join(f"{name} {n:,}" for name, n in result.by_class.items()),
    ]
    if result.kept_not_trained:
        lines.append(f"  {result.kept_not_trained:,} of quality < 2.5: kept, not trained on")
    if result.duplicates:
        lines.append(f"  {result.duplicates:,} repeated: the higher quality counts, then the later row")
    if result.not_superseding:
        lines.append(f"  {result.not_superseding:,} change nothing: known already, or pipeline against people")
    lines += [f"  {note}" for note in result.notes]
    lines += [f"  rejected line {bad['line']}: {bad['reason']}" for bad in result.rejected[:20]]
    if len(result.rejected) > 20:
        lines.append(f"  ... and {len(result.rejected) - 20:,} more (all with --json)")
    emit(result, as_json, lines)


@truth_app.command("exclude")
def truth_exclude(
    ids: list[str] = typer.Argument(..., metavar="ID...", help="TARGETID, T<THING_ID> or PLATE-MJD-FIBERID."),
    reason: str = typer.Option(..., help="Why."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Withdraw labels from training; they stay listed. Example: qnet truth exclude 39627 --reason corrupted"""
    from qnet_tui.workflows.truth import exclude

    excluded = exclude(find_workspace(workspace), ids, reason, getpass.getuser())
    emit({"excluded": excluded}, as_json, [f"{excluded} labels withdrawn from training: {reason}"])


@truth_app.command("split")
def truth_split(
    fraction: float = typer.Option(0.3, help="Share held out for validation."),
    seed: int = typer.Option(91701, help="Seed of the draw."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Hold out part of the truth, by object. Example: qnet truth split --fraction 0.3 --seed 1"""
    from qnet_tui.workflows.truth import split

    result = split(find_workspace(workspace), fraction, seed)
    emit(
        result,
        as_json,
        [f"{result.train:,} objects train, {result.validation:,} are held out for validation"],
    )


@campaign_app.command("show")
def campaign_show(workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Show the settings, with who set them. Example: qnet campaign show"""
    from qnet_tui.workflows.campaign import show

    settings = show(find_workspace(workspace))
    emit(
        settings,
        as_json,
        table(
            ("setting", "value", "set by", "at"),
            [(s.name, str(s.value), s.by or "default", s.at) for s in settings],
        ),
    )


@campaign_app.command("set")
def campaign_set(
    name: str = typer.Argument(..., metavar="NAME"),
    value: str = typer.Argument(..., metavar="VALUE"),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Change a setting. Example: qnet campaign set votes_required 1"""
    from qnet_tui.workflows.campaign import change

    setting = change(find_workspace(workspace), name, value, getpass.getuser())
    emit(setting, as_json, [f"{setting.name} = {setting.value}"])
