"""Merged labels: what the merger settles from the votes on an object."""
# ruff: noqa: A002 - "round" is the word of the field for it.

import json
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from storage.connection import fetch, transaction
from storage.entries import CURRENT_MERGE, CURRENT_VOTE, MERGE_COLUMNS, Entry
from storage.errors import Refused
from storage.events import has_event
from storage.inspectors import registered_code
from storage.ledger import write
from storage.settings import get_setting
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
        names_shown: the merger asked to see who gave which vote.

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
    names_shown: bool = False


def add_merges(ws: Workspace, labels: Iterable[MergedLabel]) -> int:
    """Settle objects, all of them or none; return how many were new.

    The merger's journal is written just before the commit. Inside an outer transaction that fails later, the
    journal has the labels and the next open enters them: do what may be refused first.

    Raises:
        Refused: the merger is no inspector of the campaign or voted on the object (which a campaign of one vote, or
            one with the setting merger_may_vote, allows); the object is not in the round; or the votes on it
            are not those that the label rests on: one was changed, undone or added meanwhile.

    """
    given = list(labels)
    known = {code: registered_code(ws, code) for code in {label.by for label in given}}
    settled = [replace(label, by=known[label.by], at=canonical_time(label.at)) for label in given]
    may_vote = bool(get_setting(ws, "merger_may_vote")) or int(get_setting(ws, "votes_required")) == 1
    with transaction(ws.db) as connection:
        entries = []
        for label in settled:
            if has_event(connection, label.uid):
                continue
            found = connection.execute(
                "SELECT o.survey, o.identity, o.targetid FROM selection s JOIN object o ON o.id = s.object_id"
                " WHERE s.round = ? AND s.object_id = ?",
                (int(label.round), int(label.object_id)),
            ).fetchone()
            if found is None:
                raise Refused(f"object {label.object_id} is not in round {label.round}", file=ws.root)
            _check_votes(connection, label, f"{found[0]}:{found[1]}", may_vote)
            entries.append(_entry(label, *found))
        return write(connection, ws.journal_dir, entries)


def _check_votes(connection: sqlite3.Connection, label: MergedLabel, name: str, may_vote: bool) -> None:
    current = connection.execute(
        f"SELECT uid, inspector, round FROM vote WHERE object_id = ? AND {CURRENT_VOTE}", (int(label.object_id),)
    ).fetchall()
    rests_on = set(label.vote_uids)
    of_round = {uid for uid, _, round_ in current if round_ == int(label.round)}
    if not of_round <= rests_on <= {uid for uid, _, _ in current}:
        raise Refused(f"the votes on {name} changed meanwhile", mend="look at it again, then merge")
    if not may_vote and label.by in {inspector for _, inspector, _ in current}:
        raise Refused(
            f"{label.by} voted on {name} and may not settle it",
            mend="let another merge it, or allow it with 'qnet campaign set merger_may_vote true'",
        )


def reopen_merge(ws: Workspace, uid: str, by: str) -> None:
    """Take a merged label back, as an entry of its own: its object waits for a merger again. Twice is harmless.

    What the truth took from it is stale from here on (:func:`stale_truth`).

    Raises:
        Refused: no such inspector or merged label, or a later one superseded it.

    """
    code = registered_code(ws, by)
    with transaction(ws.db) as connection:
        row = connection.execute(
            "SELECT m.superseded_by, m.reopened_at, m.object_id, m.round, o.survey, o.identity, o.targetid"
            " FROM merge m JOIN object o ON o.id = m.object_id WHERE m.uid = ?",
            (uid,),
        ).fetchone()
        if row is None:
            raise Refused(f"there is no merged label {uid}", file=ws.root)
        superseded_by, reopened_at, object_id, round_, survey, identity, targetid = row
        if reopened_at:
            return
        if superseded_by:
            raise Refused("a later merged label superseded this one", mend="undo that one")
        entry = Entry(
            uid=uuid.uuid4().hex,
            at=utc_now(),
            kind="reopen",
            by=code,
            body={"merge_uid": uid},
            survey=survey,
            identity=identity,
            targetid=targetid,
            object_id=object_id,
            round=round_,
        )
        write(connection, ws.journal_dir, [entry])


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
        known |= {name: bool(known[name]) for name in ("unseen", "names_shown")}
        known |= {"vote_uids": tuple(json.loads(known["vote_uids"]))}
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
            "names_shown": bool(label.names_shown),
        },
        survey=survey,
        identity=identity,
        targetid=targetid,
        object_id=int(label.object_id),
        round=int(label.round),
    )
