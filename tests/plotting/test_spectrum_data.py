"""What is known of a spectrum beside its joined curve: overlaps, masks, holes, arms that are not there."""

import numpy as np
import pytest

from qnet_tui.plotting.spectrum_data import DESI_COVERAGE, SpectrumData, shown_range


def arm(name, low, high, step=0.8, flux=1.0):
    wave = np.arange(low, high + 0.5 * step, step)
    return name, wave, np.full(wave.size, flux), np.ones(wave.size)


B, R, Z = (arm(*each) for each in DESI_COVERAGE)


def test_desi_arms_share_two_stretches_and_are_joined_on_one_comb():
    data = SpectrumData.of_arms([B, R, Z], DESI_COVERAGE)
    assert data.overlaps() == [pytest.approx((5760.0, 5800.0)), pytest.approx((7520.0, 7620.0))]
    assert data.wavelength.size == 7781
    assert data.missing == ()
    assert data.stretches() == []


def test_one_arm_shares_nothing_and_expects_nothing():
    data = SpectrumData.of_arms([arm("sdss", 3600, 9000, 1.0)])
    assert (data.overlaps(), data.missing, data.stretches()) == ([], (), [])
    assert SpectrumData.of_arrays([1, 2, 3], [1, 1, 1], [1, 1, 1]).arms == ()


def test_an_arm_that_is_not_there_is_missing_where_no_other_arm_looks():
    data = SpectrumData.of_arms([B, Z], DESI_COVERAGE)
    assert data.missing == (("r", 5760.0, 7620.0),)
    (hole,) = data.stretches()
    assert (hole.why, hole.arm) == ("missing", "r")
    assert (hole.low, hole.high) == (pytest.approx(5800.0), pytest.approx(7520.0))
    assert data.masked_stretches() == []


@pytest.mark.parametrize(("arms", "side"), [([R, Z], "low"), ([B, R], "high")])
def test_a_little_of_an_arm_missing_at_an_end_is_shown(arms, side):
    data = SpectrumData.of_arms(arms, DESI_COVERAGE)
    low, high = shown_range(data)
    first, last = data.wavelength[0], data.wavelength[-1]
    if side == "low":
        assert 0.1 * (last - first) < first - low < 0.2 * (last - first)
        assert high == pytest.approx(last, abs=1)
    else:
        assert 0.1 * (last - first) < high - last < 0.2 * (last - first)
        assert low == pytest.approx(first, abs=1)


def test_all_arms_there_is_the_range_of_the_data():
    assert shown_range(SpectrumData.of_arms([B, R, Z], DESI_COVERAGE)) == pytest.approx((3599.6, 9824.4))
    assert shown_range(SpectrumData.of_arrays([], [], [])) == (0.0, 1.0)


def test_masked_runs_go_from_pixel_edge_to_pixel_edge():
    name, wave, flux, ivar = arm("b", 4000, 4100, 1.0)
    ivar = ivar.copy()
    ivar[10:20] = 0
    ivar[50] = 0
    data = SpectrumData.of_arms([(name, wave, flux, ivar)])
    assert data.masked_stretches() == [(4009.5, 4019.5), (4049.5, 4050.5)]
    assert data.masked_stretches(5.0) == [(4009.5, 4019.5)]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_measurement_are_masked(bad):
    name, wave, flux, ivar = arm("b", 4000, 4100, 1.0)
    flux, ivar = flux.copy(), ivar.copy()
    flux[0], ivar[1], ivar[2] = bad, bad, -0.5
    data = SpectrumData.of_arms([(name, wave, flux, ivar)])
    assert data.masked_stretches() == [(3999.5, 4002.5)]
    assert np.isfinite(data.flux).all()
    assert np.isfinite(data.ivar).all()
    assert all((each.ivar >= 0).all() for each in (data, *data.arms))


def test_a_hole_between_pixels_that_no_arm_explains_is_said_to_have_none():
    wave = np.concatenate([np.arange(4000.0, 4100.0), np.arange(4500.0, 4600.0)])
    (hole,) = SpectrumData.of_arrays(wave, np.ones(200), np.ones(200)).stretches()
    assert (hole.why, hole.low, hole.high) == ("no pixels", 4099.5, 4499.5)


def test_where_there_are_data():
    name, wave, flux, ivar = arm("b", 4000, 4100, 1.0)
    ivar = np.where(wave < 4050, ivar, 0)
    data = SpectrumData.of_arms([(name, wave, flux, ivar)])
    assert data.has_data(4020.0)
    assert data.has_data(4055.0)
    assert not data.has_data(4080.0)
    assert not data.has_data(3000.0)


def test_an_arm_without_a_pixel_is_no_arm():
    data = SpectrumData.of_arms([B, ("r", [], [], [])], DESI_COVERAGE)
    assert [each.name for each in data.arms] == ["b"]
    assert [each[0] for each in data.missing] == ["r", "z"]
