"""Our own templates: what there is of them, where their lines lie, and how they are drawn over a spectrum."""

import time

import numpy as np
import pytest

from qnet_tui.spectral_lines.line_list import emission_lines
from qnet_tui.spectral_lines.linear_model import solve
from qnet_tui.spectral_lines.rest_grid import LIGHT_KMS
from qnet_tui.spectral_lines.templates import Template, own_templates, template_flux, template_for
from tests.spectral_lines.simulated_spectra import simulated

NAMES = ("quasar", "BAL quasar", "old galaxy", "star-forming galaxy", "star B", "star A", "star F", "star G", "star K",
         "star M", "white dwarf")  # fmt: skip
BY_NAME = {template.name: template for template in own_templates()}


def test_the_templates_there_are():
    assert tuple(BY_NAME) == NAMES
    assert {template.spectype for template in own_templates()} == {"QSO", "GALAXY", "STAR"}
    for template in own_templates():
        assert (np.diff(template.wavelength) > 0).all()
        assert template.wavelength[0] < 800
        # What SDSS's red end shows of a star that approaches.
        assert template.wavelength[-1] > 10_400 / 0.99
        assert np.isfinite(template.basis).all()
        assert (template.basis[0] > 0).all()
        assert template.spread[0] == np.inf
        assert (template.spread[1:] > 0).all()
    assert own_templates() is own_templates()


def test_the_first_of_a_class():
    assert template_for("GALAXY", own_templates()).name == "old galaxy"
    assert template_for("star", own_templates()).name == "star B"
    assert template_for(None, own_templates()).name == "quasar"
    assert template_for("STAR", own_templates()[:3]).name == "quasar"
    assert template_for("QSO", own_templates()[2:]).name == "old galaxy"
    with pytest.raises(ValueError, match="no templates"):
        template_for("QSO", ())


def peak(template: Template, low: float, high: float) -> float:
    """Where the typical object is brightest over a straight line between two rest wavelengths."""
    inside = (template.wavelength > low) & (template.wavelength < high)
    wave, flux = template.wavelength[inside], template.basis[0][inside]
    return float(wave[np.argmax(flux - np.interp(wave, wave[[0, -1]], flux[[0, -1]]))])


def test_lines_lie_where_the_line_list_has_them():
    quasar = BY_NAME["quasar"]
    for name, window in (
        ("Mg II", (2700, 2900)),
        ("Hβ", (4800, 4930)),
        ("Hα", (6500, 6575)),
        ("[O III]", (4985, 5030)),
    ):
        rests = [line.rest for line in emission_lines() if line.name == name]
        nearest = min(abs(peak(quasar, *window) / rest - 1) * LIGHT_KMS for rest in rests)
        assert nearest < 100, name
    # C IV stands blueward of the systemic redshift, as in the mean of DR12Q.
    shift = (peak(quasar, 1500, 1600) / 1549.06 - 1) * LIGHT_KMS
    assert -700 < shift < -250
    gas = BY_NAME["star-forming galaxy"]
    for rest in (5008.24, 4862.683, 6564.614):
        assert abs(peak(gas, rest - 15, rest + 15) / rest - 1) * LIGHT_KMS < 60
    old = BY_NAME["old galaxy"]
    at = {w: float(np.interp(w, old.wavelength, old.basis[0])) for w in (3934.8, 3905.0, 4050.0)}
    assert at[3934.8] < 0.75 * at[3905.0] < at[4050.0]


def test_a_template_finds_its_own_scale_and_tilt():
    quasar = BY_NAME["quasar"]
    wave = np.arange(3600.0, 9824.0, 0.8)
    made = 7e-3 * (wave / 6000) ** 0.8 * np.interp(wave, quasar.wavelength * 3.0, quasar.basis[0])
    drawn = template_flux(quasar, 2.0, wave, made, 1e8 * np.ones_like(wave))
    assert np.max(np.abs(drawn / made - 1)) < 0.03


