"""Single tools on the same core: weights, simulate, backup, doctor."""

import sys
from pathlib import Path

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JobsOption, JsonOption, WorkspaceOption, emit, number, progress, table

weights_app = typer.Typer(help="Weights files: look, take out, measure.", no_args_is_help=True)
OffsetsOption = typer.Option("as-trained", help="as-trained, or quasarnp: rescale only as QuasarNP does.")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(simulate)
    app.command()(backup)
    app.command()(doctor)


def simulate(
    out: Path = typer.Argument(..., metavar="OUT", help="Folder to write into."),
    rows: int = typer.Option(500, min=1, help="Rows of the coadds: targets, repeats and sky fibres together."),
    seed: int = typer.Option(1, min=0, help="The same seed gives the same bytes."),
    exposures: int = typer.Option(0, min=0, help="Also write spectra- files with so many exposures of each row."),
    compress: bool = typer.Option(False, "--compress", help="Write .fits.gz."),
    as_json: bool = JsonOption,
) -> None:
    """Write DESI-format coadds with known truth. Example: qnet simulate sim --rows 1000 --seed 7"""
    from qnet_tui.workflows.simulate import simulate_survey

    with progress() as show:
        result = simulate_survey(out, rows, seed, exposures=exposures, compress=compress, progress=show)
    lines = [
        f"{result.rows:,} rows in {len(result.files)} files, truth in {result.truth_file}",
        "  " + "  ".join(f"{name} {n:,}" for name, n in result.by_class.items()),
        "  median S/N per 0.8 A, percentiles: "
        + "  ".join(f"{p}: {number(value, 2)}" for p, value in result.snr_percentiles.items()),
    ]
    emit(result, as_json, lines)


