"""``qnet bench train``: our training engine beside Keras `fit` of the same settings, in one run.

Per core: spectra per processor second of one thread, in turn. On the wall clock: as a committee is trained, by us one
process a core, by Keras users one process with all cores that builds every network anew. Compiling with XLA
(``jit_compile=True``) is many times slower on a CPU and used by neither side.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import QnetError
from qnet_tui.quasarnet.boxes import Targets, encode
from qnet_tui.quasarnet.graph_epoch import epoch_graph
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.training import AnyTrainer, GraphTrainer, Trainer, trainer_for
from qnet_tui.spectra.grids import log_grid
from qnet_tui.workflows.bench_measure import Measure, faster, in_clean_process, rates_in_turn, sgemm_work
from qnet_tui.workflows.progress import Progress, silent

PER_CORE, WALL, OF_PEAK, BETWEEN_MS, VALIDATION = 1.6, 2.2, 0.75, 50.0, 0.10
"""What is promised: times Keras, share of the peak of sgemm, milliseconds, share of an epoch."""

_PAPER = NetworkSettings()
_ONCE = TrainingSettings(epochs=1, learning_rate=2e-4, keep="last", record_start=False)
_SPECTRA, _HELD_OUT = 4688, 2010
"""The split of the paper's training set: what is trained on in an epoch, and measured on after it."""


def bench_train(*, quick: bool = False, progress: Progress = silent) -> list[Measure]:
    """Measure training; ``quick`` does little of it, enough to see that it runs. Errors: :class:`QnetError`."""
    measures = in_clean_process("qnet_tui.workflows.bench_train:per_core", progress, quick=quick)
    progress("wall clock", 0, 1)
    measures.append(_wall(quick))
    progress("wall clock", 1, 1)
    return measures


def per_core(*, quick: bool, progress: Progress = silent) -> list[Measure]:
    """The measures of one thread, in this process."""
    n, rounds = (256, 1) if quick else (1024, 5)
    x, targets = invented_spectra(n, 1)
    ours = GraphTrainer(_PAPER, _ONCE)
    engines: dict[str, AnyTrainer] = {
        "ours": ours,
        "float32": GraphTrainer(_PAPER, _ONCE, precision="float32"),
        "Keras": Trainer(_PAPER, _ONCE),
    }

    def training(engine: AnyTrainer) -> int:
        engine.train(x, targets, 1)
        return n

    work = {name: (lambda engine=engine: training(engine)) for name, engine in engines.items()}
    held = invented_spectra(_HELD_OUT, 2)[0]
    weights = ours.train(x, targets, 1).weights
    predictor = Predictor(_PAPER, ours.precision)

    def validation() -> int:
        predictor.settled_heads(weights, held, log_grid(), c_threshold=0.95)
        return len(held)

    rates = rates_in_turn({**work, "validation": validation, "peak": sgemm_work()}, rounds, progress, "training")
    how = f"6 layers x 100 filters, batch 256, {n} spectra"
    flops = 3 * _forward_flops(_PAPER)
    reached, peak = rates["ours"].per_second * flops / 1e9, rates["peak"].per_second / 1e9
    epoch, check = _SPECTRA / rates["ours"].per_second, _HELD_OUT / rates["validation"].per_second
    between = _between_members(x, targets)
    share = (
        f"{_HELD_OUT} spectra in {ours.precision} after an epoch of {_SPECTRA}, processor seconds; target of the ratio"
    )
    return [
        Measure("traps", float("nan"), None, None, "", True,
                "libraries with one thread, OPENBLAS_CORETYPE unset; no jit_compile on either side"),
        faster(f"train {ours.precision}", rates["ours"], rates["Keras"], "spectra/s/core", f"Keras fit; {how}",
               PER_CORE if ours.precision == "bfloat16" else None),
        faster("train float32", rates["float32"], rates["Keras"], "spectra/s/core", f"Keras fit; {how}"),
        Measure("share of the peak", reached, peak, reached / peak, "Gflop/s/core", False,
                f"{flops / 1e6:.1f} Mflop a spectrum, three times those forward; peer: sgemm of numpy",
                OF_PEAK, reached / peak >= OF_PEAK, at_least=True),
        Measure("between members", between, None, None, "ms", False,
                "processor time of a network outside its epochs, median of 5", BETWEEN_MS, between <= BETWEEN_MS),
        Measure("validation / epoch", check, epoch, check / epoch, "s", False, share, VALIDATION,
                check / epoch <= VALIDATION),
        *_final_losses(quick),
    ]  # fmt: skip


def invented_spectra(n: int, seed: int) -> tuple[NDArray[np.float32], Targets]:
    """Noise with bright lines where a quasar has them: (n, 443) vectors and their targets."""
    grid, rng = log_grid(), np.random.default_rng(seed)
    z, is_qso = rng.uniform(0.3, 4.0, n), rng.random(n) < 0.5
    x = rng.normal(size=(n, grid.n_pixels))
    for rest in (1215.67, 1548.2049, 1908.734, 2796.3511):
        centre = ((1 + z) * rest)[:, None]
        x += 6 * np.exp(-0.5 * ((grid.wave - centre) / (0.012 * centre)) ** 2) * is_qso[:, None]
    x = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    return x.astype(np.float32), encode(z, is_qso, np.zeros(n, dtype=np.int64), grid)


