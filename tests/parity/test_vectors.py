"""Our vectors against those of unmodified QuasarNP 0.2 on the same files (``reference/*.npz``)."""

from pathlib import Path

import fitsio
import numpy as np
import pytest

from qnet_tui.spectra.grids import grid_named, log_grid
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.vectors import make_vectors, rebin

COADDS = {
    "picca-coadd-1-80693": "desi/picca/coadd-1-80693-thru20210204.fits",
    "picca-coadd-2-80693": "desi/picca/coadd-2-80693-thru20210204.fits",
    "picca-coadd-sv3-dark-9144": "desi/picca/coadd-sv3-dark-9144.fits",
    "quasarnp-test_coadd": "desi/quasarnp/test_coadd.fits",
}


@pytest.mark.parametrize("grid", ["log", "linear"])
@pytest.mark.parametrize("name", COADDS)
def test_vectors_and_kept_rows_are_quasarnps(shared_data: Path, name: str, grid: str) -> None:
    vectors = make_vectors(read_spectra(shared_data / COADDS[name]), grid_named(grid))
    with np.load(shared_data / "reference" / f"{name}.npz") as reference:
        np.testing.assert_array_equal(vectors.kept, reference[f"kept_{grid}"])
        # 2e-6 is half a unit in the last place of float32 at the largest value there is, 38.
        np.testing.assert_allclose(vectors.x, reference[f"x_{grid}"], rtol=0, atol=2e-6)


def test_vectors_are_those_of_quasarnps_own_test(shared_data: Path) -> None:
    folder = shared_data / "desi" / "quasarnp"
    vectors = make_vectors(read_spectra(folder / "test_coadd.fits"), log_grid())
    np.testing.assert_allclose(vectors.x, np.load(folder / "coadd_x.npy"), rtol=0, atol=2e-6)
    assert vectors.dropped == [(11, "no data in any arm")]


@pytest.mark.parametrize(("grid", "name"), [("log", "coadd_rebinned"), ("linear", "coadd_rebinned_linear")])
def test_each_arm_rebins_as_in_quasarnps_own_test(shared_data: Path, grid: str, name: str) -> None:
    folder = shared_data / "desi" / "quasarnp"
    file = read_spectra(folder / "test_coadd.fits")
    with fitsio.FITS(str(folder / f"{name}.fits")) as expected:
        for arm in file.arms:
            flux, weight = rebin([arm], grid_named(grid))
            letter = arm.name.upper()
            np.testing.assert_array_equal(weight, expected[f"{letter}_IVAR"].read())
            # QuasarNP keeps the sum of flux times ivar at this point, of up to 2e4.
            np.testing.assert_allclose(flux * weight, expected[f"{letter}_FLUX"].read(), rtol=0, atol=1e-11)


def test_bins_of_an_arbitrary_grid_are_quasarnps(shared_data: Path) -> None:
    expected = np.load(shared_data / "desi" / "quasarnp" / "regrid_arbitrary.npy")
    np.testing.assert_array_equal(log_grid().bins_of(np.arange(3600, 9800, 10)), expected)
