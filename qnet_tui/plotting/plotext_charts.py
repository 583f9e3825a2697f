"""Charts drawn by plotext: the one module that imports it (5.3.2 or later, below 6).

plotext joins points, fills bars and makes characters of dots. It hangs on a point far outside its window and raises
on infinities, so it is only ever given whole numbers of dots inside the picture, cleaned by
:mod:`qnet_tui.plotting.chart_paths`. Axes, names and marks are ours: it prints ticks like 3.6e3 and a legend box over
the curves; heat maps too: it tells shades apart by colour alone. Its figure is one for the whole process, so it is
used under a lock and always cleared first, without its clamp to the terminal's size and its white background.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.plotting.bar_chart import draw_histogram
from qnet_tui.plotting.canvas import SPACE, Cells, Charset, Codes
from qnet_tui.plotting.chart_frame import dots_of
from qnet_tui.plotting.chart_paths import Floats
from qnet_tui.plotting.charts import Chart, Histogram, LineChart
from qnet_tui.plotting.heat_map import draw_heat_map
from qnet_tui.plotting.line_chart import draw_lines

_ONE_FIGURE = threading.Lock()
_COLOURS = re.compile("\x1b\\[[0-9;]*m")

# plotext's names for characters of several dots; in ASCII every curve has a sign of its own.
_MARKERS: dict[Charset, str] = {"braille": "braille", "block": "hd"}


def draw_chart(chart: Chart, columns: int, rows: int, charset: Charset) -> Cells:
    """Return ``chart`` as exactly ``rows`` x ``columns`` cells; whatever cannot be drawn is left out.

    Any values are taken: NaN, infinities, empty series, a single point. Below 5 rows there are no axes.
    """
    cells = Cells.blank(max(rows, 0), max(columns, 0))
    if rows <= 0 or columns <= 0:
        return cells
    if isinstance(chart, LineChart):
        draw_lines(cells, chart, charset, _Plotext(charset).plot)
    elif isinstance(chart, Histogram):
        draw_histogram(cells, chart, charset, _Plotext(charset))
    else:
        draw_heat_map(cells, chart, charset)
    return cells


@dataclass(frozen=True)
class _Plotext:
    """What plotext does for us, with the characters of ``charset``."""

    charset: Charset

    def plot(self, points: Floats, rows: int, columns: int, sign: str, joined: bool) -> Codes:
        """Draw ``points`` (k, 2), whole numbers of dots inside the canvas, NaN where the pen is lifted."""
        if rows <= 0 or columns <= 0 or not np.isfinite(points).all(axis=1).any():
            return np.full((max(rows, 0), max(columns, 0)), SPACE, np.uint32)
        high, wide = dots_of(self.charset)
        codes = np.full((rows, columns), SPACE, np.uint32)
        # plotext pays for every cell of its picture: it gets the rectangle that the points need.
        left, below = (np.nanmin(points, axis=0) // (wide, high)).astype(int).tolist()
        right, above = (np.nanmax(points, axis=0) // (wide, high)).astype(int).tolist()
        across: list[float] = (points[:, 0] - left * wide).tolist()
        up: list[float] = (points[:, 1] - below * high).tolist()
        marker = _MARKERS.get(self.charset, sign)

        def draw(plotext: Any) -> None:
            (plotext.plot if joined else plotext.scatter)(across, up, marker=marker)

        size = (above - below + 1, right - left + 1)
        codes[rows - 1 - above : rows - below, left : right + 1] = _built(draw, size, (high, wide))
        return codes

    def fill(self, heights: NDArray[np.int64], rows: int, sign: str) -> Codes:
        """Fill every column from below with ``sign``, ``heights`` (columns,) cells high."""
        columns = heights.size
        filled = np.flatnonzero(heights > 0)
        if rows <= 0 or filled.size == 0:
            return np.full((max(rows, 0), columns), SPACE, np.uint32)
        across: list[int] = filled.tolist()
        up: list[int] = (np.minimum(heights[filled], rows) - 1).tolist()

        def draw(plotext: Any) -> None:
            plotext.scatter(across, up, marker=sign, fillx=True)

        codes = np.full((rows, columns), SPACE, np.uint32)
        high = max(up) + 1
        codes[rows - high :] = _built(draw, (high, columns), (1, 1))
        return codes


def _built(draw: Callable[[Any], None], size: tuple[int, int], dots: tuple[int, int]) -> Codes:
    """Clear plotext's figure, make it ``size`` (rows, columns), ``draw`` on it, return its characters as codes.

    ``dots`` (up, across) of a cell: coordinates are dots, (0, 0) at the lower left.
    """
    rows, columns = size
    with _ONE_FIGURE:
        import plotext

        plotext.clear_figure()
        plotext.limit_size(False, False)
        plotext.plot_size(columns, rows)
        plotext.theme("clear")
        plotext.frame(False)
        plotext.xticks([])
        plotext.yticks([])
        # A range of n dots ends at dot n - 1; a single dot needs a range all the same.
        plotext.xlim(0, max(columns * dots[1] - 1, 1))
        plotext.ylim(0, max(rows * dots[0] - 1, 1))
        draw(plotext)
        text: str = plotext.build()
    codes = np.full(size, SPACE, np.uint32)
    for row, line in enumerate(_COLOURS.sub("", text).split("\n")[:rows]):
        shown = [ord(character) for character in line[:columns]]
        codes[row, : len(shown)] = shown
    return codes
