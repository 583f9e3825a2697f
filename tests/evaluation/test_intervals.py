"""Wilson's interval against its own defining equation and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.evaluation.intervals import wilson


def test_by_hand() -> None:
    # n = 4, k = 2, z = 1.96: centre 0.5, half width 1.96 sqrt(1/16 + 1.96**2/64) / (1 + 1.96**2/4) = 0.34997
    lo, hi = wilson(2, 4)
    assert lo == pytest.approx(0.5 - 0.34997, abs=2e-5)
    assert hi == pytest.approx(0.5 + 0.34997, abs=2e-5)
    # all or nothing of n = 10: the ends are z**2 / (n + z**2) and its complement, z**2 = 3.841459
    assert wilson(0, 10) == (0.0, pytest.approx(3.841459 / 13.841459, abs=1e-6))
    assert wilson(10, 10) == (pytest.approx(10 / 13.841459, abs=1e-6), 1.0)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_ends_solve_the_score_equation(counts: tuple[int, int], level: float) -> None:
    k, n = counts
    lo, hi = wilson(k, n, level)
    share = k / n
    assert 0.0 <= lo <= share <= hi <= 1.0
    # one end gives the quantile, both the same: (share - p)**2 n / (p (1 - p))
    ends = [abs(share - p) * math.sqrt(n / (p * (1 - p))) for p in (lo, hi) if 0 < p < 1]
    assert ends
    for end in ends:
        assert end == pytest.approx(wilson_quantile(level), rel=1e-3)


def wilson_quantile(level: float) -> float:
    """Solve erf(q / sqrt 2) = level by bisection, without the library that the code under test uses."""
    low, high = 0.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle / math.sqrt(2)) < level else (low, middle)
    return low


def test_no_trials_is_nan() -> None:
    assert all(math.isnan(end) for end in wilson(0, 0))


def test_arrays() -> None:
    lo, hi = wilson(np.array([0, 2, 0, 4]), np.array([0, 4, 10, 4]))
    assert np.isnan([lo[0], hi[0]]).all()
    assert (lo[1], hi[1]) == wilson(2, 4)
    assert (lo[2], hi[3]) == (0.0, 1.0)
    assert wilson(np.array([1, 2]), 4)[0][1] == lo[1]


@pytest.mark.parametrize(("k", "n"), [(-1, 4), (5, 4)])
def test_counts_that_cannot_be(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(k, n)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 95.0])
def test_levels_that_cannot_be(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level)
