"""The cell of a map that is nearest to each vector, by one matrix product a block (equation of ``minisom.winner``).

Distances are compared as ½|w|² - x·w in float32, where all the speed is; wherever another cell is closer to the best
than float32 can tell, minisom's own float64 distance decides. So the answer is minisom's, and it does not hang on the
number of threads or on the library that multiplies.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import QnetError

_DISTANCES = 1 << 22
"""Distances held at once (16 MiB of float32)."""

_PAIRS = 1024
"""Close pairs of a vector and a cell compared at once in float64 (some 11 MB at 443 pixels)."""


def best_matching_units(
    x: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]], *, block: int | None = None
) -> NDArray[np.int64]:
    """The cell nearest to each vector, as ``minisom.winner`` finds it; the lowest index on ties.

    ``x`` is (n, n_pixels), also a memory map, ``weights`` (cells, n_pixels), ``block`` the vectors taken at once (as
    many as need 16 MiB of distances when not given, at most 2048). Returns i8 (n,) cell indices. Beside ``x`` and the
    answer it holds the weights twice more and some 40 MB. Raises QnetError on a vector that is not finite.
    """
    w64 = np.ascontiguousarray(weights, dtype=np.float64)
    block = block or max(16, min(2048, _DISTANCES // len(w64)))
    # The same number taken off every cell's distance changes no comparison: with the weights counted from their mean,
    # and the squares from the middle of them, float32 has less to round.
    half_square = 0.5 * np.einsum("ij,ij->i", w64, w64)
    half32 = (half_square - 0.5 * (half_square.min() + half_square.max())).astype(np.float32)
    centred = w64 - w64.mean(axis=0)
    longest = float(np.sqrt(np.einsum("ij,ij->i", centred, centred).max()))
    highest = float(np.abs(half32).max())
    w32 = np.ascontiguousarray(centred.T, dtype=np.float32)
    del centred
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
        # With u = 2^-24, in any order of summation |error of x·w| <= D u |x||w|; the roundings of the inputs, of the
        # difference and of the limit below add less than 8 u |x||w| + 4 u ½|w|². Twice that: both sides err.
        error = 2.0**-23 * ((x.shape[1] + 8.0) * longest * length + 4.0 * highest)
        limit = least + error.astype(np.float32)
        gap[here, best] = np.inf
        close = np.flatnonzero(gap.min(axis=1) <= limit)
        if len(close):
            gap[here, best] = least
            best[close] = _decided(part, w64, gap, limit, close)
        out[a : a + block] = best
    return out


def _decided(
    x: NDArray[np.floating[Any]],
    weights: NDArray[np.float64],
    gap: NDArray[np.float32],
    limit: NDArray[np.float32],
    close: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The best cell of each row in ``close``, in float64 among the cells within its limit."""
    counts = np.array([np.count_nonzero(gap[i] <= limit[i]) for i in close])
    starts = np.cumsum(counts) - counts
    distance = np.empty(int(counts.sum()))
    cell = np.concatenate([np.flatnonzero(gap[i] <= limit[i]) for i in close])
    row = np.repeat(close, counts)
    for a in range(0, len(cell), _PAIRS):
        pairs = slice(a, a + _PAIRS)
        distance[pairs] = np.linalg.norm(np.subtract(x[row[pairs]], weights[cell[pairs]]), axis=-1)
    nearest = np.flatnonzero(distance == np.repeat(np.minimum.reduceat(distance, starts), counts))
    # The cells of a row ascend, so the first of equally near ones is the lowest.
    first = np.unique(row[nearest], return_index=True)[1]
    return cell[nearest[first]]


def two_best_cells(
    x: NDArray[np.floating[Any]], weights: NDArray[np.float64], *, block: int = 1024
) -> NDArray[np.int64]:
    """The nearest and the second nearest cell of each vector, i8 (n, 2), among at least two cells.

    ``x`` (n, n_pixels) finite, ``weights`` (cells, n_pixels). In float64; where the product cannot tell two cells
    apart (equal weights), the distance itself decides, and then the lower cell.
    """
    half_square = 0.5 * np.einsum("ij,ij->i", weights, weights)
    longest = float(np.sqrt(2.0 * half_square.max()))
    out = np.empty((len(x), 2), dtype=np.int64)
    for a in range(0, len(x), block):
        part = np.asarray(x[a : a + block], dtype=np.float64)
        gap = half_square - part @ weights.T
        out[a : a + block] = np.argpartition(gap, 1, axis=1)[:, :2]
        second = np.partition(gap, 1, axis=1)[:, 1]
        length = np.sqrt(np.einsum("ij,ij->i", part, part))
        error = 2.0**-52 * longest * ((x.shape[1] + 8.0) * length + 4.0 * longest)
        near = gap <= (second + error)[:, None]
        for i in np.flatnonzero(np.count_nonzero(near, axis=1) > 2):
            cells = np.flatnonzero(near[i])
            distance = np.linalg.norm(np.subtract(part[i], weights[cells]), axis=-1)
            out[a + i] = cells[np.argsort(distance, kind="stable")[:2]]
    return out
