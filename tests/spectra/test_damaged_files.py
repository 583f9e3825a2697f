"""Whatever is wrong with a file, its reader says so in one line that names the file, and says nothing else."""

import gzip
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.spectra.desi import read_desi
from qnet_tui.spectra.open_fits import open_fits
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.sdss import read_sdss
from tests.spectra.written_files import PRIMARY, write_desi, write_sdss


def refusal(path):
    with pytest.raises(BadInput) as error:
        read_spectra(path)
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    assert error.value.mend
    assert error.value.exit_code == 2
    return text


def outcome(path):
    """The file read, or the one line that refuses it."""
    try:
        return read_spectra(path)
    except BadInput as error:
        return str(error)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"SIMPLE", "truncated in the header of HDU number 0"),
        (b"TARGETID,Z\n1,2\n", "not a FITS file; name a FITS file of spectra"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "not a FITS file"),
        (gzip.compress(b"text", mtime=0), "not a FITS file"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (b"\x1f\x8b", "truncated gzip file"),
        (PRIMARY, "is a FITS file without spectra of DESI or SDSS, not spectra"),
    ],
)
def test_files_that_are_no_spectra(tmp_path, content, reason):
    path = tmp_path / "coadd-1-2.fits"
    path.write_bytes(content)
    assert reason in refusal(path)


def test_files_that_are_not_there_or_not_files(tmp_path):
    assert "no such file" in refusal(tmp_path / "coadd-1-2.fits")
    assert "not a regular file" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.fits")
    assert "not a regular file" in refusal(tmp_path / "pipe.fits")
    (tmp_path / "file").touch()
    assert "no such file" in refusal(tmp_path / "file" / "below.fits")


def test_files_of_another_kind_are_named_for_what_they_are(shared_data):
    for name, what in (
        ("fastspecfit/redrock-special-dark-27247.fits", "redrock redshifts"),
        ("quasarnp/coadd_rebinned.fits", "rebinned spectra without wavelengths"),
        ("picca/QSO_cat_fuji_dark_tile.fits.gz", "a quasar catalogue"),
    ):
        assert what in refusal(shared_data / "desi" / name)


def test_each_reader_refuses_the_files_of_the_other(tmp_path):
    with open_fits(write_sdss(tmp_path / "spec.fits")) as fits, pytest.raises(BadInput, match="B_FLUX"):
        read_desi(fits, masks=True)
    with open_fits(write_desi(tmp_path / "coadd.fits")) as fits, pytest.raises(BadInput, match="loglam"):
        read_sdss(fits, masks=True)


def test_a_file_that_may_not_be_read_is_no_bad_input(tmp_path, monkeypatch):
    path = write_desi(tmp_path / "coadd-1-2.fits")

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(QnetError, match=r"coadd-1-2.fits: cannot be read \(Permission denied\)") as error:
        read_spectra(path)
    assert error.value.exit_code == 1


def test_a_failing_disk_is_no_bad_input(tmp_path):
    path = write_desi(tmp_path / "coadd-1-2.fits")
    with pytest.raises(QnetError, match=r"cannot be read \(Input/output error\)") as error, open_fits(path):
        raise OSError(5, "Input/output error")
    assert error.value.exit_code == 1


