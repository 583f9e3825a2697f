"""Our own training engine beside Keras `fit`: the same sums, the same spread, and none of its limits."""

from dataclasses import replace

import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.dropout_masks import GRAIN, MaskBank
from qnet_tui.quasarnet.flat_weights import FlatLayout
from qnet_tui.quasarnet.graph_epoch import epoch_graph
from qnet_tui.quasarnet.graph_network import line_losses as graph_losses
from qnet_tui.quasarnet.graph_training import GraphTrainer, training_precision
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.loss import keras_line_loss, line_losses
from qnet_tui.quasarnet.network import initial_arrays
from qnet_tui.quasarnet.precision import cpu_flag
from qnet_tui.quasarnet.runtime import configure_tensorflow
from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.training import Trained, Trainer
from qnet_tui.quasarnet.weights import array_shapes
from qnet_tui.spectra.grids import log_grid
from tests.quasarnet.small import SMALL, Spectra
from tests.quasarnet.test_training import digest

SIX = NetworkSettings(layers=6, filters=4, dense=8, dropout=0.0)
FOUR = NetworkSettings(layers=4, filters=4, dense=8, dropout=0.0)


@pytest.fixture(scope="module")
def some() -> Spectra:
    return Spectra(90, log_grid(), seed=1)


@pytest.mark.parametrize(("shape", "amsgrad"), [(SIX, True), (FOUR, False)], ids=["same", "valid"])
def test_without_dropout_in_float32_an_epoch_is_that_of_keras(
    shape: NetworkSettings, amsgrad: bool, some: Spectra
) -> None:
    training = TrainingSettings(epochs=1, learning_rate=1e-3, batch=32, amsgrad=amsgrad, record_start=False)
    weights = some.targets.weights.copy()
    values = some.targets.values.copy()
    weights[6, ::3], values[6] = 1, values[1]  # The BAL head is trained as well.
    targets = Targets(values, weights)
    theirs = Trainer(shape, training).train(some.x, targets, 5)
    ours = GraphTrainer(shape, training, precision="float32").train(some.x, targets, 5)
    # Three batches, the last one of 26.
    assert ours.history[0].loss == pytest.approx(theirs.history[0].loss, rel=1e-6)
    mine, start = dict(ours.weights.named_arrays()), initial_arrays(shape, np.random.SeedSequence(5).spawn(3)[0])
    for name, array in theirs.weights.named_arrays():
        layer, _, weight = name.rpartition("/")
        if weight == "bias" and (layer.startswith("conv_") or layer == "fc_common"):
            assert not np.any(mine[name])  # What the normalisation takes out is not trained.
        elif weight == "moving_mean":
            # Keras trains those biases on the noise of rounding, and its means follow them.
            assert np.abs(mine[name] - array).max() < 1e-4
        else:
            assert not np.array_equal(array, start[name])
            # Adam divides by the size of a gradient: where that is nothing but rounding, a step may differ by more.
            difference = np.abs(mine[name] - array) / np.abs(array).max()
            assert np.median(difference) < 1e-5
            assert difference.max() < 1e-3


def curves(trainer: Trainer | GraphTrainer, spectra: Spectra, seeds: range) -> tuple[np.ndarray, list[Trained]]:
    trained = [trainer.train(spectra.x, spectra.targets, seed) for seed in seeds]
    return np.array([[record.loss for record in one.history] for one in trained]), trained


def test_with_dropout_losses_and_calls_are_within_the_spread_of_keras() -> None:
    """Tolerance: means over seeds within three standard errors of Keras's own spread between seeds."""
    shape = NetworkSettings(layers=4, filters=6, dense=10, dropout=0.2)
    training = TrainingSettings(epochs=8, learning_rate=1e-2, batch=32, record_start=False, keep="last")
    spectra, unseen = Spectra(128, log_grid(), seed=5), Spectra(200, log_grid(), seed=6)
    seeds = range(1, 7)
    theirs, their_networks = curves(Trainer(shape, training), spectra, seeds)
    scatter = theirs.std(axis=0, ddof=1)
    predictor = Predictor(shape)

    def calls(networks: list[Trained]) -> np.ndarray:
        heads = np.array([predictor.predict(one.weights, unseen.x) for one in networks])
        return np.asarray(heads[:, :6, :, :13].max(axis=(1, 3)) > 0.5)

    their_calls = calls(their_networks)
    assert theirs[:, -1].mean() < 0.75 * theirs[:, 0].mean()  # They have learnt something.
    for precision in ("float32", "bfloat16"):
        ours, networks = curves(GraphTrainer(shape, training, precision=precision), spectra, seeds)
        tolerance = 3 * scatter * np.sqrt(2 / len(seeds))
        assert np.all(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < tolerance + 0.01)
        assert np.all(ours.std(axis=0, ddof=1) < 3 * scatter)
        # How many of the unseen spectra a network calls a quasar.
        called, their_called = calls(networks).mean(axis=1), their_calls.mean(axis=1)
        error = 3 * their_called.std(ddof=1) * np.sqrt(2 / len(seeds))
        assert abs(called.mean() - their_called.mean()) < error + 0.01


def test_dropout_makes_the_loss_of_training_larger(some: Spectra) -> None:
    training = TrainingSettings(epochs=6, learning_rate=1e-2, batch=32, record_start=False)
    last = {
        rate: GraphTrainer(replace(SMALL, dropout=rate), training).train(some.x, some.targets, 1).history[-1].loss
        for rate in (0.0, 0.2, 0.6)
    }
    assert last[0.0] < last[0.2] < last[0.6]


