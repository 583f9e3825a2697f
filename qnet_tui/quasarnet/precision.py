"""In which arithmetic networks answer: float32, or bfloat16 where the processor has instructions for it.

bfloat16 halves the time of scoring on such a processor and changes no call (:mod:`qnet_tui.quasarnet.recheck`); on any
other it is emulated and slower. So "auto" takes it only where the processor reports it and a self-test of some tenths
of a second shows that it is right and faster on this machine.
"""

import functools
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import Float32, Weights

Precision = Literal["float32", "bfloat16"]

CPU_FLAGS = ("amx_bf16", "avx512_bf16")
_CPUINFO = Path("/proc/cpuinfo")
_SELF_TEST_ROWS = 128
_WORTH_IT = 1.1
"""How many times as fast bfloat16 must be to be taken: below it the rechecks would eat the gain."""


@dataclass(frozen=True)
class SelfTest:
    """One network in both precisions: how many times as fast bfloat16 was, and the largest error of a logit."""

    speedup: float
    error: float
    right: bool

    @property
    def passed(self) -> bool:
        """Whether bfloat16 is worth using here."""
        return self.right and self.speedup >= _WORTH_IT


def choose(wanted: str = "auto") -> Precision:
    """Resolve the setting ``precision`` for this process: "auto", "float32" or "bfloat16".

    "auto" may run the self-test, once per process (it starts TensorFlow). Errors: :class:`BadInput` for another word.
    """
    if wanted == "float32":
        return "float32"
    if wanted == "bfloat16":
        return "bfloat16"
    if wanted != "auto":
        raise BadInput(f"no precision is called {wanted!r}", mend="choose auto, float32 or bfloat16")
    return "bfloat16" if _may_have_bfloat16() and self_test().passed else "float32"


def cpu_flag(cpuinfo: Path = _CPUINFO) -> str | None:
    """Which of the instruction sets for bfloat16 the processor reports (Linux only), or None."""
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, words = line.partition(":")
        if name.strip() == "flags":
            return next((flag for flag in CPU_FLAGS if flag in words.split()), None)
    return None


def describe() -> str:
    """What "auto" will choose here and why, for ``qnet doctor``; the self-test's figures where TensorFlow runs."""
    from qnet_tui.quasarnet.runtime import gpu_may_be_here

    flag = cpu_flag()
    if not flag and not gpu_may_be_here():
        return "float32 (the processor reports neither avx512_bf16 nor amx_bf16)"
    why = flag or "GPU"
    if "tensorflow" in sys.modules:
        found = self_test()
        said = f"{found.speedup:.2f} times as fast, logits within {found.error:.2g}"
        return f"{'bfloat16' if found.passed else 'float32'} ({why}; {said})"
    return f"bfloat16 ({why}), if the self-test at the first scoring finds it right and faster"


@functools.lru_cache(maxsize=1)
def self_test() -> SelfTest:
    """Answer 128 invented spectra with one invented network of the paper's shape in both precisions.

    The network is drawn so that its logits are as large as those of trained ones (±10). Right means: the largest error
    is below half of its margin within which answers are done again. Some tenths of a second, TensorFlow's start apart.
    """
    from qnet_tui.quasarnet.inference import MARGINS, Predictor
    from qnet_tui.quasarnet.lines import N_HEADS
    from qnet_tui.quasarnet.runtime import gpu_in_use

    settings = NetworkSettings()
    weights, x = _invented(settings)
    clock = time.perf_counter if gpu_in_use() else time.process_time
    seconds: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    heads = {}
    both: tuple[Precision, ...] = ("float32", "bfloat16")
    predictors = {name: Predictor(settings, name) for name in both}
    prepared = {name: predictor.prepare(weights) for name, predictor in predictors.items()}
    for turn in range(4):
        for name, predictor in predictors.items():
            began = clock()
            heads[name] = predictor.predict(prepared[name], x, batch=_SELF_TEST_ROWS)
            if turn:
                seconds[name].append(clock() - began)
    boxes = {name: h.astype(np.float64)[:N_HEADS, :, : settings.n_boxes] for name, h in heads.items()}
    exact, coarse = (np.log(c / (1 - c)) for c in (boxes["float32"], boxes["bfloat16"]))
    error = float(np.abs(coarse - exact).max())
    # Written so that an error that is no number is not right.
    right = bool(np.all(np.abs(coarse - exact) < MARGINS["bfloat16"].of(exact) / 2))
    return SelfTest(median(seconds["float32"]) / max(median(seconds["bfloat16"]), 1e-9), error, right)


def _invented(settings: NetworkSettings) -> tuple[Weights, Float32]:
    from qnet_tui.quasarnet.weights import array_shapes, weights_from_arrays
    from qnet_tui.spectra.grids import log_grid

    rng = np.random.default_rng(0)
    arrays = {}
    for name, shape in array_shapes(settings).items():
        layer, _, weight = name.partition("/")
        if weight == "kernel":
            # Of the heads' inputs half are zeros, the others about 1: logits of some ±10.
            spread = 3.0 if layer.startswith("fc_box") else np.sqrt(2.0)
            arrays[name] = (rng.standard_normal(shape) * spread / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)
        else:
            arrays[name] = np.full(shape, float(weight in ("gamma", "moving_variance")), np.float32)
    x = rng.standard_normal((_SELF_TEST_ROWS, settings.n_pixels)).astype(np.float32)
    return weights_from_arrays(settings, log_grid().wave, arrays), x


def _may_have_bfloat16() -> bool:
    from qnet_tui.quasarnet.runtime import gpu_in_use, gpu_may_be_here

    return cpu_flag() is not None or (gpu_may_be_here() and gpu_in_use())
