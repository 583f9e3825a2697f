"""The pipeline's Nth fits: read best first, joined by TARGETID, and one line when the file is no details file."""

import contextlib
import subprocess
import sys

import h5py
import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.spectra.rrdetails import (
    PipelineFit,
    fits_array,
    fits_of_array,
    read_all_fits,
    read_fits,
    rrdetails_sibling,
)

DTYPE = [("targetid", "i8"), ("z", "f8"), ("zerr", "f8"), ("zwarn", "i8"), ("chi2", "f8"), ("spectype", "S6"),
         ("subtype", "S3"), ("znum", "i8"), ("deltachi2", "f8")]  # fmt: skip
ROWS = [(7, 2.1, 1e-4, 0, 100.0, b"QSO", b"HIZ", 0, 50.0), (7, 0.4, 2e-4, 4, 150.0, b"GALAXY", b"", 1, 9.5)]


def write_details(path, rows=None, target=7, dtype=DTYPE):
    """A details file with the fits of one target."""
    with h5py.File(path, "w") as file:
        file[f"zfit/{target}/zfit"] = np.array(ROWS if rows is None else rows, dtype=dtype)
    return path


def test_fits_of_redrock_itself(shared_data):
    fits = read_fits(shared_data / "desi/redrock/rrdetails-test.h5", 39633393167631849)
    assert [fit.rank for fit in fits] == list(range(6))
    assert [fit.spectype for fit in fits] == ["GALAXY"] * 3 + ["QSO"] * 3
    best = fits[0]
    assert (best.z, best.zwarn, best.subtype) == (pytest.approx(0.1571380861486737, abs=1e-15), 0, "")
    assert best.deltachi2 == pytest.approx(303.593896782957)
    assert best.zerr == pytest.approx(7.7656525e-05)
    assert fits[3].subtype == "HIZ"
    assert read_fits(shared_data / "desi/redrock/rrdetails-test.h5", 12345) == ()


def test_the_order_is_znum_whatever_that_of_the_rows(tmp_path):
    path = write_details(tmp_path / "rrdetails-1.h5", ROWS[::-1])
    assert read_fits(path, 7) == (
        PipelineFit(0, "QSO", "HIZ", 2.1, 1e-4, 0, 100.0, 50.0),
        PipelineFit(1, "GALAXY", "", 0.4, 2e-4, 4, 150.0, 9.5),
    )


def test_columns_that_older_files_lack_are_unknown(tmp_path):
    dtype = [("z", "f8"), ("spectype", "S6")]
    (fit,) = read_fits(write_details(tmp_path / "a.h5", [(1.5, b"QSO")], dtype=dtype), 7)
    assert (fit.z, fit.spectype, fit.zwarn, fit.subtype) == (1.5, "QSO", -1, "")
    assert np.isnan([fit.zerr, fit.chi2, fit.deltachi2]).all()


def test_a_fit_without_redshift_or_class_is_none(tmp_path):
    rows = [(7, np.nan, 0, 0, 1.0, b"QSO", b"", 0, 0.0), (7, 1.0, 0, 0, 1.0, b"", b"", 1, 0.0), ROWS[0]]
    assert [fit.z for fit in read_fits(write_details(tmp_path / "a.h5", rows), 7)] == [2.1]


@pytest.mark.parametrize("content", [b"", b"not an HDF5 file" * 100])
def test_another_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "rrdetails-1.h5"
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        read_fits(path, 7)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_damage_anywhere_is_one_line_or_harmless(tmp_path):
    whole = write_details(tmp_path / "whole.h5").read_bytes()
    rng = np.random.default_rng(1)
    path = tmp_path / "rrdetails-1.h5"
    for cut in (10, 100, 1000, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(BadInput):
            read_fits(path, 7)
    for _ in range(60):
        spoiled = bytearray(whole)
        for place in rng.integers(0, len(whole), 30):
            spoiled[place] = rng.integers(0, 256)
        path.write_bytes(bytes(spoiled))
        # Whatever else it raised would be a traceback for the user.
        with contextlib.suppress(QnetError):
            assert all(isinstance(fit, PipelineFit) for fit in read_fits(path, 7))


def test_other_layouts_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["something"] = 1
    with pytest.raises(BadInput, match="zfit"):
        read_fits(tmp_path / "a.h5", 7)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["zfit/7/zfit"] = np.zeros((2, 2))
    with pytest.raises(BadInput, match="no table of fits"):
        read_fits(tmp_path / "b.h5", 7)
    with pytest.raises(BadInput, match="no such file"):
        read_fits(tmp_path / "absent.h5", 7)


def test_the_sibling(tmp_path):
    details = write_details(tmp_path / "rrdetails-0-80001-thru20260315.h5")
    for name in ("coadd-0-80001-thru20260315.fits", "coadd-0-80001-thru20260315.fits.gz",
                 "spectra-0-80001-thru20260315.fits"):  # fmt: skip
        assert rrdetails_sibling(tmp_path / name) == details
    assert rrdetails_sibling(tmp_path / "coadd-1-80001-thru20260315.fits") is None
    assert rrdetails_sibling(tmp_path / "spec-1-2-3.fits") is None


def test_several_targets_and_the_stored_form(tmp_path):
    path = write_details(tmp_path / "a.h5")
    fits = read_all_fits(path, [7, 8])
    assert fits[8] == ()
    assert fits_of_array(fits_array(fits[7])) == fits[7]
    assert fits_of_array(fits_array(())) == ()


def test_reading_a_copied_spectrum_loads_no_hdf5():
    code = "import sys, qnet_tui.spectra.single; sys.exit('h5py' in sys.modules or 'fitsio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
