"""Names of curves: at their ends, apart from each other, cut where they differ."""

import numpy as np

from qnet_tui.plotting.canvas import Ink
from qnet_tui.plotting.chart_names import CurveName, margin_for, place_names, shortened


def name(text, row, column, faint=False, ink=Ink.CURVE_1):
    return CurveName(text, row, column, ink, faint)


def test_the_margin_holds_the_longest_name_at_the_right_edge_only():
    assert margin_for([("AL 2", 1.0), ("x", 1.0)], 80) == 6  # a blank on each side of the axis' end
    assert margin_for([("AL 2", 0.5)], 80) == 0  # it has room inside
    assert margin_for([("a very long name that nobody reads", 1.0)], 80) == 20
    assert margin_for([], 80) == 0


def test_names_are_cut_at_the_end_or_in_the_middle_where_they_differ():
    assert shortened(["short", "round 1 committee", "x"], 9, "braille") == ["short", "round 1…", "x"]
    assert shortened(["committee 1", "committee 2"], 7, "ascii") == ["com~e 1", "com~e 2"]
    assert shortened(["abc"], 2, "braille") == [""]


def test_margin_names_keep_their_order_and_their_distance():
    taken = np.zeros((10, 40), bool)
    placed = place_names([name(t, r, 29) for t, r in (("c", 5), ("a", 4), ("b", 5), ("d", 9))], taken, 30, "braille")
    rows = {one.text: one.row for one in placed}
    assert rows["a"] < min(rows["b"], rows["c"]) < max(rows["b"], rows["c"]) < rows["d"]
    assert len(set(rows.values())) == 4
    assert all(one.start == 31 for one in placed)
    assert rows["d"] == 9


def test_more_names_than_rows_leave_the_faint_out():
    taken = np.zeros((3, 40), bool)
    faint = [name(f"f{n}", 1, 29, faint=True, ink=Ink.FAINT) for n in range(3)]
    names = faint + [name(f"s{n}", 1, 29) for n in range(3)]
    placed = place_names(names, taken, 30, "braille")
    assert {one.text for one in placed} == {"s0", "s1", "s2"}
    assert {one.row for one in placed} == {0, 1, 2}


def test_a_name_inside_covers_no_curve_and_no_other_name():
    taken = np.zeros((20, 60), bool)
    taken[10, :31] = True
    placed = place_names([name("AL 2", 10, 30), name("AL 1", 10, 30)], taken, 60, "braille")
    spots = [(one.row, column) for one in placed for column in range(one.start, one.start + len(one.text))]
    assert len(placed) == 2
    assert len(set(spots)) == len(spots)
    assert not any(taken[row, column] for row, column in spots)
    assert (placed[0].row, placed[0].start) == (10, 32)


def test_two_strokes_of_one_thing_that_end_together_are_named_once():
    taken = np.zeros((20, 60), bool)
    placed = place_names([name("AL 2", 10, 49), name("AL 2", 11, 49), name("AL 2", 3, 49)], taken, 50, "braille")
    assert sorted(one.row for one in placed) == [3, 10]
    assert place_names([name("  ", 10, 49)], taken, 50, "braille") == []
