"""Least and greatest value per column: nothing narrow is lost, and gaps stay gaps."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qnet_tui.plotting.envelope import envelope


def test_one_pixel_stands_out_of_thousands():
    wave = np.linspace(3600, 9824, 7780)
    flux = np.ones(7780)
    flux[4321] = 50.0
    shape = envelope(wave, flux, 3600, 9825, 150)
    assert np.nanmax(shape.high) == 50.0
    assert (shape.high > 2).sum() <= 2


def test_columns_without_data_are_empty_and_nothing_crosses_them():
    wave = np.arange(0.0, 100)
    flux = np.where(wave < 50, 1.0, 9.0)
    flux[40:60] = np.nan
    shape = envelope(wave, flux, 0, 100, 10)
    assert np.flatnonzero(np.isnan(shape.high)).tolist() == [4, 5]
    assert shape.high[3] == 1.0
    assert shape.low[6] == 9.0


def test_a_stretch_between_two_arms_is_a_gap_too():
    wave = np.concatenate([np.arange(0.0, 30), np.arange(70.0, 100)])
    shape = envelope(wave, np.ones(60), 0, 100, 50)
    assert np.isnan(shape.low[18:33]).all()


def test_a_window_finer_than_the_pixels_is_a_line_through_them():
    shape = envelope(np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 0.0]), 0, 20, 20)
    assert np.isfinite(shape.low).all()
    np.testing.assert_allclose(shape.high[10], 10.0)
    assert shape.high[4] > shape.high[2] > shape.high[1]


def test_neighbouring_columns_meet():
    rng = np.random.default_rng(4)
    shape = envelope(np.arange(400.0), rng.normal(size=400), 0, 400, 80)
    assert (np.minimum(shape.high[:-1], shape.high[1:]) >= np.maximum(shape.low[:-1], shape.low[1:]) - 1e-12).all()


def test_nothing_to_draw_is_no_error():
    none = np.zeros(0)
    for shape in (envelope(none, none, 0, 1, 5), envelope(np.arange(3.0), np.ones(3), 50, 60, 5)):
        assert np.isnan(shape.low).all()
    assert envelope(np.arange(3.0), np.ones(3), 0, 1, 0).low.size == 0
    assert np.isnan(envelope(np.arange(3.0), np.ones(3), 2, 1, 4).low).all()
    assert np.isnan(envelope(np.array([1.0]), np.array([3.0]), 0, 4, 4).low).sum() == 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e30, 1e30) | st.just(float("nan")) | st.just(float("inf")), min_size=1, max_size=60),
    st.integers(1, 40),
)
def test_whatever_comes_the_envelope_stays_within_the_finite_data(values, columns):
    flux = np.array(values)
    flux[~np.isfinite(flux)] = np.nan
    shape = envelope(np.arange(float(flux.size)), flux, 0, flux.size, columns)
    drawn = np.isfinite(shape.low)
    assert (drawn == np.isfinite(shape.high)).all()
    if drawn.any():
        assert (shape.low[drawn] <= shape.high[drawn]).all()
        assert shape.low[drawn].min() >= np.nanmin(flux)
        assert shape.high[drawn].max() <= np.nanmax(flux)
