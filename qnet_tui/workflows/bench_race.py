"""``qnet bench race``: what the early stop of a committee saves, and what it loses, on calls of trained networks.

A race is replayed on calls that are all known. The pool is drawn up from these: rows again and again, and for a
committee of 200 networks each row's calls from a Dirichlet distribution of its own counts + 0.02, the margin of each
call from its networks of the same call (said in every line); and as it is, with the committee's own size. Every row has
an order of its own here; in a round a block shares one. What is counted as asked: the opening, the rows completed
first, the pilot, and the race.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.calibrated import calibrated_rule, pilot_rows
from qnet_tui.active_learning.race.candidates import (
    CANDIDATES_PER_OBJECT,
    Candidates,
    choose_candidates,
    kth_object_entropy,
)
from qnet_tui.active_learning.race.certificate import certificate
from qnet_tui.active_learning.race.exact import exact_rule
from qnet_tui.active_learning.race.replay import replay
from qnet_tui.active_learning.race.rule import MINIMUM_NETWORKS, OPENING, scouting
from qnet_tui.active_learning.race.sound import least_evaluations, one_look_networks, sound_rule
from qnet_tui.errors import BadInput
from qnet_tui.evaluation.intervals import wilson
from qnet_tui.workflows.bench_measure import Measure, faster, in_clean_process, note, rates_in_turn
from qnet_tui.workflows.bench_race_calls import FULL, QUICK, calls_made, calls_of_round, drawn_up
from qnet_tui.workflows.progress import Progress, silent

if TYPE_CHECKING:
    from qnet_tui.active_learning.race.rule import RaceRule

DELTA, RECALL = 1e-3, 0.999
DRAWN_NETWORKS, DRAWN_ROWS = 200, 260_000
SHARES = (0.0003, 0.001, 0.003, 0.01)
OF_BOUND, CALIBRATED, SOUND_COMBINED, CALIBRATED_COMBINED = 0.80, 15.0, 45.0, 120.0
CALIBRATED_WITHOUT = "calibrated without margins"
_UNIT = "times fewer evaluations"


def bench_race(
    workspace: Path | None = None, round_number: int | None = None, *, quick: bool = False, progress: Progress = silent
) -> list[Measure]:
    """Replay races in a process of its own, on the calls of a full round of a workspace or of a committee made for it.

    ``quick`` does little: does it run, not how much it saves. Errors: :class:`BadInput` when the round is no full one.
    """
    return in_clean_process(
        "qnet_tui.workflows.bench_race:measure",
        progress,
        workspace=None if workspace is None else str(workspace),
        round_number=round_number,
        quick=quick,
    )


def measure(
    *, workspace: str | None, round_number: int | None, quick: bool, progress: Progress = silent
) -> list[Measure]:
    """Do the measuring (in the clean process): see :func:`bench_race`."""
    if workspace is not None:
        known = calls_of_round(Path(workspace), round_number)
    else:
        known = calls_made(QUICK if quick else FULL, progress)
    own = known.calls.shape[1]
    if own < MINIMUM_NETWORKS:
        raise BadInput(f"{own} networks are not raced", mend=f"give a round of {MINIMUM_NETWORKS} networks or more")
    faster_scoring = _scoring(quick, progress)
    found = [note("calls", f"{known.said}; {_agreed(known.calls):.1%} of the rows are agreed on"), faster_scoring]
    networks, rows = (60, 20_000) if quick else (DRAWN_NETWORKS, DRAWN_ROWS)
    said = f"drawn up to {networks} networks and {rows:,} rows"
    shares = SHARES[1::2] if quick else SHARES
    pools = [(drawn_up(known, networks, rows), said, shares), ((known.calls, known.margins), "not drawn", SHARES[2:])]
    total, done = sum(len(some) for *_, some in pools), 0
    for (calls, margins), how, some in pools:
        for share in some:
            progress("racing", done, total)
            done += 1
            k = max(2, round(share * len(calls)))
            promised = how is said and not quick
            smallest = how is said and share == shares[0]
            for race in _races(calls, margins, k, 1, max(20, (2_000 if quick else 60_000) // k)):
                of = f"{100 * k / len(calls):.2g} %"
                aim = {"sound": OF_BOUND, "calibrated": CALIBRATED}.get(race.rule)
                found.append(_line(race, of, how, aim if promised else None))
                if smallest and race.rule in {"sound", "calibrated"}:
                    found.append(_combined(race, faster_scoring, promised))
    progress("racing", total, total)
    return found


@dataclass(frozen=True)
class _Race:
    """Means over some races of one pool by one kind of rule."""

    rule: str
    networks: int
    cut: float
    h_low: float
    first_drop: float
    saving: float
    bound: float
    bound_at_cut: float
    most: float
    lost: int
    tried: int
    expected_lost: float
    counted_lost: float
    found: int
    certified: tuple[float, float]
    far: str

    @property
    def recall(self) -> float:
        return 1.0 - self.lost / max(self.tried, 1)

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.tried - self.lost, self.tried)


def _agreed(calls: NDArray[np.int8]) -> float:
    return float((calls == calls[:, :1]).all(axis=1).mean())


KINDS = ("sound", "exact", CALIBRATED_WITHOUT, "calibrated")


def _shuffled(
    rng: np.random.Generator, calls: NDArray[np.int8], margins: NDArray[np.float32]
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Calls and margins of every row in a random order of its own: margins in steps of 1/64, at most 200."""
    both = rng.permuted((np.minimum(margins, 200.0) * 64).astype(np.uint16) * 4 + calls.astype(np.uint16), axis=1)
    return (both & 3).astype(np.int8), (both >> 2).astype(np.float32) / np.float32(64)


