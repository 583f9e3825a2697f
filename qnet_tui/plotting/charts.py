"""What a chart shows, as data: curves, histograms and heat maps that any face can have drawn.

Whoever computes a figure describes it with these; :func:`qnet_tui.plotting.plotext_charts.draw_chart` turns the
description into terminal cells. Arrays may hold NaN and infinities: what cannot be drawn is left out there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Stroke = Literal["solid", "dashed", "dots"]


@dataclass(frozen=True, eq=False)
class Curve:
    """One series: ``x`` and ``y`` f8 (n,), joined in their order unless ``stroke`` is "dots".

    ``name`` stands at the end of the curve. ``lo`` and ``hi`` f8 (n,) are a band around it (an interval); ``dot`` is
    one point (x, y) to be marked, such as the working threshold. ``group`` gives curves that belong together (solid
    completeness and dashed impurity of one dataset) one colour; -1 takes the next one. A ``faint`` curve stands back:
    one of many bootstraps. Bounds of "dots" are drawn as a bar at each.
    """

    name: str
    x: Floats
    y: Floats
    stroke: Stroke = "solid"
    lo: Floats | None = None
    hi: Floats | None = None
    dot: tuple[float, float] | None = None
    group: int = -1
    faint: bool = False


@dataclass(frozen=True, eq=False)
class LineChart:
    """Curves over two axes; a range of None follows the data. ``verticals`` are marked x with a short name each."""

    curves: tuple[Curve, ...]
    x_label: str
    y_label: str
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    verticals: tuple[tuple[float, str], ...] = ()
    horizontals: tuple[tuple[float, str], ...] = ()
    log_x: bool = False


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of one or more series over the same bins.

    ``edges`` f8 (m + 1,) rising; ``series`` are (name, counts (m,)). ``log_counts``: the height is log10(1 + count),
    labelled with counts. ``verticals`` as in :class:`LineChart`.
    """

    edges: Floats
    series: tuple[tuple[str, NDArray[np.int64]], ...]
    x_label: str
    log_counts: bool = False
    verticals: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, eq=False)
class HeatMap:
    """Values on a grid: ``values`` f8 (rows, columns), NaN where there is nothing; row 0 is at the top.

    ``marked`` bool (rows, columns) are cells to be set apart (rejected ones). Drawn on a logarithmic scale where
    ``log`` is set; ``label`` says what the values are. ``x_range`` are the values at the left and right edges,
    ``y_range`` those at the lower and upper ones; without them rows and columns are numbered.
    """

    values: Floats
    marked: NDArray[np.bool_]
    label: str
    marked_label: str = ""
    log: bool = True
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None


Chart = LineChart | Histogram | HeatMap
