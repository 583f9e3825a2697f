"""When several people's votes on one object agree, and what the merged label then is.

``qnet1`` is the rule of this program; ``desi2021`` is what DESI's merge scripts did in 2021, kept to reproduce their
merged files. In both a conflict is a difference of class, of redshift, dz = (z_max - z_min) / (1 + z_min) >= 0.0033
(989 km/s), or of quality by 2 or more; agreed votes give the mean redshift, the mean quality (kept as a fraction),
the common class, the union of the issues and the comments. They differ in three things:

- a vote of quality 0 without z says nothing of class and redshift under ``qnet1`` (it counts for the quality);
  ``desi2021`` takes the pipeline's answer for whatever a vote left blank;
- ``qnet1`` allows 1e-9 at the edge, so that 1.0000 and 1.0066 conflict; ``desi2021`` compares plain doubles;
- in a conflict ``qnet1`` offers what most votes agree on ("2 of 3") or nothing; ``desi2021`` the first vote.

A star's redshift is compared like any other, in km/s by the same formula, and may be negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

RuleName = Literal["qnet1", "desi2021"]
RULES: tuple[RuleName, ...] = ("qnet1", "desi2021")

# 1.0000 and 1.0066 are 0.0033 apart, which binary fractions make 0.00329999...: the edge belongs to the conflict.
_ALLOWANCE = 1e-9


class VoteShown(Protocol):
    """The answer in a vote, without its author."""

    @property
    def spectype(self) -> str | None:
        """STAR, GALAXY, QSO, or None."""

    @property
    def z(self) -> float | None:
        """The redshift."""

    @property
    def quality(self) -> int:
        """0 to 4."""

    @property
    def issues(self) -> str:
        """Letters of C, R and S."""


class VoteLike(VoteShown, Protocol):
    """What the rule reads of a vote."""

    @property
    def inspector(self) -> str:
        """Who voted; the name that comments are signed with."""

    @property
    def comment(self) -> str:
        """Free text."""


@dataclass(frozen=True)
class PipelineAnswer:
    """What the pipeline says of the object: ``desi2021`` takes it for a blank class or redshift."""

    spectype: str | None = None
    z: float | None = None


@dataclass(frozen=True)
class MergeRule:
    """The rule and its numbers, as the campaign sets them."""

    dz_conflict: float = 0.0033
    quality_conflict: int = 2
    name: RuleName = "qnet1"


@dataclass(frozen=True)
class Proposal:
    """The merged label of one object as the votes give it.

    Attributes:
        conflicts: of "class", "z", "quality", in this order, what the merger has to settle.
        spectype, z, quality: None where the rule offers nothing. The quality is a mean, kept as a fraction.
        issues: sorted union of the letters.
        comment: all comments, signed.
        dz: (z_max - z_min) / (1 + z_min) over all redshifts, 0 without any.
        backing: how many votes it rests on, of ``n_votes``; ``words`` says it ("2 of 3"), "" without an offer.
        outside: position of a vote -> what of it ("class", "z", "quality") is outside what is offered, or, where
            nothing is offered, clashes with another vote. Empty without conflicts.

    """

    conflicts: tuple[str, ...]
    spectype: str | None
    z: float | None
    quality: float | None
    issues: str
    comment: str
    dz: float
    n_votes: int
    backing: int = 0
    words: str = ""
    outside: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class _Said:
    """One vote as the rule takes it: ``at`` is its position, ``silent`` says nothing of class and redshift."""

    at: int
    spectype: str | None
    z: float | None
    quality: int
    silent: bool


def propose(votes: Sequence[VoteLike], rule: MergeRule, pipeline: PipelineAnswer | None = None) -> Proposal:
    """Compare the votes on one object and propose their merged label.

    ``pipeline`` is used by ``desi2021`` alone. ValueError without any vote, or for an unknown rule.
    """
    if not votes:
        raise ValueError("no votes")
    if rule.name not in RULES:
        raise ValueError(f"no merge rule {rule.name!r}")
    said = [_taken(at, vote, rule, pipeline or PipelineAnswer()) for at, vote in enumerate(votes)]
    speaking = [one for one in said if not one.silent]
    redshifts = [one.z for one in speaking if one.z is not None]
    classes = {one.spectype for one in speaking}
    conflicts = []
    if len(classes) > 1:
        conflicts.append("class")
    if _apart(redshifts, rule):
        conflicts.append("z")
    if _spread([one.quality for one in said]) >= rule.quality_conflict:
        conflicts.append("quality")
    known = _Proposed(tuple(conflicts), said, rule)
    offer = known.first() if rule.name == "desi2021" and conflicts else known.agreed()
    return Proposal(
        conflicts=tuple(conflicts),
        spectype=offer.spectype,
        z=offer.z,
        quality=offer.quality,
        issues="".join(sorted(set().union(*(vote.issues for vote in votes)))),
        comment=joined_comments(votes, rule),
        dz=separation(redshifts),
        n_votes=len(votes),
        backing=offer.backing,
        words=offer.words,
        outside=known.outside(offer) if conflicts else tuple(frozenset() for _ in votes),
    )


def separation(redshifts: Sequence[float]) -> float:
    """Return dz = (z_max - z_min) / (1 + z_min); 0 for fewer than two, infinite when 1 + z_min is not positive."""
    if len(redshifts) < 2 or max(redshifts) == min(redshifts):
        return 0.0
    lowest = min(redshifts)
    return (max(redshifts) - lowest) / (1.0 + lowest) if lowest > -1.0 else float("inf")


def joined_comments(votes: Sequence[VoteLike], rule: MergeRule) -> str:
    """Return all comments of the votes: signed and joined by "; ", or as ``desi2021`` the distinct ones by a blank.

    The only vote's comment is not signed.
    """
    said = [(vote.inspector, vote.comment.strip()) for vote in votes if vote.comment.strip()]
    if rule.name == "desi2021":
        return " ".join(dict.fromkeys(text for _, text in said))
    return "; ".join(text if len(votes) == 1 else f"{who}: {text}" for who, text in said)


def merged_comment(votes: Sequence[VoteLike], rule: MergeRule, merger: str, own: str) -> str:
    """Return what a merged label keeps: the comments of its votes, then the merger's own, which is always signed."""
    return "; ".join(text for text in (joined_comments(votes, rule), f"{merger}: {own}" if own else "") if text)


