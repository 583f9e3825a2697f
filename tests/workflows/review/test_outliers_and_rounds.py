"""What people said of rejected objects, and rounds against each other, on labels and answers written by hand."""

import json
from dataclasses import replace

import pytest

import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.settings as campaign
from qnet_tui.evaluation.classification import completeness_purity
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.merge_truth import write_truth
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import open_tab
from qnet_tui.workflows.round_files import OUTLIERS, RoundFiles
from storage.files import make_directory
from storage.inspectors import add_inspector
from storage.votes import Vote, commit_vote, new_uid
from storage.workspace import Workspace
from tests.workflows.review.constructed_round import (
    SETTINGS,
    asked_everyone,
    objects_of,
    plan,
    raced,
    record,
    run_of,
    validation,
)

CALLS = [(4, 0, 0), (2, 2, 0), (1, 2, 1), (3, 1, 0), (2, 1, 1)]
REJECTED = [False, False, True, True, True]


def round_one(ws, *, queue=(2, 3, 4)):
    """Rows 2, 3, 4 lie in the rejected cell 3 of two rows and are asked about as far as ``queue`` names them."""
    rows, files = objects_of(ws, 5), RoundFiles(ws.round_dir(1))
    plan(ws, files, rows, [0, 0, 3, 3, 3], [30, 20, 10, 2], [False, False, False, True])
    raced(files, CALLS, REJECTED)
    run_of(ws, 1)
    entropies = {2: 1.5, 3: 0.811, 4: 1.4}
    picks = [record(rows[1], 1, 1.0, 0, 30)]
    picks += [record(rows[i], 2 + n, entropies[i], 3, 2, rejected=True) for n, i in enumerate(queue)]
    rounds_store.add_selection(ws, 1, picks)
    return rows


def say(ws, row, spectype, z, quality, issues="", comment="", by="AAA", number=1):
    add_inspector(ws, by, "", by)
    vote = Vote(new_uid(), number, int(row["object_id"]), by, spectype, z, quality, issues, comment)
    commit_vote(ws, vote)
    return vote


def settle(ws, row, votes, spectype, z, quality, issues="", comment="", number=1):
    add_inspector(ws, "MMM", "", "merger")
    label = merges_store.MergedLabel(number, int(row["object_id"]), spectype, z, quality, issues, comment, len(votes),
                                     "qnet1", "MMM", vote_uids=tuple(v.uid for v in votes))  # fmt: skip
    merges_store.add_merges(ws, [label])
    write_truth(ws, [label], number)


def test_the_most_disputed_come_first_and_nothing_is_said_before_a_vote(workspace):
    with Workspace.open(workspace) as ws:
        rows = round_one(ws)
    tab = open_tab(workspace, "outliers")
    assert [(line.rank, line.entropy, line.cell, line.cell_count, line.state) for line in tab.rows] == [
        (1, 1.5, 3, 2, "waiting"), (2, 1.4, 3, 2, "waiting"), (3, 0.811, 3, 2, "waiting"),
    ]  # fmt: skip
    assert [line.TARGETID for line in tab.rows] == [int(rows[i]["targetid"]) for i in (2, 4, 3)]
    assert tab.says == "3 rejected objects were asked about; no answer can be shown yet."
    assert list(tab.spectra) == [None, None, None]


