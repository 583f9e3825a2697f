"""What a vote is, and the table of votes read back."""
# ruff: noqa: A002 - "round" is the word of the field for it.

import math
import uuid
from dataclasses import dataclass, field, replace

from storage.connection import fetch
from storage.entries import CURRENT_VOTE, VOTE_COLUMNS
from storage.errors import Refused
from storage.inspectors import registered_code
from storage.times import canonical_time, utc_now
from storage.workspace import Workspace

CLASSES = ("STAR", "GALAXY", "QSO")
ISSUES = "CRS"
VOTE_NAMES = ("uid", "round", "object_id", "inspector", *VOTE_COLUMNS, "committed_at")
"""The columns of a :class:`Vote`, as :func:`votes_where` asks for them."""


@dataclass(frozen=True)
class Vote:
    """What one inspector says of one object.

    Attributes:
        uid: made by the client, once for each answer; a repeated commit keeps it.
        round, object_id, inspector: where, what, who.
        spectype: STAR, GALAXY, QSO, or None where nothing can be said.
        z: the redshift, None where none can be given.
        quality: 0 to 4.
        issues: any of C (class wrong), R (redshift wrong), S (spectrum bad), sorted.
        comment: free text.
        z_source: typed, line, fit or pipeline.
        active_seconds: time spent, idle gaps left out.
        blind_peers, blind_model: what the inspector could not see.
        tags: words for the training, e.g. that much of the spectrum was masked.
        app_version: the program's version.
        committed_at: UTC, ISO 8601.
        superseded, withdrawn: set by :func:`votes`; a later vote replaced it, its author undid it.
        z_error: one standard deviation of ``z`` where a fit gave one, else None.
        origin: the file that an imported vote came from, "" for one given here.

    """

    uid: str
    round: int
    object_id: int
    inspector: str
    spectype: str | None
    z: float | None
    quality: int
    issues: str = ""
    comment: str = ""
    z_source: str = ""
    active_seconds: float = 0.0
    blind_peers: bool = True
    blind_model: bool = True
    tags: str = ""
    app_version: str = ""
    committed_at: str = field(default_factory=utc_now)
    superseded: bool = False
    withdrawn: bool = False
    z_error: float | None = None
    origin: str = ""


def new_uid() -> str:
    """Return a fresh uid for a vote."""
    return uuid.uuid4().hex


def votes(
    ws: Workspace,
    round: int | None = None,
    object_id: int | None = None,
    current: bool = True,
) -> list[Vote]:
    """Return votes by object and time: those that hold; with ``current=False`` all that ever were."""
    return votes_where(
        ws,
        "(:round IS NULL OR round = :round) AND (:object_id IS NULL OR object_id = :object_id)"
        f" AND (NOT :current OR ({CURRENT_VOTE})) ORDER BY object_id, committed_at, uid",
        {"round": round, "object_id": object_id, "current": int(current)},
    )


def votes_where(ws: Workspace, condition: str, values: dict[str, object]) -> list[Vote]:
    """Return the votes for which an SQL condition of this package holds, with the order that it ends in."""
    rows = fetch(
        ws.db,
        f"SELECT {', '.join(f'v.{name}' for name in VOTE_NAMES)}, superseded_by <> '', withdrawn_at <> ''"
        f" FROM vote v WHERE {condition}",
        values,
    )
    found = []
    for *cells, superseded, withdrawn in rows:
        known = dict(zip(VOTE_NAMES, cells, strict=True))
        known |= {name: bool(known[name]) for name in ("blind_peers", "blind_model")}
        found.append(Vote(**known, superseded=bool(superseded), withdrawn=bool(withdrawn)))
    return found


def checked_vote(ws: Workspace, vote: Vote) -> Vote:
    """Return the vote in the one form that is stored; refuse before anything is written.

    Raises:
        Refused: a value that cannot be, the object was never in that round, or the inspector is unknown.

    """
    if not vote.uid:
        raise Refused("a vote needs a uid")
    if vote.spectype is not None and vote.spectype not in CLASSES:
        raise Refused(f"the class is one of {', '.join(CLASSES)}, not {vote.spectype!r}")
    if vote.quality not in range(5):
        raise Refused(f"the quality is 0 to 4, not {vote.quality}")
    if not set(vote.issues) <= set(ISSUES):
        raise Refused(f"issues are letters of {ISSUES}, not {vote.issues!r}")
    z = None if vote.z is None or math.isnan(vote.z) else float(vote.z)
    if z is not None and math.isinf(z):
        raise Refused("the redshift is infinite")
    z_error = None if z is None or vote.z_error is None or math.isnan(vote.z_error) else float(vote.z_error)
    if z_error is not None and not 0.0 <= z_error < math.inf:
        raise Refused(f"the error of the redshift is a positive number, not {z_error}")
    object_id, round_ = int(vote.object_id), int(vote.round)
    if not fetch(ws.db, "SELECT 1 FROM selection WHERE round = ? AND object_id = ?", (round_, object_id)):
        raise Refused(f"object {object_id} is not in round {round_}", file=ws.root)
    return replace(
        vote,
        object_id=object_id,
        round=round_,
        inspector=registered_code(ws, vote.inspector),
        z=z,
        quality=int(vote.quality),
        issues="".join(sorted(set(vote.issues))),
        active_seconds=float(vote.active_seconds),
        blind_peers=bool(vote.blind_peers),
        blind_model=bool(vote.blind_model),
        committed_at=canonical_time(vote.committed_at),
        z_error=z_error,
    )
