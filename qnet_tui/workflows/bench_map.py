"""``qnet bench map``: the map's search and training beside minisom's own.

Per core and in turn, on copies of the sample's spectra with noise: the best cell of every vector, and one epoch of the
batch rule over all of them, beside what minisom does one vector at a time and beside one matrix product of numpy as the
core's peak. Then, what is no time: whether the best cells are the same, and the errors (minisom's measures) of
maps trained by both on the same spectra.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.batch_map import Step, train_in_batches
from qnet_tui.active_learning.best_matching_units import best_matching_units
from qnet_tui.active_learning.outlier_map import PAPER_SIDE, default_settings, new_minisom, train_map
from qnet_tui.workflows.bench_measure import (
    SLOWING,
    Measure,
    Rate,
    exact_count,
    faster,
    in_clean_process,
    note,
    rates_in_turn,
    sgemm_work,
    slowing_here,
)
from qnet_tui.workflows.demo import sample_folder
from qnet_tui.workflows.progress import Progress, silent

# What was promised: times minisom's search, its batch training, and the core's peak.
OF_WINNER, OF_OFFLINE, OF_PEAK = 80.0, 200.0, 0.8
_ROWS = 16_384


def bench_map(*, quick: bool = False, progress: Progress = silent) -> list[Measure]:
    """Measure in a process of its own; ``quick`` does little: does it run, not how fast."""
    return in_clean_process("qnet_tui.workflows.bench_map:measure", progress, quick=quick, dropped=slowing_here())


def measure(*, quick: bool, dropped: list[str], progress: Progress = silent) -> list[Measure]:
    """Do the measuring (in the clean process): see :func:`bench_map`."""
    sample = _sample()
    many = _with_noise(sample, _ROWS // 4 if quick else _ROWS)
    settings = default_settings(len(many), side=PAPER_SIDE, engine="minisom")
    som = new_minisom(settings, many.shape[1])
    som.random_weights_init(many)
    # Some way into a training, where cells are neither alike nor single spectra.
    train_in_batches(som, many[:2048], [Step(sigma, 1.0) for sigma in (8.0, 4.0, 2.0, 1.4)])
    variables = (
        f"dropped from the environment: {', '.join(dropped)}" if dropped else f"none of {', '.join(SLOWING)} set"
    )
    found = [
        note(
            "traps",
            f"{variables}; one thread a library; a map of {settings.side} x {settings.side} cells of "
            f"{many.shape[1]} pixels after four epochs; {len(many):,} spectra: copies of the sample's {len(sample)} "
            "with noise",
        )
    ]
    found += _speed(som, many, 1 if quick else 5, progress)
    found += _same_cells(som, many[: 100 if quick else 1000], progress)
    return found + _errors(sample, range(1) if quick else range(3), progress)


def _sample() -> NDArray[np.float32]:
    from qnet_tui.spectra.grids import log_grid
    from qnet_tui.spectra.read import read_spectra
    from qnet_tui.spectra.vectors import make_vectors

    files = sorted(sample_folder().glob("coadd-*.fits.gz"))
    return np.concatenate([make_vectors(read_spectra(f, masks=False, quality=False), log_grid()).x for f in files])


def _with_noise(x: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    level = rng.uniform(0, 1, (n, 1)) * x.std()
    noise = level * rng.standard_normal((n, x.shape[1]))
    noisy: NDArray[np.float32] = (x[rng.integers(0, len(x), n)] + noise).astype(np.float32)
    return noisy


def _speed(som: Any, x: NDArray[np.float32], rounds: int, progress: Progress) -> list[Measure]:
    weights = som.get_weights().reshape(-1, x.shape[1]).copy()
    few = x[:60].astype(np.float64)
    some = x[:1000].astype(np.float64)

    def searched() -> int:
        return len(best_matching_units(x, weights))

    def epoch() -> int:
        train_in_batches(som, x, [Step(1.4, 1.0)])
        return len(x)

    def counted(run: Callable[[Any], Any], vectors: NDArray[np.float64]) -> Callable[[], int]:
        def once() -> int:
            run(vectors)
            return len(vectors)

        return once

    work = {
        "search": searched,
        "winner": counted(lambda v: [som.winner(one) for one in v], few),
        "win_map": counted(som.win_map, few),
        "quantization": counted(som.quantization, some),
        "epoch": epoch,
        "offline": counted(lambda v: som.train_batch_offline(v, 1), few),
        "sgemm": sgemm_work(),
    }
    rates = rates_in_turn(work, rounds, progress, "searching and training in turn")
    search, unit = rates["search"], "spectra per core second"
    # What counts is the product of the distances: a multiplication and an addition a pixel and cell.
    giga = 2 * weights.size / 1e9
    return [
        faster("best cells / win_map", search, rates["win_map"], unit, "minisom's loop", OF_WINNER),
        faster("best cells / winner", search, rates["winner"], unit, "one call a spectrum", OF_WINNER),
        faster("best cells / quantization", search, rates["quantization"], unit, "minisom's product, 1000 at once"),
        faster(
            "best cells / sgemm peak", _times(search, giga), _times(rates["sgemm"], 1e-9), "GF/s of one core",
            f"{giga * 1e3:.2f} MFLOP a spectrum", OF_PEAK,
        ),
        faster(
            "batch epoch / train_batch_offline", rates["epoch"], rates["offline"],
            "spectra x epochs per core second", "one epoch of each", OF_OFFLINE,
        ),
    ]  # fmt: skip


def _times(rate: Rate, factor: float) -> Rate:
    return Rate(rate.per_second * factor, rate.low * factor, rate.high * factor, rate.rounds)


def _same_cells(som: Any, x: NDArray[np.float32], progress: Progress) -> list[Measure]:
    progress("comparing best cells", 0, 0)
    weights = som.get_weights()
    ours = best_matching_units(x, weights.reshape(-1, x.shape[1]))
    theirs = [int(np.ravel_multi_index(som.winner(one), weights.shape[:2])) for one in x]
    differing = int(np.count_nonzero(ours != theirs))
    return [exact_count("best cells other than winner's", differing, "spectra", f"of {len(x):,}", 0)]


def _errors(x: NDArray[np.float32], seeds: range, progress: Progress) -> list[Measure]:
    """Errors of maps of both trainings on the same spectra, means over the seeds; the least that ours should reach."""
    found = []
    for torus in (True, False):
        of: dict[str, list[tuple[float, float]]] = {"batch": [], "minisom": []}
        for seed in seeds:
            progress("training maps of both", seed, len(seeds))
            for engine, errors in of.items():
                som = train_map(x, default_settings(len(x), side=12, seed=seed, torus=torus, engine=engine))
                errors.append((som.quantization_error, som.torus_topographic_error))
        said = f"12 x 12 cells, the sample's {len(x)} spectra, mean of {len(seeds)} seeds"
        for name, ours, theirs in zip(
            ("quantisation error", "topographic error"),
            np.mean(of["batch"], axis=0).tolist(),
            np.mean(of["minisom"], axis=0).tolist(),
            strict=True,
        ):
            unit, ratio = "" if name.startswith("topo") else "distance", ours / theirs if theirs else None
            where = "torus" if torus else "plane"
            found.append(Measure(f"{name}, {where}", ours, theirs, ratio, unit, False, said, theirs, ours <= theirs))
    return found
