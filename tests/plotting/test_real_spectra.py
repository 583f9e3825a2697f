"""Spectra of DESI and SDSS as they are: every charset, with arms and model, and what is said of their gaps."""

import warnings

import numpy as np
import pytest

from qnet_tui.plotting.canvas import CHARSETS
from qnet_tui.plotting.model_raster import Model
from qnet_tui.plotting.spectrum_data import DESI_COVERAGE, SpectrumData
from qnet_tui.plotting.spectrum_text import data_text
from qnet_tui.spectra.read import read_spectra

pytestmark = pytest.mark.shared

FILES = {
    "galaxy": ("desi/fastspecfit/coadd-4-80613-thru20210324.fits", 0),
    "quasar": ("desi/picca/coadd-1-80693-thru20210204.fits", 0),
    "noise": ("desi/picca/coadd-sv3-dark-9144.fits", 0),
    "nothing": ("desi/specutils/coadd-5-169-thru20210419.fits", 0),
    "sdss star": ("sdss/spectra/spec-4055-55359-0001.fits", 0),
}


def real(folder, name, without=""):
    path, row = FILES[name]
    file = read_spectra(folder / path)
    arms = [(arm.name, arm.wavelength, arm.flux[row], arm.ivar[row]) for arm in file.arms if arm.name not in without]
    return SpectrumData.of_arms(arms, DESI_COVERAGE if file.survey == "desi" else ())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("charset", CHARSETS)
def test_real_spectra_are_drawn_without_a_word_of_warning(shared_data, name, charset):
    data = real(shared_data, name)
    model = Model(data.wavelength, np.where(data.ivar > 0, data.flux, np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = data_text(data, width=120, height=24, charset=charset, arms=True, model=model)
    assert len(drawn) == 24
    assert any("masked" in row for row in drawn) == (name == "nothing")
    if charset == "ascii":
        assert all(row.isascii() for row in drawn)


def test_an_arm_left_out_of_a_real_file_is_said(shared_data):
    for arm in "brz":
        drawn = data_text(real(shared_data, "quasar", without=arm), width=100, height=18)
        assert any(f"no {arm.upper()} arm" in row for row in drawn)
