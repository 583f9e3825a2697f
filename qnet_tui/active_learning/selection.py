"""From scores to the list that people are asked about (Green et al. 2025, section 3, steps 4 to 6).

Order, as in the paper: filters, map rejection of rows, one row per object, the K highest scores.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.pool import Bools, Ints, Pool, lacks_arm
from qnet_tui.active_learning.strategies import RowScores, StrategySettings, strategy_named
from qnet_tui.active_learning.why import why
from qnet_tui.errors import BadInput

NO_IDENTITY = "no identity"
SKY = "sky or not a target"
NOT_WHERE = "outside --where"
MISSING_ARM = "missing arm"
LABELLED = "already labelled"
QUEUED = "already queued"
EXCLUDED = "excluded by a list"


@dataclass(frozen=True)
class SelectionSettings:
    """How a round chooses.

    ``select`` objects by ``strategy``; rows in cells of the map at or below the ``percentile`` of the counts
    of ``cells`` are rejected (percentile None: no map); ``outliers`` objects of those rejected are added.
    The switches are the filters of :func:`eligible`; ``scoring`` is what the strategy needs.
    """

    strategy: str = "entropy"
    select: int = 1000
    percentile: float | None = 15.0
    cells: Literal["all", "nonempty"] = "all"
    outliers: int = 0
    sky: bool = True
    missing_arm: bool = True
    labelled: bool = True
    queued: bool = True
    excluded: bool = True
    scoring: StrategySettings = field(default_factory=StrategySettings)

    def __post_init__(self) -> None:
        """Refuse an unknown strategy and impossible numbers."""
        strategy_named(self.strategy)
        if self.select < 0 or self.outliers < 0:
            raise BadInput(f"cannot select {self.select} objects and {self.outliers} outliers")
        if self.percentile is not None and not 0 <= self.percentile <= 100:
            raise BadInput(f"percentile {self.percentile} is not in 0 … 100")
        if self.percentile is None and self.outliers:
            raise BadInput("outliers are what the map rejects", mend="give a percentile, or no outliers")


def eligible(pool: Pool, settings: SelectionSettings) -> tuple[Bools, dict[str, int]]:
    """Rows that may be selected, bool (n,), and how many rows each filter took, in the order applied.

    A row is counted by the first filter that takes it; a filter that is switched off is not in the counts.
    Rows without an identity are never eligible, nor those outside ``--where``. Green et al. 2025, step 8,
    removes what is labelled; the authors' notebook also objects whose coadd lacks an arm (46 of the 1000 most
    confused) and those of other campaigns.
    """
    mask = np.ones(len(pool), dtype=bool)
    counts: dict[str, int] = {}

    def take(reason: str, rows: Bools) -> None:
        counts[reason] = int(np.count_nonzero(mask & rows))
        mask[rows] = False

    take(NO_IDENTITY, np.asarray(pool.object_key <= 0))
    if settings.sky:
        take(SKY, np.asarray(~pool.target | (pool.targetid < 0)))
    take(NOT_WHERE, ~pool.where)
    if settings.missing_arm:
        take(MISSING_ARM, lacks_arm(pool))
    if settings.labelled:
        take(LABELLED, pool.labelled)
    if settings.queued:
        take(QUEUED, pool.queued)
    if settings.excluded:
        take(EXCLUDED, pool.excluded)
    return mask, counts


@dataclass(frozen=True)
class MapColumns:
    """What the map says of each row and each cell.

    ``bmu`` i8 (n,) cell of each row, ``counts`` i8 (cells,), ``rejected`` bool (cells,).
    """

    bmu: Ints
    counts: Ints
    rejected: Bools

    def outlying(self, n: int) -> Bools:
        """Rows in rejected cells, bool (n,). Raises ValueError when there are not ``n`` rows with a cell."""
        if len(self.bmu) != n or (n and self.bmu.min() < 0):
            raise ValueError(f"{len(self.bmu)} cells for {n} rows, or one below 0")
        return np.asarray(self.rejected[self.bmu], dtype=bool)


def rows_to_score(pool: Pool, settings: SelectionSettings, map_columns: MapColumns | None) -> Bools:
    """Rows that the committee has to see for this selection, bool (n,).

    The eligible ones in cells that the map keeps; those it rejects too when outliers are asked for.
    """
    mask, _ = eligible(pool, settings)
    if map_columns is not None and not settings.outliers:
        mask &= ~map_columns.outlying(len(pool))
    return mask


@dataclass(frozen=True)
class Pick:
    """One selected object, with the row that was most worth asking about."""

    object_id: int
    row_id: int
    targetid: int
    rank: int
    score: float
    entropy: float
    c_not: float
    c_qso_lz: float
    c_qso_hz: float
    n_networks: int
    bmu: int
    cell_count: int
    rejected: bool
    why: str
    strategy: str


@dataclass(frozen=True)
class Selection:
    """The list and the numbers that led to it.

    ``picks`` by rank from 1, the outliers (``rejected``) after the others. ``filtered`` are rows by reason in
    the order applied, ``rejected`` the eligible rows that the map took, ``unscored`` those left without a
    score, ``unique`` the objects of the rest, ``entropy_cut`` and ``score_cut`` the lowest entropy (NaN: no
    networks) and score among the regular picks (None: no picks).
    """

    picks: tuple[Pick, ...]
    rows: int
    filtered: tuple[tuple[str, int], ...]
    unscored: int
    rejected: int
    unique: int
    entropy_cut: float | None
    score_cut: float | None


def one_row_per_object(
    object_key: Ints, score: NDArray[np.float64], expid: Ints, file_order: Ints, hdu_row: Ints
) -> NDArray[np.int64]:
    """Keep one row of each object.

    The highest score, then the lowest EXPID (rows without one, -1, after those with one), then the first file
    by name, then the lowest row. All (n,), no score NaN. Returns i8 (objects,) positions, ordered by object.
    """
    n = len(object_key)
    if not n:
        return np.empty(0, dtype=np.int64)
    by_object = np.argsort(object_key, kind="stable")
    keys, scores = object_key[by_object], score[by_object]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[starts, n])
    best = np.repeat(np.maximum.reduceat(scores, starts), sizes)
    # Only rows that share the highest score of their object are sorted by the four keys.
    tied = by_object[scores == best]
    no_expid = expid[tied] < 0
    order = tied[np.lexsort((hdu_row[tied], file_order[tied], expid[tied], no_expid, object_key[tied]))]
    keys = object_key[order]
    return np.asarray(order[np.r_[True, keys[1:] != keys[:-1]]], dtype=np.int64)


def select(pool: Pool, scores: RowScores, settings: SelectionSettings, map_columns: MapColumns | None) -> Selection:
    """Choose objects to ask people about.

    ``scores`` are those of the pool's rows, in its order (NaN where a row was not scored); ``map_columns`` is
    None exactly when ``settings.percentile`` is. The result does not depend on the order of the rows.
    Raises BadInput when there is a percentile and no map.
    """
    if len(scores.score) != len(pool):
        raise ValueError(f"{len(scores.score)} scores for {len(pool)} rows")
    if (map_columns is None) != (settings.percentile is None):
        raise BadInput("a percentile needs a map, and a map a percentile")
    mask, filtered = eligible(pool, settings)
    outlying = np.zeros(len(pool), dtype=bool)
    if map_columns is not None:
        outlying = map_columns.outlying(len(pool))
    scored = mask & ~np.isnan(scores.score)
    kept = _best_rows(pool, scores, scored & ~outlying)
    chosen = _highest(pool, scores, kept, settings.select)
    others = np.empty(0, dtype=np.int64)
    if settings.outliers:
        # An object of which one row lies among many others is no outlier, and may be in the list already; that row
        # may have no score, when the committee stopped being asked about it.
        apart = scored & outlying & ~np.isin(pool.object_key, pool.object_key[mask & ~outlying])
        others = _highest(pool, scores, _best_rows(pool, scores, apart), settings.outliers)
    picks = _picks(pool, scores, settings, map_columns, np.concatenate([chosen, others]), outlying)
    regular = picks[: len(chosen)]
    return Selection(
        picks=picks,
        rows=len(pool),
        filtered=tuple(filtered.items()),
        unscored=int(np.count_nonzero(mask & ~outlying & ~scored)),
        rejected=int(np.count_nonzero(mask & outlying)),
        unique=len(kept),
        entropy_cut=min((p.entropy for p in regular), default=None),
        score_cut=min((p.score for p in regular), default=None),
    )


def _best_rows(pool: Pool, scores: RowScores, mask: Bools) -> NDArray[np.int64]:
    at = np.flatnonzero(mask)
    best = one_row_per_object(
        pool.object_key[at], scores.score[at], pool.expid[at], pool.file_order[at], pool.hdu_row[at]
    )
    return at[best]


def _highest(pool: Pool, scores: RowScores, rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The ``n`` rows of highest score; on ties the lowest TARGETID, then the lowest object key."""
    if 0 < n < len(rows):
        cut = np.partition(scores.score[rows], len(rows) - n)[len(rows) - n]
        rows = rows[scores.score[rows] >= cut]
    order = np.lexsort((pool.object_key[rows], pool.targetid[rows], -scores.score[rows]))
    return rows[order][:n]


def _picks(
    pool: Pool,
    scores: RowScores,
    settings: SelectionSettings,
    map_columns: MapColumns | None,
    rows: NDArray[np.int64],
    outlying: Bools,
) -> tuple[Pick, ...]:
    picks = []
    for rank, row in enumerate(rows.tolist(), start=1):
        counts = scores.counts[row]
        total = int(counts.sum())
        shares = [float(c) / total if total else float("nan") for c in counts]
        bmu = -1 if map_columns is None else int(map_columns.bmu[row])
        picks.append(
            Pick(
                object_id=int(pool.object_key[row]),
                row_id=int(pool.row_id[row]),
                targetid=int(pool.targetid[row]),
                rank=rank,
                score=float(scores.score[row]),
                entropy=float(scores.entropy[row]),
                c_not=shares[0],
                c_qso_lz=shares[1],
                c_qso_hz=shares[2],
                n_networks=total,
                bmu=bmu,
                cell_count=0 if map_columns is None else int(map_columns.counts[bmu]),
                rejected=bool(outlying[row]),
                why=why(counts, settings.strategy, rejected=bool(outlying[row])),
                strategy=settings.strategy,
            )
        )
    return tuple(picks)
