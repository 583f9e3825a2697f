"""The self-organising map that tells common spectra from odd ones (Green et al. 2025, section 3, Fig. 2).

Spectra whose cell of the map holds few others are not worth people's time: they are data problems and
rarities, and a network learns little from them. minisom owns the map: its winner, update, decay and error
measures are used as they are; a wrap-around neighbourhood, which it lacks, is its own neighbourhood rolled
over the edges.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from qnet_tui.errors import BadInput, QnetError

PAPER_SIDE = 45
PASSES = 20
MAX_ITERATIONS = 100_000
MAX_TRAINING_ROWS = 20_000
END_OF_LEARNING = 0.001
"""What is left of the learning rate after the last update, as a share (upstream: 1 to 0.001)."""

NEIGHBORHOODS = ("gaussian", "mexican_hat", "bubble", "triangle")


def map_side(rows: int) -> int:
    """Cells along one side: min(45, floor(sqrt(rows / 10))), so some ten rows a cell, and at least 1."""
    return max(1, min(PAPER_SIDE, math.isqrt(max(rows, 0) // 10)))


@dataclass(frozen=True)
class MapSettings:
    """How a map is trained.

    ``iterations`` are updates by one spectrum each; ``sigma`` (cells) and ``learning_rate`` are the values at
    the start. The learning rate falls exponentially to a thousandth, sigma to 1 cell (minisom's
    ``inverse_decay_to_one``): first the whole map is laid out, then every cell finds its own place.
    ``torus`` joins opposite edges, as in the paper's map.
    """

    side: int = PAPER_SIDE
    sigma: float = 8.6
    learning_rate: float = 0.5
    iterations: int = MAX_ITERATIONS
    seed: int = 0
    torus: bool = True
    neighborhood: str = "gaussian"

    def __post_init__(self) -> None:
        """Refuse what minisom cannot train."""
        if not 1 <= self.side <= 1000:
            raise BadInput(f"a map of {self.side} × {self.side} cells is not possible")
        if not self.sigma > 0 or not 0 < self.learning_rate <= 1:
            raise BadInput(f"map: sigma {self.sigma} or learning rate {self.learning_rate} is out of range")
        if self.iterations < 1:
            raise BadInput(f"map: {self.iterations} iterations train nothing")
        if not 0 <= self.seed < 2**32:
            raise BadInput(f"map: seed {self.seed} is not in 0 … 2^32-1")
        if self.neighborhood not in NEIGHBORHOODS:
            raise BadInput(f"map: no neighbourhood '{self.neighborhood}'", mend=f"one of {', '.join(NEIGHBORHOODS)}")


def default_settings(rows: int, *, side: int | None = None, seed: int = 0, torus: bool = True) -> MapSettings:
    """Settings for a map trained on ``rows`` spectra; ``side`` as :func:`map_side` when not given.

    As upstream where it said something: 20 passes over the sample (200 iterations of a tenth of it each; at
    most 100,000 updates, about what 4,600 labels gave it), and a neighbourhood that starts with half the mean
    distance of two cells, 8.61 cells on the 45 × 45 torus (at least 1, where minisom's decay ends). The
    learning rate starts with 0.5 and not with upstream's 1, with which the first spectra overwrite the map.
    """
    side = map_side(rows) if side is None else side
    return MapSettings(
        side=side,
        sigma=max(1.0, round(0.5 * mean_map_distance(side, torus=torus), 2)),
        iterations=max(1, min(MAX_ITERATIONS, PASSES * rows)),
        seed=seed,
        torus=torus,
    )


def mean_map_distance(side: int, *, torus: bool) -> float:
    """Mean distance of two cells of the map (pairs of a cell with itself included), in cells."""
    steps = np.arange(side)
    if torus:
        d = np.minimum(steps, side - steps).astype(np.float64)
        weight = np.ones(side)
    else:
        d, weight = steps.astype(np.float64), np.where(steps == 0, side, 2 * (side - steps)) / side
    share = weight / weight.sum()
    return float(np.einsum("i,j,ij->", share, share, np.hypot(d[:, None], d[None, :])))


@dataclass(frozen=True)
class TrainingSample:
    """Which spectra train a map: ``rows`` i8 (n,) ascending positions in the ``of`` offered ones."""

    rows: NDArray[np.int64]
    of: int
    source: str
    max_rows: int
    seed: int


def draw_training_sample(
    of: int, *, source: str = "labelled", max_rows: int = MAX_TRAINING_ROWS, seed: int = 0
) -> TrainingSample:
    """All of ``of`` spectra, or ``max_rows`` of them drawn without replacement.

    minisom takes one spectrum at a time, and 20,000 fix a map of 2,025 cells; a pool of millions never goes
    in whole. ``source`` ("labelled" or "pool") says where they came from and is only recorded.
    """
    if max_rows < 1:
        raise BadInput(f"a map cannot be trained on {max_rows} spectra")
    if of <= max_rows:
        rows = np.arange(of, dtype=np.int64)
    else:
        rows = np.sort(np.random.default_rng(seed).choice(of, size=max_rows, replace=False, shuffle=False))
    return TrainingSample(rows.astype(np.int64, copy=False), of, source, max_rows, seed)


@dataclass(frozen=True)
class OutlierMap:
    """A trained map as plain arrays.

    ``weights`` f8 (side², n_pixels): the spectrum of each cell, cell = row · side + column. The errors are
    minisom's measures on the training spectra: mean distance to the best cell, and the share of spectra whose
    two best cells do not touch (NaN for a single cell). minisom's share knows no wrap-around;
    ``torus_topographic_error`` counts cells that touch over an edge as neighbours (the same number on a map
    without wrap-around).
    """

    weights: NDArray[np.float64]
    settings: MapSettings
    trained_on: int
    quantization_error: float
    topographic_error: float
    torus_topographic_error: float

    @property
    def side(self) -> int:
        """Cells along one side."""
        return self.settings.side

    @property
    def torus(self) -> bool:
        """Whether opposite edges are joined."""
        return self.settings.torus


def train_map(
    x: NDArray[np.floating[Any]],
    settings: MapSettings,
    seed: int | SeedSequence | None = None,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> OutlierMap:
    """Train a map on vectors ``x`` (n, n_pixels), rebinned and renormalised as the networks see them.

    ``seed`` takes the place of ``settings.seed`` and is recorded there; the same seed, vectors and versions
    give the same map. Every pass over ``x`` takes the vectors in a new order. ``on_progress`` hears
    (updates done, updates in all) now and then. Raises BadInput on no or on non-finite vectors.
    """
    if x.ndim != 2 or not len(x):
        raise BadInput("no spectra to train the map on", mend="ingest spectra, or import labels that match some")
    if not np.isfinite(x).all():
        raise BadInput("spectra with non-finite values cannot train the map")
    if seed is not None:
        settings = replace(settings, seed=_minisom_seed(seed))
    som = new_minisom(settings, x.shape[1])
    som.random_weights_init(x)
    order = _training_order(len(x), settings)
    for t, i in enumerate(order):
        som.update(x[i], som.winner(x[i]), t, settings.iterations)
        if on_progress is not None and (t + 1) % 500 == 0:
            on_progress(t + 1, settings.iterations)
    return _measured(som, x, settings)


def new_minisom(settings: MapSettings, n_pixels: int) -> Any:
    """An untrained minisom object with these settings (a ``minisom.MiniSom``)."""
    from minisom import MiniSom

    som = MiniSom(
        settings.side,
        settings.side,
        n_pixels,
        sigma=settings.sigma,
        learning_rate=settings.learning_rate,
        decay_function=exponential_decay,
        sigma_decay_function="inverse_decay_to_one",
        neighborhood_function=settings.neighborhood,
        random_seed=settings.seed,
    )
    if settings.torus:
        som.neighborhood = wrapped(som.neighborhood, settings.side)
    return som


def exponential_decay(learning_rate: float, t: int, max_iter: int) -> float:
    """Learning rate at update ``t``: a thousandth is left after the last one."""
    return learning_rate * float(END_OF_LEARNING ** (t / max_iter))


Neighborhood = Callable[[tuple[int, int], float], NDArray[np.float64]]


def wrapped(neighborhood: Neighborhood, side: int) -> Neighborhood:
    """The same neighbourhood on a torus: taken around the middle cell, then rolled over the edges."""
    middle = side // 2

    def around(cell: tuple[int, int], sigma: float) -> NDArray[np.float64]:
        shift = (int(cell[0]) - middle, int(cell[1]) - middle)
        return np.roll(neighborhood((middle, middle), sigma), shift, axis=(0, 1))

    return around


def _minisom_seed(seed: int | SeedSequence) -> int:
    return int(seed.generate_state(1, np.uint32)[0]) if isinstance(seed, SeedSequence) else seed


def _training_order(n: int, settings: MapSettings) -> NDArray[np.int64]:
    rng = np.random.default_rng(settings.seed)
    passes = -(-settings.iterations // n)
    return np.concatenate([rng.permutation(n) for _ in range(passes)])[: settings.iterations]


def _measured(som: Any, x: NDArray[np.floating[Any]], settings: MapSettings) -> OutlierMap:
    weights = np.array(som.get_weights(), dtype=np.float64).reshape(settings.side**2, -1)
    if not np.isfinite(weights).all():
        raise QnetError("the map did not converge", mend="lower its sigma or learning rate")
    # minisom's measures hold (rows × cells) float64 several times: a thousand rows at once.
    block, quantization = 1000, 0.0
    topographic = wrapped_error = math.nan if settings.side == 1 else 0.0
    for a in range(0, len(x), block):
        part = np.asarray(x[a : a + block], dtype=np.float64)
        quantization += float(som.quantization_error(part)) * len(part)
        if settings.side > 1:
            topographic += float(som.topographic_error(part)) * len(part)
            wrapped_error += _wrapped_errors(part, weights, settings)
    return OutlierMap(
        weights,
        settings,
        len(x),
        quantization / len(x),
        topographic / len(x),
        wrapped_error / len(x),
    )


def _wrapped_errors(x: NDArray[np.float64], weights: NDArray[np.float64], settings: MapSettings) -> int:
    half_square = 0.5 * np.einsum("ij,ij->i", weights, weights)
    two = np.argpartition(half_square - x @ weights.T, 1, axis=1)[:, :2]
    apart = np.abs(np.diff(np.stack(np.divmod(two, settings.side)), axis=2))[..., 0]
    if settings.torus:
        apart = np.minimum(apart, settings.side - apart)
    return int(np.count_nonzero(apart.max(axis=0) > 1))


def best_matching_units(
    x: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]], *, block: int = 2048
) -> NDArray[np.int64]:
    """The cell nearest to each vector, as ``minisom.winner`` finds it; the lowest index on ties.

    ``x`` is (n, n_pixels), also a memory map, ``weights`` (cells, n_pixels). Returns i8 (n,) cell indices.
    Distances are compared as ½|w|² - x·w in float32 blocks (all the speed is there); wherever another cell is
    closer to the best than float32 can tell, minisom's own float64 distance decides. Raises QnetError on a
    vector that is not finite.
    """
    w64 = np.ascontiguousarray(weights, dtype=np.float64)
    w32 = np.ascontiguousarray(w64.T, dtype=np.float32)
    half_square = 0.5 * np.einsum("ij,ij->i", w64, w64)
    half32 = half_square.astype(np.float32)
    longest = math.sqrt(2.0 * half_square.max())
    gaps = np.empty((min(block, max(1, len(x))), len(w64)), dtype=np.float32)
    out = np.empty(len(x), dtype=np.int64)
    for a in range(0, len(x), block):
        part = np.asarray(x[a : a + block])
        x32 = part.astype(np.float32, copy=False)
        gap = np.matmul(x32, w32, out=gaps[: len(part)])
        np.subtract(half32, gap, out=gap)
        best = gap.argmin(axis=1)
        here = np.arange(len(best))
        least = gap[here, best]
        if not np.isfinite(least).all():
            raise QnetError(
                f"vector {a + int(np.argmin(np.isfinite(least)))} is not finite", mend="ingest its file again"
            )
        length = np.sqrt(np.einsum("ij,ij->i", x32, x32))
        # In any order of summation |error of x·w| <= D u |x||w|; the roundings of the inputs and of the
        # difference add less than 4 u (|x| + |w|) |w|. Twice that, because both sides of a comparison err.
        error = 2.0**-23 * longest * (x.shape[1] * length + 4.0 * (length + longest))
        limit = least + error.astype(np.float32)
        gap[here, best] = np.inf
        for i in np.flatnonzero(gap.min(axis=1) <= limit):
            cells = np.sort(np.append(np.flatnonzero(gap[i] <= limit[i]), best[i]))
            best[i] = cells[np.linalg.norm(np.subtract(part[i], w64[cells]), axis=-1).argmin()]
        out[a : a + block] = best
    return out


def cell_counts(
    bmu: NDArray[np.integer[Any]], side: int, countable: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """How many rows each cell holds, i8 (side²,); ``countable`` bool (n,): which rows count (None: all)."""
    cells = bmu if countable is None else bmu[countable]
    return np.bincount(cells, minlength=side * side).astype(np.int64, copy=False)


@dataclass(frozen=True)
class RejectedCells:
    """Cells cut away: ``mask`` bool (cells,), the ``cut`` in rows, a ``warning`` if it has no use."""

    mask: NDArray[np.bool_]
    cut: float
    percentile: float
    which: str
    warning: str = ""


def rejected_cells(
    counts: NDArray[np.integer[Any]], percentile: float = 15.0, which: Literal["all", "nonempty"] = "all"
) -> RejectedCells:
    """Cells that hold too few rows: a cell stays only if its count is strictly above the percentile.

    ``counts`` i8 (cells,). The percentile (linear interpolation) is that of all cells, as in the paper, or of
    those that hold a row. Raises BadInput on another ``which`` or a percentile out of 0 … 100.
    """
    if which not in ("all", "nonempty"):
        raise BadInput(f"map: no choice of cells '{which}'", mend="use all or nonempty")
    if not 0 <= percentile <= 100:
        raise BadInput(f"percentile {percentile} is not in 0 … 100")
    among = counts if which == "all" else counts[counts > 0]
    cut = float(np.percentile(among, percentile)) if among.size else 0.0
    mask = np.asarray(~(counts > cut), dtype=bool)
    warning = ""
    if mask.all():
        warning = f"every cell holds {cut:g} rows or fewer: the map rejects all of them"
    elif cut == 0:
        warning = f"the {percentile:g}th percentile of the cell counts is 0: only empty cells are rejected"
    return RejectedCells(mask, cut, percentile, which, warning)
