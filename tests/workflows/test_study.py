"""A study on a tiny labelled survey: what is drawn, trained, left out, resumed and concluded."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.review.studies import study_points
from qnet_tui.workflows.round_files import read_npz
from qnet_tui.workflows.study import StudyResult, resume_study, run_study, show_study
from qnet_tui.workflows.study_cost import estimate_study, refuse_heavy_study
from qnet_tui.workflows.study_plan import make_study_plan, read_study_pool
from qnet_tui.workflows.study_report import MEASURES, majority, measures, study_report, worth_words
from qnet_tui.workflows.study_settings import Arm, StudyFiles, StudySettings, recorded_study, seed_of
from qnet_tui.workflows.study_tasks import filled, make_committee, start_of
from qnet_tui.workflows.truth import import_truth
from storage.workspace import Workspace

SMALL = StudySettings(
    start=30, ask=8, rounds=2, networks=2, filters=4, steps=10, batch=16, seeds=2,
    strategies=("entropy", "random"), random_labels=(8, 20), seed=3,
)  # fmt: skip


@pytest.fixture(scope="module")
def labelled(ready: Path, survey: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ready workspace with the labels of every object; never change it."""
    root = Path(shutil.copytree(ready, tmp_path_factory.mktemp("labelled") / "ws"))
    import_truth(root, survey / "truth.csv")
    return root


@pytest.fixture(scope="module")
def studied(labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyResult]:
    """A workspace with a finished study, and what the study said; never change it."""
    root = Path(shutil.copytree(labelled, tmp_path_factory.mktemp("studied") / "ws"))
    return root, run_study(root, SMALL, command="qnet study")


@pytest.fixture
def files(studied: tuple[Path, StudyResult]) -> StudyFiles:
    root, result = studied
    return StudyFiles(root / "runs" / result.run)


