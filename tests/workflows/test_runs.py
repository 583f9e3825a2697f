"""What is told of runs, what is done about them, and what differs between two."""

import hashlib
import json

import pytest

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows import run_al
from qnet_tui.workflows.runs import (
    annotate,
    list_runs,
    remove_run,
    restore_run,
    resume_run,
    run_of_round,
    show_run,
    stop_run,
)
from qnet_tui.workflows.runs_compare import compare_runs
from storage.workspace import Workspace
from tests.workflows.made_runs import begin, end, hold_out, lose


@pytest.fixture
def ws(tmp_path):
    with Workspace.create(tmp_path / "ws") as made:
        yield made


def test_the_list_is_newest_first_and_says_how_each_stands(ws):
    end(ws, begin(ws), validation={"completeness": 0.931}, seconds=61.5, networks=6)
    runs_store.update_run(ws, "al-0001", truth_hash="0123456789abcdef")
    begin(ws, "train", None)
    lose(ws, begin(ws, number=2))
    third, second, first = list_runs(ws.root)
    assert (first.run, first.state, first.seconds, first.truth) == ("al-0001", "DONE", 61.5, "01234567")
    assert (first.headline_of, first.headline) == ("completeness", 0.931)
    assert (second.run, second.state, second.headline, second.networks) == ("tr-0002", "RUNNING", None, None)
    assert (third.run, third.state, third.networks, third.networks_done) == ("al-0003", "LOST", 6, 0)


def test_the_figure_of_a_comparison_is_how_well_two_files_agree(ws):
    figures = ws.root / "comparison.json"
    figures.write_text(json.dumps({"agreement": [
        {"within_kms": 300.0, "fraction": 0.5}, {"within_kms": 1000.0, "fraction": 0.75},
    ]}))  # fmt: skip
    end(ws, runs_store.new_run(ws, "compare", {}, {}, None, None, ""), file=str(figures))
    end(ws, runs_store.new_run(ws, "compare", {}, {}, None, None, ""), file=str(ws.root / "gone.json"))
    gone, found = list_runs(ws.root)
    assert (found.headline_of, found.headline) == ("agreement", 0.75)
    assert gone.headline is None


def test_the_list_is_filtered_and_sorted(ws):
    end(ws, begin(ws), validation={"completeness": 0.9}, seconds=5.0)
    end(ws, begin(ws, "train", None), "FAILED", error="no memory")
    end(ws, begin(ws, number=2), validation={"completeness": 0.95}, seconds=2.0)
    ws.db.execute("UPDATE run SET started_at = '2026-01-01T00:00:00.000000Z' WHERE id = 'al-0001'")

    def ids(**wanted):
        return [one.run for one in list_runs(ws.root, **wanted)]

    assert ids() == ["al-0003", "tr-0002", "al-0001"]
    assert ids(states=["done"]) == ["al-0003", "al-0001"]
    assert ids(states=["FAILED", "LOST"]) == ["tr-0002"]
    assert ids(since="2026-02-01") == ["al-0003", "tr-0002"]
    assert ids(since="2h") == ["al-0003", "tr-0002"]
    assert ids(sort="headline") == ["al-0003", "al-0001", "tr-0002"]
    assert ids(sort="run") == ["al-0001", "al-0003", "tr-0002"]
    assert ids(limit=1) == ["al-0003"]
    for wrong in ({"states": ["OVER"]}, {"sort": "beauty"}, {"since": "yesterday"}):
        with pytest.raises(BadInput):
            ids(**wrong)


def test_a_removed_run_comes_back_with_the_files_of_its_round(ws):
    lose(ws, begin(ws))
    (ws.round_dir(1) / "map.npz").write_bytes(b"map")
    assert remove_run(ws.root, "al-0001").removed
    assert list_runs(ws.root) == []
    assert [one.removed for one in list_runs(ws.root, include_removed=True)] == [True]
    assert not (ws.rounds_dir / "001").exists()
    with pytest.raises(BadInput, match="was removed"):
        resume_run(ws.root, "al-0001")
    assert not restore_run(ws.root, "al-0001").removed
    assert (ws.rounds_dir / "001" / "map.npz").read_bytes() == b"map"
    with pytest.raises(BadInput, match="was not removed"):
        restore_run(ws.root, "al-0001")


def test_a_round_that_another_run_has_by_now_is_not_taken_back(ws):
    lose(ws, begin(ws))
    remove_run(ws.root, "al-0001")
    begin(ws)
    with pytest.raises(BadInput, match="round 1 is al-0002's by now"):
        restore_run(ws.root, "al-0001")


def test_what_cannot_be_done_is_refused_with_a_mend(ws):
    end(ws, begin(ws))
    with pytest.raises(BadInput, match="done"):
        stop_run(ws.root, "al-0001")
    with pytest.raises(BadInput, match="is done"):
        resume_run(ws.root, "al-0001")
    begin(ws, number=2)
    with pytest.raises(BadInput, match="is at work"):
        resume_run(ws.root, "al-0002")
    with pytest.raises(BadInput, match="qnet runs stop al-0002 first"):
        remove_run(ws.root, "al-0002")
    ws.db.execute("UPDATE run SET host = 'node7', job = '4711' WHERE id = 'al-0002'")
    with pytest.raises(BadInput, match="scancel 4711"):
        stop_run(ws.root, "al-0002")
    lose(ws, runs_store.new_run(ws, "ingest", {}, {}, None, None, "qnet ingest"))
    with pytest.raises(BadInput, match="a run of ingest cannot be gone on with"):
        resume_run(ws.root, "in-0003")
    with pytest.raises(BadInput, match="no run made round 9"):
        run_of_round(ws, 9)
    assert run_of_round(ws, 2).id == "al-0002"


