"""Installed redrock templates: read as they are, the newest of each, and whatever is damaged left out."""

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.spectra.redrock_templates import installed_folder, read_template, template_files
from qnet_tui.spectral_lines.local_fit import fit_redshift
from qnet_tui.spectral_lines.templates import own_templates, template_flux
from qnet_tui.workflows.templates import templates_here
from tests.spectral_lines.simulated_spectra import simulated


def write_template(path, basis=None, **header):
    basis = np.ones((2, 400)) + np.arange(400) / 400 if basis is None else basis
    cards = {"CRVAL1": 3.2, "CDELT1": 0.002, "LOGLAM": True, "RRTYPE": "QSO", "RRSUBTYP": "HIZ", **header}
    with fitsio.FITS(str(path), "rw", clobber=True) as file:
        file.write(basis, header={k: v for k, v in cards.items() if v is not None}, extname="BASIS_VECTORS")
    return path


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.setenv("RR_TEMPLATE_DIR", str(tmp_path))
    return tmp_path


def test_the_templates_of_redrock(shared_data):
    quasar = read_template(shared_data / "templates/redrock/rrtemplate-QSO-HIZ-v1.1.fits")
    assert (quasar.name, quasar.spectype, quasar.basis.shape) == ("redrock QSO HIZ", "QSO", (4, 10061))
    assert quasar.wavelength[0] == pytest.approx(10**2.6471)
    assert quasar.wavelength[1] / quasar.wavelength[0] == pytest.approx(10**1e-4)
    star = read_template(shared_data / "templates/redrock/rrtemplate-STAR-CV-v0.1.fits")
    assert (star.name, star.wavelength[0], star.wavelength[1]) == ("redrock STAR CV", 3000.0, pytest.approx(3000.1))


def test_installed_ones_come_after_ours_and_are_drawn(shared_data, monkeypatch):
    monkeypatch.setenv("RR_TEMPLATE_DIR", str(shared_data / "templates/redrock"))
    here = templates_here()
    assert here[: len(own_templates())] == own_templates()
    names = [template.name for template in here[len(own_templates()) :]]
    assert "redrock QSO HIZ" in names
    assert len(names) == 10
    known = next(known for known in simulated("QSO", 36, 3.0) if 1.6 < known.z < 2.2)
    arrays = (known.wave, known.flux, known.ivar)
    hiz = next(template for template in here if template.name == "redrock QSO HIZ")
    drawn = template_flux(hiz, known.z, *arrays)
    good = np.isfinite(drawn) & (known.ivar > 0)
    assert good.mean() > 0.9
    assert np.median(np.abs(drawn - known.flux)[good] * np.sqrt(known.ivar[good])) < 2
    # A fit takes ours; redrock's only when there is nothing else of the class.
    assert fit_redshift(*arrays, known.z, spectype="QSO", templates=here).template == "quasar"
    assert fit_redshift(*arrays, known.z, spectype="QSO", templates=[hiz]).template == "redrock QSO HIZ"


def test_nothing_installed(monkeypatch, tmp_path):
    for value in ("", str(tmp_path / "absent")):
        monkeypatch.setenv("RR_TEMPLATE_DIR", value)
        assert installed_folder() is None
        assert templates_here() == own_templates()


def test_the_newest_version_of_each(tmp_path):
    for name in ("QSO-HIZ-v1.0", "QSO-HIZ-v1.10", "QSO-HIZ-v1.9", "GALAXY-None-v2.6"):
        write_template(tmp_path / f"rrtemplate-{name}.fits")
    names = [path.name for path in template_files(tmp_path)]
    assert names == ["rrtemplate-GALAXY-None-v2.6.fits", "rrtemplate-QSO-HIZ-v1.10.fits"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"RRTYPE": "MOON"},
        {"RRTYPE": None},
        {"CRVAL1": None},
        {"CRVAL1": "blue"},
        {"CDELT1": 0.0},
        {"CDELT1": -0.1},
        {"CRVAL1": 400.0},
        {"CRVAL1": -5.0, "LOGLAM": False},
        {"basis": np.full((2, 400), np.nan)},
        {"basis": np.zeros((2, 400))},
        {"basis": np.ones(400)},
        {"basis": np.ones((60, 400))},
    ],
)
def test_what_is_no_template_is_refused_and_left_out(installed, wrong):
    path = write_template(installed / "rrtemplate-QSO-HIZ-v1.fits", **wrong)
    with pytest.raises(BadInput) as refused:
        read_template(path)
    assert str(path) in str(refused.value)
    write_template(installed / "rrtemplate-QSO-LOZ-v1.fits", RRSUBTYP="LOZ")
    assert [template.name for template in templates_here()[len(own_templates()) :]] == ["redrock QSO LOZ"]


def test_damaged_files_are_left_out(installed):
    whole = write_template(installed / "rrtemplate-QSO-HIZ-v1.fits").read_bytes()
    for content in (b"", b"x" * 5000, whole[:3000], whole[: len(whole) // 2]):
        (installed / "rrtemplate-QSO-HIZ-v1.fits").write_bytes(content)
        with pytest.raises(BadInput):
            read_template(installed / "rrtemplate-QSO-HIZ-v1.fits")
    (installed / "rrtemplate-STAR-A-v1.fits").mkdir()
    assert templates_here() == own_templates()
