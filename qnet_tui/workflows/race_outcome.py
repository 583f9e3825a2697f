"""What a race was, saved and promises: kept beside its files, and in the result of the run."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.calls import call_classes
from qnet_tui.active_learning.pool import Pool
from qnet_tui.active_learning.race.certificate import certificate
from qnet_tui.active_learning.race.far import call_margins
from qnet_tui.active_learning.race.rule import read_rule
from qnet_tui.active_learning.race.sound import one_look_networks
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import RaceFiles, RoundFiles, read_npz
from qnet_tui.workflows.round_scores import PoolScores, complete_answers
from storage.files import write_durably


def race_outcome(
    files: RoundFiles,
    race: RaceFiles,
    members: Sequence[int],
    settings: RoundSettings,
    pool: Pool,
    said: PoolScores,
    selected: int,
    *,
    raced: bool,
) -> dict[str, Any]:
    """Rule, cut, cost and expected loss of one group's race; ``selected`` objects of it go to people.

    Without a race (``raced``) the group was asked to the end, and only its cost is told.
    """
    rows = np.load(race.rows)
    asked = int(said.asked[rows].sum(dtype=np.int64))
    full = len(rows) * len(members)
    facts: dict[str, Any] = {"rule": "full", "why": "nearly every object is wanted"}
    if raced:
        rule = read_rule(race.rule)
        top, block = _top(race, rows, pool, said, selected)
        known = _calls_and_margins(files, list(members), settings, rows[top], len(pool)) if rule.far else {}
        promise = certificate(rule, said.scores.counts[rows[top]], block, **known)
        marks = read_npz(race.candidates)
        # Of the sound rules none can be quicker than one look at the first moment that is sure enough.
        first = (
            one_look_networks(rule.n_networks, rule.h_low, rule.delta)
            if rule.kind == "sound"
            else rule.first_unanimous_drop
        )
        facts = {
            "rule": rule.kind,
            "note": rule.note,
            "h_low": rule.h_low,
            "delta": rule.delta,
            "networks": rule.n_networks,
            "looks": len(rule.looks),
            "far": rule.far,
            "candidates": int(marks["is_candidate"].sum()),
            "pilot": int(marks["in_pilot"].sum()),
            "bound": rule.n_networks / first,
            "expected_lost": promise.lost,
            **{name: value for name, value in asdict(promise).items() if name not in {"lost", "bound"}},
        }
    facts |= {"rows": len(rows), "evaluations": asked, "evaluations_full": full, "saving": full / max(asked, 1)}
    write_durably(race.facts, json.dumps(facts, indent=1).encode())
    return facts


def _top(
    race: RaceFiles, rows: NDArray[np.int32], pool: Pool, said: PoolScores, selected: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place of the most disputed row of each of the ``selected`` most disputed objects, and the block of each.

    Rows that a network gave no answer for are left out: no rule drops those.
    """
    counts = said.scores.counts[rows]
    answered = (said.asked[rows] == said.networks) & (counts.sum(axis=1) == said.networks)
    place = np.flatnonzero(answered)
    place = place[np.argsort(-said.scores.entropy[rows[place]], kind="stable")]
    _, first = np.unique(pool.object_key[rows[place]], return_index=True)
    place = place[np.sort(first)[:selected]]
    starts = np.load(race.starts)
    return place, np.searchsorted(starts, place, side="right").astype(np.int64) - 1


def _calls_and_margins(
    files: RoundFiles, members: list[int], settings: RoundSettings, rows: NDArray[np.int32], n: int
) -> dict[str, Any]:
    """Calls of all networks for some complete ``rows`` of the pool of ``n``, and their margins: (k, networks) each."""
    c, z = (np.empty((len(rows), len(members)), dtype=np.float32) for _ in range(2))
    for some in complete_answers(files, members, settings, n):
        _, here, there = np.intersect1d(rows, some.rows, assume_unique=True, return_indices=True)
        c[here], z[here] = some.c_qso[there], some.zbest[there]
    edges = {"c_threshold": settings.c_threshold, "z_split": settings.z_split}
    return {"calls": call_classes(c, z, **edges), "margins": call_margins(c, z, **edges)}
