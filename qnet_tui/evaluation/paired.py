"""Two answers to the same questions: which objects only one of them gets right, and whether that can be chance.

Two networks that are measured on the same objects are compared object by object: what both find or both miss says
nothing of their difference (McNemar 1947, Psychometrika 12, 153). The probability is the exact binomial one, which
holds for the few objects in which two good networks differ.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Paired:
    """How two answers to ``n`` questions agree, and the two-sided exact McNemar probability ``p``.

    ``both``, ``only_first``, ``only_second`` and ``neither`` are right answers and add up to ``n``.
    """

    n: int
    both: int
    only_first: int
    only_second: int
    neither: int
    p: float

    @property
    def more(self) -> int:
        """How many more the first gets right than the second; negative when fewer."""
        return self.only_first - self.only_second


def mcnemar(first: ArrayLike, second: ArrayLike, *, use: ArrayLike | None = None) -> Paired:
    """Compare two right-or-wrong answers, bool (n,) each, over the questions in ``use`` (n,) bool.

    ``p`` is the probability that a fair coin, thrown once for every question that only one got right, is as uneven as
    what was seen or more, on either side; 1 where they differ nowhere. Raises ValueError when shapes differ.
    """
    one, two = np.asarray(first, dtype=np.bool_), np.asarray(second, dtype=np.bool_)
    keep = np.ones(one.shape, dtype=np.bool_) if use is None else np.asarray(use, dtype=np.bool_)
    if not (one.ndim == 1 and one.shape == two.shape == keep.shape):
        raise ValueError(f"answers and use differ in shape: {one.shape}, {two.shape}, {keep.shape}")
    one, two = one[keep], two[keep]
    only_first, only_second = int(np.count_nonzero(one & ~two)), int(np.count_nonzero(two & ~one))
    both = int(np.count_nonzero(one & two))
    return Paired(
        n=int(one.size),
        both=both,
        only_first=only_first,
        only_second=only_second,
        neither=int(one.size) - both - only_first - only_second,
        p=fair_coin_p(only_first, only_second),
    )


def fair_coin_p(heads: int, tails: int) -> float:
    """Two-sided exact probability of at least so uneven a result of ``heads + tails`` throws of a fair coin.

    min(1, 2 · Σ_{i ≤ min(heads, tails)} C(n, i) / 2^n); 1 for no throw. Summed in logarithms, so that thousands of
    throws neither overflow nor vanish. Raises ValueError for a negative number.
    """
    if heads < 0 or tails < 0:
        raise ValueError(f"{heads} heads and {tails} tails")
    n, fewer = heads + tails, min(heads, tails)
    steps = np.arange(1, fewer + 1, dtype=np.float64)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log((n - steps + 1) / steps))])
    largest = float(logarithms.max())
    log_sum = largest + float(np.log(np.sum(np.exp(logarithms - largest))))
    return min(1.0, 2.0 * float(np.exp(log_sum - n * np.log(2.0))))


def rank_p(value: float, others: Iterable[float]) -> tuple[int, int, float]:
    """How many of the ``others`` reach ``value``, how many there are, and (1 + reached) / (others + 1).

    That is the probability that one of so many draws from the same source would rank as high by chance: it cannot be
    smaller than 1 / (others + 1). NaN among the others is left out; NaN where ``value`` is.
    """
    numbers = np.asarray(list(others), dtype=np.float64)
    numbers = numbers[~np.isnan(numbers)]
    if np.isnan(value):
        return 0, int(numbers.size), float("nan")
    reached = int(np.count_nonzero(numbers >= value))
    return reached, int(numbers.size), (1 + reached) / (numbers.size + 1)
