"""Objects seen more than once: how often their class and how much their redshift changes (Figs. 8 and 9)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qnet_tui.errors import BadInput
from qnet_tui.plotting.charts import Chart, Curve, HeatMap, Histogram, LineChart
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.compared import NONE_YET, Compared, compared, nothing_compared, number
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from storage.workspace import Workspace

BY_REDSHIFT, BY_ENTROPY, BY_BOTH = "redshift", "entropy", "old and new"


@dataclass(frozen=True)
class ScatterLine:
    """Mean scatter of z of the objects in one bin of redshift, by one file."""

    file: str
    z_mean: float
    sigma_z: float
    error: float
    median: float
    n: int


@dataclass(frozen=True)
class EntropyLine:
    """Objects with a class entropy from ``entropy`` bits on, by each file (None where there is one file)."""

    entropy: float
    count: int
    count_old: int | None


def open_tab(ws: Workspace, asked: Asked, progress: Progress) -> Tab:  # noqa: ARG001
    """The repeats of the newest comparison, or of that of ``asked.dataset``."""
    found = compared(ws, asked.dataset)
    bys = (BY_REDSHIFT, BY_ENTROPY, *((BY_BOTH,) if found is not None and found.two else ()))
    if asked.by and asked.by not in bys:
        raise BadInput(f"repeats are not shown by {asked.by!r}", mend=f"choose {', '.join(bys)}")
    if found is None:
        return Tab("repeats", _scatter_columns(False), (), asked, empty=NONE_YET, document=_document(None))
    by = asked.by or BY_REDSHIFT
    r = found.figures["repeats"]
    rows = () if not r["objects"] else _scatter_lines(found) if by == BY_REDSHIFT else _entropy_lines(found)
    nobody = (
        "no object is called a quasar in all of its spectra, so none has a scatter of z: --by entropy shows the classes"
        if r["objects"]
        else "no object was seen in two spectra of one kind: ingest spectra- files or coadds of several tiles"
    )
    return Tab(
        name="repeats",
        columns=_scatter_columns(found.two) if by == BY_REDSHIFT else _entropy_columns(found.two),
        rows=rows,
        asked=replace(asked, dataset=found.name, by=by, c_threshold=found.figures["c_threshold"]),
        chart=_chart(found, by) if rows else None,
        says=says(found.figures) if r["objects"] else "",
        notes=(
            *found.notes(asked.c_threshold),
            "of one object only exposures, or only coadds where it has less than two exposures; sigma_z: mean of the "
            "standard deviations of z of objects that are called quasars in every spectrum; entropy of QSO and NOT",
        ),
        datasets=found.names,
        bys=bys,
        empty="" if rows else nothing_compared(found.figures) or nobody,
        document=_document(found.figures),
    )


def says(f: dict[str, Any]) -> str:
    """The sentence that a reader should take away of the repeats of a comparison."""
    r = f["repeats"]
    new = r["new"]
    words = f"Of {r['objects']:,} objects seen more than once {_inconsistent(new)} change their class"
    if "old" not in r:
        return f"{words}; the redshifts of {new['consistent_quasars']:,} steady quasars scatter by {_scatter(new)}."
    old = r["old"]
    return (
        f"{words} with the new file and {_inconsistent(old)} with the old one; the redshifts of steady quasars scatter "
        f"by {_scatter(new)} ({new['consistent_quasars']:,}), and {_scatter(old)} ({old['consistent_quasars']:,})."
    )


def _inconsistent(one: dict[str, Any]) -> str:
    lo, hi = 100 * number(one["lo"]), 100 * number(one["hi"])
    return f"{one['inconsistent']:,} ({lo:.1f}-{hi:.1f} %)"


def _scatter(one: dict[str, Any]) -> str:
    mean, median = one["mean_sigma_z"], one["median_sigma_z"]
    return "an unknown amount" if mean is None else f"{mean:.4f}, median {median:.4f}"


def _scatter_columns(two: bool) -> tuple[Column, ...]:
    return (
        *((Column("file", "file"),) if two else ()), Column("z_mean", "z", 2), Column("sigma_z", "sigma_z", 4),
        Column("error", "+-", 4, need=1), Column("n", "n"), Column("median", "median", 4, need=2),
    )  # fmt: skip


def _entropy_columns(two: bool) -> tuple[Column, ...]:
    columns = (Column("entropy", "entropy >= (bit)", 2), Column("count", "objects, new" if two else "objects"))
    return (*columns, Column("count_old", "objects, old")) if two else columns


def _scatter_lines(found: Compared) -> list[ScatterLine]:
    keys = ("z_mean", "sigma_z", "error", "median")
    return [
        ScatterLine(b["file"], **{key: number(b[key]) for key in keys}, n=b["n"])
        for b in found.figures["repeats"]["sigma_z"]
    ]


def _entropy_lines(found: Compared) -> list[EntropyLine]:
    of = {who: [b for b in found.figures["repeats"]["entropy"] if b["file"] == who] for who in ("new", "old")}
    old = [b["count"] for b in of["old"]] or [None] * len(of["new"])
    return [EntropyLine(b["entropy"], b["count"], n) for b, n in zip(of["new"], old, strict=True)]


def _chart(found: Compared, by: str) -> Chart:
    r = found.figures["repeats"]
    who = [w for w in ("new", "old") if w in r]
    if by == BY_BOTH:
        plane = np.asarray(r["entropy_plane"], dtype=np.float64)[::-1]
        values = np.where(plane > 0, plane, np.nan)
        label = "objects; up: entropy of the new file, right: of the old, 0-1 bit"
        return HeatMap(values, np.zeros(values.shape, dtype=bool), label)
    if by == BY_ENTROPY:
        bins = [b for b in r["entropy"] if b["file"] == "new"]
        edges = np.array([*(b["entropy"] for b in bins), 1.0])
        series = tuple(
            (found.file(w), np.array([b["count"] for b in r["entropy"] if b["file"] == w], dtype=np.int64)) for w in who
        )
        return Histogram(edges, series, "class entropy, bit", log_counts=True)
    curves = []
    for w in who:
        bins = [b for b in r["sigma_z"] if b["file"] == w]
        z, s, e = (np.array([number(b[key]) for b in bins]) for key in ("z_mean", "sigma_z", "error"))
        e = np.nan_to_num(e)
        curves.append(Curve(found.file(w), z, s, stroke="solid" if w == "new" else "dashed", lo=s - e, hi=s + e))
    return LineChart(tuple(curves), "mean z", "mean standard deviation of z")


def _document(f: dict[str, Any] | None) -> dict[str, Any]:
    """What ``--json`` prints: both tables, "file" saying whose they are."""
    if f is None:
        return {"sigma_z": [], "entropy": []}
    r = f["repeats"]
    return {"sigma_z": r["sigma_z"], "entropy": r["entropy"]} | {
        name: one for name, one in r.items() if name not in ("sigma_z", "entropy")
    }
