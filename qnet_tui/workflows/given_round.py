"""A round that no run makes: objects that somebody names, drawn at random, or inspected elsewhere.

It is queued, copied and merged like any other; only it has no committee, so its scores and calls are unknown.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.round_files import RoundFiles
from qnet_tui.workflows.round_selection import copy_spectra
from storage.files import make_directory
from storage.rounds import SelectionRecord
from storage.workspace import Workspace

_FEW = 2000
"""So many objects are looked up by name; for more, one pass over the table of rows is quicker."""


@dataclass(frozen=True)
class GivenRound:
    """A new round: its number, what it asks for in order, and objects whose spectrum could not be copied, with why."""

    round: int
    records: tuple[SelectionRecord, ...]
    not_copied: dict[int, str] = field(default_factory=dict)


def unscored(
    object_id: int, why: str, strategy: str, *, rank: int = 0, entropy: float | None = None
) -> SelectionRecord:
    """An object that no committee put into the queue: its scores are unknown (NaN, stored as NULL)."""
    nan = math.nan
    return SelectionRecord(
        object_id=object_id, row_id=0, rank=rank, score=nan, entropy=nan if entropy is None else entropy, c_not=nan,
        c_qso_lz=nan, c_qso_hz=nan, n_networks=0, bmu=-1, cell_count=0, rejected=False, why=why, strategy=strategy,
    )  # fmt: skip


def free_round(ws: Workspace) -> int:
    """The next number that neither a selection has nor a run, finished or not: a run takes its number at its start."""
    taken = [int(run.round) for run in runs_store.runs(ws) if run.round]
    return max(rounds_store.next_round(ws), 1 + max(taken, default=0))


def last_scored_round(ws: Workspace) -> int:
    """The last round that a run selected. Errors: :class:`BadInput` when there is none."""
    made = {int(run.round) for run in runs_store.runs(ws) if run.verb == "run-al" and run.round}
    selected = {r.round for r in rounds_store.rounds(ws)}
    if not made & selected:
        raise BadInput("no round has been selected by a run yet", mend="qnet run-al makes one")
    return max(made & selected)


def known_objects(ws: Workspace, named: Iterable[Sequence[tuple[str, str]]]) -> list[int | None]:
    """Object id for each list of (survey, identity) candidates: of the first by which a spectrum here is known."""
    candidates = [list(one) for one in named]
    wanted: dict[str, set[str]] = {}
    for one in candidates:
        for survey, identity in one:
            wanted.setdefault(survey, set()).add(identity)
    known = {
        (survey, identity): object_id
        for survey, identities in wanted.items()
        for identity, object_id in spectra_store.object_ids(ws, survey, sorted(identities)).items()
    }
    return [next((known[name] for name in one if name in known), None) for one in candidates]


def copy_of(ws: Workspace, files: RoundFiles, object_ids: Sequence[int], progress: Progress) -> dict[int, str]:
    """Copy the spectra of objects into a round's folder; return those that could not be, and why."""
    if not object_ids:
        return {}
    where = f"object_id IN ({','.join(map(str, object_ids))})" if len(object_ids) <= _FEW else None
    rows = all_rows(ws, where)
    here = set(np.unique(rows["object_id"]).tolist())
    failures = {one: "no row of a survey file shows it any more" for one in object_ids if one not in here}
    make_directory(files.root / "spectra")
    return failures | copy_spectra(ws, files, rows, [one for one in object_ids if one in here], progress)


def open_round(
    ws: Workspace,
    candidates: Sequence[SelectionRecord],
    wanted: int,
    progress: Progress,
    *,
    number: int | None = None,
    keep_ranks: bool = False,
) -> GivenRound:
    """Queue the first ``wanted`` candidates whose spectrum can be copied as a new round.

    ``number`` must be free; None takes the next that is. Ranks are given in the order of the candidates unless
    ``keep_ranks``. Errors: :class:`BadInput` when no spectrum could be copied, or when another round took the number
    meanwhile (then the same command again is right).
    """
    given = free_round(ws) if number is None else number
    files = RoundFiles(ws.round_dir(given))
    taken: list[SelectionRecord] = []
    not_copied: dict[int, str] = {}
    waiting = list(candidates)
    while waiting and len(taken) < wanted:
        batch, waiting = waiting[: wanted - len(taken)], waiting[wanted - len(taken) :]
        failures = copy_of(ws, files, [one.object_id for one in batch], progress)
        not_copied |= failures
        taken += [one for one in batch if one.object_id not in failures]
    if not taken:
        why = "; ".join(sorted(set(not_copied.values()))[:3])
        raise BadInput(
            f"no spectrum could be copied: {why}", mend="qnet ingest --relocate OLD NEW when originals moved"
        )
    if number is None and free_round(ws) != given:
        raise BadInput(f"another round took the number {given} meanwhile", mend="run the same command again")
    if not keep_ranks:
        taken = [replace(one, rank=rank) for rank, one in enumerate(taken, start=1)]
    rounds_store.add_selection(ws, given, taken)
    return GivenRound(given, tuple(taken), not_copied)
