import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.boxes import encode
from qnet_tui.quasarnet.history import ValidationSet, validation_record
from qnet_tui.quasarnet.loss import network_loss
from qnet_tui.spectra.grids import log_grid


def validation_of(is_qso: list[bool]) -> ValidationSet:
    n = len(is_qso)
    targets = encode(np.full(n, 2.5), is_qso, np.zeros(n, int), log_grid())
    return ValidationSet(np.zeros((n, 443), np.float32), targets, np.array(is_qso))


def answers(confidences: list[float], second: float = 0.0) -> np.ndarray:
    heads = np.full((7, len(confidences), 26), 0.01, dtype=np.float32)
    heads[1, :, 5] = confidences
    heads[2, :, 6] = second
    heads[6, :, 3] = 0.999  # The untrained BAL head must not count.
    return heads


def test_counts_completeness_and_purity_by_hand() -> None:
    validation = validation_of([True, True, True, False, False])
    heads = answers([0.99, 0.96, 0.95, 0.97, 0.2])
    record = validation_record(3, 1.5, validation, heads, log_grid(), c_threshold=0.95, n_lines=1)
    assert (record.epoch, record.loss) == (3, 1.5)
    assert (record.tp, record.fp, record.fn) == (2, 1, 1)
    assert record.completeness == pytest.approx(2 / 3)
    assert record.purity == pytest.approx(2 / 3)
    assert record.val_loss == pytest.approx(network_loss(validation.targets, heads))


def test_two_lines_can_be_asked_for() -> None:
    validation = validation_of([True, False])
    one = validation_record(1, 0.0, validation, answers([0.9, 0.9], 0.7), log_grid(), c_threshold=0.8, n_lines=2)
    assert (one.tp, one.fp, one.fn) == (0, 0, 1)
    assert one.purity is None
    both = validation_record(1, 0.0, validation, answers([0.9, 0.9], 0.7), log_grid(), c_threshold=0.6, n_lines=2)
    assert (both.tp, both.fp, both.fn) == (1, 1, 0)


def test_without_quasars_there_is_no_completeness() -> None:
    record = validation_record(1, 0.0, validation_of([False]), answers([0.99]), log_grid(), c_threshold=0.95, n_lines=1)
    assert (record.completeness, record.purity) == (None, 0.0)


def test_an_empty_or_uneven_validation_set_is_refused() -> None:
    with pytest.raises(BadInput, match="empty"):
        validation_of([])
    good = validation_of([True, False])
    with pytest.raises(BadInput, match="2 vectors, 2 targets and 1 labels"):
        ValidationSet(good.x, good.targets, good.is_qso[:1])
