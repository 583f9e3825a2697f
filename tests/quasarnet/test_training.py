import dataclasses
import functools
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.history import ValidationSet
from qnet_tui.quasarnet.inference import Predictor, confidence_and_redshift
from qnet_tui.quasarnet.loss import network_loss
from qnet_tui.quasarnet.network import initial_arrays
from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.training import ENGINES, AnyTrainer, EpochRecord, Trained, train_network, trainer_for
from qnet_tui.quasarnet.weights import Weights
from qnet_tui.spectra.grids import grid_from_wave, linear_grid, log_grid
from tests.quasarnet.small import SMALL, Spectra


def digest(weights: Weights) -> str:
    sha = hashlib.sha256()
    for _, array in weights.named_arrays():
        sha.update(array.tobytes())
    return sha.hexdigest()


# Another process trains the same seeds in another order: what a network was preceded by must not matter.
IN_ANOTHER_PROCESS = """
import json, sys
from tests.quasarnet.small import SMALL, Spectra
from tests.quasarnet.test_training import digest
from qnet_tui.quasarnet.settings import TrainingSettings
from qnet_tui.quasarnet.training import ENGINES, trainer_for
from qnet_tui.spectra.grids import log_grid
spectra, held_out = Spectra(96, log_grid(), seed=1), Spectra(40, log_grid(), seed=2)
settings = TrainingSettings(epochs=3, learning_rate=1e-2, batch=32, c_threshold=0.5)
trainers = {engine: trainer_for(SMALL, settings, engine=engine) for engine in ENGINES}
print(json.dumps({engine: {seed: digest(trainer.train(spectra.x, spectra.targets, seed,
      validation=held_out.validation).weights) for seed in map(int, sys.argv[1:])}
      for engine, trainer in trainers.items()}))
"""


