"""Committees of rounds against each other on the objects that were held out from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from qnet_tui.errors import QnetError
from qnet_tui.evaluation.classification import committee_majority
from qnet_tui.evaluation.paired import mcnemar
from qnet_tui.workflows.review.kept import Arrays, fingerprint_of, kept
from qnet_tui.workflows.review.scored import ScoredRound, round_shown
from qnet_tui.workflows.round_scores import stored, validation_answers
from qnet_tui.workflows.validation_answers import validation_hash
from storage.workspace import Workspace

if TYPE_CHECKING:
    from qnet_tui.workflows.review.rounds import RoundLine


def verdicts(one: ScoredRound) -> Arrays | None:
    """What a round's committee says of the held-out objects: ``object_id`` i8, ``called`` bool, ``is_qso`` bool, ``z``.

    None when nothing was held out. Errors: :class:`QnetError` when the answers are gone or damaged.
    """
    if not one.files.validation.exists():
        return None

    def make() -> Arrays:
        with stored(one.files.validation) as held:
            # The vectors are not needed, and not read.
            truth = {name: np.asarray(held[name]) for name in ("object_id", "is_qso", "z")}
        c_qso, _ = validation_answers(one.files, one.members)
        return truth | {"called": committee_majority(c_qso, one.settings.c_threshold)}

    mark = fingerprint_of("verdicts 1", str(one.members), str(one.settings.c_threshold), one.files.validation)
    return kept(one.files.root, "verdicts", mark, make)


def compared(ws: Workspace, lines: Sequence[RoundLine]) -> str:
    """The last committee and the one before in one sentence; ``lines`` are measured rounds, newest first."""
    new = lines[0]
    words = f"Round {new.round}'s committee finds {_finds(new)}"
    if len(lines) == 1:
        return f"{words}."
    old = lines[1]
    words = f"{words}, round {old.round}'s {_finds(old)}"
    try:
        both = [round_shown(ws, line.round) for line in (new, old)]
        new_said, old_said = (None if one is None else verdicts(one) for one in both)
    except QnetError:
        return f"{words}; the answers of one are gone, so they are not paired."
    if new_said is None or old_said is None:
        return f"{words}."
    if _hash(new_said) != _hash(old_said):
        return f"{words}; not comparable: they were measured on different validation objects or another truth of them."
    by_object = np.argsort(new_said["object_id"]), np.argsort(old_said["object_id"])
    called = [one["called"][order] for one, order in zip((new_said, old_said), by_object, strict=True)]
    paired = mcnemar(*called, use=new_said["is_qso"][by_object[0]])
    difference = f"{abs(paired.more)} {'more' if paired.more > 0 else 'fewer'}" if paired.more else "as many"
    return f"{words}, on the same {len(called[0]):,} validation objects: {difference}, McNemar p = {paired.p:.2g}."


def _hash(said: Arrays) -> str:
    return validation_hash(said["object_id"], said["z"], said["is_qso"])


def _finds(line: RoundLine) -> str:
    v = line.validation or {}
    found, quasars = int(v.get("tp", 0)), int(v.get("tp", 0)) + int(v.get("fn", 0))
    if not quasars:
        return "none, for no quasar is held out"
    lo, hi = v["completeness_interval"]
    return f"{found / quasars:.3f} ({lo:.3f}–{hi:.3f}) of {quasars:,} quasars"
