"""Given lists, random draws and rejected outliers become rounds of their own."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.export import export
from qnet_tui.workflows.given_round import copy_of, free_round, open_round, unscored
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.queue_list import queue_file, queue_outliers, queue_random
from qnet_tui.workflows.review.tabs import open_tab
from qnet_tui.workflows.round_files import RoundFiles
from storage.workspace import Workspace


def identities(root: Path, number: int) -> list[str]:
    with Workspace.open(root) as ws:
        ids = [record.object_id for record in rounds_store.selection(ws, number)]
        return [str(o["identity"]) for o in spectra_store.objects(ws, ids)]


def some_ids(root: Path, n: int) -> list[str]:
    with Workspace.open(root) as ws:
        return [str(o["identity"]) for o in spectra_store.objects(ws)[:n]]


def test_a_list_is_queued_in_its_order_with_its_spectra(workspace, tmp_path):
    a, b, c = some_ids(workspace, 3)
    path = tmp_path / "mine.txt"
    path.write_text(f"# to look at\n{c}\n{a}\n{c}\n12345\nx\n")
    said = queue_file(workspace, path)
    assert (said.round, said.asked, said.strategy) == (1, 2, "list")
    assert identities(workspace, 1) == [c, a]
    assert [(one["line"], one["id"], one["reason"]) for one in said.left] == [
        (4, c, "named in line 2 already"),
        (5, "12345", "no spectrum here"),
        (6, "", "TARGETID 'x' is not a whole number"),
    ]
    with Workspace.open(workspace) as ws:
        record = rounds_store.selection(ws, 1)[0]
        assert (record.rank, record.why, np.isnan(record.entropy)) == (1, "on the list mine.txt", True)
        assert RoundFiles(ws.round_dir(1)).spectrum(record.object_id).exists()
        labelled = set(truth_store.current_truth(ws)["object_id"].tolist())
        assert said.labelled == sum(r.object_id in labelled for r in rounds_store.selection(ws, 1))
    path.write_text(f"{a}\n")
    with pytest.raises(BadInput, match=r"mine\.txt: nothing to queue: line 1: asked for in round 1"):
        queue_file(workspace, path)
    path.write_text(f"TARGETID,note\n{b},x\n")
    assert queue_file(workspace, path).round == 2
    # Every table of ours is such a list too.
    export(workspace, "selection", path, round_number=1)
    with pytest.raises(BadInput, match="asked for in round 1"):
        queue_file(workspace, path)
    assert [(line.round, line.state, line.run, line.strategy) for line in open_tab(workspace, "rounds").rows] == [
        (2, "labelling", "", "list"), (1, "labelling", "", "list"), (0, "truth", "", ""),
    ]  # fmt: skip


def test_a_random_draw_is_the_same_for_the_same_seed_and_asks_what_a_run_would(workspace, tmp_path):
    twin = Path(shutil.copytree(workspace, tmp_path / "twin"))
    said = queue_random(workspace, 5, seed=3)
    assert (said.asked, said.seed, said.strategy) == (5, 3, "random")
    assert said.filtered["already labelled"] > 0
    queue_random(twin, 5, seed=3)
    assert identities(twin, 1) == identities(workspace, 1)
    with Workspace.open(workspace) as ws:
        drawn = [record.object_id for record in rounds_store.selection(ws, 1)]
        assert not set(drawn) & set(truth_store.current_truth(ws)["object_id"].tolist())
    queue_random(twin, 5, seed=4)
    assert not set(identities(twin, 2)) & set(identities(twin, 1))
    while queue_random(twin, 60, seed=1).asked == 60:
        pass
    with pytest.raises(BadInput, match="nothing is left to draw from"):
        queue_random(twin, 1, seed=1)


def test_a_workspace_without_a_run_has_no_outliers(workspace):
    with pytest.raises(BadInput, match="no round has been selected by a run"):
        queue_outliers(workspace, 2)


def test_a_number_that_a_run_took_is_not_given_away(workspace):
    with Workspace.open(workspace) as ws:
        assert free_round(ws) == 1
        runs_store.new_run(ws, "run-al", {}, {}, seed=1, round=1, command="")
        assert free_round(ws) == 2
        ids = [int(o["id"]) for o in spectra_store.objects(ws)[:1]]
        assert open_round(ws, [unscored(ids[0], "", "list")], 1, silent).round == 2


def test_objects_without_rows_are_told(workspace):
    with Workspace.open(workspace) as ws:
        assert copy_of(ws, RoundFiles(ws.round_dir(1)), [987654], silent) == {
            987654: "no row of a survey file shows it any more"
        }
        assert copy_of(ws, RoundFiles(ws.round_dir(1)), [], silent) == {}
