"""The pool on disk: what comes back, what 0.1 wrote, and memory that does not grow with the pool."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import storage.truth as truth_store
from qnet_tui.active_learning.pool import Pool
from qnet_tui.workflows.labelled_rows import ROWS_DTYPE, all_rows, best_rows, of_objects
from qnet_tui.workflows.pool_files import pool_size, pool_vectors, read_pool, write_pool
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import RoundFiles, write_npz
from qnet_tui.workflows.round_plan import make_pool
from storage.shards import gather, shards, write_shard
from storage.spectra import read_rows
from storage.workspace import Workspace
from tests.memory_peak import peak

PIXELS, SHARD = 100, 1000


def made_pool(root: Path, n: int) -> RoundFiles:
    """A pool of ``n`` rows in shards of 1,000 vectors; vector i holds the number i."""
    files = RoundFiles(root / "round")
    files.pool.parent.mkdir(parents=True)
    number = np.arange(n)
    flags = {f.name: np.zeros(n, dtype=bool) for f in fields(Pool)}
    numbers = ("row_id", "object_key", "targetid", "expid", "file_order", "hdu_row")
    pool = Pool(**{**flags, **dict.fromkeys(numbers, number + 1)})
    with Workspace.create(root / "ws") as ws:
        ids = [
            write_shard(ws, np.repeat(number[a : a + SHARD, None], PIXELS, axis=1).astype(np.float32), "log")
            for a in range(0, n, SHARD)
        ]
        rows = {"shard_id": np.repeat(ids, SHARD), "shard_row": number % SHARD}
        write_pool(
            ws, files, rows, pool, np.ones(n, dtype=bool), number % 9, np.full(9, n // 9), np.zeros(9, dtype=bool)
        )
    return files


def test_a_pool_comes_back_as_it_was_and_knows_where_its_vectors_lie(workspace, tmp_path):
    files = RoundFiles(tmp_path / "round")
    files.pool.parent.mkdir(parents=True)
    with Workspace.open(workspace) as ws:
        rows = all_rows(ws)
        pool = make_pool(ws, rows, truth_store.current_truth(ws), RoundSettings())
        scored = rows["object_id"] % 2 == 1
        some = rows[scored]
        cells, counts, rejected = some["id"] % 9, np.arange(9), np.arange(9) < 2
        write_pool(ws, files, some, pool, scored, cells, counts, rejected)
        back, on_map = read_pool(files)
        for field in fields(Pool):
            expected = getattr(pool, field.name)[scored]
            assert getattr(back, field.name).dtype == expected.dtype
            assert np.array_equal(getattr(back, field.name), expected)
        assert (on_map.bmu == cells).all()
        assert (on_map.rejected == rejected).all()
        assert len(shards(ws)) >= 1
        assert pool_size(files) == len(some)
        wanted = np.array([7, 3, 3, len(some) - 1])
        assert np.array_equal(
            pool_vectors(files, wanted), gather(ws, some["shard_id"][wanted], some["shard_row"][wanted])
        )
        assert np.array_equal(
            pool_vectors(files, slice(5, 9)), gather(ws, some["shard_id"][5:9], some["shard_row"][5:9])
        )


def test_a_plan_of_version_0_1_is_read(workspace, tmp_path):
    files = RoundFiles(tmp_path / "round")
    files.pool.parent.mkdir(parents=True)
    with Workspace.open(workspace) as ws:
        rows = read_rows(ws)
        pool = make_pool(ws, all_rows(ws), truth_store.current_truth(ws), RoundSettings())
        old = {f.name: getattr(pool, f.name) for f in fields(Pool) if f.name not in {"target", "arm_missing", "coadd"}}
        old |= {name: rows[name] for name in ("objtype", "arms_missing", "kind")}
        used, index = np.unique(rows["shard_id"], return_inverse=True)
        names = {s.id: str(ws.shards_dir / s.name) for s in shards(ws)}
        write_npz(
            files.pool, shard_files=np.array([names[int(s)] for s in used]), shard_index=index,
            shard_row=rows["shard_row"], bmu=rows["id"] % 4, cell_counts=np.arange(4), cell_rejected=np.arange(4) < 1,
            **{f"pool_{name}": values for name, values in old.items()},
        )  # fmt: skip
        back, on_map = read_pool(files)
        for field in fields(Pool):
            assert np.array_equal(getattr(back, field.name), getattr(pool, field.name)), field.name
        assert (on_map.bmu == rows["id"] % 4).all()
        assert np.array_equal(pool_vectors(files, slice(0, 3)), gather(ws, rows["shard_id"][:3], rows["shard_row"][:3]))


def test_a_block_of_a_large_pool_needs_no_more_memory_than_one_of_a_small_pool(tmp_path):
    small, large = made_pool(tmp_path / "small", 2 * SHARD), made_pool(tmp_path / "large", 16 * SHARD)
    block = slice(200, 2 * SHARD - 200)
    assert pool_vectors(large, block)[:, 0].tolist() == list(range(block.start, block.stop))
    assert peak(lambda: pool_vectors(large, block)) < 1.1 * peak(lambda: pool_vectors(small, block))
    # Less than one of its columns.
    assert peak(lambda: read_pool(large)) < 16 * SHARD * 8


def test_compact_rows_say_what_the_table_says(workspace):
    with Workspace.open(workspace) as ws:
        rows, whole = all_rows(ws), read_rows(ws)
        assert all_rows(ws, "snr > 2")["id"].tolist() == whole["id"][whole["snr"] > 2].tolist()
    assert rows.dtype == ROWS_DTYPE
    assert ROWS_DTYPE.itemsize == 56
    for name in ("id", "object_id", "targetid", "expid", "file_id", "hdu_row", "shard_id", "shard_row"):
        assert (rows[name] == whole[name]).all(), name
    assert np.array_equal(rows["snr"], whole["snr"], equal_nan=True)
    assert (rows["coadd"] == (whole["kind"] == "coadd")).all()
    assert (rows["target"] == (whole["objtype"] == "TGT")).all()
    assert 0 < rows["target"].sum() < len(rows)
    assert (rows["arm_missing"] == (whole["arms_missing"] != "")).all()
    assert 0 < rows["arm_missing"].sum() < len(rows)
    for one in (True, False):
        assert best_rows(rows, one_per_object=one).tolist() == best_rows(whole, one_per_object=one).tolist()


@pytest.mark.parametrize("wanted", [[], [3], [3, 900], [0, 5]])
def test_rows_of_objects(wanted):
    objects = np.array([0, 3, 5, 5, 7, 3])
    expected = np.isin(objects, [one for one in wanted if one])
    assert (of_objects(objects, np.array(wanted, dtype=np.int64)) == expected).all()
    assert of_objects(np.empty(0, dtype=np.int64), np.array([4])).size == 0
