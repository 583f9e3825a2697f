"""The pipeline's fits are copied with the spectra of selected objects, and a damaged details file stops nobody."""

import shutil

import h5py
import numpy as np
import pytest

from qnet_tui.spectra.single import load_spectrum
from qnet_tui.workflows.ingest import ingest
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.round_files import RoundFiles
from qnet_tui.workflows.round_selection import copy_spectra
from storage.workspace import Workspace

DTYPE = [("z", "f8"), ("zerr", "f8"), ("zwarn", "i8"), ("chi2", "f8"), ("spectype", "S6"), ("subtype", "S3"),
         ("znum", "i8"), ("deltachi2", "f8")]  # fmt: skip


@pytest.fixture
def campaign(survey, tmp_path):
    """A workspace with the rows of one survey file, that file in a folder of its own, and a round to copy into."""
    folder = tmp_path / "files"
    folder.mkdir()
    coadd = min(survey.glob("coadd-*.fits*"))
    shutil.copy(coadd, folder)
    initialise(tmp_path / "ws")
    ingest(tmp_path / "ws", [str(folder)], jobs=1)
    files = RoundFiles(tmp_path / "ws" / "rounds" / "001")
    files.make_folders(0)
    return tmp_path / "ws", files, folder / coadd.name.replace("coadd-", "rrdetails-").split(".fits")[0]


def copied(root, files):
    """Copy the first four objects; return what was copied and what could not be."""
    with Workspace.open(root) as ws:
        rows = all_rows(ws)
        objects = sorted({int(o) for o in rows["object_id"] if o > 0})[:4]
        failures = copy_spectra(ws, files, rows, objects, silent)
    return [load_spectrum(files.spectrum(o)) for o in objects if files.spectrum(o).exists()], failures


def test_fits_are_copied_with_their_objects(campaign):
    root, files, stem = campaign
    spectra, _ = copied(root, files)
    assert [spectrum.fits for spectrum in spectra] == [()] * 4
    assert not files.log.exists()
    known = [spectrum.targetid for spectrum in spectra]
    with h5py.File(f"{stem}.h5", "w") as details:
        for number, target in enumerate(known[:3]):
            rows = [
                (0.1 * number + 1, 1e-4, 0, 9.0, b"QSO", b"LOZ", 0, 5.0),
                (0.2, 1e-4, 4, 14.0, b"GALAXY", b"", 1, 0.0),
            ]
            details[f"zfit/{target}/zfit"] = np.array(rows, dtype=DTYPE)
    shutil.rmtree(files.root / "spectra")
    files.make_folders(0)
    spectra, failures = copied(root, files)
    assert failures == {}
    assert [len(spectrum.fits) for spectrum in spectra] == [2, 2, 2, 0]
    assert [spectrum.fits[0].z for spectrum in spectra[:3]] == pytest.approx([1.0, 1.1, 1.2])
    assert spectra[0].fits[1].spectype == "GALAXY"


def test_a_damaged_details_file_is_a_line_in_the_log(campaign):
    root, files, stem = campaign
    stem.with_name(stem.name + ".h5").write_bytes(b"\x89HDF\r\n\x1a\n and then nothing")
    spectra, failures = copied(root, files)
    assert (len(spectra), failures) == (4, {})
    assert all(spectrum.fits == () for spectrum in spectra)
    (line,) = files.log.read_text().splitlines()
    assert line.startswith("no fits of the pipeline: ")
    assert stem.name in line
