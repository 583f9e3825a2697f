"""Strokes, bands and the ticks of other redshifts."""

import numpy as np
import pytest

from qnet_tui.plotting.canvas import CHARSETS, Ink, glyphs
from qnet_tui.plotting.frame_layout import Layout
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.smoothing import Trace
from qnet_tui.plotting.spectrum_frame import framed, with_markers

WAVE = np.linspace(3600.0, 9824.0, 7780)
WINDOW = Window(3600.0, 9824.5, 0.0, 10.0)
G_BAND = Marker("G", 5000.0, 0, "absorption", extent=(4900.0, 5100.0))


def frame(rows=14, columns=80, window=WINDOW, charset="braille", flux=0.5):
    layout = Layout(rows, columns)
    made = Trace(WAVE, np.broadcast_to(np.asarray(flux, float), WAVE.shape), np.full(WAVE.shape, np.nan))
    return layout, framed(made, window, layout, charset, noise=False)


def test_markers_stand_back_in_high_pictures():
    strokes = {}
    for rows in (10, 14, 24, 40):
        layout, base = frame(rows)
        drawn = with_markers(base, WINDOW, layout, [Marker("C IV", 5120.0, 0), Marker("K", 6000.0, 1, lit=True)])
        shares = [(drawn.inks == ink).sum() / layout.plot_rows for ink in (Ink.EMISSION, Ink.LIT)]
        strokes[rows] = [round(share, 1) for share in shares]
    assert strokes[10][0] > 0.8
    assert 0.4 < strokes[14][0] < 0.6
    assert strokes[40][0] < 0.4
    assert strokes[14][1] > 0.8
    assert strokes[40][1] > strokes[40][0]


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_wide_band_is_a_bar_between_two_edges(charset):
    window = Window(4500.0, 5500.0, 0.0, 10.0)
    layout, base = frame(window=window, charset=charset)
    drawn = with_markers(base, window, layout, [G_BAND], charset)
    bar = drawn.text()[layout.lanes][layout.gutter :].strip()
    assert bar[0] == glyphs(charset).band[0]
    assert bar[-1] == glyphs(charset).band[2]
    assert set(bar[1:-1]) == {glyphs(charset).band[1]}
    assert len(bar) == pytest.approx(0.2 * layout.plot_columns, abs=2)
    columns = np.flatnonzero(drawn.inks[layout.lanes + 2] == Ink.ABSORPTION)
    assert columns.size == 2
    centre = layout.gutter + window.column_of(5000.0, layout.plot_columns)
    assert columns[0] < centre < columns[1]
    assert drawn.text()[layout.lanes - 1][centre] == "G"


@pytest.mark.parametrize("half", [20.0, 50.0])
def test_a_narrow_band_is_a_stroke_at_its_centre(half):
    layout, base = frame()
    band = Marker("G", 5000.0, 0, "absorption", extent=(5000.0 - half, 5000.0 + half))
    drawn = with_markers(base, WINDOW, layout, [band])
    columns = np.flatnonzero((drawn.inks == Ink.ABSORPTION).any(axis=0))
    assert columns.tolist() == [layout.gutter + WINDOW.column_of(5000.0, layout.plot_columns)]


def test_a_band_that_reaches_out_of_the_window_keeps_inside():
    window = Window(4950.0, 5050.0, 0.0, 10.0)
    layout, base = frame(window=window)
    drawn = with_markers(base, window, layout, [G_BAND])
    assert (drawn.inks[layout.lanes, layout.gutter :] == Ink.ABSORPTION).all()
    assert (drawn.codes[:, : layout.gutter] == base.codes[:, : layout.gutter]).all()


@pytest.mark.parametrize("charset", CHARSETS)
def test_three_redshifts_of_one_line_are_read_apart(charset):
    layout, base = frame(charset=charset)
    lines = [
        Marker("C IV", 5120.0, 0),
        Marker("", 5120.0, 60, style="tick", sign="B"),
        Marker("", 5120.0, 60, style="low tick", sign="C"),
        Marker("", 7000.0, 60, style="low tick", sign="C"),
    ]
    drawn = with_markers(base, WINDOW, layout, lines, charset)
    column = layout.gutter + WINDOW.column_of(5120.0, layout.plot_columns)
    rows = drawn.text()
    assert [rows[layout.lanes + row][column] for row in (1, 2)] == ["B", "C"]
    assert (drawn.inks[:, column] == Ink.EMISSION).any()
    other = layout.gutter + WINDOW.column_of(7000.0, layout.plot_columns)
    assert rows[layout.lanes + 2][other] == "C"
    assert rows[layout.lanes + 1][other] == " "
    under = with_markers(base, WINDOW, layout, lines, charset, cursor=5120.0)
    assert [under.text()[layout.lanes + row][column] for row in (1, 2)] == ["B", "C"]


def test_a_tick_gives_way_to_flux_and_is_left_out_when_there_is_no_room():
    tall = np.where(np.abs(WAVE - 5120) < 50, 9.5, 0.5)
    layout, base = frame(flux=tall)
    tick = Marker("", 5120.0, 60, style="tick", sign="B")
    drawn = with_markers(base, WINDOW, layout, [tick])
    column = layout.gutter + WINDOW.column_of(5120.0, layout.plot_columns)
    assert (drawn.codes[base.inks == Ink.FLUX] == base.codes[base.inks == Ink.FLUX]).all()
    assert (drawn.inks[:, column] == Ink.TICK).sum() <= 1
    full = frame(flux=np.where(np.abs(WAVE - 5120) < 50, 99.0, 0.5))
    assert not (with_markers(full[1], WINDOW, full[0], [tick]).inks == Ink.TICK).any()
    outside = Marker("", 99.0, 0, style="tick", sign="B")
    assert not (with_markers(base, WINDOW, layout, [outside]).inks == Ink.TICK).any()


def test_two_votes_of_one_style_do_not_overwrite_each_other():
    layout, base = frame()
    ticks = [Marker("", 5120.0, 60, style="tick", sign=sign) for sign in "BC"]
    drawn = with_markers(base, WINDOW, layout, ticks)
    assert sorted(chr(code) for code in drawn.codes[drawn.inks == Ink.TICK]) == ["B", "C"]
