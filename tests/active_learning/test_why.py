import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.active_learning.why import _percentages, why


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([80, 70, 50], "3-way split 40/35/25"),
        ([50, 80, 70], "3-way split 25/40/35"),
        ([1, 1, 1], "3-way split 34/33/33"),
        ([104, 96, 0], "NOT or LOW-Z 52/48"),
        ([0, 100, 100], "LOW-Z or HIGH-Z 50/50"),
        ([10, 60, 130], "HIGH-Z or LOW-Z 65/30"),
        ([15, 5, 180], "mostly HIGH-Z 90 %"),
        ([0, 0, 200], "all HIGH-Z"),
        ([0, 0, 0], "no network answered"),
    ],
)
def test_words(counts: list[int], words: str) -> None:
    assert why(np.array(counts), "entropy") == words


def test_words_of_other_rules() -> None:
    assert why(np.array([0, 0, 0]), "random") == "drawn at random"
    assert why(np.array([9, 0, 0]), "bald") == "all NOT, unsure"
    assert why(np.array([5, 4, 0]), "bald") == "NOT or LOW-Z 56/44"
    assert why(np.array([5, 4, 0]), "entropy", rejected=True) == "NOT or LOW-Z 56/44; rare spectrum"


@given(st.lists(st.integers(0, 200), min_size=3, max_size=3).filter(any))
def test_percentages_add_up(counts: list[int]) -> None:
    percent = _percentages(counts)
    assert sum(percent) == 100
    assert all(abs(p - 100 * c / sum(counts)) < 1 for p, c in zip(percent, counts, strict=True))