@pytest.fixture(scope="module", autouse=True)
def elsewhere() -> Iterator[Callable[[], dict[str, dict[str, str]]]]:
    """Started before the first test of this module, asked by the last: it trains while they run."""
    process = subprocess.Popen(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, "3", "7"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    @functools.cache
    def answer() -> dict[str, dict[str, str]]:
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        return json.loads(out)

    yield answer
    process.kill()
    process.communicate()


def test_the_history_has_one_record_per_epoch(trained: Trained) -> None:
    assert [record.epoch for record in trained.history] == [0, 1, 2, 3]
    losses = [record.loss for record in trained.history[1:]]
    assert losses == sorted(losses, reverse=True)
    assert trained.weights.attrs == {"seed": 7, "bal_trained": False}
    assert trained.weights.rescale


def test_training_finds_quasars_and_their_redshifts(trainer: AnyTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "training", dataclasses.replace(trainer.training, epochs=14))
    training, unseen = Spectra(320, log_grid(), seed=5), Spectra(100, log_grid(), seed=6)
    trained = trainer.train(training.x, training.targets, 1, validation=unseen.validation)
    kept = trained.history[trained.best_epoch]
    assert kept.completeness is not None
    assert kept.completeness > 0.8
    assert kept.purity is not None
    assert kept.purity > 0.8
    c_qso, zbest = confidence_and_redshift(Predictor(SMALL).predict(trained.weights, unseen.x), log_grid())
    found = unseen.is_qso & (c_qso > 0.5)
    assert np.median(np.abs(zbest - unseen.z)[found]) < 0.1


def test_epoch_0_is_the_network_before_training(trained: Trained, spectra: Spectra, held_out: Spectra) -> None:
    from qnet_tui.quasarnet.weights import weights_from_arrays

    fresh = weights_from_arrays(
        SMALL, trained.weights.grid_wave, initial_arrays(SMALL, np.random.SeedSequence(7).spawn(3)[0])
    )
    predictor = Predictor(SMALL)
    start = trained.history[0]
    assert start.loss == pytest.approx(network_loss(spectra.targets, predictor.predict(fresh, spectra.x)))
    # Where training is in bfloat16, so are the answers behind the validation loss.
    expected = network_loss(held_out.targets, predictor.predict(fresh, held_out.x))
    assert start.val_loss == pytest.approx(expected, rel=1e-3)


def test_the_record_of_the_kept_epoch_is_of_the_kept_weights(trained: Trained, held_out: Spectra) -> None:
    assert trained.best_epoch == min(trained.history[1:], key=lambda r: r.val_loss or 0.0).epoch
    heads = Predictor(SMALL).predict(trained.weights, held_out.x)
    record = trained.history[trained.best_epoch]
    assert network_loss(held_out.targets, heads) == pytest.approx(record.val_loss, rel=2e-3)
    called = (heads[:6, :, :13].max(axis=(0, 2)) > 0.5) & held_out.is_qso
    assert record.tp == called.sum()
    assert record.tp + record.fn == held_out.is_qso.sum()  # type: ignore[operator]


def test_the_bal_head_without_truth_is_not_trained(trained: Trained) -> None:
    before = initial_arrays(SMALL, np.random.SeedSequence(7).spawn(3)[0])
    after = dict(trained.weights.named_arrays())
    for name in ("fc_box_6/kernel", "fc_box_6/bias", "fc_offset_6/kernel", "fc_offset_6/bias"):
        assert np.array_equal(before[name], after[name])
    assert not np.array_equal(before["fc_box_5/kernel"], after["fc_box_5/kernel"])
    assert not np.array_equal(before["fc_offset_1/kernel"], after["fc_offset_1/kernel"])


def test_the_bal_head_with_truth_is_trained(trainer: AnyTrainer, spectra: Spectra) -> None:
    weights = spectra.targets.weights.copy()
    weights[6, :20] = 1
    trained = trainer.train(spectra.x, Targets(spectra.targets.values, weights), 7)
    before = initial_arrays(SMALL, np.random.SeedSequence(7).spawn(3)[0])
    assert not np.array_equal(before["fc_box_6/kernel"], dict(trained.weights.named_arrays())["fc_box_6/kernel"])
    assert trained.weights.attrs["bal_trained"] is True


def test_without_validation_the_last_epoch_is_kept(trainer: AnyTrainer, spectra: Spectra) -> None:
    trained = trainer.train(spectra.x, spectra.targets, 7)
    assert trained.best_epoch == 3
    assert all(r.val_loss is None and r.tp is None and r.purity is None for r in trained.history)
    # Float64 input is taken as the float32 it is trained with.
    same = trainer.train(spectra.x.astype(np.float64), spectra.targets, 7)  # type: ignore[arg-type]
    assert digest(same.weights) == digest(trained.weights)


class Stopped(Exception):
    pass


def test_a_callback_stops_the_training_and_the_trainer_goes_on(
    trainer: AnyTrainer, trained: Trained, spectra: Spectra, held_out: Spectra
) -> None:
    seen: list[EpochRecord] = []

    def stop_after_the_second(record: EpochRecord) -> None:
        seen.append(record)
        if record.epoch == 2:
            raise Stopped

    with pytest.raises(Stopped):
        trainer.train(spectra.x, spectra.targets, 5, on_epoch=stop_after_the_second)
    assert [record.epoch for record in seen] == [0, 1, 2]
    again = trainer.train(spectra.x, spectra.targets, 7, validation=held_out.validation)
    assert digest(again.weights) == digest(trained.weights)
    assert again.history == trained.history


@pytest.fixture(scope="module")
def restless(engine: str) -> AnyTrainer:
    """Its steps are so large that the smallest loss is not that of the last epoch."""
    return trainer_for(
        NetworkSettings(layers=4, filters=2, dense=2, dropout=0.0, n_boxes=5, n_pixels=200),
        TrainingSettings(epochs=6, learning_rate=3.0, batch=16, keep="best-loss", record_start=False),
        grid_from_wave(np.linspace(4000, 8000, 200)),
        engine,
    )


def few_boxes(n: int = 32) -> tuple[np.ndarray, Targets]:
    rng = np.random.default_rng(8)
    values = np.zeros((7, n, 10), dtype=np.float32)
    values[:, : n // 2, 2] = 1.0
    return rng.normal(size=(n, 200)).astype(np.float32), Targets(values, np.ones((7, n), dtype=np.float32))


def test_the_smallest_training_loss_can_be_kept(restless: AnyTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    x, targets = few_boxes()
    trained = restless.train(x, targets, 2)
    losses = [record.loss for record in trained.history]
    assert [record.epoch for record in trained.history] == [1, 2, 3, 4, 5, 6]
    assert trained.best_epoch == 1 + int(np.argmin(losses))
    assert trained.best_epoch < 6
    assert trained.weights.settings.n_boxes == 5
    assert trained.weights.grid.name == "custom"
    # The kept weights are those of a training that ends there.
    shorter = dataclasses.replace(restless.training, epochs=trained.best_epoch, keep="last")
    monkeypatch.setattr(restless, "training", shorter)
    same = restless.train(x, targets, 2)
    assert digest(same.weights) == digest(trained.weights)
    assert same.best_epoch == trained.best_epoch


def test_a_training_that_diverges_says_so(restless: AnyTrainer) -> None:
    x, targets = few_boxes()
    with pytest.raises(QnetError, match="smaller learning rate") as caught:
        restless.train(x * np.float32(1e30), targets, 1)
    assert caught.value.exit_code == 1
    endless = Targets(np.where(targets.values > 0, np.float32(np.inf), np.float32(0)), targets.weights)
    with pytest.raises(QnetError, match=r"training loss is .* in epoch 1; use a smaller"):
        restless.train(x, endless, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, t: (x[:0], t.take(np.arange(0))), "0 training vectors"),
        (lambda x, t: (x[:5], t), "5 training vectors and 96 targets"),
        (lambda x, t: (x[:, :442], t), "reads 443 pixels"),
        (lambda x, t: (np.where(np.arange(96)[:, None] == 7, np.inf, x), t), "row 7: .*not finite"),
    ],
)
def test_data_that_cannot_be_trained_on_are_refused(trainer: AnyTrainer, spectra: Spectra, change, message) -> None:
    with pytest.raises(BadInput, match=message):
        trainer.train(*change(spectra.x, spectra.targets), seed=1)


def test_a_validation_set_on_another_grid_is_refused(trainer: AnyTrainer, spectra: Spectra) -> None:
    other = Spectra(4, linear_grid(), seed=1)
    with pytest.raises(BadInput, match="validation vectors"):
        trainer.train(
            spectra.x,
            spectra.targets,
            1,
            validation=ValidationSet(other.x, other.targets, other.is_qso),
        )


def test_a_grid_of_another_length_is_refused() -> None:
    once = TrainingSettings(epochs=1, learning_rate=1e-3)
    for engine in ENGINES:
        with pytest.raises(BadInput, match="grid has 458"):
            trainer_for(SMALL, once, linear_grid(), engine)
        with pytest.raises(BadInput, match="no published grid has 300 pixels"):
            trainer_for(NetworkSettings(layers=4, filters=2, dense=2, n_pixels=300), once, engine=engine)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(BadInput, match="no training engine is called 'torch'; choose graph or keras"):
        trainer_for(SMALL, TrainingSettings(epochs=1, learning_rate=1e-3), engine="torch")


def test_the_best_validation_loss_needs_a_validation_set(spectra: Spectra) -> None:
    training = TrainingSettings(epochs=1, learning_rate=1e-3, keep="best-val-loss")
    with pytest.raises(BadInput, match="validation"):
        train_network(spectra.x, spectra.targets, SMALL, training, 1)


def test_a_seed_gives_the_same_bits_in_any_process_and_at_any_place(
    elsewhere: Callable[[], dict[str, dict[str, str]]],
    engine: str,
    trainer: AnyTrainer,
    trained: Trained,
    spectra: Spectra,
    held_out: Spectra,
) -> None:
    there = elsewhere()[engine]
    assert there["7"] == digest(trained.weights)  # The first network here, the second there.
    here = trainer.train(spectra.x, spectra.targets, 3, validation=held_out.validation)
    assert there["3"] == digest(here.weights)  # The first network there, not the first here.
    assert there["3"] != there["7"]
