"""What of a curve may be drawn: whole dots inside the picture, cut at gaps."""

import numpy as np
import pytest

from qnet_tui.plotting.canvas import dots_to_codes, merged
from qnet_tui.plotting.chart_paths import band_points, joined_path, lone_points

SIZE = (100, 50)


def strokes(path):
    """Return the runs between rows of NaN as lists of points."""
    runs, run = [], []
    for point in path.tolist():
        if np.isnan(point[0]):
            runs.append(run)
            run = []
        else:
            run.append(tuple(point))
    return [one for one in [*runs, run] if one]


def test_a_stroke_that_leaves_the_picture_is_cut_where_it_leaves():
    path = joined_path(np.array([0.0, 100.0]), np.array([0.0, 100.0]), SIZE)
    ((start, end),) = strokes(path)
    assert start == (0.0, 0.0)
    assert end in ((49.0, 49.0), (50.0, 49.0))
    far = joined_path(np.array([0.0, 50.0, 99.0]), np.array([10.0, 1e6, 10.0]), SIZE)
    up, down = strokes(far)
    assert up[0] == (0.0, 10.0)
    assert up[-1] == (0.0, 49.0)
    assert down[0] == (99.0, 49.0)
    assert joined_path(np.array([-5.0, -1.0]), np.array([3.0, 4.0]), SIZE).size == 0


def test_vertices_on_a_straight_line_are_left_out():
    x = np.arange(50.0)
    assert strokes(joined_path(x, x / 1.0, SIZE)) == [[(0.0, 0.0), (49.0, 49.0)]]
    corner = joined_path(np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 0.0]), SIZE)
    assert strokes(corner) == [[(0.0, 0.0), (10.0, 10.0), (20.0, 0.0)]]


def test_gaps_are_cut_by_columns():
    x = np.arange(20.0)
    y = np.full(20, 5.0)
    y[7] = np.nan  # its neighbours are two dots apart: one cell
    y[10:15] = np.nan
    assert [run[0][0] for run in strokes(joined_path(x, y, SIZE))] == [0.0, 15.0]
    lonely = joined_path(np.array([10.0, 20.0, 30.0]), np.array([5.0, np.nan, 5.0]), SIZE)
    assert strokes(lonely) == [[(10.0, 5.0)], [(30.0, 5.0)]]


def test_thousands_of_points_become_an_envelope_that_keeps_extremes():
    x = np.linspace(0, 99, 10_000)
    y = np.full(10_000, 10.0)
    y[3333] = 40.0
    path = joined_path(x, y, SIZE)
    assert len(path) < 400
    assert np.nanmax(path[:, 1]) == 40.0
    assert path[np.nanargmax(path[:, 1]), 0] == 33.0


@pytest.mark.parametrize("n", [0, 1, 2, 3000, 300_000])
def test_paths_are_whole_numbers_inside_and_never_too_many(n):
    rng = np.random.default_rng(n)
    values = rng.normal(25, 40, (2, n))
    values[:, ::7] = [[np.nan], [1e6]]
    for path in (joined_path(*values, SIZE), lone_points(*values, SIZE)):
        drawn = path[np.isfinite(path).all(axis=1)]
        assert (drawn == np.round(drawn)).all()
        assert ((drawn >= 0) & (drawn < SIZE)).all()
        assert len(path) <= 20_000


def test_a_band_is_a_lattice_between_its_bounds():
    x = np.array([0.0, 99.0])
    points = band_points(x, np.array([10.0, 10.0]), np.array([20.0, 20.0]), SIZE, (2, 2))
    assert set(points[:, 0] % 2) == {0.0}
    assert points[:, 1].min() == 10
    assert points[:, 1].max() == 20
    assert len(points) == pytest.approx(50 * 5.5, abs=25)
    assert band_points(x, np.full(2, np.nan), np.full(2, 3.0), SIZE, (2, 2)).size == 0


@pytest.mark.parametrize("charset", ["braille", "block", "ascii"])
def test_merged_characters_show_the_dots_of_both(charset):
    high, wide = {"braille": (4, 2), "block": (2, 2), "ascii": (3, 1)}[charset]
    rng = np.random.default_rng(3)
    one, other = rng.random((2, 5 * high, 6 * wide)) < 0.3
    both = merged(dots_to_codes(one, charset), dots_to_codes(other, charset), charset)
    if charset == "ascii":
        upper = dots_to_codes(one, charset)
        assert (both == np.where(upper == ord(" "), dots_to_codes(other, charset), upper)).all()
    else:
        assert (both == dots_to_codes(one | other, charset)).all()
