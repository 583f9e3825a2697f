"""``qnet bench score``: scoring beside what users have today, and how many calls bfloat16 changes.

Per core and in turn: our answers with all that a committee needs of them (decoded, and in bfloat16 with the recheck),
Keras's ``predict`` of the same network, the equations in numpy (:mod:`qnet_tui.workflows.bench_reference`), and one
matrix product of numpy as the core's peak.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.workflows.bench_calls import CallsCounted, count_calls
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
from qnet_tui.workflows.bench_networks import TrainedCommittee, committee_of_round, committee_of_sample
from qnet_tui.workflows.bench_reference import answers_float64
from qnet_tui.workflows.progress import Progress, silent

if TYPE_CHECKING:
    from qnet_tui.quasarnet.precision import Precision
    from qnet_tui.quasarnet.weights import Weights

# What was promised: times the reference's rate, Keras's, and the core's peak; the largest difference to float64.
TARGETS: dict["Precision", tuple[float, float, float]] = {"float32": (4.3, 1.4, 0.80), "bfloat16": (8.0, 2.6, 1.40)}
LARGEST_DIFFERENCE = 2e-6
_MOST_CALLS = 2_000_000
_COADD, _CACHED = 500, 64
"""Spectra at once of the reference: a coadd's, as the field's programs score them, and where numpy is fastest."""
_UNIT = "spectra x networks per core second"


def bench_score(
    workspace: Path | None = None, round_number: int | None = None, *, quick: bool = False, progress: Progress = silent
) -> list[Measure]:
    """Measure scoring in a process of its own; with a workspace, count calls on the networks and pool of its round.

    ``quick`` does little: does it run, not how fast. Errors: :class:`BadInput` when the workspace has no scored round.
    """
    return in_clean_process(
        "qnet_tui.workflows.bench_score:measure",
        progress,
        workspace=None if workspace is None else str(workspace),
        round_number=round_number,
        quick=quick,
        dropped=slowing_here(),
    )


def measure(
    *, workspace: str | None, round_number: int | None, quick: bool, dropped: list[str], progress: Progress = silent
) -> list[Measure]:
    """Do the measuring (in the clean process): see :func:`bench_score`."""
    from qnet_tui.quasarnet.settings import NetworkSettings

    given = committee_of_round(Path(workspace), round_number) if workspace is not None else None
    paper = NetworkSettings()
    timed = given
    if given is None or not given.networks[0].settings.same_architecture(paper) or len(given.networks) < 2:
        timed = committee_of_sample(quick, progress)
    assert timed is not None
    found = [_traps(timed, dropped)]
    found += _speed(timed, quick, progress)
    counted = given or timed
    most = 2_000 if quick else max(1_000, _MOST_CALLS // len(counted.networks))
    total = CallsCounted()
    for one in count_calls(counted, most, progress):
        total.add(one)
    return found + _calls(total, counted)


def _traps(timed: TrainedCommittee, dropped: list[str]) -> Measure:
    from qnet_tui.quasarnet import precision

    variables = (
        f"dropped from the environment: {', '.join(dropped)}" if dropped else f"none of {', '.join(SLOWING)} set"
    )
    return note(
        "traps",
        f"{variables}; one thread a library; the reference is float64 with a loop over positions; "
        f"{len(timed.networks)} different networks in turn, their weights arguments of one graph; bfloat16 by explicit "
        f"casts: {precision.describe()}; timed: {timed.said}",
    )


def _speed(timed: TrainedCommittee, quick: bool, progress: Progress) -> list[Measure]:
    from qnet_tui.quasarnet.inference import Predictor, flop
    from qnet_tui.quasarnet.network import network_with
    from qnet_tui.quasarnet.precision import choose

    settings = timed.networks[0].settings
    block = next(timed.blocks(2_048 if quick else 20_000))
    many, some, few = block[: 2_048 if quick else 8_192], block[:4_096], block[:1_024]
    work: dict[str, Callable[[], int]] = {}
    for name in TARGETS:
        predictor = Predictor(settings, name)
        prepared = [predictor.prepare(w) for w in timed.networks]
        work[name] = _answering(predictor, prepared, many, timed)
        work[f"{name}, graph alone"] = _predicting(predictor, prepared, few)
    keras = network_with(timed.networks[0])
    work["predict 32"] = _keras(keras, few, None)
    work["predict 4096"] = _keras(keras, some, 4096)
    for size in (_COADD, _CACHED):
        work[f"reference {size}"] = _referring(timed.networks, block[:size])
    work["sgemm"] = sgemm_work()
    rates = rates_in_turn(work, 1 if quick else 5, progress, "scoring in turn")
    operations = flop(settings)
    found = [_difference(timed.networks[0], few[:64])]
    for name, targets in TARGETS.items():
        ours = rates[name]
        # Nothing was promised for bfloat16 where it is emulated and "auto" leaves it alone.
        promised = name == "float32" or choose("auto") == name
        of_reference, of_predict, of_peak = targets if promised else (None, None, None)
        found += [
            faster(
                f"{name} / numpy float64", ours, rates[f"reference {_COADD}"], _UNIT,
                f"calls decoded and rechecked; {_COADD} spectra at once, a coadd as the field scores it", of_reference,
            ),
            faster(
                f"{name} / numpy float64, cut up", ours, rates[f"reference {_CACHED}"], _UNIT,
                f"the same equations fed {_CACHED} spectra at a time, which is where numpy is fastest",
            ),
            faster(f"{name} / Keras predict", ours, rates["predict 32"], _UNIT, "its default batch 32", of_predict),
            faster(f"{name} / Keras predict 4096", ours, rates["predict 4096"], _UNIT, "its batch 4096"),
            faster(
                f"{name} / sgemm peak",
                _times(ours, operations / 1e9),
                _times(rates["sgemm"], 1e-9),
                "GF/s of one core",
                f"{operations / 1e6:.1f} MFLOP a spectrum and network",
                of_peak,
            ),
            faster(
                f"{name}, graph alone / sgemm peak",
                _times(rates[f"{name}, graph alone"], operations / 1e9),
                _times(rates["sgemm"], 1e-9),
                "GF/s of one core",
                "batch 1024, nothing decoded",
            ),
        ]  # fmt: skip
    return found


def _answering(
    predictor: Any, networks: list[Any], x: NDArray[np.float32], rule: TrainedCommittee
) -> Callable[[], int]:
    turn, grid = itertools.cycle(networks), rule.networks[0].grid
    decide = {"c_threshold": rule.c_threshold, "z_split": rule.z_split}

    def answer() -> int:
        predictor.answers(next(turn), x, grid, rule.n_lines, **decide)
        return len(x)

    return answer


def _predicting(predictor: Any, networks: list[Any], x: NDArray[np.float32]) -> Callable[[], int]:
    turn = itertools.cycle(networks)

    def predict() -> int:
        predictor.predict(next(turn), x)
        return len(x)

    return predict


def _keras(model: Any, x: NDArray[np.float32], batch: int | None) -> Callable[[], int]:
    spectra = x[:, :, None]

    def predict() -> int:
        model.predict(spectra, batch_size=batch, verbose=0)
        return len(spectra)

    return predict


def _referring(networks: tuple["Weights", ...], x: NDArray[np.float32]) -> Callable[[], int]:
    turn = itertools.cycle(networks)

    def answer() -> int:
        answers_float64(next(turn), x)
        return len(x)

    return answer


def _difference(weights: "Weights", x: NDArray[np.float32]) -> Measure:
    from qnet_tui.quasarnet.inference import Predictor

    largest = float(np.abs(Predictor(weights.settings).predict(weights, x) - answers_float64(weights, x)).max())
    return Measure(
        "float32 against float64", largest, None, None, "largest difference of an answer", True,
        f"{len(x)} spectra, all heads", LARGEST_DIFFERENCE, largest <= LARGEST_DIFFERENCE,
    )  # fmt: skip


def _times(rate: Rate, factor: float) -> Rate:
    return Rate(rate.per_second * factor, rate.low * factor, rate.high * factor, rate.rounds)


def _calls(total: CallsCounted, counted: TrainedCommittee) -> list[Measure]:
    of = f"{total.calls:,} calls ({total.quasars / max(total.calls, 1):.1%} quasars): {counted.said}"
    return [
        exact_count("calls changed by bfloat16 and its recheck", total.changed_after, "calls", of, 0),
        exact_count("calls changed by bfloat16 alone", total.changed_before, "calls", of),
        exact_count("rows done again in float32", 100 * total.rechecked / max(total.calls, 1), "%", of),
        exact_count("largest error of a confidence", total.confidence_error, "", "bfloat16 before the recheck"),
        exact_count(
            "largest error of a deciding confidence", total.near_error_margins, "margins",
            "in the logit, near the threshold; below 1 the recheck finds it", 1.0,
        ),
        exact_count("largest error of a box", total.box_error_margins, "margins", "in the logit", 1.0),
        exact_count("largest error of an offset", total.offset_error_margins, "margins", "", 1.0),
    ]  # fmt: skip
