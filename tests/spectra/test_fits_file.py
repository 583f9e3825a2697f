"""Columns and images read straight from the file against those that fitsio reads."""

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.spectra.open_fits import open_fits
from tests.spectra.written_files import table, write_desi


@pytest.mark.parametrize(
    "name",
    [
        "desi/specutils/coadd-5-169-thru20210419.fits",
        "desi/specutils/spectra-sv3-dark-26065.fits",
        "desi/fastspecfit/redrock-4-80613-thru20210324.fits",
        "desi/redrock/redrock-test.fits",
        "desi/picca/QSO_cat_fuji_dark_healpix.fits.gz",
        "sdss/spectra/spec-3655-55240-0256.fits",
        "sdss/spectra/spec-10000-57346-0009.fits",
        "sdss/drq_catalogue_plate3655.fits.gz",
    ],
)
def test_every_column_of_real_tables_is_as_the_library_reads_it(shared_data, name):
    path = shared_data / name
    n_compared = 0
    with open_fits(path) as ours, fitsio.FITS(str(path)) as theirs:
        assert len(ours.hdus) == len(theirs)
        for hdu in ours.hdus:
            if not hdu.is_table:
                continue
            expected = theirs[hdu.index].read()
            columns = ours.columns(hdu, [column.upper() for column in hdu.columns])
            assert len(columns) == len(hdu.columns)
            for column in hdu.columns:
                got, wanted = columns[column.upper()], expected[column]
                assert len(got) == len(wanted)
                if got.dtype.kind == "S":
                    # The library drops the blanks at the end that FITS does not count.
                    got, wanted = np.char.rstrip(got), np.char.rstrip(wanted.astype(got.dtype))
                np.testing.assert_array_equal(got.reshape(-1), wanted.reshape(-1), err_msg=column)
                assert got.dtype.isnative
                n_compared += 1
    assert n_compared > 5


def test_every_image_of_a_real_file_is_as_the_library_reads_it(shared_data):
    path = shared_data / "desi/fastspecfit/coadd-special-dark-27247.fits"
    with open_fits(path) as ours, fitsio.FITS(str(path)) as theirs:
        images = [hdu for hdu in ours.hdus if hdu.shape]
        assert len(images) == 15
        for hdu in images:
            got = ours.image(hdu, n_axes=len(hdu.shape))
            np.testing.assert_array_equal(got, theirs[hdu.name].read())
            assert got.dtype.isnative


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8", "u2", "u4", "i1"])
def test_every_kind_of_pixel(tmp_path, dtype):
    data = np.arange(12).reshape(3, 4).astype(dtype)
    path = tmp_path / "x.fits"
    fitsio.write(str(path), data, extname="DATA")
    with open_fits(path) as fits:
        hdu = fits.find("DATA")
        np.testing.assert_array_equal(fits.image(hdu), data)


def test_every_kind_of_column(tmp_path):
    columns = {
        "B": np.array([1, 2], dtype="u1"),
        "BIT": np.array([True, False]),
        "I": np.array([-1, 2], dtype="i2"),
        "J": np.array([-1, 2], dtype="i4"),
        "K": np.array([-1, 2**62], dtype="i8"),
        "E": np.array([1.5, np.nan], dtype="f4"),
        "D": np.array([[1.5, 2.5], [3.5, np.inf]]),
        "A": ["ab ", " c"],
        "U": np.array([2**63, 1], dtype="u8"),
        "V": np.array([40000, 1], dtype="u2"),
        "C": np.array([1 + 2j, 3], dtype="c8"),
        "TAIL": np.array([7, 8], dtype="i4"),
    }
    path = write_desi(tmp_path / "x.fits", columns, {"X": np.zeros((2, 2))})
    with open_fits(path) as fits:
        hdu = fits.find("FIBERMAP")
        got = fits.columns(hdu, list(columns))
        first = fits.columns(hdu, list(columns), first_row_only=True)
    assert got["A"].tolist() == [b"ab ", b" c"]
    for name, wanted in columns.items():
        if name != "A":
            np.testing.assert_array_equal(got[name], wanted)
        assert len(first[name]) == 1
        assert np.array_equal(first[name][0], got[name][0], equal_nan=name in "ED")


def test_columns_are_found_in_any_spelling_and_absent_ones_left_out(tmp_path):
    path = write_desi(tmp_path / "x.fits", {"TargetID": [1, 2], "targetid2": [3, 4]}, {"X": np.zeros((2, 2))})
    with open_fits(path) as fits:
        hdu = fits.find("NONE", "FIBERMAP")
        assert set(fits.columns(hdu, ["TARGETID", "ABSENT"])) == {"TARGETID"}
        assert fits.columns(hdu, ["ABSENT"]) == {}
        assert fits.find("NONE") is None


def test_text_tables_are_read_too(tmp_path):
    path = tmp_path / "x.fits"
    with fitsio.FITS(str(path), "rw") as fits:
        fits.write(table({"TARGETID": np.array([5, 6], dtype="i4")}), extname="TEXT", table_type="ascii")
    with open_fits(path) as fits:
        assert fits.columns(fits.find("TEXT"), ["TARGETID"])["TARGETID"].tolist() == [5, 6]


def test_an_image_of_another_shape_than_its_header_says(tmp_path):
    path = write_desi(tmp_path / "x.fits")
    with open_fits(path) as fits:
        hdu = fits.find("B_FLUX")
        with path.open("r+b") as stream:
            stream.truncate(hdu.start + 10)
        with pytest.raises(BadInput, match="HDU B_FLUX ends too early"):
            fits.image(hdu)


def test_a_compressed_image_that_is_damaged(tmp_path):
    path = tmp_path / "x.fits"
    rng = np.random.default_rng(1)
    fitsio.write(str(path), rng.integers(0, 1000, (50, 60)).astype("i4"), extname="DATA", compress="gzip")
    content = bytearray(path.read_bytes())
    content[-2880:] = b"\x55" * 2880
    path.write_bytes(content)
    with open_fits(path) as fits, pytest.raises(BadInput, match="HDU DATA cannot be read") as error:
        fits.image(fits.find("DATA"))
    assert "\n" not in str(error.value)
