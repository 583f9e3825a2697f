# ruff: noqa: PT012 - what is tested is what a failure inside the block leaves behind.
import time
from pathlib import Path

import numpy as np
import pytest

from storage.errors import BadExpression, Refused
from storage.shards import gather, write_shard
from storage.spectra import (
    INPUT_FIELDS,
    add_file,
    counts,
    dropped_rows,
    file_of,
    files,
    known_file,
    object_ids,
    objects,
    read_rows,
    relocate,
)
from storage.workspace import Workspace
from tests.storage.conftest import FIRST_TARGETID, desi_rows, file_record, ingest


def test_rows_come_back_as_they_were_read(ws: Workspace) -> None:
    rows = desi_rows(5)
    rows["snr"], rows["frac_masked"] = 1.5, [0, 0.25, np.nan, 1, 0]
    rows["pipeline_zwarn"], rows["desi_target"] = -1, 2**62
    shard = write_shard(ws, np.zeros((5, 3), np.float32), "log")
    assert add_file(ws, file_record(), rows, shard, np.arange(5)) == 5
    found = read_rows(ws)
    for name in INPUT_FIELDS:
        np.testing.assert_array_equal(found[name], rows[name])
    assert found["id"].tolist() == [1, 2, 3, 4, 5]
    assert set(found["kind"]) == {"coadd"}
    assert found["shard_row"].tolist() == [0, 1, 2, 3, 4]
    assert objects(ws, found["object_id"])["identity"].tolist() == rows["identity"].tolist()


def test_dropped_rows_are_kept_with_their_reason_and_make_no_object(ws: Workspace) -> None:
    shard = write_shard(ws, np.zeros((2, 3), np.float32), "log")
    places = np.array([0, -1, 1, -1])
    reasons = {1: "no data in any arm", 3: "flat spectrum (rms 0)"}
    assert add_file(ws, file_record(), desi_rows(4), shard, places, reasons) == 2
    assert [(one.hdu_row, one.targetid, one.reason) for one in dropped_rows(ws)] == [
        (1, FIRST_TARGETID + 1, "no data in any arm"), (3, FIRST_TARGETID + 3, "flat spectrum (rms 0)"),
    ]  # fmt: skip
    assert read_rows(ws)["hdu_row"].tolist() == [0, 2]
    assert object_ids(ws, "desi", [str(FIRST_TARGETID + i) for i in range(4)]).keys() == {
        str(FIRST_TARGETID), str(FIRST_TARGETID + 2),
    }  # fmt: skip
    assert counts(ws) == {
        "files": 1, "rows": 2, "coadds": 2, "exposures": 0, "dropped": 2, "objects": 2, "shards": 1,
    }  # fmt: skip


def test_an_empty_workspace_counts_nothing(ws: Workspace) -> None:
    assert set(counts(ws).values()) == {0}
    assert read_rows(ws).size == 0
    assert objects(ws).size == 0


def test_a_file_without_any_vector_needs_no_shard(ws: Workspace) -> None:
    assert add_file(ws, file_record(), desi_rows(1), None, np.array([-1]), [(0, "no data in any arm")]) == 0
    assert counts(ws)["dropped"] == 1


def test_repeats_are_rows_of_one_object_and_a_row_without_identity_has_none(ws: Workspace) -> None:
    rows = desi_rows(3)
    rows["identity"] = [rows["identity"][0], rows["identity"][0], ""]
    rows["targetid"][2] = 0
    shard = write_shard(ws, np.zeros((3, 3), np.float32), "log")
    assert add_file(ws, file_record(kind="exposure"), rows, shard, np.arange(3)) == 3
    ingest(ws, 1, name="coadd")
    found = read_rows(ws)
    assert found["object_id"].tolist() == [1, 1, 0, 1]
    assert found["kind"].tolist() == ["exposure", "exposure", "exposure", "coadd"]
    assert read_rows(ws, "object_id IS NULL")["id"].tolist() == [3]


