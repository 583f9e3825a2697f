import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.inference import Predictor, confidence_and_redshift, fold
from qnet_tui.quasarnet.loss import network_loss
from qnet_tui.quasarnet.network import (
    build_network,
    compiled_network,
    initial_arrays,
    network_with,
    variables_by_name,
)
from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.training import Trained
from qnet_tui.quasarnet.weights import array_shapes, weights_from_arrays
from qnet_tui.spectra.grids import grid_named, log_grid
from tests.quasarnet.small import SMALL, Spectra, random_weights


@pytest.mark.parametrize(
    ("layers", "n_pixels", "total", "trainable"),
    [(4, 443, 521_882, 520_882), (4, 458, 531_882, 530_882), (6, 443, 592_882, 591_482), (6, 458, 602_882, 601_482)],
)
def test_the_keras_model_has_the_published_number_of_parameters(
    layers: int, n_pixels: int, total: int, trainable: int
) -> None:
    model = build_network(NetworkSettings(layers=layers, n_pixels=n_pixels))
    assert model.count_params() == total
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == trainable
    assert [tuple(out.shape) for out in model.outputs] == [(None, 26)] * 7


def test_layers_are_those_of_quasarnet_by_name() -> None:
    settings = NetworkSettings(layers=6, filters=3, dense=5, dropout=0.3, n_pixels=458)
    model = build_network(settings)
    shapes = {name: tuple(v.shape) for name, v in variables_by_name(model).items()}
    assert shapes == array_shapes(settings)
    assert model.get_layer("dropout_3").rate == 0.3
    conv, norm = model.get_layer("conv_2"), model.get_layer("batch_normalization_7")
    assert (conv.padding, conv.strides, conv.activation.__name__) == ("same", (2,), "linear")
    assert (norm.momentum, norm.epsilon) == (0.99, 1e-3)
    assert model.get_layer("fc_common").activation.__name__ == "linear"
    assert model.get_layer("fc_offset_6").activation.__name__ == "sigmoid"
    rescaling = model.get_layer("rescaling_0")
    assert (rescaling.scale, rescaling.offset) == (1.2, -0.1)


def test_initial_weights_are_glorot_uniform() -> None:
    arrays = initial_arrays(NetworkSettings(), np.random.SeedSequence(5))
    for name, fans in {"conv_1": 10 * 101, "conv_3": 10 * 200, "fc_common": 800, "fc_box_2": 113}.items():
        kernel, limit = arrays[f"{name}/kernel"], np.sqrt(6 / fans)
        assert kernel.dtype == np.float32
        assert 0.98 * limit < np.abs(kernel).max() <= limit
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert not np.any(arrays["conv_2/bias"])
    assert np.all(arrays["batch_normalization_7/gamma"] == 1)
    again = initial_arrays(NetworkSettings(), np.random.SeedSequence(5))
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    other = initial_arrays(NetworkSettings(), np.random.SeedSequence(6))
    assert not np.array_equal(arrays["conv_1/kernel"], other["conv_1/kernel"])


def test_the_optimiser_is_that_of_the_published_models() -> None:
    model = compiled_network(SMALL, TrainingSettings(epochs=1, learning_rate=2e-4))
    config = model.optimizer.get_config()
    assert config["learning_rate"] == pytest.approx(2e-4)
    assert (config["beta_1"], config["beta_2"], config["epsilon"]) == (0.9, 0.999, 1e-7)
    assert config["amsgrad"] is True
    assert config["weight_decay"] is None
    assert config["clipnorm"] is None


def test_the_compiled_loss_is_the_sum_over_heads_of_the_mean_over_spectra(spectra: Spectra) -> None:
    model = compiled_network(SMALL, TrainingSettings(epochs=1, learning_rate=2e-4))
    targets = spectra.targets
    weights = targets.weights.copy()
    weights[6, :7] = 1
    x = spectra.x[:, :, None]
    loss = model.evaluate(
        x, list(targets.values), sample_weight=list(weights), batch_size=len(x), verbose=0, return_dict=True
    )["loss"]
    heads = np.stack([np.asarray(head) for head in model(x, training=False)])
    assert loss == pytest.approx(network_loss(type(targets)(targets.values, weights), heads), rel=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        NetworkSettings(layers=4, filters=5, dense=7, n_pixels=443),
        NetworkSettings(layers=6, filters=5, dense=7, n_pixels=458, n_boxes=9),
    ],
    ids=["4 valid", "6 same"],
)
def test_scoring_agrees_with_keras(settings: NetworkSettings) -> None:
    weights = random_weights(settings, seed=11)
    x = np.random.default_rng(0).normal(size=(30, settings.n_pixels)).astype(np.float32)
    expected = np.stack([np.asarray(head) for head in network_with(weights)(x[:, :, None], training=False)])
    heads = Predictor(settings).predict(weights, x, batch=16)
    assert heads.shape == (7, 30, 2 * settings.n_boxes)
    assert heads.dtype == np.float32
    assert np.abs(heads - expected).max() < 2e-6
    assert np.ptp(heads) > 0.2


