"""The rows of an inspection file on their way to votes: who gave them, of which object, and what was left blank."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qnet_tui.errors import BadInput
from qnet_tui.inspection.own_votes import NotOwnVotes, OwnVote, origin_of, read_own_votes
from qnet_tui.inspection.prospect_file import CODE, COMMENT_LENGTH, code_of, scanner_of
from qnet_tui.truth.cells import star_moves
from qnet_tui.truth.vote_rows import GivenVote, read_votes
from qnet_tui.workflows.export_objects import ObjectName, objects_by_id, shown_rows
from qnet_tui.workflows.given_round import known_objects
from storage.inspectors import inspectors
from storage.votes import Vote
from storage.workspace import Workspace

OWN = "ours"
"""The dialect of the campaign's own file."""


@dataclass
class VotesImport:
    """What ``qnet vi import`` says.

    ``rows == added + known + repeated + len(rejected)``. ``rounds`` counts the votes of this file by round,
    ``new_rounds`` are those that were opened for them; ``inspectors`` are codes with their votes, ``new_inspectors``
    those that nobody here has an account for.
    """

    file: str
    dialect: str
    rows: int = 0
    added: int = 0
    known: int = 0
    repeated: int = 0
    rounds: dict[int, int] = field(default_factory=dict)
    new_rounds: list[int] = field(default_factory=list)
    inspectors: dict[str, int] = field(default_factory=dict)
    new_inspectors: list[str] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, line: int, reason: str) -> None:
        """List a row that became no vote."""
        self.rejected.append({"line": line, "reason": reason})


@dataclass(frozen=True)
class VoteRow:
    """A row on its way to a vote: ``vote`` lacks its object and round as long as they are 0."""

    line: int
    names: tuple[tuple[str, str], ...]
    scanner: str
    vote: Vote
    asked_round: int | None = None
    rank: int = 0
    entropy: float | None = None
    origin: str = ""
    blank: GivenVote | None = None


def own_rows(text: str, path: Path, said: VotesImport) -> list[VoteRow]:
    """Rows of the campaign's own file. Raises BadInput when it lacks a column that it cannot do without."""
    try:
        good, bad = read_own_votes(text)
    except NotOwnVotes as error:
        raise BadInput(str(error), file=path, mend="export it again: qnet export votes -o FILE") from None
    said.dialect, said.rows = OWN, len(good) + len(bad)
    for line, reason in bad:
        said.refuse(line, reason)
    return [_own_row(line, one) for line, one in good]


def _own_row(line: int, one: OwnVote) -> VoteRow:
    vote = Vote(
        uid=one.uid, round=0, object_id=0, inspector=one.inspector, spectype=one.spectype, z=one.z,
        quality=one.quality, issues=one.issues, comment=one.comment, z_source=one.z_source,
        active_seconds=one.active_seconds, blind_peers=one.blind_peers, blind_model=one.blind_model, tags=one.tags,
        app_version=one.app_version, committed_at=one.committed_at, superseded=one.superseded,
        withdrawn=one.withdrawn, z_error=one.z_error,
    )  # fmt: skip
    names, origin = ((one.survey, one.identity),), origin_of(one.campaign, one.origin)
    return VoteRow(line, names, one.inspector, vote, one.round, one.rank or 0, one.entropy, origin)


def prospect_rows(content: bytes, path: Path, said: VotesImport) -> list[VoteRow]:
    """Rows of a file of Prospect, with blanks as blanks. Raises BadInput when it is none."""
    table = read_votes(content, path)
    said.dialect, said.rows = table.dialect, table.rows
    said.notes += [note for note in table.notes if note not in said.notes]
    for bad in table.rejected:
        said.refuse(bad.line, bad.reason)
    # The file has no times: it was written when the last answer was given, and each answer before it.
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    long = sum(1 for one in table.votes if len(one.comment) > COMMENT_LENGTH)
    if long:
        said.notes.append(f"{long} comments are longer than {COMMENT_LENGTH} signs: kept whole here")
    return [
        VoteRow(
            one.line,
            one.identities,
            one.scanner,
            Vote(
                uid="", round=0, object_id=0, inspector="", spectype=one.spectype, z=one.z, quality=one.quality,
                issues=one.issues, comment=one.comment, z_source="" if one.z is None else "typed", blind_model=False,
                app_version=table.dialect, committed_at=written,
            ),
            origin=f"{table.dialect}:{path.name}",
            blank=one if one.quality > 0 and (one.z is None or one.spectype is None) else None,
        )
        for one in table.votes
    ]  # fmt: skip


