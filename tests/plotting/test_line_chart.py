"""Curves say what their numbers say: dots rise with the values, names and ticks stand where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from qnet_tui.plotting.canvas import CHARSETS, Ink
from qnet_tui.plotting.charts import Curve, LineChart
from qnet_tui.plotting.plotext_charts import draw_chart
from tests.plotting.chart_samples import EPOCHS, learning_curves, one_curve, rows_of


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_rising_curve_rises(charset):
    places = rows_of(one_curve(np.linspace(0.1, 0.9, 50), charset=charset), Ink.CURVE_1)
    heights = [min(places[column]) for column in sorted(places)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > heights[-1] + 10
    # No gap anywhere: every column of the canvas shows it.
    assert sorted(places) == list(range(min(places), max(places) + 1))
    assert len(places) >= 50


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_dashed_curve_has_gaps_of_two_columns_after_four(charset):
    flat = one_curve(np.full(50, 0.5), stroke="dashed", charset=charset)
    columns = sorted(rows_of(flat, Ink.CURVE_1))
    steps = np.diff(columns)
    assert set(steps.tolist()) == {1, 3}
    ends = np.flatnonzero(steps == 3)
    assert set(np.diff(ends).tolist()) == {4}


def test_a_steep_dashed_curve_does_not_vanish():
    cells = one_curve([0.0, 1.0], x=np.array([0.5, 0.5]), stroke="dashed", columns=40)
    (rows,) = rows_of(cells, Ink.CURVE_1).values()
    assert len(rows) > 5


def test_dots_are_not_joined():
    x = np.array([0.0, 10.0, 20.0])
    cells = draw_chart(LineChart((Curve("", x, x, "dots"),), "x", "y"), 60, 20, "braille")
    assert (cells.inks == Ink.CURVE_1).sum() == 3


def test_few_dots_are_points_with_bars_and_many_are_fine():
    x = np.array([10.0, 20.0, 30.0])
    y = np.array([0.5, 0.6, 0.7])
    chart = LineChart((Curve("rounds", x, y, "dots", lo=y - 0.1, hi=y + 0.1),), "labels", "completeness")
    cells = draw_chart(chart, 60, 23, "braille")
    assert (cells.codes == ord("•")).sum() == 3
    bars = rows_of(cells, Ink.BAND)
    assert len(bars) == 3
    for rows in bars.values():
        assert 8 <= rows[-1] - rows[0] + 1 <= 14  # 0.2 of 0.43 (with room) in 20 rows
    cloud = np.random.default_rng(5).normal(size=(2, 4000))
    many = draw_chart(LineChart((Curve("", cloud[0], cloud[1], "dots"),), "x", "y"), 60, 23, "braille")
    assert not (many.codes == ord("•")).any()
    assert (many.inks == Ink.CURVE_1).sum() > 300


def test_a_gap_of_nan_is_a_gap_and_masked_pixels_are_not():
    y = np.full(100, 0.5)
    y[40:60] = np.nan
    columns = np.array(sorted(rows_of(one_curve(y), Ink.CURVE_1)))
    assert (np.diff(columns) > 8).sum() == 1
    dense = np.full(4000, 0.5)
    dense[::2] = np.nan
    columns = np.array(sorted(rows_of(one_curve(dense), Ink.CURVE_1)))
    assert set(np.diff(columns).tolist()) == {1}


def test_a_line_of_one_pixel_among_thousands_is_seen():
    y = np.zeros(8000)
    y[4321] = 1.0
    places = rows_of(one_curve(y), Ink.CURVE_1)
    assert sum(len(rows) > 10 for rows in places.values()) == 1


def test_a_spike_beyond_the_range_keeps_the_slope_of_what_is_inside():
    y = np.linspace(0, 1, 101)
    y[50] = 1e30
    chart = LineChart((Curve("", np.arange(101.0), y),), "x", "y", y_range=(0.0, 1.0))
    places = rows_of(draw_chart(chart, 60, 20, "braille"), Ink.CURVE_1)
    lowest = [places[column][-1] for column in sorted(places)]
    assert lowest == sorted(lowest, reverse=True)
    assert len(places) >= 50


def test_names_stand_right_of_their_curves_in_their_order():
    chart = learning_curves()
    cells = draw_chart(chart, 80, 24, "braille")
    text = cells.text()
    rows = [
        next(i for i, row in enumerate(text) if row.rstrip().endswith(name)) for name in ("AL 2", "AL 1", "round 0")
    ]
    assert rows == sorted(rows)
    for row, ink in zip(rows, (Ink.CURVE_1, Ink.CURVE_2, Ink.CURVE_3), strict=True):
        end = len(text[row].rstrip()) - 1
        assert cells.inks[row, end] == ink
        nearby = cells.inks[max(0, row - 2) : row + 3, : text[row].rstrip().rindex("  ") if "  " in text[row] else 60]
        assert (nearby == ink).any()


def test_names_at_the_same_height_are_pushed_apart_and_none_is_lost():
    curves = tuple(Curve(f"set {n}", EPOCHS, np.full(100, 0.9)) for n in range(6))
    text = draw_chart(LineChart(curves, "epoch", "completeness", y_range=(0.0, 1.0)), 60, 20, "braille").text()
    for n in range(6):
        assert sum(f"set {n}" in row for row in text) == 1


def test_long_names_are_cut_where_they_differ():
    names = [f"round {n} committee of two hundred networks" for n in (1, 2)]
    same_end = ["committee of round 1", "committee of round 2"]
    for pair, parts in ((names, ("round 1", "round 2")), (same_end, ("1", "2"))):
        curves = tuple(Curve(name, EPOCHS, np.full(100, 0.2 + 0.5 * n)) for n, name in enumerate(pair))
        text = draw_chart(LineChart(curves, "epoch", "y"), 44, 16, "braille").text()
        ends = [row.split()[-1] if "…" in row else "" for row in text]
        assert sum(bool(end) for end in ends) == 2, text
        assert all(any(part in row for row in text) for part in parts)


def test_ticks_are_plain_decimals_thousands_and_millions():
    shares = "\n".join(one_curve([0.86, 0.97]).text())
    assert "0.90" in shares
    assert "0.95" in shares
    chart = LineChart((Curve("", np.linspace(0, 3.6e6, 9), np.linspace(0, 2e4, 9)),), "rows", "s")
    text = "\n".join(draw_chart(chart, 60, 20, "braille").text())
    for label in ("10 k", "20 k", "1 M", "3 M"):
        assert label in text
    assert "e+" not in text
    assert "e6" not in text


def test_axis_names_stand_above_and_below():
    text = draw_chart(learning_curves(), 80, 24, "braille").text()
    assert text[0].strip() == "completeness (solid), impurity (dashed)"
    assert text[-1].rstrip().endswith("epoch")


def test_two_groups_of_curves_far_apart_fold_the_axis_and_are_both_read():
    cells = draw_chart(learning_curves(), 80, 24, "braille")
    text = cells.text()
    assert sum("≈" in row for row in text) == 1
    fold = next(i for i, row in enumerate(text) if "≈" in row)
    solid = cells.inks[:fold] == Ink.CURVE_1
    dashed = cells.inks[fold + 1 : -2] == Ink.CURVE_1
    assert solid.any(axis=1).sum() >= 4
    assert dashed.any(axis=1).sum() >= 4
    # One curve that goes the whole way is not folded.
    assert not any("≈" in row for row in one_curve(np.linspace(0, 1, 50)).text())


def test_a_vertical_stands_at_its_column_with_its_name():
    chart = LineChart((Curve("", np.array([0.0, 10.0]), np.array([0.0, 0.0])),), "x", "y", verticals=((5.0, "Mg II"),))
    cells = draw_chart(chart, 61, 20, "braille")
    columns = sorted({int(c) for c in np.nonzero(cells.codes == ord("┊"))[1]})
    left = cells.text()[5].index("│") if "│" in cells.text()[5] else cells.text()[5].index("┤")
    middle = left + 1 + (61 - left - 1) / 2
    assert len(columns) == 1
    assert abs(columns[0] - middle) <= 1
    (named,) = [row for row in cells.text() if "Mg II" in row]
    assert abs(named.index("Mg II") + 2 - columns[0]) <= 1


def test_horizontal_and_marked_dot():
    curve = Curve("", np.array([0.0, 1.0]), np.array([0.0, 1.0]), dot=(0.5, 0.5))
    chart = LineChart((curve,), "x", "y", horizontals=((0.5, "paper"),))
    text = draw_chart(chart, 60, 21, "braille").text()
    (row,) = [row for row in text if "●" in row]
    assert "paper" in row
    assert "┈" in row
    assert sum("o" in row.split("|")[-1] for row in draw_chart(chart, 60, 21, "ascii").text()[1:-3]) == 1


def test_two_lines_in_one_row_have_their_names_beside_each_other():
    lines = ((0.500, "round 1 committee"), (0.501, "round 2 committee"))
    chart = LineChart((Curve("", EPOCHS, EPOCHS / 100),), "x", "y", y_range=(0.0, 1.0), horizontals=lines)
    (row,) = [row for row in draw_chart(chart, 100, 20, "braille").text() if "round 1" in row]
    assert "round 2 committee" in row


def test_a_line_that_is_covered_has_its_name_in_the_margin():
    cloud = Curve("", np.tile(np.arange(200.0), 50), np.repeat(np.linspace(-1, 1, 50), 200), "dots", faint=True)
    median = Curve("median", np.arange(200.0), np.zeros(200))
    text = draw_chart(LineChart((cloud, median), "z", "dv", horizontals=((0.7, "+300"),)), 60, 20, "braille").text()
    (row,) = [row for row in text if "+300" in row]
    assert row.rstrip().endswith("+300")


def test_a_long_title_takes_two_lines_or_says_that_it_goes_on():
    label = "velocity new - truth in km/s, 1,234 of 5,000 points lie outside of what is shown here"
    chart = LineChart((Curve("", EPOCHS, EPOCHS),), "z", label)
    high, low = draw_chart(chart, 44, 16, "braille").text(), draw_chart(chart, 44, 10, "braille").text()
    assert high[0].startswith("velocity new")
    assert high[1].rstrip()[-1] in "e…"
    assert low[0].rstrip().endswith("…")
    assert "outside" in high[1]


def test_a_band_lies_between_its_bounds_behind_its_curve():
    y = np.full(100, 0.5)
    chart = LineChart((Curve("", EPOCHS, y, lo=y - 0.2, hi=y + 0.2),), "x", "y", y_range=(0.0, 1.0))
    cells = draw_chart(chart, 60, 23, "braille")
    band = {row for rows in rows_of(cells, Ink.BAND).values() for row in rows}
    (curve,) = {row for rows in rows_of(cells, Ink.CURVE_1).values() for row in rows}
    assert min(band) < curve < max(band)
    assert 6 <= max(band) - min(band) + 1 <= 10  # 0.4 of 20 rows


def test_faint_curves_stand_back():
    noisy = [Curve("bootstrap", EPOCHS, 0.5 + 0.3 * np.sin(EPOCHS / (3 + n)), faint=True) for n in range(20)]
    strong = Curve("all", EPOCHS, np.full(100, 0.5))
    cells = draw_chart(LineChart((*noisy, strong), "x", "y"), 80, 24, "braille")
    row = next(row for row in range(24) if (cells.inks[row] == Ink.CURVE_1).sum() > 40)
    only = cells.codes[row][(cells.inks[row] == Ink.CURVE_1) & (cells.codes[row] >= 0x2800)]
    assert len(set(only.tolist())) == 1  # its own dots, none of theirs
    assert sum("bootstrap" in line for line in cells.text()) == 1


@pytest.mark.parametrize("charset", ["braille", "block"])
def test_two_curves_that_cross_share_a_cell(charset):
    x = np.linspace(0, 1, 50)
    level = Curve("", x, np.full(50, 0.52))
    alone = draw_chart(LineChart((level,), "x", "y", y_range=(0.0, 1.0)), 41, 20, charset)
    both = draw_chart(LineChart((level, Curve("", x, x)), "x", "y", y_range=(0.0, 1.0)), 41, 20, charset)
    (row,) = {int(row) for row in np.nonzero(alone.inks == Ink.CURVE_1)[0]}
    before, after = alone.codes[row], both.codes[row]
    # The first curve is on top: all of it is there, and where they cross some dots more, in its ink.
    assert (both.inks[row] == alone.inks[row])[6:].all()
    crossing = np.flatnonzero(before != after)
    assert 1 <= crossing.size <= 4
    if charset == "braille":
        assert ((before & after) == before).all()


def test_a_logarithmic_x_has_decades():
    chart = LineChart((Curve("", np.array([0.0, -5, 100, 1000, 10000]), np.arange(5.0)),), "labels", "y", log_x=True)
    text = draw_chart(chart, 61, 20, "braille").text()
    columns = [text[-2].index(label) for label in (" 100"[1:], "1 k", "10 k")] if "10 k" in text[-2] else []
    assert len(columns) == 3
    assert abs((columns[2] - columns[1]) - (columns[1] - columns[0])) <= 2


@pytest.mark.parametrize(
    "chart",
    [
        LineChart((), "x", "y"),
        LineChart((Curve("nothing", np.array([]), np.array([])),), "x", "y"),
        LineChart((Curve("nothing", EPOCHS, np.full(100, np.nan)),), "x", "y"),
    ],
)
def test_an_empty_chart_says_so(chart):
    text = draw_chart(chart, 44, 16, "braille").text()
    assert any("nothing to draw" in row for row in text)


def test_names_in_greek_and_in_wide_letters_keep_to_their_cells():
    curve = Curve("σ_z 星", EPOCHS, EPOCHS)
    text = draw_chart(LineChart((curve,), "z", "σ_z"), 44, 16, "braille").text()
    assert any("σ_z ?" in row for row in text)
    text = draw_chart(LineChart((curve,), "z", "σ_z"), 44, 16, "ascii").text()
    assert any("sigma_z ?" in row for row in text)


def test_epochs_and_rounds_are_numbered_in_whole_numbers():
    chart = LineChart((Curve("", np.array([1.0, 2.0]), np.array([0.93, 0.95])),), "round", "completeness")
    text = draw_chart(chart, 60, 16, "braille").text()
    (row,) = [text[n + 1] for n in range(15) if "└" in text[n]]
    assert row.split()[:2] == ["1", "2"]
