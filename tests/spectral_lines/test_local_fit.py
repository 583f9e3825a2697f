"""The fit finds the redshift it was put near to, says how well, and is not fooled by what spectra have beside lines."""

import contextlib

import numpy as np
import pytest

from qnet_tui.spectral_lines.local_fit import NoFit, fit_redshift
from qnet_tui.spectral_lines.templates import own_templates
from tests.spectral_lines.simulated_spectra import LIGHT_KMS, Known, simulated

N = 36


def distances(spectra, spectype, seed=1, spoil=None, **options):
    """km/s off the truth, infinite where there is no fit; and the errors given."""
    rng = np.random.default_rng(seed)
    off, errors = [], []
    for known in spectra:
        flux, ivar = (known.flux.copy(), known.ivar.copy())
        if spoil is not None:
            flux, ivar = spoil(known, flux, ivar, rng)
        try:
            fit = fit_redshift(known.wave, flux, ivar, known.start(rng), spectype=spectype, **options)
        except NoFit:
            off.append(np.inf)
            errors.append(np.inf)
        else:
            off.append(known.off(fit.z))
            errors.append(LIGHT_KMS * fit.z_error / (1 + known.z))
    return np.abs(off), np.array(errors)


def test_simulated_quasars_of_snr_3():
    off, errors = distances(simulated("QSO", N, 3.0), "QSO")
    assert len(off) == N
    # Asked for: 300. Measured on 303 of another seed: 52, 87 % within 300, 99 % within 1000.
    assert np.median(off) < 100
    assert np.mean(off < 1000) >= 0.95
    assert np.median(off / errors) < 1.5


def test_simulated_galaxies_and_stars():
    off, errors = distances(simulated("GALAXY", 24, 3.0), "GALAXY")
    assert np.median(off) < 25
    assert np.mean(off < 300) >= 0.95
    assert np.median(off / errors) < 1.5
    off, _ = distances(simulated("STAR", 24, 3.0), "STAR")
    assert np.median(off) < 40
    assert np.mean(off < 300) >= 0.9


def test_the_class_is_found_when_nobody_says_it():
    kinds = {template.name: template.spectype for template in own_templates()}
    for kind, least in (("QSO", 1.0), ("GALAXY", 0.6), ("STAR", 0.8)):
        rng = np.random.default_rng(4)
        spectra = simulated(kind, 36 if kind == "QSO" else 24, 3.0)[:8]
        fits = [fit_redshift(known.wave, known.flux, known.ivar, known.start(rng)) for known in spectra]
        assert np.mean([kinds[fit.template] == kind for fit in fits]) >= least
        assert np.median([abs(known.off(fit.z)) for known, fit in zip(spectra, fits, strict=True)]) < 250


def test_velocity_error_and_template_are_those_of_the_fit():
    known = next(k for k in simulated("QSO", N, 3.0) if 1.0 < k.z < 2.0)
    start = known.z + 0.01
    fit = fit_redshift(known.wave, known.flux, known.ivar, start, spectype="QSO")
    assert fit.velocity == pytest.approx(LIGHT_KMS * (fit.z - start) / (1 + start))
    assert fit.template == "quasar"
    assert 20 < LIGHT_KMS * fit.z_error / (1 + fit.z) < 1000
    assert fit.delta_chi2 > 5
    # From any start within reach the same minimum is found.
    again = fit_redshift(known.wave, known.flux, known.ivar, known.z - 0.01, spectype="qso")
    assert LIGHT_KMS * abs(again.z - fit.z) / (1 + fit.z) < 60


def test_fainter_spectra_have_larger_errors():
    known = next(k for k in simulated("QSO", N, 3.0) if 1.0 < k.z < 2.0)
    rng = np.random.default_rng(2)
    noise = 6 / np.sqrt(np.where(known.ivar > 0, known.ivar, 1.0))
    faint = known.flux + rng.normal(size=noise.size) * noise
    clear = fit_redshift(known.wave, known.flux, known.ivar, known.z, spectype="QSO")
    dim = fit_redshift(known.wave, faint, known.ivar / 37, known.z, spectype="QSO")
    assert dim.z_error > 1.5 * clear.z_error
    assert dim.delta_chi2 < clear.delta_chi2


