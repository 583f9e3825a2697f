"""Undo and redo of votes, as entries of their own: nothing is ever deleted, and both can be done again."""
# ruff: noqa: A002 - "round" is the word of the field for it.

import sqlite3
import time
from dataclasses import dataclass

from storage.connection import transaction
from storage.entries import CURRENT_MERGE, CURRENT_VOTE, Entry
from storage.errors import Refused
from storage.inspectors import registered_code
from storage.ledger import write
from storage.settings import get_setting
from storage.times import utc_now
from storage.vote_rows import Vote, new_uid, votes_where
from storage.workspace import Workspace


@dataclass(frozen=True)
class _Given:
    """A vote as it stands in the table, and the names of its object."""

    uid: str
    object_id: int
    inspector: str
    round: int
    superseded_by: str
    withdrawn_at: str
    survey: str
    identity: str
    targetid: int

    def entry(self, kind: str, by: str) -> Entry:
        return Entry(
            uid=new_uid(),
            at=utc_now(),
            kind=kind,
            by=self.inspector,
            body={"vote_uid": self.uid, "by": by},
            survey=self.survey,
            identity=self.identity,
            targetid=self.targetid,
            object_id=self.object_id,
            round=self.round,
        )


def withdraw_vote(ws: Workspace, uid: str, by: str) -> None:
    """Undo a vote, as an entry of its own: the object is open again for its inspector. Twice is harmless.

    Raises:
        Refused: no such vote; a later one superseded it; or a merged label rests on it (the line names the
            merger).

    """
    with transaction(ws.db) as connection:
        given = _given(ws, connection, uid)
        if given.withdrawn_at:
            return
        if given.superseded_by:
            raise Refused("a later vote superseded this one", mend="undo that one")
        merged = connection.execute(
            f"SELECT by, at FROM merge WHERE object_id = ? AND {CURRENT_MERGE}"
            " AND EXISTS (SELECT 1 FROM json_each(vote_uids) WHERE value = ?)",
            (given.object_id, uid),
        ).fetchone()
        if merged is not None:
            raise Refused(f"{merged[0]} merged this vote at {merged[1][:16]}Z", mend=f"vote again, or ask {merged[0]}")
        write(connection, ws.journal_dir, [given.entry("withdraw", by)])


def restore_vote(ws: Workspace, uid: str, by: str) -> None:
    """Redo an undone vote, as an entry of its own: it holds again as it was given. Twice is harmless.

    The inspector's draft, deferral and lease of the object end, as with a vote.

    Raises:
        Refused: no such vote; its inspector answered anew since; the object is merged, was withdrawn from its
            round, has all its votes, or the last one that it lacks is in the hands of somebody else.

    """
    with transaction(ws.db) as connection:
        given = _given(ws, connection, uid)
        if not given.withdrawn_at:
            return
        reason = _why_not(ws, connection, given)
        if reason is not None:
            raise reason
        write(connection, ws.journal_dir, [given.entry("restore", by)])


def undone_votes(ws: Workspace, inspector: str, round: int | None = None) -> list[Vote]:
    """Return a person's undone votes that can be restored now, the latest undone first.

    Undoing goes back in time, so the first of these is the next to redo.
    """
    code = registered_code(ws, inspector)
    undone = votes_where(
        ws,
        "inspector = :code AND withdrawn_at <> '' AND (:round IS NULL OR round = :round)"
        " ORDER BY withdrawn_at DESC, committed_at, uid",
        {"code": code, "round": round},
    )
    # Read only, and all of one moment: a vote that is not restorable any more at the restore is refused there.
    return [vote for vote in undone if _why_not(ws, ws.db.conn, _given(ws, ws.db.conn, vote.uid)) is None]


def _given(ws: Workspace, connection: sqlite3.Connection, uid: str) -> _Given:
    row = connection.execute(
        "SELECT v.uid, v.object_id, v.inspector, v.round, v.superseded_by, v.withdrawn_at, o.survey, o.identity,"
        " o.targetid FROM vote v JOIN object o ON o.id = v.object_id WHERE v.uid = ?",
        (uid,),
    ).fetchone()
    if row is None:
        raise Refused(f"there is no vote {uid}", file=ws.root)
    return _Given(*row)


def _why_not(ws: Workspace, connection: sqlite3.Connection, given: _Given) -> Refused | None:
    """Say why an undone vote cannot hold again."""
    # The log knows the order even where clocks do not: a vote entered later, undone or not, is the newer word.
    newer = connection.execute(
        "SELECT 1 FROM vote v JOIN event e ON e.uid = v.uid WHERE v.object_id = ?1 AND v.inspector = ?2"
        " AND e.id > (SELECT id FROM event WHERE uid = ?3)",
        (given.object_id, given.inspector, given.uid),
    ).fetchone()
    if newer is not None or given.superseded_by:
        return Refused("a newer answer took the place of this one", mend="redo that one, or answer again")
    merged = connection.execute(
        f"SELECT by FROM merge WHERE object_id = ? AND {CURRENT_MERGE}", (given.object_id,)
    ).fetchone()
    if merged is not None:
        return Refused(f"{merged[0]} merged the object meanwhile", mend=f"answer again, or ask {merged[0]}")
    asked = connection.execute(
        "SELECT withdrawn FROM selection WHERE round = ? AND object_id = ?", (given.round, given.object_id)
    ).fetchone()
    if asked is None or asked[0]:
        return Refused(f"the object was withdrawn from round {given.round}")
    (made,) = connection.execute(
        f"SELECT count(*) FROM vote WHERE object_id = ? AND round = ? AND {CURRENT_VOTE}",
        (given.object_id, given.round),
    ).fetchone()
    lacking = int(get_setting(ws, "votes_required")) - int(made)
    if lacking <= 0:
        return Refused("the object has all its votes meanwhile")
    holder = connection.execute(
        "SELECT inspector FROM lease WHERE object_id = ? AND inspector <> ? AND expires > ?",
        (given.object_id, given.inspector, time.time()),
    ).fetchone()
    if holder is not None and lacking == 1:
        return Refused(f"{holder[0]} looks at it now for its last vote", mend="answer something else first")
    return None