def test_one_trace_serves_members_sizes_and_numbers(some: Spectra) -> None:
    shape = replace(SMALL, filters=5)
    training = TrainingSettings(epochs=1, learning_rate=1e-2, batch=32, record_start=False)
    first = GraphTrainer(shape, training).train(some.x, some.targets, 1)
    for n in (90, 64, 10, 1):
        few = some.targets.take(np.arange(n))
        GraphTrainer(shape, training).train(some.x[:n], few, 2)
    other = replace(training, learning_rate=1e-3, batch=50, epochs=2)
    GraphTrainer(replace(shape, dropout=0.3), other).train(some.x, some.targets, 3)
    graph = epoch_graph(shape, amsgrad=True, precision=training_precision("auto"))
    assert graph.traces == 1
    # What came between has left nothing behind.
    again = GraphTrainer(shape, training).train(some.x, some.targets, 1)
    assert digest(again.weights) == digest(first.weights)


def test_the_rate_of_learning_is_heeded(some: Spectra) -> None:
    start = initial_arrays(SIX, np.random.SeedSequence(1).spawn(3)[0])["conv_3/kernel"]
    steps = []
    for rate in (1e-4, 1e-3):
        training = TrainingSettings(epochs=1, learning_rate=rate, batch=90, record_start=False)
        one = GraphTrainer(SIX, training, precision="float32").train(some.x, some.targets, 1)
        steps.append(np.abs(dict(one.weights.named_arrays())["conv_3/kernel"] - start).max())
    # The first step of Adam is the rate itself.
    assert steps == pytest.approx([1e-4, 1e-3], rel=0.01)


def test_the_precision_of_training_is_what_the_processor_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    assert training_precision("auto") == ("bfloat16" if cpu_flag() else "float32")
    assert training_precision("float32") == "float32"
    assert training_precision("bfloat16") == "bfloat16"
    with pytest.raises(BadInput, match="int8"):
        training_precision("int8")
    for flag, expected in ((None, "float32"), ("avx512_bf16", "bfloat16"), ("amx_bf16", "bfloat16")):
        monkeypatch.setattr("qnet_tui.quasarnet.graph_training.cpu_flag", lambda flag=flag: flag)
        assert GraphTrainer(SIX, TrainingSettings(epochs=1, learning_rate=1e-3)).precision == expected


def test_the_loss_of_the_graph_is_that_of_the_equation() -> None:
    tf = configure_tensorflow()
    rng = np.random.default_rng(3)
    values = np.zeros((7, 40, 26), dtype=np.float32)
    values[:, :20, 4] = 1
    values[:, :20, 17] = rng.random((7, 20))
    sigmoids = rng.uniform(0.001, 0.999, (7, 40, 26)).astype(np.float32)

    def ours() -> np.ndarray:
        spectrum_first = (tf.constant(array.transpose(1, 0, 2)) for array in (sigmoids, values))
        return np.asarray(graph_losses(tf, *spectrum_first, 13).numpy().T)

    def rescaled() -> np.ndarray:
        return np.concatenate([sigmoids[..., :13], sigmoids[..., 13:] * np.float32(1.2) - np.float32(0.1)], axis=-1)

    assert np.allclose(ours(), line_losses(values, rescaled()), rtol=1e-5)
    # Where a confidence is clipped, 1 - 1e-7 is not the same in float32: it must be as in Keras's.
    sigmoids[:, :, :13] = rng.integers(0, 2, (7, 40, 13))
    theirs = [keras_line_loss(tf.constant(t), tf.constant(a)).numpy() for t, a in zip(values, rescaled(), strict=True)]
    assert np.allclose(ours(), theirs, rtol=1e-5)


@pytest.mark.parametrize("shape", [SMALL, SIX, NetworkSettings(layers=4, filters=2, dense=2, n_boxes=5, n_pixels=200)])
def test_arrays_go_through_the_flat_vector_unchanged(shape: NetworkSettings) -> None:
    rng = np.random.default_rng(1)
    arrays = {name: rng.normal(size=s).astype(np.float32) for name, s in array_shapes(shape).items()}
    untrained = {f"conv_{i}/bias" for i in range(1, shape.layers + 1)} | {"fc_common/bias"}
    layout = FlatLayout(shape)
    trained, means, variances = layout.flatten(arrays)
    assert len(trained) == shape.n_trainable - shape.layers * shape.filters - shape.dense
    back = layout.arrays(trained, means, variances)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert np.array_equal(back[name], array * (name not in untrained))


def test_masks_keep_the_fraction_asked_for_and_differ_from_step_to_step() -> None:
    masks = MaskBank(NetworkSettings(layers=4, filters=10, dropout=0.3), 64)
    generator = np.random.default_rng(1)
    kept = masks.draw(generator)
    assert kept.shape == (masks.rows, GRAIN)
    assert kept.mean() == pytest.approx(0.7, abs=0.003)
    assert kept.mean(axis=0) == pytest.approx(np.full(GRAIN, 0.7), abs=0.01)
    starts = masks.starts(generator, 200)
    assert starts.shape == (200, 4)
    assert starts.min() >= 0
    needed = -(-64 * masks.settings.lengths[0] * 10 // GRAIN)
    assert starts[:, 0].max() + needed <= masks.rows
    assert starts[:, 0].max() > (masks.rows - needed) * 0.9
    # Two steps' masks of the first layer agree as often as independent ones do: 0.7² + 0.3².
    one, other = (kept[s : s + needed] for s in starts[:2, 0])
    assert (one == other).mean() == pytest.approx(0.58, abs=0.005)
