"""Whatever arrays come in, the fit gives a usable redshift or NoFit with one line, and no warning."""

import numpy as np
import pytest

from qnet_tui.spectral_lines.local_fit import NoFit, fit_redshift
from qnet_tui.spectral_lines.templates import own_templates, template_flux
from tests.spectral_lines.simulated_spectra import simulated

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def quasar():
    return next(known for known in simulated("QSO", 36, 3.0) if 1.5 < known.z < 2.0)


def cases(wave, flux, ivar):
    rng = np.random.default_rng(0)
    some = rng.random(wave.size) < 0.3
    one = np.arange(wave.size) == 3000
    return {
        "empty": (wave[:0], flux[:0], ivar[:0]),
        "one pixel": (wave[:1], flux[:1], ivar[:1]),
        "ten pixels": (wave[:10], flux[:10], ivar[:10]),
        "NaN": (wave, flux * np.nan, ivar),
        "ivar 0": (wave, flux, ivar * 0),
        "ivar NaN": (wave, flux, ivar * np.nan),
        "ivar negative": (wave, flux, -ivar),
        "some infinite": (wave, np.where(some, np.inf, flux), ivar),
        "ivar infinite": (wave, flux, np.where(some, np.inf, ivar)),
        "blue arm": (wave[wave < 5800], flux[wave < 5800], ivar[wave < 5800]),
        "red arm": (wave[wave > 7520], flux[wave > 7520], ivar[wave > 7520]),
        "no light": (wave, flux * 0, ivar),
        "level": (wave, flux * 0 + 1, ivar),
        "physical units": (wave, flux * 1e-17, ivar * 1e34),
        "huge units": (wave, flux * 1e20, ivar * 1e-40),
        "one huge pixel": (wave, np.where(one, 1e300, flux), ivar),
        "one large pixel": (wave, np.where(one, 1e11, flux), ivar),
        "reversed": (wave[::-1], flux[::-1], ivar[::-1]),
        "half masked": (wave, flux, np.where(rng.random(wave.size) < 0.5, 0, ivar)),
        "float32": (wave.astype("f4"), flux.astype("f4"), ivar.astype("f4")),
        "wavelengths NaN": (np.where(some, np.nan, wave), flux, ivar),
        "wavelengths 0": (wave * 0, flux, ivar),
        "wavelengths negative": (-wave, flux, ivar),
        "a hole": (wave, flux, np.where((wave > 4500) & (wave < 8500), 0, ivar)),
    }


FITTED = {"some infinite", "blue arm", "red arm", "physical units", "huge units", "one huge pixel", "one large pixel",
          "reversed", "half masked", "float32", "wavelengths NaN", "a hole", "ivar infinite"}  # fmt: skip


def outcome(arrays, z, spectype):
    """The fit, or why there is none."""
    try:
        return fit_redshift(*arrays, z, spectype=spectype)
    except NoFit as none:
        return str(none)


def test_wild_input_gives_a_redshift_or_one_line(quasar):
    for name, arrays in cases(quasar.wave, quasar.flux, quasar.ivar).items():
        for z, spectype in ((quasar.z, "QSO"), (0.5, "GALAXY"), (0.7, None)):
            fit = outcome(arrays, z, spectype)
            if isinstance(fit, str):
                assert fit, name
                assert "\n" not in fit, name
                assert not (name in FITTED and spectype == "QSO"), name
                continue
            assert -0.011 < fit.z < 7.001, name
            assert fit.z_error > 0, name
            assert np.isfinite([fit.z_error, fit.velocity, fit.delta_chi2]).all(), name
            assert not (name in FITTED and spectype == "QSO") or abs(quasar.off(fit.z)) < 1000, name


def test_a_template_is_drawn_over_wild_input_or_not_at_all(quasar):
    for name, arrays in cases(quasar.wave, quasar.flux, quasar.ivar).items():
        for template in own_templates()[::4]:
            drawn = template_flux(template, quasar.z, *arrays)
            assert drawn.shape == arrays[0].shape, name
            assert drawn.dtype == np.float64
            assert not np.isinf(drawn).any(), name


@pytest.mark.parametrize("z", [-0.01, 0.0, 0.3, 6.99, 7.0])
def test_the_ends_of_the_redshifts(quasar, z):
    for spectype in (None, "QSO", "GALAXY", "STAR"):
        fit = outcome((quasar.wave, quasar.flux, quasar.ivar), z, spectype)
        assert isinstance(fit, str) or (-0.011 < fit.z < 7.001 and abs(fit.velocity) < 5200)


@pytest.mark.parametrize("z", [np.nan, np.inf, -0.02, -2.0, 7.01])
def test_no_redshift_to_start_from(quasar, z):
    with pytest.raises(NoFit, match="start"):
        fit_redshift(quasar.wave, quasar.flux, quasar.ivar, z)
    assert template_flux(own_templates()[0], z, quasar.wave, quasar.flux, quasar.ivar).shape == quasar.wave.shape


def test_what_cannot_be_asked_is_said(quasar):
    arrays = (quasar.wave, quasar.flux, quasar.ivar)
    with pytest.raises(NoFit, match=r"\|z\|"):
        fit_redshift(*arrays, quasar.z, spectype="STAR")
    with pytest.raises(NoFit, match="no template of the class GALAXY"):
        fit_redshift(*arrays, quasar.z, spectype="GALAXY", templates=own_templates()[:1])
    with pytest.raises(NoFit, match="do not belong together"):
        fit_redshift(quasar.wave, quasar.flux[1:], quasar.ivar, quasar.z)
    with pytest.raises(NoFit, match="too few pixels"):
        fit_redshift(quasar.wave[:9], quasar.flux[:9], quasar.ivar[:9], quasar.z)
