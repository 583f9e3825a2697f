"""The network's forward pass and loss in training, in plain TensorFlow operations on one flat vector.

The same sums as the Keras model of :mod:`qnet_tui.quasarnet.network` with the loss of :mod:`qnet_tui.quasarnet.loss`,
but for the order of rounding. In bfloat16 only the convolutions (and what flows between them) are of that type: sums
over a batch, normalisations, dense layers, loss and all that is kept are float32.
"""

from typing import Any

from qnet_tui.quasarnet.dropout_masks import GRAIN
from qnet_tui.quasarnet.flat_weights import HEADS_BIAS, HEADS_KERNEL, FlatLayout
from qnet_tui.quasarnet.lines import N_HEADS
from qnet_tui.quasarnet.loss import EPSILON
from qnet_tui.quasarnet.network import OFFSET_SCALE, OFFSET_SHIFT
from qnet_tui.quasarnet.weights import NORM_EPSILON


class GraphNetwork:
    """Builds the operations for networks of one shape; ``tf`` is the TensorFlow module, ``dtype`` of convolutions."""

    def __init__(self, tf: Any, layout: FlatLayout, dtype: Any, *, dropout: bool) -> None:
        self._tf = tf
        self._layout = layout
        self._dtype = dtype
        self._dropout = dropout

    def loss(
        self, pieces: dict[str, Any], x: Any, targets: Any, weights: Any, keep_scale: Any, bank: Any, starts: Any
    ) -> tuple[Any, Any, Any]:
        """Mean loss of a batch with dropout, and the batch's means and variances of all normalisations.

        Args:
            pieces: arrays of the flat vector by name, in their shapes.
            x: (n, n_pixels) float32 vectors.
            targets: (n, 7, 2·n_boxes) float32.
            weights: (n, 7) float32.
            keep_scale: what kept units are multiplied with, 1/(1 − dropout).
            bank: the mask bank, (rows, 16) of zeros and ones of the convolutions' type.
            starts: (layers,) first row of each layer's masks.

        """
        tf, settings = self._tf, self._layout.settings
        n = tf.shape(x)[0]
        means, variances = [], []
        y = tf.cast(x[:, None, :, None], self._dtype)
        for i, length in enumerate(settings.lengths):
            kernel = tf.cast(pieces[f"conv_{i + 1}/kernel"][None], self._dtype)
            y = tf.nn.conv2d(y, kernel, (1, settings.stride), settings.padding.upper())
            y, mean, variance = self._normalised(tf.cast(y, tf.float32), pieces, i + 1, keep_scale)
            means.append(mean)
            variances.append(variance)
            y = tf.cast(y, self._dtype)
            if self._dropout:
                count = n * (length * settings.filters)
                stretch = bank[starts[i] : starts[i] + (count + (GRAIN - 1)) // GRAIN]
                mask = tf.reshape(tf.reshape(stretch, (-1,))[:count], (n, 1, length, settings.filters))
                y = self._kept(y, mask)
            else:
                y = tf.nn.relu(y)
        y = tf.reshape(tf.cast(y, tf.float32), (n, settings.flat_size))
        y = tf.matmul(y, pieces["fc_common/kernel"])
        y, mean, variance = self._normalised(y, pieces, settings.layers + 1, None)
        means.append(mean)
        variances.append(variance)
        y = tf.matmul(tf.nn.relu(y), pieces[HEADS_KERNEL]) + pieces[HEADS_BIAS]
        answers = tf.reshape(tf.sigmoid(y), (n, N_HEADS, 2 * settings.n_boxes))
        per_line = line_losses(tf, answers, targets, settings.n_boxes)
        loss = tf.reduce_sum(per_line * weights) / tf.cast(n, tf.float32)
        return loss, tf.concat(means, 0), tf.concat(variances, 0)

    def _normalised(self, y: Any, pieces: dict[str, Any], number: int, scale: Any) -> tuple[Any, Any, Any]:
        """Batch normalisation of the last axis with the batch's own (biased) statistics, times ``scale``.

        ReLU and mask let a positive factor through, so the 1/(1 − dropout) of what is kept is put here for free.
        """
        tf = self._tf
        gamma, beta = (pieces[f"batch_normalization_{number}/{name}"] for name in ("gamma", "beta"))
        if scale is not None and self._dropout:
            gamma, beta = gamma * scale, beta * scale
        mean, variance = tf.nn.moments(y, list(range(len(y.shape) - 1)))
        return tf.nn.batch_normalization(y, mean, variance, beta, gamma, NORM_EPSILON), mean, variance

    def _kept(self, y: Any, mask: Any) -> Any:
        """ReLU and mask in one; the gradient needs only the outcome: it passes where that is above zero."""
        tf = self._tf

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def kept(y: Any, mask: Any) -> tuple[Any, Any]:
            out = tf.nn.relu(y) * mask
            return out, lambda upstream: (tf.raw_ops.ReluGrad(gradients=upstream, features=out), None)

        return kept(y, mask)


def line_losses(tf: Any, answers: Any, targets: Any, n_boxes: int) -> Any:
    """Equation 1 of Busca & Balland 2018 as in :mod:`qnet_tui.quasarnet.loss`: (n, 7, 26) sigmoids -> (n, 7)."""
    box, offset = targets[..., :n_boxes], targets[..., n_boxes:]
    confidence = tf.clip_by_value(answers[..., :n_boxes], EPSILON, 1.0 - EPSILON)
    guess = answers[..., n_boxes:] * OFFSET_SCALE + OFFSET_SHIFT
    n_present = tf.reduce_sum(box, -1) + EPSILON
    n_absent = tf.reduce_sum(1.0 - box, -1) + EPSILON
    present = tf.reduce_sum(box * tf.math.log(confidence), -1) / n_present
    absent = tf.reduce_sum((1.0 - box) * tf.math.log(1.0 - confidence), -1) / n_absent
    offsets = tf.reduce_sum(box * tf.square(offset - guess), -1) / n_present
    return offsets - present - absent
