"""What a network is and how it is trained: two frozen settings objects. Loads no TensorFlow."""

from dataclasses import dataclass, fields
from typing import Literal

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.lines import N_HEADS

Padding = Literal["valid", "same"]
Keep = Literal["auto", "best-val-loss", "best-loss", "last"]

KEEPS: tuple[Keep, ...] = ("auto", "best-val-loss", "best-loss", "last")


@dataclass(frozen=True)
class NetworkSettings:
    """The shape of one QuasarNET.

    Defaults are the network of Green et al. 2025: 6 convolutions of 100 filters on the logarithmic grid.
    ``dropout`` is the fraction that is zeroed: 0.2 in every published model (the paper's 0.8 is the
    fraction that is kept). It shapes training only.

    Raises:
        BadInput: a value is out of range, or the spectrum is too short for so many layers.

    """

    layers: int = 6
    filters: int = 100
    kernel: int = 10
    stride: int = 2
    dense: int = 100
    dropout: float = 0.2
    n_boxes: int = 13
    n_pixels: int = 443

    def __post_init__(self) -> None:
        """Refuse values that describe no network."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "dropout" and (not isinstance(value, int) or value < 1):
                raise BadInput(f"network setting {field.name} is {value!r}", mend="give an integer of 1 or more")
        if not 0.0 <= self.dropout < 1.0:
            raise BadInput(f"network setting dropout is {self.dropout!r}", mend="give 0 or more, below 1")
        if self.lengths[-1] < 1:
            raise BadInput(
                f"{self.layers} layers of kernel {self.kernel} and stride {self.stride} leave nothing of "
                f"{self.n_pixels} pixels",
                mend="use fewer layers or a smaller kernel",
            )

    @property
    def padding(self) -> Padding:
        """Padding of the convolutions: "same" from 6 layers on, else "valid", as in QuasarNET."""
        return "same" if self.layers >= 6 else "valid"

    @property
    def lengths(self) -> tuple[int, ...]:
        """Number of positions after each convolution."""
        length, out = self.n_pixels, []
        for _ in range(self.layers):
            if self.padding == "same":
                length = -(-length // self.stride)
            else:
                length = max((length - self.kernel) // self.stride + 1, 0)
            out.append(length)
        return tuple(out)

    @property
    def flat_size(self) -> int:
        """Number of values that the flattened last convolution hands to ``fc_common``."""
        return self.lengths[-1] * self.filters

    @property
    def n_trainable(self) -> int:
        """Number of trained parameters: kernels, biases, and gamma and beta of the normalisations."""
        first = self.kernel * self.filters + self.filters
        others = (self.layers - 1) * (self.kernel * self.filters**2 + self.filters)
        norms = 2 * (self.layers * self.filters + self.dense)
        common = (self.flat_size + 1) * self.dense
        heads = N_HEADS * 2 * (self.dense + 1) * self.n_boxes
        return first + others + norms + common + heads

    @property
    def n_parameters(self) -> int:
        """Number of all parameters, moving means and variances of the normalisations included."""
        return self.n_trainable + 2 * (self.layers * self.filters + self.dense)

    def same_architecture(self, other: "NetworkSettings") -> bool:
        """Tell whether weights of the one fit the other: all is equal but the dropout."""
        return all(getattr(self, f.name) == getattr(other, f.name) for f in fields(self) if f.name != "dropout")


@dataclass(frozen=True)
class TrainingSettings:
    """How one network is trained: Adam (β 0.9/0.999, ε 1e-7), shuffled batches, one loss per line.

    ``keep`` says which epoch's weights are handed back: of the smallest validation loss, of the smallest
    training loss, or the last one; "auto" is "best-val-loss" where there is a validation set, else "last".
    ``c_threshold`` and ``n_lines`` make the quasar rule behind completeness and purity in the history.
    ``record_start`` adds the record of epoch 0, before any training.

    Raises:
        BadInput: a value is out of range.

    """

    epochs: int
    learning_rate: float
    batch: int = 256
    amsgrad: bool = True
    keep: Keep = "auto"
    c_threshold: float = 0.95
    n_lines: int = 1
    record_start: bool = True

    def __post_init__(self) -> None:
        """Refuse values that describe no training."""
        for name in ("epochs", "batch", "n_lines"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise BadInput(f"training setting {name} is {value!r}", mend="give an integer of 1 or more")
        if not 0.0 < self.learning_rate < float("inf"):
            raise BadInput(f"training setting learning_rate is {self.learning_rate!r}", mend="give a positive number")
        if self.keep not in KEEPS:
            raise BadInput(f"training setting keep is {self.keep!r}", mend=f"give one of {', '.join(KEEPS)}")


ENSEMBLE_TRAINING = TrainingSettings(epochs=10, learning_rate=2e-4)
"""Members of a committee: a fifth of the usual learning rate, no validation, last epoch (algorithm of the
public active-learning code)."""

FINAL_TRAINING = TrainingSettings(epochs=100, learning_rate=1e-3, keep="best-val-loss")
"""The network that is published: 100 epochs (Green et al. 2025, section 4), smallest validation loss."""
