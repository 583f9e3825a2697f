import numpy as np
import pytest

from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.loss import keras_line_loss, line_losses, network_loss
from qnet_tui.quasarnet.runtime import configure_tensorflow

LN2 = np.log(2.0)


def by_keras(target: np.ndarray, answer: np.ndarray) -> np.ndarray:
    tf = configure_tensorflow()
    return np.asarray(keras_line_loss(tf.constant(target, tf.float32), tf.constant(answer, tf.float32)))


def by_numpy(target: np.ndarray, answer: np.ndarray) -> np.ndarray:
    return line_losses(target, answer)


def halves(n: int = 1) -> np.ndarray:
    return np.full((n, 26), 0.5)


def present(box: int, offset: float) -> np.ndarray:
    target = np.zeros((1, 26))
    target[0, box], target[0, 13 + box] = 1.0, offset
    return target


@pytest.mark.parametrize("loss", [by_keras, by_numpy])
class TestByHand:
    def test_absent_line_all_halves(self, loss) -> None:
        assert loss(np.zeros((1, 26)), halves())[0] == pytest.approx(LN2, abs=1e-6)

    def test_present_line_all_halves_perfect_offset(self, loss) -> None:
        assert loss(present(4, 0.5), halves())[0] == pytest.approx(2 * LN2, abs=1e-6)

    def test_an_offset_counts_with_its_square_in_the_true_box_only(self, loss) -> None:
        answer = halves()
        answer[0, 13:] = 0.1
        answer[0, 13 + 4] = 0.2
        assert loss(present(4, 0.7), answer)[0] == pytest.approx(2 * LN2 + 0.25, abs=1e-6)

    def test_unequal_confidences(self, loss) -> None:
        answer = halves()
        answer[0, :13] = 0.1
        answer[0, 2], answer[0, 7] = 0.8, 0.3
        expected = -np.log(0.8) - (11 * np.log(0.9) + np.log(0.7)) / 12
        assert loss(present(2, 0.5), answer)[0] == pytest.approx(expected, abs=1e-6)
        absent = -(11 * np.log(0.9) + np.log(0.7) + np.log(0.2)) / 13
        assert loss(np.zeros((1, 26)), answer)[0] == pytest.approx(absent, abs=1e-6)

    def test_saturated_confidences_stay_finite(self, loss) -> None:
        answer = halves()
        answer[0, :13] = 1.0
        answer[0, 4] = 0.0
        expected = -np.log(1e-7) * 2  # Clipped at 1e-7 on both sides.
        assert loss(present(4, 0.5), answer)[0] == pytest.approx(expected, rel=2e-2)


def test_keras_and_numpy_agree_on_anything() -> None:
    rng = np.random.default_rng(3)
    target = np.zeros((200, 26))
    rows = np.flatnonzero(rng.random(200) < 0.6)
    box = rng.integers(0, 13, len(rows))
    target[rows, box], target[rows, 13 + box] = 1.0, rng.random(len(rows))
    answer = rng.random((200, 26))
    assert by_keras(target, answer) == pytest.approx(by_numpy(target, answer), rel=1e-5)


def test_a_network_loss_divides_by_spectra_not_by_weights() -> None:
    values = np.zeros((7, 4, 26))
    weights = np.ones((7, 4), dtype=np.float32)
    weights[6] = [0, 0, 0, 1]
    heads = np.full((7, 4, 26), 0.5)
    assert network_loss(Targets(values, weights), heads) == pytest.approx(6 * LN2 + LN2 / 4)


def test_no_spectra_have_no_loss() -> None:
    empty = Targets(np.zeros((7, 0, 26)), np.zeros((7, 0), dtype=np.float32))
    assert np.isnan(network_loss(empty, np.zeros((7, 0, 26))))
