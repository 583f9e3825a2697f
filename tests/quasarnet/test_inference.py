"""Answers of a committee: the calls of float32 in any precision, whatever stands beside a row."""

from dataclasses import replace

import numpy as np
import pytest

from qnet_tui.active_learning.calls import call_classes
from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.boxes import confidence_and_redshift
from qnet_tui.quasarnet.inference import MARGINS, Answers, Predictor, flop
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import Affine, Weights
from qnet_tui.spectra.grids import log_grid
from tests.quasarnet.small import SMALL, random_weights

N = 1500
"""One batch of 1024, three of 128, and a last one that is not full."""


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(N, 443)) + 4 * (rng.random((N, 443)) < 0.02)
    return ((rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def weights() -> Weights:
    """A network whose logits spread as those of a trained one, with lines that contradict each other."""
    drawn = random_weights(SMALL, 21)
    boxes = tuple(Affine(10 * box.kernel, 10 * box.bias) for box in drawn.boxes)
    return replace(drawn, boxes=boxes)


@pytest.fixture(scope="module")
def float32() -> Predictor:
    return Predictor(SMALL)


@pytest.fixture(scope="module")
def bfloat16() -> Predictor:
    return Predictor(SMALL, "bfloat16")


@pytest.fixture(scope="module", params=[1, 3])
def rule(request, float32: Predictor, weights: Weights, x: np.ndarray) -> dict[str, float]:
    """Threshold and split where answers are dense, so that rounding does change calls."""
    c_qso, zbest = confidence_and_redshift(float32.predict(weights, x), log_grid(), request.param)
    c_threshold = float(np.median(c_qso))
    return {
        "n_lines": request.param,
        "c_threshold": c_threshold,
        "z_split": float(np.median(zbest[c_qso > c_threshold])),
    }


def calls(answers: Answers, rule: dict[str, float]) -> np.ndarray:
    return call_classes(answers.c_qso, answers.zbest, c_threshold=rule["c_threshold"], z_split=rule["z_split"])


def test_in_float32_answers_are_those_of_predict(float32, weights, x, rule) -> None:
    c_qso, zbest = confidence_and_redshift(float32.predict(weights, x), log_grid(), rule["n_lines"])
    found = float32.answers(weights, x, log_grid(), **rule)
    assert found.c_qso.dtype == found.zbest.dtype == np.float32
    assert np.abs(found.c_qso - c_qso).max() < 2e-6
    assert np.abs(found.zbest - zbest).max() < 1e-4
    assert found.rechecked < 0.01 * N
    assert set(np.unique(calls(found, rule))) == {0, 1, 2}


def test_bfloat16_changes_values_but_no_call(float32, bfloat16, weights, x, rule) -> None:
    exact = float32.answers(weights, x, log_grid(), **rule)
    found = bfloat16.answers(weights, x, log_grid(), **rule)
    alone = confidence_and_redshift(bfloat16.predict(weights, x), log_grid(), rule["n_lines"])
    changed = call_classes(*alone, c_threshold=rule["c_threshold"], z_split=rule["z_split"]) != calls(exact, rule)
    assert changed.sum() > 0, "without a recheck"
    assert np.array_equal(calls(found, rule), calls(exact, rule))
    assert changed.sum() < found.rechecked < 0.7 * N
    same = found.c_qso == exact.c_qso
    assert np.all(np.abs(found.c_qso - exact.c_qso)[changed] < 2e-6), "what was done again has the values of float32"
    assert 0 < np.abs(found.c_qso - exact.c_qso)[~same].max() < 0.05


def test_bfloat16_is_within_its_margins(float32, bfloat16, weights, x) -> None:
    exact, coarse = float32.predict(weights, x), bfloat16.predict(weights, x)
    difference = np.abs(coarse - exact)
    assert 1e-4 < difference[..., :13].max() < MARGINS["bfloat16"].logit / 4
    assert difference[..., 13:].max() < MARGINS["bfloat16"].offset


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_call_depends_on_the_row_alone(precision, float32, bfloat16, weights, x, rule) -> None:
    predictor = {"float32": float32, "bfloat16": bfloat16}[precision]
    everything = calls(predictor.answers(weights, x, log_grid(), **rule), rule)
    order = np.random.default_rng(3).permutation(N)
    assert np.array_equal(calls(predictor.answers(weights, x[order], log_grid(), **rule), rule), everything[order])
    for n in (0, 1, 33, 129, 900, 1024, 1060):
        few = predictor.answers(weights, x[:n], log_grid(), **rule)
        assert few.c_qso.shape == few.zbest.shape == (n,)
        assert np.array_equal(calls(few, rule), everything[:n])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_values_depend_on_the_size_of_the_batch_alone(precision, float32, bfloat16, weights, x, rule) -> None:
    predictor = {"float32": float32, "bfloat16": bfloat16}[precision]
    full = predictor.answers(weights, x[:1024], log_grid(), **rule)
    with_more = predictor.answers(weights, np.concatenate([x[:1024][::-1], x[:300]]), log_grid(), **rule)
    assert np.array_equal(with_more.c_qso[:1024][::-1], full.c_qso)
    assert np.array_equal(with_more.zbest[:1024][::-1], full.zbest)
    chunk = predictor.answers(weights, x[:100], log_grid(), **rule)
    assert np.array_equal(predictor.answers(weights, x[:300], log_grid(), **rule).c_qso[:100], chunk.c_qso)


def test_one_trace_a_batch_size_and_precision_whatever_the_number_of_networks(x) -> None:
    predictors = {"float32": Predictor(SMALL), "bfloat16": Predictor(SMALL, "bfloat16")}
    for predictor in predictors.values():
        for seed in range(4):
            network = random_weights(SMALL, seed)
            c_qso = confidence_and_redshift(predictor.predict(network, x), log_grid())[0]
            rule = {"c_threshold": float(np.median(c_qso)), "z_split": 2.1}
            for n in (N, 1060, 300, 7):
                predictor.answers(network, x[:n], log_grid(), **rule)
    assert {name: predictor.traces for name, predictor in predictors.items()} == {"float32": 3, "bfloat16": 4}


def test_a_network_is_prepared_once_for_many_calls(bfloat16, weights, x, rule) -> None:
    prepared = bfloat16.prepare(weights)
    first = bfloat16.answers(prepared, x[:200], log_grid(), **rule)
    again = bfloat16.answers(weights, x[:200], log_grid(), **rule)
    assert np.array_equal(first.c_qso, again.c_qso)
    assert first.rechecked == again.rechecked


def test_another_architecture_or_grid_is_refused(float32) -> None:
    other = Predictor(NetworkSettings(layers=4, filters=5))
    with pytest.raises(BadInput, match="another network"):
        other.prepare(random_weights(SMALL, 1))
    prepared = float32.prepare(random_weights(SMALL, 1))
    with pytest.raises(BadInput, match="another network"):
        other.answers(prepared, np.zeros((1, 443)), log_grid(), c_threshold=0.95, z_split=2.1)
    with pytest.raises(BadInput, match="443 pixels"):
        float32.answers(prepared, np.zeros((1, 458)), log_grid(), c_threshold=0.95, z_split=2.1)


def test_a_network_of_the_other_precision_is_refused(float32, bfloat16, weights) -> None:
    with pytest.raises(BadInput, match="prepared for bfloat16"):
        float32.predict(bfloat16.prepare(weights), np.zeros((1, 443)))


def test_the_work_of_the_published_network() -> None:
    assert flop(NetworkSettings()) / 1e6 == pytest.approx(43.8, abs=0.1)
    convolution = 2 * 443 // 4 * 10 * 6
    assert flop(NetworkSettings(layers=1, filters=6, dense=1)) > convolution


def test_settled_heads_call_quasars_as_float32_does(float32, bfloat16, weights, x) -> None:
    exact = float32.predict(weights, x)
    c_exact, _ = confidence_and_redshift(exact, weights.grid)
    # A threshold amid the confidences, so that some rows are near it.
    threshold = float(np.median(c_exact))
    settled = bfloat16.settled_heads(weights, x, weights.grid, c_threshold=threshold)
    c_settled, _ = confidence_and_redshift(settled, weights.grid)
    assert np.array_equal(c_settled > threshold, c_exact > threshold)
    changed = np.abs(settled - bfloat16.predict(weights, x)).max(axis=(0, 2)) > 0
    assert 0 < changed.sum() < len(x)
    assert np.abs(settled - exact).max() < 0.1
    same = float32.settled_heads(weights, x, weights.grid, c_threshold=threshold)
    assert np.abs(same - exact).max() < 1e-5
