"""Any survey file row by row: which row comes first, how objects are found, what the pipeline said beside it."""

import gzip
import shutil

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.spectra.rrdetails import PipelineFit
from qnet_tui.spectra.single import extract, save_spectrum
from qnet_tui.workflows import spectrum_file
from qnet_tui.workflows.demo import sample_folder
from qnet_tui.workflows.spectrum_file import SpecOptions, SpectrumFile, line_choice, started


@pytest.fixture(scope="module")
def sample():
    return SpectrumFile.open(sample_folder() / "coadd-0-80001-thru20260315.fits.gz")


def test_the_pipeline_s_answer_comes_from_the_file_beside(sample):
    shown = sample.show(0)
    assert shown.item.title == "412466729548251168"
    assert (shown.item.pipeline_name, shown.item.pipeline_class) == ("redrock", "QSO")
    state = started(shown.item, None)
    assert state.answer.spectype == "QSO"
    assert state.answer.z == pytest.approx(1.656, abs=1e-3)
    own = started(shown.item, 2.5)
    assert (own.answer.spectype, own.answer.z, own.answer.z_source) == (None, 2.5, "typed")


@pytest.mark.parametrize("z", [float("nan"), float("inf"), -1.0, 9.0])
def test_a_redshift_that_cannot_be_is_refused(sample, z):
    with pytest.raises(BadInput, match="--z"):
        started(sample.show(0).item, z)


def test_the_first_row_is_the_one_asked_for_else_the_first_with_data(sample):
    assert sample.start(SpecOptions(row=7)) == 7
    assert sample.start(SpecOptions(identity="412466729548251209")) == 1
    rows = sample.rows.copy()
    rows["arms"][:3] = ""
    assert SpectrumFile(sample.path, rows, "desi", "coadd", "").start(SpecOptions()) == 3
    rows["arms"] = ""
    assert SpectrumFile(sample.path, rows, "desi", "coadd", "").start(SpecOptions()) == 0


@pytest.mark.parametrize("row", [-1, 80])
def test_a_row_that_is_not_there_is_named(sample, row):
    with pytest.raises(BadInput, match=rf"row {row}: there is no such row; rows are 0 to 79"):
        sample.show(row)


@pytest.mark.parametrize("identity", ["", "quasar", "1", "0", "T5", "3655-1", "9" * 30])
def test_an_object_that_is_not_there_is_refused(sample, identity):
    with pytest.raises(BadInput, match="is not in this file"):
        sample.find(identity)


def test_exposures_of_one_object_are_found_in_turn(sample):
    rows = sample.rows[:5].copy()
    for row in (1, 3, 4):
        rows[row]["targetid"], rows[row]["identity"] = 77, "77"
    file = SpectrumFile(sample.path, rows, "desi", "exposure", "")
    assert [file.find("77", after) for after in (-1, 1, 3, 4)] == [1, 3, 4, 1]
    assert file.same_object(3) == [1, 3, 4]


def test_sdss_objects_have_several_names(sample):
    rows = sample.rows[:2].copy()
    rows["targetid"], rows["identity"] = 0, ["T12", "P3655-55240-310"]
    rows["thing_id"], rows["plate"], rows["mjd"], rows["fiberid"] = [12, -1], 3655, 55240, [7, 310]
    file = SpectrumFile(sample.path, rows, "sdss", "coadd", "boss")
    assert file.find("T12") == file.find("12") == file.find("3655-55240-0007") == 0
    assert file.find("P3655-55240-310") == file.find(" p3655-55240-0310 ") == 1


def test_fits_of_the_pipeline_are_shown_and_a_damaged_file_of_them_is_a_note(tmp_path, monkeypatch):
    coadd = tmp_path / "coadd-0-1-thru2.fits"
    with gzip.open(sample_folder() / "coadd-0-80001-thru20260315.fits.gz") as packed, coadd.open("wb") as out:
        shutil.copyfileobj(packed, out)
    details = tmp_path / "rrdetails-0-1-thru2.h5"
    details.write_bytes(b"no HDF5")
    file = SpectrumFile.open(coadd)
    assert file.show(0).item.fits == ()
    assert "rrdetails-0-1-thru2.h5" in file.notes[-1]
    assert file.show(1).item.fits == ()
    assert len(file.notes) == 1
    fit = PipelineFit(0, "GALAXY", "", 0.61, 1e-4, 0, 100.0, 50.0)
    monkeypatch.setattr(spectrum_file, "read_fits", lambda path, targetid: (fit,))
    item = SpectrumFile.open(coadd).show(0).item
    assert item.fits == (fit,)
    assert (started(item, None).answer.spectype, started(item, None).answer.z) == ("GALAXY", 0.61)


def test_a_spectrum_that_qnet_copied_can_be_looked_at(sample, tmp_path):
    save_spectrum(tmp_path / "12.npz", extract(sample._read, 4))
    copy = SpectrumFile.open(tmp_path / "12.npz")
    assert len(copy) == 1
    assert copy.show(0).item.title == sample.show(4).item.title


def test_other_files_are_refused_in_one_line(tmp_path):
    (tmp_path / "a.txt").write_text("no spectrum")
    for name in ("a.txt", "absent.fits", "."):
        with pytest.raises(BadInput) as refusal:
            SpectrumFile.open(tmp_path / name)
        assert "\n" not in str(refusal.value)
    with pytest.raises(BadInput, match="choose off, major, all, network"):
        line_choice("some")


def test_every_real_file_is_shown_or_refused(shared_data):
    """Every row of every file below desi and sdss: data, or a problem in words; other files one line."""
    refused: list[tuple[str, str]] = []
    rows = 0
    for path in sorted([*(shared_data / "desi").rglob("*"), *(shared_data / "sdss").rglob("*")]):
        if not path.is_file():
            continue
        try:
            file = SpectrumFile.open(path)
        except BadInput as error:
            refused.append((path.name, str(error)))
            continue
        for row in range(len(file)):
            one = file.show(row)
            z = started(one.item, None).answer.z
            assert one.item.problem or one.item.wavelength.size > 1000
            assert z is None or -0.01 <= z <= 7
            rows += 1
    assert rows > 100
    assert len(refused) > 5
    assert all(name in line for name, line in refused)
    assert not [name for name, _ in refused if name.startswith(("coadd-", "spec-", "spectra-"))]