def test_each_verb_goes_on_in_its_own_way(ws, monkeypatch):
    asked = []
    monkeypatch.setattr(run_al, "resume_round", lambda root, run, **how: asked.append((root, run, how["jobs"])))
    lose(ws, begin(ws))
    resume_run(ws.root, "al", jobs=3)
    assert asked == [(ws.root, "al-0001", 3)]
    end(ws, begin(ws, "train", None), "FAILED")
    with pytest.raises(BadInput, match="killed before it began"):
        resume_run(ws.root, "tr-0002")


def test_all_that_is_known_of_a_run(ws, tmp_path):
    listed = tmp_path / "others.csv"
    listed.write_text("TARGETID\n17\n")
    run = begin(ws, networks=9, exclude_file=str(listed))
    runs_store.register_task(ws, run, "train 3", "train", "FAILED", detail={"error": "no memory"})
    runs_store.update_run(ws, run, truth_hash="f" * 64, job="4711")
    (ws.round_dir(1) / "log").write_text("words\n")
    (ws.round_dir(1) / "scores").mkdir()
    for name in ("a.npy", "b.npy"):
        (ws.round_dir(1) / "scores" / name).write_bytes(bytes(100))
    end(ws, run, "FAILED", stage_seconds={"plan": 2.5}, training=80, rows=240, error="a node was lost")
    annotate(ws.root, run, "on the old nodes")
    found = show_run(ws.root, run)
    assert found.changed == ("networks", "exclude_file")
    assert [(one.what, one.hash) for one in found.inputs] == [
        ("truth", "f" * 64),
        ("spectra", ""),
        ("exclude_file", hashlib.sha256(listed.read_bytes()).hexdigest()),
    ]
    assert found.stage_seconds == {"plan": 2.5}
    assert [(one.task, one.error) for one in found.failures] == [("train 3", "no memory")]
    assert found.log.endswith("rounds/001/log")
    assert [(one.path, one.files, one.bytes) for one in found.artefacts] == [
        ("rounds/001/log", 1, 6),
        ("rounds/001/scores/", 2, 200),
    ]
    assert found.resume == "qnet run-al --resume al-0001"
    assert found.again == f"qnet run-al --preset smoke --seed 91701 -w {ws.root}"
    assert (found.line.note, found.job) == ("on the old nodes", "4711")


def test_only_what_differs_is_compared_and_the_better_figure_is_marked(ws):
    end(ws, begin(ws, networks=6), validation={"completeness": 0.90, "fn": 12}, seconds=50.0, selected=20)
    end(ws, begin(ws, number=2, networks=12), validation={"completeness": 0.93, "fn": 8}, seconds=90.0, selected=20)
    runs_store.add_metrics(ws, "al-0002", [("validation", None, "purity", 0.97, 100)])
    found = compare_runs(ws.root, ["al-0001", "al-0002"])
    rows = {row.name: row for row in found.rows}
    assert all(row.differs for row in found.rows)
    assert (rows["networks"].group, rows["networks"].values) == ("setting", (6, 12))
    assert rows["validation.completeness"].better == (False, True)
    assert rows["validation.fn"].better == (False, True)
    assert rows["seconds"].better == (True, False)
    # What only one of them has differs, and nothing is better than nothing.
    assert (rows["validation.purity"].values, rows["validation.purity"].better) == ((None, 0.97), (False, False))
    assert "selected" not in rows
    assert "epochs" not in rows
    everything = compare_runs(ws.root, ["al-0001", "al-0002"], everything=True)
    assert {"selected", "epochs", "qnet"} <= {row.name for row in everything.rows}
    assert len(everything.rows) == len(found.rows) + found.same
    assert found.comparable
    assert found.why == ""


def test_figures_on_other_validation_objects_are_not_compared(ws):
    for run, objects in (("tr-0001", [1, 2, 3]), ("tr-0002", [1, 2, 4]), ("tr-0003", [3, 2, 1])):
        hold_out(ws.runs_dir / begin(ws, "train", None, epochs=int(run[-1])), objects)
        end(ws, run, completeness=0.9 + int(run[-1]) / 100)
    found = compare_runs(ws.root, ["tr-0001", "tr-0002"])
    assert not found.comparable
    assert found.why.startswith("not comparable: validation hash differs")
    assert {row.group for row in found.rows} <= {"run", "setting", "version"}
    assert any(row.name == "epochs" for row in found.rows)
    forced = compare_runs(ws.root, ["tr-0001", "tr-0002"], force=True)
    assert not forced.comparable
    assert any(row.name == "completeness" for row in forced.rows)
    # The same objects in another order are the same.
    assert compare_runs(ws.root, ["tr-0001", "tr-0003"]).comparable
    with pytest.raises(BadInput, match="two different runs"):
        compare_runs(ws.root, ["tr-0001", "tr-0001"])
