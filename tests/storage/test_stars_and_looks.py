import pytest

from storage.errors import Refused
from storage.events import events
from storage.looks import add_looks, looked_at
from storage.rounds import selection
from storage.stars import Star, set_star, stars
from storage.votes import Vote, commit_vote, new_uid, recover, restore_vote, votes, withdraw_vote
from storage.workspace import Workspace


def cast(ws: Workspace, object_id: int, code: str) -> str:
    uid = new_uid()
    commit_vote(ws, Vote(uid, 1, object_id, code, "QSO", 2.0, 4))
    return uid


def rebuilt(ws: Workspace) -> Workspace:
    ws.close()
    ws.database.unlink()
    assert recover(ws.root).left == ()
    return Workspace.open(ws.root)


def test_stars_are_set_and_taken_back_by_each_person(queued: Workspace) -> None:
    assert set_star(queued, "abc", 1, True, "BAL?") is True
    assert set_star(queued, "ABC", 1, True, "BAL?") is False
    assert set_star(queued, "DEF", 1, True) is True
    assert set_star(queued, "ABC", 12, True) is True
    assert [(one.inspector, one.object_id, one.note) for one in stars(queued)] == [
        ("ABC", 1, "BAL?"), ("DEF", 1, ""), ("ABC", 12, ""),
    ]  # fmt: skip
    assert [one.object_id for one in stars(queued, "abc")] == [1, 12]
    assert [one.inspector for one in stars(queued, object_id=1)] == ["ABC", "DEF"]
    assert set_star(queued, "ABC", 1, True, "no, DLA") is True
    assert stars(queued, "ABC", 1)[0].note == "no, DLA"
    assert set_star(queued, "ABC", 1, False) is True
    assert set_star(queued, "ABC", 1, False) is False
    assert set_star(queued, "DEF", 5, False) is False
    assert stars(queued, "ABC", 1) == []
    assert [one.kind for one in events(queued, 1)] == ["star", "star", "star", "unstar"]


def test_stars_need_a_person_and_an_object(queued: Workspace) -> None:
    with pytest.raises(Refused, match="no inspector XYZ"):
        set_star(queued, "XYZ", 1, True)
    with pytest.raises(Refused, match="no object 99"):
        set_star(queued, "ABC", 99, True)


def test_stars_are_rebuilt(queued: Workspace) -> None:
    for code, starred in (("ABC", True), ("DEF", True), ("ABC", False), ("GHI", True)):
        set_star(queued, code, 2, starred, "x")
    before = stars(queued)
    assert [one.inspector for one in before] == ["DEF", "GHI"]
    with rebuilt(queued) as again:
        assert stars(again) == before
        assert before[0] == Star("DEF", 2, "x", before[0].at)


def test_looks_count_once_for_the_votes_that_were_seen(queued: Workspace) -> None:
    one, two, three = (record.object_id for record in selection(queued, 1)[:3])
    first = cast(queued, one, "ABC")
    cast(queued, two, "ABC")
    assert add_looks(queued, "jkl", 1, [one, two, one]) == 2
    assert add_looks(queued, "JKL", 1, [one]) == 0
    assert looked_at(queued, 1) == {one, two}
    assert looked_at(queued, 2) == set()
    assert add_looks(queued, "GHI", 1, [two]) == 1
    # Another vote makes another case of it.
    cast(queued, one, "DEF")
    assert looked_at(queued, 1) == {two}
    assert add_looks(queued, "JKL", 1, [one, three]) == 2
    assert looked_at(queued, 1) == {one, two, three}
    withdraw_vote(queued, first, "ABC")
    assert looked_at(queued, 1) == {two, three}
    restore_vote(queued, first, "ABC")
    assert looked_at(queued, 1) == {one, two, three}
    with rebuilt(queued) as again:
        assert looked_at(again, 1) == {one, two, three}
        assert len(votes(again)) == 3
        assert add_looks(again, "JKL", 1, [one]) == 0


def test_looks_are_all_or_none(queued: Workspace) -> None:
    object_id = selection(queued, 1)[0].object_id
    for by, objects in (("XYZ", [object_id]), ("JKL", [object_id, 12])):
        with pytest.raises(Refused):
            add_looks(queued, by, 1, objects)
    assert looked_at(queued, 1) == set()
    assert add_looks(queued, "JKL", 1, []) == 0
    assert events(queued, object_id) == []
