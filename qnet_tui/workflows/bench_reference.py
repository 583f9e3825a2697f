"""The field's reading of the network's equations in numpy, float64: what qnet's scoring is compared with.

An answer is six times convolution, normalisation and rectifier, then one dense layer and fourteen heads (Busca
& Balland 2018, section 3). Here each is written as it stands: the arrays are float64, a convolution is a loop over the
positions of its window, every normalisation is applied for itself and every head is a product of its own.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from qnet_tui.quasarnet.weights import Affine, Norm, Weights

Float64 = NDArray[np.float64]
_NORM_EPSILON = 1e-3


def answers_float64(weights: "Weights", x: NDArray[np.floating[Any]]) -> Float64:
    """Answers (7, n, 2·n_boxes) of one network to vectors (n, n_pixels), [boxes | offsets] per head, float64."""
    settings = weights.settings
    y = x.astype(np.float64)[:, :, None]
    for convolution, norm in zip(weights.convolutions, weights.norms, strict=True):
        y = np.maximum(_normalised(_convolved(y, convolution, settings.stride, settings.padding), norm), 0.0)
    y = y.reshape(len(y), -1) @ weights.common.kernel.astype(np.float64) + weights.common.bias
    y = np.maximum(_normalised(y, weights.common_norm), 0.0)
    scale, shift = (1.2, -0.1) if weights.rescale else (1.0, 0.0)
    heads = [
        np.concatenate([_sigmoid(y, box), shift + scale * _sigmoid(y, offset)], axis=1)
        for box, offset in zip(weights.boxes, weights.offsets, strict=True)
    ]
    return np.stack(heads)


def _convolved(x: Float64, layer: "Affine", stride: int, padding: str) -> Float64:
    kernel = layer.kernel.astype(np.float64)
    width = len(kernel)
    if padding == "same":
        positions = -(-x.shape[1] // stride)
        missing = max((positions - 1) * stride + width - x.shape[1], 0)
        x = np.pad(x, ((0, 0), (missing // 2, missing - missing // 2), (0, 0)))
    else:
        positions = (x.shape[1] - width) // stride + 1
    out = np.zeros((len(x), positions, kernel.shape[2]))
    for position in range(positions):
        window = x[:, position * stride : position * stride + width]
        out[:, position] = np.tensordot(window, kernel, axes=([1, 2], [0, 1]))
    return out + layer.bias


def _normalised(x: Float64, norm: "Norm") -> Float64:
    return np.asarray((x - norm.mean) / np.sqrt(norm.variance + _NORM_EPSILON) * norm.gamma + norm.beta)


def _sigmoid(x: Float64, layer: "Affine") -> Float64:
    return np.asarray(1.0 / (1.0 + np.exp(-(x @ layer.kernel.astype(np.float64) + layer.bias))))
