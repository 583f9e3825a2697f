import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.active_learning.entropy import MAX_ENTROPY_BITS, entropy_bits


def test_values_by_hand() -> None:
    counts = np.array([[200, 0, 0], [100, 100, 0], [1, 1, 1], [100, 50, 50], [150, 50, 0], [152, 24, 24]])
    expected = [
        0.0,
        1.0,
        math.log2(3),
        1.5,
        2 - 0.75 * math.log2(3),
        -(0.76 * math.log2(0.76) + 0.24 * math.log2(0.12)),
    ]
    np.testing.assert_allclose(entropy_bits(counts), expected, rtol=0, atol=1e-12)
    assert entropy_bits(np.array([100, 100, 0])) == 1.0
    assert not np.signbit(entropy_bits(np.array([7, 0, 0])))


def test_any_shape() -> None:
    counts = np.arange(2 * 5 * 3).reshape(2, 5, 3)
    assert entropy_bits(counts).shape == (2, 5)
    assert entropy_bits(np.empty((0, 3))).shape == (0,)
    assert entropy_bits(np.array([0.25, 0.25, 0.25, 0.25])) == 2.0


def test_nobody_asked_is_not_zero() -> None:
    assert math.isnan(entropy_bits(np.array([0, 0, 0])))


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        entropy_bits(np.array([[1, -1, 3]]))


@given(st.lists(st.integers(0, 200), min_size=3, max_size=3).filter(any))
def test_bounds_and_exact_symmetry(counts: list[int]) -> None:
    h = entropy_bits(np.array(list(itertools.permutations(counts))))
    assert 0 <= h[0] <= MAX_ENTROPY_BITS + 1e-12
    assert len(set(h.tolist())) == 1
    assert (h[0] == 0) == (sorted(counts)[:2] == [0, 0])


@given(st.lists(st.integers(0, 200), min_size=3, max_size=3).filter(any), st.integers(2, 9))
def test_only_fractions_matter(counts: list[int], times: int) -> None:
    a, b = entropy_bits(np.array([counts, [times * c for c in counts]]))
    assert a == pytest.approx(b, abs=1e-12)
