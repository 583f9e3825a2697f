"""``qnet run-al --dry-run``: what a round would do and cost, from the truth and rows that are here.

Rates are those of the last finished round of the same architecture in this workspace, else those of one core of a
recent server; the plan says which. Rows that the map will reject are not known yet, so evaluations are an upper bound.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.active_learning.race.candidates import CANDIDATES_PER_OBJECT
from qnet_tui.active_learning.race.rule import MAXIMUM_NETWORKS, MINIMUM_NETWORKS, OPENING
from qnet_tui.active_learning.selection import eligible
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.workflows.labelled_rows import all_rows, validation_rows
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_plan import make_pool, selection_settings, training_set
from qnet_tui.workflows.round_race import BLOCKS_AT_LEAST, ROWS_AT_LEAST, handfuls
from qnet_tui.workflows.round_selection import with_spare
from storage.workspace import Workspace

TASKS_THAT_TELL = 8
"""The first task of each worker loads and traces TensorFlow: the median of fewer tasks would tell of that."""

N_PIXELS = 443
ANSWER_BYTES = 8
"""Confidence and redshift in float32."""

SPECTRUM_BYTES = 200_000
POOL_BYTES, CELL_BYTES = 60, 16
"""Files of the plan for each row of the pool, and for each row on the map."""

DRIVER_BYTES, DRIVER_BYTES_A_ROW = 150e6, 150
WORKER_BYTES = 700e6
"""Peak memory of the driver and of a worker with TensorFlow loaded (``qnet bench scale`` measures both)."""


@dataclass(frozen=True)
class Rates:
    """Work per core and second, and where that is known from.

    Training samples, network evaluations, rows in the plan (map and filters), objects selected (copying spectra).
    """

    train: float
    score: float
    plan: float
    select: float
    source: str


@dataclass(frozen=True)
class Saving:
    """How many times fewer evaluations than all networks for all rows, and why we think so.

    Of a race that was run, ``factor`` holds for all of it; one that is a ``bound`` for the rows that are no candidates.
    """

    rule: str
    factor: float
    source: str
    bound: bool = False


@dataclass(frozen=True)
class StageCost:
    """One line of the plan: ``units`` are samples, rows or network evaluations; no tasks: the driver's own work."""

    stage: str
    tasks: int
    units: int
    core_hours: float


@dataclass(frozen=True)
class Size:
    """What a round is made of, counted."""

    rows: int
    training: int
    validation: int
    pool_rows: int
    pool_objects: int


ASSUMED = Rates(
    train=960.0,
    score=3900.0,
    plan=20_000.0,
    select=20.0,
    source="assumed (no finished round of this architecture here)",
)
"""One core, float32, 6 layers of 100 filters (performance.md); map of 45 x 45 cells and metadata of the plan."""


def estimate(root: Path, settings: RoundSettings, workers: int, place: str = "this machine") -> dict[str, Any]:
    """Counts, evaluations, tasks, core hours, disk, memory and time of a round; nothing is written.

    ``workers`` processes of one thread work at ``place``. Errors: those of a round's plan.
    """
    with Workspace.open(root) as ws:
        rows = all_rows(ws)
        labels = truth_store.current_truth(ws)
        training = len(training_set(ws, rows, labels, settings))
        mask, _ = eligible(make_pool(ws, rows, labels, settings), selection_settings(settings))
        size = Size(
            rows=len(rows),
            training=training,
            validation=len(validation_rows(ws, rows, labels)),
            pool_rows=int(mask.sum()),
            pool_objects=len(np.unique(rows["object_id"][mask])),
        )
        rates, saving = last_rates(ws, settings), expected_saving(ws, settings, size)
    stages = costs(settings, size, rates, saving)
    disk = disk_bytes(settings, size, saving)
    alone = sum(s.core_hours for s in stages if not s.tasks)
    core_hours = sum(s.core_hours for s in stages)
    return {
        "networks": settings.networks,
        "training_spectra": size.training,
        "training_samples": settings.networks * settings.epochs * size.training,
        "rows": size.rows,
        "pool_rows": size.pool_rows,
        "pool_objects": size.pool_objects,
        "validation_objects": size.validation,
        "evaluations": sum(s.units for s in stages if s.stage in EVALUATING),
        "evaluations_full": settings.networks * (size.pool_rows + size.validation),
        "race": asdict(saving),
        "tasks": sum(s.tasks for s in stages),
        "core_hours": core_hours,
        "stages": [asdict(s) for s in stages],
        "place": place,
        "jobs": workers,
        # The driver's own stages wait for nobody and nobody helps them.
        "hours": alone + (core_hours - alone) / workers,
        "disk_megabytes": sum(disk.values()) / 1e6,
        "disk": {name: value / 1e6 for name, value in disk.items()},
        "driver_megabytes": (DRIVER_BYTES + DRIVER_BYTES_A_ROW * size.rows) / 1e6,
        "worker_megabytes": worker_bytes(settings) / 1e6,
        "rates": asdict(rates),
        "rates_from": rates.source,
    }


