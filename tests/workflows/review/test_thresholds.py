"""The tab of thresholds: the working point, equal purity, and curves that can be drawn."""

import math

import numpy as np
import pytest

from qnet_tui.evaluation.intervals import wilson
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import open_tab
from tests.workflows.review.constructed import answers, training


@pytest.fixture
def root(tmp_path):
    initialise(tmp_path / "ws")
    return tmp_path / "ws"


@pytest.fixture
def two(root):
    """AL 1 and AL 2 on four quasars and four others."""
    training(root, answers([0.99, 0.97, 0.6, 0.2], [0.98, 0.5, 0.1, 0.05]), truth="AL 1")
    training(root, answers([0.99, 0.98, 0.96, 0.7], [0.9, 0.5, 0.1, 0.05]), truth="AL 2")
    return root


def test_a_row_for_each_threshold_and_network(two):
    tab = open_tab(two, "thresholds")
    assert len(tab.rows) == 26
    assert tab.thresholds == tuple(r.c_threshold for r in tab.rows[:13])
    working = [r for r in tab.rows if r.working]
    assert [(r.dataset, r.c_threshold, r.tp, r.fp, r.fn) for r in working] == [
        ("tr-0001 AL 1", 0.95, 2, 1, 2), ("tr-0002 AL 2", 0.95, 3, 0, 1),
    ]  # fmt: skip
    assert (working[0].completeness, working[0].purity) == (0.5, 2 / 3)
    assert (working[0].lo, working[0].hi, working[0].purity_lo) == (*wilson(2, 4), wilson(2, 3)[0])
    nothing = next(r for r in tab.rows if r.c_threshold == 0.99)
    assert (nothing.tp, nothing.fp) == (0, 0)
    assert math.isnan(nothing.purity)


def test_a_threshold_of_ones_own_is_one_more_row(two):
    tab = open_tab(two, "thresholds", Asked(c_threshold=0.65, dataset="AL 2"))
    assert len(tab.rows) == 14
    (mine,) = (r for r in tab.rows if r.working)
    assert (mine.c_threshold, mine.tp, mine.fp) == (0.65, 4, 1)


def test_the_sentence_says_what_it_costs(two):
    # AL 2: from the top 4 right with one wrong third call: at 95 % three, above 0.9; area 3/4 + 1/4 * 4/5 = 0.95.
    # AL 1: only the first is pure: 1 of 4 above 0.98; area 1/4 (1 + 2/3 + 3/4 + 4/6) = 0.771.
    assert open_tab(two, "thresholds").says == (
        "tr-0002 AL 2 at c > 0.95: completeness 0.750 (0.301–0.954), purity 1.000 (0.439–1.000); it misses 1 of 4 "
        "quasars and is wrong in 0 of 3 calls. A purity of 95 % is reached at c > 0.900 with completeness 0.750, 3 of "
        "4; area under the curve 0.950; tr-0001 AL 1 there 0.250 at c > 0.980, area 0.771."
    )


def test_a_purity_that_no_threshold_reaches(root):
    training(root, answers([0.8], [0.9]), truth="VI")
    assert "No threshold reaches a purity of 95 %" in open_tab(root, "thresholds").says


def test_curves_of_a_thousand_thresholds_with_a_dot(two):
    chart = open_tab(two, "thresholds").chart
    assert (chart.x_label, chart.y_label) == ("purity", "completeness")
    one, other = chart.curves
    assert one.x.shape == one.y.shape == other.x.shape == (1000,)
    assert (one.y[0], one.x[0]) == (1.0, 0.5)  # At a threshold of 0 all eight are called, four of them right.
    assert math.isnan(one.x[-1])  # Nothing is above 1.
    assert one.y[-1] == 0
    assert (one.dot, other.dot) == ((2 / 3, 0.5), (1.0, 0.75))
    assert chart.x_range == chart.y_range == (0.5, 1.01)


def test_axes_reach_a_working_point_far_out(root):
    training(root, answers([0.99, 0.1, 0.1, 0.1, 0.1], [0.99, 0.99]), truth="VI")
    chart = open_tab(root, "thresholds").chart
    assert chart.curves[0].dot == (1 / 3, 0.2)
    assert chart.x_range == pytest.approx((0.3, 1.01))
    assert chart.y_range == pytest.approx((0.2, 1.01))


def test_with_a_condition_on_the_redshift(root):
    said = answers([0.99, 0.99, 0.2], [0.99], z=[2.3] * 3, zbest=[2.3, 2.9, 2.3, 0.3])
    training(root, said, truth="VI")
    tab = open_tab(root, "thresholds", Asked(dv_max=6000.0))
    mine = next(r for r in tab.rows if r.working)
    # A star called a quasar at the redshift that it is known by is right by the definition of 2018.
    assert (mine.tp, mine.fn, mine.fp) == (1, 2, 1)
    assert (mine.completeness, mine.purity) == (1 / 3, 2 / 3)
    assert "area" not in tab.says
    assert len(tab.chart.curves[0].x) == 101


def test_all_confidences_unknown(root):
    said = answers([0.5, 0.5], [0.5])
    said.c_line[:] = np.nan
    training(root, said, truth="VI")
    tab = open_tab(root, "thresholds")
    assert all((r.tp, r.fp, r.fn) == (0, 0, 2) for r in tab.rows)
    assert tab.chart.curves[0].dot is None
    assert "purity unknown" in tab.says
