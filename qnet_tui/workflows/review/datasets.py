"""Datasets against each other at equal size: is it the labels that help, or their number? (Fig. 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.evaluation.intervals import wilson
from qnet_tui.evaluation.paired import rank_p
from qnet_tui.plotting.charts import Curve, LineChart
from qnet_tui.workflows.datasets_plan import planned, training_name
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.completeness import probability, share_words
from qnet_tui.workflows.review.measured import epochs_of
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from storage.workspace import Workspace

MAKE = "qnet review datasets --run"

UNLIKELY = 0.1
"""A rank of 10 bootstraps cannot be rarer than 1 in 11."""


@dataclass(frozen=True)
class DatasetLine:
    """One dataset: its training as it is, and its bootstraps at the size of the largest dataset.

    ``final`` and ``best`` are the completeness of the last epoch and the largest of any; ``lo``, ``hi`` the Wilson
    interval of ``final``. ``boot_*`` are of the ``bootstraps`` that are finished: mean, smallest and largest final
    completeness, and mean of the best. NaN where there is none.
    """

    dataset: str
    size: int
    quasars: int
    steps: int
    final: float
    lo: float
    hi: float
    best: float
    bootstraps: int
    boot_final: float
    boot_lo: float
    boot_hi: float
    boot_best: float


@dataclass(frozen=True)
class DatasetEpoch:
    """One epoch of one training; ``bootstrap`` 0 is the dataset as it is, ``size`` the spectra trained on."""

    dataset: str
    size: int
    bootstrap: int
    epoch: int
    completeness: float
    purity: float
    tp: int
    fp: int
    fn: int
    lo: float
    hi: float


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:  # noqa: ARG001
    """The newest run of ``qnet review datasets --run`` with something to show, or the one that is asked for."""
    runs = [record for record in runs_store.runs(ws) if record.verb == "datasets"]
    record, epochs = _shown(ws, runs, asked.dataset)
    names = tuple(one.id for one in runs)
    if record is None:
        wanted = next((one for one in runs if one.id == asked.dataset), runs[0] if runs else None)
        why = f"no datasets were trained: {MAKE}" if wanted is None else _unfinished(wanted)
        return Tab("datasets", _columns(), (), asked, datasets=names, empty=why)
    plan = planned(ws, record.id)
    rows = [_line(one, epochs) for one in plan["datasets"]]
    return Tab(
        name="datasets",
        columns=_columns(),
        rows=rows,
        asked=replace(asked, dataset=record.id),
        chart=_chart(plan["datasets"], epochs),
        says=_sentence(rows, epochs),
        notes=_notes(record, plan, epochs),
        datasets=names,
        document=epochs,
    )  # fmt: skip


def _columns() -> tuple[Column, ...]:
    return (
        Column("dataset", "dataset"), Column("size", "spectra", need=1), Column("quasars", "quasars", need=4),
        Column("steps", "steps", need=4), Column("final", "compl."), Column("lo", "from", need=2),
        Column("hi", "to", need=2), Column("best", "best", need=3), Column("bootstraps", "boots", need=1),
        Column("boot_final", "their mean"), Column("boot_lo", "least", need=2), Column("boot_hi", "most", need=2),
        Column("boot_best", "best", need=3),
    )  # fmt: skip


def _shown(
    ws: Workspace, runs: Sequence[runs_store.RunRecord], wanted: str
) -> tuple[runs_store.RunRecord | None, list[DatasetEpoch]]:
    """The run and its epochs, None where none has any. Errors: :class:`BadInput` for a run that is not there."""
    if wanted:
        found = [record for record in runs if record.id == wanted]
        if not found:
            raise BadInput(f"no run of datasets is called {wanted!r}", mend=f"choose {', '.join(r.id for r in runs)}"
                           if runs else MAKE)  # fmt: skip
        runs = found
    for record in runs:
        epochs = _epochs(ws, record)
        if epochs:
            return record, epochs
    return None, []


def _unfinished(record: runs_store.RunRecord) -> str:
    if record.state == "RUNNING":
        return f"{record.id} is at work and no training is finished yet: qnet runs watch {record.id}"
    return f"no training of {record.id} was finished: {MAKE} --resume {record.id}"


def _epochs(ws: Workspace, record: runs_store.RunRecord) -> list[DatasetEpoch]:
    """Every epoch of every training of a run that is finished, in the order of the plan."""
    metrics = runs_store.metrics(ws, record.id)
    by_name: dict[str, list[runs_store.MetricRecord]] = {}
    for metric in metrics:
        by_name.setdefault(metric.dataset, []).append(metric)
    out = []
    for one in planned(ws, record.id).get("datasets", []):
        for bootstrap in range(one["bootstraps"] + 1):
            name = training_name(one["name"], bootstrap)
            for e in epochs_of(by_name.get(name, []), name):
                lo, hi = wilson(e.tp, e.tp + e.fn)
                called = e.tp + e.fp
                out.append(DatasetEpoch(
                    one["name"], one["drawn"] if bootstrap else one["size"], bootstrap, e.epoch,
                    e.tp / (e.tp + e.fn), e.tp / called if called else float("nan"), e.tp, e.fp, e.fn, lo, hi,
                ))  # fmt: skip
    return out


def _line(one: dict[str, Any], epochs: Sequence[DatasetEpoch]) -> DatasetLine:
    base = [e for e in epochs if (e.dataset, e.bootstrap) == (one["name"], 0)]
    finals, bests = _ends(one["name"], epochs)
    nan = float("nan")
    return DatasetLine(
        one["name"], one["size"], one["quasars"], one["steps"],
        base[-1].completeness if base else nan, base[-1].lo if base else nan, base[-1].hi if base else nan,
        max((e.completeness for e in base if e.epoch), default=nan), len(finals),
        float(np.mean(finals)) if finals else nan, min(finals, default=nan), max(finals, default=nan),
        float(np.mean(bests)) if bests else nan,
    )  # fmt: skip


def _ends(name: str, epochs: Sequence[DatasetEpoch]) -> tuple[list[float], list[float]]:
    """Completeness of each bootstrap of a dataset at its last epoch, and at its best."""
    by_bootstrap: dict[int, list[float]] = {}
    for e in epochs:
        if e.dataset == name and e.bootstrap and e.epoch:
            by_bootstrap.setdefault(e.bootstrap, []).append(e.completeness)
    return [values[-1] for values in by_bootstrap.values()], [max(values) for values in by_bootstrap.values()]


def _chart(datasets: Sequence[dict[str, Any]], epochs: Sequence[DatasetEpoch]) -> LineChart:
    """Completeness per epoch: the datasets as they are strong, their bootstraps faint, one colour a dataset."""
    behind: list[Curve] = []
    front: list[Curve] = []
    for group, one in enumerate(datasets):
        for bootstrap in range(one["bootstraps"] + 1):
            mine = [e for e in epochs if (e.dataset, e.bootstrap) == (one["name"], bootstrap)]
            if not mine:
                continue
            x = np.array([e.epoch for e in mine], dtype=np.float64)
            y = np.array([e.completeness for e in mine])
            if bootstrap:
                behind.append(Curve("", x, y, stroke="dashed", group=group, faint=True))
            else:
                front.append(Curve(one["name"], x, y, group=group))
    return LineChart((*behind, *front), "epoch", "completeness; faint: bootstraps", y_range=(_low(epochs), 1.0))


def _low(epochs: Sequence[DatasetEpoch]) -> float:
    """Where the axis begins, a tenth below the second half of the epochs, whose curves are to be told apart."""
    last = max(e.epoch for e in epochs)
    late = min(e.completeness for e in epochs if 2 * e.epoch >= last)
    return max(0.0, float(np.floor(10 * late - 1e-9) / 10))


def _sentence(rows: Sequence[DatasetLine], epochs: Sequence[DatasetEpoch]) -> str:
    """Does more of the same reach the largest dataset? Of the next largest, by the last epoch."""
    by_size = sorted(range(len(rows)), key=lambda i: (rows[i].size, i))
    if len(by_size) < 2:
        return ""
    last, before = rows[by_size[-1]], rows[by_size[-2]]
    finals, _ = _ends(before.dataset, epochs)
    if np.isnan(last.final) or not finals:
        parts = [f"{one.dataset} ends at {share_words(one.final, (one.lo, one.hi))}" for one in (before, last)]
        quasars = f"{_quasars(epochs):,} held-out quasars"
        return f"{', '.join(parts)} on {quasars}; no bootstrap is finished that would tell labels from their number."
    reached, n, p = rank_p(last.final, finals)
    words = (
        f"{n} bootstrap{'s' if n > 1 else ''} of {before.dataset} at the size of {last.dataset} end at "
        f"{share_words(before.boot_final, (before.boot_lo, before.boot_hi))}, {last.dataset} itself at "
        f"{last.final:.3f} of {_quasars(epochs):,} quasars: "
    )
    if reached:
        reach = "reaches" if reached == 1 else "reach"
        return f"{words}{reached} of {n} {reach} it, so their number may be enough (p {probability(p)})."
    if p > UNLIKELY:
        return f"{words}none reaches it, but {n} are too few to tell (p {probability(p)})."
    return f"{words}the labels, not their number (none of {n} reaches it, p {probability(p)})."


def _quasars(epochs: Sequence[DatasetEpoch]) -> int:
    return epochs[0].tp + epochs[0].fn if epochs else 0


def _notes(record: runs_store.RunRecord, plan: dict[str, Any], epochs: Sequence[DatasetEpoch]) -> tuple[str, ...]:
    finished = len({(e.dataset, e.bootstrap) for e in epochs})
    notes = [
        f"{record.id}: {record.settings['epochs']} epochs each, c > {record.settings['c_threshold']:g}; compl. of the "
        "last epoch, from, to: 95 % Wilson interval; bootstraps drawn with replacement to the size of the largest "
        "dataset: mean, least and most; steps: of the gradient"
    ]
    if finished < plan["trainings"]:
        notes.append(f"{finished} of {plan['trainings']} trainings are finished: {MAKE} --resume {record.id}")
    return (*notes, *plan["skipped"])
