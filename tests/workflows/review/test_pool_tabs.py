"""Entropy and map on rounds whose calls and cells are known by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

import storage.rounds as rounds_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.queue_list import queue_random
from qnet_tui.workflows.review import score_summary
from qnet_tui.workflows.review.score_summary import EDGES
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import open_tab
from qnet_tui.workflows.round_files import OUTLIERS, RoundFiles
from qnet_tui.workflows.round_scores import pool_scores
from qnet_tui.workflows.round_selection import make_selection
from storage.workspace import Workspace
from tests.workflows.review.constructed_round import (
    SETTINGS,
    asked_everyone,
    objects_of,
    plan,
    raced,
    record,
    run_of,
)

CALLS = [(4, 0, 0), (2, 2, 0), (2, 1, 1), (4, 0, 0), (3, 1, 0), (2, 0, 0), (1, 2, 1), (4, 0, 0)]
"""Entropies 0, 1, 1.5, 0, 0.811, 0 (two networks asked), 1.5, 0; the last two are rejected."""

OUTLYING = [False] * 6 + [True] * 2
CELLS = [0, 0, 1, 1, 2, 2, 3, 3]
H_ONE_OF_FOUR = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))


def make(root, *, full=False, calls=CALLS, outlying=OUTLYING, **settings):
    with Workspace.open(root) as ws:
        rows = objects_of(ws, len(calls))
        files = RoundFiles(ws.round_dir(1))
        cells = [3 if out else min(cell, 2) for cell, out in zip(CELLS, outlying, strict=False)]
        plan(ws, files, rows, cells, [30, 20, 10, 2], [False, False, False, True])
        if full:
            asked_everyone(files, calls)
        else:
            raced(files, calls, outlying)
        run_of(ws, 1, replace(SETTINGS, **settings))
        two = [(2, 1.5, 1, 20), (1, 1.0, 0, 30)] if len(calls) > 2 else [(0, 0.0, 0, 30)]
        picks = [record(rows[place], rank, h, cell, n) for rank, (place, h, cell, n) in enumerate(two, start=1)]
        rounds_store.add_selection(ws, 1, picks)
        return rows


def test_the_entropy_of_a_raced_round(workspace):
    make(workspace)
    tab = open_tab(workspace, "entropy")
    assert tab.says == (
        "6 rows of 6 objects: 50.0% undisputed (entropy 0); the 2 objects asked lie at >= 1.000 bit, 1 (50%) above 1 "
        "bit, where all three classes are called."
    )
    assert len(tab.rows) == 16
    by_bin = {round(line.bin, 3): line for line in tab.rows if line.count or line.count_rejected}
    width = math.log2(3) / 16
    expected = {round(math.floor(h / width) * width, 3) for h in (0.0, 1.0, 1.5, H_ONE_OF_FOUR)}
    assert set(by_bin) == expected
    lowest = by_bin[0.0]
    assert (lowest.count, lowest.count_rejected, lowest.count_stopped) == (3, 1, 1)
    assert sum(line.count for line in tab.rows) == 6
    assert sum(line.count_rejected for line in tab.rows) == 2
    assert any("1 row not asked to the end" in note for note in tab.notes)
    assert any("2 rows in cells that the map cut away, 1 disputed" in note for note in tab.notes)
    # The chart has finer bins of the same rows and the cut.
    assert tab.chart.verticals == ((1.0, "asked at 1.000"),)
    assert [int(counts.sum()) for _, counts in tab.chart.series] == [6, 2]
    assert len(tab.chart.edges) == len(EDGES) == 65
    assert tab.rounds == (1,)
    assert tab.asked.round == 1


def test_a_full_round_says_the_same_of_the_rows_that_were_asked_to_the_end(workspace):
    calls = [c if sum(c) == 4 else (4, 0, 0) for c in CALLS]
    make(workspace, full=True, calls=calls)
    tab = open_tab(workspace, "entropy")
    assert (tab.rows[0].count, tab.rows[0].count_stopped) == (3, 0)
    assert not any("not asked to the end" in note for note in tab.notes)


def test_rows_without_any_answer_are_counted_and_in_no_bin(workspace):
    make(workspace, calls=[(0, 0, 0)] * 8)
    tab = open_tab(workspace, "entropy")
    assert sum(line.count + line.count_rejected for line in tab.rows) == 0
    assert "none has an answer" in tab.says
    assert any("in no bin: 8 rows without any answer" in note for note in tab.notes)


def test_one_row_is_enough(workspace):
    make(workspace, calls=[(4, 0, 0)], outlying=[False])
    tab = open_tab(workspace, "entropy")
    assert tab.says.startswith("1 row of 1 object: 100.0% undisputed (entropy 0); the 1 object asked")
    assert any("qnet vi queue --outliers 100 --round 1" in note for note in tab.notes)


def test_a_strategy_that_does_not_rank_by_entropy_has_no_cut(workspace):
    make(workspace, strategy="random")
    tab = open_tab(workspace, "entropy")
    assert tab.chart.verticals == ()
    assert "asked (by random) lie at 1.000 to 1.500 bit" in tab.says


def test_the_summary_is_kept_and_serves_without_the_scores(workspace, monkeypatch):
    make(workspace)
    first = open_tab(workspace, "entropy")

    def gone(*_):
        raise AssertionError("the scores were read again")

    monkeypatch.setattr(score_summary, "pool_scores", gone)
    assert open_tab(workspace, "entropy").rows == first.rows


def test_the_end_of_a_round_keeps_the_summary(workspace, monkeypatch):
    with Workspace.open(workspace) as ws:
        rows, files = objects_of(ws, len(CALLS)), RoundFiles(ws.round_dir(1))
        pool = plan(ws, files, rows, CELLS, [30, 20, 10, 2], [False, False, False, True])
        calls = [c if sum(c) == 4 else (4, 0, 0) for c in CALLS]
        asked_everyone(files, calls)
        said = pool_scores(files, [0, 1, 2, 3], pool.object_key, SETTINGS)
        made = make_selection(ws, files, said, SETTINGS, 1, silent)
        assert [(one.entropy, one.rejected) for one in made.records] == [(1.5, False), (1.0, False), (1.5, True)]
        run_of(ws, 1)
    assert (workspace / "rounds/001/review/scores.npz").exists()
    monkeypatch.setattr(score_summary, "pool_scores", None)
    tab = open_tab(workspace, "entropy")
    assert (tab.rows[0].count, tab.rows[0].count_rejected) == (3, 1)
    assert [path.exists() for path in open_tab(workspace, "outliers").spectra] == [True]


def test_rejected_rows_that_were_scored_later_are_shown_once_they_are_whole(workspace):
    make(workspace, calls=CALLS[:6], outlying=[False] * 6)
    assert all(line.count_rejected == 0 for line in open_tab(workspace, "entropy").rows)
    with Workspace.open(workspace) as ws:
        apart = RoundFiles(ws.round_dir(1) / OUTLIERS)
        others = objects_of(ws, 8)[6:]
        plan(ws, apart, others, [3, 3], [30, 20, 10, 2], [False, False, False, True])
    # Half way: the plan is there, the answers of one network are not.
    assert all(line.count_rejected == 0 for line in open_tab(workspace, "entropy").rows)
    asked_everyone(apart, CALLS[6:])
    assert sum(line.count_rejected for line in open_tab(workspace, "entropy").rows) == 2


def test_the_map_counts_labels_by_class_and_cell(workspace):
    with Workspace.open(workspace) as ws:
        labels = truth_store.current_truth(ws)
        rows = all_rows(ws)
        mine = rows[np.isin(rows["object_id"], labels["object_id"])]
        unlabelled = rows[~np.isin(rows["object_id"], labels["object_id"])][:3]
        said = dict(zip(labels["object_id"].tolist(), labels[["spectype", "quality"]].tolist(), strict=True))
        kind = [said[int(o)][0] if said[int(o)][1] >= 2.5 else "BAD" for o in mine["object_id"]]
        # Quasars in cells 0 and 1 in turn, all others in cell 1: most labels of cell 0 are quasars.
        quasars = [i for i, name in enumerate(kind) if name == "QSO"]
        cells = np.ones(len(mine) + 3, dtype=int)
        cells[[i for n, i in enumerate(quasars) if n % 2 == 0]] = 0
        cells[-3:] = 2
        some = np.concatenate([mine, unlabelled])
        order = np.argsort(some["id"])
        files = RoundFiles(ws.round_dir(1))
        plan(ws, files, some[order], cells[order], [60, 50, 3, 0], [False, False, False, True])
        run_of(ws, 1)
        rounds_store.add_selection(ws, 1, [record(unlabelled[0], 1, 1.0, 2, 3)])
    tab = open_tab(workspace, "map")
    n, half = len(quasars), -(-len(quasars) // 2)
    assert [line.by_class.get("QSO", 0) for line in tab.rows] == [half, n - half, 0, 0]
    assert tab.rows[1].by_class == {
        name: (kind.count(name) if name != "QSO" else n - half)
        for name in ("STAR", "GALAXY", "QSO", "BAD") if kind.count(name)
    }  # fmt: skip
    assert [(line.cell, line.row, line.column, line.count, line.rejected) for line in tab.rows] == [
        (0, 0, 0, 60, False), (1, 0, 1, 50, False), (2, 1, 0, 3, False), (3, 1, 1, 0, True),
    ]  # fmt: skip
    in_one = n - half > (len(kind) - half) / 2
    share = 1.0 if in_one else half / n
    assert f"{share:.0%} (" in tab.says
    assert f"of the {n:,} labelled quasars" in tab.says
    # The 25th percentile of 0, 3, 50, 60 is 2.25.
    assert "rejected: 1 cells of 2.25 rows or fewer (25th percentile), 0 rows (0.00%)" in tab.says
    assert tab.chart.marked.tolist() == [[False, False], [False, True]]
    assert np.isnan(tab.chart.values[1, 1])
    assert tab.datasets == ("all rows", "STAR", "GALAXY", "QSO", "BAD")
    of_quasars = open_tab(workspace, "map", Asked(dataset="QSO")).chart
    assert of_quasars.values[0].tolist() == [half, n - half]
    with pytest.raises(BadInput, match="no dataset 'PLANET'"):
        open_tab(workspace, "map", Asked(dataset="PLANET"))
    # A label that was given after the round counts from now on.
    with Workspace.open(workspace) as ws:
        late = truth_store.TruthLabel(int(unlabelled[0]["object_id"]), "STAR", 0.0, 1.0)
        truth_store.add_labels(ws, [late], "round:1", "people", round=1)
    repeats = int((rows["object_id"] == unlabelled[0]["object_id"]).sum())
    assert 1 <= open_tab(workspace, "map").rows[2].by_class["BAD"] <= repeats


@pytest.mark.parametrize("name", ["entropy", "map", "outliers"])
def test_without_a_scored_round_a_tab_is_empty_and_says_what_makes_it(tmp_path, ready, workspace, name):
    initialise(tmp_path / "new")
    for root in (tmp_path / "new", workspace):
        tab = open_tab(root, name)
        assert not tab.rows
        assert "qnet run-al" in tab.empty
    queue_random(workspace, 3, seed=1)
    assert "qnet run-al" in open_tab(workspace, name).empty
    with pytest.raises(BadInput, match=r"round 1 (was made from a list|asked about nothing that a map rejected)"):
        open_tab(workspace, name, Asked(round=1))
    with pytest.raises(BadInput, match="round 7"):
        open_tab(workspace, name, Asked(round=7))
