# ruff: noqa: PT012 - what is tested is what a failure inside the block leaves behind.
"""Memory that does not grow with the number of rows, and the indexes that a round's queries use."""

from pathlib import Path

import numpy as np
import pytest

from storage.connection import fetch
from storage.errors import DiskFull, StorageError
from storage.files import durable_stream
from storage.row_table import ROW_DTYPE
from storage.runs import count_tasks, new_run, register_task
from storage.spectra import joined, read_rows, row_pages
from storage.workspace import Workspace
from tests.memory_peak import peak
from tests.storage.conftest import ingest

FEW, MANY = 1000, 8000


@pytest.fixture
def pages_of_500(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.row_table._PAGE", 500)


@pytest.mark.usefixtures("pages_of_500")
def test_paging_through_the_rows_needs_the_memory_of_a_page(ws: Workspace) -> None:
    def walk() -> None:
        for page in row_pages(ws, columns=("id", "object_id", "kind")):
            assert len(page) <= 500

    ingest(ws, FEW)
    few = peak(walk)
    ingest(ws, MANY, first=FEW, name="2")
    assert peak(walk) < 1.2 * few


@pytest.mark.usefixtures("pages_of_500")
def test_reading_all_rows_needs_little_more_than_the_result(ws: Workspace) -> None:
    ingest(ws, MANY)
    result = MANY * ROW_DTYPE.itemsize
    # Pages that are kept until they are put together would make it twice the result.
    assert result < peak(lambda: read_rows(ws)) < 1.6 * result


@pytest.mark.usefixtures("pages_of_500")
def test_pages_are_the_rows_with_the_columns_asked_for(ws: Workspace) -> None:
    ingest(ws, 1200)
    whole = read_rows(ws)
    pages = list(row_pages(ws, columns=("shard_row", "id")))
    assert [len(page) for page in pages] == [500, 500, 200]
    assert pages[0].dtype.names == ("shard_row", "id")
    assert np.concatenate([page["id"] for page in pages]).tolist() == whole["id"].tolist()
    # A page in which the expression takes no row is not handed on; the next one may have some.
    few = list(row_pages(ws, "hdu_row >= 1100", columns=("id",)))
    assert joined(few, few[0].dtype)["id"].tolist() == whole["id"][1100:].tolist()


def test_a_page_holds_no_lock_while_it_is_worked_on(ws: Workspace, pages_of_500: None) -> None:
    ingest(ws, 1200)
    walk = row_pages(ws, columns=("id",))
    next(walk)
    # A writer's commit would wait for an open reader, and then fail.
    ingest(ws, 3, first=5000, name="later")
    assert sum(len(page) for page in walk) == 700


def test_rows_of_more_objects_than_one_statement_takes(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(ws, 30)
    monkeypatch.setattr("storage.row_table._SLICE", 7)
    found = read_rows(ws, object_ids=range(25, 0, -1))
    assert found.tobytes() == read_rows(ws)[:25].tobytes()
    assert read_rows(ws, "hdu_row < 3", object_ids=range(1, 26))["hdu_row"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("query", "plan"),
    [
        ("SELECT id FROM row r WHERE r.shard_id IS NOT NULL AND r.id > 5 AND r.id <= 9 ORDER BY id",
         "SEARCH r USING INTEGER PRIMARY KEY"),
        ("SELECT id FROM row r WHERE r.shard_id IS NOT NULL AND r.object_id IN (1, 2) ORDER BY id",
         "USING INDEX row_object"),
        ("SELECT id FROM file WHERE path = 'a' AND size = 1 AND mtime_ns = 2", "SEARCH file USING"),
        ("SELECT id FROM file WHERE fingerprint = 'a'", "SEARCH file USING"),
        ("SELECT identity, id FROM object WHERE survey = 'desi' AND identity IN ('1', '2')",
         "(survey=? AND identity=?)"),
        ("SELECT object_id FROM selection WHERE withdrawn = ''", "USING INDEX selection_queued"),
        ("SELECT count(*) FROM task WHERE run_id = 'a' AND kind = 'b'", "(run_id=?)"),
    ],
)  # fmt: skip
def test_queries_of_a_round_do_not_walk_through_millions_of_rows(ws: Workspace, query: str, plan: str) -> None:
    steps = [row[3] for row in fetch(ws.db, f"EXPLAIN QUERY PLAN {query}")]
    assert any(plan in step for step in steps), steps


def test_a_long_file_is_written_piece_by_piece_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "long"
    block = bytes(1 << 16)

    def write(n: int) -> None:
        with durable_stream(target) as stream:
            for _ in range(n):
                stream.write(block)

    assert peak(lambda: write(64)) < 1.5 * peak(lambda: write(8))
    write(64)
    assert target.stat().st_size == 64 << 16
    assert target.stat().st_mode & 0o777 == 0o660
    before = target.read_bytes()
    with pytest.raises(RuntimeError), durable_stream(target) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert target.read_bytes() == before
    with pytest.raises(DiskFull), durable_stream(target):
        raise OSError(28, "No space left on device")
    assert [path.name for path in tmp_path.iterdir()] == ["long"]
    with pytest.raises(StorageError), durable_stream(tmp_path / "no" / "folder"):
        pass


def test_tasks_are_counted_without_being_read(ws: Workspace) -> None:
    run = new_run(ws, "run-al", {}, {}, None, 1, "")
    for i in range(5):
        register_task(ws, run, f"train {i}", "train", "DONE" if i else "FAILED")
    register_task(ws, run, "score 0", "score", "DONE")
    assert count_tasks(ws, run, "train", "DONE") == 4
    assert count_tasks(ws, "al-0099", "train", "DONE") == 0
