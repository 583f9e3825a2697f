"""A database of schema 1, made by the statements of schema 1, opens with everything in it."""

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from storage.connection import connect, fetch, transaction
from storage.errors import NewerSchema
from storage.events import verify_events
from storage.merges import MergedLabel, add_merges, merges
from storage.migrations import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION, migrate
from storage.schema import inspection, rounds, runs, settings, spectra, truth
from storage.stars import set_star, stars
from storage.votes import Vote, commit_vote, new_uid, recover, restore_vote, undone_votes, votes, withdraw_vote
from storage.workspace import DATABASE, DIRECTORIES, Workspace

FIRST_SCHEMA = (
    *settings.VERSION_1, *spectra.VERSION_1, *runs.VERSION_1, *truth.VERSION_1, *rounds.VERSION_1,
    *inspection.VERSION_1, *inspection.TRIGGERS,
)  # fmt: skip
BODY = {
    "spectype": "QSO", "z": 2.1, "quality": 4, "issues": "R", "comment": "ß", "z_source": "line",
    "active_seconds": 41.5, "blind_peers": True, "blind_model": False, "tags": "masked", "app_version": "0.1.0",
}  # fmt: skip
MERGE = {
    "spectype": "QSO", "z": 2.1, "quality": 4.0, "issues": "", "comment": "", "n_votes": 1, "rule": "qnet1",
    "unseen": False, "vote_uids": ["v2"],
}  # fmt: skip
TIMES = [f"2026-11-01T10:00:{second:02d}.000000Z" for second in range(10)]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A campaign of schema 1: objects 1 and 2 with a vote each, the second merged; and the journals of that time."""
    root = tmp_path / "old"
    for name in DIRECTORIES:
        (root / name).mkdir(parents=True)
    db = connect(root / DATABASE)
    with transaction(db) as connection:
        for statement in FIRST_SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        for code in ("ABC", "DEF"):
            connection.execute("INSERT INTO inspector VALUES (?, ?, ?, ?, '')", (code, code.lower(), "", TIMES[0]))
        for number in (1, 2):
            connection.execute(
                "INSERT INTO object (id, survey, identity, targetid) VALUES (?, 'desi', ?, 0)", (number, f"T{number}")
            )
            connection.execute(
                "INSERT INTO selection (round, object_id, row_id, rank, n_networks, bmu, cell_count, rejected, why,"
                " strategy, at) VALUES (1, ?, 0, ?, 10, 1, 40, 0, '', 'entropy', ?)",
                (number, number, TIMES[0]),
            )
            cells = ", ".join("?" * (len(BODY) + 5))
            connection.execute(
                f"INSERT INTO vote (uid, round, object_id, inspector, {', '.join(BODY)}, committed_at)"
                f" VALUES ({cells})",
                (f"v{number}", 1, number, "ABC", *BODY.values(), TIMES[number]),
            )
            _append(connection, f"v{number}", TIMES[number], "vote", "ABC", number, 1, BODY)
        connection.execute(
            f"INSERT INTO merge (uid, round, object_id, by, at, {', '.join(MERGE)})"
            f" VALUES ('m', 1, 2, 'DEF', ?, {', '.join('?' * len(MERGE))})",
            (TIMES[5], *(json.dumps(value) if isinstance(value, list) else value for value in MERGE.values())),
        )
        _append(connection, "m", TIMES[5], "merge", "DEF", 2, 1, MERGE)
    db.close()
    lines: dict[str, list[dict[str, object]]] = {"ABC": [], "DEF": []}
    for code, uid, at, kind, number, body in (
        ("ABC", "v1", TIMES[1], "vote", 1, BODY),
        ("ABC", "v2", TIMES[2], "vote", 2, BODY),
        ("DEF", "v3", TIMES[3], "vote", 1, BODY | {"z": 2.2}),
        ("DEF", "m", TIMES[5], "merge", 2, MERGE),
    ):
        lines[code].append({
            "format": 1, "uid": uid, "at": at, "kind": kind, "by": code, "body": body, "survey": "desi",
            "identity": f"T{number}", "targetid": 0, "object_id": number, "round": 1,
        })  # fmt: skip
    for code, entries in lines.items():
        (root / "journal" / f"{code}.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return root


def _append(
    connection: sqlite3.Connection, uid: str, at: str, kind: str, by: str, number: int, of: int, body: dict[str, object]
) -> None:
    last = connection.execute("SELECT hash FROM event ORDER BY id DESC LIMIT 1").fetchone()
    previous = last[0] if last else "0" * 64
    entry = (uid, at, kind, by, number, of, json.dumps(body, sort_keys=True))
    connection.execute(
        "INSERT INTO event (uid, at, kind, by, object_id, round, body, previous, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*entry, previous, hashlib.sha256((previous + json.dumps(entry)).encode()).hexdigest()),
    )


def test_an_old_workspace_opens_with_all_that_was_said(old: Path) -> None:
    with Workspace.open(old) as ws:
        assert fetch(ws.db, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
        # The third vote was only in the journal, in the words of that time.
        found = {one.uid: one for one in votes(ws)}
        assert sorted(found) == ["v1", "v2", "v3"]
        assert (found["v1"].z, found["v1"].z_error, found["v1"].origin) == (2.1, None, "")
        assert (found["v1"].comment, found["v1"].blind_peers, found["v1"].blind_model) == ("ß", True, False)
        assert [(one.uid, one.names_shown, one.vote_uids) for one in merges(ws)] == [("m", False, ("v2",))]
        assert verify_events(ws) == []
        assert fetch(ws.db, "PRAGMA integrity_check") == [("ok",)]
        assert fetch(ws.db, "PRAGMA foreign_key_check") == []


def test_what_is_new_works_in_an_old_workspace(old: Path) -> None:
    with Workspace.open(old) as ws:
        uid = new_uid()
        commit_vote(ws, Vote(uid, 1, 1, "ABC", "QSO", 2.3, 4, z_error=0.001))
        withdraw_vote(ws, uid, "ABC")
        assert [one.uid for one in undone_votes(ws, "ABC")] == [uid]
        restore_vote(ws, uid, "ABC")
        assert {one.uid: one.z_error for one in votes(ws)} == {uid: 0.001, "v2": None, "v3": None}
        set_star(ws, "DEF", 1, True)
        assert [one.inspector for one in stars(ws)] == ["DEF"]
        label = MergedLabel(1, 2, "QSO", 2.1, 4.0, "", "", 1, "qnet1", "DEF", vote_uids=("v2",), names_shown=True)
        add_merges(ws, [label])
        assert [one.names_shown for one in merges(ws)] == [True]
        assert verify_events(ws) == []


def test_the_migrated_tables_are_those_of_a_new_workspace(old: Path, tmp_path: Path) -> None:
    query = (
        "SELECT m.name, p.name, p.type, p.[notnull], p.dflt_value, p.pk FROM sqlite_master m,"
        " pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.cid"
    )
    names = "SELECT type, name FROM sqlite_master ORDER BY type, name"
    with Workspace.open(old) as migrated, Workspace.create(tmp_path / "new") as new:
        assert fetch(migrated.db, query) == fetch(new.db, query)
        assert fetch(migrated.db, names) == fetch(new.db, names)


def test_journals_of_that_time_rebuild_the_votes(old: Path) -> None:
    with Workspace.open(old) as ws:
        before = votes(ws), merges(ws)
        fetch(ws.db, "SELECT 1")
    queue = [
        {
            "object_id": number, "row_id": 0, "rank": number, "score": None, "entropy": None, "c_not": None,
            "c_qso_lz": None, "c_qso_hz": None, "n_networks": 10, "bmu": 1, "cell_count": 40, "rejected": 0,
            "why": "", "strategy": "entropy", "round": 1, "withdrawn": "", "withdrawn_by": "", "at": TIMES[0],
            "survey": "desi", "identity": f"T{number}", "targetid": 0,
        }
        for number in (1, 2)
    ]  # fmt: skip
    (old / "rounds" / "001").mkdir()
    (old / "rounds" / "001" / "queue.jsonl").write_text("".join(json.dumps(line) + "\n" for line in queue))
    for code in ("ABC", "DEF"):
        path = old / "journal" / f"{code}.jsonl"
        first = {"format": 1, "uid": f"i{code}", "at": TIMES[0], "kind": "inspector", "by": code,
                 "body": {"os_user": code.lower(), "name": ""}}  # fmt: skip
        path.write_text(json.dumps(first) + "\n" + path.read_text())
    (old / DATABASE).unlink()
    report = recover(old)
    assert (report.left, report.votes, report.merges) == ((), 3, 1)
    with Workspace.open(old) as ws:
        assert (votes(ws), merges(ws)) == before


def test_a_migration_that_fails_leaves_the_old_schema(old: Path) -> None:
    db = connect(old / DATABASE)
    broken = (*MIGRATIONS[:1], (2, (*inspection.VERSION_2, "CREATE TABLE star (again TEXT) STRICT")))
    with pytest.raises(Exception, match="star already exists"):
        migrate(db, broken)
    assert fetch(db, "PRAGMA user_version") == [(1,)]
    assert fetch(db, "SELECT name FROM pragma_table_info('vote') WHERE name = 'z_error'") == []
    assert migrate(db) == SCHEMA_VERSION
    db.close()


def test_a_program_of_schema_1_refuses_what_this_one_wrote(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Workspace.open(old).close()
    monkeypatch.setattr("storage.migrations.SCHEMA_VERSION", 1)
    with pytest.raises(NewerSchema, match=f"schema {SCHEMA_VERSION}, this one knows 1"):
        Workspace.open(old)
