"""The self-organising map that tells common spectra from odd ones (Green et al. 2025, section 3, Fig. 2).

Spectra whose cell of the map holds few others are not worth people's time: they are data problems and
rarities, and a network learns little from them. minisom owns the map: its first weights, neighbourhood, decay and
error measures are used as they are; a wrap-around neighbourhood, which it lacks, is its own neighbourhood rolled
over the edges. The map is trained by Kohonen's batch rule (:mod:`.batch_map`) or one spectrum at a time by minisom.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from qnet_tui.active_learning.batch_map import Step, train_in_batches
from qnet_tui.active_learning.best_matching_units import two_best_cells
from qnet_tui.errors import BadInput, QnetError

PAPER_SIDE = 45
BATCHES = 200
BATCH_SHARE = 10
END_OF_BATCHES = 0.02
EPOCHS = 10
STARTS = 2
END_SIGMA = 0.9
HELD_FROM = 0.6
"""Batch training, see :class:`MapSettings`; measured to reach minisom's errors on the same spectra."""

PASSES = 20
MAX_ITERATIONS = 100_000
MAX_TRAINING_ROWS = 20_000
END_OF_LEARNING = 0.001
"""What is left of the learning rate after the last update, as a share (upstream: 1 to 0.001)."""

NEIGHBORHOODS = ("gaussian", "mexican_hat", "bubble", "triangle")
ENGINES = ("batch", "minisom")


