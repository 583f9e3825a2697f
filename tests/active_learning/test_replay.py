"""Draws of a replayed campaign: the same again from the same seed, biased as asked, nested, ties by a draw."""

import numpy as np
import pytest
from numpy.random import SeedSequence

from qnet_tui.active_learning.replay import highest_scores, random_order, start_set
from qnet_tui.errors import BadInput


def test_a_bright_start_prefers_high_signal_to_noise_in_proportion() -> None:
    snr = np.where(np.arange(4000) < 2000, 1.0, 3.0)
    allowed = np.ones(4000, dtype=bool)
    drawn = start_set(snr, allowed, 200, "bright", SeedSequence(5))
    assert len(np.unique(drawn)) == 200
    # Three quarters of a small draw are bright: 150 ± 6.1; four sigma.
    assert abs(np.count_nonzero(drawn >= 2000) - 150) < 25
    even = start_set(snr, allowed, 200, "none", SeedSequence(5))
    assert abs(np.count_nonzero(even >= 2000) - 100) < 29


def test_a_start_takes_only_what_is_allowed_and_the_same_again() -> None:
    snr = np.array([np.nan, -1.0, 0.0, 2.0, 5.0, 1.0])
    allowed = np.array([True, True, True, False, True, True])
    drawn = start_set(snr, allowed, 5, "bright", SeedSequence(1))
    assert drawn.tolist() == [0, 1, 2, 4, 5]
    again = [start_set(snr, allowed, 3, "bright", SeedSequence(2)).tolist() for _ in range(2)]
    assert again[0] == again[1]
    unknown = start_set(np.full(6, np.nan), allowed, 3, "bright", SeedSequence(3))
    assert len(unknown) == 3
    assert 3 not in unknown


def test_an_impossible_start_is_refused() -> None:
    with pytest.raises(BadInput, match="6 labels out of 5"):
        start_set(np.ones(5), np.ones(5, dtype=bool), 6, "none", SeedSequence(1))
    with pytest.raises(BadInput, match="'deep'"):
        start_set(np.ones(5), np.ones(5, dtype=bool), 1, "deep", SeedSequence(1))


def test_random_labels_are_one_order_whose_beginnings_are_nested() -> None:
    allowed = np.arange(50) % 5 > 0
    order = random_order(allowed, SeedSequence(7))
    assert sorted(order.tolist()) == np.flatnonzero(allowed).tolist()
    assert random_order(allowed, SeedSequence(7)).tolist() == order.tolist()
    assert random_order(allowed, SeedSequence(8)).tolist() != order.tolist()


def test_the_highest_scores_come_first_and_unscored_rows_last() -> None:
    score = np.array([0.1, np.nan, 0.9, 0.5, 0.7])
    allowed = np.array([True, True, True, True, False])
    assert highest_scores(score, allowed, 4, SeedSequence(1)).tolist() == [2, 3, 0, 1]
    with pytest.raises(BadInput, match="4 are left"):
        highest_scores(score, allowed, 5, SeedSequence(1))


def test_equal_scores_are_drawn_and_not_taken_in_their_order() -> None:
    score = np.r_[np.ones(100), np.full(5, 2.0)]
    picked = highest_scores(score, np.ones(105, dtype=bool), 25, SeedSequence(4))
    assert set(picked[:5].tolist()) == {100, 101, 102, 103, 104}
    # Twenty of a hundred in order would have a mean of 9.5; drawn ones have 49.5 ± 5.8.
    assert abs(picked[5:].mean() - 49.5) < 25
