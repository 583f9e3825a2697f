"""Heat maps: darkest where most is, marks that are seen, numbers that name cells."""

from __future__ import annotations

import numpy as np

from qnet_tui.plotting.charts import HeatMap
from qnet_tui.plotting.plotext_charts import draw_chart


def test_the_map_is_darkest_where_most_is_and_shows_marks():
    values = np.ones((8, 8))
    values[2, 5] = 1000
    values[6, 1] = np.nan
    marked = np.zeros((8, 8), bool)
    marked[0, 0] = True
    cells = draw_chart(HeatMap(values, marked, "spectra", "rejected"), 40, 14, "braille")
    text = cells.text()
    rows = [row for row in text if "│" in row or "┤" in row]
    bodies = [row[2:18] for row in rows]
    assert bodies[0][:2] == "××"
    assert bodies[2][10:12] == "██"
    assert bodies[6][2:4] == "  "
    assert bodies[5] == "░" * 16
    scale = next(row for row in text if "rejected" in row)
    assert "rejected 1" in scale
    assert "░ 1 " in scale


def test_a_map_of_two_measured_axes_is_labelled_with_their_values():
    chart = HeatMap(np.ones((10, 10)), np.zeros((10, 10), bool), "objects", x_range=(0.0, 1.0), y_range=(0.0, 1.0))
    text = draw_chart(chart, 44, 16, "braille").text()
    ticks = [row.split("┤")[0].strip() for row in text if "┤" in row]
    assert float(ticks[0]) == 1.0
    assert float(ticks[-1]) == 0.0
    across = next(text[row + 1] for row in range(16) if "└" in text[row]).split()
    assert (float(across[0]), float(across[-1])) == (0.0, 1.0)


def test_a_map_larger_than_its_room_keeps_greatest_values_and_marks():
    values, marked = np.ones((90, 90)), np.zeros((90, 90), bool)
    values[44, 44] = 1e4
    marked[80, 10] = True
    cells = draw_chart(HeatMap(values, marked, "n", "rejected"), 44, 16, "braille")
    assert (cells.codes[1:-2] == ord("█")).sum() == 1
    assert (cells.codes[1:-2] == ord("×")).sum() == 1


def test_a_map_is_numbered_in_whole_cells():
    chart = HeatMap(np.ones((12, 12)), np.zeros((12, 12), bool), "n")
    text = draw_chart(chart, 44, 22, "braille").text()
    assert [row.split("┤")[0].strip() for row in text if "┤" in row] == ["0", "5", "10"]