EVALUATING = ("validation", "opening", "candidates", "race", "scoring")


def costs(settings: RoundSettings, size: Size, rates: Rates, saving: Saving) -> list[StageCost]:
    """The stages in their order, each with tasks, units of work and core hours."""

    def stage(name: str, tasks: int, units: float, rate: float) -> StageCost:
        return StageCost(name, tasks, round(units), units / rate / 3600)

    networks, members = settings.networks, range(settings.networks)
    last = stage("selection", 0, settings.select + settings.outliers, rates.select)
    out = [
        stage("plan and map", 0, size.rows, rates.plan),
        stage("training", networks, networks * settings.epochs * size.training, rates.train),
    ]
    if size.validation:
        out.append(stage("validation", len(handfuls(members, 4)), networks * size.validation, rates.score))
    if saving.rule == "full":
        blocks = -(-size.pool_rows // settings.block_rows)
        tasks = blocks * len(handfuls(members, blocks))
        return [*out, stage("scoring", tasks, networks * size.pool_rows, rates.score), last]
    block = min(settings.block_rows, max(ROWS_AT_LEAST, -(-size.pool_rows // BLOCKS_AT_LEAST)))
    blocks = -(-size.pool_rows // block)
    opening = OPENING * size.pool_rows
    to_the_end = candidate_rows(settings, size)
    candidates = (networks - OPENING) * to_the_end
    if saving.bound:
        race = max(0.0, networks / saving.factor - OPENING) * (size.pool_rows - to_the_end)
    else:
        race = max(0.0, networks * size.pool_rows / saving.factor - opening - candidates)
    return [
        *out,
        stage("opening", blocks, opening, rates.score),
        stage("candidates", len(handfuls(members, 4)), candidates, rates.score),
        stage("race", blocks, race, rates.score),
        last,
    ]


def candidate_rows(settings: RoundSettings, size: Size) -> int:
    """Rows that are asked to the end after the opening: those of two objects for each that is wanted."""
    a_row = size.pool_rows / max(1, size.pool_objects)
    wanted = with_spare(selection_settings(settings)).select
    return min(size.pool_rows, round(CANDIDATES_PER_OBJECT * wanted * a_row))


def expected_saving(ws: Workspace, settings: RoundSettings, size: Size) -> Saving:
    """What the race will save: as in the last one here of as many networks by this rule, else its bound at 1 bit."""
    networks, wanted = settings.networks, with_spare(selection_settings(settings)).select
    for why, full in (
        ("as asked", settings.race == "full"),
        (f"the strategy {settings.strategy} needs every answer", settings.strategy != "entropy"),
        (f"fewer than {MINIMUM_NETWORKS} networks", networks < MINIMUM_NETWORKS),
        (f"more than {MAXIMUM_NETWORKS} networks", networks > MAXIMUM_NETWORKS),
        ("nearly every object is wanted", wanted >= size.pool_objects),
    ):
        if full:
            return Saving("full", 1.0, why)
    for run in runs_store.runs(ws):
        race = (run.result or {}).get("race") or {}
        alike = race.get("rule") == settings.race and run.settings.get("networks") == networks
        if run.verb == "run-al" and run.state == "DONE" and alike and race.get("saving"):
            return Saving(settings.race, float(race["saving"]), f"as in {run.id}")
    if settings.race == "exact":
        from qnet_tui.active_learning.race.exact import highest_entropy

        agreed = (n for n in range(1, networks) if highest_entropy(np.array([[0, 0, n]]), networks - n)[0] < 1.0)
        first = next(agreed, networks)
    else:
        from qnet_tui.active_learning.race.sound import one_look_networks

        first = one_look_networks(networks, 1.0, settings.race_delta)
    return Saving(
        settings.race,
        networks / max(OPENING, first),
        f"at most, at a cut of 1 bit: an agreed row leaves after {first}",
        bound=True,
    )


def disk_bytes(settings: RoundSettings, size: Size, saving: Saving) -> dict[str, float]:
    """Bytes that a round writes, by kind."""
    some = candidate_rows(settings, size)
    answers = settings.networks * size.pool_rows if saving.rule == "full" else (OPENING + 1) * size.pool_rows
    if saving.rule != "full":
        answers += 2 * settings.networks * some
    return {
        "networks": settings.networks * 4.1 * architecture(settings).n_parameters,
        "answers": ANSWER_BYTES * (answers + settings.networks * size.validation),
        "plan": POOL_BYTES * size.pool_rows + CELL_BYTES * size.rows + 4 * N_PIXELS * (size.training + size.validation),
        "spectra": SPECTRUM_BYTES * (settings.select + settings.outliers),
    }


def worker_bytes(settings: RoundSettings) -> float:
    """Peak memory of a worker: TensorFlow, a block's vectors twice (read, handed on), two layers of a batch."""
    block = 4 * N_PIXELS * settings.block_rows
    activations = 180e6 * settings.filters / 100
    return WORKER_BYTES + 2 * block + activations


def architecture(settings: RoundSettings) -> NetworkSettings:
    """The networks of a round."""
    return NetworkSettings(layers=settings.layers, filters=settings.filters, dropout=settings.dropout)


def last_rates(ws: Workspace, settings: RoundSettings) -> Rates:
    """Rates per core from the tasks of the last finished round with these networks and engines, else assumed ones."""
    same = ("layers", "filters", "batch", "train_engine", "precision")
    for run in runs_store.runs(ws):
        if (
            run.verb != "run-al"
            or run.state != "DONE"
            or any(run.settings.get(k) != getattr(settings, k) for k in same)
        ):
            continue
        tasks = runs_store.tasks(ws, run.id)
        samples = run.settings["epochs"] * run.result["training"]
        train = [samples / t.seconds for t in tasks if t.kind == "train" and t.seconds]
        score = [
            t.detail["evaluations"] / t.seconds
            for t in tasks
            if t.kind != "train" and t.seconds and t.detail.get("evaluations", 0) >= settings.batch
        ]
        if min(len(train), len(score)) >= TASKS_THAT_TELL:
            took = {name: max(float(s), 1e-3) for name, s in run.result["stage_seconds"].items()}
            plan, chosen = run.result["rows"] / took["plan"], run.result["selected"] + run.result["outliers"]
            return Rates(
                float(np.median(train)), float(np.median(score)), plan, chosen / took["select"],
                f"measured in {run.id}",
            )  # fmt: skip
    # Small convolutions keep a core less busy: cost falls more slowly than the square of the filters.
    faster = (100 / settings.filters) ** 1.3
    return replace(ASSUMED, train=ASSUMED.train * faster, score=ASSUMED.score * faster)


def plan_lines(plan: dict[str, Any]) -> Sequence[str]:
    """The plan as people read it."""
    race = plan["race"]
    saved = plan["evaluations_full"] / max(1, plan["evaluations"])
    lines = [
        f"{plan['networks']} networks on {plan['training_spectra']:,} labelled spectra; {plan['rows']:,} rows, "
        f"of which {plan['pool_rows']:,} of {plan['pool_objects']:,} objects can be asked about",
        "",
        f"  {'stage':<14}{'tasks':>8}{'work':>18}{'core hours':>12}",
    ]
    for one in plan["stages"]:
        unit = {"training": "samples", "plan and map": "rows", "selection": "objects"}.get(one["stage"], "calls")
        work = f"{one['units']:,} {unit}"
        lines.append(f"  {one['stage']:<14}{one['tasks'] or 'driver':>8}{work:>18}{one['core_hours']:>12.2f}")
    lines += [
        f"  {'together':<14}{plan['tasks']:>8,}{'':>18}{plan['core_hours']:>12.2f}",
        "",
        f"  time        {plan['hours']:.2f} h with {plan['jobs']:,} workers of one thread ({plan['place']})",
        f"  rates       {plan['rates']['train']:,.0f} samples/s, {plan['rates']['score']:,.0f} evaluations/s a core: "
        f"{plan['rates_from']}",
        f"  race        {race['rule']}: {saved:.1f} times fewer evaluations than all for all ({race['source']})",
        f"  disk        {plan['disk_megabytes']:,.0f} MB: "
        + ", ".join(f"{name} {value:,.0f}" for name, value in plan["disk"].items()),
        f"  memory      driver {plan['driver_megabytes']:,.0f} MB, each worker {plan['worker_megabytes']:,.0f} MB",
        "The map will reject some rows, so evaluations and disk are the most that there can be.",
    ]
    return lines
