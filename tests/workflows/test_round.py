"""One round in this process: plan, filters, committee, selection, queue, and the next round after labels."""

import itertools

import numpy as np
import pytest

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.spectra.single import load_spectrum
from qnet_tui.workflows.dry_run import estimate
from qnet_tui.workflows.export import export
from qnet_tui.workflows.merge import accept_agreed
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import open_tab
from qnet_tui.workflows.round_files import RoundFiles
from qnet_tui.workflows.round_plan import read_pool, thin_supplement
from qnet_tui.workflows.run_al import resume_round, run_round
from qnet_tui.workflows.runs import list_runs, remove_run, show_run
from storage.errors import StorageError
from storage.inspectors import add_inspector
from storage.votes import Vote, commit_vote, new_uid
from storage.workspace import Workspace
from tests.small_campaign import tiny_round


@pytest.fixture(scope="module")
def first(ready, tmp_path_factory):
    """A workspace after its first round, with two outliers asked for as well; never change it."""
    import shutil
    from pathlib import Path

    root = Path(shutil.copytree(ready, tmp_path_factory.mktemp("first") / "ws"))
    result = run_round(root, tiny_round(outliers=2, seed=3), jobs=2)
    return root, result


@pytest.fixture
def after_one(first, tmp_path):
    import shutil
    from pathlib import Path

    return Path(shutil.copytree(first[0], tmp_path / "ws"))


def test_what_a_round_says(first):
    _, result = first
    assert (result.run, result.round, result.networks) == ("al-0001", 1, 3)
    assert result.selected == 8
    assert result.evaluations == result.evaluations_full > 0
    assert set(result.stage_seconds) == {"plan", "train", "score", "select"}
    assert result.validation["n"] > 10
    assert result.filtered["already labelled"] > 0
    assert result.filtered["no identity"] > 0


def test_selected_are_neither_labelled_nor_repeated_nor_outliers(first):
    root, result = first
    with Workspace.open(root) as ws:
        records = rounds_store.selection(ws, 1)
        labelled = set(truth_store.current_truth(ws)["object_id"].tolist())
        _, on_map = read_pool(RoundFiles(ws.round_dir(1)))
        rows = spectra_store.read_rows(ws)
        regular = [r for r in records if not r.rejected]
        assert [r.rank for r in records] == list(range(1, len(records) + 1))
        assert len({r.object_id for r in records}) == len(records)
        assert not {r.object_id for r in records} & labelled
        assert all(not on_map.rejected[r.bmu] for r in regular)
        assert all(on_map.rejected[r.bmu] for r in records if r.rejected)
        assert all(a.score >= b.score for a, b in itertools.pairwise(regular))
        chosen = rows[np.isin(rows["id"], [r.row_id for r in regular])]
        assert (chosen["arms_missing"] == "").all()
        assert (chosen["objtype"] == "TGT").all()
        for r in records:
            spectrum = load_spectrum(RoundFiles(ws.round_dir(1)).spectrum(r.object_id))
            assert {a.name for a in spectrum.arms} == {"b", "r", "z"}
            assert spectrum.targetid == spectra_store.objects(ws, [r.object_id])[0]["targetid"]
            assert r.c_not + r.c_qso_lz + r.c_qso_hz == pytest.approx(1)
            assert r.n_networks == 3
    assert len(regular) == result.selected


