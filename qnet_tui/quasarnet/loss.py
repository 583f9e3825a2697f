"""The loss of one line (Busca & Balland 2018, equation 1), for Keras and for numpy.

With t the box target, p the predicted box, d and d̂ the true and predicted offsets, ε = 1e-7, and p clipped to
[ε, 1 − ε], N₁ = Σt + ε and N₂ = Σ(1 − t) + ε:

    L = −Σ t·ln p / N₁ − Σ (1 − t)·ln(1 − p) / N₂ + Σ t·(d − d̂)² / N₁

The loss of a network is the plain sum over its seven heads of the batch mean of weight · L: divided by the
number of spectra, not by the sum of the weights. There are no class weights.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.quasarnet.boxes import Targets

EPSILON = 1e-7


def keras_line_loss(target: Any, answer: Any) -> Any:
    """Loss of one head for a batch of tensors: (n, 26) and (n, 26) -> (n,)."""
    from keras import ops

    n_boxes = answer.shape[-1] // 2
    box, offset = target[:, :n_boxes], target[:, n_boxes:]
    confidence = ops.clip(answer[:, :n_boxes], EPSILON, 1.0 - EPSILON)
    n_present = ops.sum(box, axis=1) + EPSILON
    n_absent = ops.sum(1.0 - box, axis=1) + EPSILON
    present = ops.sum(box * ops.log(confidence), axis=1) / n_present
    absent = ops.sum((1.0 - box) * ops.log(1.0 - confidence), axis=1) / n_absent
    offsets = ops.sum(box * ops.square(offset - answer[:, n_boxes:]), axis=1) / n_present
    return offsets - present - absent


def line_losses(targets: NDArray[Any], heads: NDArray[Any]) -> NDArray[np.float64]:
    """Loss of every head and spectrum in float64: (7, n, 26) and (7, n, 26) -> (7, n)."""
    n_boxes = heads.shape[-1] // 2
    box = targets[..., :n_boxes].astype(np.float64)
    confidence = np.clip(heads[..., :n_boxes].astype(np.float64), EPSILON, 1.0 - EPSILON)
    n_present = box.sum(axis=-1) + EPSILON
    n_absent = (1.0 - box).sum(axis=-1) + EPSILON
    present = (box * np.log(confidence)).sum(axis=-1) / n_present
    absent = ((1.0 - box) * np.log(1.0 - confidence)).sum(axis=-1) / n_absent
    misses = targets[..., n_boxes:].astype(np.float64) - heads[..., n_boxes:]
    offsets = (box * misses**2).sum(axis=-1) / n_present
    return np.asarray(offsets - present - absent)


def network_loss(targets: Targets, heads: NDArray[Any]) -> float:
    """Loss of a network on n spectra: the sum over heads of the mean of weight · loss; NaN for n = 0."""
    if len(targets) == 0:
        return float("nan")
    return float((targets.weights * line_losses(targets.values, heads)).mean(axis=1).sum())
