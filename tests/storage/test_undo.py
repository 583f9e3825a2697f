"""Undo and redo: as events, until somebody else's work rests on what was undone."""

import time
from collections.abc import Callable

import pytest

from storage.errors import Refused
from storage.events import events, verify_events
from storage.journal import journal_file, read_entries
from storage.merges import MergedLabel, add_merges
from storage.queue import defer, leases, next_object, take_lease
from storage.rounds import selection, withdraw
from storage.settings import set_setting
from storage.votes import (
    Vote,
    commit_vote,
    draft,
    new_uid,
    recover,
    restore_vote,
    save_draft,
    undone_votes,
    votes,
    withdraw_vote,
)
from storage.workspace import Workspace

Reopen = Callable[[Workspace], Workspace]


def cast(ws: Workspace, rank: int = 1, code: str = "ABC", z: float = 2.0) -> Vote:
    vote = Vote(new_uid(), 1, selection(ws, 1)[rank - 1].object_id, code, "QSO", z, 4, z_error=0.002)
    commit_vote(ws, vote)
    return vote


def undone(ws: Workspace, rank: int = 1, code: str = "ABC") -> Vote:
    vote = cast(ws, rank, code)
    withdraw_vote(ws, vote.uid, code)
    return vote


def test_a_redone_vote_is_as_it_was_given(queued: Workspace) -> None:
    vote = undone(queued)
    assert votes(queued) == []
    restore_vote(queued, vote.uid, "ABC")
    restore_vote(queued, vote.uid, "ABC")
    assert votes(queued) == [vote]
    assert [one.kind for one in events(queued, vote.object_id)] == ["vote", "withdraw", "restore"]
    assert events(queued)[-1].body == {"vote_uid": vote.uid, "by": "ABC"}
    kinds = [line["kind"] for line in read_entries(journal_file(queued.journal_dir, "ABC")).entries]
    assert kinds == ["inspector", "vote", "withdraw", "restore"]
    withdraw_vote(queued, vote.uid, "ABC")
    restore_vote(queued, vote.uid, "ABC")
    assert votes(queued) == [vote]
    assert verify_events(queued) == []


def test_redo_goes_back_the_way_that_undo_came(queued: Workspace) -> None:
    given = [cast(queued, rank) for rank in (1, 2, 3)]
    for vote in reversed(given):
        withdraw_vote(queued, vote.uid, "ABC")
    other = undone(queued, 4, "DEF")
    redone = []
    while waiting := undone_votes(queued, "abc"):
        redone.append(waiting[0].uid)
        restore_vote(queued, waiting[0].uid, "ABC")
    assert redone == [vote.uid for vote in given]
    assert [one.uid for one in undone_votes(queued, "DEF", 1)] == [other.uid]
    assert undone_votes(queued, "DEF", 2) == []
    with pytest.raises(Refused, match="no inspector XYZ"):
        undone_votes(queued, "XYZ")


def test_what_was_kept_for_the_object_ends_with_the_redo(queued: Workspace) -> None:
    vote = undone(queued)
    save_draft(queued, "ABC", vote.object_id, {"z": 1})
    defer(queued, "ABC", vote.object_id)
    assert take_lease(queued, "ABC", vote.object_id)
    restore_vote(queued, vote.uid, "ABC")
    assert draft(queued, "ABC", vote.object_id) is None
    assert leases(queued) == []
    record = next_object(queued, 1, "ABC", 3)
    assert record is not None
    assert record.rank == 2


def test_a_newer_answer_stands_in_the_way_undone_or_not(queued: Workspace) -> None:
    first = undone(queued)
    second = cast(queued, z=3.0)
    with pytest.raises(Refused, match="newer answer"):
        restore_vote(queued, first.uid, "ABC")
    assert undone_votes(queued, "ABC") == []
    withdraw_vote(queued, second.uid, "ABC")
    with pytest.raises(Refused, match="newer answer"):
        restore_vote(queued, first.uid, "ABC")
    assert [one.uid for one in undone_votes(queued, "ABC")] == [second.uid]
    restore_vote(queued, second.uid, "ABC")
    assert [one.uid for one in votes(queued)] == [second.uid]


