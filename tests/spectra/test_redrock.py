import gzip

import numpy as np
import pytest

from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.redrock import redrock_sibling
from tests.spectra.written_files import PRIMARY, desi_images, write_desi, write_redrock

ANSWERS = {
    "TARGETID": [12, -5, 11, 11],
    "Z": [0.5, 9.0, 2.25, 7.0],
    "ZERR": np.array([1e-4, 0, 2e-4, 0], dtype=np.float32),
    "ZWARN": [4, 0, 0, 0],
    "SPECTYPE": ["GALAXY", "STAR", "QSO", "STAR"],
    "DELTACHI2": [9.5, 0.0, 100.25, 1.0],
}
FIBERMAP = {"TARGETID": [11, 12, 13, -5, 11]}


@pytest.fixture
def coadd(tmp_path):
    return write_desi(tmp_path / "coadd-1-2.fits", FIBERMAP)


def without(*names):
    return {name: values for name, values in ANSWERS.items() if name not in names}


def test_real_siblings_are_joined(shared_data):
    for name, z in (("4-80613-thru20210324", 0.36874355), ("special-dark-27247", 0.00726967)):
        file = read_spectra(shared_data / f"desi/fastspecfit/coadd-{name}.fits")
        (row,) = file.rows
        assert file.notes == ()
        assert (row["pipeline"], row["pipeline_class"]) == ("redrock", "GALAXY")
        assert row["pipeline_z"] == pytest.approx(z, abs=1e-7)
        assert row["pipeline_zerr"] > 0
        assert row["pipeline_zwarn"] >= 0
        assert row["pipeline_deltachi2"] > 0


def test_answers_are_joined_by_targetid_and_the_first_of_repeats_counts(coadd):
    write_redrock(coadd.with_name("redrock-1-2.fits"), ANSWERS)
    rows = read_spectra(coadd).rows
    assert rows["pipeline"].tolist() == ["redrock", "redrock", "", "redrock", "redrock"]
    assert rows["pipeline_class"].tolist() == ["QSO", "GALAXY", "", "STAR", "QSO"]
    np.testing.assert_array_equal(rows["pipeline_z"], [2.25, 0.5, np.nan, 9, 2.25])
    assert rows["pipeline_zwarn"].tolist() == [0, 4, -1, 0, 0]
    np.testing.assert_array_equal(rows["pipeline_deltachi2"], [100.25, 9.5, np.nan, 0, 100.25])
    np.testing.assert_allclose(rows["pipeline_zerr"], [2e-4, 1e-4, np.nan, 0, 2e-4], rtol=1e-6)


@pytest.mark.parametrize(
    ("spectra", "sibling"),
    [
        ("coadd-1-2.fits", "redrock-1-2.fits"),
        ("coadd-1-2.fits", "redrock-1-2.fits.gz"),
        ("coadd-1-2.fits.gz", "redrock-1-2.fits"),
        ("spectra-1-2.fits", "redrock-1-2.fits"),
        ("coadd-0-80605-deep.fits", "zbest-0-80605-deep.fits"),
    ],
)
def test_siblings_are_found_by_name(tmp_path, spectra, sibling):
    path, answers = tmp_path / spectra, tmp_path / sibling
    for target, write, content in ((path, write_desi, FIBERMAP), (answers, write_redrock, ANSWERS)):
        options = {"extname": "ZBEST"} if target.name.startswith("zbest") else {}
        plain = write(tmp_path / "plain.fits", content, **options)
        target.write_bytes(gzip.compress(plain.read_bytes()) if target.suffix == ".gz" else plain.read_bytes())
    assert redrock_sibling(path) == answers
    assert read_spectra(path).rows["pipeline"].tolist()[0] == "redrock"


def test_other_names_have_no_sibling(tmp_path, coadd):
    assert redrock_sibling(coadd) is None
    (tmp_path / "redrock-x.fits").touch()
    assert redrock_sibling(tmp_path / "x.fits") is None
    file = read_spectra(coadd)
    assert set(file.rows["pipeline"]) == {""}
    assert file.notes == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"not redshifts", "not a FITS file"),
        (PRIMARY, "has no HDU REDSHIFTS"),
        (b"\x1f\x8b\x08\x00", "truncated gzip file"),
    ],
)
def test_an_unreadable_sibling_is_a_note(coadd, content, reason):
    sibling = coadd.with_name("redrock-1-2.fits")
    sibling.write_bytes(content)
    file = read_spectra(coadd)
    assert set(file.rows["pipeline"]) == {""}
    (note,) = file.notes
    assert note.startswith(f"no pipeline answer: {sibling}: {reason}")
    assert "\n" not in note


def test_a_truncated_sibling_is_a_note(coadd):
    sibling = write_redrock(coadd.with_name("redrock-1-2.fits"), ANSWERS)
    sibling.write_bytes(sibling.read_bytes()[:-3000])
    file = read_spectra(coadd)
    assert set(file.rows["pipeline"]) == {""}
    assert "truncated" in file.notes[0]


@pytest.mark.parametrize("name", ["TARGETID", "Z", "SPECTYPE"])
def test_needed_columns_are_named_when_absent(coadd, name):
    write_redrock(coadd.with_name("redrock-1-2.fits"), without(name))
    assert f"HDU REDSHIFTS has no column {name}" in read_spectra(coadd).notes[0]


def test_other_columns_may_be_absent(coadd):
    write_redrock(coadd.with_name("redrock-1-2.fits"), without("ZERR", "ZWARN", "DELTACHI2"))
    rows = read_spectra(coadd).rows
    assert rows["pipeline_class"][0] == "QSO"
    assert np.isnan(rows["pipeline_zerr"][0])
    assert rows["pipeline_zwarn"][0] == -1


def test_a_sibling_of_other_targets_is_a_note(coadd):
    write_redrock(coadd.with_name("redrock-1-2.fits"), {"TARGETID": [1], "Z": [1.0], "SPECTYPE": ["QSO"]})
    assert read_spectra(coadd).notes == ("no pipeline answer: no TARGETID of this file is in redrock-1-2.fits",)


def test_a_sibling_without_rows_is_a_note(coadd):
    empty = {name: np.asarray(values)[:0] for name, values in ANSWERS.items()}
    write_redrock(coadd.with_name("redrock-1-2.fits"), empty)
    assert "no TARGETID of this file" in read_spectra(coadd).notes[0]


def test_rows_without_a_targetid_never_match(tmp_path):
    coadd = write_desi(tmp_path / "coadd-1-2.fits", {}, desi_images(2))
    write_redrock(tmp_path / "redrock-1-2.fits", ANSWERS | {"TARGETID": [0, 0, 0, 0]})
    file = read_spectra(coadd)
    assert set(file.rows["pipeline"]) == {""}
    assert file.notes == ("no FIBERMAP: its rows can be scored, not selected",)
    mixed = write_desi(tmp_path / "coadd-1-3.fits", {"TARGETID": [0, 11]})
    write_redrock(tmp_path / "redrock-1-3.fits", ANSWERS | {"TARGETID": [0, 0, 11, 0]})
    assert read_spectra(mixed).rows["pipeline"].tolist() == ["", "redrock"]
