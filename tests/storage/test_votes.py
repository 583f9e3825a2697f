import errno
import json
import os
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from storage.errors import Refused, StorageError
from storage.events import events, verify_events
from storage.journal import append_entries, journal_file, read_entries
from storage.merges import MergedLabel, add_merges, merges
from storage.rounds import selection
from storage.settings import set_setting
from storage.times import canonical_time
from storage.votes import (
    Vote,
    add_inspector,
    commit_vote,
    inspector_for,
    inspectors,
    new_uid,
    recover,
    votes,
    withdraw_vote,
)
from storage.workspace import Workspace
from tests.storage.conftest import ingest


def vote(ws: Workspace, rank: int = 1, inspector: str = "ABC", **changes: object) -> Vote:
    object_id = selection(ws, 1)[rank - 1].object_id
    values = {"spectype": "QSO", "z": 2.1, "quality": 4} | changes
    return Vote(new_uid(), 1, object_id, inspector, **values)  # type: ignore[arg-type]


def test_a_vote_comes_back_as_it_was_given(queued: Workspace) -> None:
    given = vote(
        queued, spectype="GALAXY", z=np.float64(0.12345678901234567), quality=np.int64(3), issues="SRS",
        comment="Å, \"quoted\"\nsecond line", z_source="line", active_seconds=np.float32(41.5), blind_peers=False,
        tags="masked", app_version="0.1.0", committed_at="2026-11-22T10:00:00+01:00",
    )  # fmt: skip
    assert commit_vote(queued, given) is True
    (found,) = votes(queued)
    assert found == replace(given, issues="RS", committed_at="2026-11-22T09:00:00.000000Z")
    assert found.z == 0.12345678901234567
    assert type(found.quality) is int


def test_a_vote_without_class_and_redshift(queued: Workspace) -> None:
    commit_vote(queued, vote(queued, spectype=None, z=float("nan"), quality=0))
    (found,) = votes(queued)
    assert (found.spectype, found.z, found.quality) == (None, None, 0)


def test_the_same_vote_twice_is_one(queued: Workspace) -> None:
    given = vote(queued)
    assert [commit_vote(queued, given) for _ in range(3)] == [True, False, False]
    assert len(votes(queued, current=False)) == 1
    assert len(events(queued, given.object_id)) == 1


