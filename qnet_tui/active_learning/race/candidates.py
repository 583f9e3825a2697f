"""Candidates: the rows that a round completes first, to know how high the cut is at least.

After the opening the rows whose few calls disagree most are asked all networks. The K-th largest entropy among
completed objects is never above the true cut, whoever they are. And because who becomes a candidate is a matter of the
random order alone, a candidate's chance of having become one is known exactly: weighted by its inverse
(Horvitz and Thompson) the candidates stand for all rows of the pool with their final counts.

That the rule depends on ``h_low``, and so on calls, breaks no promise to a row: a candidate is complete and cannot be
lost, and for a row that is none ``h_low`` is what it would be without that row, so it says nothing of the row's own
order (that of its block, to be exact: the other rows of the block share it).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.far import all_among
from qnet_tui.active_learning.race.patterns import ENTROPY_TOLERANCE, Floats, Ints, pattern_probabilities, patterns_of

CANDIDATES_PER_OBJECT = 2
"""Objects completed first, for each that is wanted. More bring ``h_low`` nearer to the cut; most of them would have
been asked nearly everything anyway."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Which rows were chosen after ``opening`` calls: all above ``threshold`` bits, and of those at it a share.

    ``positions`` i8 ascend. ``tie_share`` is the chance of a row exactly at the threshold, 0 … 1. Rows on which the
    ``first`` of these calls agree were asked no further and count as 0 bits.
    """

    positions: Ints
    opening: int
    threshold: float
    tie_share: float
    first: int = 1

    def chance(self, entropy: Floats) -> Floats:
        """Chance of a row of this entropy after the opening, f8."""
        tied = np.abs(entropy - self.threshold) <= ENTROPY_TOLERANCE
        return np.asarray(np.where(tied, self.tie_share, (entropy > self.threshold).astype(np.float64)))

    def inclusion(self, finals: NDArray[np.integer[Any]]) -> Floats:
        """Probability that a row of these final counts (k, 3) becomes a candidate, f8 (k,)."""
        return inclusion_probability(finals, self)


def inclusion_probability(finals: NDArray[np.integer[Any]], chosen: Candidates) -> Floats:
    """Probability over the order of the networks that a row's opening calls disagree enough, f8 (k,).

    ``finals`` (k, 3). A row above the threshold is chosen, one at it with probability ``tie_share``.
    """
    patterns = patterns_of(chosen.opening)
    agreed = all_among(patterns, chosen.first, chosen.opening).sum(axis=1) if chosen.first > 1 else np.zeros(1)
    chance = (1.0 - agreed) * chosen.chance(entropy_bits(patterns)) + agreed * chosen.chance(np.zeros(1))
    return np.asarray(pattern_probabilities(finals, patterns) @ chance)


def choose_candidates(
    counts_at_opening: NDArray[np.integer[Any]],
    object_key: NDArray[np.integer[Any]],
    m: int,
    seed: SeedSequence,
    first: int = 1,
) -> Candidates:
    """Rows of about the ``m`` most confused objects after the opening.

    ``counts_at_opening`` (n, 3), ``object_key`` (n,). Rows on which the ``first`` calls agree have only these. A row
    whose calls do not all count (a network gave it no answer) is judged by those that do. Among rows of equal entropy a
    random share is taken, so that the chance is known.
    """
    counts = np.asarray(counts_at_opening, dtype=np.int64)
    if not len(counts) or m < 1:
        return Candidates(np.zeros(0, dtype=np.int64), 0, float("inf"), 0.0)
    opening = int(counts.sum(axis=1).max())
    entropy = np.nan_to_num(entropy_bits(counts), nan=0.0)
    # Objects by their most confused row.
    keys, which = np.unique(object_key, return_inverse=True)
    best = np.zeros(len(keys))
    np.maximum.at(best, which, entropy)
    threshold = float(np.sort(best)[::-1][min(m, len(best)) - 1])
    above = entropy > threshold + ENTROPY_TOLERANCE
    tied = np.flatnonzero(np.abs(entropy - threshold) <= ENTROPY_TOLERANCE)
    objects_above = int(np.count_nonzero(best > threshold + ENTROPY_TOLERANCE))
    objects_tied = int(np.count_nonzero(np.abs(best - threshold) <= ENTROPY_TOLERANCE))
    wanted = min(m, len(best)) - objects_above
    take = min(len(tied), -(-len(tied) * wanted // max(objects_tied, 1)))
    taken = np.random.default_rng(seed).permutation(tied)[:take]
    positions = np.sort(np.concatenate([np.flatnonzero(above), taken]))
    return Candidates(positions.astype(np.int64), opening, threshold, take / max(len(tied), 1), first)


def kth_object_entropy(entropy: NDArray[np.floating[Any]], object_key: NDArray[np.integer[Any]], k: int) -> float:
    """The ``k``-th largest entropy over objects (each by its largest row); 0.0 when there are fewer than ``k``.

    ``entropy`` f8 (n,) in bits, NaN where a row has none; ``object_key`` (n,).
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    known = np.isfinite(entropy)
    keys, which = np.unique(object_key[known], return_inverse=True)
    if len(keys) < k:
        return 0.0
    best = np.zeros(len(keys))
    np.maximum.at(best, which, np.asarray(entropy, dtype=np.float64)[known])
    return float(np.partition(best, len(best) - k)[len(best) - k])