def _forward_flops(settings: NetworkSettings) -> int:
    channels, macs = 1, 0
    for length in settings.lengths:
        macs += length * settings.kernel * channels * settings.filters
        channels = settings.filters
    return 2 * (macs + settings.flat_size * settings.dense + settings.dense * 14 * settings.n_boxes)


def _between_members(x: NDArray[np.float32], targets: Targets) -> float:
    """Milliseconds of a member that are not epochs: its start, its masks, its data and its weights at the end."""
    trainer = GraphTrainer(_PAPER, _ONCE)
    graph = epoch_graph(_PAPER, amsgrad=_ONCE.amsgrad, precision=trainer.precision)
    seen = []
    for seed in range(5):
        began, busy = time.process_time(), graph.busy_seconds
        trainer.train(x[:256], targets.take(np.arange(256)), seed)
        seen.append(1e3 * (time.process_time() - began - (graph.busy_seconds - busy)))
    return median(seen)


def _final_losses(quick: bool) -> list[Measure]:
    """The last epoch's loss of both engines from the same seeds, on a network of 24 filters."""
    settings = NetworkSettings(filters=24)
    training = TrainingSettings(epochs=2 if quick else 8, learning_rate=2e-3, batch=64, keep="last", record_start=False)
    x, targets = invented_spectra(192 if quick else 768, 3)
    engines = {name: trainer_for(settings, training, engine=name) for name in ("graph", "keras")}
    found = []
    for seed in (1, 2) if quick else (1, 2, 3):
        losses = {name: engine.train(x, targets, seed).history[-1].loss for name, engine in engines.items()}
        found.append(
            Measure(f"final loss, seed {seed}", losses["graph"], losses["keras"], losses["graph"] / losses["keras"],
                    "", True, f"6 layers x 24 filters, {len(x)} spectra, {training.epochs} epochs, other masks")
        )  # fmt: skip
    return found


def _wall(quick: bool) -> Measure:
    """Seconds until as many networks as there are cores are trained, builds included, starting Python not."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    n, epochs = (512, 1) if quick else (_SPECTRA, 10)
    theirs = _seconds([{"engine": "keras", "threads": cores, "networks": cores, "n": n, "epochs": epochs}])
    ours = _seconds([{"engine": "graph", "threads": 1, "networks": 1, "n": n, "epochs": epochs}] * cores)
    ratio = theirs / ours
    return Measure(
        "train on the wall clock", cores * epochs * n / ours, cores * epochs * n / theirs, ratio, "spectra/s", False,
        f"{cores} networks of {epochs} epochs of {n} spectra: ours {cores} processes of one thread {ours:.1f} s, "
        f"Keras fit one process of {cores} threads {theirs:.1f} s, builds included",
        None if quick else WALL, None if quick else ratio >= WALL, at_least=True,
    )  # fmt: skip


def _seconds(calls: list[dict[str, object]]) -> float:
    """Run these at once, each in its own process; the seconds of the slowest."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")} | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    code = "import sys; from qnet_tui.workflows.bench_train import timed; timed(sys.argv[1])"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, json.dumps(call)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            text=True,
        )
        for call in calls
    ]
    answers = [child.communicate() for child in children]
    for child, (_, said) in zip(children, answers, strict=True):
        if child.returncode:
            last = said.strip().splitlines()[-1:] or [f"it ended with {child.returncode}"]
            raise QnetError(f"a process that trains for the bench failed: {last[0]}")
    return max(float(out.split()[-1]) for out, _ in answers)


def timed(call: str) -> None:
    """In a process of its own: train as told and print the seconds that it took, imports not counted."""
    told = json.loads(call)
    training = replace(_ONCE, epochs=told["epochs"])
    x, targets = invented_spectra(told["n"], 1)
    # What every process pays once whatever it trains is not compared: a tiny network loads the libraries.
    tiny = NetworkSettings(filters=1, dense=1)
    started: AnyTrainer = (
        GraphTrainer(tiny, _ONCE) if told["engine"] == "graph" else Trainer(tiny, _ONCE, threads=told["threads"])
    )
    started.train(x[:2], targets.take(np.arange(2)), 1)
    began = time.perf_counter()
    for seed in range(told["networks"]):
        one: AnyTrainer
        if told["engine"] == "graph":
            one = GraphTrainer(_PAPER, training)
        else:  # As the public scripts do it: a new model for every network.
            one = Trainer(_PAPER, training, threads=told["threads"])
        one.train(x, targets, seed)
    sys.stdout.write(f"{time.perf_counter() - began}\n")
