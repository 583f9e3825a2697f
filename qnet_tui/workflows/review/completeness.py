"""Completeness and purity on the held-out objects, with counts and intervals: per epoch, per committee (Fig. 5).

By redshift, magnitude or S/N: :mod:`qnet_tui.workflows.review.completeness_bins`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from qnet_tui.errors import BadInput
from qnet_tui.evaluation.classification import ClassificationCounts, completeness_purity
from qnet_tui.evaluation.paired import mcnemar
from qnet_tui.plotting.charts import Curve, LineChart
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.measured import Measured, chosen, comparable, measured, newest_two, unread, why_different
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from qnet_tui.workflows.validation_answers import HeldOutAnswers
from storage.workspace import Workspace

BYS = ("epoch", "z", "magnitude", "snr")
"""What completeness is shown against."""

THRESHOLDS = (0.5, 0.95, 0.99)
"""In use: the pipeline's, the paper's, that of recent catalogues (algorithm.md 5)."""

EMPTY = "nothing was measured yet: hold out truth (qnet truth split), then qnet train or qnet run-al"


@dataclass(frozen=True)
class CompletenessLine:
    """Completeness and purity with counts and 95 % Wilson intervals.

    ``epoch`` None: a committee. ``size`` spectra trained on, ``validation`` names the set of held-out objects.
    """

    dataset: str
    epoch: int | None
    completeness: float
    purity: float
    tp: int
    fp: int
    fn: int
    lo: float
    hi: float
    purity_lo: float
    purity_hi: float
    c_threshold: float
    size: int | None
    validation: str


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:  # noqa: ARG001
    """Every epoch of every training, and the committee of every round, on the validation objects.

    Epochs were counted at the threshold of their training and without a redshift: where another threshold is asked for,
    or ``dv_max``, there are the final networks and the committees only.
    """
    asked = replace(asked, by=asked.by or "epoch")
    if asked.by not in BYS:
        raise BadInput(f"completeness is not shown by {asked.by!r}", mend=f"choose {', '.join(BYS)}")
    every = measured(ws)
    some = chosen(every, asked)
    if ":" in asked.dataset:
        comparable(*some, force=asked.force)
    if asked.by != "epoch":
        from qnet_tui.workflows.review.completeness_bins import binned_tab

        tab = binned_tab(some, asked)
    else:
        rows = [line for one in some for line in lines_of(one, asked)]
        tab = Tab(
            name="completeness", columns=_columns(), rows=rows, asked=asked, chart=_chart(some, rows),
            notes=_notes(some, asked),
        )  # fmt: skip
    thresholds = {asked.c_threshold, *(one.c_threshold for one in every), *THRESHOLDS}
    return replace(
        tab,
        says=tab.says or sentence(some, asked),
        datasets=tuple(one.name for one in every),
        bys=BYS,
        thresholds=tuple(sorted(thresholds)),
        empty="" if tab.rows else _why_empty(some),
    )


def lines_of(one: Measured, asked: Asked) -> list[CompletenessLine]:
    """The rows of one network or committee."""
    as_trained = one.c_threshold == asked.c_threshold and asked.dv_max is None
    if as_trained and one.committee and one.counts is not None:
        tp, fp, fn = one.counts
        return [_line(one, None, ClassificationCounts(tp=tp, fp=fp, fn=fn, tn=0, right=tp))]
    if as_trained and one.epochs:
        return [
            _line(one, e.epoch, ClassificationCounts(tp=e.tp, fp=e.fp, fn=e.fn, tn=0, right=e.tp)) for e in one.epochs
        ]
    if one.answers is None:
        return []
    return [_line(one, one.kept_epoch, counts_of(one.answers, asked), asked.c_threshold)]


def counts_of(said: HeldOutAnswers, asked: Asked) -> ClassificationCounts:
    """Counts at the threshold asked for, with its condition on the redshift."""
    return completeness_purity(
        said.called(asked.c_threshold), said.is_qso, z_pred=said.zbest(asked.c_threshold), z_true=said.z,
        dv_max=asked.dv_max,
    )  # fmt: skip


def sentence(some: Sequence[Measured], asked: Asked) -> str:
    """What the two newest of one kind say, or the two asked for: who finds how many, and whether that is chance."""
    two = list(some) if ":" in asked.dataset else newest_two(some)
    if len(two) < 2:
        return f"{_finds(two[0], _answers(two[0]), asked)}." if two else ""
    if ":" not in asked.dataset and not asked.force:
        why = why_different(*two)
        if why:
            return f"Not comparable: {why}."
    first, second = comparable(*two, force=asked.force)
    paired = mcnemar(_found(first, asked), _found(second, asked), use=first.is_qso)
    difference = f"{abs(paired.more):,} {'more' if paired.more > 0 else 'fewer'}" if paired.more else "as many"
    other = counts_of(second, asked)
    last = f"{two[1].name} {share_words(other.completeness, other.completeness_interval)}"
    return f"{_finds(two[0], first, asked)}, {last}: {difference}, McNemar p {probability(paired.p)}."


def probability(p: float) -> str:
    """What follows "p": "= 0.003", "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def share_words(share: float, interval: tuple[float, float]) -> str:
    """A share with its interval."""
    return "unknown" if np.isnan(share) else f"{share:.3f} ({interval[0]:.3f}–{interval[1]:.3f})"


