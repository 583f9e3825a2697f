"""Labels, every version of them: what is true now, what was true at a round, and who is held out.

A later label of an object supersedes the earlier one, which stays. A label of a pipeline never supersedes one
of a person or a catalogue. An object held out for validation stays held out for ever.
"""
# ruff: noqa: A002 - "round" is the word of the field for it.

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.connection import fetch, transaction
from storage.errors import Refused
from storage.times import utc_now
from storage.workspace import Workspace

ROLES = ("train", "validation")
SOURCE_KINDS = ("people", "pipeline", "catalogue")

TRUTH_DTYPE = np.dtype(
    [
        ("object_id", "i8"),
        ("spectype", "U6"),
        ("z", "f8"),
        ("quality", "f8"),
        ("bal", "i1"),
        ("role", "U10"),
        ("origin", "U40"),
        ("source_kind", "U9"),
        ("excluded", "?"),
    ]
)
"""One current label. ``z`` NaN: none given. ``bal`` +1 broad absorption lines, -1 none, 0 not known."""


@dataclass(frozen=True)
class TruthLabel:
    """What one source says of one object; ``quality`` on the scale of visual inspection, 0 to 4."""

    object_id: int
    spectype: str
    z: float | None
    quality: float
    bal: int = 0
    issues: str = ""
    comment: str = ""
    n_vi: int | None = None


@dataclass(frozen=True)
class TruthChange:
    """What :func:`add_labels` did.

    Attributes:
        version: the number of this change; the one before when nothing changed.
        added: labels of objects that had none.
        replaced: labels that superseded an earlier one.
        unchanged: labels that said what the same origin had said already.
        withheld: pipeline labels that did not supersede one of a person or a catalogue.
        kept_validation: objects that stay held out although the role asked for was another.

    """

    version: int
    added: int
    replaced: int
    unchanged: int = 0
    withheld: int = 0
    kept_validation: int = 0


@dataclass(frozen=True)
class Exclusion:
    """An object withdrawn from training, by whom and why."""

    object_id: int
    reason: str
    by: str
    at: str


def add_labels(
    ws: Workspace,
    labels: Sequence[TruthLabel],
    origin: str,
    source_kind: str,
    role: str = "train",
    run_id: str | None = None,
    round: int = 0,
) -> TruthChange:
    """Add labels as one new version, in one transaction.

    Args:
        ws: the workspace.
        labels: what is said; of two labels of one object in it the later counts.
        origin: ``table:NAME`` or ``round:N``.
        source_kind: "people", "pipeline" or "catalogue".
        role: "train" or "validation", for objects that have no role yet; "validation" also holds out an
            object
            that was for training, never the reverse.
        run_id: the run that did it, if one did.
        round: the round from which on it counts; raised to that of the label it supersedes, so that the truth
            of a past round stays as it was.

    Raises:
        Refused: a label, kind or role that cannot be; nothing was added.

    """
    if source_kind not in SOURCE_KINDS:
        raise Refused(f"source kind {source_kind!r} is none of {', '.join(SOURCE_KINDS)}")
    _check_role(role)
    latest = {int(label.object_id): label for label in labels}
    for label in latest.values():
        _check_label(label)
    # All that needs no lock is done before the transaction: a large table must not keep others waiting.
    said = {object_id: _values(label) for object_id, label in latest.items()}
    added = replaced = unchanged = withheld = 0
    with transaction(ws.db) as connection:
        version, next_id = connection.execute(
            "SELECT coalesce(max(version), 0), coalesce(max(id), 0) + 1 FROM truth"
        ).fetchone()
        current = _current_by_object(connection, said)
        at = utc_now()
        inserts, supersedes = [], []
        for object_id, values in said.items():
            before = current.get(object_id)
            since, waiting = int(round), None
            if before is None:
                added += 1
            else:
                if before[1:] == (*values, origin, source_kind):
                    unchanged += 1
                    continue
                if source_kind == "pipeline" and before[-1] != "pipeline":
                    withheld += 1
                    continue
                replaced += 1
                supersedes.append((next_id, before[0][0]))
                since, waiting = max(since, before[0][1]), next_id
            inserts.append((next_id, version + 1, object_id, *values, origin, source_kind, since, run_id, at, waiting))
            next_id += 1
        # A label stands beside the one it supersedes for a moment: it points at itself until that one points at
        # it, so that the index "one current label an object" holds at every statement.
        try:
            connection.executemany(
                "INSERT INTO truth (id, version, object_id, spectype, z, quality, bal, issues, comment, n_vi,"
                " origin, source_kind, round, run_id, at, superseded_by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                inserts,
            )
        except sqlite3.IntegrityError as error:
            raise Refused(f"a label names an object or a run that is not here ({error})") from error
        connection.executemany("UPDATE truth SET superseded_by = ? WHERE id = ?", supersedes)
        connection.executemany("UPDATE truth SET superseded_by = NULL WHERE id = ?", [(new,) for new, _ in supersedes])
        kept_validation = _give_role(connection, list(said), role)
    return TruthChange(version + 1 if inserts else version, added, replaced, unchanged, withheld, kept_validation)


