"""When several people's votes on one object agree, and what the merged label then is (rule ``qnet1``).

A conflict is a difference of class, of redshift, dz = (z_max - z_min) / (1 + z_min) >= 0.0033 (989 km/s), or of
quality by 2 or more. Agreed votes give the mean redshift, the mean quality (kept as a fraction), the common class,
the union of the issues and the comments with their authors. A vote of quality 0 without z says nothing of class
and redshift; it counts for the quality.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# 1.0000 and 1.0066 are 0.0033 apart, which binary fractions make 0.00329999...: the edge belongs to the conflict.
_ALLOWANCE = 1e-9


class VoteLike(Protocol):
    """What the rule reads of a vote."""

    @property
    def inspector(self) -> str:
        """Who voted."""

    @property
    def spectype(self) -> str | None:
        """STAR, GALAXY, QSO, or None."""

    @property
    def z(self) -> float | None:
        """The redshift, None where none was given."""

    @property
    def quality(self) -> int:
        """0 to 4."""

    @property
    def issues(self) -> str:
        """Letters of C, R and S."""

    @property
    def comment(self) -> str:
        """Free text."""


@dataclass(frozen=True)
class MergeRule:
    """The numbers of the rule, as the campaign sets them."""

    dz_conflict: float = 0.0033
    quality_conflict: int = 2
    name: str = "qnet1"


@dataclass(frozen=True)
class Proposal:
    """The merged label of one object; ``conflicts`` of "class", "z", "quality" are for the merger to settle."""

    conflicts: tuple[str, ...]
    spectype: str | None
    z: float | None
    quality: float
    issues: str
    comment: str
    dz: float


def propose(votes: Sequence[VoteLike], rule: MergeRule) -> Proposal:
    """Compare the votes on one object and propose their merged label.

    With conflicts the disputed values are None (class, z) and the quality is the mean all the same: the proposal
    then only says what is disputed. ValueError without any vote.
    """
    if not votes:
        raise ValueError("no votes")
    speaking = [vote for vote in votes if not (vote.quality == 0 and vote.z is None)]
    classes = {vote.spectype for vote in speaking}
    redshifts = [float(vote.z) for vote in speaking if vote.z is not None]
    dz = (max(redshifts) - min(redshifts)) / (1.0 + min(redshifts)) if redshifts else 0.0
    qualities = [vote.quality for vote in votes]
    conflicts = []
    if len(classes) > 1:
        conflicts.append("class")
    if len(redshifts) > 1 and dz >= rule.dz_conflict - _ALLOWANCE:
        conflicts.append("z")
    if max(qualities) - min(qualities) >= rule.quality_conflict:
        conflicts.append("quality")
    return Proposal(
        conflicts=tuple(conflicts),
        spectype=next(iter(classes)) if len(classes) == 1 else None,
        z=sum(redshifts) / len(redshifts) if redshifts and "z" not in conflicts else None,
        quality=sum(qualities) / len(qualities),
        issues="".join(sorted(set().union(*(vote.issues for vote in votes)))),
        comment="; ".join(_signed(vote, alone=len(votes) == 1) for vote in votes if vote.comment.strip()),
        dz=dz,
    )


def _signed(vote: VoteLike, *, alone: bool) -> str:
    return vote.comment.strip() if alone else f"{vote.inspector}: {vote.comment.strip()}"