def _answers(one: Measured) -> HeldOutAnswers:
    assert one.answers is not None
    return one.answers


def _found(said: HeldOutAnswers, asked: Asked) -> np.typing.NDArray[np.bool_]:
    """Which objects are called a quasar, and at the right redshift where that is asked for."""
    called = said.called(asked.c_threshold)
    if asked.dv_max is None:
        return called
    from qnet_tui.evaluation.redshifts import SPEED_OF_LIGHT_2018, dv_kms

    with np.errstate(invalid="ignore"):
        off = np.abs(dv_kms(said.zbest(asked.c_threshold), said.z, SPEED_OF_LIGHT_2018))
    return called & (off <= asked.dv_max)


def _finds(one: Measured, said: HeldOutAnswers, asked: Asked) -> str:
    counts = counts_of(said, asked)
    share = share_words(counts.completeness, counts.completeness_interval)
    return f"{one.name} finds {share} of {counts.n_true:,} quasars"


def _line(
    one: Measured, epoch: int | None, counts: ClassificationCounts, c_threshold: float | None = None
) -> CompletenessLine:
    (lo, hi), (plo, phi) = counts.completeness_interval, counts.purity_interval
    return CompletenessLine(
        one.name, epoch, counts.completeness, counts.purity, counts.tp, counts.fp, counts.fn, lo, hi, plo, phi,
        one.c_threshold if c_threshold is None else c_threshold, one.size, one.hash,
    )  # fmt: skip


def _chart(some: Sequence[Measured], rows: Sequence[CompletenessLine]) -> LineChart | None:
    """Completeness solid and impurity dashed against the epoch, of what may be compared with the newest.

    Committees are marked heights beside the epochs of networks; where there are only committees, against the round.
    """
    newest = next((line.validation for line in reversed(rows) if line.validation), "")
    alike = {line.dataset for line in rows if line.validation == newest}
    shown = [one for one in some if one.name in alike]
    networks = [one for one in shown if not one.committee]
    curves: list[Curve] = []
    if not networks and shown:
        number = {one.name: float(one.round or 0) for one in shown}
        of_rounds = [line for line in rows if line.dataset in alike]
        curves = _pair("committees", [number[line.dataset] for line in of_rounds], of_rounds, 0)
    for group, one in enumerate(networks):
        mine = [line for line in rows if line.dataset == one.name]
        curves += _pair(one.name, [float(line.epoch or 0) for line in mine], mine, group)
    if not curves:
        return None
    heights = tuple(
        (line.completeness, line.dataset) for line in rows if networks and line.epoch is None and line.dataset in alike
    )
    return LineChart(
        curves=tuple(curves), x_label="epoch" if networks else "round", y_label="completeness; dashed: impurity",
        horizontals=heights,
    )  # fmt: skip


def _pair(name: str, x: Sequence[float], lines: Sequence[CompletenessLine], group: int) -> list[Curve]:
    at = np.array(x, dtype=np.float64)
    completeness = np.array([line.completeness for line in lines], dtype=np.float64)
    impurity = 1.0 - np.array([line.purity for line in lines], dtype=np.float64)
    return [Curve(name, at, completeness, group=group), Curve("", at, impurity, stroke="dashed", group=group)]


def _columns() -> tuple[Column, ...]:
    return (
        Column("dataset", "dataset"), Column("epoch", "epoch"), Column("completeness", "compl."),
        Column("lo", "from", need=2), Column("hi", "to", need=2), Column("purity", "purity"),
        Column("purity_lo", "from", need=3), Column("purity_hi", "to", need=3), Column("tp", "tp", need=1),
        Column("fp", "fp", need=1), Column("fn", "fn", need=1), Column("size", "spectra", need=4),
    )  # fmt: skip


def _notes(some: Sequence[Measured], asked: Asked) -> tuple[str, ...]:
    condition = "no redshift condition" if asked.dv_max is None else f"found also needs |dv| <= {asked.dv_max:g} km/s"
    notes = [
        f"completeness TP/(TP+FN), purity TP/(TP+FP), {condition}; from, to: 95 % Wilson intervals; "
        f"a quasar has a line of c > {asked.c_threshold:g}, for a committee in most of its networks"
    ]
    if asked.dv_max is not None:
        notes.append("epochs were counted without a redshift: only final networks and committees are shown")
    else:
        other = [one for one in some if one.epochs and one.c_threshold != asked.c_threshold]
        thresholds = sorted({one.c_threshold for one in other})
        notes += [
            f"epochs were counted at c > {c:g} (--c-threshold {c:g} shows them); at {asked.c_threshold:g} "
            "there are the final networks" for c in thresholds
        ]  # fmt: skip
    return (*notes, *unlike(some), *unread(some))


def unlike(some: Sequence[Measured]) -> tuple[str, ...]:
    """A note that names those which the chart leaves out because they were measured on other objects."""
    newest = next((one.hash for one in reversed(some) if one.hash), "")
    others = [one.name for one in some if one.hash and one.hash != newest]
    if not others:
        return ()
    return (f"not in the chart, measured on other validation objects or another truth: {', '.join(others)}",)


def _why_empty(some: Sequence[Measured]) -> str:
    why = next((one.why_not for one in reversed(some) if one.why_not), "")
    if why:
        return why
    return "no truth is held out: qnet truth split, then train anew" if some else EMPTY