def test_a_run_of_another_verb_is_not_gone_on_with_not_even_on_a_login_node(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qnet_tui.workflows.study_cost.on_login_node", lambda: True)
    with Workspace.open(workspace) as ws:
        run = runs_store.new_run(ws, "train", {"epochs": 3}, {}, 1, None, "")
        runs_store.finish(ws, run, "FAILED")
    refuse_heavy_study(workspace, run)
    with pytest.raises(BadInput, match="a run of train"):
        resume_study(workspace, run)


def test_arms_and_counts_of_random_labels() -> None:
    assert [a.name for a in SMALL.arms] == ["entropy", "entropy+map", "random+map"]
    assert SMALL.curve == (8, 16, 20)
    assert SMALL.committees == 2 * (1 + 3 + 2 * 3)
    assert StudySettings(ask=100).curve == (100, 200, 300, 400, 500, 600)
    assert replace(SMALL, map="off").arms == (Arm("entropy", False),)
    assert recorded_study(json.loads(json.dumps(SMALL.as_dict()))) == SMALL


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"strategies": ("entropi",)}, "entropi"), ({"map": "maybe"}, "maybe"), ({"ask": 0}, "--ask"),
     ({"start_bias": "deep"}, "deep"), ({"strategies": ()}, "no strategy"), ({"random_labels": (0,)}, "random-labels"),
     ({"strategies": ("random",), "map": "off"}, "compared"), ({"seed": -1}, "--seed")],
)  # fmt: skip
def test_settings_that_make_no_study_are_refused(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(BadInput, match=word):
        replace(SMALL, **changes)


def test_every_network_makes_the_same_number_of_steps_and_sees_its_whole_draw() -> None:
    assert StudySettings().epochs() == (20, 75)
    # 4,000 + 1,800 labels are 46 batches of 128; 40,000 + 1,800 are 327: an epoch is as long as they need.
    assert StudySettings(start=40_000).epochs() == (4, 375)
    assert StudySettings(steps=10).epochs() == (1, 10)
    drawn = np.array([4, 4, 9])
    rows = filled(drawn, 11, np.random.SeedSequence(1))
    assert len(rows) == 11
    assert set(rows.tolist()) == {4, 9}
    assert 3 <= np.count_nonzero(rows == 9) <= 4


def test_draws_depend_on_replica_arm_labels_and_member_only() -> None:
    def words(*key: Any) -> list[int]:
        return seed_of(SMALL, *key).generate_state(2).tolist()

    keys = [(0, "entropy", 8, 0), (1, "entropy", 8, 0), (0, "bald", 8, 0), (0, "entropy", 16, 0), (0, "entropy", 8, 1)]
    assert len({tuple(words(*key)) for key in keys}) == len(keys)
    other = replace(SMALL, strategies=("bald", "entropy"))
    assert seed_of(other, *keys[0]).generate_state(2).tolist() == words(*keys[0])


def test_the_plan_keeps_unreadable_objects_in_their_share(labelled: Path) -> None:
    with Workspace.open(labelled) as ws:
        plan = make_study_plan(ws, None, SMALL)
        labels = truth_store.current_truth(ws)
    train = labels[labels["role"] == "train"]
    unreadable = int((train["quality"] < 2.5).sum())
    dropped = plan.left_out["unreadable, as many as the split holds out"]
    assert 0 < plan.pool_unreadable <= unreadable - dropped
    assert 0 < dropped < unreadable
    assert plan.pool + sum(plan.left_out.values()) == len(train)
    assert plan.test == int(((labels["role"] == "validation") & (labels["quality"] >= 2.5)).sum())


def test_a_study_runs_every_committee_and_concludes(studied: tuple[Path, StudyResult], files: StudyFiles) -> None:
    root, result = studied
    assert result.committees_done == result.committees == SMALL.committees
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, result.run)
        assert record.state == "DONE"
        assert record.verb == "study"
        assert record.result["advice"] == result.advice
        points = study_points(ws)
    said = json.loads(files.curves.read_text())
    assert len(said["rows"]) == SMALL.committees
    assert {p.name for p in points} == {"random", "entropy", "entropy+map", "random+map"}
    assert [v["arm"] for v in result.verdicts] == ["entropy", "entropy+map", "random+map"]
    assert {v["verdict"] for v in result.verdicts} <= {"pays", "does not pay", "cannot tell"}
    assert set(result.verdicts[0]["by_measure"]) == set(MEASURES)
    assert len(result.arms) == 3 * 2 * len(MEASURES)
    assert [c["spent"] for c in result.random_curve] == [0, 8, 16, 20]


def test_random_labels_are_nested_and_arms_never_ask_twice(files: StudyFiles) -> None:
    pool = read_study_pool(files)
    for r in range(SMALL.seeds):
        curve = [read_npz(files.committee(r, "random", n))["picked"].tolist() for n in SMALL.curve]
        assert curve[0] == curve[2][:8]
        assert curve[1] == curve[2][:16]
        start = set(start_of(pool, SMALL, r).tolist())
        assert len(start) == SMALL.start
        assert all(pool.readable[i] for i in start)
        cells = read_npz(files.cells(r))
        rejected = cells["rejected"][cells["bmu"]]
        for arm in SMALL.arms:
            first, both = (read_npz(files.committee(r, arm.name, n))["picked"].tolist() for n in (8, 16))
            assert both[:8] == first
            assert len(set(both)) == 16
            assert not start & set(both)
            assert not (arm.map and rejected[both].any())
    starts = [start_of(pool, SMALL, r).tolist() for r in range(2)]
    assert starts[0] != starts[1]


def test_unreadable_picks_cost_a_label_and_give_nothing(files: StudyFiles) -> None:
    rows = study_report(files, SMALL).rows
    pool = read_study_pool(files)
    assert any(row["picks_unreadable"] for row in rows)
    for row in rows:
        name = Arm(row["strategy"], row["map"]).name if row["spent"] else "start"
        picked = read_npz(files.committee(row["seed"], name, row["spent"]))["picked"]
        assert len(picked) == row["spent"]
        assert row["labels"] == SMALL.start + row["spent"]
        assert row["picks_unreadable"] == int((~pool.readable[picked]).sum())
        assert row["readable"] == row["labels"] - row["picks_unreadable"]


