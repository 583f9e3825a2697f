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
    monkeypatch.setattr(verb, "WORKERS_START", 0.0)
    monkeypatch.setattr(verb, "SHARD_ROWS", 100)
    verb.ingest(empty, [str(survey)], jobs=2)
    initialise(tmp_path / "one")
    verb.ingest(tmp_path / "one", [str(survey)], jobs=1)
    with Workspace.open(empty) as a, Workspace.open(tmp_path / "one") as b:
        x, y = spectra_store.read_rows(a), spectra_store.read_rows(b)
        for name in x.dtype.names:
            if name not in {"shard_id"}:
                np.testing.assert_array_equal(x[name], y[name], err_msg=name)


def test_what_workers_leave_for_the_driver_is_gone_afterwards(empty, survey, monkeypatch):
    monkeypatch.setattr(verb, "WORKERS_START", 0.0)
    broken = sorted(survey.glob("coadd-*.fits"))[1]
    before = verb.vectors_from_file
    left_over = []

    def fail_at_the_second(out):
        made = before(out)
        if made.path == str(broken):
            raise KeyboardInterrupt
        left_over.append(out)
        return made

    monkeypatch.setattr(verb, "vectors_from_file", fail_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        verb.ingest(empty, [str(survey)], jobs=2)
    assert len(left_over) == 1
    with Workspace.open(empty) as ws:
        # What was gathered before the interruption is kept, and nothing lies about.
        assert [one.path for one in spectra_store.files(ws)] == [str(sorted(survey.glob("coadd-*.fits"))[0])]
        assert [path.suffix for path in ws.shards_dir.iterdir()] == [".npy"]


def test_vectors_travel_between_processes_unchanged(survey, tmp_path):
    path = str(next(survey.glob("coadd-*.fits")))
    here = verb.read_file_vectors(path, "log", "a fingerprint")
    verb.vectors_to_file(path, "log", "a fingerprint", tmp_path / "out")
    there = verb.vectors_from_file(tmp_path / "out")
    for name, value in vars(here).items():
        np.testing.assert_array_equal(getattr(there, name), value, err_msg=name)
        assert type(getattr(there, name)) is type(value)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_rows_and_ends_at_the_rows_read(empty, survey):
    told = []
    result = verb.ingest(empty, [str(survey)], progress=lambda *what: told.append(what))
    assert [stage for stage, _, _ in told] == ["reading spectra"] * 4
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1:] == (result.rows_read, result.rows_read)
    assert all(total >= done for _, done, total in told)


def test_a_file_that_changed_is_named_and_the_rest_is_done(empty, survey, tmp_path):
    folder = shutil.copytree(survey, tmp_path / "in")
    first, second, *_ = sorted(folder.glob("coadd-*.fits"))
    verb.ingest(empty, [str(first)])
    first.write_bytes(second.read_bytes())
    second.unlink()
    result = verb.ingest(empty, [str(folder)])
    assert result.files == 2
    assert [one.path for one in result.failed] == [str(first)]
    assert "changed since it was ingested" in result.failed[0].reason


def test_workers_are_started_for_much_work_only():
    def files(n, size, suffix=""):
        return [verb._FileToRead(verb.Path(f"coadd-{i}.fits{suffix}"), size, "") for i in range(n)]

    assert not verb._workers_pay(files(52, 48_000_000), jobs=2)
    assert verb._workers_pay(files(52, 15_000_000, ".gz"), jobs=2)
    assert verb._workers_pay(files(7200, 48_000_000), jobs=2)
    assert not verb._workers_pay(files(7200, 48_000_000), jobs=1)
    assert not verb._workers_pay(files(1, 5_000_000_000, ".gz"), jobs=8)


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
