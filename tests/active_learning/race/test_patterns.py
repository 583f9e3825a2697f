"""The patterns of n calls, their probabilities, and the walks over them."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.patterns import (
    Lattice,
    multiplicity,
    pattern_index,
    pattern_probabilities,
    patterns_of,
)
from tests.active_learning.race.by_brute_force import all_orders, counts_after


@given(st.integers(0, 60))
def test_patterns_are_complete_and_found_by_their_place(n: int) -> None:
    patterns = patterns_of(n)
    assert np.all(np.diff(patterns, axis=1) >= 0)
    assert np.all(patterns.sum(axis=1) == n)
    assert multiplicity(patterns).sum() == comb(n + 2, 2)
    np.testing.assert_array_equal(pattern_index(patterns), np.arange(len(patterns)))


@pytest.mark.parametrize("counts", [(7, 0, 0), (4, 2, 1), (3, 3, 1), (2, 2, 2), (1, 0, 5)])
def test_probabilities_are_those_of_all_orders(counts: tuple[int, int, int]) -> None:
    calls = all_orders(counts)
    for n in range(1, sum(counts) + 1):
        patterns = patterns_of(n)
        seen = np.sort(counts_after(calls, n), axis=1)
        share = [(seen == pattern).all(axis=1).mean() for pattern in patterns]
        np.testing.assert_allclose(pattern_probabilities(np.array([counts]), patterns)[0], share, atol=1e-12)


def test_a_mass_of_finals_taken_back_is_how_the_rows_look_after_n_calls() -> None:
    lattice = Lattice(30)
    finals = np.array([[30, 0, 0], [3, 25, 2], [10, 10, 10]])
    mass = lattice.mass(finals, np.array([5.0, 2.0, 0.5]))
    for n in range(29, -1, -1):
        mass = lattice.backward(n, mass)
        expected = np.array([5.0, 2.0, 0.5]) @ pattern_probabilities(finals, lattice.patterns[n])
        np.testing.assert_allclose(mass * multiplicity(lattice.patterns[n]), expected, atol=1e-12)


def test_a_walk_without_drops_keeps_every_order() -> None:
    lattice = Lattice(25)
    alive = np.ones(1)
    for n in range(1, 26):
        alive = lattice.forward(n, alive)
        np.testing.assert_allclose(alive, 1.0, atol=1e-12)


def test_entropies_of_patterns_are_those_of_the_counts() -> None:
    lattice = Lattice(12)
    np.testing.assert_array_equal(lattice.entropies(12), entropy_bits(patterns_of(12)))
    assert lattice.entropies(0)[0] == 0.0
