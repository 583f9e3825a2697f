"""A training that is stopped and resumed ends with the same bits; another training's checkpoint is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.errors import QnetError
from qnet_tui.quasarnet.graph_training import GraphTrainer
from qnet_tui.quasarnet.settings import Keep, NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.training import EpochRecord
from qnet_tui.quasarnet.training_checkpoint import OtherTraining
from qnet_tui.spectra.grids import log_grid
from tests.quasarnet.small import Spectra
from tests.quasarnet.test_training import digest

SHAPE = NetworkSettings(layers=4, filters=4, dense=6, dropout=0.2)
TRAINING = TrainingSettings(epochs=5, learning_rate=2e-2, batch=32, record_start=True)


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def some() -> Spectra:
    return Spectra(70, log_grid(), seed=1)


@pytest.fixture(scope="module")
def held() -> Spectra:
    return Spectra(20, log_grid(), seed=2)


def trainer(training: TrainingSettings = TRAINING, shape: NetworkSettings = SHAPE) -> GraphTrainer:
    return GraphTrainer(shape, training, checkpoint_seconds=0.0)


def kill_after(epoch: int):
    def on_epoch(record: EpochRecord) -> None:
        if record.epoch == epoch:
            raise Killed

    return on_epoch


@pytest.mark.parametrize("keep", ["last", "best-loss", "best-val-loss"])
def test_a_resumed_training_ends_with_the_same_bits(keep: Keep, some: Spectra, held: Spectra, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    training = replace(TRAINING, keep=keep)
    whole = trainer(training).train(some.x, some.targets, 3, validation=held.validation)
    epochs: list[int] = []
    for killed_in in (2, 3, 5):  # Killed three times, once before the first epoch after a checkpoint was written.
        with pytest.raises(Killed):
            trainer(training).train(
                some.x, some.targets, 3, validation=held.validation, checkpoint=file, on_epoch=kill_after(killed_in)
            )
        assert file.exists()
    resumed = trainer(training).train(
        some.x,
        some.targets,
        3,
        validation=held.validation,
        checkpoint=file,
        on_epoch=lambda record: epochs.append(record.epoch),
    )
    assert epochs == [5]  # Only what the checkpoint had not.
    assert digest(resumed.weights) == digest(whole.weights)
    assert resumed.history == whole.history
    assert resumed.best_epoch == whole.best_epoch
    assert resumed.weights.attrs == whole.weights.attrs


def test_without_dropout_and_amsgrad_it_resumes_as_well(some: Spectra, tmp_path: Path) -> None:
    file, shape, training = tmp_path / "c", replace(SHAPE, dropout=0.0), replace(TRAINING, amsgrad=False)
    whole = trainer(training, shape).train(some.x, some.targets, 3)
    with pytest.raises(Killed):
        trainer(training, shape).train(some.x, some.targets, 3, checkpoint=file, on_epoch=kill_after(4))
    resumed = trainer(training, shape).train(some.x, some.targets, 3, checkpoint=file)
    assert digest(resumed.weights) == digest(whole.weights)


def test_a_checkpoint_is_written_only_when_its_time_has_come(some: Spectra, tmp_path: Path) -> None:
    GraphTrainer(SHAPE, TRAINING).train(some.x, some.targets, 3, checkpoint=tmp_path / "c")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def checkpoint(some: Spectra, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("checkpoint") / "c"
    with pytest.raises(Killed):
        trainer().train(some.x, some.targets, 3, checkpoint=file, on_epoch=kill_after(3))
    return file


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": replace(TRAINING, learning_rate=1e-3)}, r"training learning_rate is 0.02, not 0.001"),
        ({"training": replace(TRAINING, epochs=9)}, "training epochs is 5, not 9"),
        ({"shape": replace(SHAPE, filters=5)}, "network filters is 4, not 5"),
        ({"seed": 4}, "seed is 3, not 4"),
        ({"n": 69}, "training spectra differ"),
        ({"validation": True}, "validation spectra differ"),
        ({"precision": True}, "precision is"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(
    change: dict, message: str, checkpoint: Path, some: Spectra, held: Spectra
) -> None:
    before = checkpoint.read_bytes()
    one = trainer(change.get("training", TRAINING), change.get("shape", SHAPE))
    if "precision" in change:
        one.precision = "float32" if one.precision == "bfloat16" else "bfloat16"
    n = change.get("n", 70)
    with pytest.raises(OtherTraining, match=f"{message}.*; remove it") as caught:
        one.train(
            some.x[:n],
            some.targets.take(np.arange(n)),
            change.get("seed", 3),
            validation=held.validation if "validation" in change else None,
            checkpoint=checkpoint,
        )
    assert caught.value.exit_code == 2
    assert str(checkpoint) in str(caught.value)
    assert checkpoint.read_bytes() == before


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"nothing of the kind"])
def test_a_damaged_checkpoint_is_refused(damage, checkpoint: Path, some: Spectra, tmp_path: Path) -> None:
    file = tmp_path / "c"
    file.write_bytes(damage(checkpoint.read_bytes()))
    with pytest.raises(OtherTraining, match=r"not a readable checkpoint.*remove it to start over"):
        trainer().train(some.x, some.targets, 3, checkpoint=file)


def test_a_checkpoint_that_cannot_be_written_says_so(some: Spectra, tmp_path: Path) -> None:
    with pytest.raises(QnetError, match="cannot be written"):
        trainer().train(some.x, some.targets, 3, checkpoint=tmp_path / "nowhere" / "c")
