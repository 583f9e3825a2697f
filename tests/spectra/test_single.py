import os
import random
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.rows import ROW_DTYPE
from qnet_tui.spectra.rrdetails import PipelineFit
from qnet_tui.spectra.single import extract, load_spectrum, save_spectrum
from tests.spectra.written_files import write_desi, write_sdss


def assert_equal(a, b):
    for name in ("survey", "identity", "targetid", "kind", "path", "hdu_row"):
        assert getattr(a, name) == getattr(b, name)
        assert type(getattr(a, name)) is type(getattr(b, name))
    assert a.row.dtype == b.row.dtype == ROW_DTYPE
    assert a.row.tobytes() == b.row.tobytes()
    assert len(a.arms) == len(b.arms)
    for x, y in zip(a.arms, b.arms, strict=True):
        assert x.name == y.name
        for part in ("wavelength", "flux", "ivar", "mask"):
            left, right = getattr(x, part), getattr(y, part)
            if left is None or right is None:
                assert left is right
            else:
                assert left.dtype == right.dtype
                np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    "name",
    [
        "desi/specutils/coadd-5-169-thru20210419.fits",
        "desi/fastspecfit/coadd-special-dark-27247.fits",
        "desi/quasarnp/test_coadd.fits",
        "sdss/spectra/spec-3655-55240-0256.fits",
    ],
)
def test_a_copy_is_equal_to_what_was_read(shared_data, tmp_path, name):
    file = read_spectra(shared_data / name)
    for position in {0, len(file.rows) - 1}:
        spectrum = extract(file, position)
        save_spectrum(tmp_path / "copy.npz", spectrum)
        assert_equal(load_spectrum(tmp_path / "copy.npz"), spectrum)


def test_the_extracted_spectrum_is_the_row_and_its_own(tmp_path):
    file = read_spectra(write_desi(tmp_path / "coadd-1-2.fits", {"TARGETID": [11, -12]}))
    spectrum = extract(file, 1)
    assert (spectrum.survey, spectrum.kind, spectrum.identity) == ("desi", "coadd", "")
    assert (spectrum.targetid, spectrum.hdu_row, spectrum.path) == (-12, 1, str(file.path))
    assert type(spectrum.targetid) is int
    np.testing.assert_array_equal(spectrum.arms[2].flux[0], file.arms[2].flux[1])
    file.arms[2].flux[1] = 0
    file.rows["targetid"][1] = 5
    assert spectrum.arms[2].flux.any()
    assert spectrum.row["targetid"] == -12


@pytest.mark.parametrize("position", [-1, 2, 10**9])
def test_rows_that_are_not_there(tmp_path, position):
    file = read_spectra(write_desi(tmp_path / "coadd-1-2.fits"))
    with pytest.raises(BadInput, match=rf"coadd-1-2\.fits: row {position}: no such row, the file has 2"):
        extract(file, position)


@pytest.fixture
def spectrum(tmp_path):
    return extract(read_spectra(write_sdss(tmp_path / "spec.fits")), 0)


def test_writing_replaces_and_leaves_nothing_behind(tmp_path, spectrum):
    folder = tmp_path / "spectra"
    folder.mkdir()
    path = folder / "T77.npz"
    path.write_bytes(b"older")
    save_spectrum(path, spectrum)
    assert [path.name for path in folder.iterdir()] == ["T77.npz"]
    assert_equal(load_spectrum(path), spectrum)


def test_a_copy_belongs_to_the_group_whatever_the_umask(tmp_path, spectrum):
    old = os.umask(0o077)
    try:
        save_spectrum(tmp_path / "copy.npz", spectrum)
    finally:
        os.umask(old)
    assert (tmp_path / "copy.npz").stat().st_mode & 0o777 == 0o660


def test_the_data_are_on_disk_before_the_name_is(tmp_path, spectrum, monkeypatch):
    events = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr("os.fsync", lambda fd: (events.append("fsync"), fsync(fd))[1])
    monkeypatch.setattr("pathlib.Path.replace", lambda a, b: (events.append("rename"), replace(a, b))[1])
    save_spectrum(tmp_path / "copy.npz", spectrum)
    assert events == ["fsync", "rename", "fsync"]