def merger_comment(stored: str, votes: Sequence[VoteLike], rule: MergeRule, merger: str) -> str:
    """Return the merger's own part of a :func:`merged_comment` that was made of these votes; "" if there is none."""
    rest = stored.removeprefix(joined_comments(votes, rule)).removeprefix("; ")
    return rest.removeprefix(f"{merger}: ")


def _taken(at: int, vote: VoteLike, rule: MergeRule, pipeline: PipelineAnswer) -> _Said:
    if rule.name == "desi2021":
        z = pipeline.z if vote.z is None else float(vote.z)
        return _Said(at, vote.spectype or pipeline.spectype, z, vote.quality, silent=False)
    silent = vote.quality == 0 and vote.z is None
    return _Said(at, vote.spectype, None if vote.z is None else float(vote.z), vote.quality, silent)


def _apart(redshifts: Sequence[float], rule: MergeRule) -> bool:
    allowance = _ALLOWANCE if rule.name == "qnet1" else 0.0
    return len(redshifts) > 1 and separation(redshifts) >= rule.dz_conflict - allowance


def _spread(qualities: Sequence[int]) -> int:
    return max(qualities) - min(qualities) if qualities else 0


@dataclass(frozen=True)
class _Offer:
    spectype: str | None
    z: float | None
    quality: float | None
    backing: int = 0
    words: str = ""
    of_class_z: tuple[_Said, ...] = ()
    of_quality: tuple[_Said, ...] = ()