def test_a_later_vote_of_the_same_person_supersedes(queued: Workspace) -> None:
    first, second, other = vote(queued), vote(queued, z=3.0), vote(queued, inspector="DEF")
    for one in (first, other, second):
        commit_vote(queued, one)
    assert {one.uid for one in votes(queued)} == {second.uid, other.uid}
    assert [one.superseded for one in votes(queued, current=False)] == [True, False, False]
    assert [one.uid for one in votes(queued, round=1, object_id=first.object_id)] == [second.uid, other.uid]
    assert votes(queued, round=2) == []
    assert votes(queued, object_id=99) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"spectype": "QUASAR"}, "STAR, GALAXY, QSO"),
        ({"quality": 5}, "0 to 4"),
        ({"quality": 2.5}, "0 to 4"),
        ({"issues": "RX"}, "letters of CRS"),
        ({"z": float("inf")}, "infinite"),
        ({"uid": ""}, "uid"),
        ({"object_id": 12}, "not in round 1"),
        ({"round": 2}, "not in round 2"),
        ({"inspector": "XYZ"}, "no inspector XYZ"),
        ({"committed_at": "yesterday"}, "not an ISO 8601 time"),
    ],
)
def test_a_vote_that_cannot_be_reaches_neither_journal_nor_database(
    queued: Workspace, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(Refused, match=says):
        commit_vote(queued, replace(vote(queued), **changes))
    assert votes(queued) == []
    assert len(read_entries(journal_file(queued.journal_dir, "ABC")).entries) == 1


def test_the_code_is_stored_as_registered(queued: Workspace) -> None:
    commit_vote(queued, vote(queued, inspector="abc"))
    commit_vote(queued, vote(queued, inspector="ABC"))
    assert [one.inspector for one in votes(queued)] == ["ABC"]
    assert journal_file(queued.journal_dir, "ABC").exists()
    assert not journal_file(queued.journal_dir, "abc").exists()


def test_undoing_is_an_entry_of_its_own_and_twice_is_harmless(queued: Workspace) -> None:
    given = vote(queued)
    commit_vote(queued, given)
    withdraw_vote(queued, given.uid, "ABC")
    withdraw_vote(queued, given.uid, "ABC")
    assert votes(queued) == []
    assert [one.withdrawn for one in votes(queued, current=False)] == [True]
    assert [one.kind for one in events(queued, given.object_id)] == ["vote", "withdraw"]
    again = vote(queued, z=1.0)
    commit_vote(queued, again)
    assert [one.uid for one in votes(queued)] == [again.uid]
    with pytest.raises(Refused, match="no vote"):
        withdraw_vote(queued, "nonsense", "ABC")


def test_a_superseded_vote_is_not_undone(queued: Workspace) -> None:
    first = vote(queued)
    commit_vote(queued, first)
    commit_vote(queued, vote(queued, z=3.0))
    with pytest.raises(Refused, match="superseded"):
        withdraw_vote(queued, first.uid, "ABC")


def test_a_merged_vote_is_not_undone_but_a_new_one_opens_the_object_again(queued: Workspace) -> None:
    given = vote(queued)
    commit_vote(queued, given)
    add_merges(
        queued,
        [MergedLabel(1, given.object_id, "QSO", 2.1, 4.0, "", "", 1, "qnet1", "DEF", vote_uids=(given.uid,))],
    )
    with pytest.raises(Refused, match="DEF merged this vote"):
        withdraw_vote(queued, given.uid, "ABC")
    commit_vote(queued, vote(queued, z=2.5))
    assert merges(queued) == []
    assert [one.reopened for one in merges(queued, current=False)] == [True]


def test_the_log_cannot_be_changed(queued: Workspace) -> None:
    commit_vote(queued, vote(queued))
    for statement in (
        "UPDATE event SET body = '{}'",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event SELECT * FROM event",
        "INSERT OR REPLACE INTO event (uid, at, kind, by, body, previous, hash)"
        " SELECT uid, at, kind, by, '{}', previous, hash FROM event",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            queued.db.conn.execute(statement)
    # Also on a connection that sets nothing.
    bare = sqlite3.connect(queued.database)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        bare.execute("INSERT OR REPLACE INTO event SELECT * FROM event")
    bare.close()
    assert verify_events(queued) == []


def test_a_log_edited_by_other_means_shows_where(queued: Workspace) -> None:
    for rank in (1, 2, 3):
        commit_vote(queued, vote(queued, rank))
    queued.db.execute("DROP TRIGGER event_no_update")
    queued.db.execute("DROP TRIGGER event_no_delete")
    first = events(queued, selection(queued, 1)[0].object_id)[0].id
    queued.db.execute("UPDATE event SET body = replace(body, '2.1', '2.2') WHERE id = ?", (first,))
    assert verify_events(queued) == [first]
    queued.db.execute("DELETE FROM event WHERE id = ?", (first + 1,))
    assert verify_events(queued) == [first, first + 2]


def test_the_journal_has_what_the_log_has(queued: Workspace) -> None:
    for rank in (1, 2):
        commit_vote(queued, vote(queued, rank))
    lines = read_entries(journal_file(queued.journal_dir, "ABC"))
    assert [line["kind"] for line in lines.entries] == ["inspector", "vote", "vote"]
    log = {one.uid: one for one in events(queued)}
    assert all(log[line["uid"]].body == line["body"] for line in lines.entries)
    assert lines.entries[1]["survey"] == "desi"
    assert journal_file(queued.journal_dir, "ABC").stat().st_mode & 0o777 == 0o660


def test_a_line_that_was_cut_off_costs_only_itself(queued: Workspace) -> None:
    path = journal_file(queued.journal_dir, "ABC")
    whole = path.stat().st_size
    with path.open("ab") as stream:
        stream.write(b'{"uid": "half')
    part = read_entries(path)
    assert (len(part.entries), part.bad_lines, part.end) == (1, 0, whole)
    commit_vote(queued, vote(queued))
    part = read_entries(path)
    assert (len(part.entries), part.bad_lines, part.end) == (2, 1, path.stat().st_size)
    with path.open("ab") as stream:
        stream.write(b'\n[1]\n{"uid": "x"}\n\xff\xfe\n')
    assert read_entries(path).bad_lines == 4
    assert read_entries(path, part.end).entries == ()


def test_a_journal_that_cannot_grow_is_left_as_it_was(queued: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    path = journal_file(queued.journal_dir, "ABC")
    before = path.read_bytes()

    def full(handle: int, piece: bytes) -> None:
        os.write(handle, piece[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("storage.journal.write_whole", full)
    with pytest.raises(Exception, match="No space left"):
        append_entries(queued.journal_dir, "ABC", [{"uid": "1"}])
    with pytest.raises(Exception, match="make room"):
        commit_vote(queued, vote(queued))
    assert path.read_bytes() == before
    assert votes(queued) == []


def test_codes_belong_to_accounts(queued: Workspace) -> None:
    assert [one.code for one in inspectors(queued)] == ["ABC", "DEF", "GHI", "JKL"]
    assert add_inspector(queued, "abc", "abc").code == "ABC"
    assert inspector_for(queued, "def").code == "DEF"
    assert inspector_for(queued, "def", "def").code == "DEF"
    with pytest.raises(Refused, match="belongs to account abc"):
        add_inspector(queued, "ABC", "other")
    with pytest.raises(Refused, match="belongs to account abc"):
        inspector_for(queued, "def", "ABC")
    with pytest.raises(Refused, match="no inspector XYZ"):
        inspector_for(queued, "def", "XYZ")
    with pytest.raises(Refused, match="qnet vi inspectors add CODE"):
        inspector_for(queued, "nobody")
    for code in ("A", "A_B", "1AB", "ABCDEFGHIJK", "../X", ""):
        with pytest.raises(Refused, match="no inspector code"):
            add_inspector(queued, code, "new")


def test_one_account_has_several_codes_only_where_the_campaign_says_so(queued: Workspace) -> None:
    with pytest.raises(Refused, match="account abc has the code ABC"):
        add_inspector(queued, "AB2", "abc")
    set_setting(queued, "shared_account", True, "me")
    add_inspector(queued, "AB2", "abc")
    with pytest.raises(Refused, match="codes AB2, ABC; choose with '--as CODE'"):
        inspector_for(queued, "abc")
    assert inspector_for(queued, "abc", "AB2").code == "AB2"


def test_a_person_is_in_the_journal_from_the_start(ws: Workspace) -> None:
    ingest(ws, 1)
    add_inspector(ws, "TMD", "tamara", "T. D.")
    (line,) = (json.loads(one) for one in journal_file(ws.journal_dir, "TMD").read_text().splitlines())
    assert (line["kind"], line["by"], line["body"]) == ("inspector", "TMD", {"os_user": "tamara", "name": "T. D."})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000Z"),
        ("2026-11-22 10:00:00.5", "2026-11-22T10:00:00.500000Z"),
        ("2026-11-22T23:30:00-02:00", "2026-11-23T01:30:00.000000Z"),
    ],
)
def test_times_have_one_form(text: str, expected: str) -> None:
    assert canonical_time(text) == expected


def test_a_file_system_without_file_locks_still_takes_votes(queued: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(code: int) -> object:
        def flock(handle: int, operation: int) -> None:
            raise OSError(code, "no locks")

        return flock

    monkeypatch.setattr("fcntl.flock", none(errno.ENOLCK))
    assert commit_vote(queued, vote(queued)) is True
    monkeypatch.setattr("fcntl.flock", none(errno.EIO))
    with pytest.raises(StorageError, match="no locks"):
        commit_vote(queued, vote(queued, 2))
    assert len(votes(queued)) == 1


def test_a_vote_that_waits_for_the_database_is_in_the_journal_meanwhile(
    queued: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.votes.SOON", 0.05)
    given, path = vote(queued), journal_file(queued.journal_dir, "ABC")
    saved: list[bool] = []
    with closing(sqlite3.connect(queued.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=lambda: saved.append(commit_vote(queued, given)))
        waiting.start()
        deadline = time.monotonic() + 20
        while given.uid not in path.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert saved == []
        other.execute("ROLLBACK")
    waiting.join()
    assert saved == [True]
    assert votes(queued) == [given]
    assert [line["uid"] for line in read_entries(path).entries[1:]] == [given.uid, given.uid]
    queued.close()
    queued.database.unlink()
    assert recover(queued.root).left == ()
    with Workspace.open(queued.root) as again:
        assert votes(again) == [given]