def map_side(rows: int) -> int:
    """Cells along one side: min(45, floor(sqrt(rows / 10))), so some ten rows a cell, and at least 1."""
    return max(1, min(PAPER_SIDE, math.isqrt(max(rows, 0) // 10)))


@dataclass(frozen=True)
class MapSettings:
    """How a map is trained.

    ``engine`` "batch": 200 batches of a tenth of the spectra each, as upstream took them, while the learning rate falls
    exponentially to 0.02 and sigma (cells) to where it is held, six tenths of its way to 0.9 cells by minisom's inverse
    decay; then ``iterations`` epochs over all spectra in which each cell becomes the mean of its neighbourhood. The
    small batches lay the map out without folds, which epochs over everything alone do not. Of the maps of ``starts``
    different first weights the one with the least topographic error stays.
    "minisom": ``iterations`` updates by one spectrum each; the learning rate falls exponentially to a thousandth, sigma
    to 1 cell (minisom's ``inverse_decay_to_one``). ``sigma`` and ``learning_rate`` are the values at the start.
    Either way the whole map is laid out first, then every cell finds its own place. ``torus`` joins opposite edges, as
    in the paper's map.
    """

    side: int = PAPER_SIDE
    sigma: float = 8.6
    learning_rate: float = 0.5
    iterations: int = EPOCHS
    seed: int = 0
    torus: bool = True
    neighborhood: str = "gaussian"
    engine: str = "batch"
    starts: int = STARTS

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if not 1 <= self.side <= 1000:
            raise BadInput(f"a map of {self.side} × {self.side} cells is not possible")
        if not self.sigma > 0 or not 0 < self.learning_rate <= 1:
            raise BadInput(f"map: sigma {self.sigma} or learning rate {self.learning_rate} is out of range")
        if self.iterations < 1 or self.starts < 1:
            raise BadInput(f"map: {self.iterations} iterations from {self.starts} starts train nothing")
        if not 0 <= self.seed < 2**32:
            raise BadInput(f"map: seed {self.seed} is not in 0 … 2^32-1")
        if self.neighborhood not in NEIGHBORHOODS:
            raise BadInput(f"map: no neighbourhood '{self.neighborhood}'", mend=f"one of {', '.join(NEIGHBORHOODS)}")
        if self.engine not in ENGINES:
            raise BadInput(f"map: no engine '{self.engine}'", mend=f"one of {', '.join(ENGINES)}")
        if self.engine == "batch" and self.neighborhood == "mexican_hat":
            raise BadInput("map: no means can be taken with a mexican hat", mend="train with engine minisom")


def default_settings(
    rows: int, *, side: int | None = None, seed: int = 0, torus: bool = True, engine: str = "batch"
) -> MapSettings:
    """Settings for a map trained on ``rows`` spectra; ``side`` as :func:`map_side` when not given.

    The neighbourhood starts with half the mean distance of two cells as upstream, 8.61 cells on the 45 × 45 torus (at
    least 1, where minisom's decay ends). The learning rate starts with 0.5 and not with upstream's 1, with which the
    first spectra overwrite the map. "minisom": as upstream where it said something, 20 passes over the sample (200
    iterations of a tenth of it each; at most 100,000 updates, about what 4,600 labels gave it).
    """
    side = map_side(rows) if side is None else side
    settings = MapSettings(
        side=side,
        sigma=max(1.0, round(0.5 * mean_map_distance(side, torus=torus), 2)),
        seed=seed,
        torus=torus,
        engine=engine,
    )
    if engine == "minisom":
        return replace(settings, iterations=max(1, min(MAX_ITERATIONS, PASSES * rows)), starts=1)
    return settings


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

    20,000 fix a map of 2,025 cells; a pool of millions never goes in whole. ``source`` ("labelled" or "pool") says
    where they came from and is only recorded.
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
    give the same map, with "batch" for any number of threads. minisom's own training takes the vectors in a new order
    in every pass. ``on_progress`` hears (steps or updates done, all of them) now and then. Raises BadInput on no or on
    non-finite vectors.
    """
    if x.ndim != 2 or not len(x):
        raise BadInput("no spectra to train the map on", mend="ingest spectra, or import labels that match some")
    if not np.isfinite(x).all():
        raise BadInput("spectra with non-finite values cannot train the map")
    if seed is not None:
        settings = replace(settings, seed=_minisom_seed(seed))
    train = _train_in_batches if settings.engine == "batch" else _train_one_by_one
    return _measured(train(x, settings, on_progress), x, settings)


def _train_in_batches(
    x: NDArray[np.floating[Any]], settings: MapSettings, on_progress: Callable[[int, int], None] | None
) -> Any:
    done, total = 0, settings.starts * (BATCHES + settings.iterations)

    def stepped() -> None:
        nonlocal done
        done += 1
        if on_progress is not None and done % 10 == 0:
            on_progress(done, total)

    kept, least = None, math.inf
    for start in range(settings.starts):
        one = settings if start == 0 else replace(settings, seed=_minisom_seed(SeedSequence([settings.seed, start])))
        som = new_minisom(one, x.shape[1])
        som.random_weights_init(x)
        train_in_batches(som, x, training_steps(len(x), one), on_step=stepped)
        weights = som.get_weights().reshape(settings.side**2, -1)
        if settings.starts == 1 or settings.side == 1 or not np.isfinite(weights).all():
            return som
        apart = count_apart(x, weights, settings)
        if apart < least:
            kept, least = som, apart
    return kept


def training_steps(n: int, settings: MapSettings) -> Iterator[Step]:
    """The steps of a batch training on ``n`` spectra: batches of a tenth in a new order every pass, then epochs."""
    rng = np.random.default_rng(settings.seed)
    size = -(-n // BATCH_SHARE)
    order = np.empty(0, dtype=np.int64)
    for t in range(BATCHES):
        if len(order) < size:
            order = np.concatenate([order, rng.permutation(n)])
        rate = settings.learning_rate * (END_OF_BATCHES / settings.learning_rate) ** (t / BATCHES)
        yield Step(held_decay(settings.sigma, t / BATCHES), min(rate, settings.learning_rate), order[:size])
        order = order[size:]
    for _ in range(settings.iterations):
        yield Step(held_decay(settings.sigma, 1.0), 1.0)


def held_decay(sigma: float, progress: float) -> float:
    """Sigma when a part ``progress`` (0 … 1) of the batches is done: minisom's inverse decay, six tenths of the way.

    Single updates count for little at their end, where the learning rate is low: what they leave is the map of a
    wider neighbourhood than their last. Epochs converge at the width that is held.
    """
    return sigma / (1 + HELD_FROM * progress * (sigma / min(sigma, END_SIGMA) - 1))


def _train_one_by_one(
    x: NDArray[np.floating[Any]], settings: MapSettings, on_progress: Callable[[int, int], None] | None
) -> Any:
    som = new_minisom(settings, x.shape[1])
    som.random_weights_init(x)
    for t, i in enumerate(_training_order(len(x), settings)):
        som.update(x[i], som.winner(x[i]), t, settings.iterations)
        if on_progress is not None and (t + 1) % 500 == 0:
            on_progress(t + 1, settings.iterations)
    return som


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
            wrapped_error += count_apart(part, weights, settings)
    return OutlierMap(
        weights,
        settings,
        len(x),
        quantization / len(x),
        topographic / len(x),
        wrapped_error / len(x),
    )


def count_apart(x: NDArray[np.floating[Any]], weights: NDArray[np.float64], settings: MapSettings) -> int:
    """How many vectors have two best cells that do not touch, over an edge neither if the map is a torus."""
    two = two_best_cells(x, weights)
    apart = np.abs(np.diff(np.stack(np.divmod(two, settings.side)), axis=2))[..., 0]
    if settings.torus:
        apart = np.minimum(apart, settings.side - apart)
    return int(np.count_nonzero(apart.max(axis=0) > 1))


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
