"""The window: which fluxes, which wavelengths, and the way between flux and height."""

import numpy as np
import pytest

from qnet_tui.plotting.ranges import Window, data_range, panned, window_over, zoomed

WAVE = np.arange(1000.0)


def test_a_cosmic_ray_does_not_set_the_range_and_full_shows_it():
    flux = np.random.default_rng(1).normal(1.0, 0.1, 1000)
    flux[500] = 1e5
    assert window_over(WAVE, flux, 0, 1000, "robust").y1 < 3
    assert window_over(WAVE, flux, 0, 1000, "full").y1 > 1e5


def test_a_line_that_is_no_cosmic_ray_is_shown_to_its_top():
    flux = np.ones(1000) + 5 * np.exp(-0.5 * ((WAVE - 400) / 6) ** 2)
    assert window_over(WAVE, flux, 0, 1000).height(np.array(5.5)) < 1.0


def test_only_what_is_in_the_window_counts():
    flux = np.where(WAVE < 500, 1.0, 100.0) + np.sin(WAVE)
    assert window_over(WAVE, flux, 0, 400).y1 < 5


def test_from_zero_starts_at_zero_and_the_others_leave_room_below():
    flux = np.linspace(2, 4, 1000)
    assert window_over(WAVE, flux, 0, 1000, "zero").y0 == 0.0
    robust = window_over(WAVE, flux, 0, 1000)
    assert robust.y0 < 2.01
    assert robust.y1 > 4.0


def test_the_log_like_scale_gives_faint_flux_more_room_and_takes_negative_flux():
    flux = np.concatenate([np.linspace(-0.5, 1.5, 990), np.full(10, 300.0)])
    bent = window_over(WAVE, flux, 0, 1000, "log")
    straight = window_over(WAVE, flux, 0, 1000, "full")
    assert bent.scale == "asinh"
    assert bent.height(np.array(1.0)) > 4 * straight.height(np.array(1.0))
    assert bent.height(np.array([bent.y0, bent.y1])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("mode", ["robust", "full", "zero", "log"])
@pytest.mark.parametrize("flux", [np.full(1000, np.nan), np.zeros(1000), np.full(1000, -3.0), np.full(1000, 1e-20)])
def test_odd_spectra_still_get_a_window(mode, flux):
    window = window_over(WAVE, flux, 0, 1000, mode)
    assert np.isfinite([window.y0, window.y1]).all()
    assert window.y1 > window.y0
    assert np.isfinite(window.height(np.array(1.0)))


def test_a_wavelength_has_a_column_only_inside_the_window():
    window = Window(3600, 9800, 0, 1)
    assert [window.column_of(wavelength, 62) for wavelength in (3600, 3699.9, 3700, 9799.9)] == [0, 0, 1, 61]
    assert window.column_of(3599.9, 62) == -1
    assert window.column_of(9800.0, 62) == -1
    assert window.column_of(float("nan"), 62) == -1


def test_the_data_range_leaves_out_empty_ends():
    flux = np.full(1000, np.nan)
    flux[100:900] = 1.0
    assert data_range(WAVE, flux) == (99.5, 899.5)
    assert data_range(WAVE, np.full(1000, np.nan)) == (-0.5, 999.5)
    assert data_range(np.zeros(0), np.zeros(0)) == (0.0, 1.0)
    assert data_range(np.array([5.0]), np.array([1.0])) == (4.5, 5.5)


def test_zooming_keeps_the_cursor_where_it_is():
    window = zoomed((0.0, 100.0), (0.0, 100.0), 20.0, 0.5)
    assert window == (10.0, 60.0)
    assert zoomed(window, (0.0, 100.0), 20.0, 2.0) == (0.0, 100.0)
    narrow = (0.0, 100.0)
    for _ in range(20):
        narrow = zoomed(narrow, (0.0, 100.0), 20.0, 0.5)
    assert narrow[1] - narrow[0] == pytest.approx(2.0)


def test_panning_stops_at_the_ends():
    assert panned((20.0, 40.0), (0.0, 100.0), 0.5) == (30.0, 50.0)
    assert panned((20.0, 40.0), (0.0, 100.0), -5) == (0.0, 20.0)
    assert panned((70.0, 90.0), (0.0, 100.0), 3) == (80.0, 100.0)


def test_zero_belongs_to_the_picture_when_it_costs_little():
    near = window_over(WAVE, np.linspace(0.3, 4, 1000), 0, 1000)
    assert -0.2 < near.y0 <= 0.0
    assert window_over(WAVE, np.linspace(2, 4, 1000), 0, 1000).y0 > 1.5
    assert window_over(WAVE, np.linspace(-1, 4, 1000), 0, 1000).y0 < -0.9


@pytest.mark.parametrize("level", [0.0, 5e-324, 1e-200, 1.0, -7.0, 1e30, -1e30])
@pytest.mark.parametrize("mode", ["robust", "full", "zero", "log"])
def test_a_level_spectrum_of_any_height_has_a_window(level, mode):
    window = window_over(WAVE, np.full(1000, level), 0, 1000, mode)
    assert np.isfinite([window.y0, window.y1]).all()
    assert window.y1 > window.y0
    if mode in ("robust", "full", "log"):
        assert 0.0 <= window.height(np.array(level)) <= 1.0