def test_votes_are_withheld_until_merged_unless_peers_may_see_them(workspace):
    with Workspace.open(workspace) as ws:
        rows = round_one(ws)
        copied = RoundFiles(ws.round_dir(1)).spectrum(int(rows[2]["object_id"]))
        make_directory(copied.parent)
        copied.write_bytes(b"spectrum")
        campaign.set_setting(ws, "blind_peers", True, by="test")
        first = [say(ws, rows[2], "QSO", 2.0, 4, comment="narrow CIV"), say(ws, rows[2], "QSO", 2.2, 3, by="BBB")]
        say(ws, rows[4], "GALAXY", 0.3, 1, "S", "sky residuals")
        settle(ws, rows[2], first, "QSO", 2.1, 3.5, comment="narrow CIV absorption")
    tab = open_tab(workspace, "outliers")
    assert [(line.state, line.spectype, line.quality, line.n_votes, line.in_truth) for line in tab.rows] == [
        ("merged", "QSO", 3.5, 2, True), ("withheld", "", None, 1, False), ("waiting", "", None, 0, False),
    ]  # fmt: skip
    assert tab.rows[0].reason == "narrow CIV absorption"
    assert "sky" not in "".join(line.reason for line in tab.rows)
    assert any("votes on 1 objects are not shown" in note for note in tab.notes)
    assert [path and path.name for path in tab.spectra] == [f"{int(rows[2]['object_id'])}.npz", None, None]
    with Workspace.open(workspace) as ws:
        campaign.set_setting(ws, "blind_peers", False, by="test")
        say(ws, rows[4], "STAR", None, 0, by="BBB")
    tab = open_tab(workspace, "outliers")
    second = tab.rows[1]
    assert (second.state, second.spectype, second.z, second.quality) == ("2 votes", "GALAXY/STAR", 0.3, 0.5)
    assert (second.issues, second.reason, second.in_truth) == ("S", "spectrum bad; sky residuals", False)
    # One of two secure: Wilson gives 0.09 to 0.91.
    assert tab.says == (
        "Of 2 of 3 rejected objects that were inspected, 1 are secure (0.50, 0.09–0.91: quality 2.5 or better), 1 are "
        "quasars, and 1 were judged bad spectra (issue S, or quality 0 or 1)."
    )


def test_outliers_that_were_asked_about_later_are_those_of_the_round_whose_map_rejected_them(workspace):
    with Workspace.open(workspace) as ws:
        rows = round_one(ws, queue=())
        rounds_store.add_selection(ws, 2, [record(rows[2], 1, 1.5, 3, 2, rejected=True, strategy="outliers")])
        rounds_store.add_selection(ws, 3, [record(rows[4], 1, 1.4, 3, 7, rejected=True, strategy="outliers")])
    # Cell 3 of round 1 holds 2 rows, not 7: round 3 was made from a map that is not here.
    assert [line.round for line in open_tab(workspace, "outliers", Asked(round=1)).rows] == [2]
    assert [line.round for line in open_tab(workspace, "outliers", Asked(round=2)).rows] == [2]
    assert [line.round for line in open_tab(workspace, "outliers", Asked(round=3)).rows] == [3]
    assert open_tab(workspace, "outliers").rounds == (1, 2, 3)


def test_without_a_question_the_scored_ones_are_listed(workspace):
    with Workspace.open(workspace) as ws:
        rows = round_one(ws, queue=())
    tab = open_tab(workspace, "outliers")
    assert [(line.rank, line.entropy, line.state) for line in tab.rows] == [
        (1, 1.5, "not asked"), (2, 1.5, "not asked"), (3, pytest.approx(0.8113, abs=1e-4), "not asked"),
    ]  # fmt: skip
    assert "qnet vi queue --outliers 100 --round 1" in tab.notes[0]
    with Workspace.open(workspace) as ws:
        rounds_store.add_selection(ws, 2, [record(rows[2], 1, 1.5, 0, 30, strategy="list")])
    # Whoever is asked about elsewhere is left out.
    assert [line.rank for line in open_tab(workspace, "outliers", Asked(round=1)).rows] == [1, 2]


def test_what_was_not_scored_is_empty_and_names_the_command(workspace):
    with Workspace.open(workspace) as ws:
        rows, files = objects_of(ws, 2), RoundFiles(ws.round_dir(1))
        plan(ws, files, rows, [0, 0], [30, 2], [False, True])
        asked_everyone(files, CALLS[:2])
        run_of(ws, 1, replace(SETTINGS, outliers=0))
        rounds_store.add_selection(ws, 1, [record(rows[1], 1, 1.0, 0, 30)])
    tab = open_tab(workspace, "outliers")
    assert not tab.rows
    assert "qnet vi queue --outliers 100 --round 1" in tab.empty
    assert not (workspace / "rounds/001" / OUTLIERS).exists()


QSO = [True] * 6 + [False] * 2
OLD = [True, True, False, False, False, False, True, False]
NEW = [True, True, True, True, True, False, False, False]


