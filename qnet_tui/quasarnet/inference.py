"""Scoring: one TensorFlow graph per architecture, the weights handed in as arguments.

A committee of 200 networks is one graph that is traced once. Batch normalisations are folded into the layers
before them (in float64, then float32) and the 14 heads are one matrix product of dense × 182.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.boxes import confidence_and_redshift
from qnet_tui.quasarnet.lines import N_HEADS
from qnet_tui.quasarnet.network import OFFSET_SCALE, OFFSET_SHIFT
from qnet_tui.quasarnet.runtime import configure_tensorflow
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import NORM_EPSILON, Affine, Float32, Norm, Weights

__all__ = ["Predictor", "confidence_and_redshift", "fold"]

BATCH = 1024


class Predictor:
    """Answers of networks of one architecture (``settings``; their dropout does not matter)."""

    def __init__(self, settings: NetworkSettings) -> None:
        """Prepare the graph; it is traced at the first prediction (some tenths of a second)."""
        self.settings = settings
        tf = configure_tensorflow()
        self._tf = tf
        # One trace per batch size: a trace shared by several sizes could round differently from its own.
        self._graph = tf.function(self._forward, autograph=False)

    def predict(self, weights: Weights, x: NDArray[np.floating[Any]], batch: int = BATCH) -> Float32:
        """Answers of one network for n spectra.

        Every batch has the same size, the last one filled up with zeros, so a spectrum's answer depends on
        nothing but the spectrum, the weights and ``batch``: not on its neighbours and not on n.

        Args:
            weights: of this predictor's architecture.
            x: (n, n_pixels) renormalised vectors.
            batch: spectra per step.

        Returns:
            (7, n, 2·n_boxes) float32, [boxes | offsets] per head, C-contiguous.

        Raises:
            BadInput: the weights are of another architecture, or the vectors lie on another grid.

        """
        if not weights.settings.same_architecture(self.settings):
            raise BadInput(
                f"weights of another network: {weights.settings}, expected {self.settings}",
                mend="score each architecture on its own",
            )
        if x.ndim != 2 or x.shape[1] != self.settings.n_pixels:
            raise BadInput(
                f"vectors of shape {x.shape}, the network reads {self.settings.n_pixels} pixels",
                mend="make the vectors on the grid of the weights file",
            )
        tf = self._tf
        folded = [tf.constant(array) for array in fold(weights)]
        answers = np.empty((N_HEADS, len(x), 2 * self.settings.n_boxes), dtype=np.float32)
        block = np.zeros((batch, self.settings.n_pixels), dtype=np.float32)
        for start in range(0, len(x), batch):
            rows = x[start : start + batch]
            block[: len(rows)] = rows
            block[len(rows) :] = 0.0
            out = self._graph(tf.constant(block), *folded).numpy()
            heads = out.reshape(batch, N_HEADS, -1)[: len(rows)]
            answers[:, start : start + len(rows)] = heads.transpose(1, 0, 2)
        return answers

    def _forward(self, x: Any, *folded: Any) -> Any:
        tf, settings = self._tf, self.settings
        y = x[:, :, None]
        for i in range(settings.layers):
            kernel, bias = folded[2 * i], folded[2 * i + 1]
            y = tf.nn.conv1d(y, kernel, stride=settings.stride, padding=settings.padding.upper())
            y = tf.nn.relu(tf.nn.bias_add(y, bias))
        common, common_bias, heads, heads_bias, scale, shift = folded[2 * settings.layers :]
        y = tf.reshape(y, (-1, settings.flat_size))
        y = tf.nn.relu(tf.nn.bias_add(tf.matmul(y, common), common_bias))
        return tf.sigmoid(tf.nn.bias_add(tf.matmul(y, heads), heads_bias)) * scale + shift


def fold(weights: Weights) -> list[Float32]:
    """Arrays of the graph: kernel and bias per layer with the normalisation folded in, then the merged heads.

    The last four are the heads' kernel (dense, 7·26) and bias, and the scale and shift after the sigmoid:
    1 and 0 for boxes, 1.2 and −0.1 for offsets that are rescaled.
    """
    out: list[Float32] = []
    affines = zip((*weights.convolutions, weights.common), (*weights.norms, weights.common_norm), strict=True)
    for affine, norm in affines:
        out.extend(_fold_norm(affine, norm))
    heads = [part for pair in zip(weights.boxes, weights.offsets, strict=True) for part in pair]
    out.append(np.concatenate([head.kernel for head in heads], axis=1))
    out.append(np.concatenate([head.bias for head in heads]))
    boxes = np.ones(weights.settings.n_boxes, dtype=np.float32)
    scale, shift = (OFFSET_SCALE, OFFSET_SHIFT) if weights.rescale else (1.0, 0.0)
    out.append(np.tile(np.concatenate([boxes, boxes * np.float32(scale)]), N_HEADS))
    out.append(np.tile(np.concatenate([boxes * 0, boxes * np.float32(shift)]), N_HEADS))
    return out


def _fold_norm(affine: Affine, norm: Norm) -> tuple[Float32, Float32]:
    slope = norm.gamma.astype(np.float64) / np.sqrt(norm.variance.astype(np.float64) + NORM_EPSILON)
    bias = (affine.bias - norm.mean.astype(np.float64)) * slope + norm.beta
    return (affine.kernel * slope).astype(np.float32), bias.astype(np.float32)