def test_the_same_file_twice_adds_nothing_also_elsewhere(ws: Workspace, tmp_path: Path) -> None:
    here = tmp_path / "coadd.fits"
    here.write_bytes(b"x")
    rows, shard = desi_rows(2), write_shard(ws, np.zeros((2, 3), np.float32), "log")
    record = file_record(str(here))
    assert add_file(ws, record, rows, shard, np.arange(2)) == 2
    copied = file_record(str(tmp_path / "copy.fits"))
    assert add_file(ws, record, rows, shard, np.arange(2)) == 0
    assert add_file(ws, copied, rows, shard, np.arange(2)) == 0
    assert [one.path for one in files(ws)] == [str(here)]
    here.unlink()
    assert add_file(ws, copied, rows, shard, np.arange(2)) == 0
    assert [one.path for one in files(ws)] == [copied.path]
    assert counts(ws)["rows"] == 2
    stored = known_file(ws, copied.path, 100, 5)
    assert stored is not None
    assert stored == file_of(ws, stored.id)
    assert known_file(ws, copied.path, 101, 5) is None
    found = known_file(ws, "/elsewhere", 1, 1, "f1")
    assert found == stored


def test_a_file_that_changed_is_refused(ws: Workspace) -> None:
    ingest(ws, 2)
    with pytest.raises(Refused, match="changed since it was ingested"):
        add_file(ws, file_record(fingerprint="other"), desi_rows(1), None, np.array([-1]), {0: "x"})
    assert counts(ws)["rows"] == 2


@pytest.mark.parametrize(
    ("places", "reasons", "says"),
    [
        ([0], {}, "2 rows but 1 shard rows"),
        ([0, -1], {}, "needs a reason"),
        ([0, -1], {1: ""}, "needs a reason"),
        ([0, 1], {1: "why"}, "needs a reason"),
    ],
)
def test_contradictions_are_refused(ws: Workspace, places: list[int], reasons: dict[int, str], says: str) -> None:
    shard = write_shard(ws, np.zeros((2, 3), np.float32), "log")
    with pytest.raises(Refused, match=says):
        add_file(ws, file_record(), desi_rows(2), shard, np.array(places), reasons)
    with pytest.raises(Refused, match="no shard"):
        add_file(ws, file_record(), desi_rows(2), None, np.array([0, 1]))
    with pytest.raises(Refused, match="lack the field snr"):
        rows = desi_rows(2)
        add_file(ws, file_record(), rows[[n for n in rows.dtype.names if n != "snr"]], shard, np.arange(2))
    assert counts(ws)["files"] == 0


def test_a_failure_in_the_middle_leaves_nothing_of_the_file(ws: Workspace) -> None:
    rows = desi_rows(3)
    rows["hdu_row"][2] = 0
    shard = write_shard(ws, np.zeros((3, 3), np.float32), "log")
    with pytest.raises(Exception, match="UNIQUE"):
        add_file(ws, file_record(), rows, shard, np.arange(3))
    assert counts(ws) | {"shards": 0} == dict.fromkeys(counts(ws), 0)


def test_five_thousand_rows_in_half_a_second(ws: Workspace) -> None:
    shard = write_shard(ws, np.zeros((5000, 443), np.float32), "log")
    started = time.process_time()
    add_file(ws, file_record(), desi_rows(5000), shard, np.arange(5000))
    assert time.process_time() - started < 0.5
    found = read_rows(ws)
    assert gather(ws, found["shard_id"], found["shard_row"]).shape == (5000, 443)


