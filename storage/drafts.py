"""Answers not committed yet, and where a person was: what lets a session go on after a lost line."""

import json
from dataclasses import dataclass
from typing import Any

from storage.connection import fetch, transaction
from storage.inspectors import registered_code
from storage.scalars import json_text
from storage.times import utc_now
from storage.workspace import Workspace


@dataclass(frozen=True)
class Draft:
    """An answer that is not committed; ``body`` is the screen's own."""

    object_id: int
    body: dict[str, Any]
    at: str


def save_draft(ws: Workspace, inspector: str, object_id: int, body: dict[str, Any]) -> None:
    """Keep a draft (a JSON object) of one object, replacing the one before."""
    inspector = registered_code(ws, inspector)
    with transaction(ws.db) as connection:
        connection.execute(
            "INSERT INTO draft (inspector, object_id, body, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (inspector, object_id) DO UPDATE SET body = excluded.body, at = excluded.at",
            (inspector, int(object_id), json_text(body), utc_now()),
        )


def draft(ws: Workspace, inspector: str, object_id: int) -> dict[str, Any] | None:
    """Return the draft of one object, None when there is none."""
    rows = fetch(ws.db, "SELECT body FROM draft WHERE inspector = ? AND object_id = ?", (inspector, int(object_id)))
    body: dict[str, Any] | None = json.loads(rows[0][0]) if rows else None
    return body


def drafts(ws: Workspace, inspector: str) -> list[Draft]:
    """Return all drafts of a person, the latest first."""
    rows = fetch(
        ws.db,
        "SELECT object_id, body, at FROM draft WHERE inspector = ? ORDER BY at DESC, object_id",
        (inspector,),
    )
    return [Draft(object_id, json.loads(body), at) for object_id, body, at in rows]


def drop_draft(ws: Workspace, inspector: str, object_id: int) -> None:
    """Forget a draft; harmless when there is none."""
    with transaction(ws.db) as connection:
        connection.execute("DELETE FROM draft WHERE inspector = ? AND object_id = ?", (inspector, int(object_id)))


def save_position(ws: Workspace, inspector: str, position: dict[str, Any]) -> None:
    """Keep where a person is (round, object, zoom …: a JSON object of the screen's own)."""
    inspector = registered_code(ws, inspector)
    with transaction(ws.db) as connection:
        connection.execute("UPDATE inspector SET position = ? WHERE code = ?", (json_text(position), inspector))


def load_position(ws: Workspace, inspector: str) -> dict[str, Any] | None:
    """Return where a person was, None at first."""
    rows = fetch(ws.db, "SELECT position FROM inspector WHERE code = ? AND position <> ''", (inspector,))
    position: dict[str, Any] | None = json.loads(rows[0][0]) if rows else None
    return position
