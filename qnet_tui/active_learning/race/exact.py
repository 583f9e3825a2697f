"""The exact rule: a row leaves when no answers of the networks still to come could bring its entropy to the cut."""

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.patterns import ENTROPY_TOLERANCE, Floats, Ints, patterns_of
from qnet_tui.active_learning.race.rule import OPENING, RaceRule, rule_from_drops


def fullest(patterns: Ints, remaining: int) -> Ints:
    """The most even counts that ``remaining`` more calls can make of each pattern: poured into the smallest first.

    ``patterns`` (m, 3), smallest first. Returns i8 (m, 3), of the highest entropy that is still possible.
    """
    a, b, c = (np.asarray(patterns, dtype=np.int64)[:, k].copy() for k in range(3))
    left = np.full(len(a), remaining, dtype=np.int64)
    poured = np.minimum(left, b - a)
    a, left = a + poured, left - poured
    poured = np.minimum(left, 2 * (c - b))
    a, b, left = a + (poured + 1) // 2, b + poured // 2, left - poured
    # What is left now fills three equal columns, or a single call is left between two that differ by one.
    full = np.stack([a, b, c], axis=1)
    full += (left // 3)[:, None]
    for k in range(2):
        lowest = np.argmin(full, axis=1)
        full[np.arange(len(full)), lowest] += (left % 3) > k
    return full


def highest_entropy(patterns: Ints, remaining: int) -> Floats:
    """The highest entropy in bits that ``remaining`` more calls can give each pattern, f8 (m,)."""
    return entropy_bits(fullest(patterns, remaining))


def hopeless(n: int, n_networks: int, h_low: float) -> NDArray[np.bool_]:
    """Which patterns of ``n`` calls cannot reach ``h_low`` bits whatever the other networks say, bool (m,)."""
    return np.asarray(highest_entropy(patterns_of(n), n_networks - n) < h_low - ENTROPY_TOLERANCE)


def exact_rule(n_networks: int, h_low: float) -> RaceRule:
    """Drop exactly the rows that can no longer have ``h_low`` bits; looks after every network from the opening on.

    Nothing of that entropy or more is ever lost.
    """
    drops = {n: hopeless(n, n_networks, h_low) for n in range(min(OPENING, n_networks), n_networks)}
    return rule_from_drops("exact", n_networks, h_low, 0.0, drops)
