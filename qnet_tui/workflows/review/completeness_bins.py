"""Completeness and purity of final networks and committees in bins of redshift, magnitude or S/N.

By redshift completeness is binned in the true and purity in the predicted one, as in Farr et al. 2020; by r magnitude
and S/N both are binned in what was observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.evaluation.classification import BinCounts, by_bins, redshift_edges
from qnet_tui.evaluation.intervals import wilson
from qnet_tui.plotting.charts import Curve, LineChart
from qnet_tui.workflows.review.completeness import share_words, unlike
from qnet_tui.workflows.review.measured import Measured, unread
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from qnet_tui.workflows.validation_answers import HeldOutAnswers

SNR_EDGES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Of the median S/N per pixel; a bin below and one above are added where spectra need them."""

ENOUGH = 10
"""Quasars in a bin of which the sentence may speak."""

_WORDS = {"z": "z", "magnitude": "r magnitude", "snr": "S/N"}


@dataclass(frozen=True)
class BinLine:
    """One bin [bin_from, bin_to): ``tp`` of ``quasars`` found; ``fp`` of ``called`` calls are wrong.

    By redshift the calls of a bin are those with a predicted redshift in it, so they need not be its quasars.
    """

    dataset: str
    epoch: int | None
    by: str
    bin_from: float
    bin_to: float
    completeness: float
    purity: float
    tp: int
    fp: int
    fn: int
    lo: float
    hi: float
    purity_lo: float
    purity_hi: float
    quasars: int
    called: int
    validation: str


def binned_tab(some: Sequence[Measured], asked: Asked) -> Tab:
    """The tab by ``asked.by``: final networks and committees only, for no epoch but the last left its answers."""
    readable = [one for one in some if one.answers is not None]
    newest = readable[-1].hash if readable else ""
    rows: list[BinLine] = []
    curves: list[Curve] = []
    outside: dict[str, int] = {}
    for one in readable:
        assert one.answers is not None
        mine = [_line(one, asked.by, counts) for counts in bins_of(one.answers, asked)]
        outside[one.hash] = one.answers.is_qso.sum() - sum(line.quasars for line in mine)
        rows += mine
        if one.hash == newest and mine:
            # Bands of several lie on each other: only the newest has one.
            curves.append(_curve(one.name, mine, len(curves), band=one is readable[-1]))
    words = _WORDS[asked.by]
    return Tab(
        name="completeness",
        columns=(
            Column("dataset", "dataset", need=1), Column("bin_from", f"{words} from", 2), Column("bin_to", "to", 2),
            Column("completeness", "compl."), Column("lo", "from", need=2), Column("hi", "to", need=2),
            Column("quasars", "quasars", need=1), Column("purity", "purity"), Column("purity_lo", "from", need=3),
            Column("purity_hi", "to", need=3), Column("tp", "tp", need=3), Column("fp", "fp", need=3),
            Column("fn", "fn", need=3), Column("called", "called", need=4),
        ),
        rows=rows,
        asked=asked,
        chart=LineChart(tuple(curves), words, "completeness", y_range=(0.0, 1.0)) if curves else None,
        says=_sentence(readable[-1], rows, words) if readable else "",
        notes=(*_notes(asked, outside.get(newest, 0)), *unlike(some), *unread(some)),
        document=[_as_document(line) for line in rows],
    )  # fmt: skip


def bins_of(said: HeldOutAnswers, asked: Asked) -> list[BinCounts]:
    """Counts in the bins that have a quasar or a call."""
    z = said.zbest(asked.c_threshold)
    observed: ArrayLike = said.mag_r if asked.by == "magnitude" else said.snr
    by_z = asked.by == "z"
    edges = _edges(asked.by, said)
    if len(edges) < 2:
        return []
    counts = by_bins(
        said.called(asked.c_threshold), said.is_qso, edges, completeness_value=said.z if by_z else observed,
        purity_value=z if by_z else observed, z_pred=z, z_true=said.z, dv_max=asked.dv_max,
    )  # fmt: skip
    return [one for one in counts if one.n_true or one.n_predicted]


