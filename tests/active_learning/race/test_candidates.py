"""Who is completed first, with which chance, and what that says of the cut."""

import numpy as np
import pytest
from numpy.random import SeedSequence

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.candidates import (
    Candidates,
    choose_candidates,
    inclusion_probability,
    kth_object_entropy,
)
from tests.active_learning.race.by_brute_force import all_orders, counts_after

SEED = SeedSequence(3)


def test_the_kth_largest_over_objects() -> None:
    entropy = np.array([0.2, 1.5, 1.4, np.nan, 0.9, 0.9])
    keys = np.array([1, 2, 2, 3, 4, 5])
    assert [kth_object_entropy(entropy, keys, k) for k in (1, 2, 3, 4, 5)] == [1.5, 0.9, 0.9, 0.2, 0.0]
    with pytest.raises(ValueError, match="1 or more"):
        kth_object_entropy(entropy, keys, 0)
    assert kth_object_entropy(np.zeros(0), np.zeros(0, dtype=int), 1) == 0.0


def test_the_most_confused_objects_are_chosen_and_a_share_of_equals() -> None:
    counts = np.array([[8, 0, 0]] * 90 + [[4, 4, 0]] * 6 + [[3, 3, 2]] * 4)
    keys = np.arange(100)
    chosen = choose_candidates(counts, keys, 7, SEED)
    assert len(chosen.positions) == 7
    assert set(range(96, 100)) <= set(chosen.positions.tolist())
    assert (chosen.opening, chosen.threshold, chosen.tie_share) == (8, 1.0, 0.5)
    again = choose_candidates(counts, keys, 7, SEED)
    np.testing.assert_array_equal(again.positions, chosen.positions)
    others = {tuple(choose_candidates(counts, keys, 7, SeedSequence(s)).positions) for s in range(20)}
    assert len(others) > 5, "among equals chance decides"


def test_everybody_when_there_are_few_and_nobody_when_none() -> None:
    counts = np.array([[8, 0, 0]] * 5)
    every = choose_candidates(counts, np.arange(5), 50, SEED)
    np.testing.assert_array_equal(every.positions, np.arange(5))
    assert every.tie_share == 1.0
    assert len(choose_candidates(np.zeros((0, 3), dtype=int), np.zeros(0, dtype=int), 5, SEED).positions) == 0


def test_an_object_counts_once_by_its_most_confused_row() -> None:
    counts = np.array([[4, 4, 0], [4, 4, 0], [8, 0, 0], [6, 2, 0], [8, 0, 0]])
    chosen = choose_candidates(counts, np.array([1, 1, 1, 2, 3]), 2, SEED)
    np.testing.assert_array_equal(chosen.positions, [0, 1, 3])


@pytest.mark.parametrize("final", [(7, 0, 0), (4, 2, 1), (3, 2, 2)])
def test_the_chance_of_being_chosen_is_that_of_all_orders(final: tuple[int, int, int]) -> None:
    entropy = entropy_bits(counts_after(all_orders(final), 4))
    threshold = float(entropy_bits(np.array([2, 2, 0])))
    expected = (entropy > threshold + 1e-9).mean() + 0.25 * (np.abs(entropy - threshold) < 1e-9).mean()
    chosen = Candidates(np.zeros(0, dtype=np.int64), 4, threshold, 0.25)
    found = inclusion_probability(np.array([final]), chosen)
    assert found[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("threshold", "tie_share"), [(0.7, 0.0), (1.0, 0.3), (0.0, 0.2)])
@pytest.mark.parametrize("final", [(6, 1, 0), (5, 1, 1), (3, 3, 1)])
def test_who_agrees_at_first_is_asked_no_further(
    final: tuple[int, int, int], threshold: float, tie_share: float
) -> None:
    orders = all_orders(final)
    agreed = (orders[:, :3] == orders[:, :1]).all(axis=1)
    entropy = np.where(agreed, 0.0, entropy_bits(counts_after(orders, 5)))
    expected = (entropy > threshold + 1e-9).mean() + tie_share * (np.abs(entropy - threshold) < 1e-9).mean()
    chosen = Candidates(np.zeros(0, dtype=np.int64), 5, threshold, tie_share, 3)
    assert chosen.inclusion(np.array([final]))[0] == pytest.approx(expected, abs=1e-12)


def test_weighted_candidates_stand_for_the_pool() -> None:
    rng = np.random.default_rng(11)
    finals = np.repeat([[24, 0, 0], [12, 8, 4], [8, 8, 8]], [3000, 60, 40], axis=0)
    calls = np.repeat(np.tile([0, 1, 2], len(finals)), finals.ravel()).reshape(len(finals), 24)
    estimates = []
    for repeat in range(60):
        opened = counts_after(rng.permuted(calls, axis=1), 8)
        chosen = choose_candidates(opened, np.arange(len(finals)), 90, SeedSequence([12, repeat]))
        weights = 1.0 / chosen.inclusion(finals[chosen.positions])
        estimates.append([weights[finals[chosen.positions, 0] == f].sum() for f in (12, 8)])
    mean, error = np.mean(estimates, axis=0), np.std(estimates, axis=0) / np.sqrt(60)
    assert np.all(np.abs(mean - [60, 40]) < 4 * error + 0.5)


def test_a_chance_needs_no_positions() -> None:
    assert Candidates(np.zeros(0, dtype=np.int64), 8, 0.0, 1.0).inclusion(np.array([[20, 0, 0]]))[0] == pytest.approx(1)
