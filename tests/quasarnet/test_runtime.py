"""How TensorFlow starts, each in a process of its own."""

import subprocess
import sys

import pytest

STARTS = {
    "threads": """
from qnet_tui.quasarnet.runtime import configure_tensorflow
tf = configure_tensorflow()
assert configure_tensorflow() is tf
print(tf.config.threading.get_intra_op_parallelism_threads(),
      tf.config.threading.get_inter_op_parallelism_threads(),
      len(tf.config.list_logical_devices("GPU")), float(tf.reduce_sum(tf.ones(3))))
""",
    "too late": """
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.ones(3)
from qnet_tui.errors import QnetError
from qnet_tui.quasarnet.runtime import configure_tensorflow
try:
    configure_tensorflow()
except QnetError as error:
    print(error)
""",
    "absent": """
import sys
sys.modules["tensorflow"] = None
from qnet_tui.errors import QnetError
from qnet_tui.quasarnet.runtime import configure_tensorflow
try:
    configure_tensorflow()
except QnetError as error:
    print(error)
""",
    "modules": """
import sys
import qnet_tui.quasarnet.boxes, qnet_tui.quasarnet.history, qnet_tui.quasarnet.inference
import qnet_tui.quasarnet.lines, qnet_tui.quasarnet.loss, qnet_tui.quasarnet.network
import qnet_tui.quasarnet.settings, qnet_tui.quasarnet.training, qnet_tui.quasarnet.weights_file
print([name for name in ("tensorflow", "keras", "h5py") if name in sys.modules])
""",
    "noisy": """
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            os.write(2, b"I0000 00:00:1795.1 6317 port.cc:153] chatter\\nreal trouble\\n")
            raise ImportError("broken")
sys.meta_path.insert(0, Finder())
from qnet_tui.errors import QnetError
from qnet_tui.quasarnet.runtime import configure_tensorflow
try:
    configure_tensorflow()
except QnetError:
    pass
""",
}


@pytest.fixture(scope="module")
def starts() -> dict[str, tuple[str, str]]:
    """What each process says on stdout and stderr; they run side by side."""
    processes = {
        name: subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name, code in STARTS.items()
    }
    said = {}
    for name, process in processes.items():
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        said[name] = (out.strip(), err)
    return said


def test_one_thread_no_gpu_and_nothing_on_stderr(starts: dict[str, tuple[str, str]]) -> None:
    assert starts["threads"] == ("1 1 0 3.0", "")


def test_tensorflow_already_running_otherwise_is_an_error_of_one_line(starts: dict[str, tuple[str, str]]) -> None:
    out, _ = starts["too late"]
    assert out.startswith("TensorFlow is already running in this process with other threads; ")
    assert "\n" not in out


def test_without_tensorflow_there_is_an_error_of_one_line(starts: dict[str, tuple[str, str]]) -> None:
    out, _ = starts["absent"]
    assert out.startswith("TensorFlow cannot be loaded")


def test_importing_the_package_loads_nothing_heavy(starts: dict[str, tuple[str, str]]) -> None:
    assert starts["modules"][0] == "[]"


def test_only_chatter_is_held_back(starts: dict[str, tuple[str, str]]) -> None:
    assert starts["noisy"][1] == "real trouble\n"
