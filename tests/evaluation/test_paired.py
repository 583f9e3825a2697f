"""Exact McNemar test and rank statements against numbers worked out by hand."""

import math

import numpy as np
import pytest

from qnet_tui.evaluation.paired import fair_coin_p, mcnemar, rank_p


def test_the_two_by_two_table_is_counted():
    first = [True, True, True, True, False, False]
    second = [True, False, False, False, True, False]
    got = mcnemar(first, second)
    assert (got.n, got.both, got.only_first, got.only_second, got.neither) == (6, 1, 3, 1, 1)
    assert got.more == 2
    # 4 throws, 1 or fewer on the rarer side: 2 * (1 + 4) / 16.
    assert got.p == pytest.approx(10 / 16)


def test_only_the_rows_in_use_count():
    got = mcnemar([True, True, False], [False, False, True], use=[True, False, False])
    assert (got.n, got.only_first, got.only_second) == (1, 1, 0)
    assert got.p == 1.0  # 2 * 1/2


@pytest.mark.parametrize(
    ("heads", "tails", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (6, 0, 2 / 64),
        (0, 6, 2 / 64),
        (5, 5, 1.0),
        (8, 2, 2 * (1 + 10 + 45) / 1024),
        (3, 22, 2 * (1 + 25 + 300 + 2300) / 2**25),
    ],
)
def test_probabilities_of_a_fair_coin(heads, tails, p):
    assert fair_coin_p(heads, tails) == pytest.approx(p, rel=1e-12)


def test_thousands_of_throws_agree_with_whole_numbers():
    n, k = 3000, 1400
    exact = 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n
    assert fair_coin_p(k, n - k) == pytest.approx(exact, rel=1e-9)
    assert fair_coin_p(0, 2000) == pytest.approx(0.0, abs=1e-300)


def test_bad_shapes_and_numbers_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        mcnemar([True], [True, False])
    with pytest.raises(ValueError, match="-1 heads"):
        fair_coin_p(-1, 2)


def test_nothing_at_all():
    got = mcnemar(np.empty(0, bool), np.empty(0, bool))
    assert (got.n, got.p) == (0, 1.0)


def test_a_rank_counts_those_that_reach_it():
    assert rank_p(0.9, [0.8, 0.85, 0.9, 0.95]) == (2, 4, 3 / 5)
    assert rank_p(0.96, [0.8, 0.85, math.nan, 0.9, 0.95]) == (0, 4, 1 / 5)
    assert rank_p(0.5, []) == (0, 0, 1.0)
    assert math.isnan(rank_p(math.nan, [0.5])[2])
