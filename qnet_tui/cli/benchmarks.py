"""qnet bench: what qnet does beside what users have today, in one run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qnet_tui.cli.output import JsonOption, emit, number, progress, table

if TYPE_CHECKING:
    from qnet_tui.workflows.bench_measure import Measure

bench_app = typer.Typer(help="Measure qnet beside what users have today, as ratios in one run.", no_args_is_help=True)
RoundOfOption = typer.Option(
    None, "--workspace", "-w", help="Use networks and pool of a round of it, made with --full."
)
RoundOption = typer.Option(None, "--round", help="Which round  [default: the last]")
QuickOption = typer.Option(False, "--quick", help="Little work: does it run, not how fast.")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(bench_app, name="bench")


@bench_app.command("screen")
def bench_screen(
    file: Path | None = typer.Option(None, "--file", help="Spectra to use  [default: quasars of the sample]"),
    quick: bool = QuickOption,
    as_json: bool = JsonOption,
) -> None:
    """Bytes and time of a key at the label screen, beside plotting libraries. Example: qnet bench screen --quick"""
    from qnet_tui.workflows.bench_screen import bench_screen as verb

    with progress() as show:
        found = verb(file, quick=quick, progress=show)
    _show(found, as_json)


@bench_app.command("score")
def bench_score(
    workspace: Path | None = RoundOfOption,
    round_number: int | None = RoundOption,
    quick: bool = QuickOption,
    as_json: bool = JsonOption,
) -> None:
    """Scoring beside Keras predict and numpy in float64; calls changed by bfloat16. Example: qnet bench score"""
    from qnet_tui.workflows.bench_score import bench_score as verb

    with progress() as show:
        found = verb(workspace, round_number, quick=quick, progress=show)
    _show(found, as_json)


@bench_app.command("train")
def bench_train(quick: bool = QuickOption, as_json: bool = JsonOption) -> None:
    """Training beside Keras fit: per core, wall, and between members. Example: qnet bench train"""
    from qnet_tui.workflows.bench_train import bench_train as verb

    with progress() as show:
        found = verb(quick=quick, progress=show)
    _show(found, as_json)


@bench_app.command("race")
def bench_race(
    workspace: Path | None = RoundOfOption,
    round_number: int | None = RoundOption,
    quick: bool = QuickOption,
    as_json: bool = JsonOption,
) -> None:
    """What the early stop of a committee saves, and what it loses, on real calls. Example: qnet bench race"""
    from qnet_tui.workflows.bench_race import bench_race as verb

    with progress() as show:
        found = verb(workspace, round_number, quick=quick, progress=show)
    _show(found, as_json)


@bench_app.command("map")
def bench_map(quick: bool = QuickOption, as_json: bool = JsonOption) -> None:
    """The map's search and training beside minisom's own. Example: qnet bench map"""
    from qnet_tui.workflows.bench_map import bench_map as verb

    with progress() as show:
        found = verb(quick=quick, progress=show)
    _show(found, as_json)


@bench_app.command("ingest")
def bench_ingest(quick: bool = QuickOption, as_json: bool = JsonOption) -> None:
    """Reading and rebinning beside a loop over spectra; gzipped files. Example: qnet bench ingest"""
    from qnet_tui.workflows.bench_ingest import bench_ingest as verb

    with progress() as show:
        found = verb(quick=quick, progress=show)
    _show(found, as_json)


@bench_app.command("scale")
def bench_scale(
    rows: int = typer.Option(200_000, min=1000, help="Rows of the largest workspace of the curve."),
    folder: Path | None = typer.Option(None, "--folder", help="Where it is made and removed  [default: temporary]"),
    quick: bool = QuickOption,
    as_json: bool = JsonOption,
) -> None:
    """Time, memory and disk of a round against rows and networks. Example: qnet bench scale --rows 1000000"""
    from qnet_tui.workflows.bench_scale import bench_scale as verb

    with progress() as show:
        found = verb(rows, folder=folder, quick=quick, progress=show)
    _show(found, as_json)


@bench_app.command("review")
def bench_review(
    rows: int = typer.Option(1_000_000, min=1000, help="Rows of the large round; the small one has 1,000."),
    folder: Path | None = typer.Option(None, "--folder", help="Where it is made and removed  [default: temporary]"),
    quick: bool = QuickOption,
    as_json: bool = JsonOption,
) -> None:
    """Opening the review's tabs on many rows beside a thousand. Example: qnet bench review --rows 200000"""
    from qnet_tui.workflows.bench_review import bench_review as verb

    with progress() as show:
        found = verb(rows, folder=folder, quick=quick, progress=show)
    _show(found, as_json)


def _show(found: "Sequence[Measure]", as_json: bool) -> None:
    rows = [
        (one.name, number(one.ours, 1), number(one.peer, 1), number(one.ratio, 3), one.unit,
         "" if one.target is None else f"{'>=' if one.at_least else '<='} {one.target:g}",
         {True: "yes", False: "NO", None: ""}[one.met], "exact" if one.exact else "", one.detail)
        for one in found
    ]  # fmt: skip
    emit(found, as_json, table(("what", "ours", "peer", "ratio", "unit", "target", "met", "", "how"), rows))
