"""Vectors read a few rows at a time are those of the file read as a whole; gzipped files are unpacked in part."""

import gzip
import random
import sys

import fitsio
import numpy as np
import pytest

import qnet_tui.spectra.gunzip as gunzip
import qnet_tui.spectra.open_fits as open_fits_module
import qnet_tui.spectra.read as read_module
from qnet_tui.errors import BadInput
from qnet_tui.spectra.grids import linear_grid, log_grid
from qnet_tui.spectra.open_fits import open_fits
from qnet_tui.spectra.read import read_spectra, read_vectors
from qnet_tui.spectra.vectors import make_vectors
from tests.spectra.written_files import write_desi, write_sdss


def compare(path, grid):
    whole = read_spectra(path)
    expected = make_vectors(whole, grid)
    file, vectors = read_vectors(path, grid)
    np.testing.assert_array_equal(vectors.x, expected.x)
    np.testing.assert_array_equal(vectors.kept, expected.kept)
    assert vectors.dropped == expected.dropped
    for name in whole.rows.dtype.names:
        np.testing.assert_array_equal(file.rows[name], whole.rows[name], err_msg=name)
    assert (file.survey, file.kind, file.program, file.notes) == (
        whole.survey, whole.kind, whole.program, whole.notes,
    )  # fmt: skip
    assert file.arms == ()
    return vectors


@pytest.fixture
def blocks_of_two(monkeypatch):
    monkeypatch.setattr(read_module, "_ROWS_AT_ONCE", 2)


@pytest.mark.usefixtures("blocks_of_two")
@pytest.mark.parametrize(
    "name",
    [
        "desi/specutils/coadd-5-169-thru20210419.fits",
        "desi/specutils/spectra-sv3-dark-26065.fits",
        "desi/fastspecfit/coadd-special-dark-27247.fits",
        "desi/picca/coadd-1-80693-thru20210204.fits",
        "desi/quasarnp/test_coadd.fits",
        "sdss/spectra/spec-3655-55240-0256.fits",
    ],
)
def test_real_files(shared_data, tmp_path, name):
    path = shared_data / name
    compare(path, log_grid())
    packed = tmp_path / f"{path.name}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), compresslevel=1))
    compare(packed, linear_grid())


@pytest.mark.usefixtures("blocks_of_two")
@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
@pytest.mark.parametrize("compress", [None, "GZIP_1", "GZIP_2"])
def test_every_kind_of_image(tmp_path, dtype, compress):
    rng = np.random.default_rng(1)
    path = tmp_path / "coadd-1-2.fits"
    with fitsio.FITS(str(path), "rw") as fits:
        for letter, first in (("B", 4000.0), ("R", 5900.0), ("Z", 7600.0)):
            flux, ivar = rng.integers(-50, 90, (5, 60)), rng.integers(0, 9, (5, 60))
            ivar[3] = 0
            fits.write(first + np.arange(60.0), extname=f"{letter}_WAVELENGTH")
            for part, image in (("FLUX", flux), ("IVAR", ivar)):
                fits.write(image.astype(dtype), extname=f"{letter}_{part}", compress=compress, qlevel=0)
    vectors = compare(path, log_grid())
    assert vectors.kept.tolist() == [0, 1, 2, 4]


def test_what_is_no_measurement_in_one_block_only(tmp_path, blocks_of_two):
    path = write_desi(tmp_path / "coadd-1-2.fits")
    with fitsio.FITS(str(path), "rw") as fits:
        flux = fits["R_FLUX"].read()
        flux[-1, 3], flux[0, 5] = np.nan, np.inf
        fits["R_FLUX"].write(flux)
    compare(path, log_grid())


def test_resolution_and_masks_of_a_gzipped_file_are_not_unpacked(shared_data, tmp_path):
    path = shared_data / "desi/fastspecfit/coadd-special-dark-27247.fits"
    packed = tmp_path / "coadd-special-dark-27247.fits.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with open_fits(packed) as all_of_it, open_fits(packed, unpack_all=False) as part:
        assert [hdu.name for hdu in part.hdus] == [hdu.name for hdu in all_of_it.hdus]
        n_left_out = 0
        for hdu in all_of_it.hdus:
            if hdu.is_table or not hdu.shape:
                continue
            whole, got = (fits.image(hdu, n_axes=len(hdu.shape)) for fits in (all_of_it, part))
            if hdu.name.endswith(("_RESOLUTION", "_MASK")):
                assert not got.any()
                n_left_out += bool(whole.any())
            else:
                np.testing.assert_array_equal(got, whole)
        assert n_left_out >= 3


@pytest.fixture(params=["the fastest there is", "Python's own"])
def unpacker(request, monkeypatch):
    if request.param == "Python's own":
        monkeypatch.setattr(gunzip, "_GZIP", gzip)


@pytest.mark.usefixtures("unpacker")
@pytest.mark.parametrize("write", [write_desi, write_sdss])
def test_damage_to_a_gzipped_file_is_one_line(tmp_path, write):
    content = gzip.compress(write(tmp_path / "whole.fits").read_bytes())
    path = tmp_path / "coadd-1-2.fits.gz"
    rng = random.Random(3)
    for k in range(1, 30):
        path.write_bytes(content[: len(content) * k // 30])
        with pytest.raises(BadInput, match="truncated gzip file"):
            read_vectors(path, log_grid())
    for _ in range(60):
        damaged = bytearray(content)
        damaged[rng.randrange(20, len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(BadInput) as error:
            read_vectors(path, log_grid())
        assert "\n" not in str(error.value)
        assert str(error.value).startswith(f"{path}: ")


@pytest.mark.usefixtures("unpacker")
def test_a_packed_file_whose_headers_are_wrong_says_what_a_plain_one_says(tmp_path):
    content = write_desi(tmp_path / "whole.fits").read_bytes()
    plain, packed = tmp_path / "coadd-1-2.fits", tmp_path / "coadd-1-2.fits.gz"
    for cut in (2881, len(content) // 3, len(content) // 2, len(content) - 2000):
        # An odd number of bytes: a cut between two HDUs leaves a whole, shorter file.
        plain.write_bytes(content[: cut | 1])
        packed.write_bytes(gzip.compress(content[: cut | 1]))
        said = []
        for path in (plain, packed):
            with pytest.raises(BadInput) as error:
                read_vectors(path, log_grid())
            said.append(error.value.what)
        assert said[0] == said[1]


def test_without_the_fast_unpacker_pythons_own_is_used(monkeypatch):
    monkeypatch.setitem(sys.modules, "isal.igzip", None)
    assert gunzip._unpacker()[0] is gzip
    assert open_fits_module.DAMAGE == gunzip.DAMAGE