def test_a_table_longer_than_a_page_is_read_whole(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(ws, 25)
    whole = read_rows(ws)
    for page in (1, 5, 7, 25):
        monkeypatch.setattr("storage.row_table._PAGE", page)
        assert read_rows(ws).tobytes() == whole.tobytes()
        assert read_rows(ws, "hdu_row % 3 = 0").size == 9


def test_expressions_cut_by_any_column_program_and_magnitude(ws: Workspace) -> None:
    ingest(ws, 10)
    for where, n in (
        ("flux_r > 5", 5), ("mag_r < 22.5 - 2.5 * 0.7", 5), ("mag_g < 99", 0), ("program = 'dark'", 10),
        ("path LIKE '%-2.fits'", 0), ("pipeline_class = 'QSO' AND pipeline_z BETWEEN 0.015 AND 0.045", 3),
        ("tileid = 80605 -- a comment", 10), ("", 10), ("targetid & 1", 5), ("1) OR (1", 10),
    ):  # fmt: skip
        assert read_rows(ws, where).size == n, where


def test_rows_of_given_objects(ws: Workspace) -> None:
    ingest(ws, 12)
    assert read_rows(ws, object_ids=[5, 3, 99])["object_id"].tolist() == [3, 5]
    assert read_rows(ws, "pipeline_z > 0.03", object_ids=iter([3, 5]))["object_id"].tolist() == [5]
    assert read_rows(ws, object_ids=[]).size == 0


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("zz > 1", "no such column: zz"),
        ("flux_r >", "syntax error"),
        ("1; DROP TABLE row", "syntax error"),
        ("id IN (SELECT object_id FROM vote)", "prohibited"),
        ("load_extension('x')", "not authorized"),
        ("flux_r > ?", "bindings"),
        ("(flux_r", "near"),
        ("flux_r > 1 /*", "near|incomplete"),
    ],
)
def test_bad_expressions_are_named_and_do_nothing(ws: Workspace, where: str, says: str) -> None:
    ingest(ws, 3)
    with pytest.raises(BadExpression, match=says) as caught:
        read_rows(ws, where)
    assert caught.value.exit_code == 2
    assert repr(where) in str(caught.value)
    assert "mag_r" in str(caught.value)
    assert counts(ws)["rows"] == 3


def test_originals_that_moved(ws: Workspace) -> None:
    ingest(ws, 1, 0, "1")
    ingest(ws, 1, 1, "2")
    add_file(
        ws, file_record("/datax/c.fits", "f3", redrock_path="/data/redrock.fits"), desi_rows(1, 2), None,
        np.array([-1]), {0: "x"},
    )  # fmt: skip
    assert relocate(ws, "/data/", "/new/place") == 3
    assert [(one.path, one.redrock_path) for one in files(ws)] == [
        ("/new/place/coadd-1.fits", ""), ("/new/place/coadd-2.fits", ""), ("/datax/c.fits", "/new/place/redrock.fits"),
    ]  # fmt: skip
    assert relocate(ws, "/new/place/coadd-1.fits", "/one.fits") == 1
    assert relocate(ws, "/nowhere", "/else") == 0
    with pytest.raises(Refused, match="registered below"):
        relocate(ws, "/one.fits", "/datax/c.fits")
    assert files(ws)[0].path == "/one.fits"
    assert relocate(ws, "/", "/mnt") == 3
    assert files(ws)[0].path == "/mnt/one.fits"


def test_objects_are_found_by_survey_and_identity(ws: Workspace) -> None:
    ingest(ws, 3)
    rows = desi_rows(3)
    rows["identity"] = ["T77", "T77", "P300-51666-9"]
    rows["targetid"] = 0
    rows["plate"], rows["mjd"], rows["fiberid"] = [266, 267, 300], [51602, 51603, 51666], [3, 4, 9]
    shard = write_shard(ws, np.zeros((3, 16), np.float32), "log")
    add_file(ws, file_record("/s", "fs", survey="sdss"), rows, shard, np.arange(3))
    assert object_ids(ws, "sdss", ["T77", "T78", "P300-51666-9"]) == {"T77": 4, "P300-51666-9": 5}
    assert object_ids(ws, "sdss", ["P266-51602-3", "P267-51603-4", "P267-51603-5", "Pnone"]) == {
        "P266-51602-3": 4, "P267-51603-4": 4,
    }  # fmt: skip
    assert object_ids(ws, "desi", ["T77", str(FIRST_TARGETID)]) == {str(FIRST_TARGETID): 1}
    assert objects(ws, [5, 1, 5])["identity"].tolist() == ["P300-51666-9", str(FIRST_TARGETID), "P300-51666-9"]
    assert objects(ws)["id"].tolist() == [1, 2, 3, 4, 5]
    assert objects(ws, []).size == 0
    with pytest.raises(Refused, match="no object 99"):
        objects(ws, [1, 99])
    with pytest.raises(Refused, match="no file 99"):
        file_of(ws, 99)