def _races(calls: NDArray[np.int8], margins: NDArray[np.float32], k: int, repeats: int, orders: int) -> list[_Race]:
    """Races by every kind of rule for the top ``k`` rows, each ``repeats`` times with other orders."""
    n_rows, networks = calls.shape
    finals = np.stack([(calls == c).sum(axis=1) for c in range(3)], axis=1)
    entropy = entropy_bits(finals)
    cut = float(np.partition(entropy, n_rows - k)[n_rows - k])
    top = np.flatnonzero(entropy >= cut)
    wanted = min(n_rows, k + max(20, k // 5))
    seen: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    lows = []
    for repeat in range(repeats):
        rng = np.random.default_rng([44, repeat])
        in_order, far_in_order = _shuffled(rng, calls, margins)
        pilot = pilot_rows(n_rows, SeedSequence([46, repeat]))
        for kind in seen:
            asked, chosen = _opened(in_order, kind, wanted, repeat)
            h_low = kth_object_entropy(entropy[chosen.positions], chosen.positions, wanted)
            if kind == "sound":
                lows.append(h_low)
            rule, completed = _rule(kind, networks, h_low, finals, chosen, pilot, wanted, calls, margins)
            rest = np.ones(n_rows, dtype=bool)
            rest[completed] = False
            race = replay(in_order[rest], rule, margins=far_in_order[rest])
            gone = np.zeros(n_rows, dtype=bool)
            gone[np.flatnonzero(rest)[~race.kept]] = True
            # Many more orders for the rows at the top alone; here none of them is spared as a candidate.
            often = np.repeat(top, orders)
            again, far_again = _shuffled(rng, calls[often], margins[often])
            lost = int((~replay(again, rule, margins=far_again).kept).sum())
            left = top[~gone[top]]
            said = certificate(rule, finals[left], calls=calls[left], margins=margins[left])
            seen[kind].append(
                {
                    "h_low": rule.h_low, "first": rule.first_unanimous_drop,
                    "asked": (np.maximum(race.asked, asked[rest]).sum() + len(completed) * networks) / n_rows,
                    "far": ", ".join(f"{n} at {margin:g}" for n, margin in rule.far),
                    "bound": networks / one_look_networks(networks, rule.h_low, DELTA),
                    "lost": lost, "tried": len(again), "expected": said.lost, "counted": int(gone[top].sum()),
                    "found": len(left), "certified": said.recall_interval,
                }
            )  # fmt: skip
    at_cut = networks / one_look_networks(networks, cut, DELTA)
    most = networks / least_evaluations(networks, float(np.mean(lows)), DELTA, finals)
    return [_mean(kind, networks, cut, (at_cut, most), runs) for kind, runs in seen.items()]


def _opened(in_order: NDArray[np.int8], kind: str, wanted: int, repeat: int) -> tuple[NDArray[np.int64], Candidates]:
    """How many networks every row is asked in the opening, i8 (n,), and the candidates after it, as in a round."""
    most = scouting(kind.split()[0], in_order.shape[1])
    disputed = (in_order[:, :OPENING] != in_order[:, :1]).any(axis=1)
    asked = np.where(disputed, most, OPENING)
    shown = np.where(np.arange(most) < asked[:, None], in_order[:, :most], -1)
    counts = np.stack([(shown == c).sum(axis=1) for c in range(3)], axis=1)
    m = CANDIDATES_PER_OBJECT * wanted
    return asked, choose_candidates(counts, np.arange(len(counts)), m, SeedSequence([45, repeat]), OPENING)


def _rule(
    kind: str,
    networks: int,
    h_low: float,
    finals: NDArray[np.int64],
    chosen: Candidates,
    pilot: NDArray[np.int64],
    wanted: int,
    calls: NDArray[np.int8],
    margins: NDArray[np.float32],
) -> "tuple[RaceRule, NDArray[np.int64]]":
    """A rule as a round makes it, and the rows that it has completed before the race."""
    if kind == "sound":
        return sound_rule(networks, h_low, DELTA), chosen.positions
    if kind == "exact":
        return exact_rule(networks, h_low), chosen.positions
    rows = np.union1d(chosen.positions, pilot)
    known: dict[str, Any] = {} if kind == CALIBRATED_WITHOUT else {"calls": calls[rows], "margins": margins[rows]}
    rule = calibrated_rule(
        networks, h_low, finals=finals[rows], in_pilot=np.isin(rows, pilot), chosen=chosen,
        pilot_share=len(pilot) / len(finals), k=wanted, recall=RECALL, delta=DELTA, **known,
    )  # fmt: skip
    return rule, rows


def _mean(kind: str, networks: int, cut: float, most: tuple[float, float], runs: list[dict[str, Any]]) -> _Race:
    def mean(name: str) -> float:
        return float(np.mean([run[name] for run in runs]))

    return _Race(
        rule=kind,
        networks=networks,
        cut=cut,
        h_low=mean("h_low"),
        first_drop=mean("first"),
        saving=networks / mean("asked"),
        bound=mean("bound"),
        bound_at_cut=most[0],
        most=most[1],
        lost=sum(run["lost"] for run in runs),
        tried=sum(run["tried"] for run in runs),
        expected_lost=mean("expected"),
        counted_lost=mean("counted"),
        found=int(mean("found")),
        far=runs[-1]["far"],
        certified=(min(run["certified"][0] for run in runs), max(run["certified"][1] for run in runs)),
    )


def _line(race: _Race, of: str, how: str, aim: float | None) -> Measure:
    """A race as a line: the sound rule beside its bound, the others beside asking everything."""
    low, high = race.interval
    far = f", one far from any other call after {race.far} logits" if race.far else ""
    detail = (
        f"{how}; cut {race.cut:.3f} bit, by the rows completed first {race.h_low:.3f}; an agreed row leaves after "
        f"{race.first_drop:.0f}{far}; recall {race.recall:.5f} ({low:.5f}-{high:.5f}, {race.tried:,} top rows raced); "
        f"certificate: {race.expected_lost:.3g} lost beside {race.found} (recall from {race.certified[0]:.4f}), "
        f"counted {race.counted_lost:.3g}"
    )
    bound = 1.0
    if race.rule == "sound":
        bound = race.bound
        detail += (
            f"; peer: its bound, every row leaves when an agreed one may ({race.bound_at_cut:.3g} at the true cut); "
            f"no rule with this promise can save more than {race.most:.4g} on this pool"
        )
    ratio = race.saving / bound
    met = None if aim is None else ratio >= aim and race.recall >= RECALL
    name = f"{race.rule}, top {of}, {race.networks} networks"
    return Measure(name, race.saving, bound, ratio, _UNIT, False, detail, aim, met, at_least=True)


def _combined(race: _Race, scoring: Measure, promised: bool) -> Measure:
    """The race times the scoring: how much sooner than the reference the same selection is there."""
    times = race.saving * (scoring.ratio or 1.0)
    aim = (SOUND_COMBINED if race.rule == "sound" else CALIBRATED_COMBINED) if promised else None
    return Measure(
        f"{race.rule} race x scoring / numpy float64, all networks",
        times, 1.0, times, "times sooner, per core", False,
        f"{race.saving:.3g} x {scoring.ratio or 1.0:.3g}, cut {race.cut:.3f} bit", aim,
        None if aim is None else times >= aim and race.recall >= RECALL, at_least=True,
    )  # fmt: skip


def _scoring(quick: bool, progress: Progress) -> Measure:
    """Scoring of the paper's network beside the float64 reference, shortly; ``qnet bench score`` does it at length."""
    from qnet_tui.quasarnet import precision
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.network import initial_arrays
    from qnet_tui.quasarnet.settings import NetworkSettings
    from qnet_tui.quasarnet.weights import weights_from_arrays
    from qnet_tui.spectra.grids import log_grid
    from qnet_tui.workflows.bench_reference import answers_float64

    grid, settings, chosen = log_grid(), NetworkSettings(), precision.choose("auto")
    weights = weights_from_arrays(settings, grid.wave, initial_arrays(settings, SeedSequence(47)))
    predictor = Predictor(settings, chosen)
    prepared = predictor.prepare(weights)
    x = np.random.default_rng(48).standard_normal((1024 if quick else 4096, settings.n_pixels), dtype=np.float32)

    def ours() -> int:
        predictor.answers(prepared, x, grid, c_threshold=0.95, z_split=2.1)
        return len(x)

    def reference(size: int) -> Callable[[], int]:
        def answer() -> int:
            answers_float64(weights, x[:size])
            return size

        return answer

    work = {"ours": ours, "128": reference(128), "512": reference(512)}
    rates = rates_in_turn(work, 1 if quick else 5, progress, "scoring in turn")
    # The peer's better batch size.
    peer = max(rates["128"], rates["512"], key=lambda rate: rate.per_second)
    unit = "spectra x networks per core second"
    return faster(f"scoring {chosen} / numpy float64", rates["ours"], peer, unit, "untrained networks")