def test_what_is_unreadable_is_not_trained_on(
    studied: tuple[Path, StudyResult], files: StudyFiles, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(files.root, tmp_path / "run"))
    other = StudyFiles(root)
    plan = read_npz(other.plan)
    picked = read_npz(other.committee(0, "random", 20))["picked"]
    assert not plan["readable"][picked].all()
    vectors = np.load(other.pool)
    vectors[picked[~plan["readable"][picked]]] = 7.0  # Whatever they look like, nothing changes.
    np.save(other.pool, vectors)
    target = other.committee(0, "random", 20)
    before = target.read_bytes()
    target.unlink()
    plan_said = studied[1].plan
    make_committee(str(root), 0, "random", False, 20, SMALL.as_dict(), plan_said["grid"], plan_said["precision"])
    assert target.read_bytes() == before


def test_a_resumed_study_has_the_same_bytes(studied: tuple[Path, StudyResult], tmp_path: Path) -> None:
    root = Path(shutil.copytree(studied[0], tmp_path / "ws"))
    files = StudyFiles(root / "runs" / studied[1].run)
    lost = [files.committee(0, "start", 0), files.committee(1, "entropy+map", 8), files.committee(0, "entropy", 16)]
    before = {path: path.read_bytes() for path in [*lost, files.cells(1)]}
    curves = json.loads(files.curves.read_text())
    for path in lost:
        path.unlink()
    files.cells(1).write_bytes(b"not what was written")
    with Workspace.open(root) as ws:
        runs_store.finish(ws, studied[1].run, "STOPPED")
        # The copy's tasks name files of the first workspace: they are registered again where they lie now.
        for task in runs_store.tasks(ws, studied[1].run):
            path = task.path.replace(str(studied[0]), str(root))
            runs_store.register_task(ws, studied[1].run, task.name, task.kind, task.state, path, task.crc32,
                                     task.seconds, task.detail)  # fmt: skip
    again = resume_study(root, studied[1].run)
    assert {path: path.read_bytes() for path in before} == before
    assert again.committees_done == SMALL.committees
    assert json.loads(files.curves.read_text()) == curves


def test_a_study_under_way_or_damaged_says_what_it_can(studied: tuple[Path, StudyResult], tmp_path: Path) -> None:
    root = Path(shutil.copytree(studied[0], tmp_path / "ws"))
    files = StudyFiles(root / "runs" / studied[1].run)
    for path in files.replica(0).glob("entropy+map-*.npz"):
        path.unlink()
    for path in files.replica(1).glob("*16.npz"):
        path.unlink()
    result, report = show_study(root, studied[1].run)
    assert result.committees_done == len(report.rows) == SMALL.committees - 2 - 4
    # Replica 1 lacks a part of its random curve: only replica 0 is compared.
    assert {a.worth.difference.n for a in report.arms if a.measure == "ap"} == {1}
    assert {v.verdict for v in report.verdicts} == {"cannot tell"}
    files.committee(0, "random", 8).write_bytes(b"PK cut short")
    with pytest.raises(QnetError, match="random-00008"):
        show_study(root, studied[1].run)


def test_only_a_study_is_shown_or_resumed(studied: tuple[Path, StudyResult]) -> None:
    root, result = studied
    with pytest.raises(BadInput, match="is done"):
        resume_study(root, result.run)
    with Workspace.open(root) as ws:
        other = runs_store.new_run(ws, "train", {}, {}, seed=1, round=None, command="")
        runs_store.finish(ws, other, "FAILED")
    with pytest.raises(BadInput, match="not of study"):
        show_study(root, other)


