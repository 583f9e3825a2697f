"""How TensorFlow is started: one thread, deterministic kernels, quietly, with a GPU where there is one.

A committee must give the same answer whatever the number of workers, so each process that trains or scores
uses one intra-op and one inter-op thread, and the machine's cores are filled with processes instead (which is
also the faster layout). The only door through which this package reaches TensorFlow.

A GPU is used when TensorFlow sees one (the extra ``[gpu]`` installs what it needs for that); ``QNET_DEVICE=cpu`` hides
it. A machine without one is not asked for it: TensorFlow's search would print errors.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qnet_tui.errors import BadInput, QnetError

DEVICE_VARIABLE = "QNET_DEVICE"
# What the drivers of NVIDIA (also under WSL) and AMD leave in /dev when there is a card.
_GPU_NODES = ("nvidiactl", "nvidia0", "dxg", "kfd")

# What TensorFlow's libraries say at start-up whatever the log level: "I0000 00:00:17… port.cc:153] …".
_CHATTER = re.compile(rb"[IW]\d{4} [\d:.]+ .*|WARNING: All log messages before absl.*|\s*")


def configure_tensorflow() -> Any:
    """Start TensorFlow for this process and return its module; later calls only return it.

    One thread, deterministic kernels, and on a GPU float32 that is float32 (no TF32) and memory taken as needed, so
    that several processes share a card. The variables that TensorFlow reads at import are set here, before the import.

    Raises:
        BadInput: ``QNET_DEVICE`` is neither auto nor cpu.
        QnetError: TensorFlow cannot be imported, or was already used in this process with other settings.

    """
    # 3: no line about the missing GPU on every start; errors come as exceptions all the same.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    if not gpu_may_be_here():
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    try:
        with _quiet_start():
            import tensorflow as tf
    except ImportError as error:
        raise QnetError(f"TensorFlow cannot be loaded: {error}", mend="install qnet with its dependencies") from error
    threading = tf.config.threading
    pinned = threading.get_intra_op_parallelism_threads() == 1 and threading.get_inter_op_parallelism_threads() == 1
    if not pinned:
        try:
            threading.set_intra_op_parallelism_threads(1)
            threading.set_inter_op_parallelism_threads(1)
        except RuntimeError as error:
            raise QnetError(
                "TensorFlow is already running in this process with other threads",
                mend="call configure_tensorflow() before anything else uses TensorFlow",
            ) from error
    _set_up_gpus(tf)
    # Every Predictor traces its own graph, about which TensorFlow warns from the fifth on.
    tf.get_logger().setLevel("ERROR")
    # Without a seed this would make random operations fail; ours are all seeded.
    tf.config.experimental.enable_op_determinism()
    return tf


def gpu_may_be_here(devices: Path = Path("/dev")) -> bool:
    """Whether a GPU may be used and its driver is loaded; whether TensorFlow can use it, only TensorFlow knows.

    Errors: :class:`BadInput` when ``QNET_DEVICE`` is neither auto nor cpu.
    """
    wanted = os.environ.get(DEVICE_VARIABLE, "").strip().lower() or "auto"
    if wanted not in ("auto", "cpu"):
        raise BadInput(f"{DEVICE_VARIABLE} is {wanted!r}", mend="set it to cpu to leave a GPU alone, or unset it")
    return wanted == "auto" and any((devices / node).exists() for node in _GPU_NODES)


def gpu_in_use() -> bool:
    """Whether TensorFlow computes on a GPU in this process; starts TensorFlow only where a driver is loaded."""
    return gpu_may_be_here() and bool(configure_tensorflow().config.list_logical_devices("GPU"))


def _set_up_gpus(tf: Any) -> None:
    # Ten bits of mantissa instead of 23 are the default of newer cards.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # It was set up by whoever used TensorFlow before us in this process.
            return


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Hold back what the first import writes to file descriptor 2, then pass on all but the chatter."""
    if "tensorflow" in sys.modules:
        yield
        return
    try:
        stderr = os.dup(2)
    except OSError:  # No standard error at all: nothing to keep clean.
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            held.seek(0)
            for line in held:
                if not _CHATTER.fullmatch(line.rstrip(b"\r\n")):
                    os.write(stderr, line)
            os.close(stderr)
