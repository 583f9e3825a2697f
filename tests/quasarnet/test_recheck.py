"""Which rows are done again: every row whose call an error within the margins can change, and few others."""

import numpy as np
import pytest

from qnet_tui.quasarnet.boxes import confidence_and_redshift
from qnet_tui.quasarnet.recheck import Margins, logit, unsettled
from qnet_tui.spectra.grids import log_grid

MARGINS = Margins(logit=0.2, offset=0.04)


def calls(heads: np.ndarray, n_lines: int, c_threshold: float, z_split: float) -> np.ndarray:
    c_qso, zbest = confidence_and_redshift(heads, log_grid(), n_lines)
    return np.where(c_qso > c_threshold, np.where(zbest >= z_split, 2, 1), 0)


def flags(heads: np.ndarray, n_lines: int = 1, c_threshold: float = 0.95, z_split: float = 2.1) -> np.ndarray:
    c_qso = confidence_and_redshift(heads, log_grid(), n_lines)[0]
    return unsettled(heads, c_qso, log_grid(), MARGINS, c_threshold=c_threshold, z_split=z_split)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def answered(boxes: dict[tuple[int, int], tuple[float, float]]) -> np.ndarray:
    """Answers (7, 1, 26) with these (line, box): (logit, offset) and confidences of nearly 0 elsewhere."""
    heads = np.full((7, 1, 26), 1e-4, dtype=np.float32)
    for (line, box), (value, offset) in boxes.items():
        heads[line, 0, box] = sigmoid(np.array(value))
        heads[line, 0, 13 + box] = offset
    return heads


@pytest.mark.parametrize("n_lines", [1, 2, 4])
@pytest.mark.parametrize(("c_threshold", "z_split"), [(0.95, 2.1), (0.5, 1.0), (0.999, 1.5)])
def test_no_error_within_the_margins_changes_a_call_that_is_settled(n_lines, c_threshold, z_split) -> None:
    rng = np.random.default_rng([n_lines, int(1000 * c_threshold)])
    n = 4000
    logits = rng.normal(-6, 4, (7, n, 13))
    # Rows with close rivals, and rows close to the threshold.
    best = logits[:6].max(axis=(0, 2))
    logits[rng.integers(0, 6, n), np.arange(n), rng.integers(0, 13, n)] = best + rng.uniform(-0.6, 0.6, n)
    near = rng.random(n) < 0.3
    logits[:n_lines, near, 3] = logit(np.array([c_threshold])) + rng.normal(0.5, 0.6, (1, near.sum()))
    offsets = rng.uniform(-0.1, 1.1, (7, n, 13))
    exact = np.concatenate([sigmoid(logits), offsets.astype(np.float32)], axis=2)
    settled = ~flags(exact, n_lines, c_threshold, z_split)
    expected = calls(exact, n_lines, c_threshold, z_split)
    assert settled.mean() > 0.5
    assert len(set(expected[settled])) == 3
    changed = np.zeros(n, dtype=bool)
    for _ in range(25):
        sign = rng.choice([-0.99, 0.99], logits.shape)
        moved = np.concatenate(
            [
                sigmoid(logits + sign * MARGINS.of(logits) / 1.05),
                offsets + 0.99 * rng.choice([-1, 1], offsets.shape) * 0.04,
            ],
            axis=2,
        ).astype(np.float32)
        changed |= calls(moved, n_lines, c_threshold, z_split) != expected
    assert changed.sum() > 50
    assert not np.any(changed & settled)


def test_what_cannot_change_the_call_is_left() -> None:
    # LYA in box 3 of 13 lies at z 2.7, in box 0 at 2.0; CIV in box 6 at z 2.8, MgII in box 2 at z 0.5.
    assert not flags(answered({(0, 3): (6.0, 0.5)}))[0]
    assert not flags(answered({(0, 3): (6.0, 0.5), (1, 6): (6.0, 0.5)}))[0], "both lines say HIGH-Z"
    assert not flags(answered({(0, 3): (6.0, 0.5), (3, 2): (5.0, 0.5)}))[0], "the other line is far behind"
    assert not flags(answered({(0, 3): (1.0, 0.5), (3, 2): (1.0, 0.5)}))[0], "no quasar anyway"


def test_what_can_change_the_call_is_not() -> None:
    assert flags(answered({(0, 3): (2.9, 0.5)}))[0], "near the threshold"
    assert flags(answered({(0, 3): (6.0, 0.5), (3, 2): (5.8, 0.5)}))[0], "two lines, two sides"
    assert flags(answered({(0, 3): (6.0, 0.5), (0, 0): (5.9, 0.1)}))[0], "two boxes of a line, two sides"
    index = np.interp(1215.67 * 3.1, log_grid().wave, np.arange(443)) / 443 * 13
    assert flags(answered({(0, int(index)): (6.0, index % 1 + 0.02)}))[0], "z at the split"
    assert flags(answered({(0, 3): (40.0, 0.5), (3, 2): (30.0, 0.5)}))[0], "both are 1 in float32"


def test_rows_without_an_answer_are_left_as_they_are() -> None:
    heads = np.full((7, 2, 26), np.nan, dtype=np.float32)
    assert not flags(heads).any()
    assert flags(heads[:, :0]).shape == (0,)


def test_a_logit_is_finite_for_every_confidence() -> None:
    found = logit(np.array([0.0, 0.5, 0.95, 1.0], dtype=np.float32))
    assert found[1:3] == pytest.approx([0, np.log(19)], abs=1e-6)
    assert -17 < found[0] < -16
    assert 16 < found[3] < 17
