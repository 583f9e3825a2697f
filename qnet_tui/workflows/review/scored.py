"""The round that a tab is about: the one asked for, or the last that a run selected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import storage.rounds as rounds_store
import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.given_round import last_scored_round
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import RoundFiles
from qnet_tui.workflows.round_scores import stored
from storage.workspace import Workspace


@dataclass(frozen=True)
class ScoredRound:
    """A round that a run selected: its files, the members that scored, the settings, its number."""

    files: RoundFiles
    members: list[int]
    settings: RoundSettings
    number: int


def scored_rounds(ws: Workspace) -> tuple[int, ...]:
    """Rounds that a run selected, ascending."""
    made = {int(run.round) for run in runs_store.runs(ws) if run.verb == "run-al" and run.round}
    return tuple(sorted(made & {r.round for r in rounds_store.rounds(ws)}))


def round_asked(ws: Workspace, number: int | None) -> tuple[RoundFiles, list[int], RoundSettings, int]:
    """Files, members, settings and number of a round, None for the last that a run selected.

    Errors: :class:`BadInput` when there is no such round, no run selected it, or its files are gone.
    """
    from qnet_tui.workflows.round_selection import scored_round

    if number is None:
        number = last_scored_round(ws)
    if number not in scored_rounds(ws):
        if number in {r.round for r in rounds_store.rounds(ws)}:
            raise BadInput(f"round {number} was made from a list: no committee scored it", mend="qnet review rounds")
        raise BadInput(f"no round {number} has been selected yet", mend="qnet run-al makes one")
    return (*scored_round(ws, number), number)


def round_shown(ws: Workspace, number: int | None) -> ScoredRound | None:
    """The round asked for, or the last that a run selected; None when none was asked for and there is none.

    Errors: :class:`BadInput` when a round was asked for that is not there or that no run selected, or when the files of
    the round are gone.
    """
    if number is None and not scored_rounds(ws):
        return None
    return ScoredRound(*round_asked(ws, number))


def cells_of(files: RoundFiles) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many rows each cell of a round's map holds, and which cells it rejects: (cells,) each; no row is read.

    Errors: :class:`QnetError` when the file is gone or damaged.
    """
    with stored(files.pool) as plan:
        return np.asarray(plan["cell_counts"], dtype=np.int64), np.asarray(plan["cell_rejected"], dtype=bool)
