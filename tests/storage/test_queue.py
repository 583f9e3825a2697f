import time

import pytest

from storage.errors import Refused
from storage.merges import MergedLabel, add_merges
from storage.rounds import SelectionRecord, selection
from storage.settings import set_setting
from storage.votes import (
    Vote,
    commit_vote,
    defer,
    draft,
    drafts,
    drop_draft,
    leases,
    load_position,
    new_uid,
    next_object,
    progress,
    release_leases,
    renew_lease,
    save_draft,
    save_position,
    take_lease,
    votes,
    withdraw_vote,
)
from storage.workspace import Workspace
from tests.storage.conftest import queue


def cast(ws: Workspace, record: SelectionRecord, code: str) -> str:
    uid = new_uid()
    commit_vote(ws, Vote(uid, record.round, record.object_id, code, "QSO", 2.0, 4))
    return uid


def upcoming(ws: Workspace, code: str, required: int = 3, **more: object) -> SelectionRecord:
    found = next_object(ws, 1, code, required, **more)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_person_sees_each_object_once_by_rank(queued: Workspace) -> None:
    seen = []
    while (record := next_object(queued, 1, "ABC", 3)) is not None:
        seen.append(record)
        cast(queued, record, "ABC")
    assert seen == selection(queued, 1)
    assert progress(queued, 1, "ABC", 3).mine_left == 0


def test_two_people_are_not_on_one_object_at_a_time(queued: Workspace) -> None:
    assert upcoming(queued, "ABC").rank == 1
    assert upcoming(queued, "ABC").rank == 1
    assert upcoming(queued, "DEF").rank == 2
    assert upcoming(queued, "GHI").rank == 3
    assert [(one.inspector, one.object_id) for one in leases(queued)] == [
        (code, selection(queued, 1)[i].object_id) for i, code in enumerate(("ABC", "DEF", "GHI"))
    ]
    assert not take_lease(queued, "ABC", selection(queued, 1)[1].object_id)
    assert take_lease(queued, "ABC", selection(queued, 1)[5].object_id)
    assert upcoming(queued, "JKL").rank == 1
    assert release_leases(queued, "DEF") == 1
    assert release_leases(queued, "DEF") == 0
    assert upcoming(queued, "DEF").rank == 2


def test_an_expired_lease_frees_the_object(queued: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    set_setting(queued, "lease_minutes", 2, "me")
    assert upcoming(queued, "ABC").rank == 1
    assert renew_lease(queued, "ABC")
    assert not renew_lease(queued, "DEF")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 119)
    assert upcoming(queued, "DEF").rank == 2
    assert renew_lease(queued, "ABC")
    monkeypatch.setattr(time, "time", lambda: real() + 119 + 121)
    assert leases(queued) == []
    assert not renew_lease(queued, "ABC")
    assert upcoming(queued, "GHI").rank == 1


def test_enough_votes_close_an_object(queued: Workspace) -> None:
    first = selection(queued, 1)[0]
    for code in ("ABC", "DEF"):
        cast(queued, first, code)
    assert upcoming(queued, "GHI", 3).rank == 1
    assert upcoming(queued, "JKL", 2).rank == 2
    release_leases(queued, "GHI")
    cast(queued, first, "GHI")
    assert upcoming(queued, "JKL", 3).rank == 2


def test_an_undone_vote_opens_the_object_for_its_author_again(queued: Workspace) -> None:
    uid = cast(queued, selection(queued, 1)[0], "ABC")
    assert upcoming(queued, "ABC").rank == 2
    withdraw_vote(queued, uid, "ABC")
    assert upcoming(queued, "ABC").rank == 1


def test_a_merged_object_is_done(queued: Workspace) -> None:
    first = selection(queued, 1)[0]
    uid = cast(queued, first, "ABC")
    add_merges(queued, [MergedLabel(1, first.object_id, "QSO", 2.0, 4.0, "", "", 1, "qnet1", "DEF", vote_uids=(uid,))])
    assert upcoming(queued, "GHI").rank == 2
    counted = progress(queued, 1, "GHI", 3)
    assert (counted.needed, counted.made, counted.mine_left) == (1 + 7 * 3, 1, 7)


