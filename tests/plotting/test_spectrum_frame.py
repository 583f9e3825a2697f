"""What is drawn where: flux, noise, arrows, markers, axes."""

import numpy as np
import pytest

from qnet_tui.plotting.canvas import CHARSETS, Cells, Ink, glyphs
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.ranges import Window, window_over
from qnet_tui.plotting.smoothing import Trace, smooth
from qnet_tui.plotting.spectrum_data import SpectrumData
from qnet_tui.plotting.spectrum_frame import Layout, framed, with_markers
from qnet_tui.plotting.spectrum_raster import draw_spectrum
from qnet_tui.plotting.spectrum_text import data_text

WAVE = np.linspace(3600.0, 9824.0, 7780)


def trace(flux, noise=0.1):
    return Trace(WAVE, np.broadcast_to(np.asarray(flux, float), WAVE.shape), np.full(WAVE.shape, noise))


def inked(cells: Cells, ink: Ink) -> np.ndarray:
    return cells.inks == ink


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_level_spectrum_is_one_row_at_its_height(charset):
    cells = draw_spectrum(trace(7.5), Window(3600, 9825, 0, 10), 20, 60, charset, noise=False)
    rows = np.flatnonzero(inked(cells, Ink.FLUX).any(axis=1))
    assert rows.tolist() == [5]
    assert inked(cells, Ink.FLUX)[5].all()


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_line_of_one_pixel_reaches_its_height_at_every_width(charset):
    flux = np.ones(7780)
    flux[3000] = 9.0
    for columns in (40, 74, 194):
        cells = draw_spectrum(trace(flux), Window(3600, 9825, 0, 10), 20, columns, charset, noise=False)
        assert inked(cells, Ink.FLUX)[2].any(), columns


def test_flux_at_the_very_edges_of_the_window_is_inside():
    for level, row in ((10.0, 0), (0.0, 9)):
        cells = draw_spectrum(trace(level), Window(3600, 9825, 0, 10), 10, 30, noise=False)
        assert inked(cells, Ink.FLUX)[row].all()
        assert not inked(cells, Ink.CLIPPED).any()


def test_a_masked_stretch_is_drawn_as_a_gap():
    flux = np.ones(7780)
    flux[3000:4000] = np.nan
    cells = draw_spectrum(trace(flux, noise=np.nan), Window(3600, 9825, 0, 2), 10, 60)
    empty = ~inked(cells, Ink.FLUX).any(axis=0)
    assert 6 <= empty.sum() <= 8
    assert not empty[:20].any()


def test_clipped_columns_show_an_arrow_at_that_edge():
    flux = np.ones(7780)
    flux[1000], flux[6000] = 99.0, -99.0
    cells = draw_spectrum(trace(flux), Window(3600, 9825, 0, 10), 10, 60)
    marks = glyphs("braille")
    up, down = np.argwhere(inked(cells, Ink.CLIPPED))
    assert (up[0], chr(cells.codes[tuple(up)])) == (0, marks.up)
    assert (down[0], chr(cells.codes[tuple(down)])) == (9, marks.down)


def test_noise_is_dotted_and_never_over_the_flux():
    cells = draw_spectrum(trace(1.0, noise=5.0), Window(3600, 9825, 0, 10), 10, 60)
    assert inked(cells, Ink.NOISE).sum() == 30
    both = draw_spectrum(trace(5.0, noise=5.0), Window(3600, 9825, 0, 10), 10, 60)
    assert not inked(both, Ink.NOISE).any()
    assert not inked(draw_spectrum(trace(1.0, 5.0), Window(3600, 9825, 0, 10), 10, 60, noise=False), Ink.NOISE).any()