def test_answers_train_the_next_round_and_are_never_asked_again(after_one):
    with Workspace.open(after_one) as ws:
        add_inspector(ws, "ABC", "someone")
        asked = rounds_store.selection(ws, 1)
        for i, r in enumerate(asked):
            quality = 4 if i % 2 == 0 else 1
            commit_vote(ws, Vote(new_uid(), 1, r.object_id, "ABC", "GALAXY", 0.4, quality))
        trained_before = set(truth_store.current_truth(ws)["object_id"].tolist())
    merged = accept_agreed(after_one, "someone")
    assert (merged.merged, merged.trainable, merged.open) == (len(asked), (len(asked) + 1) // 2, 0)
    assert accept_agreed(after_one, "someone").already == len(asked)
    second = run_round(after_one, tiny_round(seed=3), jobs=2)
    assert second.round == 2
    with Workspace.open(after_one) as ws:
        again = {r.object_id for r in rounds_store.selection(ws, 2)}
        labels = truth_store.current_truth(ws)
        fresh = labels[labels["origin"] == "round:1"]
    assert not again & {r.object_id for r in asked}
    assert set(fresh["object_id"].tolist()) == {r.object_id for r in asked}
    assert not set(fresh["object_id"].tolist()) & trained_before
    assert second.training == show_run(after_one, "al-0001").result["training"] + merged.trainable
    table = open_tab(after_one, "rounds").rows
    assert [line.round for line in table] == [2, 1, 0]
    assert table[1].state == "merged"


def test_a_killed_merge_is_completed_by_the_next(after_one, monkeypatch):
    with Workspace.open(after_one) as ws:
        add_inspector(ws, "ABC", "someone")
        r = rounds_store.selection(ws, 1)[0]
        commit_vote(ws, Vote(new_uid(), 1, r.object_id, "ABC", "QSO", 1.4, 4))
    with monkeypatch.context() as patch:
        patch.setattr("qnet_tui.workflows.merge_truth.truth_store.add_labels", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            accept_agreed(after_one, "someone")
    assert accept_agreed(after_one, "someone").merged == 0
    with Workspace.open(after_one) as ws:
        labels = truth_store.current_truth(ws)
    assert (labels["object_id"][labels["origin"] == "round:1"] == r.object_id).all()
    assert (labels["origin"] == "round:1").sum() == 1


def test_a_campaign_of_three_votes_waits_for_them(after_one):
    import storage.settings as campaign

    with Workspace.open(after_one) as ws:
        add_inspector(ws, "ABC", "someone")
        campaign.set_setting(ws, "votes_required", 3, by="me")
    with pytest.raises(BadInput, match="no round 9"):
        accept_agreed(after_one, "someone", unseen=True, round_number=9)
    assert accept_agreed(after_one, "someone", unseen=True).open == 10


def test_tables_of_a_round(first, tmp_path):
    root, result = first
    assert open_tab(root, "completeness").rows[0].tp == result.validation["tp"]
    at_95 = next(t for t in open_tab(root, "thresholds").rows if t.c_threshold == 0.95)
    assert (at_95.tp, at_95.fp, at_95.fn) == tuple(result.validation[k] for k in ("tp", "fp", "fn"))
    histogram = open_tab(root, "entropy").rows
    assert sum(e.count + e.count_rejected for e in histogram) * 3 == result.evaluations
    cells = open_tab(root, "map").rows
    assert sum(c.rejected for c in cells) == result.rejected_cells
    assert sum(c.count for c in cells if c.rejected) == result.rejected
    a = export(root, "selection", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == (root / "rounds/001/selection.csv").read_bytes()
    assert a.rows == 10
    assert export(root, "scores", tmp_path / "s.csv").rows * 3 == result.evaluations
    truth = export(root, "truth", tmp_path / "t.csv", format="quasarnet")
    assert truth.rows > 100
    assert (tmp_path / "t.csv").read_text().startswith("TARGETID,VI_Z,VI_QUALITY,VI_CLASS")
    dropped = export(root, "dropped", tmp_path / "d.csv")
    assert dropped.rows == 240 - result.rows
    for kind in ("votes", "merged"):
        assert export(root, kind, tmp_path / "v.csv").rows == 0
    with pytest.raises(BadInput, match="no table"):
        export(root, "wishes", tmp_path / "v.csv")


def test_outliers_asked_for_later_are_those_that_the_run_would_have_chosen(after_one):
    from qnet_tui.workflows.queue_list import queue_outliers

    with Workspace.open(after_one) as ws:
        theirs = [r.object_id for r in rounds_store.selection(ws, 1) if r.rejected]
    # The run kept the scores of what its map rejected.
    said = queue_outliers(after_one, 1)
    assert (said.round, said.of_round, said.scored, said.strategy) == (2, 1, 0, "outliers")
    with Workspace.open(after_one) as ws:
        more = rounds_store.selection(ws, 2)
        assert not {r.object_id for r in more} & set(theirs)
        assert more[0].rejected
        assert more[0].why.endswith("rare spectrum")
        # As if it had not been asked for outliers: they are free, unscored, and its networks have to say.
        rounds_store.withdraw(ws, 1, theirs, "for the test", "me")
        rounds_store.withdraw(ws, 2, [r.object_id for r in more], "for the test", "me")
        settings = {**runs_store.get_run(ws, "al-0001").settings, "outliers": 0}
        runs_store.update_run(ws, "al-0001", settings=settings)
    said = queue_outliers(after_one, 2, jobs=1)
    assert (said.round, said.asked) == (3, 2)
    assert said.scored > 2
    with Workspace.open(after_one) as ws:
        assert [r.object_id for r in rounds_store.selection(ws, 3)] == theirs
    again = queue_outliers(after_one, 50)
    assert again.scored == 0
    with pytest.raises(BadInput, match="rejected nothing that has not been labelled or asked for"):
        queue_outliers(after_one, 1)
    with pytest.raises(BadInput, match="no run made round 4"):
        queue_outliers(after_one, 1, of_round=4)
    # The tables of scores are those of the last run, whatever was queued since.
    assert open_tab(after_one, "entropy").rows == open_tab(after_one, "entropy", Asked(round=1)).rows
    assert export(after_one, "scores", after_one / "s.csv").rows > 0


def test_a_finished_run_is_not_resumed(first):
    with pytest.raises(BadInput, match="is done"):
        resume_round(first[0], "al-0001")


def full_disk(*_a, **_k):
    raise OSError(28, "No space left on device")


def test_an_unfinished_round_is_resumed_or_given_up(workspace, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("qnet_tui.workflows.round_runner.run_tasks", full_disk)
        with pytest.raises(OSError, match="No space left"):
            run_round(workspace, tiny_round(), jobs=1)
        with pytest.raises(OSError, match="No space left"):
            resume_round(workspace, "al-0001", jobs=1)
    assert list_runs(workspace)[0].state == "FAILED"
    assert show_run(workspace, "al-0001").truth_hash
    with pytest.raises(BadInput, match="--resume al-0001"):
        run_round(workspace, tiny_round(), jobs=1)
    assert remove_run(workspace, "al-0001").run == "al-0001"
    assert list_runs(workspace) == []
    assert (workspace / "rounds" / "001.given-up.al-0001").is_dir()
    with pytest.raises(BadInput, match="given up"):
        resume_round(workspace, "al-0001")


def test_a_round_that_never_had_a_plan_stands_in_nobodys_way(workspace, monkeypatch):
    with pytest.raises(StorageError, match="sn"):
        run_round(workspace, tiny_round(where="sn > 1"), jobs=1)
    with monkeypatch.context() as patch:
        patch.setattr("qnet_tui.workflows.round_runner.run_tasks", full_disk)
        with pytest.raises(OSError, match="No space left"):
            run_round(workspace, tiny_round(), jobs=1)
    with pytest.raises(BadInput, match="al-0002's now"):
        resume_round(workspace, "al-0001")


def test_nothing_to_learn_from(workspace, tmp_path):
    from qnet_tui.workflows.initialise import initialise

    initialise(tmp_path / "bare")
    with pytest.raises(BadInput, match="no spectra"):
        run_round(tmp_path / "bare", tiny_round())
    with pytest.raises(BadInput, match="nothing is left"):
        run_round(workspace, tiny_round(where="snr > 1e9"))
    assert list_runs(workspace)[0].state == "FAILED"


def test_exclude_and_where_narrow_the_pool(workspace, tmp_path):
    whole = estimate(workspace, tiny_round(), 1)
    bright = estimate(workspace, tiny_round(where="snr > 2"), 1)
    assert 0 < bright["pool_rows"] < whole["pool_rows"]
    with Workspace.open(workspace) as ws:
        labels = truth_store.current_truth(ws)
        rows = spectra_store.read_rows(ws)
    free = rows["targetid"][(rows["object_id"] > 0) & ~np.isin(rows["object_id"], labels["object_id"])]
    (tmp_path / "theirs.txt").write_text("# other campaign\n" + "\n".join(str(t) for t in np.unique(free)[:5]) + "\n")
    fewer = estimate(workspace, tiny_round(exclude_file=str(tmp_path / "theirs.txt")), 1)
    assert whole["pool_objects"] - fewer["pool_objects"] in range(3, 6)
    with pytest.raises(BadInput, match="nowhere"):
        estimate(workspace, tiny_round(exclude_file="nowhere.txt"), 1)


def test_supplement_is_thinned_with_the_seed(workspace):
    with Workspace.open(workspace) as ws:
        labels = truth_store.current_truth(ws)
    thin = thin_supplement(labels, "truth-labelled.csv:20", 1)
    assert len(thin) == 20
    assert thin_supplement(labels, "truth-labelled.csv:20", 1).tolist() == thin.tolist()
    assert thin_supplement(labels, "truth-labelled.csv:20", 2).tolist() != thin.tolist()
    with pytest.raises(BadInput, match="TABLE:N"):
        thin_supplement(labels, "eboss", 1)
    with pytest.raises(BadInput, match="no truth came"):
        thin_supplement(labels, "eboss:10", 1)


@pytest.mark.parametrize("changes", [{"networks": 1}, {"percentile": 120}, {"c_threshold": 2.0}, {"select": 0}])
def test_settings_out_of_range(changes):
    with pytest.raises(BadInput):
        tiny_round(**changes)


def test_the_benches_read_the_networks_and_calls_of_a_round(first):
    from qnet_tui.workflows.bench_networks import committee_of_round
    from qnet_tui.workflows.bench_race_calls import calls_of_round

    root, result = first
    known = committee_of_round(root, None)
    assert len(known.networks) == result.networks
    blocks = list(known.blocks(50))
    assert [block.shape for block in blocks] == [(min(50, len(known)), 443)]
    said = calls_of_round(root, 1)
    assert said.calls.shape == said.margins.shape == (len(known), result.networks)
    assert set(np.unique(said.calls)) <= {0, 1, 2}
    with pytest.raises(BadInput, match="7"):
        calls_of_round(root, 7)
