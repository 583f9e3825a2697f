"""The threshold curve against a plain loop, its strict >, and its ends."""

import numpy as np
import pytest

from qnet_tui.evaluation.classification import completeness_purity
from qnet_tui.evaluation.thresholds import deciding_confidence, threshold_curve


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