def current_truth(ws: Workspace, at_round: int | None = None, include_excluded: bool = False) -> NDArray[np.void]:
    """Return the labels that hold, sorted by object, as an array of :data:`TRUTH_DTYPE`.

    Args:
        ws: the workspace.
        at_round: as it was with the labels of rounds up to this one; None for now.
        include_excluded: also those withdrawn from training.

    """
    rows = fetch(
        ws.db,
        "SELECT t.object_id, t.spectype, t.z, t.quality, t.bal, o.role, t.origin, t.source_kind,"
        " e.object_id IS NOT NULL FROM truth t JOIN object o ON o.id = t.object_id"
        " LEFT JOIN truth s ON s.id = t.superseded_by LEFT JOIN exclusion e ON e.object_id = t.object_id"
        " WHERE (CASE WHEN ?1 IS NULL THEN t.superseded_by IS NULL"
        " ELSE t.round <= ?1 AND (s.id IS NULL OR s.round > ?1) END)"
        " AND (?2 OR e.object_id IS NULL) ORDER BY t.object_id",
        (at_round, int(include_excluded)),
    )
    return np.array(rows, dtype=TRUTH_DTYPE)


def remarks(ws: Workspace) -> dict[int, tuple[str, str, int | None]]:
    """Return object → (issues, comment, number of inspections) of the labels that hold."""
    rows = fetch(ws.db, "SELECT object_id, issues, comment, n_vi FROM truth WHERE superseded_by IS NULL")
    return {object_id: (issues, comment, n_vi) for object_id, issues, comment, n_vi in rows}


