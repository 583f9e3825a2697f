import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from storage.connection import connect, fetch
from storage.errors import DatabaseBusy, DiskFull, NewerSchema, NotAWorkspace
from storage.events import verify_events
from storage.journal import journal_file
from storage.merges import MergedLabel, add_merges, merges
from storage.rounds import QUEUE_FILE, add_selection, selection, withdraw
from storage.times import canonical_time
from storage.votes import (
    Vote,
    add_inspector,
    commit_vote,
    inspectors,
    new_uid,
    next_object,
    reconcile,
    recover,
    votes,
    withdraw_vote,
)
from storage.workspace import DATABASE, Workspace
from tests.storage.conftest import ingest, queue

Reopen = Callable[[Workspace], Workspace]


def vote(ws: Workspace, rank: int = 1, code: str = "ABC", z: float = 2.0) -> Vote:
    return Vote(new_uid(), 1, selection(ws, 1)[rank - 1].object_id, code, "QSO", z, 4, issues="R", comment="ß")


def campaign(ws: Workspace) -> None:
    """Votes, one changed, one undone, one object merged and opened again, one merged for good, one withdrawn."""
    given = [vote(ws, rank, code) for rank in (1, 2, 3, 4) for code in ("ABC", "DEF", "GHI")]
    for one in given:
        commit_vote(ws, one)
    commit_vote(ws, vote(ws, 1, "DEF", z=2.5))
    withdraw_vote(ws, given[3].uid, "ABC")
    for rank in (3, 4):
        uids = tuple(one.uid for one in given[3 * rank - 3 : 3 * rank])
        label = MergedLabel(
            1, given[3 * rank - 1].object_id, "QSO", 2.0, 4.0, "R", "", 3, "qnet1", "JKL", vote_uids=uids
        )
        add_merges(ws, [label])
    commit_vote(ws, vote(ws, 4, "ABC", z=3.0))
    withdraw(ws, 1, [selection(ws, 1)[7].object_id], "blend", "JKL")


def said(ws: Workspace) -> tuple[object, ...]:
    return (
        votes(ws, current=False), merges(ws, current=False), inspectors(ws),
        [(one.object_id, one.rank, one.why) for one in selection(ws, 1)],
        fetch(ws.db, "SELECT uid, kind, by, body FROM event ORDER BY uid"),
    )  # fmt: skip