def test_the_estimate_counts_networks_and_evaluations(labelled: Path) -> None:
    plan = estimate_study(labelled, SMALL, 2)
    assert plan["networks"] == 2 * SMALL.committees
    assert plan["training_samples"] == plan["networks"] * 10 * 16
    # The pool is scored by the start and by the first round of the two arms of entropy, in each replica.
    assert plan["evaluations"] == 2 * (SMALL.committees * plan["test"] + 2 * 3 * plan["pool"])
    assert plan["core_hours"] == pytest.approx(2 * plan["hours"])


@pytest.mark.parametrize(
    ("held", "word"),
    [
        ("everything", "can be asked about|is no quasar"),
        ("quasars", "every secure label is no quasar"),
        ("others", "every secure label is a quasar"),
        ("nothing", "5,020"),
    ],
)
def test_a_pool_of_one_class_or_too_small_is_refused(labelled: Path, tmp_path: Path, held: str, word: str) -> None:
    root = Path(shutil.copytree(labelled, tmp_path / "ws"))
    with Workspace.open(root) as ws:
        labels = truth_store.current_truth(ws)
        quasar = labels["spectype"] == "QSO"
        chosen = {"everything": quasar | ~quasar, "quasars": quasar, "others": ~quasar, "nothing": quasar & ~quasar}
        truth_store.set_roles(ws, {int(o): "validation" for o in labels["object_id"][chosen[held]]})
    with pytest.raises(BadInput, match=word):
        run_study(root, replace(SMALL, start=5000))
    with Workspace.open(root) as ws:
        assert not [r for r in runs_store.runs(ws, include_hidden=True) if r.verb == "study"]


def test_no_held_out_truth_is_refused(survey: Path, ready: Path, tmp_path: Path) -> None:
    from qnet_tui.workflows.initialise import initialise

    initialise(tmp_path / "empty")
    with pytest.raises(BadInput, match="no spectra"):
        run_study(tmp_path / "empty", SMALL)
    root = Path(shutil.copytree(ready, tmp_path / "ws"))
    with Workspace.open(root) as ws:
        ws.db.execute("UPDATE object SET role = 'train' WHERE role = 'validation'")
        ws.db.conn.commit()
    with pytest.raises(BadInput, match="held out"):
        run_study(root, SMALL)


def test_measures_by_hand() -> None:
    c = np.array([0.99, 0.98, 0.96, 0.60, 0.40, 0.97], dtype=np.float32)
    z = np.array([2.0, 2.5, 1.0, 1.5, 3.0, 0.5], dtype=np.float32)
    is_qso = np.array([True, True, True, True, True, False])
    z_true = np.array([2.0, 1.0, 1.0, 1.5, 3.0, 0.0])
    found = measures(c, z, is_qso, z_true)
    assert found["completeness"] == 3 / 5
    assert found["purity"] == 3 / 4
    assert found["completeness_50"] == 4 / 5
    assert found["purity_50"] == 4 / 5
    assert found["completeness_z"] == 2 / 5
    # From the top: quasar, quasar, other, quasar, quasar, quasar.
    assert found["ap"] == pytest.approx((1 + 1 + 3 / 4 + 4 / 5 + 5 / 6) / 5)
    assert found["c_at_p95"] == found["c_at_p99"] == 2 / 5


@pytest.mark.parametrize("networks", [1, 2, 5, 6])
def test_the_majority_is_above_a_threshold_exactly_when_most_members_are(networks: int) -> None:
    c = np.random.default_rng(networks).random((networks, 200)).astype(np.float32)
    deciding, _ = majority(c, c)
    for t in (0.2, 0.5, 0.9):
        assert np.array_equal(deciding > t, 2 * (c > t).sum(axis=0) > networks)


def test_words_of_a_worth(studied: tuple[Path, StudyResult], files: StudyFiles) -> None:
    for one in study_report(files, SMALL).arms:
        text = worth_words(one.worth)
        assert "nan" not in text
        assert " to " in text
