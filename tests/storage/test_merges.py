# ruff: noqa: PT012 - what is tested is what a failure inside the block leaves behind.
import numpy as np
import pytest

from storage.connection import transaction
from storage.errors import Refused
from storage.events import events
from storage.journal import journal_file, read_entries
from storage.merges import MergedLabel, add_merges, merges, reopen_merge, stale_truth
from storage.rounds import selection
from storage.settings import set_setting
from storage.truth import TruthLabel, add_labels, current_truth
from storage.votes import Vote, commit_vote, new_uid, recover, withdraw_vote
from storage.workspace import Workspace


def cast(ws: Workspace, rank: int, code: str, z: float = 2.0) -> str:
    uid = new_uid()
    commit_vote(ws, Vote(uid, 1, selection(ws, 1)[rank - 1].object_id, code, "QSO", z, 4))
    return uid


def merged(ws: Workspace, rank: int, *uids: str, by: str = "JKL", **changes: object) -> MergedLabel:
    values = {"spectype": "QSO", "z": 2.0, "quality": 10 / 3, "issues": "", "comment": "", "n_votes": len(uids)}
    values |= {"rule": "qnet1", "by": by, "vote_uids": uids} | changes
    return MergedLabel(1, selection(ws, 1)[rank - 1].object_id, **values)  # type: ignore[arg-type]


def test_merged_labels_come_back_as_they_were_settled(queued: Workspace) -> None:
    uids = [cast(queued, 1, code) for code in ("ABC", "DEF", "GHI")]
    one = merged(queued, 1, *uids, issues="CR", comment="ABC: BAL", unseen=True)
    none = merged(queued, 2, spectype=None, z=None, quality=np.float64(0))
    assert add_merges(queued, [one, none]) == 2
    assert merges(queued) == [one, none]
    assert merges(queued, 1) == [one, none]
    assert merges(queued, 2) == []
    assert [event.kind for event in events(queued)][-2:] == ["merge", "merge"]
    assert [line["kind"] for line in read_entries(journal_file(queued.journal_dir, "JKL")).entries] == [
        "inspector", "merge", "merge",
    ]  # fmt: skip


def test_the_same_merge_twice_is_one_and_a_later_one_supersedes(queued: Workspace) -> None:
    uid = cast(queued, 1, "ABC")
    first = merged(queued, 1, uid)
    assert add_merges(queued, [first]) == 1
    assert add_merges(queued, [first]) == 0
    second = merged(queued, 1, uid, z=2.5, by="jkl")
    assert add_merges(queued, [second]) == 1
    assert [(one.z, one.by) for one in merges(queued)] == [(2.5, "JKL")]
    assert [one.superseded for one in merges(queued, current=False)] == [True, False]


def test_votes_that_changed_meanwhile_are_not_merged(queued: Workspace) -> None:
    sound, stale = cast(queued, 1, "ABC"), cast(queued, 2, "ABC")
    cast(queued, 2, "ABC", z=3.0)
    with pytest.raises(Refused, match="changed meanwhile"):
        add_merges(queued, [merged(queued, 1, sound), merged(queued, 2, stale)])
    assert merges(queued) == []
    assert len(read_entries(journal_file(queued.journal_dir, "JKL")).entries) == 1


def test_who_merges_and_what_must_be_known(queued: Workspace) -> None:
    with pytest.raises(Refused, match="no inspector XYZ"):
        add_merges(queued, [merged(queued, 1, by="XYZ")])
    absent = MergedLabel(2, 1, "QSO", 2.0, 4.0, "", "", 0, "qnet1", "JKL")
    with pytest.raises(Refused, match="not in round 2"):
        add_merges(queued, [absent])
    assert add_merges(queued, []) == 0


