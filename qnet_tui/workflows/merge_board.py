"""What there is to merge: every object with all its votes, whether they agree, and who has looked at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from qnet_tui.inspection.merge_rules import MergeRule, Proposal, joined_comments
from qnet_tui.inspection.merge_sample import shuffled
from storage.merges import MergedLabel
from storage.rounds import SelectionRecord
from storage.votes import Vote

LIGHT_KM_S = 299_792.458

State = Literal["conflict", "agreed", "merged"]
# Conflicts first, the class before the redshift before the quality.
_CONFLICT_ORDER = ("class", "z", "quality")


@dataclass(frozen=True)
class VoteLine:
    """One vote as the merger sees it.

    Attributes:
        name: "A", "B", "C" in an order of this object's own, or the inspector's code once names are shown.
        uid: of the vote.
        spectype, z, z_error, quality, issues, comment, z_source, blind_model: what was said, and what was hidden.
        velocity: km/s against the first vote with a redshift, None without one.
        differs: of "class", "z", "quality", what puts it outside what most say, or into the conflict.

    """

    name: str
    uid: str
    spectype: str | None
    z: float | None
    z_error: float | None
    quality: int
    issues: str
    comment: str
    z_source: str
    blind_model: bool
    velocity: float | None
    differs: frozenset[str]


@dataclass(frozen=True)
class BoardCase:
    """One object with all its votes.

    Attributes:
        record: its place in the round.
        survey, identity, targetid: what it is called.
        state: "merged", or what its votes say: "conflict", "agreed".
        conflicts: of "class", "z", "quality", also of a merged object.
        to_look: of the random tenth, agreed, not merged, and no merger has looked at it.
        looked: of the random tenth, and somebody has looked at these very votes.
        votes: what holds, in the order of the inspectors' codes.
        proposal: what the rule makes of them; its comment names the inspectors.
        merged: what was settled, if it holds.
        before: the last label of one that was merged once and is open again, by a vote or by the merger.

    """

    record: SelectionRecord
    survey: str
    identity: str
    targetid: int
    state: State
    conflicts: tuple[str, ...]
    to_look: bool
    looked: bool
    votes: tuple[Vote, ...]
    proposal: Proposal
    merged: MergedLabel | None
    before: MergedLabel | None

    @property
    def name(self) -> str:
        """Return the name that seeds what is random about the object."""
        return f"{self.survey}:{self.identity}"

    @property
    def key(self) -> tuple[int, int]:
        """Return (round, object id)."""
        return (self.record.round, self.record.object_id)

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Sort by this: conflicts (class, z, quality), the tenth to look at, agreed ones, merged ones."""
        kind = 5
        if self.state == "conflict":
            kind = _CONFLICT_ORDER.index(self.conflicts[0])
        elif self.state == "agreed":
            kind = 3 if self.to_look else 4
        return (kind, self.record.round, self.record.rank, self.record.object_id)

    @property
    def taken_back(self) -> bool:
        """Whether a merger opened it again, rather than a vote: a batch does not decide it a second time."""
        return self.before is not None and set(self.before.vote_uids) == {vote.uid for vote in self.votes}

    def voted(self, code: str) -> bool:
        """Whether this inspector voted on it."""
        return any(vote.inspector.lower() == code.lower() for vote in self.votes)

    def in_shown_order(self) -> list[Vote]:
        """Return the votes in the order in which a merger sees them."""
        return shuffled(self.name, self.votes)

    def lines(self, *, names_shown: bool) -> tuple[VoteLine, ...]:
        """Return the votes as the merger sees them."""
        shown = self.in_shown_order()
        reference = next((vote.z for vote in shown if vote.z is not None), None)
        outside = dict(zip((vote.uid for vote in self.votes), self.proposal.outside, strict=True))
        return tuple(
            VoteLine(
                name=vote.inspector if names_shown else hidden_name(at),
                uid=vote.uid,
                spectype=vote.spectype,
                z=vote.z,
                z_error=vote.z_error,
                quality=vote.quality,
                issues=vote.issues,
                comment=vote.comment,
                z_source=vote.z_source,
                blind_model=vote.blind_model,
                velocity=velocity(vote.z, reference),
                differs=outside[vote.uid],
            )
            for at, vote in enumerate(shown)
        )

    def shown_proposal(self, rule: MergeRule, *, names_shown: bool) -> Proposal:
        """Return the proposal with its comments signed as the merger may see them."""
        if names_shown or rule.name == "desi2021":
            return self.proposal
        signed = [replace(vote, inspector=hidden_name(at)) for at, vote in enumerate(self.in_shown_order())]
        return replace(self.proposal, comment=joined_comments(signed, rule))


@dataclass(frozen=True)
class Board:
    """The cases of some rounds in the order in which a merger takes them; ``open`` counts objects that lack votes."""

    cases: tuple[BoardCase, ...]
    open: int

    @cached_property
    def by_key(self) -> dict[tuple[int, int], BoardCase]:
        """Return the cases by (round, object id)."""
        return {case.key: case for case in self.cases}

    def with_state(self, state: State) -> list[BoardCase]:
        """Return the cases of one state."""
        return [case for case in self.cases if case.state == state]


def hidden_name(at: int) -> str:
    """Return the name of the vote at this place while names are hidden: A, B, C ... Z, A2 ..."""
    return chr(ord("A") + at % 26) + (str(at // 26 + 1) if at >= 26 else "")


def velocity(z: float | None, reference: float | None) -> float | None:
    """Return c (z - z0) / (1 + z0) in km/s; None when one of them is missing."""
    if z is None or reference is None or reference <= -1.0:
        return None
    return LIGHT_KM_S * (z - reference) / (1.0 + reference)
