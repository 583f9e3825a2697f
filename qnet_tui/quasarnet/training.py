"""Training one network after another: which engine, and Keras `fit`, the reference engine.

A :class:`Trainer` builds and traces the model once and starts every network from the seed alone: initial
weights, order of the spectra and dropout masks are drawn from three streams of one
``numpy.random.SeedSequence``, and the optimiser and normalisations are set back. So the weights of a seed are
bit-identical in a fresh process and as the hundredth network of a process. The engine that is used otherwise,
:class:`~qnet_tui.quasarnet.graph_training.GraphTrainer`, does the same without Keras.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.epochs import Epochs, OnEpoch, Task, Trained, published_grid
from qnet_tui.quasarnet.graph_training import GraphTrainer
from qnet_tui.quasarnet.history import EpochRecord, ValidationSet
from qnet_tui.quasarnet.network import compiled_network, initial_arrays, variables_by_name
from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
from qnet_tui.spectra.grids import Grid

__all__ = [
    "ENGINES",
    "AnyTrainer",
    "EpochRecord",
    "GraphTrainer",
    "Trained",
    "Trainer",
    "ValidationSet",
    "train_network",
    "trainer_for",
]

ENGINES = ("graph", "keras")


class AnyTrainer(Protocol):
    """What both engines do."""

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
        """Train one network from the seed, see :meth:`Trainer.train`."""


def trainer_for(
    settings: NetworkSettings,
    training: TrainingSettings,
    grid: Grid | None = None,
    engine: str = "graph",
    *,
    precision: str = "auto",
) -> AnyTrainer:
    """The trainer of an engine: "graph", our own, or "keras", the reference.

    ``precision`` is that of the convolutions of "graph" (see :class:`GraphTrainer`); Keras always takes float32.

    Raises:
        BadInput: no such engine, and what the trainers refuse.

    """
    if engine == "graph":
        return GraphTrainer(settings, training, grid, precision=precision)
    if engine == "keras":
        return Trainer(settings, training, grid)
    raise BadInput(f"no training engine is called {engine!r}", mend=f"choose {' or '.join(ENGINES)}")


def train_network(
    x: NDArray[np.float32],
    targets: Targets,
    settings: NetworkSettings,
    training: TrainingSettings,
    seed: int,
    *,
    validation: ValidationSet | None = None,
    on_epoch: OnEpoch | None = None,
    grid: Grid | None = None,
    engine: str = "graph",
    precision: str = "auto",
    checkpoint: Path | None = None,
) -> Trained:
    """Train one network; for several use one trainer, which builds and traces only once.

    Same arguments and errors as :func:`trainer_for` and :meth:`Trainer.train`; the weights are the same to the bit.
    """
    trainer = trainer_for(settings, training, grid, engine, precision=precision)
    return trainer.train(x, targets, seed, validation=validation, on_epoch=on_epoch, checkpoint=checkpoint)


class Trainer:
    """Trains networks of one shape with one set of settings, one after another, in this process, with Keras."""

    def __init__(
        self, settings: NetworkSettings, training: TrainingSettings, grid: Grid | None = None, *, threads: int = 1
    ) -> None:
        """Build and compile the model (it is traced during the first epoch of the first network).

        Args:
            settings: shape of the networks.
            training: how they are trained.
            grid: wavelength grid of the vectors; by default the published grid of ``settings.n_pixels``.
            threads: of TensorFlow; more than one only to measure `fit` as Keras users run it (the weights of a seed
                then depend on their number).

        Raises:
            BadInput: no published grid has that many pixels, or ``grid`` has not.

        """
        self.settings = settings
        self.training = training
        self.grid = grid or published_grid(settings.n_pixels)
        Task(settings, training, self.grid)
        self._model = compiled_network(settings, training, threads)
        self._variables = variables_by_name(self._model)

    def train(
        self,
        x: NDArray[np.float32],
        targets: Targets,
        seed: int,
        *,
        validation: ValidationSet | None = None,
        on_epoch: OnEpoch | None = None,
        checkpoint: Path | None = None,  # noqa: ARG002  (the reference engine cannot be resumed)
    ) -> Trained:
        """Train one network from the seed.

        Args:
            x: (n, n_pixels) float32 renormalised vectors.
            targets: of the same n spectra.
            seed: ≥ 0; the same seed gives the same weights to the last bit on one type of processor.
            validation: spectra to measure after every epoch.
            on_epoch: called with every record; whatever it raises stops the training and is passed on.
            checkpoint: file to go on from, and to leave the state in while training. Only our own engine uses it: this
                one always starts at the beginning and writes nothing.

        Raises:
            BadInput: no spectra, lengths that differ, vectors on another grid or not finite,
                "best-val-loss" asked for without a validation set, or a checkpoint of another training.
            QnetError: the loss or the weights are no longer finite.

        """
        task = Task(self.settings, self.training, self.grid)
        x, targets = task.checked(x, targets, validation)
        epochs = Epochs(task, validation, on_epoch)
        order_seed = self._start_from(seed)
        epochs.start(x, targets, self._arrays())
        self._model.fit(
            _shuffled_batches(x, targets, self.training.batch, order_seed),
            epochs=self.training.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[_after_each_epoch(lambda epoch, loss: epochs.close(epoch, loss, self._arrays))],
        )
        return epochs.trained(seed, targets)

    def _start_from(self, seed: int) -> np.random.SeedSequence:
        """Set everything back to the start of this seed; returns the seed of the order of the spectra."""
        initial, order, dropout = np.random.SeedSequence(seed).spawn(3)
        for name, array in initial_arrays(self.settings, initial).items():
            self._variables[name].assign(array)
        for variable in self._model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, dtype=variable.dtype))
        self._model.optimizer.learning_rate.assign(self.training.learning_rate)
        if self.settings.dropout:  # Without dropout its layers have no random generator.
            states = dropout.generate_state(self.settings.layers)
            for i, state in enumerate(states, start=1):
                generator = self._model.get_layer(f"dropout_{i}").seed_generator
                generator.state.assign(np.array([state, 0], dtype=generator.state.dtype))
        return order

    def _arrays(self) -> dict[str, NDArray[np.float32]]:
        return {name: np.array(variable) for name, variable in self._variables.items()}


def _after_each_epoch(close_epoch: Callable[[int, float], None]) -> Any:
    """A Keras callback that hands over the number of the finished epoch, from 1, and its training loss."""
    import keras

    return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: close_epoch(epoch + 1, float(logs["loss"])))


def _shuffled_batches(x: NDArray[np.float32], targets: Targets, batch: int, seed: np.random.SeedSequence) -> Any:
    """A Keras data set of batches in a new order every epoch, drawn by numpy from the seed."""
    import keras

    generator = np.random.Generator(np.random.PCG64(seed))

    class ShuffledBatches(keras.utils.PyDataset):  # type: ignore[misc]
        """Batches (x, seven targets, seven sample weights); the last one holds what is left over."""

        def __init__(self) -> None:
            super().__init__()
            # Keras looks at a batch or two before the first epoch: they draw nothing.
            self.order = np.arange(len(x))

        def __len__(self) -> int:
            return -(-len(x) // batch)

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            rows = self.order[index * batch : (index + 1) * batch]
            picked = targets.take(rows)
            return x[rows][:, :, None], tuple(picked.values), tuple(picked.weights)

        def on_epoch_begin(self) -> None:
            self.order = generator.permutation(len(x))

    return ShuffledBatches()