def backup(
    file: Path = typer.Argument(..., metavar="FILE", help="Where to write the copy (.tar)."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Copy database and journals consistently while people work. Example: qnet backup campaign.tar"""
    from qnet_tui.workflows.backup import backup as verb

    result = verb(find_workspace(workspace), file)
    emit(result, as_json, [f"{result.path}: {result.size:,} bytes, {len(result.members)} files, checked"])


def doctor(workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Check installation, terminal, file system and workspace. Example: qnet doctor"""
    from qnet_tui.workflows.doctor import doctor as verb

    checks = verb(workspace)
    emit(
        checks,
        as_json,
        [f"{'OK  ' if c.ok else 'MEND'}  {c.what:<14}{c.found}" + ("" if c.ok else f"; {c.mend}") for c in checks],
    )
    if not all(c.ok for c in checks):
        raise typer.Exit(1)


@weights_app.command("info")
def weights_info(
    file: Path = typer.Argument(..., metavar="FILE"), offsets: str = OffsetsOption, as_json: bool = JsonOption
) -> None:
    """Describe any published QuasarNET file. Example: qnet weights info qn_train.h5"""
    from qnet_tui.workflows.weights import describe

    facts = describe(file, offsets)
    emit(facts, as_json, [f"{name:<18}{number(value, 6)}" for name, value in facts.items()])


@weights_app.command("export")
def weights_export(
    run: str = typer.Argument(..., metavar="RUN", help="A train run, or RUN:MEMBER of a committee."),
    out: Path = typer.Option(..., "--out", "-o", help="File to write."),
    workspace: Path | None = WorkspaceOption,
    as_json: bool = JsonOption,
) -> None:
    """Take a run's weights out as a file that QuasarNP reads. Example: qnet weights export tr-0003 -o qn.h5"""
    from qnet_tui.workflows.weights import export_weights

    result = export_weights(find_workspace(workspace), run, out)
    emit(result, as_json, [f"{result['file']} (sha256 {result['sha256'][:16]}...)"])


@weights_app.command("import")
def weights_import(
    file: Path = typer.Argument(..., metavar="FILE"),
    out: Path = typer.Option(..., "--out", "-o", help="File to write."),
    offsets: str = OffsetsOption,
    as_json: bool = JsonOption,
) -> None:
    """Rewrite any published file so that QuasarNP reads it right. Example: qnet weights import old.h5 -o new.h5"""
    from qnet_tui.workflows.weights import rewrite_weights

    result = rewrite_weights(file, out, offsets)
    emit(result, as_json, [f"{result['file']} (sha256 {result['sha256'][:16]}...)"])


@weights_app.command("evaluate")
def weights_evaluate(
    file: Path = typer.Argument(..., metavar="FILE"),
    workspace: Path | None = WorkspaceOption,
    role: str = typer.Option("all", help="validation, train or all."),
    c_threshold: float = typer.Option(0.95, min=0, max=1, help="A line counts above this confidence."),
    n_lines: int = typer.Option(1, min=1, max=6, help="Lines that must count."),
    offsets: str = OffsetsOption,
    as_json: bool = JsonOption,
) -> None:
    """Measure a weights file on the workspace's truth. Example: qnet weights evaluate qn.h5 --role validation"""
    from qnet_tui.workflows.evaluate_weights import evaluate_weights

    with progress() as show:
        r = evaluate_weights(find_workspace(workspace), file, c_threshold=c_threshold, n_lines=n_lines, role=role,
                             offsets=offsets, progress=show)  # fmt: skip
    c, p = r.completeness_interval, r.purity_interval
    quasars, calls = r.tp + r.fn, r.tp + r.fp
    lines = [
        f"{r.weights} on {r.objects:,} objects with secure truth, c > {r.c_threshold}, {r.n_lines} line(s)",
        f"  completeness  {number(r.completeness)}  (95 %: {number(c[0])}-{number(c[1])})  {r.tp} of {quasars} quasars",
        f"  purity        {number(r.purity)}  (95 %: {number(p[0])}-{number(p[1])})  {r.tp} of {calls} calls",
        f"  redshifts     median {number(r.median_dv_kms, 0)} km/s, NMAD {number(r.nmad_kms, 0)} km/s on {r.redshifts}",
        "                " + ", ".join(f"{n} off by > {cut} km/s" for cut, n in r.off_by.items()),
    ]
    if r.failures:
        lines += ["failures:", *table(
            ("id", "what", "truth", "z", "zbest", "line", "c", "S/N"),
            [(f["id"], f["what"], f["truth"], f["z"], f["zbest"], f["line"], f["c"], f["snr"]) for f in r.failures],
        )]  # fmt: skip
    emit(r, as_json, lines)


@weights_app.command("compare")
def weights_compare(
    new: Path | None = typer.Argument(None, metavar="NEW"),
    old: Path | None = typer.Argument(None, metavar="[OLD]", help="Left out: repeats and box pull of NEW alone."),
    workspace: Path | None = WorkspaceOption,
    c_threshold: float = typer.Option(0.95, min=0, max=1, help="A line counts above this confidence."),
    role: str = typer.Option("", help="Truth to measure on: validation, train, all  [default: validation if any]"),
    offsets: str = OffsetsOption,
    jobs: int | None = JobsOption,
    resume: str | None = typer.Option(None, metavar="RUN", help="Go on with a killed or stopped comparison."),
    as_json: bool = JsonOption,
) -> None:
    """Compare two files on the workspace's spectra. Example: qnet weights compare new.h5 old.h5"""
    from qnet_tui.errors import BadInput
    from qnet_tui.workflows.review.tab import Asked, cell
    from qnet_tui.workflows.review.tabs import open_tab
    from qnet_tui.workflows.weights_comparison import compare_weights, resume_compare

    root = find_workspace(workspace)
    with progress() as show:
        if resume is not None:
            done = resume_compare(root, resume, jobs=jobs, progress=show)
        elif new is None:
            raise BadInput("no weights file is named", mend="qnet weights compare NEW OLD")
        else:
            done = compare_weights(root, new, old, c_threshold=c_threshold, role=role, offsets=offsets,
                                   command="qnet " + " ".join(sys.argv[1:]), jobs=jobs, progress=show)  # fmt: skip
        asked = Asked(dataset=done.run, c_threshold=c_threshold)
        tabs = [open_tab(root, name, asked) for name in ("weights", "repeats")]
    lines = []
    for tab in tabs:
        figures = [[number(cell(row, c.key), c.digits) for c in tab.columns] for row in tab.rows]
        lines += [*(table([c.head for c in tab.columns], figures) if figures else [tab.empty]), tab.says, ""]
    emit({**tabs[0].document, "repeats": tabs[1].document}, as_json, [*lines, *tabs[0].notes])