def test_a_merge_and_what_follows_from_it_can_be_one_transaction(queued: Workspace) -> None:
    label = merged(queued, 1, cast(queued, 1, "ABC"))
    truth = [TruthLabel(label.object_id, "QSO", 2.0, 4.0)]
    with pytest.raises(Refused), transaction(queued.db):
        add_labels(queued, truth, "round:1", "people", round=1)
        add_merges(queued, [label, merged(queued, 2, "no such vote")])
    assert merges(queued) == []
    assert current_truth(queued).size == 0
    with transaction(queued.db):
        add_labels(queued, truth, "round:1", "people", round=1)
        add_merges(queued, [label])
    assert merges(queued) == [label]
    assert current_truth(queued).size == 1


def test_labels_whose_merge_was_opened_again_are_stale(queued: Workspace) -> None:
    labels = [merged(queued, rank, cast(queued, rank, "ABC")) for rank in (1, 2)]
    add_merges(queued, labels)
    truth = [TruthLabel(one.object_id, "QSO", 2.0, 4.0) for one in labels]
    add_labels(queued, [*truth, TruthLabel(12, "STAR", 0.0, 4.0)], "round:1", "people", round=1)
    assert stale_truth(queued) == []
    again = cast(queued, 2, "ABC", z=2.5)
    assert stale_truth(queued) == [labels[1].object_id]
    add_merges(queued, [merged(queued, 2, again, z=2.5)])
    assert stale_truth(queued) == []


def test_who_voted_does_not_settle_unless_the_campaign_allows_it(queued: Workspace) -> None:
    uids = [cast(queued, 1, code) for code in ("ABC", "DEF")]
    with pytest.raises(Refused, match=r"DEF voted on desi:\d+ and may not settle it; .*merger_may_vote true"):
        add_merges(queued, [merged(queued, 1, *uids, by="def")])
    assert merges(queued) == []
    set_setting(queued, "merger_may_vote", True, "me")
    assert add_merges(queued, [merged(queued, 1, *uids, by="DEF")]) == 1
    set_setting(queued, "merger_may_vote", False, "me")
    set_setting(queued, "votes_required", 1, "me")
    assert add_merges(queued, [merged(queued, 2, cast(queued, 2, "DEF"), by="DEF")]) == 1


def test_a_vote_that_came_meanwhile_is_looked_at_first(queued: Workspace) -> None:
    label = merged(queued, 1, cast(queued, 1, "ABC"))
    late = cast(queued, 1, "DEF")
    with pytest.raises(Refused, match="changed meanwhile; look at it again"):
        add_merges(queued, [label])
    withdraw_vote(queued, late, "DEF")
    assert add_merges(queued, [label]) == 1


def test_that_the_merger_saw_who_is_who_is_kept(queued: Workspace) -> None:
    add_merges(queued, [merged(queued, 1, cast(queued, 1, "ABC"), names_shown=True), merged(queued, 2)])
    assert [one.names_shown for one in merges(queued)] == [True, False]


def test_a_merged_label_is_taken_back_as_an_entry(queued: Workspace) -> None:
    first = merged(queued, 1, cast(queued, 1, "ABC"))
    second = merged(queued, 1, *first.vote_uids, z=2.1)
    add_merges(queued, [first])
    add_labels(queued, [TruthLabel(first.object_id, "QSO", 2.0, 4.0)], "round:1", "people", round=1)
    add_merges(queued, [second])
    with pytest.raises(Refused, match="later merged label superseded"):
        reopen_merge(queued, first.uid, "JKL")
    reopen_merge(queued, second.uid, "jkl")
    reopen_merge(queued, second.uid, "JKL")
    assert merges(queued) == []
    assert stale_truth(queued) == [first.object_id]
    assert [event.kind for event in events(queued, first.object_id)] == ["vote", "merge", "merge", "reopen"]
    with pytest.raises(Refused, match="no merged label"):
        reopen_merge(queued, "nonsense", "JKL")
    with pytest.raises(Refused, match="no inspector"):
        reopen_merge(queued, second.uid, "XYZ")
    third = merged(queued, 1, *first.vote_uids, z=2.2)
    add_merges(queued, [third])
    before = merges(queued, current=False)
    queued.close()
    queued.database.unlink()
    assert recover(queued.root).left == ()
    with Workspace.open(queued.root) as again:
        assert merges(again, current=False) == before
        assert [one.uid for one in merges(again)] == [third.uid]
