"""How the entropy of the pool is spread, where the cut is, and what the map rejected (Fig. 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import storage.rounds as rounds_store
from qnet_tui.plotting.charts import Histogram
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.score_summary import EDGES, FINE_BINS, ScoreSummary, score_summary
from qnet_tui.workflows.review.scored import ScoredRound, round_shown, scored_rounds
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from storage.workspace import Workspace

BINS = 16
"""Bins of the table; each is several of the chart's."""

TWO_CLASSES = 1.0
"""Bits: two classes called equally often. More is only possible where all three are called."""

_COLUMNS = (
    Column("bin", "entropy >= (bit)", 2), Column("count", "rows"), Column("count_rejected", "rejected"),
    Column("count_stopped", "not asked to the end", need=1),
)  # fmt: skip


@dataclass(frozen=True)
class EntropyLine:
    """One bin of the pool's entropy (bits): ``count`` rows that could be selected, ``count_rejected`` outliers.

    ``count_stopped`` of both were not asked to the end: their entropy is that of the networks that were asked, and
    would be another one with all of them.
    """

    bin: float
    count: int
    count_rejected: int
    count_stopped: int


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:
    """Histogram of the entropy of the scored rows, 0 to log2(3) bits."""
    one = round_shown(ws, asked.round)
    if one is None:
        return Tab("entropy", _COLUMNS, (), asked, empty="no committee has scored the pool yet: qnet run-al")
    found = score_summary(one, progress)
    picks = [r for r in rounds_store.selection(ws, one.number) if not r.rejected and math.isfinite(r.entropy)]
    entropies = [r.entropy for r in picks]
    cut = min(entropies) if entropies and one.settings.strategy == "entropy" else None
    stopped = found.kept.stopped + found.rejected.stopped
    columns = (_coarse(found.kept.count), _coarse(found.rejected.count), _coarse(stopped))
    return Tab(
        name="entropy",
        columns=_COLUMNS,
        rows=[
            EntropyLine(float(e), *map(int, of))
            for e, of in zip(EDGES[:-1].reshape(BINS, -1)[:, 0], zip(*columns, strict=True), strict=True)
        ],
        asked=replace(asked, round=one.number),
        chart=Histogram(
            EDGES,
            (("kept by the map", found.kept.count),)
            + ((("rejected", found.rejected.count),) if found.rejected.rows else ()),
            "entropy of the committee's calls (bit)",
            log_counts=True,
            verticals=() if cut is None else ((cut, f"asked at {cut:.3f}"),),
        ),
        says=_says(found, entropies, one.settings.strategy),
        notes=_notes(found, one),
        rounds=scored_rounds(ws),
    )


def _coarse(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(counts.reshape(BINS, FINE_BINS // BINS).sum(axis=1))


def _says(found: ScoreSummary, entropies: list[float], strategy: str) -> str:
    side = found.kept
    known = side.rows - side.unanswered
    share = f"{side.undisputed / known:.1%} undisputed (entropy 0)" if known else "none has an answer"
    words = f"{_counted(side.rows, 'row')} of {_counted(side.objects, 'object')}: {share}"
    if not entropies:
        return words
    # Rounding of logarithms is not a third class.
    three = sum(1 for h in entropies if h > TWO_CLASSES + 1e-9)
    n, low, high = len(entropies), min(entropies), max(entropies)
    where = (
        f"lie at >= {low:.3f} bit" if strategy == "entropy" else f"(by {strategy}) lie at {low:.3f} to {high:.3f} bit"
    )
    return (
        f"{words}; the {_counted(n, 'object')} asked {where}, {three:,} ({three / n:.0%}) above 1 bit, "
        "where all three classes are called."
    )


def _notes(found: ScoreSummary, one: ScoredRound) -> tuple[str, ...]:
    notes = []
    stopped = int((found.kept.stopped + found.rejected.stopped).sum())
    if stopped:
        notes.append(
            f"{_counted(stopped, 'row')} not asked to the end: the entropy is that of the networks asked before they "
            "left the race"
        )
    if found.rejected.rows:
        disputed = found.rejected.rows - found.rejected.unanswered - found.rejected.undisputed
        notes.append(
            f"rejected: {_counted(found.rejected.rows, 'row')} in cells that the map cut away, {disputed:,} disputed"
        )
    else:
        notes.append(
            f"what the map rejected was not scored: qnet vi queue --outliers 100 --round {one.number} does it, and asks"
        )
    unanswered = found.kept.unanswered + found.rejected.unanswered
    if unanswered:
        notes.append(f"in no bin: {_counted(unanswered, 'row')} without any answer")
    return tuple(notes)


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"