def truth_hash(ws: Workspace, at_round: int | None = None) -> str:
    """Return the SHA-256 (hex) of the labels that hold, with roles, in an order and form free of row numbers.

    Two workspaces with the same labels of the same objects have the same hash.
    """
    truth = current_truth(ws, at_round)
    names = {
        number: f"{survey}:{identity}"
        for number, survey, identity in fetch(
            ws.db, "SELECT id, survey, identity FROM object WHERE id IN (SELECT object_id FROM truth)"
        )
    }
    lines = sorted(
        f"{names[object_id]}|{spectype}|{z!r}|{quality!r}|{bal}|{role}\n"
        for object_id, spectype, z, quality, bal, role, *_ in truth.tolist()
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def history(ws: Workspace, object_id: int) -> list[tuple[int, TruthLabel, str, str, int, str, bool]]:
    """Return every label an object ever had: (version, label, origin, source kind, round, when, current)."""
    rows = fetch(
        ws.db,
        "SELECT version, object_id, spectype, z, quality, bal, issues, comment, n_vi, origin, source_kind,"
        " round, at, superseded_by IS NULL FROM truth WHERE object_id = ? ORDER BY id",
        (int(object_id),),
    )
    return [(row[0], TruthLabel(*row[1:9]), row[9], row[10], row[11], row[12], bool(row[13])) for row in rows]


def exclude(ws: Workspace, object_ids: Iterable[int], reason: str, by: str) -> int:
    """Withdraw objects from training (the labels stay); return how many were not withdrawn before.

    Raises:
        Refused: no reason, or an object that is not here.

    """
    if not reason.strip():
        raise Refused("an exclusion needs a reason")
    with transaction(ws.db) as connection:
        before = connection.total_changes
        try:
            connection.executemany(
                "INSERT INTO exclusion (object_id, reason, by, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(int(one), reason, by, utc_now()) for one in object_ids],
            )
        except sqlite3.IntegrityError:
            raise Refused("one of the objects is not here", file=ws.root) from None
        return connection.total_changes - before


def exclusions(ws: Workspace) -> list[Exclusion]:
    """Return the objects withdrawn from training, by object."""
    rows = fetch(ws.db, "SELECT object_id, reason, by, at FROM exclusion ORDER BY object_id")
    return [Exclusion(*row) for row in rows]


def set_roles(ws: Workspace, roles: Mapping[int, str]) -> int:
    """Give objects the role "train" or "validation"; return how many changed.

    One held out for validation is left so: a network may have been chosen by it.

    Raises:
        Refused: another role.

    """
    for role in set(roles.values()):
        _check_role(role)
    with transaction(ws.db) as connection:
        before = connection.total_changes
        connection.executemany(
            "UPDATE object SET role = ?1 WHERE id = ?2 AND role <> 'validation' AND role <> ?1",
            [(role, int(object_id)) for object_id, role in roles.items()],
        )
        return connection.total_changes - before


def _current_by_object(
    connection: sqlite3.Connection, wanted: Mapping[int, object]
) -> dict[int, tuple[tuple[int, int], *tuple[object, ...]]]:
    """Map each wanted object to ((id, round), its values, origin, source kind) of the label that holds."""
    query = (
        "SELECT object_id, id, round, spectype, z, quality, bal, issues, comment, n_vi, origin, source_kind"
        " FROM truth WHERE superseded_by IS NULL"
    )
    # A few objects are looked up; for many, one pass over the table is faster.
    if len(wanted) <= 1000:
        query += f" AND object_id IN ({','.join(map(str, wanted))})"
    rows = connection.execute(query).fetchall()
    return {row[0]: ((row[1], row[2]), *row[3:]) for row in rows if row[0] in wanted}


def _values(label: TruthLabel) -> tuple[object, ...]:
    z = None if label.z is None or np.isnan(label.z) else float(label.z)
    n_vi = None if label.n_vi is None else int(label.n_vi)
    return (label.spectype, z, float(label.quality), int(label.bal), label.issues, label.comment, n_vi)


def _give_role(connection: sqlite3.Connection, object_ids: list[int], role: str) -> int:
    """Give the role to objects that may change; return how many stay held out although they should not."""
    these = "id IN (SELECT value FROM json_each(?))"
    names = json.dumps(object_ids)
    if role == "validation":
        connection.execute(f"UPDATE object SET role = 'validation' WHERE {these}", (names,))
        return 0
    connection.execute(f"UPDATE object SET role = ? WHERE role = '' AND {these}", (role, names))
    held_out = connection.execute(
        f"SELECT count(*) FROM object WHERE role = 'validation' AND {these}", (names,)
    ).fetchone()
    return int(held_out[0])


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Refused(f"role {role!r} is none of {', '.join(ROLES)}")


def _check_label(label: TruthLabel) -> None:
    if label.bal not in (-1, 0, 1):
        raise Refused(f"object {label.object_id}: bal is -1, 0 or 1, not {label.bal}")
    if not np.isfinite(label.quality):
        raise Refused(f"object {label.object_id}: the quality is not a number")
    if label.z is not None and np.isinf(label.z):
        raise Refused(f"object {label.object_id}: the redshift is infinite")
