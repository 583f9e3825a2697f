"""The template over a spectrum: which one is chosen, and that bins and smoothing change nothing that is seen."""

import numpy as np
import pytest

from qnet_tui.plotting.smoothing import smooth
from qnet_tui.plotting.spectrum_data import SpectrumData
from qnet_tui.spectral_lines.templates import own_templates, template_flux
from qnet_tui.tui.template_overlay import TemplateOverlay
from tests.tui.campaign import desi_spectrum

QUASAR = own_templates()[0]


@pytest.fixture(scope="module")
def data():
    return SpectrumData.of_arms([(a.name, a.wavelength, a.flux[0], a.ivar[0]) for a in desi_spectrum(1).arms])


def test_the_template_is_the_one_that_was_named_or_the_first_of_the_class(data):
    overlay = TemplateOverlay(data, own_templates())
    assert overlay.chosen("", None) is QUASAR
    assert overlay.chosen("", "GALAXY").spectype == "GALAXY"
    assert overlay.chosen("star M", "QSO").name == "star M"
    assert overlay.chosen("nothing", "STAR").spectype == "STAR"
    assert TemplateOverlay(data, ()).chosen("", "QSO") is None


def test_bins_of_a_few_pixels_give_the_model_of_all_pixels(data):
    model = TemplateOverlay(data, own_templates()).model(QUASAR, 2.3042, 0.0)
    assert 2000 < model.wavelength.size <= 3000
    every = template_flux(QUASAR, 2.3042, data.wavelength, data.flux, data.ivar)
    there = np.interp(model.wavelength, data.wavelength, every)
    assert np.nanmax(np.abs(model.flux - there)) < 0.05 * np.nanmax(there)


def test_the_model_is_smoothed_as_the_flux_beside_it(data):
    overlay = TemplateOverlay(data, own_templates())
    sharp, soft = (overlay.model(QUASAR, 2.3042, sigma).flux for sigma in (0.0, 26.0))
    assert np.nanmax(soft) < 0.99 * np.nanmax(sharp)
    wave = overlay.model(QUASAR, 2.3042, 0.0).wavelength
    asked = smooth(wave, sharp, np.ones(wave.size), 26.0 * 0.8 / np.median(np.diff(wave))).flux
    inner = slice(100, -100)
    assert np.allclose(soft[inner], asked[inner], rtol=0.02, atol=0.02 * np.nanmax(sharp))


def test_the_model_goes_on_over_masked_pixels_and_no_bin_spans_a_hole():
    arms = [(a.name, a.wavelength, a.flux[0], a.ivar[0]) for a in desi_spectrum(1, masked=(5000, 5300)).arms]
    overlay = TemplateOverlay(SpectrumData.of_arms([arm for arm in arms if arm[0] != "r"]), own_templates())
    model = overlay.model(QUASAR, 2.3042, 3.0)
    masked = (model.wavelength > 5010) & (model.wavelength < 5290)
    assert np.isfinite(model.flux[masked]).all()
    assert not ((model.wavelength > 5802) & (model.wavelength < 7518)).any()


def test_models_are_kept_for_the_way_back_but_not_for_ever(data):
    overlay = TemplateOverlay(data, own_templates())
    first = overlay.model(QUASAR, 2.0, 3.0)
    assert overlay.model(QUASAR, 2.0, 3.0) is first
    for step in range(1, 12):
        overlay.model(QUASAR, 2.0 + 0.01 * step, 3.0)
    assert overlay.model(QUASAR, 2.0, 3.0) is not first


def test_no_data_is_no_error():
    empty = TemplateOverlay(SpectrumData.of_arrays([], [], []), own_templates())
    assert empty.model(QUASAR, 2.0, 3.0).flux.size == 0
    wave = np.arange(3600.0, 3700.0)
    masked = TemplateOverlay(SpectrumData.of_arrays(wave, wave, np.zeros(100)), own_templates())
    assert not np.isfinite(masked.model(QUASAR, 2.0, 3.0).flux).any()
