"""One epoch of training as one call of one graph.

Everything that differs between networks or between settings of the same kind is an argument: weights, Adam's moments,
learning rate, batch size, data and masks. So there is one trace for all. Batches are gathered inside the graph from
the shuffled order. Never compile this with XLA: its gradient of a convolution is many times slower on a CPU.
"""

import functools
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.quasarnet.boxes import Targets
from qnet_tui.quasarnet.flat_weights import FlatLayout
from qnet_tui.quasarnet.graph_network import GraphNetwork
from qnet_tui.quasarnet.precision import Precision
from qnet_tui.quasarnet.runtime import configure_tensorflow
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import Float32

BETA_1, BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-7
MOMENTUM = 0.99
"""Of the moving means and variances of the normalisations, Keras's default."""

Tensors = dict[str, Any]


class EpochGraph:
    """The traced epoch of one shape of network, with or without dropout and amsgrad, in one precision."""

    def __init__(self, settings: NetworkSettings, *, dropout: bool, amsgrad: bool, precision: Precision) -> None:
        """Prepare; the trace is made at the first :meth:`run` (a second or two)."""
        self._tf = tf = configure_tensorflow()
        self._amsgrad = amsgrad
        self._layout = FlatLayout(settings)
        self._dtype = tf.bfloat16 if precision == "bfloat16" else tf.float32
        self._network = GraphNetwork(tf, self._layout, self._dtype, dropout=dropout)
        self._traced: Any = None
        self.traces = 0
        """How often the graph was traced so far."""
        self.busy_seconds = 0.0
        """Processor seconds of this process spent in epochs so far."""

    def state(self, trained: Float32, means: Float32, variances: Float32) -> Tensors:
        """Variables of a network at its start: these weights, Adam's moments at zero."""
        values = {"trained": trained, "means": means, "variances": variances}
        values |= {name: np.zeros_like(trained) for name in ("first", "second", *(["largest"] * self._amsgrad))}
        return {name: self._tf.Variable(value) for name, value in values.items()}

    def data(self, x: Float32, targets: Targets) -> Tensors:
        """Tensors of the training spectra, the spectrum first."""
        tf = self._tf
        return {
            "x": tf.constant(x),
            "targets": tf.constant(np.ascontiguousarray(targets.values.transpose(1, 0, 2), dtype=np.float32)),
            "weights": tf.constant(np.ascontiguousarray(targets.weights.T, dtype=np.float32)),
        }

    def bank(self, kept: NDArray[np.bool_]) -> Any:
        """The mask bank in the type of the convolutions."""
        return self._tf.cast(self._tf.constant(kept), self._dtype)

    def run(
        self,
        state: Tensors,
        data: Tensors,
        bank: Any,
        order: NDArray[np.integer[Any]],
        starts: NDArray[np.int32],
        *,
        batch: int,
        learning_rate: float,
        dropout: float,
        steps_before: int,
    ) -> float:
        """Train one epoch; the state is changed in place.

        Args:
            state: of :meth:`state`.
            data: of :meth:`data`, n spectra.
            bank: of :meth:`bank`.
            order: (n,) the shuffled spectra; the last batch holds what is left over.
            starts: (steps, layers) where each step's masks begin in the bank.
            batch: spectra in a step.
            learning_rate: Adam's.
            dropout: fraction that the bank zeroes.
            steps_before: steps that this network has made so far.

        Returns:
            The mean loss of the n spectra, each as of its own step.

        """
        tf = self._tf
        numbers = {
            "batch": tf.constant(batch),
            "learning_rate": tf.constant(learning_rate, tf.float32),
            "keep_scale": tf.constant(1.0 / (1.0 - dropout), tf.float32),
            "steps_before": tf.constant(steps_before),
        }
        if self._traced is None:
            self._traced = self._trace(state, data, bank, numbers)
        began = time.process_time()
        loss = self._traced(state, data, bank, tf.constant(order.astype(np.int32)), tf.constant(starts), numbers)
        value = float(loss.numpy())
        self.busy_seconds += time.process_time() - began
        return value

    def _trace(self, state: Tensors, data: Tensors, bank: Any, numbers: Tensors) -> Any:
        """The graph for any number of spectra, steps and masks."""
        tf = self._tf

        def any_number(like: Any) -> Any:
            return tf.TensorSpec((None, *like.shape[1:]), like.dtype)

        layers = self._layout.settings.layers
        return tf.function(self._one_epoch, autograph=False).get_concrete_function(
            state,
            {name: any_number(values) for name, values in data.items()},
            any_number(bank),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None, layers), tf.int32),
            {name: tf.TensorSpec((), number.dtype) for name, number in numbers.items()},
        )

    def _one_epoch(self, state: Tensors, data: Tensors, bank: Any, order: Any, starts: Any, numbers: Tensors) -> Any:
        tf = self._tf
        self.traces += 1
        n, batch = tf.shape(order)[0], numbers["batch"]

        def step(i: Any, total: Any) -> tuple[Any, Any]:
            rows = order[i * batch : tf.minimum((i + 1) * batch, n)]
            flat = tf.split(tf.convert_to_tensor(state["trained"]), self._layout.sizes)
            shapes = self._layout.shapes
            pieces = {name: tf.reshape(piece, shape) for piece, (name, shape) in zip(flat, shapes.items(), strict=True)}
            picked = {name: tf.gather(values, rows) for name, values in data.items()}
            loss, means, variances = self._network.loss(
                pieces, **picked, keep_scale=numbers["keep_scale"], bank=bank, starts=starts[i]
            )
            self._update(state, tf.concat(tf.gradients(loss, flat), 0), numbers, i)
            for name, value in (("means", means), ("variances", variances)):
                state[name].assign(state[name] * MOMENTUM + value * (1.0 - MOMENTUM))
            return i + 1, total + tf.cast(loss, tf.float64) * tf.cast(tf.shape(rows)[0], tf.float64)

        steps = (n + batch - 1) // batch
        start = (tf.constant(0), tf.constant(0.0, tf.float64))
        _, total = tf.while_loop(lambda i, _: i < steps, step, start, parallel_iterations=1)
        return total / tf.cast(n, tf.float64)

    def _update(self, state: Tensors, gradient: Any, numbers: Tensors, i: Any) -> None:
        """One step of Adam in Keras's form: the bias is corrected in the rate, epsilon stands outside the root."""
        tf = self._tf
        count = tf.cast(numbers["steps_before"] + i + 1, tf.float32)
        slots = {"var": "trained", "m": "first", "v": "second"} | ({"vhat": "largest"} if self._amsgrad else {})
        apply = tf.raw_ops.ResourceApplyAdamWithAmsgrad if self._amsgrad else tf.raw_ops.ResourceApplyAdam
        apply(
            **{slot: state[name].handle for slot, name in slots.items()},
            beta1_power=tf.pow(BETA_1, count),
            beta2_power=tf.pow(BETA_2, count),
            lr=numbers["learning_rate"],
            beta1=BETA_1,
            beta2=BETA_2,
            epsilon=ADAM_EPSILON,
            grad=gradient,
        )


def epoch_graph(settings: NetworkSettings, *, amsgrad: bool, precision: Precision) -> EpochGraph:
    """The graph of this process for networks of this shape; how much dropout they have does not matter."""
    # A network with another fraction of dropout is trained by the same graph.
    key = NetworkSettings(**{**vars(settings), "dropout": 0.5 if settings.dropout else 0.0})
    return _epoch_graph(key, amsgrad, precision)


@functools.lru_cache(maxsize=4)
def _epoch_graph(settings: NetworkSettings, amsgrad: bool, precision: Precision) -> EpochGraph:
    return EpochGraph(settings, dropout=settings.dropout > 0, amsgrad=amsgrad, precision=precision)