def level_of(known: Known) -> float:
    return float(np.median(np.abs(known.flux[known.ivar > 0])))


def cosmic_rays(known, flux, ivar, rng):
    for place in rng.integers(5, flux.size - 5, 20):
        flux[place : place + rng.integers(1, 4)] += level_of(known) * rng.uniform(5, 100)
    flux[rng.integers(100, flux.size - 100)] += 1e4 * level_of(known)
    return flux, ivar


def bad_sky(known, flux, ivar, rng):
    red = (known.wave > 7600) & (rng.random(flux.size) < 0.3)
    flux[red] += 6 * rng.normal(size=red.sum()) / np.sqrt(np.where(ivar > 0, ivar, 1.0))[red]
    line = np.abs(known.wave - 5579) < 8
    flux[line] += 20 * level_of(known) * rng.normal(size=line.sum())
    return flux, ivar


def arm_steps(known, flux, ivar, rng):
    flux[known.wave > 5780] *= 1.15
    flux[known.wave > 7570] *= 0.85
    return flux, ivar


def a_third_masked(known, flux, ivar, rng):
    low = rng.uniform(3600, 7600)
    ivar[(known.wave > low) & (known.wave < low + 2000)] = 0
    return flux, ivar


def a_false_line(known, flux, ivar, rng):
    centre = rng.uniform(3800, 9600)
    return flux + 8 * level_of(known) * np.exp(-0.5 * ((known.wave - centre) / 3.0) ** 2), ivar


def wrong_noise(known, flux, ivar, rng):
    return flux, ivar * 4


@pytest.mark.parametrize("spoil", [cosmic_rays, bad_sky, arm_steps, a_third_masked, a_false_line, wrong_noise])
def test_spoiled_spectra_are_fitted_nearly_as_well(spoil):
    off, _ = distances(simulated("QSO", N, 3.0)[:20], "QSO", spoil=spoil)
    assert np.median(off) < 220
    assert np.mean(off < 1000) >= 0.9
    off, _ = distances(simulated("GALAXY", 24, 3.0)[:10], "GALAXY", spoil=spoil)
    assert np.median(off) < 40
    assert np.mean(off < 300) >= 0.9


def broad_troughs(known, flux, ivar, rng):
    """Winds that begin inside C IV, Si IV and N V: what drags a template to the red."""
    begin, end = rng.uniform(500, 3000), rng.uniform(7000, 15000)
    for rest, depth in ((1549.06, 1.5), (1397.0, 0.9), (1240.8, 1.2)):
        speed = np.clip((known.wave / (1 + known.z) / rest - 1) * LIGHT_KMS, -30000, 30000)
        flux = flux * np.exp(-depth / (1 + np.exp((speed + begin) / 200)) / (1 + np.exp(-(speed + end) / 600)))
    return flux, ivar


def test_broad_absorption_does_not_drag_the_fit():
    quasars = tuple(known for known in simulated("QSO", N, 3.0) if known.z > 1.9)
    assert len(quasars) >= 10
    clear, _ = distances(quasars, "QSO")
    absorbed, _ = distances(quasars, "QSO", spoil=broad_troughs)
    assert np.mean(absorbed < 1000) >= 0.9
    assert np.median(absorbed) < np.median(clear) + 150


def test_noise_gives_no_redshift():
    rng = np.random.default_rng(6)
    wave = np.arange(3600.0, 9824.0, 0.8)
    got = 0
    for spectype in ("QSO", "GALAXY"):
        for _ in range(8):
            with contextlib.suppress(NoFit):
                fit_redshift(
                    wave, rng.normal(size=wave.size), np.ones(wave.size), rng.uniform(0.2, 1.5), spectype=spectype
                )
                got += 1
    assert got <= 4


def test_a_spectrum_upside_down_is_no_quasar():
    known = next(k for k in simulated("QSO", N, 3.0) if 1.0 < k.z < 2.0)
    with pytest.raises(NoFit):
        fit_redshift(known.wave, -known.flux, known.ivar, known.z, spectype="QSO")