def with_inspectors(
    ws: Workspace, rows: Sequence[VoteRow], code: str | None, path: Path, said: VotesImport
) -> list[VoteRow]:
    """Rows with the code of who gave them; nobody is registered yet."""
    registered = {one.code.lower(): one.code for one in inspectors(ws)}
    in_name = scanner_of(path.name)
    if code is not None and not CODE.fullmatch(code):
        raise BadInput(f"{code!r} is no inspector code", mend="use 2 to 10 letters or digits, a letter first")
    spelled: dict[str, str] = {}
    good: list[VoteRow] = []
    for row in rows:
        given = code_of(row.scanner) if row.scanner else code or in_name
        if not given:
            why = f"scanner {row.scanner[:40]!a} makes no code of 2 to 10 letters or digits"
            said.refuse(row.line, why if row.scanner else "no scanner; give --as CODE")
            continue
        known = registered.setdefault(given.lower(), given)
        if row.scanner and spelled.setdefault(known, row.scanner) != row.scanner:
            said.refuse(row.line, f"scanners {spelled[known]!a} and {row.scanner!a} make the same code {known}")
            continue
        good.append(replace(row, vote=replace(row.vote, inspector=known)))
    if in_name and code is None and any(not row.scanner for row in good):
        said.notes.append(f"rows without a scanner are {in_name}'s, whom the file's name tells")
    return good


def with_objects(ws: Workspace, rows: Sequence[VoteRow], said: VotesImport) -> list[VoteRow]:
    """Rows with the object that each is about; those of objects without a spectrum here are refused."""
    good: list[VoteRow] = []
    for row, object_id in zip(rows, known_objects(ws, (row.names for row in rows)), strict=True):
        if object_id is None:
            said.refuse(row.line, f"no spectrum here of {row.names[0][0]} {row.names[0][1]}")
        else:
            good.append(replace(row, vote=replace(row.vote, object_id=object_id)))
    return good


def with_pipeline(ws: Workspace, rows: Sequence[VoteRow], said: VotesImport) -> list[VoteRow]:
    """Fill what an inspector left blank, at a quality above 0, with what the pipeline said; give each vote its uid.

    The file's own pipeline answer counts, for that is what the inspector saw; where ours is the same to the digits
    the file has, ours is taken, which has more. At quality 0 a blank stays one: nothing was seen.
    """
    ours = _pipeline_here(ws, [row.vote.object_id for row in rows if row.blank is not None])
    names = objects_by_id(ws, (row.vote.object_id for row in rows))
    good: list[VoteRow] = []
    accepted = 0
    for row in rows:
        vote = row.vote
        if row.blank is not None:
            vote = _filled(vote, row.blank, ours.get(vote.object_id, ("", None)))
            lacking = [name for name, value in (("VI_z", vote.z), ("VI_spectype", vote.spectype)) if value is None]
            if lacking:
                said.refuse(row.line, f"{' and '.join(lacking)} blank, and no pipeline said anything")
                continue
            accepted += 1
        if not vote.uid:
            vote = replace(vote, uid=_uid(names[vote.object_id], vote))
        good.append(replace(row, vote=vote))
    if accepted:
        said.notes.append(f"{accepted} rows accept the pipeline's redshift or class")
    moving = sum(1 for row in good if star_moves(row.vote.spectype or "", row.vote.z))
    if moving:
        said.notes.append(f"{moving} stars have a redshift beyond 0.01, which no star has: kept as stars")
    return good


def _filled(vote: Vote, blank: GivenVote, ours: tuple[str, float | None]) -> Vote:
    spectype, z = ours
    if blank.pipeline_z is not None and (z is None or round(z, 4) != round(blank.pipeline_z, 4)):
        z = blank.pipeline_z
    if vote.z is None:
        vote = replace(vote, z=z, z_source="pipeline")
    return replace(vote, spectype=vote.spectype or blank.pipeline_spectype or spectype or None)


def _pipeline_here(ws: Workspace, object_ids: Sequence[int]) -> dict[int, tuple[str, float | None]]:
    """Object → (class, redshift) of the pipeline's answer beside the spectrum that people look at."""
    found = shown_rows(ws, object_ids)
    redshifts = {object_id: float(row["pipeline_z"]) for object_id, row in found.items()}
    return {
        object_id: (str(row["pipeline_class"]), None if math.isnan(redshifts[object_id]) else redshifts[object_id])
        for object_id, row in found.items()
    }


def _uid(name: ObjectName, vote: Vote) -> str:
    """A uid made of what the vote says, so that the same row always is the same vote."""
    said = (
        name.survey,
        name.identity,
        vote.inspector.lower(),
        vote.spectype,
        vote.z,
        vote.quality,
        vote.issues,
        vote.comment,
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]