@pytest.mark.parametrize("values", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_no_value_of_a_pixel_can_break_the_picture(values):
    flux = np.ones(7780)
    flux[::7] = values
    with np.errstate(all="ignore"):
        cells = draw_spectrum(trace(flux), Window(3600, 9825, 0, 10), 10, 60)
    assert cells.codes.shape == (10, 60)


def test_nothing_to_draw_on_is_no_error():
    assert draw_spectrum(trace(1), Window(3600, 9825, 0, 2), 0, 5).rows == 0


@pytest.fixture
def frame():
    layout = Layout(15, 80)
    made = trace(1.0)
    window = window_over(made.wavelength, made.flux, 3600, 9825)
    return layout, window, framed(made, window, layout)


def test_a_marker_shows_only_where_there_is_no_flux(frame):
    layout, window, base = frame
    drawn = with_markers(base, window, layout, [Marker("C IV", 5120.0, 0)])
    assert (drawn.codes == ord("┊")).any()
    had_flux = inked(base, Ink.FLUX)
    assert (drawn.codes[had_flux] == base.codes[had_flux]).all()
    column = layout.gutter + window.column_of(5120.0, layout.plot_columns)
    assert set(np.argwhere(drawn.codes == ord("┊"))[:, 1]) == {column}
    assert "C IV" in drawn.text()[layout.lanes - 1]


def test_the_base_is_not_written_on(frame):
    layout, window, base = frame
    before = base.codes.copy()
    with_markers(base, window, layout, [Marker("C IV", 5120.0, 0, lit=True)], cursor=5000.0)
    assert (base.codes == before).all()


def test_the_named_line_wins_its_column_and_is_lit(frame):
    layout, window, base = frame
    lines = [Marker("He II", 5120.0, 0), Marker("C IV", 5120.0, 9, lit=True), Marker("K", 5121.0, 1, "absorption")]
    drawn = with_markers(base, window, layout, lines)
    column = layout.gutter + window.column_of(5120.0, layout.plot_columns)
    assert Ink.LIT in drawn.inks[:, column]
    assert Ink.EMISSION not in drawn.inks[layout.lanes :, column]


def test_the_cursor_stands_above_and_on_the_axis_but_not_on_a_label(frame):
    layout, window, base = frame
    drawn = with_markers(base, window, layout, [], cursor=5400.0)
    assert np.count_nonzero(inked(drawn, Ink.CURSOR)) == 2
    on_label = with_markers(base, window, layout, [], cursor=5090.0)
    assert on_label.text()[-1] == base.text()[-1]
    assert not inked(with_markers(base, window, layout, [], cursor=99.0), Ink.CURSOR).any()


def test_axes_label_observed_or_rest_wavelengths():
    made = trace(1.0)
    window = window_over(made.wavelength, made.flux, 3600, 9825)
    low = framed(made, window, Layout(12, 80)).text()
    assert low[-1].startswith("  obs└")
    assert "┴5000" in low[-1]
    assert low[-1].endswith("Å")
    high = framed(made, window, Layout(24, 80), rest_z=1.0).text()
    assert high[-1].startswith(" rest")
    assert "2500" in high[-1]
    tick = high[-2].index("┴", 20)
    assert high[-1][tick - 2 : tick + 3].strip().isdigit()


@pytest.mark.parametrize("columns", range(30, 130, 7))
def test_no_label_is_cut_by_the_unit(columns):
    made = trace(1.0)
    for span in ((3600, 9825), (5000, 5251), (4999.5, 5010.0)):
        window = window_over(made.wavelength, made.flux, *span)
        for rows in (12, 24):
            words = framed(made, window, Layout(rows, columns), charset="ascii").text()[-1][6:].rstrip("A")
            digits = words.replace("-", " ").replace("+", " ").split()
            step = {len(word) for word in digits}
            assert len(step) <= 1, (digits, columns, span)


def test_sky_lines_stand_on_the_axis_and_leave_labels_alone():
    made = trace(1.0)
    window = window_over(made.wavelength, made.flux, 3600, 9825)
    drawn = framed(made, window, Layout(12, 80), sky=[5578.9, 5050.0, 99.0])
    assert drawn.text()[-1].count("⊕") == 1
    assert "5000" in drawn.text()[-1]


def test_text_can_be_had_without_any_screen():
    rng = np.random.default_rng(5)
    flux = 1 + 8 * np.exp(-0.5 * ((WAVE - 5120) / 40) ** 2) + rng.normal(0, 0.3, WAVE.size)
    data = SpectrumData.of_arrays(WAVE, flux, np.full(WAVE.size, 11.0))
    rows = data_text(data, width=70, height=16, markers=[Marker("C IV", 5120, 0)])
    assert len(rows) == 16
    assert max(map(len, rows)) <= 70
    assert "C IV" in rows[1]
    column = rows[1].index("C IV") + 1
    assert any(row[column - 2 : column + 3].strip("┊ ") for row in rows[2:5])
    plain = data_text(data, charset="ascii", x_range=(5000, 5200), sigma=0)
    assert all(row.isascii() for row in plain)


def test_smoothing_for_the_eye_goes_with_the_frame():
    made = smooth(WAVE, np.sin(WAVE / 50), np.ones(WAVE.size), 3)
    window = window_over(made.wavelength, made.flux, 3600, 9825)
    assert inked(framed(made, window, Layout(12, 80)), Ink.FLUX).any()