def _edges(by: str, said: HeldOutAnswers) -> NDArray[np.float64]:
    """Rising edges that hold every value, [] where nothing is known: dz 0.5, magnitudes of 1, S/N by factors of 2."""
    if by == "z":
        # Whatever may be predicted for a quasar lies below 8: Lyman alpha at the end of the grid is 7.2.
        return np.concatenate([[-1.0], redshift_edges(8.0, 0.5)])
    values = (said.mag_r if by == "magnitude" else said.snr).astype(np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return np.empty(0)
    low, high = float(values.min()), float(values.max())
    if by == "magnitude":
        return np.arange(np.floor(low), np.floor(high) + 2.0)
    inner = np.array(SNR_EDGES)
    below = [np.floor(low)] if low < inner[0] else []
    above = [np.floor(high) + 1.0] if high >= inner[-1] else []
    return np.concatenate([below, inner, above])


def _line(one: Measured, by: str, counts: BinCounts) -> BinLine:
    (lo, hi), (plo, phi) = counts.completeness_interval, counts.purity_interval
    return BinLine(
        one.name, one.kept_epoch, by, counts.lo, counts.hi, counts.completeness, counts.purity, counts.tp,
        counts.n_predicted - counts.right, counts.n_true - counts.tp, lo, hi, plo, phi, counts.n_true,
        counts.n_predicted, one.hash,
    )  # fmt: skip


def _curve(name: str, lines: Sequence[BinLine], group: int, *, band: bool) -> Curve:
    return Curve(
        name,
        np.array([(line.bin_from + line.bin_to) / 2 for line in lines]),
        np.array([line.completeness for line in lines]),
        lo=np.array([line.lo for line in lines]) if band else None,
        hi=np.array([line.hi for line in lines]) if band else None,
        group=group,
    )


def _sentence(one: Measured, rows: Sequence[BinLine], words: str) -> str:
    """Where the newest misses most, against everywhere else."""
    mine = [line for line in rows if line.dataset == one.name]
    enough = [line for line in mine if line.quasars >= ENOUGH]
    tp, quasars = sum(line.tp for line in mine), sum(line.quasars for line in mine)
    if not quasars:
        return f"{one.name}: no held-out quasar has a known {words}."
    if tp == quasars:
        return f"{one.name} misses none of {quasars:,} quasars: {share_words(1.0, wilson(tp, quasars))}."
    if len(enough) < 2:
        return (
            f"{one.name} finds {share_words(tp / quasars, wilson(tp, quasars))} of {quasars:,} quasars; fewer than two "
            f"bins have {ENOUGH} of them, so nothing can be said by {words}."
        )
    worst = min(enough, key=lambda line: line.completeness)
    rest, found = quasars - worst.quasars, tp - worst.tp
    return (
        f"{one.name} misses most at {words} {worst.bin_from:g}–{worst.bin_to:g}: "
        f"{share_words(worst.completeness, (worst.lo, worst.hi))} of {worst.quasars:,} quasars, "
        f"elsewhere {share_words(found / rest, wilson(found, rest))} of {rest:,}."
    )


def _notes(asked: Asked, outside: int) -> tuple[str, ...]:
    how = "completeness by true z, purity by predicted z" if asked.by == "z" else "bins hold their lower edge"
    condition = "" if asked.dv_max is None else f", |dv| <= {asked.dv_max:g} km/s (the definition of 2018)"
    notes = [f"final networks and committees at c > {asked.c_threshold:g}{condition}; {how}; 95 % Wilson intervals"]
    if outside:
        words = "quasar is" if outside == 1 else "quasars are"
        notes.append(f"{outside:,} {words} in no bin, for the {_WORDS[asked.by]} is not known")
    return tuple(notes)


def _as_document(line: BinLine) -> dict[str, object]:
    return {{"bin_from": "from", "bin_to": "to"}.get(key, key): value for key, value in asdict(line).items()}
