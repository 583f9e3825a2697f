import os
import sqlite3
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import DamagedWorkspace, Refused, StorageError
from storage.regrid import add_vectors, read_vectors
from storage.shards import file_crc32, gather, gather_files, open_shard, shards, verify, write_array, write_shard
from storage.spectra import read_rows
from storage.workspace import Workspace
from tests.storage.conftest import ingest


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.arange(12, dtype=np.float64).reshape(3, 4).T,
        np.array(2.5),
        np.empty((0, 5), dtype=np.int8),
        np.array([("QSO", 2.1)], dtype=[("c", "U6"), ("z", "f8")]),
        np.arange(10)[::3],
    ],
)
def test_numpy_reads_what_is_written_and_the_checksum_is_of_the_file(tmp_path: Path, array: np.ndarray) -> None:
    crc = write_array(tmp_path / "a.npy", array)
    again = np.load(tmp_path / "a.npy")
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)
    assert crc == zlib.crc32((tmp_path / "a.npy").read_bytes()) == file_crc32(tmp_path / "a.npy")
    assert [one.name for one in tmp_path.iterdir()] == ["a.npy"]


def test_objects_are_no_arrays(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be stored"):
        write_array(tmp_path / "a.npy", np.array([{}]))


def test_a_shard_is_read_back_as_it_was(ws: Workspace) -> None:
    x = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    number = write_shard(ws, x, "log")
    mapped = open_shard(ws, number)
    np.testing.assert_array_equal(mapped, x)
    assert not mapped.flags.writeable
    (record,) = shards(ws, "log")
    assert (record.id, record.n_rows, record.n_pixels) == (number, 7, 5)
    assert shards(ws, "linear") == []
    assert verify(ws) == []


@pytest.mark.parametrize(
    "x", [np.zeros((0, 4), np.float32), np.zeros((4, 4)), np.zeros(4, np.float32), np.zeros((4, 0), np.float32)]
)
def test_what_is_no_block_of_vectors_is_refused(ws: Workspace, x: np.ndarray) -> None:
    with pytest.raises(Refused, match="float32"):
        write_shard(ws, x, "log")
    assert list(ws.shards_dir.iterdir()) == []


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.create(tmp_path_factory.mktemp("gather") / "ws")
    for first, n in ((0, 5), (100, 1), (200, 9)):
        write_shard(workspace, np.arange(first, first + n, dtype=np.float32)[:, None] * np.ones(3, np.float32), "log")
    return workspace


@given(st.lists(st.sampled_from([(1, 0), (1, 4), (2, 0), (3, 0), (3, 3), (3, 8)]), max_size=40))
def test_vectors_come_in_the_order_asked_for(three: Workspace, places: list[tuple[int, int]]) -> None:
    ids, rows = [one[0] for one in places], [one[1] for one in places]
    out = gather(three, ids, rows)
    assert out.dtype == np.float32
    assert out[:, :1].ravel().tolist() == [{1: 0, 2: 100, 3: 200}[shard] + row for shard, row in places]
    assert out.shape == ((len(places), 3) if places else (0, 0))


@given(st.lists(st.sampled_from([(0, 0), (0, 4), (1, 0), (2, 3), (2, 8)]), max_size=20))
def test_a_worker_without_the_database_reads_the_same(three: Workspace, places: list[tuple[int, int]]) -> None:
    paths = [three.shards_dir / record.name for record in shards(three)]
    which, rows = [one[0] for one in places], [one[1] for one in places]
    expected = gather(three, [one + 1 for one in which], rows)
    np.testing.assert_array_equal(gather_files(paths, which, rows), expected)


def test_what_a_worker_cannot_read_is_named(three: Workspace, tmp_path: Path) -> None:
    paths = [three.shards_dir / record.name for record in shards(three)]
    np.save(tmp_path / "wide.npy", np.zeros((2, 9), np.float32))
    with pytest.raises(DamagedWorkspace, match="missing or cut off"):
        gather_files([tmp_path / "absent.npy"], [0], [0])
    for row in (5, -1):
        with pytest.raises(DamagedWorkspace, match="has shape"):
            gather_files(paths, [0], [row])
    with pytest.raises(Refused, match=r"different grids.*3, 9"):
        gather_files([paths[0], tmp_path / "wide.npy"], [0, 1], [0, 0])


def test_places_that_are_not_there_are_refused(ws: Workspace, three: Workspace) -> None:
    with pytest.raises(Refused, match="there is no shard 9"):
        gather(three, [9], [0])
    with pytest.raises(Refused, match="there is no shard 9"):
        open_shard(three, 9)
    for row in (5, -1):
        with pytest.raises(Refused, match="shard 1 has 5 rows"):
            gather(three, [1], [row])
    with pytest.raises(Refused, match="shards for"):
        gather(three, [1, 1], [0])
    first, second = (write_shard(ws, np.ones((2, n), np.float32), "log") for n in (3, 4))
    with pytest.raises(Refused, match=r"different grids.*\[3, 4\]"):
        gather(ws, [first, second], [0, 0])


def test_damage_is_found_and_named(ws: Workspace) -> None:
    ids = [write_shard(ws, np.full((50, 8), i, np.float32), "log") for i in range(6)]
    paths = [ws.shards_dir / record.name for record in shards(ws)]
    paths[0].unlink()
    os.truncate(paths[1], 200)
    paths[2].write_bytes(paths[2].read_bytes() + b"\0" * 8)
    data = bytearray(paths[3].read_bytes())
    data[-3] ^= 1
    paths[3].write_bytes(data)
    np.save(paths[4], np.zeros((50, 8)))
    assert [(bad.id, bad.reason) for bad in verify(ws)] == [
        (ids[0], "the shard is missing"),
        (ids[1], "the shard is cut off or overwritten"),
        (ids[2], "the shard has more bytes than were written"),
        (ids[3], "checksum differs"),
        (ids[4], "the shard holds (50, 8) float64, not (50, 8) float32"),
    ]
    assert [bad.id for bad in verify(ws, ids[3:4])] == [ids[3]]
    with pytest.raises(DamagedWorkspace, match="is missing; restore"):
        open_shard(ws, ids[0])


def test_a_shard_that_cannot_be_registered_does_not_exist(ws: Workspace) -> None:
    ws.db.execute("CREATE TRIGGER no BEFORE INSERT ON shard BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(sqlite3.IntegrityError, match="no"):
        write_shard(ws, np.ones((2, 2), np.float32), "log")
    assert shards(ws) == []
    assert verify(ws) == []


def test_a_directory_that_is_gone_is_one_line(ws: Workspace) -> None:
    ws.shards_dir.rmdir()
    with pytest.raises(StorageError, match="No such file or directory"):
        write_shard(ws, np.ones((2, 2), np.float32), "log")


def test_vectors_on_another_grid_have_a_shard_set_of_their_own(ws: Workspace) -> None:
    ingest(ws, 4)
    rows = read_rows(ws)
    other = write_shard(ws, np.ones((3, 20), np.float32), "linear")
    assert add_vectors(ws, "linear", rows["id"][1:], other) == 3
    assert add_vectors(ws, "linear", rows["id"][1:], other) == 0
    found = read_vectors(ws, "linear")
    assert found["row_id"].tolist() == rows["id"][1:].tolist()
    assert gather(ws, found["shard_id"], found["shard_row"]).shape == (3, 20)
    assert read_vectors(ws, "log").size == 0
    assert read_rows(ws)["shard_id"].tolist() == rows["shard_id"].tolist()
    with pytest.raises(Refused, match="no shard"):
        add_vectors(ws, "log", rows["id"], other)
    with pytest.raises(Refused, match="cannot lie"):
        add_vectors(ws, "linear", rows["id"], other)