@pytest.mark.parametrize("write", [write_desi, write_sdss])
@pytest.mark.parametrize("packed", [False, True])
def test_truncation_anywhere_is_refused(tmp_path, write, packed):
    path = write(tmp_path / "whole.fits")
    content = path.read_bytes()
    content = gzip.compress(content) if packed else content
    cut_file = tmp_path / ("cut.fits.gz" if packed else "cut.fits")
    n_cuts = 60
    for k in range(1, n_cuts):
        # An odd number of bytes: a cut at a multiple of 2880 can leave a complete, shorter file.
        cut_file.write_bytes(content[: (len(content) * k // n_cuts) | 1])
        assert "truncated" in refusal(cut_file)
    cut_file.write_bytes(content[:-1])
    assert "truncated" in refusal(cut_file)


def test_a_file_cut_between_two_parts_lacks_an_arm_or_is_refused(tmp_path):
    content = write_desi(tmp_path / "whole.fits").read_bytes()
    cut_file = tmp_path / "cut.fits"
    arms_left = []
    for cut in range(2880, len(content), 2880):
        cut_file.write_bytes(content[:cut])
        got = outcome(cut_file)
        if isinstance(got, str):
            assert "\n" not in got
            assert str(cut_file) in got
        else:
            arms_left.append("".join(arm.name for arm in got.arms))
            assert got.notes == tuple(f"no {arm} arm in the file" for arm in "brz" if arm not in arms_left[-1])
    # After X_IVAR, and after X_MASK, nothing tells such a file from one that never had more.
    assert arms_left == ["b", "b", "br", "br", "brz"]


def test_real_files_cut_or_changed(shared_data, tmp_path):
    for name in ("picca/coadd-sv3-dark-9144.fits", "specutils/spectra-5-169-thru20210419.fits"):
        content = (shared_data / "desi" / name).read_bytes()
        path = tmp_path / "coadd-cut.fits"
        for share in (0.001, 0.3, 0.7, 0.999):
            path.write_bytes(content[: int(len(content) * share) | 1])
            assert "truncated" in refusal(path)


def test_a_changed_byte_in_a_gzipped_file_is_refused(tmp_path):
    content = gzip.compress(write_desi(tmp_path / "whole.fits").read_bytes())
    path = tmp_path / "coadd.fits.gz"
    rng = random.Random(5)
    for _ in range(20):
        changed = bytearray(content)
        changed[rng.randrange(10, len(changed))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        assert "gzip file" in refusal(path)


def test_changed_headers_give_an_answer_or_one_line(tmp_path):
    rng = random.Random(11)
    contents = [write(tmp_path / "w.fits").read_bytes() for write in (write_desi, write_sdss)]
    path = tmp_path / "changed.fits"
    outcomes = {"read": 0, "refused": 0}
    for k in range(200):
        changed = bytearray(contents[k % 2])
        for _ in range(rng.choice([1, 3, 10])):
            block = rng.randrange(len(changed) // 2880) * 2880
            changed[block + rng.randrange(2880)] = rng.choice(b"0123456789 'TF=-/EX\0\xff")
        path.write_bytes(changed)
        got = outcome(path)
        outcomes["refused" if isinstance(got, str) else "read"] += 1
        if isinstance(got, str):
            assert "\n" not in got
            assert str(path) in got
        else:
            assert all(np.isfinite(arm.flux).all() for arm in got.arms)
    assert min(outcomes.values()) > 10


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b"TFORM1  = 'K       '", b"TFORM1  = 'V       '", "HDU FIBERMAP: TFORM1 is not a column format"),
        (b"TFORM1  = 'K       '", b"TFORM1  = '2K      '", "its columns take 16 bytes a row, not 8"),
        (b"TFORM1  = 'K       '", b"TFORM1  = 'PK(9)   '", "TARGETID"),
    ],
)
def test_tables_that_contradict_themselves_are_refused(tmp_path, old, new, named):
    path = write_desi(tmp_path / "whole.fits")
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    assert named in refusal(path)


def test_no_open_file_stays_behind(tmp_path):
    good = write_desi(tmp_path / "good.fits")
    packed = tmp_path / "packed.fits.gz"
    packed.write_bytes(gzip.compress(good.read_bytes()))
    bad = tmp_path / "bad.fits"
    bad.write_bytes(good.read_bytes()[:-3000])
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(5):
        read_spectra(good)
        read_spectra(packed)
        with pytest.raises(BadInput):
            read_spectra(bad)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_gzip_without_memory_files(tmp_path, monkeypatch):
    packed = tmp_path / "coadd.fits.gz"
    packed.write_bytes(gzip.compress(write_desi(tmp_path / "coadd.fits").read_bytes()))
    monkeypatch.delattr("os.memfd_create", raising=False)
    assert len(read_spectra(packed).rows) == 2


def test_reading_goes_on_when_the_file_is_replaced(tmp_path):
    path = write_desi(tmp_path / "coadd-1-2.fits")
    with open_fits(path) as fits:
        shutil.copy(path, tmp_path / "copy.fits")
        path.unlink()
        hdu = fits.find("B_FLUX")
        assert hdu is not None
        assert fits.image(hdu).shape == (2, 60)
        assert len(fits.columns(fits.find("FIBERMAP"), ["TARGETID"])["TARGETID"]) == 2
