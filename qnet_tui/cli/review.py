"""``qnet review`` and ``qnet export``: tables of a campaign."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JsonOption, WorkspaceOption, emit, number, plain, table

TABLES = ("completeness", "thresholds", "entropy", "map", "rounds")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(review)
    app.command()(export)


def review(
    name: str = typer.Argument(..., metavar="TABLE", help=", ".join(TABLES)),
    workspace: Path | None = WorkspaceOption,
    round_number: int | None = typer.Option(None, "--round", help="Round  [default: the last one]"),
    as_csv: bool = typer.Option(False, "--csv", help="Comma-separated values."),
    as_json: bool = JsonOption,
) -> None:
    """Print a table of the campaign, with counts and intervals. Example: qnet review rounds"""
    from qnet_tui.errors import BadInput
    from qnet_tui.workflows import evaluate

    root = find_workspace(workspace)
    rows: list[Any]
    header: Sequence[str]
    cells: list[Sequence[Any]]
    if name == "rounds":
        rows = evaluate.rounds(root)
        header = ("round", "state", "run", "strategy", "networks", "asked", "voted", "merged", "trainable", "labels",
                  "compl.", "purity")  # fmt: skip
        cells = [(r.round, r.state, r.run, r.strategy, r.networks, r.asked, r.voted, r.merged, r.trainable, r.labels,
                  r.completeness, r.purity) for r in rows]  # fmt: skip
        below = ["compl., purity: the committee on the held-out objects; quasar = most networks say so at c > 0.95;"
                 " labels: trained on; trainable: quality >= 2.5"]  # fmt: skip
    elif name == "completeness":
        rows = evaluate.completeness(root)
        header = ("dataset", "epoch", "compl.", "95 % interval", "purity", "95 % interval", "tp", "fp", "fn")
        cells = [(r.dataset, r.epoch, r.completeness, f"{number(r.lo)}..{number(r.hi)}", r.purity,
                  f"{number(r.purity_lo)}..{number(r.purity_hi)}", r.tp, r.fp, r.fn) for r in rows]  # fmt: skip
        below = ["completeness TP/(TP+FN), purity TP/(TP+FP), no redshift condition; Wilson intervals"]
    elif name == "thresholds":
        rows = evaluate.thresholds(root, round_number)
        header = ("dataset", "c >", "compl.", "purity", "tp", "fp", "fn")
        cells = [(r.dataset, number(r.c_threshold, 2), r.completeness, r.purity, r.tp, r.fp, r.fn) for r in rows]
        below = ["the majority of the networks at each threshold, strictly above"]
    elif name == "entropy":
        rows = evaluate.entropy(root, round_number)
        header = ("entropy >= (bit)", "rows", "rejected by the map", "not asked to the end")
        cells = [(number(r.bin, 2), r.count, r.count_rejected, r.count_stopped) for r in rows]
        below = []
        if any(r.count_stopped for r in rows):
            below = ["not asked to the end: their entropy is that of the networks asked before they left the race"]
    elif name == "map":
        rows = evaluate.map_cells(root, round_number)
        header = ("cell", "row", "column", "count", "rejected", "labelled")
        cells = [(r.cell, r.row, r.column, r.count, "yes" if r.rejected else "",
                  " ".join(f"{k} {n}" for k, n in r.by_class.items())) for r in rows]  # fmt: skip
        below = [f"{sum(1 for r in rows if r.rejected)} of {len(rows)} cells are rejected"]
    else:
        raise BadInput(f"no table is called {name!r}", mend=f"choose {', '.join(TABLES)}")
    if as_csv:
        values = plain(rows)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        if values:
            writer.writerow(values[0])
            writer.writerows([[v if not isinstance(v, (dict, list)) else str(v) for v in r.values()] for r in values])
        return
    emit(rows, as_json, [*table(header, cells), *below] if rows else ["nothing to show yet"])


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
