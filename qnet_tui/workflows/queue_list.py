"""``qnet vi queue``: a given list of objects, some drawn at random, or the rejected outliers, as a round of its own."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import storage.rounds as rounds_store
import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.active_learning.selection import SelectionSettings, eligible
from qnet_tui.errors import BadInput
from qnet_tui.workflows.given_round import GivenRound, known_objects, last_scored_round, open_round, unscored
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_plan import make_pool
from storage.workspace import Workspace

SPARE = 20
"""So many more candidates than asked for stand ready, for spectra whose files are gone."""


@dataclass
class Queued:
    """What ``qnet vi queue`` says.

    ``left`` names what was not queued: line of the list (0 where there is no list), id and reason. ``labelled`` are
    queued objects that the truth knows already; ``filtered`` counts the rows that a random draw left out, by reason.
    """

    round: int
    asked: int
    strategy: str
    left: list[dict[str, Any]] = field(default_factory=list)
    labelled: int = 0
    filtered: dict[str, int] = field(default_factory=dict)
    seed: int | None = None
    of_round: int | None = None
    scored: int = 0


def queue_file(root: Path, table: Path, *, progress: Progress = silent) -> Queued:
    """Queue the objects that ``table`` names, in its order, labelled ones too.

    Errors: :class:`BadInput` for a file that is no list of objects, or when none of them can be queued; lines that
    name no object here, or one that a round asks for already, are listed in the result.
    """
    from qnet_tui.truth.id_list import read_ids

    listed = read_ids(table)
    left: list[dict[str, Any]] = [{"line": bad.line, "id": "", "reason": bad.reason} for bad in listed.rejected]
    with Workspace.open(root) as ws:
        waiting = _rounds_that_ask(ws)
        lines: dict[int, tuple[int, str]] = {}
        ids = known_objects(ws, (one.identities for one in listed.objects))
        for one, object_id in zip(listed.objects, ids, strict=True):
            if object_id is None:
                reason = "no spectrum here"
            elif object_id in lines:
                reason = f"named in line {lines[object_id][0]} already"
            elif object_id in waiting:
                reason = f"asked for in round {waiting[object_id]}"
            else:
                lines[object_id] = (one.line, one.written)
                continue
            left.append({"line": one.line, "id": one.written, "reason": reason})
        left.sort(key=lambda one: one["line"])
        if not lines:
            reasons = sorted({f"line {one['line']}: {one['reason']}" for one in left})
            raise BadInput("nothing to queue: " + "; ".join(reasons[:3]), file=table)
        why = f"on the list {table.name}"
        made = open_round(ws, [unscored(o, why, "list") for o in lines], len(lines), progress)
        left += [
            {"line": lines[o][0], "id": lines[o][1], "reason": reason} for o, reason in sorted(made.not_copied.items())
        ]
        return _said(ws, made, "list", left)


def queue_random(root: Path, number: int, *, seed: int, progress: Progress = silent) -> Queued:
    """Queue ``number`` objects drawn at random among those that a run would choose from, whatever the map says.

    The same spectra, labels, rounds and seed give the same draw. Errors: :class:`BadInput` when nothing is left.
    """
    with Workspace.open(root) as ws:
        rows = all_rows(ws)
        pool = make_pool(ws, rows, truth_store.current_truth(ws), RoundSettings())
        mask, filtered = eligible(pool, SelectionSettings(percentile=None))
        objects = np.unique(pool.object_key[mask])
        if not len(objects):
            reasons = ", ".join(f"{n:,} {why}" for why, n in filtered.items() if n) or "no spectra"
            raise BadInput(f"nothing is left to draw from: {reasons}", mend="qnet ingest PATH")
        # In an order that does not depend on which file was ingested first.
        named = spectra_store.objects(ws, objects.tolist())
        by_name = named["id"][np.lexsort((named["identity"], named["targetid"], named["survey"]))]
        drawn = np.random.default_rng(np.random.SeedSequence([seed, len(by_name)])).permutation(by_name)
        candidates = [unscored(int(o), "drawn at random", "random") for o in drawn[: number + SPARE]]
        made = open_round(ws, candidates, number, progress)
        said = _said(ws, made, "random", _not_copied(ws, made))
        said.filtered, said.seed = {why: n for why, n in filtered.items() if n}, seed
        return said


def queue_outliers(
    root: Path, number: int, *, of_round: int | None = None, jobs: int = 1, progress: Progress = silent
) -> Queued:
    """Queue the ``number`` objects that the map of a round rejected and its committee disagrees on most.

    ``of_round`` None is the last round that a run made. Where that run did not score what its map rejected, its
    networks do it now, once. Errors: :class:`BadInput` when no run made the round, its networks are gone, or the map
    rejected nothing that can be asked about.
    """
    from qnet_tui.workflows.queue_outliers import rejected_picks

    with Workspace.open(root) as ws:
        chosen = last_scored_round(ws) if of_round is None else of_round
        picks, scored = rejected_picks(ws, chosen, number + SPARE, jobs, progress)
        made = open_round(ws, picks, number, progress)
        said = _said(ws, made, "outliers", _not_copied(ws, made))
        said.of_round, said.scored = chosen, scored
        return said


def _rounds_that_ask(ws: Workspace) -> dict[int, int]:
    """Object → round, for all that are queued and not withdrawn."""
    return {
        one.object_id: summary.round
        for summary in rounds_store.rounds(ws)
        for one in rounds_store.selection(ws, summary.round)
    }


def _not_copied(ws: Workspace, made: GivenRound) -> list[dict[str, Any]]:
    failed = sorted(made.not_copied)
    names = spectra_store.objects(ws, failed)
    return [
        {"line": 0, "id": str(name["identity"]), "reason": made.not_copied[object_id]}
        for object_id, name in zip(failed, names, strict=True)
    ]


def _said(ws: Workspace, made: GivenRound, strategy: str, left: list[dict[str, Any]]) -> Queued:
    known = set(truth_store.current_truth(ws, include_excluded=True)["object_id"].tolist())
    labelled = sum(1 for one in made.records if one.object_id in known)
    return Queued(made.round, len(made.records), strategy, left, labelled)
