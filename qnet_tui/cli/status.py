"""``qnet status``: where the campaign stands and what to do next, as the home screen shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JsonOption, WorkspaceOption, emit, number, table
from qnet_tui.inspection.pace import duration_words

if TYPE_CHECKING:
    from qnet_tui.workflows.home import Home


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(status)


def status(workspace: Path | None = WorkspaceOption, as_json: bool = JsonOption) -> None:
    """Say where the campaign stands and what to do next. Example: qnet status

    JSON keys: workspace, name, standing{files, rows, dropped, objects, train, validation, last_merge}, inspector,
    codes[], votes_required, rounds[], queue{}, merging{}, runs[], next{why, command, place, run}. Exit code 0.
    """
    from qnet_tui.workflows.home import status as page

    home = page(find_workspace(workspace))
    emit(home, as_json, status_lines(home))


def status_lines(home: Home) -> Iterator[str]:
    """The page as text."""
    here = home.standing
    yield (
        f"{home.name}   {here.rows:,} spectra of {here.objects:,} objects in {here.files:,} files   "
        f"inspector {home.inspector or '- (qnet label --as CODE)'}"
    )
    yield f"  truth   {here.train:,} objects to train on, {here.validation:,} held out"
    yield from table(
        ("round", "state", "networks", "asked", "voted", "merged", "truth", "compl.", "95 %", "purity", "95 %"),
        [
            (
                one.round, one.state, f"{one.networks_done}/{one.networks}" if one.networks else "-",
                one.asked if one.round else "-", "-" if one.voted is None else f"{100 * one.voted:.0f}%",
                one.merged if one.round else "-", one.truth or "-",
                one.completeness, _interval(one.completeness_interval), one.purity, _interval(one.purity_interval),
            )
            for one in home.rounds
        ],
    )  # fmt: skip
    queue, merging = home.queue, home.merging
    pace = "" if queue.seconds is None else f", {queue.seconds:.0f} s each"
    left = "" if queue.seconds_left is None else f": about {duration_words(queue.seconds_left)}"
    held = f", {queue.held} of them held by others now" if queue.held else ""
    yield f"queue   {queue.left:,} for you{held}{left}{pace}; {queue.mine:,} answered by you"
    if merging.conflicts or merging.agreed or merging.lacking:
        yield (
            f"merge   {merging.conflicts:,} in conflict, {merging.agreed:,} agreed ({merging.to_look:,} to be looked "
            f"at); {merging.lacking:,} objects lack votes"
        )
    for run in home.runs:
        share = f"  {run.percent:.0f} %" if run.percent is not None and run.state == "RUNNING" else ""
        left = f"  {duration_words(run.seconds_left)} left" if run.seconds_left is not None else ""
        tail = f"  go on with: {run.resume}" if run.resume else f"  watch with: qnet runs watch {run.run}"
        yield f"run     {run.run}  {run.state}  {run.step or run.stage or run.verb}{share}{left}{tail}"
    yield f"next    {home.next.why}"
    yield f"        {home.next.command}"


def _interval(pair: tuple[float, float] | None) -> str:
    return f"{number(pair[0])}-{number(pair[1])}" if pair and number(pair[0]) != "-" else "-"
