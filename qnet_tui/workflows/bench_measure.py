"""What a bench says, and how the speed of two programs is compared honestly on a shared machine.

Speed is compared as a ratio per core: processor seconds of one thread (not the wall clock, which another user's load
stretches), in rounds that take every candidate in turn, and of those the median. The measuring runs in a process of its
own whose libraries were not slowed by a variable of this machine (:func:`in_clean_process`).
"""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from qnet_tui.errors import QnetError
from qnet_tui.workflows.progress import Progress, silent

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "ONEDNN_DEFAULT_FPMATH_MODE", "TF_SET_ONEDNN_FPMATH_MODE")
"""Variables that change how fast or exact a peer is: OPENBLAS_CORETYPE=Haswell halves numpy on a newer processor."""


@dataclass(frozen=True)
class Measure:
    """One line of a bench.

    ``ratio`` is ours / peer. ``exact``: the same figure every time and everywhere (bytes, counts); times are not.
    ``target`` is the most that ``ours`` should be (of first paint: ``ratio``), or with ``at_least`` the least that
    ``ratio`` should be, ``met`` whether it is; both None where nothing was promised.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    unit: str
    exact: bool
    detail: str
    target: float | None = None
    met: bool | None = None
    at_least: bool = False


@dataclass(frozen=True)
class Rate:
    """Units of work per processor second: the median of the rounds, and the lowest and highest of them."""

    per_second: float
    low: float
    high: float
    rounds: int


def faster(name: str, ours: Rate, peer: Rate, unit: str, detail: str, target: float | None = None) -> Measure:
    """How many times the peer's rate ours is; ``target`` is the least that this should be."""
    ratio = ours.per_second / peer.per_second
    spread = (
        f"{detail}; {ours.rounds} rounds in turn, ours {ours.low:.4g}-{ours.high:.4g}, "
        f"peer {peer.low:.4g}-{peer.high:.4g}"
    )
    return Measure(
        name, ours.per_second, peer.per_second, ratio, unit, False, spread, target,
        None if target is None else ratio >= target, at_least=True,
    )  # fmt: skip


def note(name: str, text: str) -> Measure:
    """A line that says what was done instead of a figure."""
    return Measure(name, float("nan"), None, None, "", True, text)


def exact_count(name: str, value: float, unit: str, detail: str, most: float | None = None) -> Measure:
    """A figure that is no time; ``most`` is the most that it should be."""
    return Measure(name, value, None, None, unit, True, detail, most, None if most is None else value <= most)


def slowing_here() -> list[str]:
    """Which of :data:`SLOWING` this process has; the measuring process does not get them."""
    return [f"{name}={os.environ[name]}" for name in SLOWING if name in os.environ]


def rates_in_turn(
    work: Mapping[str, Callable[[], int]], rounds: int, progress: Progress = silent, stage: str = "measuring"
) -> dict[str, Rate]:
    """Rates of several programs on this thread's processor time, taken in turn.

    Every callable does its work once and returns how many units that was. The first round is not counted: it pays for
    traces, page faults and caches.
    """
    seen: dict[str, list[float]] = {name: [] for name in work}
    for done in range(rounds + 1):
        progress(stage, done, rounds + 1)
        for name, run in work.items():
            began = time.process_time()
            units = run()
            seconds = time.process_time() - began
            if done:
                seen[name].append(units / max(seconds, 1e-9))
    progress(stage, rounds + 1, rounds + 1)
    return {name: Rate(median(v), min(v), max(v), len(v)) for name, v in seen.items()}


def sgemm_work(size: int = 2048) -> Callable[[], int]:
    """One float32 matrix product of numpy, ``size`` a side, counted in floating-point operations: a core's peak."""
    import numpy as np

    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), dtype=np.float32) for _ in range(2))
    out = np.empty((size, size), dtype=np.float32)

    def multiply() -> int:
        np.matmul(a, b, out=out)
        return 2 * size**3

    return multiply


def in_clean_process(function: str, progress: Progress = silent, **arguments: Any) -> list[Measure]:
    """Measure in a fresh process with one thread a library and without the variables in :data:`SLOWING`.

    ``function`` is "module:name" of a function that takes ``progress`` and the ``arguments`` (plain JSON values) and
    returns measures. What it prints to stderr is passed on. Errors: :class:`QnetError` when it fails.
    """
    env = {k: v for k, v in os.environ.items() if k not in SLOWING} | ONE_THREAD
    call = json.dumps({"function": function, "arguments": arguments})
    with subprocess.Popen(
        [sys.executable, "-m", "qnet_tui.workflows.bench_measure"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(call + "\n")
        child.stdin.close()
        answer: dict[str, Any] = {}
        for line in child.stdout:
            answer = json.loads(line)
            if "stage" in answer:
                progress(answer["stage"], answer["done"], answer["total"])
        child.wait()
    if child.returncode or "measures" not in answer:
        raise QnetError(answer.get("error") or f"the measuring process ended with {child.returncode}")
    return [Measure(**one) for one in answer["measures"]]


def _child() -> None:
    """The measuring process: one call on stdin, lines of progress and then the measures on the real stdout."""
    call = json.loads(sys.stdin.readline())
    # What libraries print must not get among the answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(said: dict[str, Any]) -> None:
        out.write(json.dumps(said) + "\n")
        out.flush()

    def tell(stage: str, done: int, total: int) -> None:
        answer({"stage": stage, "done": done, "total": total})

    module, _, name = call["function"].partition(":")
    try:
        measures = getattr(importlib.import_module(module), name)(progress=tell, **call["arguments"])
    except QnetError as error:
        answer({"error": str(error)})
        raise SystemExit(error.exit_code) from None
    answer({"measures": [asdict(one) for one in measures]})


if __name__ == "__main__":
    _child()