def test_a_failed_write_keeps_the_old_file(tmp_path, spectrum, monkeypatch):
    path = tmp_path / "copy.npz"
    save_spectrum(path, spectrum)
    before = path.read_bytes()

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(QnetError, match=r"copy\.npz: cannot be written: No space left on device") as error:
        save_spectrum(path, spectrum)
    assert error.value.exit_code == 1
    assert path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.npz", "spec.fits"]


def test_writing_into_no_folder(tmp_path, spectrum):
    with pytest.raises(QnetError, match="cannot be written"):
        save_spectrum(tmp_path / "absent" / "copy.npz", spectrum)


def refusal(path):
    with pytest.raises(BadInput) as error:
        load_spectrum(path)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


def outcome(path):
    """The spectrum loaded, or the one line that refuses it."""
    try:
        return load_spectrum(path)
    except BadInput as error:
        return str(error)


def test_truncated_and_changed_copies_are_refused(tmp_path, spectrum):
    path = tmp_path / "copy.npz"
    save_spectrum(path, spectrum)
    content = path.read_bytes()
    for k in range(40):
        path.write_bytes(content[: len(content) * k // 40])
        refusal(path)
    rng = random.Random(3)
    outcomes = {"refused": 0, "equal": 0}
    for _ in range(150):
        changed = bytearray(content)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        loaded = outcome(path)
        outcomes["refused" if isinstance(loaded, str) else "equal"] += 1
        if isinstance(loaded, str):
            assert "\n" not in loaded
        else:
            # Some bytes of a zip file mean nothing, such as its times: then every value must be right.
            assert_equal(loaded, spectrum)
    assert outcomes["refused"] > 100


def test_other_files_are_refused(tmp_path, spectrum):
    path = tmp_path / "copy.npz"
    assert "no such file" in refusal(path)
    path.write_bytes(b"")
    assert "damaged or truncated" in refusal(path)
    np.savez(path, x=np.zeros(3))
    assert "is not a spectrum of this version of qnet" in refusal(path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    assert "damaged" in refusal(tmp_path / "array.npy")
    save_spectrum(path, spectrum)
    with np.load(path) as stored:
        parts = dict(stored)
    np.savez(path, **(parts | {"row": np.zeros(1, dtype=[("hdu_row", "i8")])}))
    assert "another version" in refusal(path)
    np.savez(path, **(parts | {"sdss_flux": np.zeros((1, 3), dtype=np.float32)}))
    assert "damaged" in refusal(path)
    np.savez(path, **{name: part for name, part in parts.items() if name != "sdss_ivar"})
    assert "damaged" in refusal(path)


def test_a_copy_that_may_not_be_read_is_no_bad_input(tmp_path, spectrum, monkeypatch):
    path = tmp_path / "copy.npz"
    save_spectrum(path, spectrum)

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(QnetError, match="Permission denied") as error:
        load_spectrum(path)
    assert error.value.exit_code == 1


def test_the_fits_of_the_pipeline_come_along(tmp_path):
    file = read_spectra(write_desi(tmp_path / "coadd-1-2.fits", {"TARGETID": [11, -12]}))
    fits = (
        PipelineFit(0, "QSO", "HIZ", 2.123456789012345, 1e-4, 0, 100.5, 12.25),
        PipelineFit(1, "STAR", "WD", -0.0003, float("inf"), 4, 1e9, 0.0),
    )
    save_spectrum(tmp_path / "with.npz", extract(file, 0, fits))
    assert load_spectrum(tmp_path / "with.npz").fits == fits
    save_spectrum(tmp_path / "without.npz", extract(file, 0))
    assert load_spectrum(tmp_path / "without.npz").fits == ()


def test_copies_made_before_fits_were_kept_still_load(tmp_path):
    file = read_spectra(write_desi(tmp_path / "coadd-1-2.fits", {"TARGETID": [11, -12]}))
    save_spectrum(tmp_path / "copy.npz", extract(file, 0))
    with np.load(tmp_path / "copy.npz") as stored:
        # What an older version wrote has exactly these parts.
        assert "fits" not in stored.files
        arrays = dict(stored)
    np.savez_compressed(tmp_path / "odd.npz", **arrays, fits=np.zeros(3))
    with pytest.raises(BadInput, match="another version"):
        load_spectrum(tmp_path / "odd.npz")
