"""Intervals for fractions of counts: Wilson's score interval, honest at 0 and at 1 and for small numbers."""

from statistics import NormalDist
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray


@overload
def wilson(k: int, n: int, level: float = 0.95) -> tuple[float, float]: ...
@overload
def wilson(
    k: NDArray[np.integer], n: NDArray[np.integer] | int, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def wilson(
    k: ArrayLike, n: ArrayLike, level: float = 0.95
) -> tuple[float, float] | tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(lo, hi) of the Wilson score interval of k successes in n trials, without continuity correction.

    ``k`` and ``n`` are whole numbers or arrays that broadcast; arrays give f8 arrays. NaN where n is 0.
    ``level`` is the two-sided coverage. Raises ValueError when k is outside 0..n or level outside 0..1.
    Source: Wilson 1927, JASA 22, 209; Brown, Cai & DasGupta 2001, Stat. Sci. 16, 101, eq. 4.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level} is not between 0 and 1")
    hits, trials = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if np.any(hits < 0) or np.any(hits > trials):
        raise ValueError("k must lie between 0 and n")
    quantile = NormalDist().inv_cdf(0.5 + level / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / trials
        scale = 1.0 + quantile**2 / trials
        centre = (share + quantile**2 / (2.0 * trials)) / scale
        spread = share * (1.0 - share) / trials + quantile**2 / (4.0 * trials**2)
        half = quantile * np.sqrt(spread) / scale
        lo, hi = np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
    # Exact by algebra, not by floating point: nothing found has its lower end at 0, all found its upper at 1.
    lo = np.where(trials == 0, np.nan, np.where(hits == 0, 0.0, lo))
    hi = np.where(trials == 0, np.nan, np.where(hits == trials, 1.0, hi))
    if lo.ndim == 0:
        return float(lo), float(hi)
    return lo, hi
