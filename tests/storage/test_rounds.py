import json
import math
from dataclasses import replace

import numpy as np
import pytest

from storage.errors import Refused
from storage.merges import MergedLabel, add_merges
from storage.rounds import (
    QUEUE_FILE,
    add_selection,
    ever_queued,
    next_round,
    rounds,
    selection,
    withdraw,
)
from storage.runs import new_run
from storage.settings import set_setting
from storage.spectra import read_rows
from storage.votes import Vote, commit_vote, new_uid, next_object
from storage.workspace import Workspace
from tests.storage.conftest import ingest, queue


def test_a_selection_comes_back_by_rank_with_its_round(ws: Workspace) -> None:
    ingest(ws, 5)
    assert next_round(ws) == 1
    records = queue(ws, 3)
    stored = selection(ws, 1)
    assert stored == [replace(one, round=1) for one in records]
    assert {type(value) for one in stored for value in vars(one).values()} == {int, float, bool, str}
    assert next_round(ws) == 2
    assert selection(ws, 2) == []


def test_numbers_that_are_not_known_stay_nan(ws: Workspace) -> None:
    ingest(ws, 1)
    (record,) = queue(ws, 1)
    withdraw(ws, 1, [record.object_id], "x", "me")
    unknown = replace(record, entropy=math.nan, c_not=np.float32("nan"), rejected=np.bool_(True), bmu=np.int64(-1))
    add_selection(ws, 2, [unknown])
    (found,) = selection(ws, 2)
    assert math.isnan(found.entropy)
    assert math.isnan(found.c_not)
    assert found.rejected is True
    assert found.bmu == -1


def test_the_same_selection_again_adds_nothing_and_more_can_be_added(ws: Workspace) -> None:
    ingest(ws, 5)
    records = queue(ws, 3)
    assert add_selection(ws, 1, records) == 0
    outlier = replace(records[0], object_id=read_rows(ws)["object_id"][4], rank=4, rejected=True)
    assert add_selection(ws, 1, [*records, outlier]) == 1
    assert [one.rank for one in selection(ws, 1)] == [1, 2, 3, 4]


def test_what_waits_in_one_round_is_not_asked_in_another(ws: Workspace) -> None:
    ingest(ws, 5)
    records = queue(ws, 3)
    with pytest.raises(Refused, match=f"object {records[2].object_id} is queued in round 1"):
        add_selection(ws, 2, [replace(records[0], object_id=5), records[2]])
    with pytest.raises(Refused, match="no object 77"):
        add_selection(ws, 2, [replace(records[0], object_id=77)])
    with pytest.raises(Refused, match="numbered from 1"):
        add_selection(ws, 0, records)
    assert selection(ws, 2) == []
    assert ever_queued(ws) == {one.object_id for one in records}


def test_withdrawn_objects_may_be_selected_again(queued: Workspace) -> None:
    first = selection(queued, 1)[0]
    held = next_object(queued, 1, "ABC", 3)
    assert held == first
    assert withdraw(queued, 1, [first.object_id, np.int64(first.object_id), 12], "two objects", "me") == 1
    assert first.object_id not in ever_queued(queued)
    assert first not in selection(queued, 1)
    assert first in selection(queued, 1, include_withdrawn=True)
    following = next_object(queued, 1, "DEF", 3)
    assert following is not None
    assert following.rank == 2
    assert add_selection(queued, 2, [first]) == 1
    with pytest.raises(Refused, match="reason"):
        withdraw(queued, 2, [first.object_id], "", "me")


def test_how_far_a_round_is(queued: Workspace) -> None:
    set_setting(queued, "votes_required", 2, "me")
    run_id = new_run(queued, "run-al", {}, {}, 1, 1, "")
    new_run(queued, "train", {}, {}, 1, 1, "")
    first, second, third = (one.object_id for one in selection(queued, 1)[:3])
    uids = []
    for object_id, code in ((first, "ABC"), (first, "DEF"), (second, "ABC"), (third, "ABC")):
        uids.append(new_uid())
        commit_vote(queued, Vote(uids[-1], 1, object_id, code, "QSO", 2.0, 4))
    add_merges(queued, [MergedLabel(1, first, "QSO", 2.0, 4.0, "", "", 2, "qnet1", "GHI", vote_uids=tuple(uids[:2]))])
    withdraw(queued, 1, [third], "x", "me")
    (summary,) = rounds(queued)
    assert (summary.round, summary.run_id, summary.strategy) == (1, run_id, "entropy")
    assert (summary.selected, summary.withdrawn) == (7, 1)
    assert (summary.votes, summary.fully_voted, summary.merged) == (3, 1, 1)


def test_the_queue_file_names_objects_without_the_database(queued: Workspace) -> None:
    path = queued.rounds_dir / "001" / QUEUE_FILE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 8
    assert lines[0]["survey"] == "desi"
    assert lines[0]["identity"] == str(lines[0]["targetid"])
    assert lines[0]["path"] == "/data/coadd-1.fits"
    assert lines[0]["withdrawn"] == ""
    withdraw(queued, 1, [lines[1]["object_id"]], "blend", "me")
    again = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["withdrawn"] for line in again[:3]] == ["", "blend", ""]
