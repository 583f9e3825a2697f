"""``qnet score``: what one weights file says of spectra, as files for people and pipelines without qnet."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qnet_tui.cli.output import JobsOption, JsonOption, emit, progress, tell
from qnet_tui.errors import BadInput

if TYPE_CHECKING:
    from qnet_tui.workflows.score_settings import ScoreSettings


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(score)


def score(
    files: list[str] = typer.Argument(..., metavar="FILE...", help="Coadds: files, folders, globs or @LIST."),
    weights: Path = typer.Option(..., "--weights", help="A QuasarNET weights file (.h5)."),
    out: Path | None = typer.Option(None, "--out", "-o", help="One FITS file for all of them."),
    beside: bool = typer.Option(False, "--beside", help="One file beside each coadd; what is made is left."),
    out_tree: Path | None = typer.Option(None, "--out-tree", metavar="DIR", help="The same in a mirrored tree."),
    afterburner: bool = typer.Option(False, "--afterburner", help="The pipeline's QN_RR table and prior file."),
    pipeline: str | None = typer.Option(None, help="current or dr1: threshold, prior width, rule and columns."),
    rule: str | None = typer.Option(None, help="Who gets a prior: desispec, or paper (redrock says GALAXY)."),
    redrock: Path | None = typer.Option(None, help="With --afterburner -o: the redrock file [default: beside it]."),
    priors: Path | None = typer.Option(None, help="With --afterburner -o: the prior file [default: priors-NAME]."),
    c_threshold: float | None = typer.Option(
        None, min=0, max=1, help="A line counts above this confidence [default: the pipeline's 0.5, else 0.95]."
    ),
    n_lines: int | None = typer.Option(None, min=1, max=6, help="Lines that must count [default: 1]."),
    offsets: str = typer.Option("as-trained", help="as-trained, or quasarnp: rescale only as QuasarNP does."),
    extrapolate: bool = typer.Option(False, help="Decode past the grid's ends instead of clamping as QuasarNP does."),
    jobs: int | None = JobsOption,
    as_json: bool = JsonOption,
) -> None:
    """Score spectra with one network; no workspace. Example: qnet score coadd-*.fits --weights qn.h5 -o out.fits"""
    from qnet_tui.workflows.score_settings import score_settings

    if sum((out is not None, beside, out_tree is not None)) != 1:
        raise BadInput("where should it be written?", mend="give one of -o FILE, --beside and --out-tree DIR")
    if (redrock or priors) and not (afterburner and out):
        raise BadInput("--redrock and --priors are of one coadd", mend="give them with --afterburner -o FILE")
    if jobs is not None and out:
        raise BadInput("--jobs is of a tree", mend="give it with --beside or --out-tree DIR")
    settings = score_settings(
        afterburner=afterburner, pipeline=pipeline, rule=rule, c_threshold=c_threshold, n_lines=n_lines,
        offsets=offsets, extrapolate=extrapolate,
    )  # fmt: skip
    if out is None:
        _tree(files, weights, settings, out_tree, jobs, as_json)
    elif afterburner:
        _afterburner(files, weights, out, settings, redrock, priors, as_json)
    else:
        _one_file(files, weights, out, settings, as_json)


def _one_file(files: list[str], weights: Path, out: Path, settings: "ScoreSettings", as_json: bool) -> None:
    from qnet_tui.workflows.score import score as verb

    with progress() as show:
        result = verb(files, weights, out, settings, progress=show)
    lines = [
        f"{result.rows:,} rows, {result.scored:,} scored, {result.quasars:,} quasars, {result.grid} grid, "
        f"{result.seconds:.1f} s",
        f"  {result.words}",
        f"  {result.file}",
        *(f"  not scored {n:,}: {why}" for why, n in result.unscored.items()),
        *(f"  left {one.path}: {one.reason}" for one in result.left),
    ]
    emit(result, as_json, lines)
    for one in result.failed:
        tell(f"qnet: {one.reason}")
    if result.failed:
        raise typer.Exit(2)


def _afterburner(
    files: list[str],
    weights: Path,
    out: Path,
    settings: "ScoreSettings",
    redrock: Path | None,
    priors: Path | None,
    as_json: bool,
) -> None:
    from qnet_tui.workflows.afterburner import afterburn, words_of_rows

    with progress() as show:
        result = afterburn(files, weights, out, settings, redrock=redrock, priors=priors, progress=show)
    lines = [
        f"{result.rows:,} rows of redrock, {result.scored:,} scored, {result.quasars:,} quasars, "
        f"{result.reruns:,} reruns to make (none was made), {result.grid} grid, {result.seconds:.1f} s",
        f"  {result.words}",
        f"  {result.file}",
        f"  {result.priors}",
        *(f"  not scored {n:,}: {why}" for why, n in result.unscored.items()),
    ]
    emit(result, as_json, lines)
    for note in result.notes:
        tell(f"qnet: {result.coadd}: {note}")
    if result.without_redrock:
        tell(f"qnet: {result.coadd}: {words_of_rows('not in redrock', result.without_redrock, most=10_000)}")
    if result.without_spectrum:
        tell(f"qnet: {result.redrock}: {words_of_rows('without a spectrum', result.without_spectrum, most=10_000)}")


def _tree(
    files: list[str], weights: Path, settings: "ScoreSettings", out_tree: Path | None, jobs: int | None, as_json: bool
) -> None:
    from qnet_tui.workflows.score_tree import score_tree

    with progress() as show:
        result = score_tree(files, weights, settings, out_tree=out_tree, jobs=jobs, progress=show)
    rate = f", {result.done / result.seconds:.1f} files/s" if result.done and result.seconds > 0 else ""
    reruns = f", {result.reruns:,} reruns to make (none was made)" if settings.afterburner else ""
    lines = [
        f"{result.files:,} coadds: {result.done:,} done, {result.already:,} were there, {len(result.failed):,} failed; "
        f"{result.grid} grid, {result.seconds:.1f} s{rate}",
        f"  {result.rows:,} rows, {result.scored:,} scored, {result.quasars:,} quasars{reruns}",
        f"  {result.words}",
        f"  {'beside the coadds' if out_tree is None else result.out}",
        *(f"  left {n:,}: {what}" for what, n in result.left.items()),
    ]
    emit(result, as_json, lines)
    for one in result.notes:
        tell(f"qnet: {one.path}: {one.reason}")
    for one in result.failed:
        tell(f"qnet: {one.reason}")
    if result.exit_code:
        raise typer.Exit(result.exit_code)
