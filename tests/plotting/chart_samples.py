"""Charts that look like those of a campaign, and how tests read what was drawn."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from qnet_tui.plotting.charts import Curve, HeatMap, Histogram, LineChart
from qnet_tui.plotting.plotext_charts import draw_chart

SNAPSHOTS = Path(__file__).parent / "snapshots"
EPOCHS = np.arange(1.0, 101.0)


def compare(name: str, cells) -> None:
    """Compare with what it looked like when somebody last looked; QNET_UPDATE_SNAPSHOTS=1 keeps what there is."""
    shown = "\n".join(row.rstrip() for row in cells.text()) + "\n"
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("QNET_UPDATE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def learning_curves() -> LineChart:
    """Completeness and impurity per epoch of three data sets, without noise, so that every machine draws the same."""
    curves = []
    for group, (name, top) in enumerate((("AL 2", 0.947), ("AL 1", 0.931), ("round 0", 0.884))):
        wave = 0.004 * np.sin(EPOCHS * (group + 2) / 3)
        curves.append(Curve(name, EPOCHS, top - 0.1 * np.exp(-EPOCHS / 12) + wave, group=group))
        impurity = 0.02 + 0.006 * group + 0.05 * np.exp(-EPOCHS / 9)
        curves.append(Curve("", EPOCHS, impurity, "dashed", group=group))
    return LineChart(tuple(curves), "epoch", "completeness (solid), impurity (dashed)")


def entropy_histogram() -> Histogram:
    """Entropies of 3.6 million rows and of what the map rejected, with the cut."""
    edges = np.linspace(0, 1.585, 31)
    middle = 0.5 * (edges[1:] + edges[:-1])
    pool = (3.2e6 * np.exp(-9 * middle) + 400).astype(np.int64)
    rejected = (2e5 * np.exp(-5 * middle) + 60).astype(np.int64)
    series = (("can be selected", pool), ("rejected by the map", rejected))
    return Histogram(edges, series, "entropy, bits", log_counts=True, verticals=((1.21, "cut 1.21"),))


def cell_map() -> HeatMap:
    """A 45 x 45 map with two crowded corners and 20 rejected cells."""
    row, column = np.mgrid[0:45, 0:45]
    heights = 3 * np.exp(-((row - 30) ** 2 + (column - 12) ** 2) / 150) + np.exp(-((row - 8) ** 2) / 60)
    marked = np.zeros((45, 45), bool)
    marked[::11, ::9] = True
    return HeatMap(np.floor(10**heights), marked, "spectra per cell", "rejected")


CHARTS = {"learning": learning_curves, "entropy": entropy_histogram, "map": cell_map}


def rows_of(cells, ink):
    """Return {column: rows from the top} of the cells in ``ink``."""
    rows, columns = np.nonzero(cells.inks == ink)
    return {int(c): sorted(rows[columns == c].tolist()) for c in np.unique(columns)}


def one_curve(y, x=None, columns=60, rows=20, charset="braille", **said):
    x = np.arange(len(y), dtype=float) if x is None else x
    return draw_chart(LineChart((Curve("", x, np.asarray(y, float), **said),), "x", "y"), columns, rows, charset)
