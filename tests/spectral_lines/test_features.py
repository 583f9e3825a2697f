"""Peaks for the cursor: found where they are, not found where there are none."""

import numpy as np
import pytest

from qnet_tui.spectral_lines.features import find_features

WAVE = np.arange(3600.0, 9824.0, 0.8)


def noisy(flux, seed=1, sigma=0.5):
    rng = np.random.default_rng(seed)
    return flux + rng.normal(0, sigma, WAVE.size), np.full(WAVE.size, sigma**-2)


def line(at, height, kms):
    return height * np.exp(-0.5 * ((WAVE - at) / (at * kms / 2.998e5 / 2.355)) ** 2)


@pytest.mark.parametrize(("kms", "height"), [(300, 6.0), (1500, 3.0), (5000, 3.0)])
def test_a_line_of_any_width_is_found_at_its_place(kms, height):
    flux, ivar = noisy(3.0 + line(6000.0, height, kms))
    best = max(find_features(WAVE, flux, ivar), key=lambda feature: feature.significance)
    assert best.wavelength == pytest.approx(6000.0, rel=0.3 * kms / 2.998e5)
    assert best.significance > 5


@pytest.mark.parametrize("seed", range(4))
def test_noise_on_a_continuum_has_no_features_worth_a_jump(seed):
    flux, ivar = noisy(5.0 * (WAVE / 6000.0) ** -1.5, seed)
    assert len(find_features(WAVE, flux, ivar)) <= 1


def test_features_come_in_order_of_wavelength_and_not_too_many():
    flux, ivar = noisy(1.0 + sum(line(4000.0 + 250 * i, 8.0, 800) for i in range(20)))
    found = [feature.wavelength for feature in find_features(WAVE, flux, ivar, most=7)]
    assert len(found) == 7
    assert found == sorted(found)


def test_a_cosmic_ray_in_a_masked_pixel_is_no_feature():
    flux, ivar = noisy(np.full(WAVE.size, 2.0))
    flux[4000:4003], ivar[4000:4003] = 1e6, 0.0
    assert all(abs(feature.wavelength - WAVE[4001]) > 20 for feature in find_features(WAVE, flux, ivar))


@pytest.mark.parametrize("good", [0, 1, 5])
def test_spectra_with_next_to_nothing_have_no_features(good):
    ivar = np.zeros(WAVE.size)
    ivar[:good] = 1.0
    assert find_features(WAVE, np.ones(WAVE.size), ivar) == ()


def test_gaps_and_constant_flux_do_no_harm():
    ivar = np.ones(WAVE.size)
    ivar[2000:6000] = 0
    assert find_features(WAVE, np.full(WAVE.size, 3.0), ivar) == ()
    assert find_features(WAVE, np.full(WAVE.size, np.nan), ivar) == ()
