"""The exact rule never loses anything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.exact import exact_rule, fullest, highest_entropy
from qnet_tui.active_learning.race.patterns import patterns_of


@given(st.lists(st.integers(0, 25), min_size=3, max_size=3), st.integers(0, 60))
def test_the_fullest_counts_are_the_best_of_all(counts: list[int], remaining: int) -> None:
    pattern = np.sort(np.array([counts]), axis=1)
    more = np.array([(i, j, remaining - i - j) for i in range(remaining + 1) for j in range(remaining - i + 1)])
    every = pattern + more
    if every.sum(axis=1)[0] == 0:
        return
    full = fullest(pattern, remaining)
    assert full.sum() == pattern.sum() + remaining
    assert np.all(full >= pattern)
    assert highest_entropy(pattern, remaining)[0] == pytest.approx(entropy_bits(every).max(), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(9, 40), st.floats(0.0, 1.58))
def test_nothing_at_the_cut_is_ever_lost(n_networks: int, h_low: float) -> None:
    rule = exact_rule(n_networks, h_low)
    finals = patterns_of(n_networks)
    lost = rule.loss_probability(finals)
    at_or_above = entropy_bits(finals) >= h_low - 1e-12
    assert np.all(lost[at_or_above] < 1e-12)


def test_a_cut_equal_to_a_final_keeps_it() -> None:
    for final in patterns_of(24)[::5]:
        rule = exact_rule(24, float(entropy_bits(final[None])[0]))
        assert rule.loss_probability(final[None])[0] < 1e-12


def test_it_drops_what_is_hopeless() -> None:
    # An agreed row goes exactly when the calls still to come cannot make it confused enough.
    rule = exact_rule(200, 1.027)
    n = rule.first_unanimous_drop
    assert (
        highest_entropy(np.array([[0, 0, n]]), 200 - n)[0]
        < 1.027
        <= highest_entropy(np.array([[0, 0, n - 1]]), 201 - n)[0]
    )
