"""``qnet review``: the figures of a campaign, in the app or as text, CSV and JSON."""

import csv
import sys
from pathlib import Path
from typing import Any

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JobsOption, JsonOption, WorkspaceOption, emit, number, plain, progress, table, tell

_OF_RUN = ("bootstraps", "epochs", "filters", "preset", "seed", "resume", "on_login_node")
"""Options that mean nothing without --run."""


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(review)


def review(
    ctx: typer.Context,
    name: str = typer.Argument("", metavar="[TABLE]", help="A table's name  [default: the app, at its first tab]"),
    new: Path | None = typer.Argument(None, metavar="[NEW]", help="weights, repeats: a weights file to look at."),
    workspace: Path | None = WorkspaceOption,
    round_number: int | None = typer.Option(None, "--round", help="Round  [default: the last one]"),
    dataset: str = typer.Option("", metavar="A[:B]", help="Only A by its name in the table; A:B: two, compared."),
    c_threshold: float = typer.Option(0.95, min=0, max=1, help="A line counts above this confidence."),
    dv_max: float | None = typer.Option(None, min=0, metavar="KM/S", help="Also ask for a redshift right to this."),
    by: str = typer.Option("", help="completeness: epoch, z, magnitude or snr."),
    force: bool = typer.Option(False, "--force", help="Compare A:B on what both know, if measured on other objects."),
    against: Path | None = typer.Option(None, metavar="OLD", help="weights, repeats: the file to compare with."),
    report: Path | None = typer.Option(None, metavar="FILE.md", help="weights: write the report of the swap."),
    run: bool = typer.Option(False, "--run", help="datasets: train the bootstraps at equal size."),
    bootstraps: int = typer.Option(10, min=0, help="With --run: bootstraps of each dataset."),
    epochs: int = typer.Option(100, min=1, help="With --run: epochs of each training."),
    filters: int | None = typer.Option(None, help="With --run: filters of each convolution."),
    preset: str = typer.Option("paper", help="With --run: architecture of paper, laptop or smoke."),
    seed: int | None = typer.Option(None, help="With --run: everything random comes from it."),
    resume: str | None = typer.Option(None, metavar="RUN", help="With --run: go on with a killed or stopped run."),
    on_login_node: bool = typer.Option(False, "--on-login-node", help="With --run: heavy work here all the same."),
    jobs: int | None = JobsOption,
    charset: str | None = typer.Option(None, help="braille, block or ascii, of the app."),
    as_csv: bool = typer.Option(False, "--csv", help="Comma-separated values."),
    as_json: bool = JsonOption,
) -> None:
    """Look at the figures of a campaign, with counts and intervals. Example: qnet review completeness --by z"""
    from qnet_tui.errors import BadInput
    from qnet_tui.workflows.review.tab import Asked
    from qnet_tui.workflows.review.tabs import TABS, open_tab

    root = find_workspace(workspace)
    asked = Asked(round_number, dataset, c_threshold, dv_max, by, force)
    if (new is not None or against is not None or report is not None) and name not in ("weights", "repeats"):
        raise BadInput("files are compared by weights and repeats only", mend="qnet review weights NEW --against OLD")
    if against is not None and new is None:
        raise BadInput("--against needs the new file", mend="qnet review weights NEW --against OLD")
    if as_csv and as_json:
        raise BadInput("--csv and --json are two formats", mend="give one of them")
    if run and name != "datasets":
        raise BadInput("--run belongs to datasets", mend="qnet review datasets --run")
    alone = [option for option in _OF_RUN if not run and _typed(ctx, option)]
    if alone:
        raise BadInput(f"--{alone[0].replace('_', '-')} belongs to --run", mend="qnet review datasets --run")
    if not name and not (as_json or as_csv) and ctx.obj is not None:
        raise typer.Exit(ctx.obj.review(root, asked, charset))
    if not name:
        raise BadInput("no table is named", mend=f"choose {', '.join(TABS)}")
    if run:
        settings = {"bootstraps": bootstraps, "epochs": epochs, "filters": filters, "seed": seed, "preset": preset}
        _train_datasets(root, settings, resume, jobs, on_login_node)
    with progress() as show:
        if new is not None:
            from qnet_tui.workflows.weights_comparison import compare_weights

            compare_weights(root, new, against, c_threshold=c_threshold, command="qnet " + " ".join(sys.argv[1:]),
                            jobs=jobs, progress=show)  # fmt: skip
        if report is not None:
            from qnet_tui.workflows.weights_report import write_report

            emit(write_report(root, report, new, asked, progress=show), as_json, [f"report in {report}"])
            return
        tab = open_tab(root, name, asked, show)
    if as_csv:
        if not tab.rows:
            tell(tab.empty or "nothing to show yet")
        # The same rows as --json, where that is a table too.
        _write_csv(tab.document if isinstance(tab.document, list) else tab.rows)
        return
    from qnet_tui.workflows.review.tab import cell

    lines = table(
        [column.head for column in tab.columns],
        [[_figure(cell(row, column.key), column.digits) for column in tab.columns] for row in tab.rows],
    )
    # Of what is empty there are no figures to explain, unless something is said of it.
    words = [*([tab.says] if tab.says else []), *tab.notes] if tab.rows or tab.says else []
    emit(tab.rows if tab.document is None else tab.document, as_json,
         [*(lines if tab.rows else [tab.empty or "nothing to show yet"]), *words])  # fmt: skip


def _typed(ctx: typer.Context, option: str) -> bool:
    source = ctx.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def _figure(value: Any, digits: int) -> Any:
    return number(value, digits) if isinstance(value, float) else value


def _train_datasets(
    root: Path, settings: dict[str, Any], resume: str | None, jobs: int | None, on_login_node: bool
) -> None:
    from qnet_tui.cli.output import available_cores
    from qnet_tui.workflows.datasets_run import resume_datasets, run_datasets

    jobs = jobs or available_cores()
    with progress() as show:
        if resume is not None:
            resume_datasets(root, resume, jobs=jobs, on_login_node=on_login_node, progress=show)
        else:
            run_datasets(root, **settings, jobs=jobs, on_login_node=on_login_node,
                         command="qnet " + " ".join(sys.argv[1:]), progress=show)  # fmt: skip


def _write_csv(rows: Any) -> None:
    values = plain(list(rows))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if values:
        writer.writerow(values[0])
        writer.writerows([[v if not isinstance(v, (dict, list)) else str(v) for v in r.values()] for r in values])
