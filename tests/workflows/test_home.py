"""Where a campaign stands and what is next, from an empty workspace to a network for the pipeline."""

import time

import pytest

import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.settings as campaign
import storage.truth as truth_store
import storage.votes as votes_store
from qnet_tui.workflows.home import HomeReader, status
from storage.inspectors import add_inspector
from storage.truth import TruthLabel
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.workflows.made_runs import begin, end, lose

USERS = {"ABC": "anna", "DEF": "dora", "MRG": "max"}


@pytest.fixture
def ws(tmp_path):
    """Four objects, three of them asked for in round 1 by a run; two votes needed."""
    spectra = [desi_spectrum(39627000000000310 + n, seed=n) for n in range(4)]
    made = make_workspace(tmp_path / "ws", spectra, votes=2)
    for code, user in USERS.items():
        add_inspector(made, code, user)
    end(made, begin(made), training=80, networks=6, validation={
        "completeness": 0.9, "completeness_interval": [0.8, 0.96], "purity": 0.95, "purity_interval": [0.85, 0.99],
        "n": 50,
    })  # fmt: skip
    last = rounds_store.selection(made, 1)[-1].object_id
    rounds_store.withdraw(made, 1, [last], "the fourth is for the truth", "MRG")
    learn(made, last)
    yield made
    made.close()


def learn(ws, *object_ids, role="train"):
    labels = [TruthLabel(one, "QSO", 2.3, 4.0) for one in object_ids]
    truth_store.add_labels(ws, labels, "table:t", "people", role=role)


def vote(ws, code, z=2.3, spectype="QSO", seconds=40.0, only=None):
    for record in rounds_store.selection(ws, 1)[:only]:
        votes_store.commit_vote(ws, votes_store.Vote(
            object_id=record.object_id, round=1, inspector=code, spectype=spectype, z=z, quality=4, issues="",
            comment="", active_seconds=seconds, uid=f"{code}-{record.object_id}-{z}",
        ))  # fmt: skip


def settle(ws):
    votes = {}
    for one in votes_store.votes(ws, round=1):
        votes.setdefault(one.object_id, []).append(one.uid)
    merges_store.add_merges(ws, [
        merges_store.MergedLabel(1, object_id, "QSO", 2.3, 4.0, "", "", 2, "majority", "MRG", vote_uids=tuple(uids))
        for object_id, uids in votes.items()
    ])  # fmt: skip


def home(ws, user="anna"):
    return status(ws.root, user)


def test_an_empty_workspace_asks_for_spectra(tmp_path):
    Workspace.create(tmp_path / "ws").close()
    found = status(tmp_path / "ws", "anna")
    assert (found.name, found.standing.rows, found.inspector) == ("ws", 0, "")
    assert [one.round for one in found.rounds] == [0]
    assert found.next.command == "qnet ingest PATH..."
    assert (found.queue.left, found.merging.conflicts, found.runs) == (0, 0, ())


def test_before_the_first_round(tmp_path):
    with make_workspace(tmp_path / "ws", [desi_spectrum(39627000000000310 + n) for n in range(3)]) as ws:
        asked = [one.object_id for one in rounds_store.selection(ws, 1)]
        ws.db.execute("DELETE FROM selection")
        assert home(ws).next.command == "qnet truth import FILE"
        learn(ws, *asked[:2])
        assert home(ws).next.command == "qnet truth split --fraction 0.3"
        learn(ws, asked[2], role="validation")
        found = home(ws)
        assert found.next.command == "qnet run-al --preset laptop"
        assert (found.standing.train, found.standing.validation) == (2, 1)
        assert found.rounds[0].truth == 3


def test_a_round_from_its_first_vote_to_the_next_round(ws):
    found = home(ws)
    (first, truth) = found.rounds
    assert (first.state, first.asked, first.votes_made, first.votes_needed, first.truth) == ("labelling", 3, 0, 6, 80)
    assert (first.completeness, first.completeness_interval, first.held_out) == (0.9, (0.8, 0.96), 50)
    assert (truth.round, truth.truth) == (0, 1)
    assert (found.queue.left, found.queue.seconds, found.inspector) == (3, None, "ABC")
    assert (found.next.place, found.next.command) == ("label", "qnet label")

    vote(ws, "ABC", only=2)
    found = home(ws)
    assert (found.queue.left, found.queue.mine) == (1, 2)
    assert found.rounds[0].voted == pytest.approx(2 / 6)
    vote(ws, "ABC")
    found = home(ws)
    assert found.queue.seconds == 40.0
    assert (found.next.place, found.next.command) == ("", "qnet vi status")
    assert "3 objects wait for votes of others" in found.next.why

    vote(ws, "DEF", z=2.3)
    vote(ws, "DEF", z=1.1, only=1)
    found = home(ws)
    assert (found.merging.conflicts, found.merging.agreed, found.merging.lacking) == (1, 2, 0)
    assert found.next.place == "merge"
    assert found.next.why == "1 in conflict and 2 agreed wait for a merger"

    settle(ws)
    found = home(ws)
    assert found.rounds[0].state == "merged"
    assert found.next.command == "qnet run-al"
    end(ws, begin(ws, "train", None))
    found = home(ws)
    assert found.next.place == "review"
    assert "runs/tr-0002/weights.h5" in found.next.command


def test_my_pace_and_what_others_hold(ws):
    vote(ws, "DEF", seconds=30.0)
    found = home(ws, "dora")
    assert (found.queue.left, found.queue.seconds_left) == (0, 0.0)
    votes_store.next_object(ws, 1, "MRG", 2)
    found = home(ws)
    assert (found.queue.left, found.queue.held) == (3, 1)
    assert home(ws, "nobody").next.command == "qnet label --as CODE"


def test_a_lost_round_comes_before_everything_else(ws):
    lose(ws, begin(ws, number=2))
    found = home(ws)
    assert found.rounds[0].round == 2
    assert found.rounds[0].state == "lost"
    assert (found.next.command, found.next.run) == ("qnet runs resume al-0002", "al-0002")
    assert (found.runs[0].state, found.runs[0].resume) == ("LOST", "qnet runs resume al-0002")


def test_people_label_while_the_machine_works(ws):
    run = begin(ws, number=2)
    runs_store.update_run(ws, run, stage="train")
    runs_store.heartbeat(ws, run, "training networks", 3, 12)
    found = home(ws)
    assert found.next.place == "label"
    assert (found.runs[0].run, found.runs[0].percent) == (run, 25.0)
    assert found.rounds[0].state == "train"
    vote(ws, "ABC")
    found = home(ws)
    assert (found.next.place, found.next.run) == ("watch", run)
    assert "training networks 25 %" in found.next.why


def test_a_run_is_lost_without_anybody_writing(ws, monkeypatch):
    run = begin(ws, "datasets", None)
    ws.db.execute("UPDATE run SET host = 'node7', heartbeat = ? WHERE id = ?", (time.time(), run))
    reader = HomeReader.open(ws.root, "anna")
    try:
        assert reader.read().runs[0].state == "RUNNING"
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 61)
        assert reader.read().runs[0].state == "LOST"
    finally:
        reader.close()


def test_nothing_is_counted_again_while_nobody_writes(ws, monkeypatch):
    reader = HomeReader.open(ws.root, "anna")
    try:
        first = reader.read()
        counted = []
        monkeypatch.setattr(rounds_store, "rounds", lambda ws: counted.append(ws) or [])
        assert reader.read() == first
        assert counted == []
        campaign.set_setting(ws, "votes_required", 1, "ABC")
        reader.read()
        assert counted
    finally:
        reader.close()
