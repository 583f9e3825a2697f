"""Stars: objects that somebody wants to talk about."""

import uuid
from dataclasses import dataclass

from storage.connection import fetch, transaction
from storage.entries import Entry
from storage.errors import Refused
from storage.inspectors import registered_code
from storage.ledger import write
from storage.times import utc_now
from storage.workspace import Workspace


@dataclass(frozen=True)
class Star:
    """Who marked which object when, with a word why."""

    inspector: str
    object_id: int
    note: str
    at: str


def set_star(ws: Workspace, inspector: str, object_id: int, starred: bool, note: str = "") -> bool:
    """Mark an object, or take the mark back; return whether that changed anything.

    Raises:
        Refused: no such inspector or object.

    """
    code, object_id = registered_code(ws, inspector), int(object_id)
    with transaction(ws.db) as connection:
        named = connection.execute(
            "SELECT survey, identity, targetid FROM object WHERE id = ?", (object_id,)
        ).fetchone()
        if named is None:
            raise Refused(f"there is no object {object_id}", file=ws.root)
        row = connection.execute(
            "SELECT starred, note FROM star WHERE inspector = ? AND object_id = ?", (code, object_id)
        ).fetchone()
        note = note if starred else ""
        if (row or (0, "")) == (int(starred), note):
            return False
        survey, identity, targetid = named
        entry = Entry(
            uid=uuid.uuid4().hex,
            at=utc_now(),
            kind="star" if starred else "unstar",
            by=code,
            body={"note": note},
            survey=survey,
            identity=identity,
            targetid=targetid,
            object_id=object_id,
        )
        return bool(write(connection, ws.journal_dir, [entry]))


def stars(ws: Workspace, inspector: str | None = None, object_id: int | None = None) -> list[Star]:
    """Return the marks that stand, by object and person: everybody's or one person's, on all objects or one."""
    rows = fetch(
        ws.db,
        "SELECT inspector, object_id, note, at FROM star WHERE starred = 1"
        " AND (?1 IS NULL OR inspector = ?1 COLLATE NOCASE) AND (?2 IS NULL OR object_id = ?2)"
        " ORDER BY object_id, inspector",
        (inspector, object_id),
    )
    return [Star(*row) for row in rows]
