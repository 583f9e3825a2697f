"""What both training engines share: the checks of the data, the record of every epoch, and the epoch that is kept."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.history import EpochRecord, ValidationSet, validation_record
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.loss import network_loss
from qnet_tui.quasarnet.precision import Precision
from qnet_tui.quasarnet.settings import Keep, NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.weights import Float32, Weights, weights_from_arrays
from qnet_tui.spectra.grids import Grid, linear_grid, log_grid

OnEpoch = Callable[[EpochRecord], None]
Arrays = Mapping[str, Float32]

_DIVERGED = "use a smaller learning rate"


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network: the kept weights, one record per epoch, and the epoch that was kept."""

    weights: Weights
    history: tuple[EpochRecord, ...]
    best_epoch: int


@dataclass(frozen=True)
class Task:
    """What a trainer is for: networks of one shape on one grid, trained in one way.

    Raises:
        BadInput: the grid has not the pixels that the network reads.

    """

    settings: NetworkSettings
    training: TrainingSettings
    grid: Grid

    def __post_init__(self) -> None:
        """Refuse a grid of another length."""
        if self.grid.n_pixels != self.settings.n_pixels:
            raise BadInput(
                f"the network reads {self.settings.n_pixels} pixels, the grid has {self.grid.n_pixels}",
                mend="set n_pixels to the pixels of the grid",
            )

    def checked(
        self, x: NDArray[np.floating[Any]], targets: Targets, validation: ValidationSet | None
    ) -> tuple[Float32, Targets]:
        """The training data as float32; raises :class:`BadInput` where data or settings do not fit together."""
        if self.training.keep == "best-val-loss" and validation is None:
            raise BadInput(
                "the epoch of the smallest validation loss needs a validation set",
                mend="give one, or keep best-loss or last",
            )
        self._check(x, targets, "training")
        if validation is not None:
            self._check(validation.x, validation.targets, "validation")
        values = np.asarray(targets.values, dtype=np.float32)
        return np.asarray(x, dtype=np.float32), Targets(values, targets.weights)

    def _check(self, x: NDArray[np.floating[Any]], targets: Targets, which: str) -> None:
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


class Epochs:
    """The epochs of one training: measures each, records it, and remembers the one to hand back."""

    def __init__(
        self,
        task: Task,
        validation: ValidationSet | None,
        on_epoch: OnEpoch | None,
        precision: Precision = "float32",
    ) -> None:
        """``precision`` is that of the answers to the validation set; calls are those of float32 in any."""
        self._task = task
        self._precision: Precision = precision
        self._validation = validation
        self._on_epoch = on_epoch
        keep: Keep = task.training.keep
        if keep == "auto":
            keep = "best-val-loss" if validation is not None else "last"
        self._keep = keep
        self._score = float("inf")
        self.history: list[EpochRecord] = []
        self.kept_epoch = 0
        self.kept_arrays: Arrays = {}

    def start(self, x: Float32, targets: Targets, arrays: Arrays) -> None:
        """Record epoch 0, the network before training, if the settings ask for it."""
        if self._task.training.record_start:
            heads = _predictor(self._task.settings).predict(self._weights(arrays), x)
            self.close(0, network_loss(targets, heads), lambda: arrays)

    def close(self, epoch: int, loss: float, arrays: Callable[[], Arrays]) -> None:
        """Measure and record an epoch; ``arrays`` are its weights, asked for where they are needed.

        Raises:
            QnetError: the loss or the weights are no longer finite.

        """
        if not np.isfinite(loss):
            raise QnetError(f"the training loss is {loss} in epoch {epoch}", mend=_DIVERGED)
        record = self._measure(epoch, loss, arrays)
        self.history.append(record)
        score = record.val_loss if self._keep == "best-val-loss" else loss
        # Never epoch 0, the network before training.
        if epoch and score is not None and (self._keep == "last" or score < self._score):
            last_of_many = self._keep == "last" and epoch < self._task.training.epochs
            self._score, self.kept_epoch = score, epoch
            self.kept_arrays = {} if last_of_many else arrays()
        if self._on_epoch is not None:
            self._on_epoch(record)

    def resume(self, history: Sequence[EpochRecord], kept_epoch: int, kept_arrays: Arrays) -> None:
        """Go on after these epochs of an earlier process."""
        self.history = list(history)
        self.kept_epoch, self.kept_arrays = kept_epoch, kept_arrays
        kept = next((record for record in history if kept_epoch and record.epoch == kept_epoch), None)
        if kept is not None:
            score = kept.val_loss if self._keep == "best-val-loss" else kept.loss
            self._score = float("inf") if score is None else score

    def trained(self, seed: int, targets: Targets) -> Trained:
        """What was trained, with the kept epoch's weights."""
        weights = self._weights(self.kept_arrays, {"seed": seed, "bal_trained": targets.bal_known})
        return Trained(weights, tuple(self.history), self.kept_epoch)

    def _measure(self, epoch: int, loss: float, arrays: Callable[[], Arrays]) -> EpochRecord:
        if self._validation is None:
            return EpochRecord(epoch, loss)
        training = self._task.training
        heads = _predictor(self._task.settings, self._precision).settled_heads(
            self._weights(arrays()),
            self._validation.x,
            self._task.grid,
            training.n_lines,
            c_threshold=training.c_threshold,
        )
        return validation_record(
            epoch,
            loss,
            self._validation,
            heads,
            self._task.grid,
            c_threshold=training.c_threshold,
            n_lines=training.n_lines,
        )

    def _weights(self, arrays: Arrays, attrs: dict[str, Any] | None = None) -> Weights:
        try:
            return weights_from_arrays(self._task.settings, self._task.grid.wave, arrays, attrs=attrs)
        except BadInput as error:
            raise QnetError(f"the training diverged: {error.what}", mend=_DIVERGED) from error


def published_grid(n_pixels: int) -> Grid:
    """The published grid with so many pixels; raises :class:`BadInput` where there is none."""
    for grid in (log_grid(), linear_grid()):
        if grid.n_pixels == n_pixels:
            return grid
    raise BadInput(f"no published grid has {n_pixels} pixels", mend="give the wavelength grid")


# Every trainer of one shape measures with one graph.
@functools.lru_cache(maxsize=4)
def _predictor(settings: NetworkSettings, precision: Precision = "float32") -> Predictor:
    return Predictor(settings, precision)