def two_committees(ws, object_ids=range(1, 9)):
    for number, (called, ids) in enumerate(((OLD, range(1, 9)), (NEW, object_ids)), start=1):
        rows, files = objects_of(ws, 4), RoundFiles(ws.round_dir(number))
        plan(ws, files, rows, [0] * 4, [4], [False])
        validation(files, list(ids), QSO, called)
        run_of(ws, number, labels=100 * number, counts=completeness_purity(called, QSO))
        rounds_store.add_selection(ws, number, [record(rows[number], 1, 1.0, 0, 4)])


def test_two_committees_on_the_same_objects_are_paired(workspace):
    with Workspace.open(workspace) as ws:
        two_committees(ws)
    tab = open_tab(workspace, "rounds")
    # Three quasars only the new one finds, none only the old one: p = 2 / 2^3.
    assert tab.says.endswith("on the same 8 validation objects: 3 more, McNemar p = 0.25.")
    assert tab.says.startswith("Round 2's committee finds 0.833 (")
    assert "of 6 quasars, round 1's 0.333 (" in tab.says
    assert [(line.round, line.labels, line.completeness, line.purity) for line in tab.rows[:2]] == [
        (2, 200, pytest.approx(5 / 6), 1.0), (1, 100, pytest.approx(2 / 6), pytest.approx(2 / 3)),
    ]  # fmt: skip
    curve = tab.chart.curves[0]
    assert (curve.x.tolist(), curve.y.tolist()) == ([100.0, 200.0], pytest.approx([2 / 6, 5 / 6]))
    assert (curve.lo < curve.y).all()
    assert (curve.hi > curve.y).all()
    (workspace / "rounds/001/review/verdicts.npz").unlink()
    (workspace / "rounds/001/scores/net-0002/validation.npy").unlink()
    assert open_tab(workspace, "rounds").says.endswith("the answers of one are gone, so they are not paired.")


def test_committees_of_other_objects_are_not_compared(workspace):
    with Workspace.open(workspace) as ws:
        two_committees(ws, range(2, 10))
    assert "not comparable" in open_tab(workspace, "rounds").says


def test_without_rounds_or_measures_there_is_a_sentence_and_no_chart(tmp_path, workspace):
    initialise(tmp_path / "new")
    for root in (tmp_path / "new", workspace):
        tab = open_tab(root, "rounds")
        assert tab.says == "No committee was measured on held-out truth yet."
        assert tab.chart is None
        assert [line.round for line in tab.rows] == [0]


def test_a_study_is_shown_as_means_beside_random_labels(workspace):
    rows = [
        {"strategy": name, "map": on, "seed": seed, "labels": labels, "round": labels // 100, "completeness": c,
         "purity": 0.5}
        for name, on, labels, by_seed in (
            ("entropy", True, 200, (0.8, 0.9)), ("entropy", False, 200, (0.7, 0.7)), ("random", False, 200, (0.6, 0.7)),
            ("random", False, 300, (0.7, None)),
        )
        for seed, c in enumerate(by_seed)
    ]  # fmt: skip
    with Workspace.open(workspace) as ws:
        runs = [runs_store.new_run(ws, "study", {}, {}, 1, None, "") for _ in range(2)]
        for run, text in zip(runs, (json.dumps({"rows": rows}), "not JSON"), strict=True):
            folder = ws.run_dir(run)
            make_directory(folder)
            (folder / "curves.json").write_text(text)
    tab = open_tab(workspace, "rounds")
    studied = [line for line in tab.rows if line.state == "study"]
    assert [(line.strategy, line.labels, line.run) for line in studied] == [
        ("entropy", 200, runs[0]), ("entropy+map", 200, runs[0]), ("random", 200, runs[0]), ("random", 300, runs[0]),
    ]  # fmt: skip
    assert [line.completeness for line in studied] == pytest.approx([0.7, 0.85, 0.65, 0.7])
    assert f"Study {runs[0]}, 200 labels: entropy+map (the best of 2) finds 0.850 (0.800–0.900)" in tab.says
    assert "as many random ones 0.650 (0.600–0.700; means of 2 and 2 repetitions" in tab.says
    assert [(curve.name, curve.stroke) for curve in tab.chart.curves] == [
        ("entropy", "solid"), ("entropy+map", "solid"), ("random", "dashed"),
    ]  # fmt: skip
