"""Beyond the next one: finding, answering again, redoing, stars, what is shown afterwards, and reading ahead."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import storage.settings as campaign
import storage.votes as store
from qnet_tui.cli.main import app
from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.item import ItemState
from qnet_tui.workflows import label_shelf
from qnet_tui.workflows.inspectors import starred
from qnet_tui.workflows.label_shelf import AHEAD
from storage.errors import StorageError
from storage.merges import MergedLabel, add_merges, merges
from storage.stars import stars
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


def merge(root: Path, object_id: int, *uids: str) -> None:
    with Workspace.open(root) as ws:
        add_merges(ws, [MergedLabel(1, object_id, "QSO", 2.3, 4.0, "", "", 1, "qnet1", "ABC", False, uids)])


def test_an_object_is_found_by_its_id_by_its_ending_and_by_its_place(root):
    session = open_session(root)
    assert session.start().rank == 1
    assert session.find(str(IDS[2])).rank == 3
    assert session.find("0311").rank == 2
    assert session.go_to(3).rank == 3
    for wrong, why in (
        (str(IDS[2]), "this is the one"), ("77777", "no 77777 here"), ("000", "at least 4"), ("", "which one"),
        ("T12345", "no T12345 here"), (" 12 ", "at least 4 characters"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=why):
            session.find(wrong)
    for wrong in (0, 4):
        with pytest.raises(Refused, match="goes from 1 to 3"):
            session.go_to(wrong)
    session.close()


def test_what_was_on_the_screen_follows_the_one_that_was_found(root):
    session = open_session(root)
    session.start()
    session.commit(full(session.find(str(IDS[2]))), 1.0)
    assert session.next().rank == 1
    session.commit(full(session.current), 1.0)
    assert session.next().rank == 2
    session.close()


def test_an_answered_object_is_found_with_its_answer_and_a_new_one_takes_its_place(root):
    session = open_session(root)
    item = session.start()
    first = session.commit(full(item), 1.0)
    session.next()
    merge(root, item.object_id, first.uid)
    again = session.find(str(IDS[0]))
    assert again.note == "you answered this one: a new answer replaces yours, and reopens what ABC merged"
    assert (again.started().answer.quality, again.started().answer.z) == (4, 2.3042)
    session.commit(again.started().with_quality(2), 1.0)
    assert session.next().rank == 2, "where the inspector was before"
    session.close()
    assert [(vote.quality, vote.superseded) for vote in all_votes(root, current=False)] == [(4, True), (2, False)]
    with Workspace.open(root) as ws:
        assert merges(ws) == []


def test_after_a_dropped_line_one_is_back_at_the_answer_that_was_to_be_replaced(root):
    session = open_session(root)
    session.commit(full(session.start()), 1.0)
    session.next()
    session.find(str(IDS[0]))
    session.keep_draft({"item": full(session.current, 1).to_json()})
    session.close()
    session = open_session(root)
    again = session.start()
    assert (again.rank, again.started().answer.quality) == (1, 1)
    assert "a new answer replaces yours" in again.note
    session.commit(again.started(), 1.0)
    assert session.next().rank == 2
    session.close()
    session = open_session(root)
    assert session.start().rank == 2
    session.close()


def test_what_needs_no_answer_of_mine_is_refused_with_the_reason(root):
    other = open_session(root, "XYZ", "bob")
    saved = other.commit(full(other.start()), 1.0)
    mine = open_session(root)
    assert mine.start().rank == 2
    with pytest.raises(Refused, match="all its 1 votes"):
        mine.find(str(IDS[0]))
    assert other.next().rank == 3
    with pytest.raises(Refused, match=r"XYZ is looking at it, until \d\d:\d\d at most"):
        mine.find(str(IDS[2]))
    other.close()
    merge(root, 1, saved.uid)
    with pytest.raises(Refused, match="ABC has merged it"):
        mine.find(str(IDS[0]))
    mine.close()


def test_a_round_that_was_asked_for_bounds_the_search(root):
    session = open_session(root, round=1)
    session.start()
    assert session.go_to(2).rank == 2
    session.close()


def test_redo_saves_the_answer_again_as_it_was_and_goes_on(root):
    session = open_session(root)
    with pytest.raises(Refused, match="nothing to redo"):
        session.redo()
    for _ in range(2):
        session.commit(full(session.start()), 5.0)
    assert session.undo().rank == 2
    assert session.undo().rank == 1
    saved, title, item = session.redo()
    assert (title, item.rank, saved.votes) == (str(IDS[0]), 2, 1)
    assert session.redo()[2].rank == 3
    with pytest.raises(Refused, match="nothing to redo"):
        session.redo()
    assert session.undo().rank == 2
    session.close()
    (vote,) = all_votes(root)
    assert (vote.quality, vote.z, vote.active_seconds) == (4, 2.3042, 5.0)


def test_an_answer_that_was_changed_since_is_not_redone(root):
    session = open_session(root)
    session.commit(full(session.start()), 5.0)
    item = session.undo()
    session.keep_draft({"item": item.started().with_quality(1).to_json()})
    with pytest.raises(Refused, match="changed that answer"):
        session.redo()
    session.keep_draft({"item": item.started().to_json()})
    assert session.redo()[2].rank == 2
    session.close()


def test_redo_is_refused_once_the_answer_was_given_anew(root):
    session = open_session(root)
    session.commit(full(session.start()), 5.0)
    session.commit(full(session.undo(), 2), 5.0)
    with pytest.raises(Refused, match="nothing to redo"):
        session.redo()
    session.close()


def test_a_star_is_mine_durable_and_taken_back(root):
    session = open_session(root)
    session.start()
    assert session.star().starred
    session.next()
    assert session.previous().starred
    session.close()
    other = open_session(root, "XYZ", "bob")
    assert not other.start().starred, "a peer's star is a peer's word"
    other.close()
    assert json.loads((root / "journal" / "ABC.jsonl").read_text().splitlines()[-1])["kind"] == "star"
    assert [(line.identity, line.inspector) for line in starred(root)] == [(str(IDS[0]), "ABC")]
    assert starred(root, "xyz") == []
    shown = CliRunner().invoke(app, ["vi", "stars", "-w", str(root), "--json"])
    assert [(one["identity"], one["inspector"]) for one in json.loads(shown.stdout)] == [(str(IDS[0]), "ABC")]
    session = open_session(root)
    session.start()
    assert not session.star().starred
    session.close()
    with Workspace.open(root) as ws:
        assert stars(ws) == []


def test_a_fitted_redshift_is_saved_with_its_error(root):
    session = open_session(root)
    state = ItemState.start(session.start().facts).with_class("QSO").with_z_fitted(2.3051, 0.0004).with_quality(4)
    session.commit(state, 1.0)
    assert session.undo().started().answer == state.answer
    session.close()
    (vote,) = all_votes(root, current=False)
    assert (vote.z, vote.z_error, vote.z_source) == (2.3051, 0.0004, "fit")


def test_how_many_have_answered_is_known_afterwards(tmp_path):
    make_workspace(tmp_path / "ws", [desi_spectrum(IDS[0])], votes=3).close()
    counts = []
    for code in ("ABC", "DEF", "GHI"):
        session = open_session(tmp_path / "ws", code, code.lower())
        saved = session.commit(full(session.start()), 1.0)
        counts.append((saved.votes, saved.required))
        session.close()
    assert counts == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("shown", [False, True])
def test_what_was_hidden_is_shown_afterwards_only_where_the_campaign_says_so(tmp_path, shown):
    root = tmp_path / "ws"
    with make_workspace(root, [desi_spectrum(IDS[0]), desi_spectrum(IDS[1])], votes=3, blind=True) as ws:
        campaign.set_setting(ws, "show_after_commit", shown, "ABC")
    session = open_session(root)
    item = session.start()
    assert (item.why, item.pipeline_class) == ("", "")
    saved = session.commit(full(item), 1.0)
    assert saved.revealed == ("redrock QSO 2.3042; 3-way split" if shown else "")
    again = session.undo()
    assert (again.why, again.pipeline_class) == ("", "")
    session.commit(full(again, 3), 1.0)
    session.close()
    first, second = sorted(all_votes(root, current=False), key=lambda vote: vote.committed_at)
    assert first.blind_model
    assert second.blind_model is not shown, "an answer after the pipeline's was seen is not a blind one"


def test_whoever_asks_to_be_blind_is_shown_nothing_afterwards(tmp_path):
    with make_workspace(tmp_path / "ws", [desi_spectrum(IDS[0])]) as ws:
        campaign.set_setting(ws, "show_after_commit", True, "ABC")
    session = open_session(tmp_path / "ws", blind=True)
    assert session.commit(full(session.start()), 1.0).revealed == ""
    session.close()


def test_the_next_spectra_are_read_ahead_and_nothing_is_leased_by_it(tmp_path, monkeypatch):
    make_workspace(tmp_path / "ws", [desi_spectrum(100 + n, seed=n) for n in range(7)]).close()
    real, read = label_shelf.load_item, []

    def load(path, record, **options):
        read.append(record.rank)
        return real(path, record, **options)

    monkeypatch.setattr(label_shelf, "load_item", load)
    session = open_session(tmp_path / "ws")
    session.start()
    while session.prepare():
        pass
    assert read == [1, 2, 3, 4, 5, 6]
    assert len(read) == AHEAD + 1
    with Workspace.open(tmp_path / "ws") as ws:
        assert [lease.object_id for lease in store.leases(ws)] == [session.current.object_id]
    session.commit(full(session.current), 1.0)
    assert session.next().rank == 2
    assert read[-1] == 6, "it lay ready"
    assert session.prepare()
    assert read[-1] == 7
    assert not session.prepare()
    session.close()


def test_a_spectrum_that_cannot_be_read_keeps_nobody_from_reading_ahead(root):
    (root / "rounds" / "001" / "spectra" / "2.npz").write_bytes(b"")
    session = open_session(root)
    session.start()
    assert session.prepare()
    assert not session.prepare()
    assert "cannot be read" in session.next().problem
    session.close()


def test_a_shelf_keeps_a_few_and_a_blind_inspector_gets_them_blinded(root):
    sighted, blind = open_session(root), open_session(root, "XYZ", "bob", blind=True)
    assert sighted.start().pipeline_class == "QSO"
    assert blind.start().pipeline_class == ""
    assert blind.next().why == ""
    sighted.close()
    blind.close()


def test_an_undone_answer_that_others_made_needless_is_not_redone(root):
    session = open_session(root)
    session.commit(full(session.start()), 1.0)
    session.undo()
    session.defer()
    other = open_session(root, "XYZ", "bob")
    other.commit(full(other.start()), 1.0)
    other.close()
    with pytest.raises(Refused, match="nothing to redo"):
        session.redo()
    session.close()


def test_a_code_that_is_known_from_a_file_is_claimed_by_its_person(root):
    with Workspace.open(root) as ws:
        store.add_inspector(ws, "XYZ", "", "from a file")
    session = open_session(root, "xyz", "bob")
    assert session.inspector == "XYZ"
    session.close()
    with pytest.raises(StorageError, match="bob"):
        open_session(root, "XYZ", "ann")