def test_a_row_depends_on_nothing_but_itself() -> None:
    weights = random_weights(SMALL, seed=12)
    predictor = Predictor(SMALL)
    x = np.random.default_rng(1).normal(size=(70, 443)).astype(np.float32)
    all_rows = predictor.predict(weights, x, batch=32)
    assert np.array_equal(predictor.predict(weights, x[::-1], batch=32)[:, ::-1], all_rows)
    assert np.array_equal(predictor.predict(weights, x[33:34], batch=32), all_rows[:, 33:34])
    assert predictor.predict(weights, x[:0], batch=32).shape == (7, 0, 26)


def test_one_graph_serves_many_networks() -> None:
    predictor = Predictor(SMALL)
    x = np.random.default_rng(2).normal(size=(8, 443)).astype(np.float32)
    weights = [random_weights(SMALL, seed) for seed in (1, 2, 1)]
    first, second, again = (predictor.predict(w, x, batch=8) for w in weights)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
    c_qso, zbest = confidence_and_redshift(first, log_grid())
    assert c_qso.shape == zbest.shape == (8,)


def test_offsets_are_rescaled_only_if_the_weights_say_so() -> None:
    predictor = Predictor(SMALL)
    x = np.random.default_rng(3).normal(size=(5, 443)).astype(np.float32)
    rescaled = predictor.predict(random_weights(SMALL, 4), x, batch=8)
    plain = predictor.predict(random_weights(SMALL, 4, rescale=False), x, batch=8)
    assert np.array_equal(rescaled[..., :13], plain[..., :13])
    assert rescaled[..., 13:] == pytest.approx(1.2 * plain[..., 13:] - 0.1, abs=1e-6)
    with pytest.raises(ValueError, match="rescale"):
        network_with(random_weights(SMALL, 4, rescale=False))


def test_normalisations_are_folded_into_the_layers_before_them() -> None:
    weights = random_weights(SMALL, 5)
    kernel, bias = fold(weights)[:2]
    norm, convolution = weights.norms[0], weights.convolutions[0]
    slope = norm.gamma / np.sqrt(norm.variance + 1e-3)
    assert kernel == pytest.approx(convolution.kernel * slope, rel=1e-5)
    assert bias == pytest.approx((convolution.bias - norm.mean) * slope + norm.beta, rel=1e-4)


def test_weights_of_another_shape_and_vectors_of_another_grid_are_refused() -> None:
    predictor = Predictor(SMALL)
    with pytest.raises(BadInput, match="another network"):
        predictor.predict(random_weights(NetworkSettings(layers=4, filters=5), 1), np.zeros((1, 443)))
    with pytest.raises(BadInput, match="443 pixels"):
        predictor.predict(random_weights(SMALL, 1), np.zeros((1, 458)))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("conv_1/kernel", lambda a: a[:5], "conv_1/kernel has shape"),
        ("fc_box_3/bias", lambda a: a * np.nan, "not finite"),
        ("batch_normalization_2/moving_variance", lambda a: a - 9, "negative variance"),
        ("fc_common/bias", lambda a: None, "no fc_common/bias"),
    ],
)
def test_incomplete_or_broken_weights_are_refused(trained: Trained, name: str, change, message: str) -> None:
    arrays = dict(trained.weights.named_arrays())
    changed = change(arrays.pop(name))
    if changed is not None:
        arrays[name] = changed
    with pytest.raises(BadInput, match=message):
        weights_from_arrays(SMALL, trained.weights.grid_wave, arrays)


def test_weights_on_a_grid_of_other_length_are_refused(trained: Trained) -> None:
    arrays = dict(trained.weights.named_arrays())
    with pytest.raises(BadInput, match="458 pixels, the network 443"):
        weights_from_arrays(SMALL, grid_named("linear").wave, arrays)
