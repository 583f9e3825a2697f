"""What a merge session hands out: one object, how far the merging is, what a batch did."""

from __future__ import annotations

from dataclasses import dataclass

from qnet_tui.inspection.merge_rules import Proposal
from qnet_tui.inspection.merge_state import MergeState
from qnet_tui.workflows.label_item import Item
from qnet_tui.workflows.merge_board import State, VoteLine
from storage.merges import MergedLabel


@dataclass(frozen=True)
class MergeOptions:
    """What ``qnet merge`` was asked: ``inspector`` is ``--as``, ``rule`` takes the place of the campaign's."""

    inspector: str | None = None
    round: int | None = None
    charset: str | None = None
    rule: str | None = None


@dataclass(frozen=True, eq=False)
class Case:
    """One object in front of the merger.

    Attributes:
        object_id, round, rank, total, title: which; ``total`` is how many the round asked for.
        state: "conflict", "agreed" or "merged"; ``conflicts`` of "class", "z", "quality".
        to_look: it was of the random tenth that nobody had looked at before it was shown now.
        votes: A, B, C, or the inspectors' codes where ``names_shown``.
        proposal: what the rule makes of the votes; its comment names them as ``votes`` does.
        item: the spectrum, and the pipeline's answer: the merger is not blind to it.
        merged: what is settled, if it is.
        before: what was settled before it was opened again.
        own: the merger voted on it and the campaign leaves it to somebody else.
        start: the answer to begin with.

    """

    object_id: int
    round: int
    rank: int
    total: int
    title: str
    state: State
    conflicts: tuple[str, ...]
    to_look: bool
    votes: tuple[VoteLine, ...]
    proposal: Proposal
    item: Item
    merged: MergedLabel | None
    before: MergedLabel | None
    names_shown: bool
    own: bool
    start: MergeState


@dataclass(frozen=True)
class MergeCounts:
    """How far the merging is.

    Attributes:
        conflicts, agreed: objects to settle; ``own`` of them have a vote of this merger's, which leaves them to
            another.
        to_look: agreed ones of the random tenth that nobody has looked at; ``looked`` those somebody has.
        done: merged.
        open: objects with fewer votes than the campaign asks for.
        stale: labels in the truth that rest on a merged label which was opened again.

    """

    conflicts: int
    agreed: int
    own: int
    to_look: int
    looked: int
    done: int
    open: int
    stale: int


@dataclass(frozen=True)
class MergeResult:
    """What a batch did.

    Attributes:
        rounds: the rounds it was asked for.
        merged: objects merged now, ``trainable`` of them of a quality that trains.
        conflicts: objects that a merger has to settle; ``open`` those that lack votes; ``already`` merged before.
        left: agreed objects left for a person: the merger voted on them, or a merger took their label back.
        unseen: whether the random tenth was not looked at.
        stale: labels in the truth that rest on a merged label which was opened again.

    """

    rounds: list[int]
    merged: int
    trainable: int
    conflicts: int
    open: int
    already: int
    left: int
    unseen: bool
    stale: int
