"""The threshold curve against a plain loop, its strict >, and its ends."""

import numpy as np
import pytest

from qnet_tui.evaluation.classification import completeness_purity
from qnet_tui.evaluation.thresholds import (
    average_precision,
    completeness_at_purity,
    deciding_confidence,
    threshold_curve,
)


def test_against_a_loop() -> None:
    rng = np.random.default_rng(7)
    confidence = rng.random(500).astype(np.float32)
    confidence[:20] = np.float32(0.5)
    confidence[20:25] = np.nan
    true = rng.random(500) < 0.4
    bad = rng.random(500) < 0.1
    curve = threshold_curve(confidence, true, bad=bad)
    assert curve.thresholds.tolist() == np.linspace(0, 1, 1000).tolist()
    for i in (0, 1, 250, 499, 500, 950, 998):
        counts = completeness_purity(confidence > np.float32(curve.thresholds[i]), true, bad=bad)
        assert (curve.tp[i], curve.fp[i], curve.fn[i]) == (counts.tp, counts.fp, counts.fn)
        assert curve.completeness[i] == counts.completeness
        assert curve.purity[i] == counts.purity
        assert tuple(end[i] for end in curve.completeness_interval) == counts.completeness_interval
        assert tuple(end[i] for end in curve.purity_interval) == counts.purity_interval


def test_strict_and_empty_at_one() -> None:
    curve = threshold_curve(np.array([1.0, 0.5, 0.0]), [True, True, False], [0.0, 0.5, 0.499, 1.0])
    assert curve.tp.tolist() == [2, 1, 2, 0]
    assert curve.fp.tolist() == [0, 0, 0, 0]
    assert curve.completeness.tolist() == [1.0, 0.5, 1.0, 0.0]
    assert np.isnan(curve.purity[3])
    assert np.isnan(threshold_curve(np.array([0.9]), [False], [0.5]).completeness[0])


def test_the_working_point_is_what_a_network_says_of_itself() -> None:
    confidence = np.array([0.95], dtype=np.float32)
    curve = threshold_curve(confidence, [True], [0.95])
    assert curve.tp[0] == np.count_nonzero(confidence > 0.95) == 0


def test_deciding_confidence_is_the_nth_best_line() -> None:
    c_line = np.array([[0.1, 0.9], [0.8, np.nan], [0.3, 0.2], [0.2, 0.1], [0.0, 0.0], [0.7, 0.3]], dtype=np.float32)
    assert deciding_confidence(c_line).tolist() == pytest.approx([0.8, 0.9])
    assert deciding_confidence(c_line, 2).tolist() == pytest.approx([0.7, 0.3])
    for threshold in (0.15, 0.3, 0.75):
        for n_lines in (1, 2, 3):
            expected = (c_line > threshold).sum(axis=0) >= n_lines
            assert (deciding_confidence(c_line, n_lines) > threshold).tolist() == expected.tolist()
    for n_lines in (0, 7):
        with pytest.raises(ValueError, match="n_lines"):
            deciding_confidence(c_line, n_lines)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        threshold_curve(np.zeros(3), [True])


def test_average_precision_by_hand():
    # From the top: right, wrong, right, wrong: (1/2) * 1 + (1/2) * 2/3.
    assert average_precision([0.9, 0.8, 0.7, 0.1], [True, False, True, False]) == pytest.approx(1 / 2 + 1 / 3)
    assert average_precision([0.9, 0.8, 0.2], [True, True, False]) == 1.0
    # Equal confidences come in together: one step to completeness 1 at purity 1/2, whatever the order.
    assert average_precision([0.5, 0.5], [True, False]) == average_precision([0.5, 0.5], [False, True]) == 0.5


def test_average_precision_without_quasars_or_numbers():
    assert np.isnan(average_precision([0.5, 0.6], [False, False]))
    assert np.isnan(average_precision([], []))
    # A quasar without a confidence is never found: half of them at purity 1.
    assert average_precision([np.nan, 0.4], [True, True]) == 0.5
    assert average_precision([np.nan], [True]) == 0.0


def test_completeness_at_a_purity_by_hand():
    c = [0.9, 0.8, 0.7, 0.6, 0.5, 0.2]
    truth = [True, True, False, True, True, False]
    got = completeness_at_purity(c, truth, 0.8)
    # Four right of five called above 0.2 is 0.8; above 0.7 two of two, but less complete.
    assert (got.tp, got.fp, got.fn, got.c_threshold) == (4, 1, 0, 0.2)
    assert (got.completeness, got.purity) == (1.0, 0.8)
    pure = completeness_at_purity(c, truth, 0.95)
    assert (pure.tp, pure.fp, pure.fn, pure.c_threshold) == (2, 0, 2, 0.7)
    at_all = completeness_at_purity([0.9, 0.8], [True, True], 1.0)
    assert (at_all.tp, at_all.c_threshold) == (2, 0.0)
    calls = np.array(c) > pure.c_threshold
    assert calls.sum() == pure.tp + pure.fp


def test_a_purity_that_is_never_reached():
    assert completeness_at_purity([0.9, 0.8], [False, True], 0.95) is None
    assert completeness_at_purity([], [], 0.95) is None
    with pytest.raises(ValueError, match="purity 0"):
        completeness_at_purity([0.5], [True], 0.0)


def test_nineteen_of_twenty_is_95_percent():
    got = completeness_at_purity(np.linspace(1, 0.1, 20), [False] + [True] * 19, 0.95)
    assert (got.tp, got.fp) == (19, 1)
