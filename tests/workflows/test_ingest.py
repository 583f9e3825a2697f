"""Files in, rows out: what is added, what is dropped and why, and what a second ingest does."""

import shutil

import numpy as np
import pytest

import storage.spectra as spectra_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows import ingest as verb
from qnet_tui.workflows.initialise import initialise
from storage.errors import NotAWorkspace
from storage.workspace import Workspace


@pytest.fixture
def empty(tmp_path):
    initialise(tmp_path / "ws")
    return tmp_path / "ws"


def test_rows_of_a_survey(empty, survey):
    result = verb.ingest(empty, [str(survey)])
    assert (result.files, result.rows_read) == (4, 240)
    assert result.rows_added == 240 - sum(result.rows_dropped.values())
    assert {one.path.rsplit("/", 1)[1] for one in result.left} >= {"truth.csv", "truth-sealed.csv"}
    with Workspace.open(empty) as ws:
        rows = spectra_store.read_rows(ws)
        assert len(rows) == result.rows_added
        assert np.isfinite(rows["snr"]).all()
        # The redrock answers beside the coadds came along.
        assert (rows["pipeline"] == "redrock").mean() > 0.9


def test_the_same_file_twice_adds_nothing_also_when_it_moved(empty, survey, tmp_path):
    verb.ingest(empty, [str(survey)])
    again = verb.ingest(empty, [str(survey)])
    assert (again.files, again.rows_added, again.already) == (0, 0, 4)
    moved = shutil.copytree(survey, tmp_path / "elsewhere")
    assert verb.ingest(empty, [str(moved)]).rows_added == 0


def test_workers_read_what_one_process_reads(empty, survey, tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "FILES_WORTH_WORKERS", 2)
    monkeypatch.setattr(verb, "SHARD_ROWS", 100)
    verb.ingest(empty, [str(survey)], jobs=2)
    initialise(tmp_path / "one")
    verb.ingest(tmp_path / "one", [str(survey)], jobs=1)
    with Workspace.open(empty) as a, Workspace.open(tmp_path / "one") as b:
        x, y = spectra_store.read_rows(a), spectra_store.read_rows(b)
        for name in x.dtype.names:
            if name not in {"shard_id"}:
                np.testing.assert_array_equal(x[name], y[name], err_msg=name)


def test_a_bad_file_is_named_and_the_rest_is_done(empty, survey, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    good = next(survey.glob("coadd-*.fits"))
    shutil.copy(good, folder / good.name)
    (folder / "coadd-9-1-thru20210101.fits").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (folder / "coadd-9-2-thru20210101.fits").write_bytes(b"")
    (folder / "coadd-9-3-thru20210101.fits").write_text("not a FITS file")
    result = verb.ingest(empty, [str(folder)])
    assert result.files == 1
    assert result.rows_added > 0
    named = [one.path for one in result.failed] + [one.path for one in result.left]
    assert {p.rsplit("/", 1)[1] for p in named} >= {f"coadd-9-{i}-thru20210101.fits" for i in (1, 2, 3)}
    assert all("\n" not in one.reason for one in result.failed + result.left)


def test_one_grid_per_workspace(empty, survey):
    with pytest.raises(BadInput, match="no grid"):
        verb.ingest(empty, [str(survey)], grid="square")
    verb.ingest(empty, [str(survey)], grid="linear")
    with pytest.raises(BadInput, match="linear grid since"):
        verb.ingest(empty, [str(survey)], grid="log")


def test_a_path_that_is_not_there(empty, tmp_path):
    with pytest.raises(BadInput, match="nowhere"):
        verb.ingest(empty, [str(tmp_path / "nowhere.fits")])


def test_no_workspace(tmp_path):
    with pytest.raises(NotAWorkspace):
        verb.ingest(tmp_path, [str(tmp_path)])
