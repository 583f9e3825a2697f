"""The trained numbers of one network as one flat vector: what our own training engine updates in one step.

In it lie, in this order, the kernels of the convolutions, gamma and beta of every normalisation, the kernel of
``fc_common``, and the kernel and bias of all 14 heads side by side. Not in it are the biases of the convolutions and of
``fc_common``: the normalisation after them takes out any constant, so their gradient is zero and they stay at zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from qnet_tui.quasarnet.lines import N_HEADS
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import Float32, array_shapes

HEADS_KERNEL, HEADS_BIAS = "heads/kernel", "heads/bias"


@dataclass(frozen=True)
class FlatLayout:
    """Where every array of a network lies in the flat vector."""

    settings: NetworkSettings

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of the pieces of the vector, in their order."""
        s = self.settings
        every = array_shapes(s)
        norms = [f"batch_normalization_{i}" for i in range(1, s.layers + 2)]
        names = [f"conv_{i}/kernel" for i in range(1, s.layers + 1)]
        names += [f"{norm}/{weight}" for weight in ("gamma", "beta") for norm in norms]
        pieces = {name: every[name] for name in (*names, "fc_common/kernel")}
        outputs = N_HEADS * 2 * s.n_boxes
        return pieces | {HEADS_KERNEL: (s.dense, outputs), HEADS_BIAS: (outputs,)}

    @cached_property
    def sizes(self) -> list[int]:
        """Number of values of the pieces."""
        return [prod(shape) for shape in self.shapes.values()]

    @cached_property
    def channels(self) -> list[int]:
        """Number of channels of the normalisations, in their order."""
        return [self.settings.filters] * self.settings.layers + [self.settings.dense]

    def flatten(self, arrays: Mapping[str, Float32]) -> tuple[Float32, Float32, Float32]:
        """Arrays named "LAYER/WEIGHT" -> the trained vector, the moving means and the moving variances."""
        heads = [f"fc_{what}_{i}" for i in range(N_HEADS) for what in ("box", "offset")]
        merged = {
            **arrays,
            HEADS_KERNEL: np.concatenate([arrays[f"{head}/kernel"] for head in heads], axis=1),
            HEADS_BIAS: np.concatenate([arrays[f"{head}/bias"] for head in heads]),
        }
        norms = [f"batch_normalization_{i}" for i in range(1, self.settings.layers + 2)]
        return (
            np.concatenate([merged[name].ravel() for name in self.shapes]),
            np.concatenate([arrays[f"{norm}/moving_mean"] for norm in norms]),
            np.concatenate([arrays[f"{norm}/moving_variance"] for norm in norms]),
        )

    def arrays(self, trained: Float32, means: Float32, variances: Float32) -> dict[str, Float32]:
        """The way back: arrays named "LAYER/WEIGHT" as in :func:`array_shapes`, copied."""
        out = {name: np.zeros(shape, dtype=np.float32) for name, shape in array_shapes(self.settings).items()}
        ends = np.cumsum(self.sizes)[:-1]
        pieces = dict(zip(self.shapes, np.split(trained, ends), strict=True))
        for name, shape in self.shapes.items():
            if name in out:
                out[name] = pieces[name].reshape(shape).copy()
        n_boxes = self.settings.n_boxes
        kernels = pieces[HEADS_KERNEL].reshape(self.settings.dense, N_HEADS, 2, n_boxes)
        biases = pieces[HEADS_BIAS].reshape(N_HEADS, 2, n_boxes)
        for i in range(N_HEADS):
            for k, what in enumerate(("box", "offset")):
                out[f"fc_{what}_{i}/kernel"] = kernels[:, i, k].copy()
                out[f"fc_{what}_{i}/bias"] = biases[i, k].copy()
        ends = np.cumsum(self.channels)[:-1]
        for i, (mean, variance) in enumerate(
            zip(np.split(means, ends), np.split(variances, ends), strict=True), start=1
        ):
            out[f"batch_normalization_{i}/moving_mean"] = mean.copy()
            out[f"batch_normalization_{i}/moving_variance"] = variance.copy()
        return out
