"""What a weights file says of every row: kept whole or not at all, and never computed twice."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

import storage.shards as shards
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.quasarnet.boxes import decode
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights_file import read_weights, write_weights
from qnet_tui.workflows.ingest import ingest
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.regrid import vectors_on
from qnet_tui.workflows.simulate import simulate_survey
from qnet_tui.workflows.weights_answers import answers, answers_folder
from storage.workspace import Workspace
from tests.quasarnet.small import SMALL, random_weights


@pytest.fixture(scope="module")
def log_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "log.h5"
    write_weights(path, random_weights(SMALL, 1))
    return path


@pytest.fixture(scope="module")
def linear_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "linear.h5"
    write_weights(path, random_weights(NetworkSettings(layers=4, filters=6, dense=10, n_pixels=458), 2))
    return path


def mtimes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_every_row_has_the_answer_of_the_network_and_only_once(workspace, log_file):
    with Workspace.open(workspace) as ws:
        told = []
        made = answers(ws, log_file, block_rows=100, progress=lambda *at: told.append(at))
        rows = all_rows(ws)
        blocks = list(made.blocks())
        assert [len(b.row_id) for b in blocks][:2] == [100, 100]
        np.testing.assert_array_equal(np.concatenate([b.row_id for b in blocks]), rows["id"])
        weights = read_weights(log_file)
        x = shards.gather(ws, rows["shard_id"], rows["shard_row"])
        said = decode(Predictor(weights.settings).predict(weights, x), weights.grid)
        np.testing.assert_allclose(np.concatenate([b.c_line for b in blocks], axis=1), said.c_line, atol=1e-6)
        np.testing.assert_allclose(np.concatenate([b.zbest for b in blocks]), said.zbest, atol=1e-5)
        assert blocks[0].c_line.dtype == blocks[0].z_line.dtype == np.float32
        assert told[-1] == ("scoring with log.h5", len(rows), len(rows))
        facts = json.loads((made.root / "facts.json").read_text())
        assert (facts["file"], facts["grid"], facts["offsets"]) == ("log.h5", "log", "as-trained")
        assert made.root == answers_folder(ws, log_file)
        assert made.root.name.startswith(facts["sha256"][:16])
        # Again: nothing is written.
        before = mtimes(made.root)
        answers(ws, log_file)
        assert mtimes(made.root) == before
        # Some rows, in any order; a row that is not there has no answer.
        some = np.array([rows["id"][7], rows["id"][150], 10**6, rows["id"][3]])
        got = made.of_rows(some)
        np.testing.assert_allclose(got.zbest[[0, 1, 3]], said.zbest[[7, 150, 3]], atol=1e-5)
        assert np.isnan(got.zbest[2])


def test_a_lost_or_damaged_block_is_scored_again_and_no_other(workspace, log_file):
    with Workspace.open(workspace) as ws:
        made = answers(ws, log_file, block_rows=80)
        first = {p.name: p.read_bytes() for p in made.root.glob("*.npz")}
        before = mtimes(made.root)
        (made.root / "00001.npz").unlink()
        # What killed scorings left: of the day before yesterday, and of one that may still be at work.
        for name, age in (("00001.plan.tmp.host.1.ab", 2 * 86_400), ("00002.plan.tmp.host.2.cd", 60)):
            (made.root / name).write_bytes(b"")
            os.utime(made.root / name, (time.time() - age,) * 2)
        cut = made.root / "00002.npz"
        cut.write_bytes(cut.read_bytes()[:500])
        with pytest.raises(QnetError, match=r"00002\.npz.*damaged"):
            list(made.blocks())
        again = answers(ws, log_file, block_rows=80)
        assert [p.name for p in made.root.glob("*.plan.*")] == ["00002.plan.tmp.host.2.cd"]
        (made.root / "00002.plan.tmp.host.2.cd").unlink()
        after = mtimes(made.root)
        assert {name for name in after if after[name] != before[name]} == {"00001.npz", "00002.npz"}
        assert {p.name for p in again.root.glob("*.npz")} == set(first)
        ids = np.concatenate([b.row_id for b in again.blocks()])
        np.testing.assert_array_equal(np.sort(ids), all_rows(ws)["id"])


def test_new_rows_become_new_blocks_and_a_row_written_twice_counts_once(workspace, log_file, tmp_path):
    with Workspace.open(workspace) as ws:
        made = answers(ws, log_file)
        before = mtimes(made.root)
        (made.root / "00007.npz").write_bytes((made.root / "00000.npz").read_bytes())
    simulate_survey(tmp_path / "more", 12, 99)
    ingest(workspace, [str(tmp_path / "more")])
    with Workspace.open(workspace) as ws:
        again = answers(ws, log_file)
        assert before.items() <= mtimes(again.root).items()
        ids = np.concatenate([b.row_id for b in again.blocks()])
        np.testing.assert_array_equal(np.sort(ids), all_rows(ws)["id"])
        assert (again.root / "00001.npz").exists()


class HereAndNow:
    """Stands for a run with two workers, and does their tasks itself."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.workers = self
        self.where = self
        self.jobs = 2

    def run_all(self, tasks, words):
        for task in tasks:
            done = task.function(**task.arguments)
            assert done.path == str(task.files[0])
            self.names.append(task.name)


def test_workers_are_told_by_files_and_answer_the_same(workspace, log_file):
    with Workspace.open(workspace) as ws:
        whole = np.concatenate([b.zbest for b in answers(ws, log_file).blocks()])
        for path in answers_folder(ws, log_file).glob("*.npz"):
            path.unlink()
        runner = HereAndNow()
        made = answers(ws, log_file, block_rows=90, runner=runner)
        assert len(runner.names) == len(list(made.root.glob("*.npz"))) > 1
        np.testing.assert_array_equal(np.concatenate([b.zbest for b in made.blocks()]), whole)
        assert not [p for p in made.root.iterdir() if "plan" in p.name]


def test_the_other_grid_is_rebinned_and_what_is_gone_is_counted(workspace, linear_file):
    with Workspace.open(workspace) as ws:
        rows = all_rows(ws)
        gone = int(rows["file_id"][0])
        of_gone = int((rows["file_id"] == gone).sum())
        ws.db.execute("UPDATE file SET path = path || '.gone' WHERE id = ?", [gone])
        made = answers(ws, linear_file)
        assert made.facts["grid"] == "linear"
        assert sum(made.not_scored.values()) == of_gone
        assert "gone" in next(iter(made.not_scored))
        ids = np.concatenate([b.row_id for b in made.blocks()])
        np.testing.assert_array_equal(np.sort(ids), rows["id"][rows["file_id"] != gone])
        weights = read_weights(linear_file)
        some = ids[::40]
        said = decode(Predictor(weights.settings).predict(weights, vectors_on(ws, "linear", some)), weights.grid)
        np.testing.assert_allclose(made.of_rows(some).zbest, said.zbest, atol=1e-5)
        # It came back: only what is missing is done.
        ws.db.execute("UPDATE file SET path = replace(path, '.gone', '')")
        whole = answers(ws, linear_file)
        assert not whole.not_scored
        assert sum(len(b.row_id) for b in whole.blocks()) == len(rows)


def test_an_empty_workspace_and_a_file_that_is_none(tmp_path, log_file):
    initialise(tmp_path / "ws")
    with Workspace.open(tmp_path / "ws") as ws:
        assert list(answers(ws, log_file).blocks()) == []
        bad = tmp_path / "bad.h5"
        bad.write_bytes(b"no weights")
        with pytest.raises(BadInput, match=r"bad\.h5"):
            answers(ws, bad)
