"""Datasets at equal size: what is trained, resumed and said of it."""

import json
import shutil

import numpy as np
import pytest

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows import datasets_run
from qnet_tui.workflows.datasets_run import planned, resume_datasets, run_datasets
from qnet_tui.workflows.datasets_tasks import DatasetsFiles, drawn_rows, training_seeds
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.review.datasets import DatasetEpoch
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import open_tab
from storage.workspace import Workspace
from tests.workflows.review.trained_campaign import TRAININGS

VI, LARGEST = "round 0 truth (VI)", "round 1 (random)"


def files_of(root, run="ds-0003"):
    return DatasetsFiles(root / "runs" / run)


def test_every_dataset_and_its_bootstraps(trained):
    with Workspace.open(trained) as ws:
        record, plan = runs_store.get_run(ws, "ds-0003"), planned(ws, "ds-0003")
        assert {m.dataset for m in runs_store.metrics(ws, "ds-0003")} == TRAININGS
        tasks = [t for t in runs_store.tasks(ws, "ds-0003") if t.kind == "train"]
    assert record.state == "DONE"
    assert (record.result["trainings"], len(tasks)) == (4, 4)
    small, large = plan["datasets"]
    assert (small["name"], large["name"], small["bootstraps"], large["bootstraps"]) == (VI, LARGEST, 2, 0)
    assert small["size"] < large["size"] == small["drawn"] == large["drawn"]
    # Steps of the gradient: epochs times batches of 64.
    assert small["steps"] == 2 * -(-small["size"] // 64)
    files = files_of(trained)
    vectors, held = np.load(files.vectors), np.load(files.validation)
    first, second = np.load(files.dataset(0)), np.load(files.dataset(1))
    assert set(first["row_id"]) < set(second["row_id"])
    assert not set(held["row_id"]) & set(second["row_id"])
    assert vectors.shape == (large["size"], 443)
    for bootstrap, size in ((0, small["size"]), (1, large["size"])):
        assert files.training(0, bootstrap).read_history()["size"] == size


def test_the_tab_counts_what_was_trained(trained):
    tab = open_tab(trained, "datasets")
    assert [r.dataset for r in tab.rows] == [VI, LARGEST]
    assert [r.bootstraps for r in tab.rows] == [2, 0]
    rows = tab.document
    assert [(r.dataset, r.bootstrap, r.epoch) for r in rows] == [
        (name, b, e) for name, b in ((VI, 0), (VI, 1), (VI, 2), (LARGEST, 0)) for e in (0, 1, 2)
    ]
    assert {r.size for r in rows if r.bootstrap} == {tab.rows[1].size}
    assert [(c.name, c.faint, c.group) for c in tab.chart.curves] == [
        ("", True, 0), ("", True, 0), (VI, False, 0), (LARGEST, False, 1),
    ]  # fmt: skip
    said = json.loads(files_of(trained).training(0, 2).history.read_text())["history"]
    mine = [r for r in rows if r.bootstrap == 2]
    assert [(r.tp, r.fp, r.fn) for r in mine] == [(h["tp"], h["fp"], h["fn"]) for h in said]
    assert (tab.asked.dataset, tab.datasets) == ("ds-0003", ("ds-0003",))
    with pytest.raises(BadInput, match="no run of datasets is called 'ds-0009'"):
        open_tab(trained, "datasets", Asked(dataset="ds-0009"))


def test_only_what_is_missing_is_trained_again(trained, tmp_path):
    root = shutil.copytree(trained, tmp_path / "ws")
    before = open_tab(root, "datasets")
    files = files_of(root)
    paths = sorted(files.root.glob("trainings/*/*"))
    assert len(paths) == 12
    was = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    lost = files.training(0, 1)
    lost.answers.unlink()
    with Workspace.open(root) as ws:
        runs_store.finish(ws, "ds-0003", "FAILED", {})
    result = resume_datasets(root, "ds-0003", jobs=1)
    assert result.trainings == 4
    for path, (content, written) in was.items():
        assert path.read_bytes() == content, path
        assert (path.stat().st_mtime_ns != written) == (path.parent == lost.root), path
    after = open_tab(root, "datasets")
    # NaN is not equal to itself, its words are.
    assert repr((after.rows, after.document, after.says)) == repr((before.rows, before.document, before.says))
    with Workspace.open(root) as ws:
        seen = [(m.dataset, m.epoch, m.name) for m in runs_store.metrics(ws, "ds-0003")]
    assert len(seen) == len(set(seen))
    with pytest.raises(BadInput, match="ds-0003 is done"):
        resume_datasets(root, "ds-0003")
    with pytest.raises(BadInput, match="tr-0001 is a run of train"):
        resume_datasets(root, "tr-0001")


def test_a_damaged_file_makes_a_training_unfinished(trained, tmp_path):
    root = shutil.copytree(trained, tmp_path / "ws")
    one = files_of(root).training(1, 0)
    assert one.read_history() is not None
    whole = one.weights.read_bytes()
    one.weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert one.read_history() is None
    one.weights.write_bytes(whole)
    one.history.write_text('{"crc32":')
    assert one.read_history() is None
    one.history.write_text("[]")
    assert one.read_history() is None


def test_draws_have_replacement_and_do_not_depend_on_each_other():
    seed, network = training_seeds(3, 0, 1)
    rows = drawn_rows(100, 160, seed)
    assert rows.shape == (160,)
    assert (rows.min() >= 0, rows.max() < 100) == (True, True)
    assert len(np.unique(rows)) < 100  # 80 are expected of 160 draws out of 100.
    again, same = training_seeds(3, 0, 1)
    assert (drawn_rows(100, 160, again) == rows).all()
    assert network == same
    others = [training_seeds(*key) for key in ((3, 0, 2), (3, 1, 1), (4, 0, 1))]
    assert len({network, *(n for _, n in others)}) == 4
    assert not any((drawn_rows(100, 160, s) == rows).all() for s, _ in others)


def test_nothing_to_compare_is_refused_before_a_run_is_made(ready, tmp_path, monkeypatch, grown):
    with pytest.raises(BadInput, match="makes no two datasets"):
        run_datasets(ready)
    initialise(tmp_path / "empty")
    with pytest.raises(BadInput, match="no truth is held out"):
        run_datasets(tmp_path / "empty")
    asked = []

    def too_heavy(_root, settings, epochs):
        asked.append((settings.filters, epochs))
        raise BadInput("too much for a login node")

    monkeypatch.setattr(datasets_run, "refuse_heavy_training", too_heavy)
    with pytest.raises(BadInput, match="login node"):
        run_datasets(grown, bootstraps=3, epochs=7, filters=9)
    assert asked == [(9, 7 * 5)]  # Two datasets and three bootstraps of the smaller.
    for root in (ready, grown):
        with Workspace.open(root) as ws:
            assert runs_store.runs(ws) == []
    assert "qnet review datasets --run" in open_tab(ready, "datasets").empty


def constructed(root, finals, last):
    """A run with these final completenesses, of 100 quasars, of bootstraps of AL 1, and that of AL 2."""
    names = [("AL 1", 0, 0.80)] + [("AL 1", k + 1, f) for k, f in enumerate(finals)] + [("AL 2", 0, last)]
    with Workspace.open(root) as ws:
        run = runs_store.new_run(
            ws, "datasets", {"epochs": 1, "c_threshold": 0.95, "bootstraps": len(finals)}, {}, 1, None, ""
        )
        common = {"quasars": 10, "steps": 5, "drawn": 90}
        datasets = [
            {"index": 0, "name": "AL 1", "round": 1, "size": 60, "bootstraps": len(finals), **common},
            {"index": 1, "name": "AL 2", "round": 2, "size": 90, "bootstraps": 0, **common},
        ]
        plan = {
            "datasets": datasets,
            "trainings": len(names),
            "validation": 150,
            "validation_hash": "",
            "skipped": ["AL 3: its labels changed nothing"],
        }
        runs_store.register_task(ws, run, "plan", "plan", "DONE", detail=plan)
        for name, bootstrap, final in names:
            if final is not None:
                dataset = datasets_run.training_name(name, bootstrap)
                runs_store.add_metrics(ws, run, [
                    (dataset, e, what, value, n) for e, share in ((0, 0.1), (1, 0.99), (2, final))
                    for what, value, n in (("completeness", share, 100), ("purity", 1.0, round(100 * share)))
                ])  # fmt: skip
    return run


@pytest.fixture
def empty(tmp_path):
    initialise(tmp_path / "ws")
    return tmp_path / "ws"


@pytest.mark.parametrize(
    ("finals", "last", "words"),
    [
        ([0.93] * 9 + [0.94], 0.95, "the labels, not their number (none of 10 reaches it, p = 0.091)."),
        ([0.93] * 9 + [0.95], 0.95, "1 of 10 reaches it, so their number may be enough (p = 0.18)."),
        ([0.93, 0.94], 0.95, "none reaches it, but 2 are too few to tell (p = 0.33)."),
    ],
)
def test_is_it_the_labels_or_their_number(empty, finals, last, words):
    constructed(empty, finals, last)
    tab = open_tab(empty, "datasets")
    spread = f"{np.mean(finals):.3f} ({min(finals):.3f}–{max(finals):.3f})"
    assert tab.says == (
        f"{len(finals)} bootstraps of AL 1 at the size of AL 2 end at {spread}, "
        f"AL 2 itself at 0.950 of 100 quasars: {words}"
    )
    small = tab.rows[0]
    assert (small.final, small.best, small.bootstraps, small.boot_best) == (0.8, 0.99, len(finals), pytest.approx(0.99))
    assert "AL 3: its labels changed nothing" in tab.notes
    # From epoch 1 of 2 on nothing is below 0.8.
    assert tab.chart.y_range == pytest.approx((0.7, 1.0))


def test_an_unfinished_run_shows_what_there_is(empty):
    run = constructed(empty, [None, 0.9, None], None)
    tab = open_tab(empty, "datasets")
    assert (tab.rows[0].final, tab.rows[0].bootstraps) == (0.8, 1)
    assert np.isnan(tab.rows[1].final)
    assert f"2 of 5 trainings are finished: qnet review datasets --run --resume {run}" in tab.notes
    assert "no bootstrap is finished that would tell" in tab.says
    assert tab.document[-1] == DatasetEpoch("AL 1", 90, 2, 2, 0.9, 1.0, 90, 0, 10, tab.document[-1].lo,
                                            tab.document[-1].hi)  # fmt: skip


def test_a_run_without_any_training_is_not_shown(empty):
    with Workspace.open(empty) as ws:
        run = runs_store.new_run(ws, "datasets", {"bootstraps": 1}, {}, 1, None, "")
        runs_store.finish(ws, run, "FAILED")
    words = f"no training of {run} was finished: qnet review datasets --run --resume {run}"
    assert open_tab(empty, "datasets").empty == words
    whole = constructed(empty, [0.9], 0.95)
    assert open_tab(empty, "datasets").asked.dataset == whole
    assert open_tab(empty, "datasets", Asked(dataset=run)).empty == words
