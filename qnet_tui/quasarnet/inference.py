"""Scoring: one TensorFlow graph per architecture, the weights handed in as arguments.

A committee of 200 networks is one graph that is traced once per batch size. Batch normalisations are folded into the
layers before them (in float64, then float32), the 14 heads are one matrix product of dense × 182, and a convolution
with its bias and its rectifier is one kernel of the library (it fuses them in ``conv2d``, not in ``conv1d``).

In bfloat16 the convolutions and their biases are bfloat16 (sums inside a kernel are float32), everything from the
flattened values on is float32: a two-hundredth of the work, and the median rounding of a logit is less than half.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.boxes import confidence_and_redshift
from qnet_tui.quasarnet.lines import N_HEADS
from qnet_tui.quasarnet.network import OFFSET_SCALE, OFFSET_SHIFT
from qnet_tui.quasarnet.precision import Precision
from qnet_tui.quasarnet.recheck import Margins, unsettled
from qnet_tui.quasarnet.runtime import configure_tensorflow
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import NORM_EPSILON, Affine, Float32, Norm, Weights
from qnet_tui.spectra.grids import Grid

__all__ = ["MARGINS", "Answers", "Predictor", "Prepared", "confidence_and_redshift", "flop", "fold"]

BATCH, CHUNK, FEW = 1024, 128, 32
"""Spectra per step: of the bulk, of a remainder, and of its end and of what is done again, so that a few rows cost
little. (Per core 128 is 3-6 % slower than 1024, and 32 is 15-25 %.)"""
VALIDATION_BATCH = 256
"""A validation set is often some hundred spectra: to fill it up to 1024 would cost more than large batches save."""

MARGINS: dict[Precision, Margins] = {"float32": Margins(1e-4, 1e-5), "bfloat16": Margins(0.2, 0.04)}
"""How far answers are taken to be off. Measured against float32 on 26,036 spectra (26,000 simulated, 36 real) with each
of 24 trained networks, two of them published: the largest error of a confidence near the threshold was
0.070 in the logit, of any box 0.61 of its margin, of an offset 0.0148. So the margins are 2.9, 1.6 and 2.7 times the
worst ever seen (networks of the paper's shape: 0.049, 0.39 and 0.0106). Those of float32 are for the last bits in which
batches of different sizes may differ; on the processors seen so far (AVX-512) they do not. Of 60 networks of the
paper's shape on 20,558 simulated spectra, 1,233,480 calls, the recheck let none change."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """One network ready for the graph of one precision: folded once, for many calls with few rows each."""

    settings: NetworkSettings
    precision: Precision
    exact: tuple[Any, ...]
    coarse: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a committee keeps of one network for n spectra.

    ``c_qso`` (n,) float32: the confidence of the ``n_lines``-th most confident line; ``zbest`` (n,) float32: the
    redshift of the most confident one. ``rechecked``: how many rows were done a second time.
    """

    c_qso: Float32
    zbest: Float32
    rechecked: int


class Predictor:
    """Answers of networks of one architecture (``settings``; their dropout does not matter)."""

    def __init__(self, settings: NetworkSettings, precision: Precision = "float32") -> None:
        """Prepare the graph; it is traced at the first prediction (some tenths of a second)."""
        self.settings = settings
        self.precision: Precision = precision
        tf = configure_tensorflow()
        self._tf = tf
        # One trace per batch size: a trace shared by several sizes could round differently from its own.
        self._graph = tf.function(self._forward, autograph=False)

    @property
    def traces(self) -> int:
        """How often a graph was made so far: once per batch size and precision, whatever the number of networks."""
        return int(self._graph.experimental_get_tracing_count())

    def prepare(self, weights: Weights) -> Prepared:
        """Fold the weights and hand them to TensorFlow.

        Raises:
            BadInput: the weights are of another architecture.

        """
        self._check_architecture(weights.settings)
        tf = self._tf
        exact = tuple(tf.constant(array) for array in fold(weights))
        if self.precision == "float32":
            return Prepared(self.settings, self.precision, exact, exact)
        convolutions = 2 * self.settings.layers
        coarse = (*(tf.cast(array, tf.bfloat16) for array in exact[:convolutions]), *exact[convolutions:])
        return Prepared(self.settings, self.precision, exact, coarse)

    def predict(self, weights: Weights | Prepared, x: NDArray[np.floating[Any]], batch: int = BATCH) -> Float32:
        """Answers of one network for n spectra, in the precision of this predictor.

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
        folded = self._ready(weights, x).coarse
        answers = np.empty((N_HEADS, len(x), 2 * self.settings.n_boxes), dtype=np.float32)
        for start in range(0, len(x), batch):
            rows = x[start : start + batch]
            answers[:, start : start + len(rows)] = self._step(folded, rows, batch)
        return answers

    def settled_heads(
        self,
        weights: Weights | Prepared,
        x: NDArray[np.floating[Any]],
        grid: Grid,
        n_lines: int = 1,
        *,
        c_threshold: float,
    ) -> Float32:
        """Answers as :meth:`predict`, those of float32 where it matters on which side of the threshold a row is.

        So whether a row is called a quasar does not depend on the precision, and a loss of these answers differs from
        that in float32 by the rounding of bfloat16 (a thousandth or so). Arguments as in :meth:`answers`.
        """
        network = self._ready(weights, x)
        heads = self.predict(network, x, VALIDATION_BATCH)
        if self.precision == "float32":
            return heads
        c_qso, _ = confidence_and_redshift(heads, grid, n_lines)
        margins = MARGINS[self.precision]
        again = unsettled(heads, c_qso, grid, margins, c_threshold=c_threshold, z_split=np.inf)
        for some in np.array_split(np.flatnonzero(again), -(-int(again.sum()) // FEW)) if again.any() else ():
            heads[:, some] = self._step(network.exact, x[some], FEW)
        return heads

    def answers(
        self,
        weights: Weights | Prepared,
        x: NDArray[np.floating[Any]],
        grid: Grid,
        n_lines: int = 1,
        *,
        c_threshold: float,
        z_split: float,
    ) -> Answers:
        """Confidence and redshift of n spectra, with the calls of float32 whatever the precision.

        Full batches of 1024; the remainder in batches of 128 and 32, the last of them filled up with zeros. Rows whose
        call (NOT, LOW-Z, HIGH-Z) could be another one within :data:`MARGINS` are done again in float32 in batches of
        32 and have those values; at most 32 rows are done so at once. So a row's *call* depends on nothing but the
        row, the weights and the type of processor: not on n, not on its neighbours, not on the precision. Its *values*
        depend beyond that only on the size of the batch in which it stood (the last bits of float32, or the rounding of
        bfloat16).

        Memory for a block of 20,000 rows: its vectors (35 MB, the caller's), 0.2 MB of answers, and what one batch
        needs whatever n is: 200 MB in float32, 110 MB in bfloat16 (measured, 100 filters on 443 pixels).

        Args:
            weights: of this predictor's architecture.
            x: (n, n_pixels) renormalised vectors.
            grid: the grid of the network.
            n_lines: how many lines must be above the threshold, 1 to 6.
            c_threshold: a quasar's confidence is above it.
            z_split: HIGH-Z from this redshift upward.

        Raises:
            BadInput: the weights are of another architecture, or the vectors lie on another grid.
            ValueError: ``n_lines`` is not 1 to 6.

        """
        network, margins = self._ready(weights, x), MARGINS[self.precision]
        c_qso, zbest = np.empty(len(x), np.float32), np.empty(len(x), np.float32)
        again = np.zeros(len(x), dtype=bool)
        if len(x) <= FEW:
            again[:] = True
        for part, size in _steps(len(x)) if len(x) > FEW else ():
            heads = self._step(network.coarse, x[part], size)
            c_qso[part], zbest[part] = confidence_and_redshift(heads, grid, n_lines)
            again[part] = unsettled(heads, c_qso[part], grid, margins, c_threshold=c_threshold, z_split=z_split)
        rows = np.flatnonzero(again)
        for start in range(0, len(rows), FEW):
            some = rows[start : start + FEW]
            heads = self._step(network.exact, x[some], FEW)
            c_qso[some], zbest[some] = confidence_and_redshift(heads, grid, n_lines)
        return Answers(c_qso, zbest, len(rows) if len(x) > FEW else 0)

    def _ready(self, weights: Weights | Prepared, x: NDArray[np.floating[Any]]) -> Prepared:
        if x.ndim != 2 or x.shape[1] != self.settings.n_pixels:
            raise BadInput(
                f"vectors of shape {x.shape}, the network reads {self.settings.n_pixels} pixels",
                mend="make the vectors on the grid of the weights file",
            )
        if not isinstance(weights, Prepared):
            return self.prepare(weights)
        self._check_architecture(weights.settings)
        if weights.precision != self.precision:
            raise BadInput(f"a network prepared for {weights.precision}, to be answered in {self.precision}")
        return weights

    def _check_architecture(self, settings: NetworkSettings) -> None:
        if not settings.same_architecture(self.settings):
            raise BadInput(
                f"weights of another network: {settings}, expected {self.settings}",
                mend="score each architecture on its own",
            )

    def _step(self, folded: tuple[Any, ...], rows: NDArray[np.floating[Any]], size: int) -> Float32:
        """Answers (7, n, 2·n_boxes) of at most ``size`` rows, filled up to it: a view."""
        if len(rows) < size or rows.dtype != np.float32:
            block = np.zeros((size, self.settings.n_pixels), dtype=np.float32)
            block[: len(rows)] = rows
        else:
            block = rows
        out = self._graph(self._tf.constant(block), *folded).numpy()
        heads: Float32 = out.reshape(size, N_HEADS, -1)[: len(rows)].transpose(1, 0, 2)
        return heads

    def _forward(self, x: Any, *folded: Any) -> Any:
        tf, settings = self._tf, self.settings
        y = tf.reshape(tf.cast(x, folded[0].dtype), (-1, 1, settings.n_pixels, 1))
        for i in range(settings.layers):
            kernel, bias = folded[2 * i], folded[2 * i + 1]
            y = tf.nn.conv2d(y, kernel[None], strides=(1, 1, settings.stride, 1), padding=settings.padding.upper())
            y = tf.nn.relu(tf.nn.bias_add(y, bias))
        common, common_bias, heads, heads_bias, scale, shift = folded[2 * settings.layers :]
        y = tf.cast(tf.reshape(y, (-1, settings.flat_size)), tf.float32)
        y = tf.nn.relu(tf.nn.bias_add(tf.matmul(y, common), common_bias))
        return tf.sigmoid(tf.nn.bias_add(tf.matmul(y, heads), heads_bias)) * scale + shift


def _steps(n: int) -> Iterator[tuple[slice, int]]:
    """Which of n rows go into a batch of which size: as large as it can be filled by more than half."""
    start = 0
    while start < n:
        size = next((s for s in (BATCH, CHUNK, FEW) if n - start > s - (s // 8 if s == BATCH else s // 2)), FEW)
        yield slice(start, min(start + size, n)), size
        start += size


def flop(settings: NetworkSettings) -> int:
    """Floating-point operations of one network for one spectrum: two for every weight at every position it meets."""
    channels, macs = 1, 0
    for length in settings.lengths:
        macs += length * settings.kernel * channels * settings.filters
        channels = settings.filters
    return 2 * (macs + settings.flat_size * settings.dense + settings.dense * N_HEADS * 2 * settings.n_boxes)


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
