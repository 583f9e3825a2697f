"""The walk of one inspector through the queue: durable commits, drafts, undo, two people, resuming."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import storage.settings as campaign
import storage.votes as store
from qnet_tui.errors import BadInput
from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.item import ItemState, MaskedWarning
from qnet_tui.workflows import label as label_module
from storage.errors import DatabaseBusy, StorageError
from storage.merges import MergedLabel, add_merges
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.workflows.label_queue import IDS, all_votes, full, open_session


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("campaign") / "ws"
    make_workspace(folder, [desi_spectrum(target, seed=target % 7) for target in IDS]).close()
    return folder


@pytest.fixture
def root(made_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "ws"))


def test_a_committed_answer_is_in_the_journal_and_in_the_database_before_the_next_item(root):
    session = open_session(root)
    item = session.start()
    assert (item.title, item.rank, item.total, item.round) == (str(IDS[0]), 1, 3, 1)
    saved = session.commit(full(item), 12.34)
    line = json.loads((root / "journal" / "ABC.jsonl").read_text().splitlines()[-1])
    assert (line["uid"], line["body"]["z"], line["body"]["quality"]) == (saved.uid, 2.3042, 4)
    (vote,) = all_votes(root)
    assert (vote.uid, vote.spectype, vote.active_seconds, vote.z_source) == (saved.uid, "QSO", 12.3, "typed")
    assert session.next().title == str(IDS[1])
    session.close()


def test_an_incomplete_answer_is_refused_and_nothing_is_written(root):
    session = open_session(root)
    item = session.start()
    with pytest.raises(Refused, match="quality"):
        session.commit(ItemState.start(item.facts).with_class("QSO"), 1.0)
    assert session.current is item
    session.close()
    assert all_votes(root) == []


def test_what_the_inspector_may_see_follows_the_campaign_and_is_recorded(root, tmp_path):
    session = open_session(root)
    item = session.start()
    assert (item.why, item.pipeline_class, item.pipeline_z) == ("3-way split", "QSO", 2.3042)
    assert not session.blind_model
    session.close()
    tightened = open_session(root, blind=True)
    item = tightened.start()
    assert (item.why, item.pipeline_class, item.pipeline_z, item.pipeline_name) == ("", "", None, "")
    assert ItemState.start(item.facts).answer.z is None
    tightened.commit(full(item), 1.0)
    tightened.close()
    assert all_votes(root)[0].blind_model
    other = tmp_path / "blind"
    make_workspace(other, [desi_spectrum(IDS[0])], blind=True).close()
    assert open_session(other).blind_model


def test_the_facts_of_an_item_say_what_its_data_are(tmp_path):
    spectra = [desi_spectrum(IDS[0], arms="bz", masked=(4000, 4500))]
    make_workspace(tmp_path / "ws", spectra).close()
    item = open_session(tmp_path / "ws").start()
    assert item.arms_words == "arms B - Z, no R"
    assert item.frac_masked == pytest.approx(625 / (2751 + 2881), abs=0.01)
    assert item.magnitude == pytest.approx(22.5 - 2.5 * np.log10(6.0))
    assert item.snr == pytest.approx(4.9)
    assert np.all(np.diff(item.wavelength) > 0)
    assert item.strongest == pytest.approx(1549.48 * 3.3042, abs=40)


def test_restarting_resumes_at_the_same_spectrum_with_its_draft(root):
    session = open_session(root)
    session.start()
    session.next()
    body = {"item": {"answer": {"spectype": "GALAXY", "quality": 2}}, "active_seconds": 7.5}
    session.keep_draft(body)
    session.close()
    again = open_session(root, None)
    item = again.start()
    assert item.title == str(IDS[1])
    assert item.draft == body
    assert item.active_seconds == 7.5
    again.close()


def test_next_and_previous_walk_over_what_was_passed(root):
    session = open_session(root)
    session.start()
    assert session.next().rank == 2
    assert session.previous().rank == 1
    with pytest.raises(Refused, match="first"):
        session.previous()
    assert session.next().rank == 2
    assert session.next().rank == 3
    assert session.next().rank == 1, "what was passed over comes again"
    session.close()


def test_a_commit_goes_on_forward_and_comes_back_to_what_was_passed_over(root):
    session = open_session(root)
    session.start()
    session.commit(full(session.next()), 1.0)
    item = session.next()
    assert item.rank == 3
    session.commit(full(item), 1.0)
    item = session.next()
    assert item.rank == 1
    session.commit(full(item), 1.0)
    assert session.next() is None
    progress = session.progress()
    assert (progress.made, progress.needed, progress.mine_left) == (3, 3, 0)
    assert progress.usual_seconds == 1.0
    session.close()


def test_a_deferred_spectrum_comes_last(root):
    session = open_session(root)
    session.start()
    assert [item.rank for item in (session.defer(), session.next(), session.next())] == [2, 3, 1]
    assert session.defer().rank == 2
    session.close()


def test_undo_reopens_the_last_answers_one_after_the_other_also_after_a_restart(root):
    session = open_session(root)
    item = session.start()
    session.commit(full(item, 4), 5.0)
    session.commit(full(session.next(), 3), 6.0)
    session.close()
    session = open_session(root)
    session.start()
    reopened = session.undo()
    assert reopened.rank == 2
    assert ItemState.start(reopened.facts).restored(reopened.draft["item"]).answer.quality == 3
    assert reopened.active_seconds == 6.0
    assert session.undo().rank == 1
    with pytest.raises(Refused, match="no answer"):
        session.undo()
    assert session.next().rank == 2
    assert session.next().rank == 3
    session.close()
    assert all_votes(root) == []
    assert len(all_votes(root, current=False)) == 2


def test_an_answer_given_again_after_undo_replaces_the_first(root):
    session = open_session(root)
    session.commit(full(session.start()), 5.0)
    item = session.undo()
    session.commit(full(item, 2), 9.0)
    session.close()
    (vote,) = all_votes(root)
    assert vote.quality == 2


def test_undo_is_refused_once_merged_naming_the_merger(root):
    session = open_session(root)
    item = session.start()
    saved = session.commit(full(item), 1.0)
    with Workspace.open(root) as ws:
        merged = MergedLabel(1, item.object_id, "QSO", 2.3042, 4.0, "", "", 1, "qnet1", "ABC", False, (saved.uid,))
        add_merges(ws, [merged])
    with pytest.raises(StorageError, match="ABC"):
        session.undo()
    session.close()


def test_two_people_never_hold_the_same_spectrum_and_one_vote_closes_it(root):
    first, second = open_session(root, "ABC", "ann"), open_session(root, "XYZ", "bob")
    assert (first.start().rank, second.start().rank) == (1, 2)
    first.commit(full(first.current), 1.0)
    second.commit(full(second.current), 1.0)
    assert (first.next().rank, second.next()) == (3, None)
    progress = second.progress()
    assert (progress.mine_left, [code for code, _ in progress.held]) == (1, ["ABC"])
    first.close()
    assert second.next().rank == 3, "quitting gives the spectrum back"
    second.close()


def test_three_votes_are_three_people(tmp_path):
    make_workspace(tmp_path / "ws", [desi_spectrum(IDS[0])], votes=3).close()
    for code in ("ABC", "DEF", "GHI"):
        session = open_session(tmp_path / "ws", code, code.lower())
        session.commit(full(session.start()), 1.0)
        assert session.next() is None
        session.close()
    late = open_session(tmp_path / "ws", "JKL", "jim")
    assert late.start() is None
    late.close()
    assert len(all_votes(tmp_path / "ws")) == 3


def test_a_busy_database_saves_the_same_vote_when_asked_again(root, monkeypatch):
    session = open_session(root)
    item = session.start()
    real, calls = store.commit_vote, []

    def busy_once(ws: Workspace, vote: store.Vote) -> bool:
        calls.append(vote)
        if len(calls) == 1:
            raise DatabaseBusy("the database is busy")
        return real(ws, vote)

    monkeypatch.setattr(label_module.store, "commit_vote", busy_once)
    with pytest.raises(DatabaseBusy):
        session.commit(full(item), 1.0)
    assert session.current is item
    session.commit(full(item), 2.0)
    assert calls[0] == calls[1]
    session.close()
    assert len(all_votes(root)) == 1


def test_a_changed_answer_after_a_failure_is_another_vote(root, monkeypatch):
    session = open_session(root)
    item = session.start()
    real, uids = store.commit_vote, []

    def remember(ws: Workspace, vote: store.Vote) -> bool:
        uids.append(vote.uid)
        if len(uids) == 1:
            raise DatabaseBusy("the database is busy")
        return real(ws, vote)

    monkeypatch.setattr(label_module.store, "commit_vote", remember)
    with pytest.raises(DatabaseBusy):
        session.commit(full(item, 4), 1.0)
    session.commit(full(item, 2), 1.0)
    assert uids[0] != uids[1]
    session.close()
    assert [vote.quality for vote in all_votes(root)] == [2]


def test_a_much_masked_spectrum_is_tagged(tmp_path):
    make_workspace(tmp_path / "ws", [desi_spectrum(IDS[0], masked=(4000, 6500))]).close()
    session = open_session(tmp_path / "ws")
    state = full(session.start())
    with pytest.raises(MaskedWarning) as warning:
        session.commit(state, 1.0)
    session.commit(warning.value.state, 1.0)
    session.close()
    assert all_votes(tmp_path / "ws")[0].tags == "masked"


def test_a_spectrum_that_cannot_be_read_does_not_stop_the_queue(root):
    (root / "rounds" / "001" / "spectra" / "1.npz").write_bytes(b"not a spectrum")
    (root / "rounds" / "001" / "spectra" / "2.npz").unlink()
    session = open_session(root)
    item = session.start()
    assert "cannot be read" in item.problem
    assert "\n" not in item.problem
    assert session.defer().problem
    assert session.defer().title == str(IDS[2])
    session.close()


def test_who_may_vote(root):
    with pytest.raises(BadInput, match="--as"):
        open_session(root, None, "ann")
    open_session(root, "ABC", "ann").close()
    assert open_session(root, None, "ann").inspector == "ABC"
    with pytest.raises(StorageError, match="ann"):
        open_session(root, "ABC", "bob")
    with pytest.raises(StorageError, match="ABC"):
        open_session(root, "XYZ", "ann")


def test_rounds_that_do_not_exist_are_refused(root, tmp_path):
    with pytest.raises(BadInput, match="no round 7"):
        open_session(root, round=7)
    Workspace.create(tmp_path / "empty").close()
    with pytest.raises(BadInput, match="nothing to label"):
        open_session(tmp_path / "empty")


def test_one_round_can_be_asked_for(root):
    make_workspace(root, [desi_spectrum(777)], round_number=2).close()
    session = open_session(root, round=2)
    assert session.start().title == "777"
    assert session.progress().needed == 1
    session.close()
    everything = open_session(root)
    assert everything.start().round == 1
    assert everything.progress().needed == 4
    everything.close()


def test_a_lease_is_renewed_and_taken_again_when_it_ran_out(root):
    session = open_session(root)
    assert session.stay()
    session.start()
    assert session.stay()
    with Workspace.open(root) as ws:
        campaign.set_setting(ws, "lease_minutes", 1, "ABC")
        store.release_leases(ws, "ABC")
    assert session.stay()
    session.close()
    with Workspace.open(root) as ws:
        assert store.leases(ws) == []
