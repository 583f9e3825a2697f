"""What the race computes in closed form, counted out over every order of the networks."""

from itertools import permutations

import numpy as np

from qnet_tui.active_learning.race.rule import RaceRule


def all_orders(counts: tuple[int, int, int]) -> np.ndarray:
    """Every order of the calls of a row with these final counts, (orders, N), each equally likely."""
    calls = np.repeat(np.arange(3), counts)
    return np.array(list(permutations(calls.tolist())), dtype=np.int8)


def counts_after(calls: np.ndarray, n: int) -> np.ndarray:
    """Counts (orders, 3) of the first n calls."""
    return np.stack([(calls[:, :n] == k).sum(axis=1) for k in range(3)], axis=1)


def ever_dropped(rule: RaceRule, calls: np.ndarray) -> np.ndarray:
    """Which orders lose the row somewhere, bool (orders,)."""
    gone = np.zeros(len(calls), dtype=bool)
    for n in rule.looks:
        gone |= rule.dropped(n, counts_after(calls, n))
    return gone


def random_rule(n_networks: int, rng: np.random.Generator, share: float = 0.3) -> RaceRule:
    """A rule of no sense: every look drops some patterns at random."""
    from qnet_tui.active_learning.race.patterns import patterns_of
    from qnet_tui.active_learning.race.rule import rule_from_drops

    drops = {n: rng.random(len(patterns_of(n))) < share for n in range(1, n_networks)}
    return rule_from_drops("sound", n_networks, 0.5, 1e-3, drops)
