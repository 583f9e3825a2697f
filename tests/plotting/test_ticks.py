"""Ticks at round numbers, labels no longer than needed."""

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qnet_tui.plotting.axes import flux_ticks
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.ticks import round_step, tick_label, ticks


def test_round_numbers():
    assert ticks(3600, 9824, 7) == [4000, 5000, 6000, 7000, 8000, 9000]
    assert ticks(-0.37, 10.2, 2) == [0, 10]
    assert ticks(5, 5, 3) == []
    assert ticks(float("nan"), 1, 3) == []
    assert ticks(0, 1, 0) == []


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(1, 20))
def test_never_more_than_asked_and_always_inside(low, span, most):
    # Below this share a number and the next one are the same in float64.
    assume(span > 1e-7 * abs(low))
    found = ticks(low, low + span, most)
    assert len(found) <= most + 1
    assert all(low - 1e-6 * span <= value <= low + span * (1 + 1e-6) for value in found)
    digits = round_step(span, most) / 10 ** math.floor(math.log10(round_step(span, most)) + 1e-9)
    assert any(digits == pytest.approx(good) for good in (1, 2, 2.5, 5))


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (4000, 1000, "4000"),
        (0.2, 0.1, "0.2"),
        (2.5, 2.5, "2.5"),
        (0.25, 0.25, "0.25"),
        (-0.0, 0.5, "0"),
        (20, 5, "20"),
        (123456, 1000, "1.2e5"),
        (1e-7, 1e-7, "1e-7"),
    ],
)
def test_labels(value, step, text):
    assert tick_label(value, step) == text


def test_flux_ticks_fit_their_gutter_and_stand_on_their_rows():
    for window in (Window(0, 1, -0.4, 10.5), Window(0, 1, 0, 3e-19), Window(0, 1, -5e6, 2e7)):
        rows = [row for row, _ in flux_ticks(window, 11)]
        assert rows == sorted(rows, reverse=True)
        assert len(set(rows)) == len(rows) >= 2
        assert all(len(label) <= 5 for _, label in flux_ticks(window, 11))
    assert "0" in [label for _, label in flux_ticks(Window(0, 1, -0.4, 10.5), 11)]


def test_log_like_ticks_keep_apart():
    window = Window(0, 1, -0.5, 300, "asinh", 1.0)
    found = flux_ticks(window, 20)
    assert {"0", "100", "10", "1"} <= {label for _, label in found}
    assert all(later - row >= 2 for (row, _), (later, _) in itertools.pairwise(found))
