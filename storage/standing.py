"""Where a campaign stands, in counts that cost little whatever its size: for a page that is looked at all day."""

from dataclasses import dataclass

from storage.connection import fetch
from storage.entries import CURRENT_MERGE, CURRENT_VOTE
from storage.workspace import Workspace

_PACE_VOTES = 20


@dataclass(frozen=True)
class Standing:
    """Counts of a workspace.

    ``rows`` have a vector, ``dropped`` have none; ``train`` and ``validation`` are objects with a secure label that was
    not withdrawn, by role; ``last_merge`` is when the last merged label that holds was settled ("" for none).
    """

    files: int
    rows: int
    dropped: int
    objects: int
    train: int
    validation: int
    last_merge: str


def standing(ws: Workspace, before: Standing | None = None, good: float = 2.5) -> Standing:
    """Count; a label is secure from the quality ``good`` on.

    Rows are summed over files. Objects are counted only where ``before`` has another number of files or rows: that
    takes a tenth of a second for millions.
    """
    files, read = fetch(ws.db, "SELECT count(*), coalesce(sum(n_rows), 0) FROM file")[0]
    dropped = int(fetch(ws.db, "SELECT count(*) FROM row WHERE dropped <> ''")[0][0])
    if before is not None and (before.files, before.rows) == (files, read - dropped):
        objects = before.objects
    else:
        objects = int(fetch(ws.db, "SELECT count(*) FROM object")[0][0])
    roles = dict(
        fetch(
            ws.db,
            "SELECT o.role, count(*) FROM truth t JOIN object o ON o.id = t.object_id WHERE t.superseded_by IS NULL"
            " AND t.quality >= ? AND t.object_id NOT IN (SELECT object_id FROM exclusion) GROUP BY o.role",
            (float(good),),
        )
    )
    last = fetch(ws.db, f"SELECT coalesce(max(m.at), '') FROM merge m WHERE {CURRENT_MERGE}")[0][0]
    held_out = int(roles.pop("validation", 0))
    return Standing(int(files), int(read) - dropped, dropped, objects, sum(map(int, roles.values())), held_out, last)


def recent_active_seconds(ws: Workspace, inspector: str) -> list[float]:
    """Return the active seconds of a person's last votes that took any, the latest last; at most 20."""
    rows = fetch(
        ws.db,
        f"SELECT v.active_seconds FROM vote v WHERE v.inspector = ? AND v.active_seconds > 0 AND {CURRENT_VOTE}"
        " ORDER BY v.committed_at DESC LIMIT ?",
        (inspector, _PACE_VOTES),
    )
    return [float(seconds) for (seconds,) in reversed(rows)]
