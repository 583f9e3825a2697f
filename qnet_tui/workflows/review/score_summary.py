"""What the tabs say of the millions of rows that a committee scored, in some kilobytes that are kept with the round."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.entropy import MAX_ENTROPY_BITS
from qnet_tui.active_learning.pool import Pool
from qnet_tui.active_learning.selection import MapColumns, select
from qnet_tui.active_learning.strategies import RowScores
from qnet_tui.errors import QnetError
from qnet_tui.workflows.pool_files import read_pool
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.review.kept import Arrays, fingerprint_of, kept
from qnet_tui.workflows.review.scored import ScoredRound
from qnet_tui.workflows.round_files import OUTLIERS, RoundFiles
from qnet_tui.workflows.round_plan import selection_settings
from qnet_tui.workflows.round_scores import PoolScores, pool_scores

FINE_BINS = 64
EDGES = np.linspace(0, MAX_ENTROPY_BITS + 1e-9, FINE_BINS + 1)
"""Edges of the bins of the entropy, bits."""

TOP = 200
"""So many of the most disputed rejected objects are in a summary."""

NAME = "scores"
_VERSION = "summary 1"
_AT_ONCE = 100_000

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Side:
    """Rows on one side of the map's cut: what it kept, or what it rejected.

    ``count`` and ``stopped`` int64 (64,): rows by entropy, and those of them that not every network was asked about;
    ``rows`` and ``objects`` in all, ``undisputed`` rows of entropy 0, ``unanswered`` rows without any answer, which are
    in no bin.
    """

    count: Counts
    stopped: Counts
    rows: int
    objects: int
    undisputed: int
    unanswered: int


@dataclass(frozen=True)
class Disputed:
    """The most disputed objects that the map rejected, best first, of which every network was asked; (k,) each."""

    object_id: Counts
    row_id: Counts
    entropy: NDArray[np.float64]
    cell: Counts
    cell_count: Counts


@dataclass(frozen=True)
class ScoreSummary:
    """What the map of a round kept, what it rejected (no rows where that was not scored), the most disputed of that."""

    kept: Side
    rejected: Side
    top: Disputed


def score_summary(one: ScoredRound, progress: Progress = silent) -> ScoreSummary:
    """The summary of a round's scores, as it is kept or computed now.

    Rows that were rejected and scored only after the run are in it. Memory: some 40 bytes a row when it is computed.
    Errors: :class:`QnetError` when it is not kept and the scores are gone or damaged.
    """

    def of(files: RoundFiles) -> ScoreSummary:
        def make() -> Arrays:
            keys = read_pool(files)[0].object_key
            return _summary(files, pool_scores(files, one.members, keys, one.settings, progress), one.settings)

        return _read(kept(files.root, NAME, _mark(files, len(one.members), one.settings), make))

    found = of(one.files)
    apart = RoundFiles(one.files.root / OUTLIERS)
    if not apart.pool.exists():
        return found
    try:
        later = of(apart)
    except QnetError:
        # Somebody stopped the scoring of the rejected rows half way: what is not whole is not shown.
        return found
    # In a race the rejected rows were asked to the end only as far as objects were wanted: the later answers have all.
    return ScoreSummary(found.kept, later.rejected, later.top)


def keep_summary(files: RoundFiles, said: PoolScores, settings: RoundSettings) -> None:
    """Sum up and keep what the committee of a round said, for whoever has its scores in memory."""
    kept(files.root, NAME, _mark(files, said.networks, settings), lambda: _summary(files, said, settings))


def _mark(files: RoundFiles, networks: int, settings: RoundSettings) -> str:
    return fingerprint_of(_VERSION, str(networks), str(settings), files.pool, files.committee)


def _summary(files: RoundFiles, said: PoolScores, settings: RoundSettings) -> Arrays:
    pool, on_map = read_pool(files)
    outlying = np.asarray(on_map.rejected[on_map.bmu])
    keys = np.asarray(pool.object_key)
    # A table by object id: ids are small and dense, and sorting millions of them needs ten times the memory.
    inside = np.zeros(1 + int(keys.max(initial=0)), dtype=bool)
    inside[keys[~outlying]] = True
    outside = np.zeros_like(inside)
    outside[keys[outlying]] = True
    out: Arrays = {}
    for name, rows, objects in (("kept", ~outlying, inside), ("rejected", outlying, outside)):
        count, stopped, undisputed, known = np.zeros(FINE_BINS, np.int64), np.zeros(FINE_BINS, np.int64), 0, 0
        for first in range(0, len(pool), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            values = said.scores.entropy[part][rows[part]]
            count += _histogram(values)
            stopped += _histogram(values[said.asked[part][rows[part]] < said.networks])
            undisputed += int(np.count_nonzero(values == 0))
            known += int(np.count_nonzero(~np.isnan(values)))
        n = int(np.count_nonzero(rows))
        out |= {f"{name}_count": count, f"{name}_stopped": stopped}
        out[f"{name}_facts"] = np.array([n, int(np.count_nonzero(objects[1:])), undisputed, n - known], dtype=np.int64)
    return out | _most_disputed(pool, said, on_map, settings, outlying & ~inside[keys])


def _most_disputed(
    pool: Pool, said: PoolScores, on_map: MapColumns, settings: RoundSettings, among: NDArray[np.bool_]
) -> Arrays:
    """The first of some rows by the rules of the selection."""
    some = Pool(**{field.name: np.asarray(getattr(pool, field.name)[among]) for field in fields(Pool)})
    scores = RowScores(said.scores.score[among], said.scores.entropy[among], said.scores.counts[among])
    # Labels and queues come and go: they are left out where the list is shown, not here.
    chosen = replace(selection_settings(settings), select=0, outliers=TOP, labelled=False, queued=False)
    picks = select(
        some, scores, chosen, MapColumns(np.asarray(on_map.bmu[among]), on_map.counts, on_map.rejected)
    ).picks
    return {
        "top_object_id": np.array([p.object_id for p in picks], dtype=np.int64),
        "top_row_id": np.array([p.row_id for p in picks], dtype=np.int64),
        "top_entropy": np.array([p.entropy for p in picks], dtype=np.float64),
        "top_cell": np.array([p.bmu for p in picks], dtype=np.int64),
        "top_cell_count": np.array([p.cell_count for p in picks], dtype=np.int64),
    }


def _read(stored: Arrays) -> ScoreSummary:
    sides = [
        Side(stored[f"{name}_count"], stored[f"{name}_stopped"], *map(int, stored[f"{name}_facts"]))
        for name in ("kept", "rejected")
    ]
    top: dict[str, Any] = {field.name: stored[f"top_{field.name}"] for field in fields(Disputed)}
    return ScoreSummary(sides[0], sides[1], Disputed(**top))


def _histogram(values: NDArray[np.float64]) -> Counts:
    return np.histogram(values[~np.isnan(values)], EDGES)[0].astype(np.int64)
