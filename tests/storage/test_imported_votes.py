"""Votes of other people's files: all or none of them, once, and never in place of what was answered here."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from storage.errors import DiskFull, Refused
from storage.events import events, verify_events
from storage.inspectors import add_inspector, inspector_for, inspectors
from storage.journal import journal_file, read_entries
from storage.merges import MergedLabel, add_merges, merges
from storage.rounds import selection
from storage.settings import set_setting
from storage.votes import Vote, commit_vote, commit_votes, new_uid, recover, votes
from storage.workspace import Workspace

Reopen = Callable[[Workspace], Workspace]
LONG_AGO = "2021-03-01T10:00:00.000000Z"


def from_file(ws: Workspace, *codes: str, z: float = 2.0) -> list[Vote]:
    for code in codes:
        add_inspector(ws, code, "", f"Dr {code}")
    return [
        Vote(f"{code}-{record.object_id}-{z}", 1, record.object_id, code, "QSO", z, 3, committed_at=LONG_AGO)
        for code in codes
        for record in selection(ws, 1)
    ]


def journal(ws: Workspace, code: str) -> list[str]:
    return [line["kind"] for line in read_entries(journal_file(ws.journal_dir, code)).entries]


def test_a_file_is_taken_over_once(queued: Workspace) -> None:
    given = from_file(queued, "TMD", "RT")
    assert commit_votes(queued, given, "desi-vi_set_TMD.csv") == 16
    assert commit_votes(queued, given, "desi-vi_set_TMD.csv") == 0
    found = votes(queued)
    assert {(one.uid, one.committed_at, one.origin) for one in found} == {
        (one.uid, LONG_AGO, "desi-vi_set_TMD.csv") for one in given
    }
    assert journal(queued, "TMD") == ["inspector", *["vote"] * 8]
    assert events(queued)[-1].at > LONG_AGO
    assert verify_events(queued) == []
    assert commit_votes(queued, [], "empty.csv") == 0
    with pytest.raises(Refused, match="where they came from"):
        commit_votes(queued, given, "")


def test_a_corrected_file_replaces_and_what_rests_on_the_old_is_open_again(queued: Workspace) -> None:
    given = from_file(queued, "TMD")
    commit_votes(queued, given, "a.csv")
    label = MergedLabel(1, given[0].object_id, "QSO", 2.0, 3.0, "", "", 1, "qnet1", "JKL", vote_uids=(given[0].uid,))
    add_merges(queued, [label])
    corrected = from_file(queued, "TMD", z=2.5)[:1]
    # The correction is older by its own date; it was entered later all the same.
    assert commit_votes(queued, [replace(corrected[0], committed_at="2020-01-01")], "b.csv") == 1
    before = votes(queued, current=False), merges(queued, current=False)
    assert [one.z for one in votes(queued, object_id=given[0].object_id)] == [2.5]
    assert merges(queued) == []
    queued.close()
    queued.database.unlink()
    assert recover(queued.root).left == ()
    with Workspace.open(queued.root) as again:
        assert (votes(again, current=False), merges(again, current=False)) == before


def test_what_was_answered_here_is_not_replaced(queued: Workspace) -> None:
    given = from_file(queued, "TMD")
    add_inspector(queued, "TMD", "tamara")
    commit_vote(queued, Vote(new_uid(), 1, given[3].object_id, "TMD", "STAR", 0.0, 4))
    with pytest.raises(Refused, match=r"TMD voted on desi:\d+ here"):
        commit_votes(queued, given, "a.csv")
    assert len(votes(queued)) == 1
    assert journal(queued, "TMD").count("vote") == 1
    assert commit_votes(queued, given[:3], "a.csv") == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"quality": 7}, "0 to 4"), ({"object_id": 12}, "not in round 1"), ({"inspector": "XYZ"}, "no inspector XYZ")],
)
def test_one_bad_row_refuses_all(queued: Workspace, changes: dict[str, object], says: str) -> None:
    given = from_file(queued, "TMD", "RT")
    given[-1] = replace(given[-1], **changes)
    with pytest.raises(Refused, match=says):
        commit_votes(queued, given, "a.csv")
    assert votes(queued) == []
    assert journal(queued, "TMD") == ["inspector"]


def test_two_votes_of_one_person_on_one_object_are_refused(queued: Workspace) -> None:
    given = from_file(queued, "TMD")
    with pytest.raises(Refused, match="two votes of one inspector"):
        commit_votes(queued, [*given, replace(given[0], uid="other")], "a.csv")
    assert commit_votes(queued, [*given, given[0]], "a.csv") == 8


def test_an_import_that_was_cut_off_between_the_journals_is_not_half_entered(
    queued: Workspace, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = from_file(queued, "RT", "TMD")
    real = journal_file

    def full_at_the_second(directory: object, code: str) -> object:
        if code == "TMD":
            raise DiskFull("full")
        return real(directory, code)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("storage.journal.journal_file", full_at_the_second)
        with pytest.raises(DiskFull):
            commit_votes(queued, given, "a.csv")
    assert journal(queued, "RT").count("vote") == 8
    with reopen(queued) as again:
        assert votes(again) == []
        assert commit_votes(again, given, "a.csv") == 16
    with Workspace.open(queued.root) as again:
        assert len(votes(again, current=False)) == 16


def test_an_import_killed_after_its_journals_is_entered_at_the_next_open(
    queued: Workspace, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = from_file(queued, "RT", "TMD")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("storage.ledger.enter", killed)
        with pytest.raises(KeyboardInterrupt):
            commit_votes(queued, given, "a.csv")
    with reopen(queued) as again:
        assert len(votes(again)) == 16
        assert {one.committed_at for one in votes(again)} == {LONG_AGO}
        assert commit_votes(again, given, "a.csv") == 0


def test_a_code_from_a_file_is_nobodys_until_it_is_claimed(queued: Workspace) -> None:
    add_inspector(queued, "TMD", "", "T. D.")
    add_inspector(queued, "RT", "")
    assert add_inspector(queued, "tmd", "").name == "T. D."
    assert add_inspector(queued, "ABC", "").os_user == "abc"
    with pytest.raises(
        Refused, match="known from files only; if it is yours, claim it with 'qnet vi inspectors add TMD'"
    ):
        inspector_for(queued, "tamara", "TMD")
    with pytest.raises(Refused, match="account abc has the code ABC"):
        add_inspector(queued, "TMD", "abc")
    claimed = add_inspector(queued, "tmd", "tamara")
    assert (claimed.code, claimed.os_user, claimed.name) == ("TMD", "tamara", "T. D.")
    assert inspector_for(queued, "tamara") == claimed
    with pytest.raises(Refused, match="belongs to account tamara"):
        add_inspector(queued, "TMD", "other")
    set_setting(queued, "shared_account", True, "me")
    assert add_inspector(queued, "RT", "abc", "Roberto").name == "Roberto"
    before = inspectors(queued)
    queued.close()
    queued.database.unlink()
    recover(queued.root)
    with Workspace.open(queued.root) as again:
        assert inspectors(again) == before
