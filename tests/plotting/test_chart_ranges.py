"""The axes of charts: where values fall, and round numbers with plain labels."""

import numpy as np
import pytest

from qnet_tui.plotting.chart_ranges import (
    Span,
    axis_ticks,
    count_label,
    folded,
    log_count_ticks,
    rough_label,
    span_of,
)


def test_positions_of_the_ends_the_middle_and_beyond():
    span = Span(2.0, 4.0)
    assert span.position([2.0, 3.0, 4.0, 5.0], 101).tolist() == [0.0, 50.0, 100.0, 150.0]
    assert np.isnan(span.position([np.nan, np.inf, 1e301], 101)).all()
    assert span.position([1e30], 101)[0] == 1e6  # far outside, but no further
    assert Span(2.0, 4.0, log=True).position([1e2, 1e3, 0.0, -1.0], 11)[:2].tolist() == [0.0, 5.0]
    assert np.isnan(Span(2.0, 4.0, log=True).position([0.0, -1.0], 11)).all()


def test_cells_of_values():
    span = Span(0.0, 1.0)
    assert [span.cell(value, 10, 2) for value in (0.0, 0.5, 1.0, 1.2, -0.2, np.nan)] == [0, 5, 9, None, None, None]


@pytest.mark.parametrize(
    ("values", "asked", "expected"),
    [
        ([[0.0, 10.0]], None, (0.0, 10.0)),
        ([[3.0, np.nan], [np.inf, 7.0]], None, (3.0, 7.0)),
        ([[0.0, 10.0]], (2.0, 4.0), (2.0, 4.0)),
        ([[0.0, 10.0]], (4.0, 2.0), (2.0, 4.0)),
        ([[0.0, 10.0]], (4.0, np.nan), (0.0, 10.0)),
        ([], None, (0.0, 1.0)),
        ([[2.0, 2.0]], None, (1.9, 2.1)),
        ([[0.0]], None, (-1.0, 1.0)),
    ],
)
def test_ranges(values, asked, expected):
    span = span_of(values, asked)
    assert (span.low, span.high) == pytest.approx(expected)


def test_room_does_not_go_past_0_and_1():
    span = span_of([[0.0, 0.99]], room=True)
    assert span.low == 0.0
    assert span.high == pytest.approx(0.99)  # 4 % more would be more than all
    span = span_of([[5.0, 10.0]], room=True)
    assert (span.low, span.high) == pytest.approx((4.8, 10.2))


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.84, 1.0, ["0.85", "0.90", "0.95", "1.00"]),
        (0.0, 20_000.0, ["0", "5 k", "10 k", "15 k", "20 k"]),
        (0.0, 4e6, ["0", "1 M", "2 M", "3 M", "4 M"]),
        (-2500.0, 2500.0, ["-2000", "0", "2000"]),
        (0.0, 9000.0, ["0", "2500", "5000", "7500"]),
        (0.0, 4e-7, ["0", "1e-7", "2e-7", "3e-7", "4e-7"]),
        (0.0, 4e20, ["0", "1e20", "2e20", "3e20", "4e20"]),
    ],
)
def test_labels(low, high, labels):
    assert [label for _, label in axis_ticks(Span(low, high), 4)] == labels


def test_labels_of_decades():
    assert [label for _, label in axis_ticks(Span(0.0, 6.0, log=True), 8)] == [
        "1", "10", "100", "1 k", "10 k", "100 k", "1 M",
    ]  # fmt: skip
    assert [label for _, label in axis_ticks(Span(-2.0, 1.0, log=True), 8)] == ["0.01", "0.1", "1", "10"]
    # Within a decade the numbers between are round too.
    assert [value for value, _ in axis_ticks(Span(np.log10(20), np.log10(60), log=True), 4)] == [20, 30, 40, 50, 60]


def test_counts():
    assert [count_label(count) for count in (0, 7, 950, 1200, 36_000, 3_600_000)] == [
        "0", "7", "950", "1.2 k", "36 k", "3.6 M",
    ]  # fmt: skip
    assert [rough_label(value) for value in (1, 10.2, 103, 1049, 0.254)] == ["1", "10", "100", "1 k", "0.25"]
    top = np.log10(1 + 3_600_000)
    assert [label for _, label in log_count_ticks(top, 8)] == [
        "0", "1", "10", "100", "1 k", "10 k", "100 k", "1 M",
    ]  # fmt: skip
    assert [label for _, label in log_count_ticks(top, 4)] == ["0", "1", "100", "10 k", "1 M"]


def test_an_axis_is_folded_only_where_most_of_it_is_empty():
    span = span_of([[0.0, 1.0]])
    fold = folded([(0.02, 0.08), (0.85, 0.95), (0.9, 0.97)], span, 20)
    assert fold.skip is not None
    below, above = fold.skip
    assert 0.08 < below < 0.1
    assert 0.82 < above < 0.85
    heights = fold.position([0.02, 0.08, 0.85, 0.97], 1001)
    assert (np.diff(heights) > 0).all()
    # On a straight axis impurity would have 6 % of the height.
    assert heights[1] - heights[0] > 250
    assert heights[3] - heights[2] > 400
    # Nothing may be shown at the height of another value: the scale rises everywhere.
    assert (np.diff(fold.position(np.linspace(0.0, 1.0, 500), 1001)) > 0).all()
    assert folded([(0.3, 0.4), (0.6, 0.9)], span, 20) == span
    assert folded([(0.0, 1.0), (0.9, 0.95)], span, 20) == span
    assert folded([(0.02, 0.08), (0.85, 0.95)], span, 8) == span  # no room
