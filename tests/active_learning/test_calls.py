import numpy as np
import pytest

from qnet_tui.active_learning.calls import HIGH_Z, LOW_Z, NO_CALL, NOT, call_classes, call_counts


def test_calls_by_hand() -> None:
    c = np.array([0.2, 0.96, 0.96, 0.96, 0.5], dtype=np.float32)
    z = np.array([3.0, 2.09, 2.1, 4.0, 1.0], dtype=np.float32)
    assert call_classes(c, z).tolist() == [NOT, LOW_Z, HIGH_Z, HIGH_Z, NOT]
    assert call_classes(c, z).dtype == np.int8
    assert call_classes(c, z, c_threshold=0.4, z_split=3.5).tolist() == [NOT, LOW_Z, LOW_Z, HIGH_Z, LOW_Z]


def test_threshold_is_strict_in_the_precision_of_the_scores() -> None:
    at = np.array([0.95], dtype=np.float32)
    above = np.nextafter(at, np.float32(1))
    z = np.array([1.0], dtype=np.float32)
    assert call_classes(at, z).tolist() == [NOT]
    assert call_classes(above, z).tolist() == [LOW_Z]
    # float64(float32(0.95)) lies below 0.95; float32 redshifts of exactly the split are HIGH-Z all the same.
    assert call_classes(above, np.array([2.1], dtype=np.float32)).tolist() == [HIGH_Z]


def test_calls_agree_with_the_confidence_itself() -> None:
    rng = np.random.default_rng(3)
    c = rng.random((500, 7)).astype(np.float32)
    z = (4 * rng.random((500, 7))).astype(np.float32)
    np.testing.assert_array_equal(call_classes(c, z) > NOT, c > 0.95)


def test_failed_network_is_left_out() -> None:
    c = np.array([[0.99, np.nan, 0.99, 0.1]], dtype=np.float32)
    z = np.array([[1.0, 1.0, np.nan, 3.0]], dtype=np.float32)
    calls = call_classes(c, z)
    assert calls.tolist() == [[LOW_Z, NO_CALL, NO_CALL, NOT]]
    assert call_counts(calls).tolist() == [[1, 1, 0]]


def test_counts_by_hand() -> None:
    calls = np.array([[0, 0, 1, 2], [2, 2, 2, 2], [-1, -1, -1, -1]], dtype=np.int8)
    assert call_counts(calls).tolist() == [[2, 1, 1], [0, 0, 4], [0, 0, 0]]
    assert call_counts(np.empty((2, 0), dtype=np.int8)).tolist() == [[0, 0, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="n_rows, n_networks"):
        call_counts(np.zeros(3, dtype=np.int8))
