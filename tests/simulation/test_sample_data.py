"""The sample that ships in the package: small, in DESI's format, with its truth and a note how it was made."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.spectra.arms import SpectraFile
from qnet_tui.spectra.discovery import find_files
from qnet_tui.spectra.grids import log_grid
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.vectors import make_vectors
from qnet_tui.truth.read import read_truth

FOLDER = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture(scope="module")
def files() -> list[SpectraFile]:
    return [read_spectra(path) for path in find_files([FOLDER]).spectra]


def test_it_is_small_and_says_how_it_was_made() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 15e6
    note = (FOLDER / "README.md").read_text()
    assert "qnet simulate sample_data --rows 320 --seed 7 --compress" in note
    assert "BSD-3-Clause" in note


def test_it_reads_as_coadds_with_redrocks_answers(files: list[SpectraFile]) -> None:
    assert len(files) == 4
    assert sum(len(file.rows) for file in files) == 320
    for file in files:
        assert (file.kind, file.survey) == ("coadd", "desi")
        assert (file.rows["pipeline"] == "redrock").all()
        vectors = make_vectors(file, log_grid())
        assert len(vectors.x) == 80
        assert np.isfinite(vectors.x).all()


def test_its_truth_is_enough_to_train_on(files: list[SpectraFile]) -> None:
    table = read_truth(FOLDER / "truth.csv")
    assert not table.rejected
    good = Counter(label.spectype for label in table.labels if label.quality >= 2.5)
    assert good["QSO"] > 100
    assert good["GALAXY"] > 50
    assert good["STAR"] > 20
    assert any(label.quality < 2.5 for label in table.labels)
    identities = {int(i) for file in files for i in file.rows["targetid"]}
    assert {label.targetid for label in table.labels} == {i for i in identities if i > 0}


def test_what_was_put_in_is_told_row_by_row(files: list[SpectraFile]) -> None:
    with (FOLDER / "known.csv").open(newline="") as stream:
        known = list(csv.DictReader(stream))
    told = [(row["FILE"], int(row["ROW"]), int(row["TARGETID"])) for row in known]
    seen = [(f.path.name, int(r["hdu_row"]), int(r["targetid"])) for f in files for r in f.rows]
    assert sorted(told) == sorted(seen)
    assert sum(row["REPEAT"] == "1" for row in known) == 12
