"""Histograms: bars as high as their counts, series that differ without colour."""

from __future__ import annotations

import numpy as np
import pytest

from qnet_tui.plotting.canvas import CHARSETS, Ink
from qnet_tui.plotting.charts import Histogram
from qnet_tui.plotting.plotext_charts import draw_chart
from tests.plotting.chart_samples import entropy_histogram, rows_of


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("charset", CHARSETS)
def test_bars_are_as_high_as_their_counts(charset, log):
    counts = np.array([1, 10, 100, 1000, 500, 0], np.int64)
    chart = Histogram(np.arange(7.0), (("rows", counts),), "x", log_counts=log)
    cells = draw_chart(chart, 66, 30, charset)
    places = rows_of(cells, Ink.CURVE_1)
    per_bin = [[] for _ in counts]
    first, last = min(places), 66
    for column in range(first, last):
        per_bin[min(int((column - first) / (last - first) * 6), 5)].append(len(places.get(column, [])))
    heights = [max(part) for part in per_bin]
    assert heights[5] == 0
    assert heights[0] >= 1  # one object among a thousand is seen
    assert heights[0] <= heights[1] <= heights[2] < heights[4] <= heights[3]
    expected = np.log10(1 + counts[[2, 3]]) if log else counts[[2, 3]]
    assert abs(heights[2] - heights[3] * expected[0] / expected[1]) <= 1.5


@pytest.mark.parametrize("charset", CHARSETS)
def test_two_series_differ_without_colour(charset):
    cells = draw_chart(entropy_histogram(), 80, 24, charset)
    canvas = slice(3, 20)
    full, line = (set(cells.codes[canvas][cells.inks[canvas] == ink].tolist()) for ink in (Ink.CURVE_1, Ink.CURVE_2))
    assert full
    assert line
    assert ord("#" if charset == "ascii" else "█") in full - line
    assert line - full
    text = cells.text()
    assert "can be selected" in text[0]
    assert "rejected by the map" in text[0]
    assert any("cut 1.21" in row for row in text)
    assert any(row.startswith("100 k") for row in text)
