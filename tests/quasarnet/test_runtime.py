"""How TensorFlow starts, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet import runtime
from qnet_tui.quasarnet.runtime import gpu_may_be_here

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
    "driver without a card": """
import os
os.environ.pop("CUDA_VISIBLE_DEVICES", None)
from qnet_tui.quasarnet import runtime
runtime._GPU_NODES = ("null",)
assert runtime.gpu_may_be_here()
tf = runtime.configure_tensorflow()
print(runtime.gpu_in_use(), os.environ.get("CUDA_VISIBLE_DEVICES"), float(tf.reduce_sum(tf.ones(3))),
      tf.config.experimental.tensor_float_32_execution_enabled())
""",
    "hidden": """
import os
os.environ.pop("CUDA_VISIBLE_DEVICES", None)
os.environ["QNET_DEVICE"] = "cpu"
from qnet_tui.quasarnet import runtime
runtime._GPU_NODES = ("null",)
runtime.configure_tensorflow()
print(runtime.gpu_may_be_here(), runtime.gpu_in_use(), os.environ["CUDA_VISIBLE_DEVICES"])
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


def test_a_driver_without_a_usable_card_leaves_the_processor_and_says_nothing(
    starts: dict[str, tuple[str, str]],
) -> None:
    assert starts["driver without a card"] == ("False None 3.0 False", "")


def test_qnet_device_hides_a_gpu(starts: dict[str, tuple[str, str]]) -> None:
    assert starts["hidden"] == ("False False -1", "")


def test_a_gpu_is_looked_for_only_where_a_driver_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QNET_DEVICE", raising=False)
    assert not gpu_may_be_here(tmp_path)
    (tmp_path / "nvidiactl").touch()
    assert gpu_may_be_here(tmp_path)
    monkeypatch.setenv("QNET_DEVICE", "CPU")
    assert not gpu_may_be_here(tmp_path)
    monkeypatch.setenv("QNET_DEVICE", "cuda")
    with pytest.raises(BadInput, match="QNET_DEVICE is 'cuda'"):
        gpu_may_be_here(tmp_path)


class Gpus:
    """A TensorFlow with two cards, as far as setting them up goes."""

    def __init__(self, *, already_used: bool) -> None:
        self.config = self.experimental = self
        self.tf32, self.grows, self.already_used = True, set(), already_used

    def list_physical_devices(self, kind: str) -> list[str]:
        return ["GPU:0", "GPU:1"] if kind == "GPU" else []

    def enable_tensor_float_32_execution(self, on: bool) -> None:
        self.tf32 = on

    def set_memory_growth(self, gpu: str, on: bool) -> None:
        if self.already_used:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        self.grows.add((gpu, on))


def test_cards_compute_in_float32_and_take_memory_as_needed() -> None:
    gpus = Gpus(already_used=False)
    runtime._set_up_gpus(gpus)
    assert not gpus.tf32
    assert gpus.grows == {("GPU:0", True), ("GPU:1", True)}
    runtime._set_up_gpus(Gpus(already_used=True))


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
