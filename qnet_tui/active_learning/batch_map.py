"""Kohonen's batch rule on a minisom object (Kohonen 2013, Neural Networks 37, 52; ``minisom.train_batch_offline``).

A step finds the best cell of every vector of a batch and then moves each cell towards the mean of those vectors,
weighted by the neighbourhood (the object's own) of their best cells. Where minisom adds up one spectrum at a time, the
vectors of one cell are summed first, and the neighbourhood is applied to those sums, along one side of the map and then
along the other. With all vectors in the batch and a rate of 1 a step is minisom's, learning rate
1; with a lower rate a cell moves as far as that many single updates at that rate would take it.

All sums are float64 in one order, whatever the number of threads: the product of two matrices by a linear algebra
library is not, and the cells decide who is asked about.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.best_matching_units import best_matching_units


@dataclass(frozen=True)
class Step:
    """One step: sigma in cells, the rate of learning (0 … 1), and the vectors taken, i8 positions (None: all)."""

    sigma: float
    rate: float
    rows: NDArray[np.int64] | None = None


def train_in_batches(
    som: Any,
    x: NDArray[np.floating[Any]],
    steps: Iterable[Step],
    *,
    on_step: Callable[[], None] = lambda: None,
) -> None:
    """Train ``som`` (a square ``minisom.MiniSom`` with its first weights) in place.

    ``x`` (n, n_pixels) finite; the neighbourhood is minisom's gaussian, bubble or triangle, which are a function of the
    rows times that function of the columns (its mexican hat is none, and where it is negative nothing can be the
    weight of a mean). ``on_step`` is called after each. Beside ``x`` and the batch this holds the weights some six
    times, and what :func:`best_matching_units` needs.
    """
    weights = som.get_weights()
    side, _, n_pixels = weights.shape
    for step in steps:
        batch = x if step.rows is None else x[step.rows]
        best = best_matching_units(batch, weights.reshape(side * side, n_pixels))
        sums, counts = sums_of_cells(batch, best, side * side)
        total, share = _spread(som, sums.reshape(weights.shape), counts.reshape(side, side), step.sigma)
        # As minisom: a cell that no spectrum reaches stays where it is.
        reached = share > 0
        mean = total[reached] / share[reached][:, None]
        if step.rate < 1:
            # What is left of a distance after `share` updates by a part `rate` each is (1 - rate)^share of it.
            mean -= weights[reached]
            mean *= -np.expm1(share[reached] * np.log1p(-step.rate))[:, None]
            mean += weights[reached]
        weights[reached] = mean
        on_step()


def sums_of_cells(
    x: NDArray[np.floating[Any]], best: NDArray[np.int64], cells: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of the vectors of each cell, f8 (cells, n_pixels), added in their order, and their number, f8 (cells,)."""
    counts = np.bincount(best, minlength=cells)
    ends = np.cumsum(counts)
    order = np.argsort(best, kind="stable")
    sums = np.zeros((cells, x.shape[1]))
    for cell in np.flatnonzero(counts).tolist():
        members = x[order[ends[cell] - counts[cell] : ends[cell]]]
        np.add.reduce(members, axis=0, dtype=np.float64, out=sums[cell])
    return sums, counts.astype(np.float64)


def _spread(
    som: Any, sums: NDArray[np.float64], counts: NDArray[np.float64], sigma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums (side, side, n_pixels) and counts (side, side) weighted by the neighbourhood."""
    side = len(counts)
    # Down one column of minisom's neighbourhood of each of its cells; a factor common to all of them cancels.
    along = np.stack([som.neighborhood((i, 0), sigma)[:, 0] for i in range(side)])
    # einsum without optimize: its own loops, no library whose order of adding hangs on the number of threads.
    rows = np.einsum("ki,kd->id", along, sums.reshape(side, -1)).reshape(sums.shape)
    total = np.einsum("lj,ild->ijd", along, rows)
    share = np.einsum("lj,il->ij", along, np.einsum("ki,kl->il", along, counts))
    return total, share
