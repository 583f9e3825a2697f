"""What a person did, as the journals and the event log keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from storage.errors import Refused

VOTE_COLUMNS = (
    "spectype", "z", "quality", "issues", "comment", "z_source", "active_seconds", "blind_peers",
    "blind_model", "tags", "app_version", "z_error", "origin",
)  # fmt: skip
MERGE_COLUMNS = (
    "spectype", "z", "quality", "issues", "comment", "n_votes", "rule", "unseen", "vote_uids", "names_shown",
)  # fmt: skip
CURRENT_VOTE = "superseded_by = '' AND withdrawn_at = ''"
CURRENT_MERGE = "superseded_by = '' AND reopened_at = ''"

# What entries from before schema 2 did not say.
UNSAID: Mapping[str, Any] = MappingProxyType({"z_error": None, "origin": "", "names_shown": False})


class UnknownEntry(Refused):
    """A journal entry that this database cannot take: its object, person, vote or kind is unknown here."""


@dataclass(frozen=True)
class Entry:
    """One thing a person did.

    ``kind``: inspector, vote, withdraw, restore, merge, reopen, star, unstar, look. ``by``: whose journal it is
    in. The object is named by survey and identity, which outlive the database; ``object_id`` is what it was
    called when the line was written. ``ordered_at`` is its place in the order of all, "" where only the time is
    known (a journal line from before schema 2, or one written while the database could not be). Entries of one
    ``group`` of ``group_size`` belong together: what a cut off import left of it is not entered at an open.
    """

    uid: str
    at: str
    kind: str
    by: str
    body: dict[str, Any] = field(default_factory=dict)
    survey: str = ""
    identity: str = ""
    targetid: int = 0
    object_id: int = 0
    round: int = 0
    group: str = ""
    group_size: int = 0
    ordered_at: str = ""

    def as_line(self) -> dict[str, Any]:
        """Return what the journal keeps."""
        line: dict[str, Any] = {
            "format": 1, "uid": self.uid, "at": self.at, "kind": self.kind, "by": self.by, "body": self.body,
        }  # fmt: skip
        if self.identity:
            line |= {
                "survey": self.survey, "identity": self.identity, "targetid": self.targetid,
                "object_id": self.object_id, "round": self.round,
            }  # fmt: skip
        if self.group:
            line |= {"group": self.group, "group_size": self.group_size}
        if self.ordered_at:
            line["ordered_at"] = self.ordered_at
        return line

    @classmethod
    def of_line(cls, line: dict[str, Any]) -> "Entry":
        """Read what the journal kept."""
        return cls(**{name: line[name] for name in cls.__dataclass_fields__ if name in line})