def test_what_only_the_journal_has_is_entered_at_the_next_open(
    queued: Workspace, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = vote(queued)

    def busy(*_: object, **__: object) -> None:
        raise DatabaseBusy("another program is writing")

    with monkeypatch.context() as patch:
        patch.setattr("storage.votes.transaction", busy)
        with pytest.raises(DatabaseBusy):
            commit_vote(queued, given)
    assert votes(queued) == []
    again = reopen(queued)
    assert votes(again) == [given]
    assert commit_vote(again, given) is False
    assert reconcile(again) == 0
    again.close()


def test_an_open_that_may_not_write_now_still_opens(queued: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    queued.close()
    for error in (DatabaseBusy("busy"), DiskFull("full")):

        def failing(_: Workspace, error: Exception = error) -> int:
            raise error

        monkeypatch.setattr("storage.reconciliation.reconcile", failing)
        with Workspace.open(queued.root) as ws:
            assert len(selection(ws, 1)) == 8


def test_an_older_vote_that_arrives_late_does_not_replace_a_newer_one(queued: Workspace, reopen: Reopen) -> None:
    older, newer = vote(queued, z=1.0), vote(queued, z=2.0)
    commit_vote(queued, older)
    path = journal_file(queued.journal_dir, "ABC")
    lines = path.read_text()
    with closing(sqlite3.connect(queued.database)) as raw:
        for trigger in ("event_no_delete", "event_no_update"):
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.execute("DELETE FROM event WHERE uid = ?", (older.uid,))
        raw.execute("DELETE FROM vote")
        raw.commit()
    commit_vote(queued, newer)
    assert path.read_text().startswith(lines)
    again = reopen(queued)
    assert [one.uid for one in votes(again)] == [newer.uid]
    assert [one.superseded for one in votes(again, current=False)] == [True, False]
    again.close()


def test_what_cannot_be_entered_waits_in_the_journal(queued: Workspace, tmp_path: Path) -> None:
    commit_vote(queued, vote(queued))
    with Workspace.create(tmp_path / "other") as other:
        shutil.copy(journal_file(queued.journal_dir, "ABC"), other.journal_dir)
        assert reconcile(other) == 1
        assert votes(other) == []
        assert reconcile(other) == 0
        ingest(other, 12)
        queue(other, 8)
        assert reconcile(other) == 1
        assert len(votes(other)) == 1


def test_long_journals_are_read_once(queued: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.reconciliation._MARK_AFTER_BYTES", 100)
    commit_vote(queued, vote(queued))
    assert reconcile(queued) == 0
    marks = dict(fetch(queued.db, "SELECT name, bytes FROM journal_mark"))
    assert marks["ABC.jsonl"] == journal_file(queued.journal_dir, "ABC").stat().st_size
    seen: list[Path] = []
    monkeypatch.setattr("storage.reconciliation.read_entries", lambda path, start: seen.append(path))
    assert reconcile(queued) == 0
    assert seen == []
    monkeypatch.undo()
    journal_file(queued.journal_dir, "ABC").write_text("")
    assert reconcile(queued) == 0


@pytest.mark.parametrize("damage", ["removed", "overwritten", "emptied", "one page"])
def test_journals_and_rounds_alone_rebuild_everything_said(queued: Workspace, damage: str) -> None:
    campaign(queued)
    before = said(queued)
    queued.close()
    if damage == "removed":
        queued.database.unlink()
    elif damage == "emptied":
        queued.database.write_bytes(b"")
    else:
        data = bytearray(queued.database.read_bytes())
        start = 0 if damage == "overwritten" else 4096 * 3
        data[start : start + 4096] = b"\xa5" * 4096
        queued.database.write_bytes(data)
    for directory in ("shards", "runs"):
        shutil.rmtree(queued.root / directory)
    report = recover(queued.root)
    assert report.fresh
    assert report.left == ()
    assert (report.moved_aside is None) == (damage == "removed")
    assert report.moved_aside is None or report.moved_aside.exists()
    with Workspace.open(queued.root) as again:
        assert said(again) == before
        assert verify_events(again) == []
        assert queued.database.stat().st_mode & 0o777 == 0o660
        record = next_object(again, 1, "JKL", 3)
        assert record is not None
        commit_vote(again, vote(again, 5, "JKL"))
        ingest(again, 12)
        assert said(again)[3] == before[3]
        assert fetch(again.db, "SELECT count(*), count(ra) FROM object") == [(12, 12)]


def test_a_sound_database_gets_what_it_lacks_and_stays(queued: Workspace, tmp_path: Path) -> None:
    campaign(queued)
    expected = said(queued)[:3]
    assert recover(queued.root).entries == 0
    # Somebody began anew: the ingest gave other numbers to the objects.
    with Workspace.create(tmp_path / "anew") as anew:
        ingest(anew, 12, first=6)
    for name in ("journal", "rounds"):
        shutil.copytree(queued.root / name, anew.root / name, dirs_exist_ok=True)
    report = recover(anew.root)
    assert (report.fresh, report.moved_aside, report.left) == (False, None, ())
    assert (report.votes, report.merges, report.objects) == (14, 2, 8)
    with Workspace.open(anew.root) as again:
        assert fetch(again.db, "SELECT count(*) FROM row") == [(12,)]
        found = votes(again, current=False)
        assert {one.uid for one in found} == {one.uid for one in votes(queued, current=False)}
        assert inspectors(again) == expected[2]
        names = "SELECT v.uid, o.identity FROM vote v JOIN object o ON o.id = v.object_id ORDER BY v.uid"
        assert fetch(again.db, names) == fetch(queued.db, names)


def test_lines_that_are_of_no_use_are_said_and_cost_nothing_else(queued: Workspace) -> None:
    campaign(queued)
    before = said(queued)
    queued.close()
    queued.database.unlink()
    path = journal_file(queued.journal_dir, "ABC")
    strange = [
        {"uid": "a", "at": "2099", "kind": "dance", "by": "ABC", "body": {}, "survey": "desi", "identity": "1"},
        {"uid": "b", "at": "2099", "kind": "withdraw", "by": "ABC", "body": {}},
        {"uid": "c", "at": "2099", "kind": "inspector", "by": "ABD", "body": {}},
    ]
    strange[0] |= {key: json.loads(path.read_text().splitlines()[1])[key] for key in ("survey", "identity")}
    path.write_text(path.read_text() + "".join(json.dumps(one) + "\n" for one in strange) + "torn")
    with (queued.rounds_dir / "001" / QUEUE_FILE).open("a") as stream:
        stream.write("nonsense\n{}\n")
    report = recover(queued.root)
    assert [one.split(":")[0] for one in report.left] == [
        "001/queue.jsonl line 9", "001/queue.jsonl line 10", "a", "b", "c",
    ]  # fmt: skip
    with Workspace.open(queued.root) as again:
        assert said(again) == before


def test_what_must_not_be_moved_aside(queued: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspace, match="has no journals and no rounds"):
        recover(tmp_path / "empty")
    db = connect(queued.database)
    db.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerSchema):
        recover(queued.root)
    assert sorted(one.name for one in queued.root.iterdir()) == ["journal", DATABASE, "rounds", "runs", "shards"]


def test_a_rollback_journal_goes_aside_with_its_database(queued: Workspace, tmp_path: Path) -> None:
    queued.close()
    beside = queued.root / (DATABASE + "-journal")
    with closing(sqlite3.connect(queued.database)) as raw:
        raw.execute("PRAGMA cache_size = 1")
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("UPDATE selection SET why = hex(randomblob(5000))")
        shutil.copy(beside, tmp_path / "hot")
    queued.database.unlink()
    shutil.move(tmp_path / "hot", beside)
    pages = beside.read_bytes()
    report = recover(queued.root)
    assert report.moved_aside is not None
    assert not beside.exists()
    with Workspace.open(queued.root) as again:
        assert len(selection(again, 1)) == 8
    assert report.moved_aside.with_name(report.moved_aside.name + "-journal").read_bytes() == pages


def test_clocks_that_disagree_do_not_change_the_order_of_one_person(queued: Workspace) -> None:
    first, second = vote(queued, z=1.0), vote(queued, z=2.0)
    later = Vote(**{**vars(first), "committed_at": "2030-01-01T00:00:00.000000Z"})
    commit_vote(queued, later)
    commit_vote(queued, second)
    assert [one.uid for one in votes(queued)] == [second.uid]
    queued.close()
    queued.database.unlink()
    recover(queued.root)
    with Workspace.open(queued.root) as again:
        assert [one.uid for one in votes(again)] == [second.uid]


def test_two_rounds_come_back(queued: Workspace) -> None:
    withdrawn = selection(queued, 1)[0]
    withdraw(queued, 1, [withdrawn.object_id], "x", "me")
    add_selection(queued, 2, [withdrawn])
    add_inspector(queued, "MNO", "mno")
    before = [selection(queued, n, include_withdrawn=True) for n in (1, 2)]
    queued.close()
    queued.database.unlink()
    recover(queued.root)
    with Workspace.open(queued.root) as again:
        after = [selection(again, n, include_withdrawn=True) for n in (1, 2)]
    assert [[(r.object_id, r.rank, r.score) for r in one] for one in after] == [
        [(r.object_id, r.rank, r.score) for r in one] for one in before
    ]


def test_a_line_of_no_use_takes_nothing_away(queued: Workspace) -> None:
    given = vote(queued)
    commit_vote(queued, given)
    path = journal_file(queued.journal_dir, "ABC")
    line = json.loads(path.read_text().splitlines()[-1])
    body = line["body"]
    bad = [
        line | {"uid": "b1", "body": body | {"quality": 9}},
        line | {"uid": "b2", "body": body | {"z": {"a": 1}}},
        line | {"uid": "b3", "body": {name: body[name] for name in body if name != "issues"}},
        line | {"uid": "b4", "kind": "restore", "body": {"vote_uid": given.uid, "by": "ABC"}},
        line | {"uid": "b5", "kind": "merge", "body": {"vote_uids": []}},
        line | {"uid": "b6", "kind": "reopen", "body": {"merge_uid": "none"}},
        line | {"uid": "b7", "kind": "star", "by": "XYZ", "body": {"note": ""}},
    ]
    path.write_text(path.read_text() + "".join(json.dumps(one) + "\n" for one in bad))
    before = votes(queued, current=False)
    report = recover(queued.root)
    assert [one.split(":")[0] for one in report.left] == ["b1", "b2", "b3", "b4", "b5", "b6", "b7"]
    assert votes(queued, current=False) == before
    queued.close()
    queued.database.unlink()
    assert len(recover(queued.root).left) == 7
    with Workspace.open(queued.root) as again:
        assert votes(again, current=False) == before


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_merger_whose_clock_is_wrong_settles_the_same_thing_after_a_rebuild(queued: Workspace, minutes: int) -> None:
    given, other = vote(queued), vote(queued, code="DEF")
    commit_vote(queued, given)
    moment = datetime.fromisoformat(given.committed_at) + timedelta(minutes=minutes)
    at = canonical_time(moment.isoformat())
    label = MergedLabel(1, given.object_id, "QSO", 2.0, 4.0, "", "", 1, "qnet1", "JKL", vote_uids=(given.uid,), at=at)
    add_merges(queued, [label])
    settled = vote(queued, 2)
    commit_vote(queued, settled)
    second = MergedLabel(
        1, settled.object_id, "QSO", 2.0, 4.0, "", "", 1, "qnet1", "JKL", vote_uids=(settled.uid,), at=at
    )
    add_merges(queued, [second])
    # The first is opened again by a vote that the merger did not know, the second holds.
    commit_vote(queued, other)
    assert [one.uid for one in merges(queued)] == [second.uid]
    queued.close()
    queued.database.unlink()
    recover(queued.root)
    with Workspace.open(queued.root) as again:
        assert [one.uid for one in merges(again)] == [second.uid]
        assert [one.reopened for one in merges(again, current=False)] == [True, False]


def test_what_was_done_later_comes_later_where_a_clock_runs_behind(
    queued: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [vote(queued, 1, code) for code in ("ABC", "DEF")]
    for one in given:
        commit_vote(queued, one)
    # The mergers sit at a machine whose clock is an hour late; the second corrects the first.
    late = canonical_time((datetime.fromisoformat(given[0].committed_at) - timedelta(hours=1)).isoformat())
    monkeypatch.setattr("storage.events.utc_now", lambda: late)
    uids = tuple(one.uid for one in given)
    for code, at in (("JKL", given[0].committed_at), ("GHI", late)):
        add_merges(queued, [MergedLabel(1, 1, "QSO", 2.0, 4.0, "", "", 2, "qnet1", code, vote_uids=uids, at=at)])
    assert [one.by for one in merges(queued)] == ["GHI"]
    monkeypatch.undo()
    before = merges(queued, current=False)
    queued.close()
    queued.database.unlink()
    assert recover(queued.root).left == ()
    with Workspace.open(queued.root) as again:
        assert merges(again, current=False) == before


def test_what_only_a_journal_had_when_somebody_merged_opens_the_label_again(
    queued: Workspace, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = vote(queued, 1), vote(queued, 2)
    for one in (first, second):
        commit_vote(queued, one)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    unheard = vote(queued, 1, "DEF")
    with monkeypatch.context() as patch:
        patch.setattr("storage.ledger.enter", killed)
        for action in (lambda: commit_vote(queued, unheard), lambda: withdraw_vote(queued, second.uid, "ABC")):
            with pytest.raises(KeyboardInterrupt):
                action()
    # The merger's program, open since before, knows neither.
    for one in (first, second):
        label = MergedLabel(1, one.object_id, "QSO", 2.0, 4.0, "", "", 1, "qnet1", "JKL", vote_uids=(one.uid,))
        add_merges(queued, [label])
    with reopen(queued) as again:
        assert merges(again) == []
        before = merges(again, current=False), votes(again, current=False)
        assert {one.uid for one in before[1] if not one.withdrawn} == {first.uid, unheard.uid}
    queued.database.unlink()
    assert recover(queued.root).left == ()
    with Workspace.open(queued.root) as again:
        assert [one.reopened for one in merges(again, current=False)] == [True, True]
        assert votes(again, current=False) == before[1]
