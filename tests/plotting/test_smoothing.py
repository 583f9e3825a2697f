"""The Gaussian weighted by ivar, its noise, and arms joined."""

import numpy as np
import pytest

from qnet_tui.plotting.smoothing import SMOOTHING_LEVELS, join_arms, smooth


def test_without_smoothing_the_data_come_back_and_masked_pixels_are_gaps():
    wave = np.arange(5.0)
    trace = smooth(wave, [1, 2, np.nan, 4, np.inf], [4, 0, 1, 16, 1], 0)
    np.testing.assert_allclose(trace.flux, [1, np.nan, np.nan, 4, np.nan])
    np.testing.assert_allclose(trace.noise, [0.5, np.nan, np.nan, 0.25, np.nan])


@pytest.mark.parametrize("sigma", SMOOTHING_LEVELS)
def test_a_constant_stays_constant_whatever_the_weights(sigma):
    rng = np.random.default_rng(1)
    ivar = rng.uniform(0.1, 9, 300)
    ivar[100:150] = 0
    trace = smooth(np.arange(300.0), np.full(300, 7.0), ivar, sigma)
    assert np.isnan(trace.flux[100:150]).all()
    np.testing.assert_allclose(trace.flux[ivar > 0], 7.0)


def test_it_is_the_weighted_mean_of_its_definition():
    rng = np.random.default_rng(2)
    flux, ivar = rng.normal(size=80), rng.uniform(0.5, 2, 80)
    trace = smooth(np.arange(80.0), flux, ivar, 2.0)
    kernel = np.exp(-0.5 * ((np.arange(80) - 40) / 2.0) ** 2)
    kernel[np.abs(np.arange(80) - 40) > 8] = 0
    assert trace.flux[40] == pytest.approx((kernel * ivar * flux).sum() / (kernel * ivar).sum())
    assert trace.noise[40] == pytest.approx(np.sqrt((kernel**2 * ivar).sum()) / (kernel * ivar).sum())


def test_a_cosmic_ray_with_no_weight_leaves_no_trace():
    flux, ivar = np.ones(100), np.ones(100)
    flux[50], ivar[50] = 1e9, 0
    trace = smooth(np.arange(100.0), flux, ivar, 5)
    assert np.nanmax(trace.flux) == pytest.approx(1.0)


def test_smoothing_follows_the_noise_of_the_result():
    rng = np.random.default_rng(3)
    trace = smooth(np.arange(20_000.0), rng.normal(0, 2, 20_000), np.full(20_000, 0.25), 6)
    assert np.std(trace.flux[50:-50]) == pytest.approx(trace.noise[10_000], rel=0.1)


def test_the_ends_are_not_pulled_to_zero_and_a_short_spectrum_survives():
    trace = smooth(np.arange(3.0), [5, 5, 5], [1, 1, 1], 26)
    np.testing.assert_allclose(trace.flux, 5)
    assert smooth([], [], [], 3).flux.size == 0


def test_overlapping_arms_are_averaged_with_their_weights():
    blue = (np.arange(0.0, 10), np.full(10, 1.0), np.full(10, 1.0))
    red = (np.arange(8.0, 14), np.full(6, 4.0), np.full(6, 2.0))
    wave, flux, ivar = join_arms([blue, red])
    np.testing.assert_allclose(wave, np.arange(14.0))
    np.testing.assert_allclose(flux[[7, 8, 9, 10]], [1, 3, 3, 4])
    np.testing.assert_allclose(ivar[[7, 8, 9, 10]], [1, 3, 3, 2])


def test_arms_on_other_combs_are_interleaved_in_order():
    wave, flux, _ = join_arms([([0.0, 1.0, 2.0], [1, 1, 1], [1, 1, 1]), ([1.6, 2.6], [9, 9], [1, 1])])
    assert wave.tolist() == [0.0, 1.0, pytest.approx(1.8), 2.6]
    assert flux.tolist() == [1, 1, 5, 9]


def test_bad_pixels_and_missing_arms_do_no_harm():
    wave, flux, ivar = join_arms([([1.0, 2.0], [np.nan, 3.0], [1.0, -1.0]), ([], [], [])])
    assert wave.tolist() == [1.0, 2.0]
    assert ivar.tolist() == [0.0, 0.0]
    assert np.isfinite(flux).all()
    assert join_arms([])[0].size == 0
