"""Our own training engine: what Keras `fit` does with the same settings, an epoch at a time in one graph.

Initial weights, order of the spectra and batches are those of the reference engine; the dropout masks are drawn
otherwise (:mod:`qnet_tui.quasarnet.dropout_masks`), and where the processor multiplies in bfloat16 the convolutions do.
A network depends on its seed, data and settings only: it is the same to the last bit in a fresh process, as the
hundredth of a process, and when it was stopped and resumed, on processors that compute in the same precision.
"""

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.dropout_masks import GRAIN, MaskBank
from qnet_tui.quasarnet.epochs import Arrays, Epochs, OnEpoch, Task, Trained, published_grid
from qnet_tui.quasarnet.flat_weights import FlatLayout
from qnet_tui.quasarnet.graph_epoch import EpochGraph, epoch_graph
from qnet_tui.quasarnet.history import ValidationSet
from qnet_tui.quasarnet.network import initial_arrays
from qnet_tui.quasarnet.precision import Precision, choose, cpu_flag
from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.training_checkpoint import Checkpoint, description, read_checkpoint, write_checkpoint
from qnet_tui.quasarnet.weights import Float32
from qnet_tui.spectra.grids import Grid

CHECKPOINT_SECONDS = 60.0
"""A checkpoint is written at the end of an epoch when this time has passed since the last one."""


def training_precision(wanted: str) -> Precision:
    """Resolve the setting ``precision`` for training.

    "auto" goes by what the processor reports alone, not by the self-test of scoring, which measures times: the weights
    of a seed must not depend on how busy the machine was. Raises :class:`BadInput` for another word.
    """
    if wanted == "auto":
        return "float32" if cpu_flag() is None else "bfloat16"
    return choose(wanted)


class GraphTrainer:
    """Trains networks of one shape with one set of settings, one after another, in this process."""

    def __init__(
        self,
        settings: NetworkSettings,
        training: TrainingSettings,
        grid: Grid | None = None,
        *,
        precision: str = "auto",
        checkpoint_seconds: float | None = None,
    ) -> None:
        """Prepare; the graph is traced by the first network of this shape in the process (a second or two).

        Args:
            settings: shape of the networks.
            training: how they are trained.
            grid: wavelength grid of the vectors; by default the published grid of ``settings.n_pixels``.
            precision: of the convolutions: "float32", "bfloat16", or "auto", which is bfloat16 where the processor
                multiplies in it.
            checkpoint_seconds: least time between two checkpoints (a minute); they are written between epochs.

        Raises:
            BadInput: no published grid has that many pixels, or ``grid`` has not; an unknown precision.

        """
        self.settings = settings
        self.training = training
        self.grid = grid or published_grid(settings.n_pixels)
        self.precision = training_precision(precision)
        self.checkpoint_seconds = CHECKPOINT_SECONDS if checkpoint_seconds is None else checkpoint_seconds
        Task(settings, training, self.grid)

    def train(
        self,
        x: NDArray[np.float32],
        targets: Targets,
        seed: int,
        *,
        validation: ValidationSet | None = None,
        on_epoch: OnEpoch | None = None,
        checkpoint: Path | None = None,
    ) -> Trained:
        """Train one network from the seed, or on from the checkpoint where there is one.

        Arguments and errors are those of :meth:`qnet_tui.quasarnet.training.Trainer.train`. ``on_epoch`` is not called
        again for epochs that the checkpoint has; the history has them all. The checkpoint is left where it is.
        """
        task = Task(self.settings, self.training, self.grid)
        x, targets = task.checked(x, targets, validation)
        epochs = Epochs(task, validation, on_epoch, self.precision)
        saved, described = None, {}
        if checkpoint is not None:
            described = description(task, self.precision, seed, x, targets, validation)
            saved = read_checkpoint(checkpoint, described)
        run = _Run(task, self.precision, seed, x, targets)
        if saved is None:
            epochs.start(x, targets, run.arrays())
        else:
            run.go_on(saved)
            epochs.resume(saved.history, saved.kept_epoch, saved.kept)
        written = time.monotonic()
        while run.epoch < self.training.epochs:
            loss = run.one_epoch()
            epochs.close(run.epoch, loss, run.arrays)
            due = time.monotonic() - written >= self.checkpoint_seconds
            if checkpoint is not None and due and run.epoch < self.training.epochs:
                at = Checkpoint(run.epoch, run.saved(), tuple(epochs.history), epochs.kept_epoch, epochs.kept_arrays)
                write_checkpoint(checkpoint, described, at)
                written = time.monotonic()
        return epochs.trained(seed, targets)


class _Run:
    """One network on its way: its numbers, its data, and what is drawn from its seed."""

    def __init__(self, task: Task, precision: Precision, seed: int, x: Float32, targets: Targets) -> None:
        initial, order, dropout = np.random.SeedSequence(seed).spawn(3)
        self.epoch = 0
        self._settings, self._training = task.settings, task.training
        self._n = len(x)
        self._order = np.random.Generator(np.random.PCG64(order))
        self._dropout = np.random.Generator(np.random.PCG64(dropout))
        self._layout = FlatLayout(task.settings)
        self._masks = MaskBank(task.settings, self._training.batch)
        kept = self._masks.draw(self._dropout) if task.settings.dropout else np.zeros((0, GRAIN), dtype=np.bool_)
        self._graph: EpochGraph = epoch_graph(task.settings, amsgrad=self._training.amsgrad, precision=precision)
        self._state = self._graph.state(*self._layout.flatten(initial_arrays(task.settings, initial)))
        self._data = self._graph.data(x, targets)
        self._bank = self._graph.bank(kept)

    @property
    def _steps(self) -> int:
        return -(-self._n // self._training.batch)

    def one_epoch(self) -> float:
        """Train one epoch; its mean loss."""
        order, starts = self._drawn()
        loss = self._graph.run(
            self._state,
            self._data,
            self._bank,
            order,
            starts,
            batch=self._training.batch,
            learning_rate=self._training.learning_rate,
            dropout=self._settings.dropout,
            steps_before=self.epoch * self._steps,
        )
        self.epoch += 1
        return loss

    def arrays(self) -> Arrays:
        """The weights as they are, by their published names."""
        now = (self._state[name].numpy() for name in ("trained", "means", "variances"))
        return self._layout.arrays(*now)

    def saved(self) -> dict[str, Float32]:
        """Everything that has changed since the start, for a checkpoint."""
        return {name: variable.numpy() for name, variable in self._state.items()}

    def go_on(self, saved: Checkpoint) -> None:
        """Take the state of an earlier process and draw what it has drawn."""
        for name, variable in self._state.items():
            variable.assign(saved.state[name])
        for _ in range(saved.epoch):
            self._drawn()
        self.epoch = saved.epoch

    def _drawn(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The next epoch's order of the spectra and places in the mask bank."""
        return self._order.permutation(self._n), self._masks.starts(self._dropout, self._steps)
