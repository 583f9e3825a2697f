"""Training one network after another: Keras `fit`, the reference engine.

A :class:`Trainer` builds and traces the model once and starts every network from the seed alone: initial
weights, order of the spectra and dropout masks are drawn from three streams of one
``numpy.random.SeedSequence``, and the optimiser and normalisations are set back. So the weights of a seed are
bit-identical in a fresh process and as the hundredth network of a process.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.history import EpochRecord, ValidationSet, validation_record
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.loss import network_loss
from qnet_tui.quasarnet.network import compiled_network, initial_arrays, variables_by_name
from qnet_tui.quasarnet.settings import Keep, NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.weights import Weights, weights_from_arrays
from qnet_tui.spectra.grids import Grid, linear_grid, log_grid

__all__ = ["EpochRecord", "Trained", "Trainer", "ValidationSet", "train_network"]

OnEpoch = Callable[[EpochRecord], None]

_DIVERGED = "use a smaller learning rate"


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network: the kept weights, one record per epoch, and the epoch that was kept."""

    weights: Weights
    history: tuple[EpochRecord, ...]
    best_epoch: int


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
) -> Trained:
    """Train one network; for several use one :class:`Trainer`, which builds and traces only once.

    Same arguments and errors as :meth:`Trainer.train`; the weights are the same to the last bit.
    """
    trainer = Trainer(settings, training, grid=grid)
    return trainer.train(x, targets, seed, validation=validation, on_epoch=on_epoch)


class Trainer:
    """Trains networks of one shape with one set of settings, one after another, in this process."""

    def __init__(self, settings: NetworkSettings, training: TrainingSettings, grid: Grid | None = None) -> None:
        """Build and compile the model (it is traced during the first epoch of the first network).

        Args:
            settings: shape of the networks.
            training: how they are trained.
            grid: wavelength grid of the vectors; by default the published grid of ``settings.n_pixels``.

        Raises:
            BadInput: no published grid has that many pixels, or ``grid`` has not.

        """
        self.settings = settings
        self.training = training
        self.grid = grid or _published_grid(settings.n_pixels)
        if self.grid.n_pixels != settings.n_pixels:
            raise BadInput(
                f"the network reads {settings.n_pixels} pixels, the grid has {self.grid.n_pixels}",
                mend="set n_pixels to the pixels of the grid",
            )
        self._predictor = Predictor(settings)
        self._model = compiled_network(settings, training)
        self._variables = variables_by_name(self._model)

    def train(
        self,
        x: NDArray[np.float32],
        targets: Targets,
        seed: int,
        *,
        validation: ValidationSet | None = None,
        on_epoch: OnEpoch | None = None,
    ) -> Trained:
        """Train one network from the seed.

        Args:
            x: (n, n_pixels) float32 renormalised vectors.
            targets: of the same n spectra.
            seed: ≥ 0; the same seed gives the same weights to the last bit on one type of processor.
            validation: spectra to measure after every epoch.
            on_epoch: called with every record; whatever it raises stops the training and is passed on.

        Raises:
            BadInput: no spectra, lengths that differ, vectors on another grid or not finite, or
                "best-val-loss" asked for without a validation set.
            QnetError: the loss or the weights are no longer finite.

        """
        kept = _KeptEpoch(self._keep(validation))
        self._check(x, targets, "training")
        if validation is not None:
            self._check(validation.x, validation.targets, "validation")
        x = np.asarray(x, dtype=np.float32)
        targets = Targets(np.asarray(targets.values, dtype=np.float32), targets.weights)
        order_seed = self._start_from(seed)
        history: list[EpochRecord] = []

        def close_epoch(epoch: int, loss: float) -> None:
            """Measure, record, and remember the weights if this epoch is the one to keep."""
            if not np.isfinite(loss):
                raise QnetError(f"the training loss is {loss} in epoch {epoch}", mend=_DIVERGED)
            record = self._measure(epoch, loss, validation)
            history.append(record)
            kept.offer(record, self._arrays)
            if on_epoch is not None:
                on_epoch(record)

        if self.training.record_start:
            heads = self._predictor.predict(self._weights(self._arrays()), x)
            close_epoch(0, network_loss(targets, heads))
        self._model.fit(
            _shuffled_batches(x, targets, self.training.batch, order_seed),
            epochs=self.training.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[_after_each_epoch(close_epoch)],
        )
        attrs = {"seed": seed, "bal_trained": targets.bal_known}
        return Trained(self._weights(kept.arrays, attrs), tuple(history), kept.epoch)

    def _keep(self, validation: ValidationSet | None) -> Keep:
        """Which epoch to keep, with "auto" settled."""
        keep = self.training.keep
        if keep == "auto":
            return "best-val-loss" if validation is not None else "last"
        if keep == "best-val-loss" and validation is None:
            raise BadInput(
                "the epoch of the smallest validation loss needs a validation set",
                mend="give one, or keep best-loss or last",
            )
        return keep

    def _check(self, x: NDArray[np.float32], targets: Targets, which: str) -> None:
        if len(x) == 0 or len(x) != len(targets):
            raise BadInput(f"{len(x)} {which} vectors and {len(targets)} targets")
        if x.ndim != 2 or x.shape[1] != self.settings.n_pixels:
            raise BadInput(
                f"{which} vectors of shape {x.shape}, the network reads {self.settings.n_pixels} pixels",
                mend="make the vectors on the grid of the network",
            )
        if not np.all(np.isfinite(x)):
            row = int(np.argmin(np.isfinite(x).all(axis=1)))
            raise BadInput(f"a {which} vector holds values that are not finite", row=row)

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

    def _weights(self, arrays: dict[str, NDArray[np.float32]], attrs: dict[str, Any] | None = None) -> Weights:
        try:
            return weights_from_arrays(self.settings, self.grid.wave, arrays, attrs=attrs)
        except BadInput as error:
            raise QnetError(f"the training diverged: {error.what}", mend=_DIVERGED) from error

    def _measure(self, epoch: int, loss: float, validation: ValidationSet | None) -> EpochRecord:
        if validation is None:
            return EpochRecord(epoch, loss)
        heads = self._predictor.predict(self._weights(self._arrays()), validation.x)
        return validation_record(
            epoch,
            loss,
            validation,
            heads,
            self.grid,
            c_threshold=self.training.c_threshold,
            n_lines=self.training.n_lines,
        )


class _KeptEpoch:
    """The epoch to hand back so far, with a copy of its arrays."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._score = float("inf")
        self.epoch = 0
        self.arrays: dict[str, NDArray[np.float32]] = {}

    def offer(self, record: EpochRecord, arrays: Callable[[], dict[str, NDArray[np.float32]]]) -> None:
        """Take this epoch if it beats those before; never epoch 0, the network before training."""
        score = record.val_loss if self._keep == "best-val-loss" else record.loss
        if record.epoch == 0 or score is None:
            return
        if self._keep == "last" or score < self._score:
            self._score, self.epoch, self.arrays = score, record.epoch, arrays()


def _published_grid(n_pixels: int) -> Grid:
    for grid in (log_grid(), linear_grid()):
        if grid.n_pixels == n_pixels:
            return grid
    raise BadInput(f"no published grid has {n_pixels} pixels", mend="give the wavelength grid")


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
            self.order = generator.permutation(len(x))

        def __len__(self) -> int:
            return -(-len(x) // batch)

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            rows = self.order[index * batch : (index + 1) * batch]
            picked = targets.take(rows)
            return x[rows][:, :, None], tuple(picked.values), tuple(picked.weights)

        def on_epoch_end(self) -> None:
            self.order = generator.permutation(len(x))

    return ShuffledBatches()
