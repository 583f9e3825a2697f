"""Completeness against purity as the confidence threshold moves (Fig. 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qnet_tui.evaluation.thresholds import N_THRESHOLDS, AtPurity, average_precision, completeness_at_purity
from qnet_tui.evaluation.thresholds import threshold_curve as curve_of
from qnet_tui.plotting.charts import Curve, LineChart
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.completeness import EMPTY, counts_of, share_words, unlike
from qnet_tui.workflows.review.measured import Measured, chosen, comparable, measured, newest_two, unread, why_different
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from qnet_tui.workflows.validation_answers import HeldOutAnswers
from storage.workspace import Workspace

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)

EQUAL_PURITY = 0.95
"""Purity at which completeness is compared (C@P95)."""

_STEPS_WITH_REDSHIFT = 101
"""With a condition on the redshift a committee's medians differ at each threshold, so the curve has fewer points."""

_LEFT, _RIGHT = 0.5, 1.01
"""Axes of the paper's figure."""


@dataclass(frozen=True)
class ThresholdLine:
    """Completeness and purity at one confidence threshold, with counts and 95 % Wilson intervals.

    ``working``: the threshold in use. Purity is NaN where nothing is called.
    """

    dataset: str
    c_threshold: float
    completeness: float
    purity: float
    tp: int
    fp: int
    fn: int
    working: bool
    lo: float
    hi: float
    purity_lo: float
    purity_hi: float


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:
    """Every trained network and every committee at thresholds from 0.05 to 0.99, strictly above."""
    every = measured(ws)
    some = chosen(every, asked)
    if ":" in asked.dataset:
        comparable(*some, force=asked.force)
    thresholds = tuple(sorted({*THRESHOLDS, asked.c_threshold}))
    rows: list[ThresholdLine] = []
    readable = [one for one in some if one.answers is not None]
    for k, one in enumerate(readable):
        assert one.answers is not None
        rows += [_line(one.name, one.answers, replace(asked, c_threshold=c), asked.c_threshold) for c in thresholds]
        if one.committee:
            progress("reading the answers of committees", k + 1, len(readable))
    condition = "" if asked.dv_max is None else f"; found and right need |dv| <= {asked.dv_max:g} km/s"
    why = next((one.why_not for one in reversed(some) if one.why_not), EMPTY)
    return Tab(
        name="thresholds",
        columns=(
            Column("dataset", "dataset", need=1), Column("c_threshold", "c >", 2), Column("working", "working"),
            Column("completeness", "compl."), Column("lo", "from", need=2), Column("hi", "to", need=2),
            Column("purity", "purity"), Column("purity_lo", "from", need=3), Column("purity_hi", "to", need=3),
            Column("tp", "tp", need=1), Column("fp", "fp", need=1), Column("fn", "fn", need=1),
        ),
        rows=rows,
        asked=asked,
        chart=_chart(readable, asked),
        says=_sentence(some, asked),
        notes=(
            "a line must exceed the threshold, strictly; of a committee in most of its networks" + condition,
            *unlike(some), *unread(some),
        ) if rows else (),
        datasets=tuple(one.name for one in every),
        thresholds=thresholds,
        empty="" if rows else why,
    )  # fmt: skip


def _line(name: str, said: HeldOutAnswers, asked: Asked, working: float) -> ThresholdLine:
    k = counts_of(said, asked)
    return ThresholdLine(
        name, asked.c_threshold, k.completeness, k.purity, k.tp, k.n_predicted - k.right, k.fn,
        asked.c_threshold == working, *k.completeness_interval, *k.purity_interval,
    )  # fmt: skip


def _chart(readable: Sequence[Measured], asked: Asked) -> LineChart | None:
    """Purity against completeness of those that may be compared with the newest, a dot at the working threshold."""
    shown = [one for one in readable if one.hash == readable[-1].hash]
    curves = []
    for group, one in enumerate(shown):
        assert one.answers is not None
        purity, completeness = _curve(one.answers, asked)
        at = counts_of(one.answers, asked)
        dot = None if np.isnan(at.purity) or np.isnan(at.completeness) else (at.purity, at.completeness)
        curves.append(Curve(one.name, purity, completeness, dot=dot, group=group))
    if not curves:
        return None
    dots = [curve.dot for curve in curves if curve.dot is not None]
    return LineChart(
        tuple(curves), "purity", "completeness",
        x_range=(_low([x for x, _ in dots]), _RIGHT), y_range=(_low([y for _, y in dots]), _RIGHT),
    )  # fmt: skip


def _curve(said: HeldOutAnswers, asked: Asked) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(purity, completeness) from the lowest threshold to the highest, f8 (m,) each, NaN where nothing is called."""
    if asked.dv_max is None:
        curve = curve_of(said.decides, said.is_qso, np.linspace(0.0, 1.0, N_THRESHOLDS))
        return curve.purity, curve.completeness
    steps = np.linspace(0.0, 1.0, _STEPS_WITH_REDSHIFT)
    counts = [counts_of(said, replace(asked, c_threshold=float(c))) for c in steps]
    return np.array([k.purity for k in counts]), np.array([k.completeness for k in counts])


def _low(values: Sequence[float]) -> float:
    """Where an axis begins: at 0.5 as in the paper, further out by tenths where a working point lies there."""
    least = min(values, default=_LEFT)
    return _LEFT if least >= _LEFT else max(0.0, float(np.floor(10 * least) / 10))


def _sentence(some: Sequence[Measured], asked: Asked) -> str:
    """What the working point costs, and where equal purity would put the threshold."""
    two = list(some) if ":" in asked.dataset else newest_two(some)
    if not two:
        return ""
    new = two[0]
    assert new.answers is not None
    k = counts_of(new.answers, asked)
    words = (
        f"{new.name} at c > {asked.c_threshold:g}: "
        f"completeness {share_words(k.completeness, k.completeness_interval)}, "
        f"purity {share_words(k.purity, k.purity_interval)}; it misses {k.fn:,} of {k.n_true:,} quasars and is wrong "
        f"in {k.n_predicted - k.right:,} of {k.n_predicted:,} calls"
    )
    if asked.dv_max is not None or not k.n_true:
        return f"{words}."
    at_purity = _at_purity(completeness_at_purity(new.answers.decides, new.answers.is_qso, EQUAL_PURITY))
    area = average_precision(new.answers.decides, new.answers.is_qso)
    words += f". {at_purity}; area under the curve {area:.3f}"
    if len(two) == 2 and (asked.force or not why_different(*two)):
        _, old = comparable(*two, force=asked.force)
        other = completeness_at_purity(old.decides, old.is_qso, EQUAL_PURITY)
        there = "never pure to that" if other is None else f"{other.completeness:.3f} at c > {other.c_threshold:.3f}"
        words += f"; {two[1].name} there {there}, area {average_precision(old.decides, old.is_qso):.3f}"
    return f"{words}."


def _at_purity(point: AtPurity | None) -> str:
    if point is None:
        return f"No threshold reaches a purity of {100 * EQUAL_PURITY:g} %"
    found = f"{point.completeness:.3f}, {point.tp:,} of {point.tp + point.fn:,}"
    return f"A purity of {100 * EQUAL_PURITY:g} % is reached at c > {point.c_threshold:.3f} with completeness {found}"
