"""Two weights files on the same objects: agreement, line confusion, box pull (Fig. 10, Table 1)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qnet_tui.evaluation.box_pull import POOLED
from qnet_tui.evaluation.recession import DEFAULT_CUTS
from qnet_tui.plotting.charts import Curve, LineChart
from qnet_tui.quasarnet.lines import LINE_NAMES, LINES
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.compared import NONE_YET, Compared, compared, nothing_compared, number
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from qnet_tui.workflows.weights_comparison import read_points
from storage.workspace import Workspace

# Short, so that figure, count and value fit beside a chart in 80 columns.
_CHANGES = {
    "both": "both: quasar",
    "only_new": "only new: quasar",
    "only_old": "only old: quasar",
    "neither": "neither",
}
_BETWEEN = {"new against old": "new-old", "new against truth": "new", "old against truth": "old"}
_DRAWN = 2000
"""Points drawn: with more a chart of 80 columns is one grey field."""
_SHORT = {name: short for (name, _), short in zip(LINES, LINE_NAMES, strict=True)}


@dataclass(frozen=True)
class WeightsLine:
    """One figure of the comparison: a count with its share and interval, or an amplitude in km/s; ``value`` is either.

    ``truth`` of those counted have a truth, and the new file is right for ``new_right`` of them, the old one for
    ``old_right``. ``by_lines``: the exchanges that the networks' own lines say. ``chance`` is the amplitude without any
    pull.
    """

    figure: str
    n: int
    value: str = ""
    share: float = float("nan")
    lo: float = float("nan")
    hi: float = float("nan")
    kms: float = float("nan")
    error: float = float("nan")
    chance: float = float("nan")
    by_lines: int | None = None
    truth: int | None = None
    new_right: int | None = None
    old_right: int | None = None


_COLUMNS = (
    Column("figure", "figure"), Column("n", "n"), Column("value", "value"), Column("error", "+-", 0, need=1),
    Column("lo", "from", need=1), Column("hi", "to", need=1), Column("chance", "chance", 0, need=2),
    Column("by_lines", "by lines", need=2), Column("truth", "with truth", need=3),
    Column("new_right", "new right", need=3), Column("old_right", "old right", need=3),
)  # fmt: skip


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:  # noqa: ARG001
    """The newest comparison, or that of ``asked.dataset``."""
    found = compared(ws, asked.dataset)
    if found is None:
        return Tab("weights", _COLUMNS, (), asked, empty=NONE_YET, document=_document(None))
    f = found.figures
    return Tab(
        name="weights",
        columns=_COLUMNS,
        rows=_lines(f),
        asked=replace(asked, dataset=found.name, c_threshold=f["c_threshold"]),
        chart=_chart(ws, found),
        says=says(f),
        notes=(*found.notes(asked.c_threshold), *_notes(f)),
        datasets=found.names,
        document=_document(f),
    )


def says(f: dict[str, Any]) -> str:
    """The sentence that a reader should take away of the figures of a comparison."""
    if why := nothing_compared(f):
        return f"{why[0].upper()}{why[1:]}."
    pulls = {p["between"]: p for p in f["box_pull"] if p["line"] == POOLED}
    if f["agreement"]:
        a = next(one for one in f["agreement"] if one["within_kms"] == DEFAULT_CUTS[-1])
        if not a["n"]:
            return f"No object of {f['objects']:,} is called a quasar by both files."
        first = (
            f"Of {a['n']:,} objects that both call a quasar {100 * a['fraction']:.1f} % "
            f"({100 * a['lo']:.1f}-{100 * a['hi']:.1f}) agree within {a['within_kms']:.0f} km/s"
        )
        new, old = pulls["new against truth"], pulls["old against truth"]
        if _known(new) and _known(old):
            by_chance = f"{new['chance_kms']:.0f} and {old['chance_kms']:.0f}"
            return f"{first}; box pull {_amplitude(new)} against {_amplitude(old)} km/s (by chance {by_chance})."
        between = pulls["new against old"]
        return f"{first}" + (f"; box pull between them {_amplitude(between)} km/s." if _known(between) else ".")
    new = pulls["new against truth"]
    if not _known(new):
        return (
            f"The truth has {f['truth_quasars']:,} quasars to measure box pull on, too few; "
            f"{f['repeats']['objects']:,} objects were seen more than once."
        )
    return (
        f"Box pull {_amplitude(new)} km/s on {new['n']:,} lines of {new['objects']:,} quasars; by chance it would be "
        f"{new['chance_kms']:.0f}."
    )


def _known(pull: dict[str, Any]) -> bool:
    return pull["amplitude_kms"] is not None


def _amplitude(pull: dict[str, Any]) -> str:
    return f"{pull['amplitude_kms']:.0f} ± {number(pull['uncertainty_kms']):.0f}"


def _lines(f: dict[str, Any]) -> list[WeightsLine]:
    out = [_counted(f"within {a['within_kms']:.0f} km/s", a["k"], a) for a in f["agreement"]]
    out += [
        _counted(
            _CHANGES[c["change"]], c["count"], c,
            truth=c["with_truth"], new_right=c["new_right"], old_right=c["old_right"],
        )
        for c in f["classes"]
    ]  # fmt: skip
    pooled = [p for p in f["box_pull"] if p["line"] == POOLED]
    out += [_pull(p) for p in pooled]
    for c in f["confusion"]:
        if c["count"] or not c["new"]:
            pair = f"{_SHORT[c['old']]} -> {_SHORT[c['new']]}" if c["new"] else "no exchange"
            out.append(WeightsLine(pair, c["count"], by_lines=c["by_lines"]))
    return out + [_pull(p) for p in f["box_pull"] if p["line"] != POOLED]


def _pull(p: dict[str, Any]) -> WeightsLine:
    kms, error, chance = (number(p[key]) for key in ("amplitude_kms", "uncertainty_kms", "chance_kms"))
    name = f"pull {_SHORT.get(p['line'], 'all')}, {_BETWEEN[p['between']]}"
    return WeightsLine(name, p["n"], f"{kms:.0f}" if _known(p) else "", kms=kms, error=error, chance=chance)


def _counted(figure: str, n: int, of: dict[str, Any], **more: int) -> WeightsLine:
    share = number(of["fraction"])
    return WeightsLine(
        figure, n, "" if np.isnan(share) else f"{share:.3f}", share, number(of["lo"]), number(of["hi"]), **more
    )


def _notes(f: dict[str, Any]) -> tuple[str, ...]:
    out = []
    if f["agreement"]:
        out.append(
            "agreement in recession velocity (the paper's cosmology); the cuts and the width of a confusion "
            f"({f['confusion_width_kms']:.0f} km/s) are not from the paper; confused are those that differ by more "
            f"than {f['agreement_cut_kms']:.0f} km/s; by lines: by the lines that the networks decided on"
        )
    out.append(
        "pull in km/s: half peak-to-peak of two harmonics of the median velocity against the phase in the box; new and "
        "old against the truth, new-old between them; lines with c > 0.5 that are off by less than 6000 km/s; +- from "
        "a bootstrap of the objects; chance: the same without any pull"
    )
    held_out = f["truth_role"] == "validation"
    out.append(
        f"truth: {f['truth_objects']:,} objects, {f['truth_quasars']:,} quasars, "
        + ("held out from training here" if held_out else "also objects that the networks may have been trained on")
    )
    return tuple(out)


def _chart(ws: Workspace, found: Compared) -> LineChart | None:
    points = read_points(ws, found.run)
    if not points or not len(points["z"]):
        return None
    z, dv = points["z"], points["dv"]
    lo, hi = np.quantile(z, [0.002, 0.998]).tolist()
    pad = 0.02 * max(hi - lo, 0.1)
    lo, hi = lo - pad, hi + pad
    edges = found.figures["box_edges"]
    reference, what = ("old", "new - old") if found.two else ("truth", "new - truth")
    top = 1.25 * DEFAULT_CUTS[-1]
    outside = int(np.count_nonzero((np.abs(dv) > top) | (z < lo) | (z > hi)))
    thin = 1 + len(z) // _DRAWN  # The points are drawn at random: every third is as good a sample.
    beyond = f", {outside:,} of {len(z):,} outside" if outside else ""
    return LineChart(
        curves=(
            Curve("", z[::thin], dv[::thin], stroke="dots", faint=True),
            Curve("median", points["z_median"], points["dv_median"]),
        ),
        x_label=f"z, {reference}; box edges: {_SHORT[edges['line']]}",
        y_label=f"velocity {what}, km/s{beyond}",
        x_range=(lo, hi),
        y_range=(-top, top),
        verticals=tuple((edge, "") for edge in edges["z"] if lo < edge < hi),
        horizontals=tuple((sign * cut, f"{sign * cut:+.0f}") for cut in DEFAULT_CUTS for sign in (1, -1)),
    )


def _document(f: dict[str, Any] | None) -> dict[str, Any]:
    """What ``--json`` prints: the three tables, and what they rest on."""
    if f is None:
        return {"agreement": [], "confusion": [], "box_pull": []}
    first = ("agreement", "confusion", "box_pull")
    return {name: f[name] for name in first} | {name: one for name, one in f.items() if name not in (*first, "repeats")}