def test_there_is_nothing_where_the_template_ends():
    narrow = Template("a", "QSO", np.linspace(1500.0, 2000.0, 500), np.ones((1, 500)))
    wave = np.arange(3600.0, 9824.0, 0.8)
    drawn = template_flux(narrow, 2.0, wave, np.ones_like(wave), np.ones_like(wave))
    np.testing.assert_array_equal(np.isfinite(drawn), (wave >= 4500) & (wave <= 6000))
    assert np.isnan(template_flux(narrow, 6.0, wave, np.ones_like(wave), np.ones_like(wave))).all()


def test_at_the_right_redshift_it_looks_right_and_at_a_wrong_one_wrong():
    better = 0
    spectra = [known for known in simulated("QSO", 36, 3.0) if 0.8 < known.z < 2.6][:10]
    for known in spectra:
        arrays = (known.wave, known.flux, known.ivar)

        def misfit(z, arrays=arrays):
            _, flux, ivar = arrays
            return np.nanmean(np.minimum((template_flux(BY_NAME["quasar"], z, *arrays) - flux) ** 2 * ivar, 25))

        right = misfit(known.z)
        better += all(right < misfit(known.z + step) for step in (-0.3, -0.05, 0.05, 0.3))
    assert better == len(spectra)


def test_emission_never_turns_into_absorption():
    """A deep trough where C IV should be leaves a line without strength, not an inverted one."""
    quasar = BY_NAME["quasar"]
    wave = np.arange(3600.0, 9824.0, 0.8)
    made = np.interp(wave, quasar.wavelength * 3.0, quasar.basis[0])
    hole = np.abs(wave - 1549 * 3.0) < 60
    drawn = template_flux(quasar, 2.0, wave, np.where(hole, 0.02, made), 1e4 * np.ones_like(wave))
    continuum = np.median(drawn[(wave > 4380) & (wave < 4480)])
    assert drawn[hole].min() > 0.6 * continuum
    old = BY_NAME["old galaxy"]
    gas = template_flux(old, 0.3, wave, np.interp(wave, old.wavelength * 1.3, old.basis[0]), np.ones_like(wave))
    assert gas.min() > 0


def test_bounds_hold_and_the_rest_is_least_squares():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(3, 500))
    flux = np.array([2.0, -1.0, 0.5]) @ columns + 0.01 * rng.normal(size=500)
    free = np.array([[np.inf] * 3, [-np.inf] * 3, [np.inf] * 3])
    solution = solve(columns, flux, np.ones(500), free)
    np.testing.assert_allclose(solution.coefficients, [2, -1, 0.5], atol=5e-3)
    assert solution.chi2 == pytest.approx(np.sum((flux - solution.coefficients @ columns) ** 2), rel=1e-3)
    free[1, 1] = 0.0
    held = solve(columns, flux, np.ones(500), free)
    expected = np.linalg.lstsq(columns[[0, 2]].T, flux, rcond=None)[0]
    np.testing.assert_allclose(held.coefficients, [expected[0], 0.0, expected[1]], atol=1e-6)
    assert held.chi2 > solution.chi2


def test_drawing_is_quick():
    known = simulated("QSO", 36, 3.0)[0]
    arrays = (known.wave, known.flux, known.ivar)
    template_flux(BY_NAME["quasar"], known.z, *arrays)
    took = []
    for _ in range(7):
        began = time.process_time()
        template_flux(BY_NAME["quasar"], known.z, *arrays)
        took.append(time.process_time() - began)
    # 5 to 8 ms of a processor; three times that on a poor day.
    assert min(took) < 0.025


def test_a_template_that_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match="template a"):
        Template("a", "QSO", np.arange(5.0), np.ones((1, 4)))
    with pytest.raises(ValueError, match="template a"):
        Template("a", "QSO", np.arange(5.0), np.ones((2, 5)), spread=np.ones(3))
