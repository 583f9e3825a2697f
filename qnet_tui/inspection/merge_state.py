"""The merger in front of one object: a state that every key press turns into the next.

Pure: it knows no screen and no database. The answer starts with what nobody disputes and leaves the rest empty; it is
never the first inspector's. What a key cannot do raises :class:`~.answer.Refused` and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from qnet_tui.inspection.answer import (
    CLASSES,
    ISSUE_LETTERS,
    STAR_Z_LIMIT,
    Refused,
    SpecType,
    clean_comment,
    parse_z,
    stepped_z,
    z_text,
)
from qnet_tui.inspection.merge_rules import Proposal, VoteShown

QUALITY_LOWEST, QUALITY_HIGHEST = 0.0, 4.0


@dataclass(frozen=True)
class MergeAnswer:
    """What the merger says: class, redshift, quality 0 to 4 (fractions too), issues (sorted), and a comment.

    The comment is the merger's own; those of the votes are kept beside it whatever is answered.
    """

    spectype: str | None = None
    z: float | None = None
    quality: float | None = None
    issues: str = ""
    comment: str = ""

    def missing(self) -> tuple[str, ...]:
        """Return what is still needed, of "class", "z", "quality"; quality 0 needs neither class nor redshift."""
        left = []
        if self.spectype is None and self.quality != 0:
            left.append("class")
        if self.z is None and self.quality != 0:
            left.append("z")
        if self.quality is None:
            left.append("quality")
        return tuple(left)

    def refusal(self) -> str | None:
        """Return why this cannot be merged, in one line with the keys that mend it; None when it can."""
        keys = {"class": "s g q", "z": "z types it", "quality": "0-4, Q types it"}
        left = self.missing()
        if left:
            return "not yet: " + ", ".join(f"{name} ({keys[name]})" for name in left)
        if self.spectype == "STAR" and self.z is not None and abs(self.z) >= STAR_Z_LIMIT:
            return f"a star has |z| < {STAR_Z_LIMIT:g}: mend z (now {z_text(self.z)}) or the class"
        return None


@dataclass(frozen=True)
class MergeState:
    """The answer so far, the votes, the one that is lit (its redshift places the lines), and the proposal."""

    votes: tuple[VoteShown, ...]
    proposal: Proposal
    answer: MergeAnswer = field(default_factory=MergeAnswer)
    lit: int = 0

    @classmethod
    def start(cls, votes: Sequence[VoteShown], proposal: Proposal, merged: MergeAnswer | None = None) -> MergeState:
        """Return the state of an object just shown: what nobody disputes, or what was ``merged`` before."""
        disputed = proposal.conflicts
        answer = MergeAnswer(
            spectype=None if "class" in disputed else proposal.spectype,
            z=None if "z" in disputed else proposal.z,
            # With anything in dispute a quality is of one of the answers: nothing of it is settled.
            quality=None if disputed else proposal.quality,
            issues=proposal.issues,
        )
        return cls(tuple(votes), proposal, merged or answer)

    @property
    def trial_z(self) -> float | None:
        """Return the redshift at which lines are drawn: the lit vote's, else the answer's."""
        lit = self.votes[self.lit].z if self.votes else None
        return self.answer.z if lit is None else lit

    def with_lit(self, step: int) -> MergeState:
        """Light the vote ``step`` below (above, if negative) the one that is lit; it stops at the ends."""
        lit = min(max(self.lit + step, 0), len(self.votes) - 1)
        if lit == self.lit:
            raise Refused("this is the last vote" if step > 0 else "this is the first vote")
        return replace(self, lit=lit)

    def with_vote_copied(self) -> MergeState:
        """Take class, redshift, quality and issues of the lit vote; the comment stays the merger's."""
        vote = self.votes[self.lit]
        return self._with(spectype=vote.spectype, z=vote.z, quality=float(vote.quality), issues=_sorted(vote.issues))

    def with_proposal(self) -> MergeState:
        """Take what the rule offers; what it leaves open stays as it is.

        Raises:
            Refused: it offers nothing for what is in dispute.
        """
        offered = self.proposal
        values = {"class": offered.spectype, "z": offered.z, "quality": offered.quality}
        if offered.conflicts and all(values[name] is None for name in offered.conflicts):
            raise Refused("no two votes agree: y copies the lit one, or answer yourself")
        return self._with(
            spectype=self.answer.spectype if offered.spectype is None else offered.spectype,
            z=self.answer.z if offered.z is None else offered.z,
            quality=self.answer.quality if offered.quality is None else offered.quality,
            issues=offered.issues,
        )

    def with_class(self, spectype: SpecType | None) -> MergeState:
        """Set the class; the redshift stays, and a star that has a galaxy's is refused at the commit."""
        return self._with(spectype=spectype)

    def with_quality(self, quality: float) -> MergeState:
        """Set the quality, any number from 0 to 4."""
        if not (math.isfinite(quality) and QUALITY_LOWEST <= quality <= QUALITY_HIGHEST):
            raise Refused(f"quality is a number from 0 to 4, not {quality:g}")
        return self._with(quality=float(quality))

    def with_quality_typed(self, text: str) -> MergeState:
        """Take a typed quality; a decimal comma is taken too, nothing typed clears it."""
        if not text.strip():
            return self._with(quality=None)
        return self.with_quality(parse_quality(text))

    def with_z_typed(self, text: str) -> MergeState:
        """Take a typed redshift; nothing typed clears it."""
        return self._with(z=parse_z(text) if text.strip() else None)

    def with_z_stepped(self, step: float) -> MergeState:
        """Move z by ``step``; without one yet from the lit vote's."""
        start = self.trial_z if self.answer.z is None else self.answer.z
        z = stepped_z(start, step)
        if z == self.answer.z:
            raise Refused(f"z stops at {z_text(z)}")
        return self._with(z=z)

    def with_issue_toggled(self, letter: str) -> MergeState:
        """Set or clear issue R, C or S."""
        if letter not in ISSUE_LETTERS:
            raise ValueError(f"no issue letter: {letter!r}")
        return self._with(issues=_sorted(set(self.answer.issues) ^ {letter}))

    def with_comment(self, text: str) -> MergeState:
        """Replace the merger's comment."""
        return self._with(comment=clean_comment(text))

    def with_commit_asked(self) -> MergeState:
        """Check that this can be merged.

        Raises:
            Refused: something is missing or impossible.
        """
        why = self.answer.refusal()
        if why:
            raise Refused(why)
        return self

    def _with(self, **changes: object) -> MergeState:
        return replace(self, answer=replace(self.answer, **changes))  # type: ignore[arg-type]


def proposed_answer(proposal: Proposal) -> MergeAnswer:
    """Return what a proposal would merge as it stands; :meth:`MergeAnswer.refusal` says whether it can."""
    return MergeAnswer(proposal.spectype, proposal.z, proposal.quality, proposal.issues)


def parse_quality(text: str) -> float:
    """Read a typed quality, 0 to 4, fractions too.

    Raises:
        Refused: it is none.
    """
    try:
        quality = float(text.strip().replace(",", "."))
    except ValueError:
        raise Refused(f"{text.strip() or 'nothing'!r} is no quality: a number from 0 to 4, like 2.5") from None
    if not QUALITY_LOWEST <= quality <= QUALITY_HIGHEST:
        raise Refused(f"quality is a number from 0 to 4, not {quality:g}")
    return quality


def class_named(text: str) -> SpecType:
    """Return the class of a word: STAR, GALAXY, QSO in any case, or its key s, g, q.

    Raises:
        Refused: it is none of them.
    """
    found = [known for known in CLASSES if text.upper() in (known, known[0])]
    if not found:
        raise Refused(f"{text!r} is no class: s STAR, g GALAXY, q QSO")
    return found[0]


def _sorted(letters: set[str] | str) -> str:
    return "".join(sorted(set(letters)))
