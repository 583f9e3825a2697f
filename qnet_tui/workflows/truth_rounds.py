"""How the truth grew, round by round, and what each state of it is called."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.rounds as rounds_store
import storage.runs as runs_store
from storage.workspace import Workspace

IMPORTED = "round 0 truth (VI)"
"""The imported truth, before any label of this campaign."""


def truth_name(ws: Workspace, number: int) -> str:
    """What the truth with the labels of rounds up to ``number`` is called.

    "AL 2" after a round that a committee selected, as in the paper's figures; a round that was drawn otherwise is named
    with how: "round 2 (random)".
    """
    if number == 0:
        return IMPORTED
    if any(run.verb == "run-al" and run.round == number for run in runs_store.runs(ws, include_hidden=True)):
        return f"AL {number}"
    strategy = next((r.strategy for r in rounds_store.rounds(ws) if r.round == number), "")
    return f"round {number} ({strategy})" if strategy else f"round {number}"


def short_name(name: str) -> str:
    """The same where there is little room: the imported truth is "VI", as in the paper's figures."""
    return "VI" if name == IMPORTED else name


def last_round(labels: NDArray[Any]) -> int:
    """The latest round that labels of :func:`storage.truth.current_truth` for training come from; 0 for imports."""
    origins = np.unique(labels["origin"][labels["role"] == "train"])
    words = [str(one).partition(":") for one in origins]
    return max((int(number) for kind, _, number in words if kind == "round" and number.isdigit()), default=0)