def test_a_merged_object_stands_in_the_way(queued: Workspace) -> None:
    vote, other = undone(queued), cast(queued, code="DEF")
    label = MergedLabel(1, vote.object_id, "QSO", 2.0, 4.0, "", "", 1, "qnet1", "JKL", vote_uids=(other.uid,))
    add_merges(queued, [label])
    with pytest.raises(Refused, match="JKL merged the object meanwhile"):
        restore_vote(queued, vote.uid, "ABC")
    assert undone_votes(queued, "ABC") == []


def test_an_object_with_all_its_votes_stands_in_the_way(queued: Workspace) -> None:
    vote = undone(queued)
    for code in ("DEF", "GHI", "JKL"):
        cast(queued, code=code)
    with pytest.raises(Refused, match="all its votes"):
        restore_vote(queued, vote.uid, "ABC")
    set_setting(queued, "votes_required", 4, "me")
    restore_vote(queued, vote.uid, "ABC")
    assert len(votes(queued)) == 4


def test_the_last_vote_in_other_hands_stands_in_the_way(queued: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    vote = undone(queued)
    cast(queued, code="DEF")
    take_lease(queued, "JKL", vote.object_id)
    assert [one.uid for one in undone_votes(queued, "ABC")] == [vote.uid]
    cast(queued, code="GHI")
    with pytest.raises(Refused, match="JKL looks at it now"):
        restore_vote(queued, vote.uid, "ABC")
    later = time.time() + 16 * 60
    monkeypatch.setattr("storage.undo.time.time", lambda: later)
    restore_vote(queued, vote.uid, "ABC")


def test_an_object_that_left_the_round_stands_in_the_way(queued: Workspace) -> None:
    vote = undone(queued)
    withdraw(queued, 1, [vote.object_id], "blend", "JKL")
    with pytest.raises(Refused, match="withdrawn from round 1"):
        restore_vote(queued, vote.uid, "ABC")
    with pytest.raises(Refused, match="no vote"):
        restore_vote(queued, "nonsense", "ABC")


def test_a_redo_that_only_the_journal_has_is_entered_at_the_next_open(
    queued: Workspace, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote = undone(queued)
    with monkeypatch.context() as patch:
        patch.setattr("storage.ledger.enter", _killed)
        with pytest.raises(KeyboardInterrupt):
            restore_vote(queued, vote.uid, "ABC")
    assert votes(queued) == []
    with reopen(queued) as again:
        assert votes(again) == [vote]


def test_a_late_redo_does_not_push_a_newer_answer_away(
    queued: Workspace, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote = undone(queued)
    with monkeypatch.context() as patch:
        patch.setattr("storage.ledger.enter", _killed)
        with pytest.raises(KeyboardInterrupt):
            restore_vote(queued, vote.uid, "ABC")
    # A second session of the same person, open since before, has not read the journal.
    newer = cast(queued, z=3.0)
    with reopen(queued) as again:
        assert votes(again) == [newer]
        assert [(one.superseded, one.withdrawn) for one in votes(again, current=False)] == [
            (True, False),
            (False, False),
        ]
        before = votes(again, current=False)
    queued.database.unlink()
    assert recover(queued.root).left == ()
    with Workspace.open(queued.root) as again:
        assert votes(again, current=False) == before


def test_undone_and_redone_votes_are_rebuilt(queued: Workspace) -> None:
    kept, dropped = undone(queued, 1), undone(queued, 2)
    restore_vote(queued, kept.uid, "ABC")
    before = votes(queued, current=False)
    queued.close()
    queued.database.unlink()
    assert recover(queued.root).left == ()
    with Workspace.open(queued.root) as again:
        assert votes(again, current=False) == before
        assert [one.uid for one in undone_votes(again, "ABC")] == [dropped.uid]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
