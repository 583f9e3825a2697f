"""``qnet vi agreement``: how well the inspectors of a campaign agree, and how each departs from what was merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import storage.merges as merges_store
import storage.votes as votes_store
from qnet_tui.evaluation.intervals import wilson
from qnet_tui.inspection.agreement import (
    QUALITIES,
    Figure,
    Share,
    class_counts,
    close_pairs,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    observed_agreement,
    ordinal_alpha,
)
from qnet_tui.inspection.answer import CLASSES
from qnet_tui.workflows.merge_reading import MergeSettings, rounds_asked
from storage.merges import MergedLabel
from storage.votes import Vote
from storage.workspace import Workspace

# An inspector who departs from the merged labels more often than this is worth a talk (DESI's line).
DEPARTURE_LINE = 0.05


@dataclass(frozen=True)
class Measure(Figure):
    """A figure with its name; ``of`` says what the n are."""

    name: str = ""
    of: str = ""


@dataclass(frozen=True)
class PairOfInspectors:
    """Two people over the objects both voted on."""

    first: str
    second: str
    same_class: Figure
    kappa: Figure
    same_z: Figure


@dataclass(frozen=True)
class Departures:
    """How often one inspector's vote departs from the merged label: in anything, and in class, z and quality alone.

    Labels that rest on this vote alone are not counted.
    """

    inspector: str
    any: Figure
    by_class: Figure
    by_z: Figure
    by_quality: Figure


@dataclass(frozen=True)
class Agreement:
    """What ``qnet vi agreement`` says; ``objects`` have two votes or more."""

    rounds: list[int]
    objects: int
    votes: int
    overall: tuple[Measure, ...]
    pairs: tuple[PairOfInspectors, ...]
    inspectors: tuple[Departures, ...]
    notes: tuple[str, ...]


def agreement(root: Path, *, round_number: int | None = None) -> Agreement:
    """Compare the votes of a round (None: of all rounds). BadInput when there is no such round."""
    with Workspace.open(root) as ws:
        rounds = rounds_asked(ws, round_number)
        settings = MergeSettings.of(ws)
        votes = [vote for number in rounds for vote in votes_store.votes(ws, round=number)]
        merged = {label.object_id: label for number in rounds for label in merges_store.merges(ws, number)}
    limit = settings.rule.dz_conflict
    spread = settings.rule.quality_conflict
    by_object: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_object[vote.object_id].append(vote)
    several = {object_id: cast for object_id, cast in by_object.items() if len(cast) > 1}
    return Agreement(
        rounds=rounds,
        objects=len(several),
        votes=sum(map(len, several.values())),
        overall=_overall(list(several.values()), limit),
        pairs=_pairs(several, limit),
        inspectors=_departures(votes, merged, limit, spread),
        notes=(
            "class and z leave out votes of quality 0 without a z, which say nothing of them",
            f"same z: |dz| / (1 + z) < {limit:g}; intervals of agreement resample the objects",
            f"departs: another class, |z - merged z| >= {limit:g}, or quality {spread} or more apart; Wilson intervals;"
            f" above {DEPARTURE_LINE:.0%} is worth a talk",
        ),
    )


def _overall(objects: Sequence[Sequence[Vote]], limit: float) -> tuple[Measure, ...]:
    classes = class_counts([[v.spectype for v in cast if v.spectype and not _silent(v)] for cast in objects], CLASSES)
    qualities = class_counts(
        [[str(vote.quality) for vote in cast] for cast in objects], [str(quality) for quality in range(QUALITIES)]
    )
    redshifts = [[float(vote.z) for vote in cast if vote.z is not None] for cast in objects]
    return (
        _named("same class", observed_agreement(classes), "objects with two classes or more"),
        _named("Fleiss' kappa", fleiss_kappa(classes), "the same"),
        _named("Gwet's AC1", gwet_ac1(classes), "the same"),
        _named("alpha of quality", ordinal_alpha(qualities), "objects with two votes or more"),
        _named("same z", close_pairs(redshifts, limit), "objects with two redshifts or more"),
    )


def _pairs(objects: dict[int, list[Vote]], limit: float) -> tuple[PairOfInspectors, ...]:
    by_person: dict[str, dict[int, Vote]] = defaultdict(dict)
    for object_id, cast in objects.items():
        for vote in cast:
            by_person[vote.inspector][object_id] = vote
    found = []
    for first, second in combinations(sorted(by_person), 2):
        both = [
            (by_person[first][object_id], by_person[second][object_id])
            for object_id in sorted(by_person[first].keys() & by_person[second].keys())
        ]
        said = [
            (a.spectype, b.spectype) for a, b in both if a.spectype and b.spectype and not (_silent(a) or _silent(b))
        ]
        redshifts = [(a.z, b.z) for a, b in both if a.z is not None and b.z is not None]
        if both:
            close = [abs(a - b) / (1 + min(a, b)) < limit for a, b in redshifts]
            found.append(
                PairOfInspectors(
                    first,
                    second,
                    same_class=_share(Share(sum(a == b for a, b in said), len(said))),
                    kappa=cohen_kappa([a for a, _ in said], [b for _, b in said]),
                    same_z=_share(Share(sum(close), len(close))),
                )
            )
    return tuple(found)


def _departures(
    votes: Sequence[Vote], merged: dict[int, MergedLabel], limit: float, spread: int
) -> tuple[Departures, ...]:
    by_person: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for vote in votes:
        label = merged.get(vote.object_id)
        if label is None or label.vote_uids == (vote.uid,):
            continue
        silent = _silent(vote)
        by_person[vote.inspector].append(
            (
                not silent and vote.spectype != label.spectype,
                vote.z is not None and (label.z is None or abs(vote.z - label.z) >= limit),
                abs(vote.quality - label.quality) >= spread,
            )
        )
    return tuple(
        Departures(
            person,
            any=_counted(departed, any),
            by_class=_counted(departed, lambda each: each[0]),
            by_z=_counted(departed, lambda each: each[1]),
            by_quality=_counted(departed, lambda each: each[2]),
        )
        for person, departed in sorted(by_person.items())
    )


def _counted(departed: Sequence[tuple[bool, bool, bool]], which: Callable[[tuple[bool, bool, bool]], bool]) -> Figure:
    return _share(Share(sum(which(each) for each in departed), len(departed)))


def _silent(vote: Vote) -> bool:
    return vote.quality == 0 and vote.z is None


def _share(share: Share) -> Figure:
    """Return the share of objects, each counted once, with Wilson's interval."""
    if share.n == 0:
        return Figure(None, None, None, 0)
    low, high = wilson(share.k, share.n)
    return Figure(share.k / share.n, low, high, share.n)


def _named(name: str, figure: Figure, of: str) -> Measure:
    return Measure(figure.value, figure.low, figure.high, figure.n, name, of)
