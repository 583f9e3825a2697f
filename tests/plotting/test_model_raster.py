"""A model over a spectrum: told from flux without colour, and hiding no flux."""

import numpy as np
import pytest

from qnet_tui.plotting.canvas import CHARSETS, Cells, Ink, dots_per_cell, glyphs
from qnet_tui.plotting.frame_layout import Layout
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.model_raster import Model, draw_model
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.smoothing import Trace
from qnet_tui.plotting.spectrum_frame import framed, with_markers

WAVE = np.linspace(3600.0, 9824.0, 7780)
WINDOW = Window(3600.0, 9824.5, 0.0, 10.0)


def drawn(flux, rows=20, columns=60, charset="braille"):
    cells = Cells.blank(rows, columns)
    draw_model(cells, 0, 0, rows, columns, WAVE, np.broadcast_to(np.asarray(flux, float), WAVE.shape), WINDOW, charset)
    return cells


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_level_model_is_one_unbroken_row_of_strokes(charset):
    cells = drawn(7.6, charset=charset)
    assert np.flatnonzero((cells.inks == Ink.MODEL).any(axis=1)).tolist() == [4]
    assert (cells.inks[4] == Ink.MODEL).all()
    assert set(cells.text()[4]) <= set(glyphs(charset).model)


@pytest.mark.parametrize("charset", CHARSETS)
def test_strokes_fall_within_a_cell_as_the_model_does(charset):
    strokes = glyphs(charset).model
    seen = [drawn(level, charset=charset).text()[4][0] for level in (7.9, 7.75, 7.6)]
    assert seen == list(strokes)


@pytest.mark.parametrize("charset", CHARSETS)
def test_no_stroke_of_a_model_can_be_taken_for_flux(charset):
    high, wide = dots_per_cell(charset)
    from qnet_tui.plotting.canvas import dots_to_codes

    flux = set()
    for bits in range(2 ** (high * wide)):
        dots = np.array([(bits >> bit) & 1 for bit in range(high * wide)], bool).reshape(high, wide)
        flux.add(chr(dots_to_codes(dots, charset)[0, 0]))
    assert not flux & set(glyphs(charset).model)


def test_a_steep_model_hangs_together():
    cells = drawn(np.where(WAVE < 6000, 1.0, 9.0))
    rows = np.flatnonzero((cells.inks == Ink.MODEL).any(axis=1))
    assert rows.tolist() == list(range(rows[0], rows[-1] + 1))
    assert rows.size >= 15


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_steep_stroke_ends_at_the_heights_of_the_model(charset):
    strokes = glyphs(charset).model
    cells = drawn(np.where(WAVE < 6000, 1.05, 9.95), charset=charset)
    (steep,) = [column for column in range(60) if (cells.inks[:, column] == Ink.MODEL).sum() > 3]
    seen = "".join(cells.text()[row][steep] for row in range(20)).strip()
    assert (seen[0], set(seen[1:-1]), seen[-1]) == (strokes[0], {strokes[1]}, strokes[2])


def test_what_lies_outside_or_is_no_number_is_not_drawn():
    for level in (99.0, -99.0, np.nan, np.inf, 1e300):
        assert not (drawn(level).inks == Ink.MODEL).any(), level
    half = drawn(np.where(WAVE < 6712, 5.0, np.nan)).inks == Ink.MODEL
    assert half[:, :29].any(axis=0).all()
    assert not half[:, 31:].any()


@pytest.fixture(params=CHARSETS)
def frame(request):
    layout = Layout(20, 80)
    peak = 1.0 + 8.0 * np.exp(-0.5 * ((WAVE - 5120) / 8) ** 2)
    base = framed(Trace(WAVE, peak, np.full(WAVE.size, 0.3)), WINDOW, layout, request.param)
    return layout, base, peak, request.param


def test_where_both_lie_the_flux_keeps_most_of_its_cells(frame):
    layout, base, peak, charset = frame
    cells = with_markers(base, WINDOW, layout, [], charset, model=Model(WAVE, peak))
    had = base.inks == Ink.FLUX
    kept = (cells.inks == Ink.FLUX).sum() / had.sum()
    assert 0.6 <= kept <= 0.75
    column = layout.gutter + WINDOW.column_of(5120.0, layout.plot_columns)
    tall = had[:, column].sum()
    assert tall >= 8
    assert (cells.inks[:, column] == Ink.FLUX).sum() >= 0.6 * tall
    assert (cells.codes[had & (cells.inks == Ink.FLUX)] == base.codes[had & (cells.inks == Ink.FLUX)]).all()


def test_a_marker_does_not_hide_the_model(frame):
    layout, base, _, charset = frame
    model = Model(WAVE, np.full(WAVE.size, 5.0))
    cells = with_markers(base, WINDOW, layout, [Marker("C IV", 6000.0, 0, lit=True)], charset, model=model)
    column = layout.gutter + WINDOW.column_of(6000.0, layout.plot_columns)
    assert (cells.inks[:, column] == Ink.MODEL).sum() == 1
    assert (cells.inks[:, column] == Ink.LIT).any()
    assert not (base.inks == Ink.MODEL).any()


def test_nothing_to_draw_on_is_no_error():
    cells = Cells.blank(0, 0)
    draw_model(cells, 0, 0, 0, 0, WAVE, WAVE, WINDOW)
    draw_model(Cells.blank(3, 3), 0, 0, 3, 3, np.zeros(0), np.zeros(0), WINDOW)