@dataclass(frozen=True)
class _Proposed:
    """The votes on one object with what they dispute, and the ways to make an offer of them."""

    conflicts: tuple[str, ...]
    said: list[_Said]
    rule: MergeRule

    def agreed(self) -> _Offer:
        """Offer what all agree on, else what most of them do (rule ``qnet1``)."""
        speaking = [one for one in self.said if not one.silent]
        disputed = bool({"class", "z"} & set(self.conflicts))
        group = self._most_alike(speaking) if disputed else tuple(speaking)
        classes = {one.spectype for one in group or speaking}
        # Without a majority what nobody disputes is offered all the same.
        placed = group if group or "z" in self.conflicts else speaking
        redshifts = [one.z for one in placed if one.z is not None]
        judges = self._judges(group, disputed=disputed)
        backing = len(self.said)
        if self.conflicts:
            sizes = [len(group)] if disputed else []
            sizes += [len(judges)] if "quality" in self.conflicts else []
            backing = min(sizes)
        quality = sum(one.quality for one in judges) / len(judges) if judges else None
        return _Offer(
            spectype=next(iter(classes)) if len(classes) == 1 else None,
            z=sum(redshifts) / len(redshifts) if redshifts else None,
            quality=quality,
            backing=backing,
            words=f"{backing} of {len(self.said)}" if self.conflicts and backing else "",
            of_class_z=group,
            of_quality=judges,
        )

    def first(self) -> _Offer:
        """Offer the first vote's value of whatever is disputed, but never its quality (rule ``desi2021``)."""
        redshifts = [one.z for one in self.said if one.z is not None]
        first = self.said[0]
        quality = sum(one.quality for one in self.said) / len(self.said)
        mean = sum(redshifts) / len(redshifts) if redshifts else None
        return _Offer(
            spectype=first.spectype,
            z=first.z if "z" in self.conflicts else mean,
            quality=None if "quality" in self.conflicts else quality,
            backing=1,
            words="first vote",
        )

    def outside(self, offer: _Offer) -> tuple[frozenset[str], ...]:
        """Say of every vote what puts it outside the offer, or into a conflict when there is no offer."""
        return tuple(
            frozenset(
                name
                for name, basis in (("class", offer.of_class_z), ("z", offer.of_class_z), ("quality", offer.of_quality))
                if name in self.conflicts
                and one not in basis
                and any(self._clash(name, one, other) for other in basis or self.said)
            )
            for one in self.said
        )

    def _clash(self, name: str, one: _Said, other: _Said) -> bool:
        if name == "quality":
            return abs(one.quality - other.quality) >= self.rule.quality_conflict
        if one.silent or other.silent:
            return False
        if name == "class":
            return one.spectype != other.spectype
        return one.z is not None and other.z is not None and _apart([one.z, other.z], self.rule)

    def _most_alike(self, speaking: Sequence[_Said]) -> tuple[_Said, ...]:
        """Return the votes that agree in class and redshift, when they are more than half; the closest of several."""
        found: list[tuple[int, float, tuple[_Said, ...]]] = []
        for spectype in sorted({one.spectype or "" for one in speaking}):
            same = [one for one in speaking if (one.spectype or "") == spectype]
            without = [one for one in same if one.z is None]
            placed = sorted((one for one in same if one.z is not None), key=lambda one: (one.z or 0.0, one.at))
            for first in range(max(len(placed), 1)):
                within: list[_Said] = []
                for one in placed[first:]:
                    if _apart([other.z for other in [*within, one] if other.z is not None], self.rule):
                        break
                    within.append(one)
                group = tuple(within + without)
                found.append((-len(group), separation([one.z for one in within if one.z is not None]), group))
        found.sort(key=lambda entry: entry[:2])
        if not found or -found[0][0] * 2 <= len(speaking) or -found[0][0] < 2:
            return ()
        # Two groups equally large and equally close: neither is what most say.
        if len(found) > 1 and found[1][:2] == found[0][:2]:
            return ()
        return found[0][2]

    def _judges(self, group: Sequence[_Said], *, disputed: bool) -> tuple[_Said, ...]:
        """Return the votes whose quality is offered: everybody, or those of the group, or most of them."""
        if "quality" not in self.conflicts:
            return tuple(group) if disputed and group else tuple(self.said)
        if disputed:
            alike = _spread([one.quality for one in group]) < self.rule.quality_conflict
            return tuple(group) if alike else ()
        ranked = sorted(self.said, key=lambda one: (one.quality, one.at))
        found: list[tuple[int, int, tuple[_Said, ...]]] = []
        for first in range(len(ranked)):
            within = [one for one in ranked[first:] if one.quality - ranked[first].quality < self.rule.quality_conflict]
            found.append((-len(within), _spread([one.quality for one in within]), tuple(within)))
        found.sort(key=lambda entry: entry[:2])
        if -found[0][0] * 2 <= len(ranked) or (len(found) > 1 and found[1][:2] == found[0][:2]):
            return ()
        return found[0][2]
