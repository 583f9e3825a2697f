"""Merged labels: what the merger settles from the votes on an object."""
# ruff: noqa: A002 - "round" is the word of the field for it.

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from storage.connection import fetch, transaction
from storage.errors import Refused
from storage.inspectors import registered_code
from storage.journal import append_entries
from storage.ledger import CURRENT_MERGE, CURRENT_VOTE, MERGE_COLUMNS, Entry, enter
from storage.times import canonical_time, utc_now
from storage.workspace import Workspace


@dataclass(frozen=True)
class MergedLabel:
    """What is settled of one object.

    Attributes:
        round, object_id: where and what.
        spectype: STAR, GALAXY, QSO, or None.
        z: the redshift, None where none can be given.
        quality: 0 to 4, a mean or what the merger gave.
        issues: sorted letters of CRS.
        comment: the inspectors' comments and the merger's.
        n_votes: how many votes it rests on; ``vote_uids`` which.
        rule: the merge rule, as the campaign names it.
        by: the merger's code.
        unseen: confirmed without the random tenth having been looked at.
        uid, at: of the entry.
        superseded, reopened: set by :func:`merges`; a later merged label replaced it, a later vote opened it
            again.

    """

    round: int
    object_id: int
    spectype: str | None
    z: float | None
    quality: float
    issues: str
    comment: str
    n_votes: int
    rule: str
    by: str
    unseen: bool = False
    vote_uids: tuple[str, ...] = ()
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: str = field(default_factory=utc_now)
    superseded: bool = False
    reopened: bool = False


def add_merges(ws: Workspace, labels: Iterable[MergedLabel]) -> int:
    """Settle objects, all of them or none; return how many were new.

    The merger's journal is written just before the commit. Inside an outer transaction that fails later, the
    journal has the labels and the next open enters them: do what may be refused first.

    Raises:
        Refused: the merger is no inspector of the campaign, the object is not in the round, or votes that a
            label
            rests on were changed or undone meanwhile.

    """
    given = list(labels)
    known = {code: registered_code(ws, code) for code in {label.by for label in given}}
    settled = [replace(label, by=known[label.by], at=canonical_time(label.at)) for label in given]
    added = 0
    with transaction(ws.db) as connection:
        entries = []
        for label in settled:
            found = connection.execute(
                "SELECT o.survey, o.identity, o.targetid FROM selection s JOIN object o ON o.id = s.object_id"
                " WHERE s.round = ? AND s.object_id = ?",
                (int(label.round), int(label.object_id)),
            ).fetchone()
            if found is None:
                raise Refused(f"object {label.object_id} is not in round {label.round}", file=ws.root)
            current = {
                uid
                for (uid,) in connection.execute(
                    f"SELECT uid FROM vote WHERE object_id = ? AND {CURRENT_VOTE}", (int(label.object_id),)
                ).fetchall()
            }
            if not set(label.vote_uids) <= current:
                raise Refused(
                    f"a vote on {found[0]}:{found[1]} was changed meanwhile",
                    mend="look at it again, then merge",
                )
            entries.append(_entry(label, *found))
        # Inside the transaction, because what may still be refused must not be replayed from a journal.
        for code in sorted(set(known.values())):
            append_entries(ws.journal_dir, code, [entry.as_line() for entry in entries if entry.by == code])
        for entry in entries:
            added += enter(connection, entry)
    return added


def merges(
    ws: Workspace,
    round: int | None = None,
    *,
    current: bool = True,
) -> list[MergedLabel]:
    """Return merged labels (of a round) by object and time: those that hold, or all that ever were."""
    names = ("round", "object_id", "by", "uid", "at", *MERGE_COLUMNS)
    rows = fetch(
        ws.db,
        f"SELECT {', '.join(names)}, superseded_by <> '', reopened_at <> '' FROM merge"
        f" WHERE (?1 IS NULL OR round = ?1) AND (NOT ?2 OR ({CURRENT_MERGE})) ORDER BY object_id, at, uid",
        (round, int(current)),
    )
    found = []
    for *values, superseded, reopened in rows:
        known = dict(zip(names, values, strict=True))
        known |= {"unseen": bool(known["unseen"]), "vote_uids": tuple(json.loads(known["vote_uids"]))}
        found.append(MergedLabel(**known, superseded=bool(superseded), reopened=bool(reopened)))
    return found


def stale_truth(ws: Workspace) -> list[int]:
    """Return objects whose label came from a merge that a later vote opened again, by id.

    A network that was trained on such a label was trained on what is not settled any more.
    """
    rows = fetch(
        ws.db,
        "SELECT t.object_id FROM truth t WHERE t.superseded_by IS NULL AND t.origin LIKE 'round:%'"
        " AND EXISTS (SELECT 1 FROM merge m WHERE m.object_id = t.object_id AND m.reopened_at <> '')"
        f" AND NOT EXISTS (SELECT 1 FROM merge m WHERE m.object_id = t.object_id AND {CURRENT_MERGE})"
        " ORDER BY t.object_id",
    )
    return [int(object_id) for (object_id,) in rows]


def _entry(label: MergedLabel, survey: str, identity: str, targetid: int) -> Entry:
    return Entry(
        uid=label.uid,
        at=label.at,
        kind="merge",
        by=label.by,
        body={
            "spectype": label.spectype,
            "z": None if label.z is None else float(label.z),
            "quality": float(label.quality),
            "issues": "".join(sorted(set(label.issues))),
            "comment": label.comment,
            "n_votes": int(label.n_votes),
            "rule": label.rule,
            "unseen": bool(label.unseen),
            "vote_uids": list(label.vote_uids),
        },
        survey=survey,
        identity=identity,
        targetid=targetid,
        object_id=int(label.object_id),
        round=int(label.round),
    )
