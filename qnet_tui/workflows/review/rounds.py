"""The rounds of a campaign: what each asked, what came back, how good its committee is; and what a study found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.plotting.charts import Curve, LineChart
from qnet_tui.truth.classes import is_good
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.committees import compared
from qnet_tui.workflows.review.studies import StudyPoint, study_points
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from storage.workspace import Workspace

_COLUMNS = (
    Column("round", "round"), Column("state", "state", need=2), Column("run", "run", need=4),
    Column("strategy", "strategy", need=1), Column("networks", "networks", need=4), Column("asked", "asked", need=2),
    Column("voted", "voted", need=3), Column("merged", "merged", need=3), Column("trainable", "trainable", need=4),
    Column("labels", "labels"), Column("completeness", "compl."), Column("purity", "purity"),
)  # fmt: skip


@dataclass(frozen=True)
class RoundLine:
    """One round: what was asked, what came back, how good its committee is.

    A line of the state "study" is a round of a study (run ``run``): the mean of its repetitions with one strategy.
    """

    round: int
    state: str
    run: str
    strategy: str
    networks: int
    asked: int
    voted: int
    merged: int
    trainable: int
    labels: int
    completeness: float | None
    purity: float | None
    validation: dict[str, Any] | None


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:  # noqa: ARG001
    """Every round, newest first, and what studies found at the same numbers of labels."""
    lines, points = round_lines(ws), study_points(ws)
    measured = [line for line in lines if line.validation]
    words = [*([compared(ws, measured)] if measured else []), *([_study_says(points)] if points else [])]
    notes = [
        "compl., purity: the committee on the held-out objects; quasar = most networks say so at c > 0.95;"
        " labels: trained on; trainable: quality >= 2.5"
    ]
    if points:
        notes.append(
            "study: means over the networks of a committee and over repetitions, each a campaign replayed on known"
            " truth; labels: what it began with and what it asked for"
        )
    return Tab(
        name="rounds",
        columns=_COLUMNS,
        rows=[*lines, *map(_study_line, points)],
        asked=asked,
        chart=_chart(measured, points),
        says=" ".join(words) or "No committee was measured on held-out truth yet.",
        notes=tuple(notes),
    )


def round_lines(ws: Workspace) -> list[RoundLine]:
    """Every round, newest first, those that are being made too, and round 0 (the imported truth) last."""
    made = [run for run in runs_store.runs(ws) if run.verb == "run-al" and run.round]
    # The newest run of a round is the one that counts; they come newest first.
    runs = {int(run.round or 0): run for run in reversed(made)}
    summaries = {summary.round: summary for summary in rounds_store.rounds(ws)}
    out = []
    for number in sorted({*summaries, *runs}, reverse=True):
        run, summary = runs.get(number), summaries.get(number)
        asked = summary.selected if summary else 0
        merged = summary.merged if summary else 0
        # A given list, a random draw and an import are rounds that no run made.
        state = "merged" if asked and merged == asked else "labelling" if asked or not run else run.state.lower()
        result = (run.result if run else None) or {}
        validation = result.get("validation")
        out.append(RoundLine(
            round=number, state=state, run=run.id if run else "",
            strategy=str(run.settings["strategy"]) if run else summary.strategy if summary else "",
            networks=int(result.get("networks", 0)), asked=asked, voted=summary.fully_voted if summary else 0,
            merged=merged, trainable=sum(1 for m in merges_store.merges(ws, number) if m.quality >= 2.5),
            labels=int(result.get("training", 0)), completeness=validation["completeness"] if validation else None,
            purity=validation["purity"] if validation else None, validation=validation,
        ))  # fmt: skip
    secure = int(is_good(truth_store.current_truth(ws, 0)["quality"]).sum())
    out.append(RoundLine(0, "truth", "", "", 0, 0, 0, 0, secure, secure, None, None, None))
    return out


def _study_line(point: StudyPoint) -> RoundLine:
    return RoundLine(
        round=point.round, state="study", run=point.run, strategy=point.name, networks=0, asked=0, voted=0, merged=0,
        trainable=0, labels=round(point.labels), completeness=point.completeness, purity=point.purity, validation=None,
    )  # fmt: skip


def _chart(measured: Sequence[RoundLine], points: Sequence[StudyPoint]) -> LineChart | None:
    curves = []
    known = [line for line in reversed(measured) if line.validation]
    if known:
        intervals = [line.validation["completeness_interval"] for line in known if line.validation]
        curves.append(Curve(
            "rounds", np.array([float(line.labels) for line in known]),
            np.array([_number(line.completeness) for line in known]), stroke="solid" if len(known) > 1 else "dots",
            lo=np.array([_number(lo) for lo, _ in intervals]), hi=np.array([_number(hi) for _, hi in intervals]),
        ))  # fmt: skip
    for run, name in dict.fromkeys((p.run, p.name) for p in points):
        mine = sorted((p for p in points if (p.run, p.name) == (run, name)), key=lambda p: p.labels)
        label = name if len({p.run for p in points}) == 1 else f"{name} {run}"
        curves.append(Curve(
            label, np.array([p.labels for p in mine]), np.array([p.completeness for p in mine]),
            stroke="dashed" if name.startswith("random") else "solid",
            lo=np.array([p.lo for p in mine]), hi=np.array([p.hi for p in mine]),
        ))  # fmt: skip
    if not curves:
        return None
    values = np.concatenate([of for c in curves for of in (c.y, c.lo, c.hi) if of is not None])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    room = max(0.02, 0.05 * (high - low))
    return LineChart(
        tuple(curves), "labels trained on", "completeness", y_range=(max(0.0, low - room), min(1.0, high + room))
    )


def _study_says(points: Sequence[StudyPoint]) -> str:
    """The best strategy of the newest study against random labels, at the most labels that both were given."""
    run = points[0].run
    here = [p for p in points if p.run == run]
    random = {round(p.labels): p for p in here if p.name.startswith("random")}
    others = [p for p in here if not p.name.startswith("random") and round(p.labels) in random]
    if not others:
        return f"Study {run} has no random labels to compare with."
    most = max(round(p.labels) for p in others)
    final = [p for p in others if round(p.labels) == most]
    best = max(final, key=lambda p: p.completeness)
    among = f" (the best of {len(final)})" if len(final) > 1 else ""
    base = random[most]
    return (
        f"Study {run}, {most:,} labels: {best.name}{among} finds {best.completeness:.3f} "
        f"({best.lo:.3f}–{best.hi:.3f}), as many random ones {base.completeness:.3f} ({base.lo:.3f}–{base.hi:.3f}; "
        f"means of {best.n} and {base.n} repetitions, with their range)."
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
