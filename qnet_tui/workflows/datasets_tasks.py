"""What a worker does for ``qnet review datasets --run``: one training on one dataset, as it is or drawn to a size.

A training leaves three files in a folder of its own: the weights, their answers on the held-out objects, and, written
last, the history with the checksums of the other two. So a training is finished exactly where its history says so, and
a task that is run twice changes nothing. It opens no database.
"""

from __future__ import annotations

import functools
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import read_npz
from qnet_tui.workflows.run_al_tasks import Done
from qnet_tui.workflows.validation_answers import answer, write_answers
from storage.errors import StorageError
from storage.files import write_durably
from storage.shards import file_crc32


@dataclass(frozen=True)
class DatasetsFiles:
    """Paths below the folder of one run."""

    root: Path

    @property
    def vectors(self) -> Path:
        """Every vector that some dataset trains on, float32 (m, n_pixels)."""
        return self.root / "plan" / "vectors.npy"

    @property
    def validation(self) -> Path:
        """The held-out spectra with their truth, S/N and magnitude."""
        return self.root / "plan" / "validation.npz"

    def dataset(self, index: int) -> Path:
        """One dataset: places among the vectors, z, is_qso and bal, (n,) each."""
        return self.root / "plan" / f"dataset-{index:02d}.npz"

    def training(self, index: int, bootstrap: int) -> TrainingFiles:
        """The files of one training; bootstrap 0 is the dataset as it is."""
        return TrainingFiles(self.root / "trainings" / f"{index:02d}-{bootstrap:03d}")


@dataclass(frozen=True)
class TrainingFiles:
    """Paths of one training."""

    root: Path

    @property
    def weights(self) -> Path:
        """The weights of the kept epoch."""
        return self.root / "weights.h5"

    @property
    def answers(self) -> Path:
        """What they say of the held-out objects (:mod:`qnet_tui.workflows.validation_answers`)."""
        return self.root / "validation.npz"

    @property
    def history(self) -> Path:
        """The epochs, and the checksums of the other files; written last."""
        return self.root / "history.json"

    def read_history(self) -> dict[str, Any] | None:
        """What the history says; None where the training is not finished or a file is not what was written."""
        try:
            said: dict[str, Any] = json.loads(self.history.read_text())
            whole = all(file_crc32(self.root / name) == crc for name, crc in said["crc32"].items())
        except (OSError, StorageError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return said if whole else None


def training_seeds(seed: int, index: int, bootstrap: int) -> tuple[np.random.SeedSequence, int]:
    """The seed of the draw, and the integer seed of the network, of one training.

    They depend on (seed, dataset, bootstrap) only: not on workers, order or what ran before.
    """
    draw, network = np.random.SeedSequence([seed, index, bootstrap]).spawn(2)
    return draw, int(network.generate_state(1)[0] >> 1)


def drawn_rows(n: int, size: int, seed: np.random.SeedSequence) -> NDArray[np.int64]:
    """``size`` places out of ``n``, drawn with replacement: a dataset blown up to the size of a larger one."""
    return np.random.default_rng(seed).integers(0, n, size=size, dtype=np.int64)


def train_dataset(folder: str, dataset: int, bootstrap: int, size: int, settings: dict[str, Any], grid: str) -> Done:
    """Train on dataset ``dataset``, as it is (``bootstrap`` 0) or drawn with replacement to ``size`` spectra.

    Keeps the epoch of the smallest validation loss, as ``qnet train`` does.
    """
    from qnet_tui.quasarnet.boxes import encode
    from qnet_tui.quasarnet.history import ValidationSet
    from qnet_tui.quasarnet.training_checkpoint import OtherTraining
    from qnet_tui.quasarnet.weights_file import write_weights
    from qnet_tui.spectra.grids import grid_named

    began = time.monotonic()
    files = DatasetsFiles(Path(folder))
    mine = files.training(dataset, bootstrap)
    if mine.read_history() is not None:
        return Done(str(mine.history), file_crc32(mine.history), 0.0, {})
    chosen, on = RoundSettings(**settings), grid_named(grid)
    data, held = read_npz(files.dataset(dataset)), read_npz(files.validation)
    draw, seed = training_seeds(chosen.seed, dataset, bootstrap)
    rows = drawn_rows(len(data["at"]), size, draw) if bootstrap else np.arange(len(data["at"]))
    x = np.load(files.vectors, mmap_mode="r")[data["at"][rows]]
    targets = encode(data["z"][rows], data["is_qso"][rows], data["bal"][rows], on)
    measured = ValidationSet(held["x"], encode(held["z"], held["is_qso"], held["bal"], on), held["is_qso"])
    trainer = _trainer(chosen, grid)
    checkpoint = mine.root / "checkpoint"
    try:
        trained = trainer.train(x, targets, seed, validation=measured, checkpoint=checkpoint)
    except OtherTraining:  # Of a processor with another precision, or damaged.
        checkpoint.unlink()
        trained = trainer.train(x, targets, seed, validation=measured, checkpoint=checkpoint)
    write_weights(mine.weights, trained.weights, {"seed": seed, "c_th": chosen.c_threshold})
    write_answers(mine.answers, answer(trained.weights, held))
    said = {
        "dataset": dataset,
        "bootstrap": bootstrap,
        "size": len(rows),
        "best_epoch": trained.best_epoch,
        "crc32": {path.name: file_crc32(path) for path in (mine.weights, mine.answers)},
        "history": [asdict(record) for record in trained.history],
    }
    write_durably(mine.history, json.dumps(said, indent=1).encode())
    checkpoint.unlink(missing_ok=True)
    return Done(str(mine.history), file_crc32(mine.history), time.monotonic() - began, {"size": float(len(rows))})


# A worker process meets many trainings of one architecture: the traced graph is kept for the next one.
@functools.lru_cache(maxsize=1)
def _trainer(settings: RoundSettings, grid: str) -> Any:
    from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
    from qnet_tui.quasarnet.training import trainer_for
    from qnet_tui.spectra.grids import grid_named

    on = grid_named(grid)
    return trainer_for(
        NetworkSettings(
            layers=settings.layers, filters=settings.filters, dropout=settings.dropout, n_pixels=on.n_pixels
        ),
        TrainingSettings(
            epochs=settings.epochs, learning_rate=settings.learning_rate, batch=settings.batch, keep="best-val-loss",
            c_threshold=settings.c_threshold, n_lines=settings.n_lines,
        ),
        on,
        settings.train_engine,
        precision=settings.precision,
    )  # fmt: skip