def test_what_is_deferred_comes_last_and_in_order(queued: Workspace) -> None:
    records = selection(queued, 1)
    for rank in (2, 1):
        defer(queued, "ABC", records[rank - 1].object_id)
    order = []
    while (record := next_object(queued, 1, "ABC", 3)) is not None:
        order.append(record.rank)
        cast(queued, record, "ABC")
    assert order == [3, 4, 5, 6, 7, 8, 2, 1]
    assert upcoming(queued, "DEF").rank == 1


def test_passing_over_objects_this_time(queued: Workspace) -> None:
    records = selection(queued, 1)
    assert upcoming(queued, "ABC", skip={records[0].object_id, records[1].object_id}).rank == 3
    assert next_object(queued, 1, "ABC", 3, skip=[one.object_id for one in records]) is None
    assert leases(queued) == []


def test_without_a_round_the_oldest_comes_first(queued: Workspace) -> None:
    queue(queued, 4, number=2, skip=8)
    seen = []
    while (record := next_object(queued, None, "ABC", 3)) is not None:
        seen.append((record.round, record.rank))
        cast(queued, record, "ABC")
    assert seen == [(1, rank) for rank in range(1, 9)] + [(2, rank) for rank in range(1, 5)]
    assert len(votes(queued)) == 12
    assert progress(queued, None, "ABC", 3).mine == 12
    assert progress(queued, 2, "ABC", 3).needed == 12


def test_progress_says_why_the_queue_is_empty(queued: Workspace) -> None:
    for record in selection(queued, 1)[:7]:
        cast(queued, record, "ABC")
    last = upcoming(queued, "DEF", skip={one.object_id for one in selection(queued, 1)[:7]})
    assert next_object(queued, 1, "ABC", 3) is None
    counted = progress(queued, 1, "ABC", 3)
    assert (counted.needed, counted.made, counted.mine, counted.mine_left) == (24, 7, 7, 1)
    ((code, until),) = counted.held
    assert code == "DEF"
    assert 14 * 60 < until - time.time() <= 15 * 60
    assert last.rank == 8
    assert progress(queued, 9, "ABC", 3) == type(counted)(0, 0, 0, 0, ())


def test_a_commit_ends_draft_deferral_and_lease(queued: Workspace) -> None:
    record = upcoming(queued, "ABC")
    save_draft(queued, "ABC", record.object_id, {"z": 1.0})
    save_draft(queued, "DEF", record.object_id, {"z": 9.0})
    cast(queued, record, "ABC")
    assert draft(queued, "ABC", record.object_id) is None
    assert draft(queued, "DEF", record.object_id) == {"z": 9.0}
    assert leases(queued) == []


def test_drafts_and_the_position_outlive_the_session(queued: Workspace) -> None:
    first, second = (one.object_id for one in selection(queued, 1)[:2])
    assert draft(queued, "ABC", first) is None
    save_draft(queued, "ABC", first, {"z": 1.0})
    save_draft(queued, "ABC", second, {"z": 2.0, "view": [3600, 9800]})
    save_draft(queued, "ABC", first, {"z": 1.5})
    with Workspace.open(queued.root) as again:
        assert [(one.object_id, one.body) for one in drafts(again, "ABC")] == [
            (first, {"z": 1.5}), (second, {"z": 2.0, "view": [3600, 9800]}),
        ]  # fmt: skip
        assert drafts(again, "DEF") == []
        assert load_position(again, "ABC") is None
        save_position(again, "ABC", {"round": 1, "object": second})
    assert load_position(queued, "ABC") == {"round": 1, "object": second}
    drop_draft(queued, "ABC", first)
    drop_draft(queued, "ABC", first)
    assert [one.object_id for one in drafts(queued, "ABC")] == [second]


def test_nobody_unknown_takes_part(queued: Workspace) -> None:
    object_id = selection(queued, 1)[0].object_id
    for action in (
        lambda: next_object(queued, 1, "XYZ", 3),
        lambda: take_lease(queued, "XYZ", object_id),
        lambda: defer(queued, "XYZ", object_id),
        lambda: save_draft(queued, "XYZ", object_id, {}),
        lambda: save_position(queued, "XYZ", {}),
    ):
        with pytest.raises(Refused, match="no inspector XYZ"):
            action()
