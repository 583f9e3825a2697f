"""The network as a Keras model (QuasarNET: Busca & Balland 2018; 6 layers and dropout: Green et al. 2025).

Blocks of convolution, batch normalisation, ReLU and dropout, then one dense layer and seven heads of 13 boxes
and 13 offsets. Layers carry the names of the published weights files, so that exporting is renaming nothing.
"""

import os
from typing import Any

import numpy as np

from qnet_tui.quasarnet.lines import N_HEADS
from qnet_tui.quasarnet.loss import keras_line_loss
from qnet_tui.quasarnet.runtime import configure_tensorflow
from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.weights import NORM_EPSILON, Float32, Weights, array_shapes

OFFSET_SCALE = 1.2
OFFSET_SHIFT = -0.1


def build_network(settings: NetworkSettings, threads: int = 1) -> Any:
    """A Keras model (batch, n_pixels, 1) -> list of seven (batch, 2·n_boxes), [boxes | offsets].

    Initial weights are Keras's own; training sets them with :func:`initial_arrays`. With more than one of ``threads``
    TensorFlow is started as Keras users have it, for measuring beside it; nothing else may have started it.
    """
    if threads == 1:
        configure_tensorflow()
    else:
        _start_with(threads)
    import keras
    from keras import layers

    spectrum = keras.Input((settings.n_pixels, 1), name="spectrum")
    y = spectrum
    for i in range(1, settings.layers + 1):
        y = layers.Conv1D(
            settings.filters,
            settings.kernel,
            strides=settings.stride,
            padding=settings.padding,
            name=f"conv_{i}",
        )(y)
        y = _norm(i)(y)
        y = layers.ReLU(name=f"activation_{i}")(y)
        y = layers.Dropout(settings.dropout, name=f"dropout_{i}")(y)
    y = layers.Flatten(name="flatten")(y)
    y = layers.Dense(settings.dense, name="fc_common")(y)
    y = _norm(settings.layers + 1)(y)
    y = layers.ReLU(name="fc_activation")(y)
    heads = []
    for i in range(N_HEADS):
        box = layers.Dense(settings.n_boxes, activation="sigmoid", name=f"fc_box_{i}")(y)
        offset = layers.Dense(settings.n_boxes, activation="sigmoid", name=f"fc_offset_{i}")(y)
        offset = layers.Rescaling(OFFSET_SCALE, OFFSET_SHIFT, name=f"rescaling_{i}")(offset)
        heads.append(layers.Concatenate(name=f"conc_box_{i}")([box, offset]))
    return keras.Model(spectrum, heads, name="QuasarNET")


def _start_with(threads: int) -> None:
    os.environ.pop("TF_NUM_INTRAOP_THREADS", None)
    os.environ.pop("TF_NUM_INTEROP_THREADS", None)
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def compiled_network(settings: NetworkSettings, training: TrainingSettings, threads: int = 1) -> Any:
    """The Keras model with its optimiser, all slots built, and one loss per head; ``threads`` as for the model."""
    if threads == 1:
        configure_tensorflow()
    else:
        _start_with(threads)
    import keras

    # Nothing that counts draws from the global generators, but deterministic kernels insist on a seed. Not
    # once per network: it clears the cache of compiled graphs, which costs seconds.
    keras.utils.set_random_seed(0)
    model = build_network(settings, threads)
    optimizer = keras.optimizers.Adam(
        learning_rate=training.learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=training.amsgrad
    )
    optimizer.build(model.trainable_variables)
    # XLA is several times slower than the plain kernels for the gradient of a convolution on a CPU.
    model.compile(optimizer=optimizer, loss=[keras_line_loss] * N_HEADS, jit_compile=False)
    # The loss makes its variables when it is first used; inside `fit` that would trace everything twice.
    blank = [keras.ops.zeros((1, 2 * settings.n_boxes)) for _ in range(N_HEADS)]
    model.compute_loss(y=blank, y_pred=blank, sample_weight=[keras.ops.ones((1,))] * N_HEADS)
    return model


def initial_arrays(settings: NetworkSettings, seed: np.random.SeedSequence) -> dict[str, Float32]:
    """Fresh weights named "LAYER/WEIGHT": Glorot-uniform kernels, gamma and variance 1, the rest 0.

    Drawn by numpy, not by Keras, so that they depend on nothing but the seed and the shape: not on what the
    process built before.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    arrays: dict[str, Float32] = {}
    for name, shape in array_shapes(settings).items():
        weight = name.rpartition("/")[2]
        if weight == "kernel":
            # Glorot & Bengio 2010, equation 16; a convolution counts its whole window on both sides.
            window = shape[0] if len(shape) == 3 else 1
            limit = np.sqrt(6.0 / (window * (shape[-2] + shape[-1])))
            arrays[name] = generator.uniform(-limit, limit, shape).astype(np.float32)
        elif weight in ("gamma", "moving_variance"):
            arrays[name] = np.ones(shape, dtype=np.float32)
        else:
            arrays[name] = np.zeros(shape, dtype=np.float32)
    return arrays


def variables_by_name(model: Any) -> dict[str, Any]:
    """The model's variables with the names "LAYER/WEIGHT" (without the states of random generators)."""
    return {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.weights}


def network_with(weights: Weights) -> Any:
    """A Keras model that holds these weights (the reference that scoring is checked against).

    Raises:
        ValueError: the weights do not rescale their offsets; the Keras model always does.

    """
    if not weights.rescale:
        raise ValueError("these weights do not rescale offsets, the Keras model does")
    model = build_network(weights.settings)
    variables = variables_by_name(model)
    for name, array in weights.named_arrays():
        variables[name].assign(array)
    return model


def _norm(number: int) -> Any:
    from keras import layers

    return layers.BatchNormalization(momentum=0.99, epsilon=NORM_EPSILON, name=f"batch_normalization_{number}")
