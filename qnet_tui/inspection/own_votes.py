"""The campaign's own file of votes: everything that is known of each, in columns, exactly as it is stored.

What the other formats lose is here: the redshift with all its digits, where it came from and its error, who voted
when and how long it took, what the inspector could not see, and which votes were replaced or taken back. Reading what
was written gives the same values, so a file of one workspace makes the same votes in another.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from qnet_tui.inspection.answer import CLASSES, ISSUE_LETTERS, Z_HIGHEST, Z_LOWEST, Z_SOURCES
from qnet_tui.inspection.csv_text import csv_text, records

COLUMNS = (
    "SURVEY", "ID", "TARGETID", "campaign", "round", "selection_rank", "entropy", "inspector", "VI_SPECTYPE", "VI_Z",
    "z_error", "z_source", "VI_QUALITY", "VI_ISSUE", "VI_COMMENT", "tags", "committed_at", "active_seconds",
    "blind_peers", "blind_model", "app_version", "origin", "superseded", "withdrawn", "uid",
)  # fmt: skip
_NEEDED = ("SURVEY", "ID", "round", "inspector", "VI_QUALITY", "committed_at", "uid")
_ORIGIN = "qnet:"
_SURVEYS = ("desi", "sdss")
_IDENTITY = re.compile(r"[0-9]{1,19}|T[0-9]{1,19}|P[0-9]{1,6}-[0-9]{1,6}-[0-9]{1,6}")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{1,9}")
_UID = re.compile(r"[0-9A-Za-z_-]{8,64}")


@dataclass(frozen=True)
class OwnVote:
    """One vote of one campaign, in the order of :data:`COLUMNS`; None is an empty cell."""

    survey: str
    identity: str
    targetid: int | None
    campaign: str
    round: int
    rank: int | None
    entropy: float | None
    inspector: str
    spectype: str | None
    z: float | None
    z_error: float | None
    z_source: str
    quality: int
    issues: str
    comment: str
    tags: str
    committed_at: str
    active_seconds: float
    blind_peers: bool
    blind_model: bool
    app_version: str
    origin: str
    superseded: bool
    withdrawn: bool
    uid: str

    def sort_key(self) -> tuple[object, ...]:
        """By survey, TARGETID and identity, then time, so that two exports differ only where the votes do."""
        return self.survey, self.targetid or 0, self.identity, self.committed_at, self.uid


def origin_of(campaign: str, origin: str) -> str:
    """What a vote taken over from this file keeps as its origin: the campaign it was given in, and its origin there."""
    return f"{_ORIGIN}{campaign}|{origin}"


def campaign_of(origin: str) -> tuple[str, str] | None:
    """(campaign, origin there) that :func:`origin_of` wrote, None for a vote that no such file brought."""
    if not origin.startswith(_ORIGIN):
        return None
    campaign, _, there = origin.removeprefix(_ORIGIN).partition("|")
    return campaign, there


class NotOwnVotes(ValueError):
    """The text is no file of votes of this program; the message says what it lacks."""


def own_votes_csv(votes: Sequence[OwnVote]) -> str:
    """The text of the file, sorted; the same votes give the same bytes whatever their order."""
    return csv_text(COLUMNS, (astuple(vote) for vote in sorted(votes, key=OwnVote.sort_key)))


def is_own_votes(header: Sequence[str]) -> bool:
    """Whether a table with these columns is such a file: no other one has both a uid and a time for each vote."""
    return {"uid", "committed_at", "VI_QUALITY", "inspector"} <= set(header)


def read_own_votes(text: str) -> tuple[list[tuple[int, OwnVote]], list[tuple[int, str]]]:
    """(line, vote) of every row that can be used, and (line, reason) of every other.

    Columns may stand in any order; those that only describe may be missing.

    Raises:
        NotOwnVotes: no such header, a column that is needed is missing or doubled, or a quote does not close.
    """
    good: list[tuple[int, OwnVote]] = []
    bad: list[tuple[int, str]] = []
    try:
        rows = records(text)
        _, header = next(rows, (0, []))
        header = [name.strip() for name in header]
        lacking = [name for name in _NEEDED if name not in header]
        if lacking:
            raise NotOwnVotes(f"lacks the column {', '.join(lacking)}")
        doubled = [name for name in COLUMNS if header.count(name) > 1]
        if doubled:
            raise NotOwnVotes(f"has the column {doubled[0]} twice")
        line = 1
        for line, cells in rows:
            if len(cells) != len(header):
                bad.append((line, f"{len(cells)} fields where the header has {len(header)}"))
                continue
            try:
                good.append((line, _vote(dict(zip(header, cells, strict=True)))))
            except ValueError as reason:
                bad.append((line, str(reason)))
    except csv.Error as error:
        raise NotOwnVotes(f"cannot be read as CSV after line {line} ({error})") from None
    return good, bad


def _vote(row: Mapping[str, str]) -> OwnVote:
    survey = _one_of(row, "SURVEY", _SURVEYS)
    identity, inspector, uid = row["ID"], row["inspector"], row["uid"]
    for name, value, form in (("ID", identity, _IDENTITY), ("inspector", inspector, _CODE), ("uid", uid, _UID)):
        if not form.fullmatch(value):
            raise ValueError(f"{name} {value!a} is none")
    z = _number(row, "VI_Z", Z_LOWEST, Z_HIGHEST)
    issues = row.get("VI_ISSUE", "")
    if not set(issues) <= set(ISSUE_LETTERS):
        raise ValueError(f"VI_ISSUE {issues!a}: letters of {ISSUE_LETTERS}")
    quality = _whole(row, "VI_QUALITY", 0, 4)
    number = _whole(row, "round", 1, 1_000_000)
    if quality is None or number is None:
        raise ValueError("VI_QUALITY and round are never empty")
    rank = _whole(row, "selection_rank", 0, 2**53)
    source = _one_of(row, "z_source", ("", *Z_SOURCES))
    return OwnVote(
        survey=survey,
        identity=identity,
        targetid=_whole(row, "TARGETID", -(2**63), 2**63 - 1),
        campaign=row.get("campaign", ""),
        round=number,
        rank=rank,
        entropy=_number(row, "entropy", 0.0, 10.0),
        inspector=inspector,
        spectype=_one_of(row, "VI_SPECTYPE", ("", *CLASSES)) or None,
        z=z,
        z_error=_number(row, "z_error", 0.0, 10.0) if z is not None else None,
        z_source=source,
        quality=quality,
        issues="".join(sorted(set(issues))),
        comment=row.get("VI_COMMENT", ""),
        tags=row.get("tags", ""),
        committed_at=_time(row["committed_at"]),
        active_seconds=_number(row, "active_seconds", 0.0, 1e9) or 0.0,
        blind_peers=_flag(row, "blind_peers"),
        blind_model=_flag(row, "blind_model"),
        app_version=row.get("app_version", ""),
        origin=row.get("origin", ""),
        superseded=_flag(row, "superseded"),
        withdrawn=_flag(row, "withdrawn"),
        uid=uid,
    )


def _one_of(row: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    value = row.get(name, "")
    if value not in known:
        raise ValueError(f"{name} {value!a} is none of {', '.join(filter(None, known))}")
    return value


def _number(row: Mapping[str, str], name: str, low: float, high: float) -> float | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} {text!a} is no number") from None
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} {text} is outside {low:g} to {high:g}")
    return value


def _whole(row: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    text = row.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise ValueError(f"{name} {text!a} is no whole number")
    value = int(text)
    if not low <= value <= high:
        raise ValueError(f"{name} {value} is outside {low} to {high}")
    return value


def _flag(row: Mapping[str, str], name: str) -> bool:
    return _one_of(row, name, ("", "0", "1")) == "1"


def _time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"committed_at {text!a} is no ISO 8601 time") from None
    return text
