"""What doctor says of processor and GPU, without starting TensorFlow for it."""

import subprocess
import sys

import pytest

from qnet_tui.workflows.doctor import doctor


def test_precision_gpu_and_threads_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QNET_DEVICE", "cpu")
    found = {check.what: check for check in doctor(None)}
    assert found["GPU"].found == "hidden by QNET_DEVICE=cpu"
    assert found["precision"].found.startswith(("float32 (", "bfloat16 ("))
    assert "one thread each" in found["cores"].found
    assert found["GPU"].ok
    assert found["precision"].ok


def test_a_device_that_is_none_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QNET_DEVICE", "cuda")
    found = {check.what: check for check in doctor(None)}
    assert not found["GPU"].ok
    assert "QNET_DEVICE is 'cuda'" in found["GPU"].found
    assert found["GPU"].mend == "unset QNET_DEVICE"


def test_doctor_starts_no_tensorflow() -> None:
    code = "from qnet_tui.workflows.doctor import doctor; doctor(None); import sys; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
