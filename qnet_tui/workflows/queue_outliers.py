"""What the map of a round rejected, scored by the committee of that round and ordered by how much it disagrees.

A run scores the rejected rows only when it was asked for some of them (Green et al. 2025 looked at 100 after their
second run). Asked for later, the same networks score them here, into ``rounds/NNN/outliers``, once.
"""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import storage.rounds as rounds_store
import storage.settings as campaign
import storage.truth as truth_store
from qnet_tui.active_learning.pool import Pool
from qnet_tui.active_learning.selection import MapColumns, eligible, select
from qnet_tui.active_learning.strategies import RowScores
from qnet_tui.compute.driver import run_tasks
from qnet_tui.compute.tasks import Outcome
from qnet_tui.compute.where import Where
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.round_files import OUTLIERS, RoundFiles, committee_members
from qnet_tui.workflows.round_plan import make_pool, read_pool, selection_settings, write_pool
from qnet_tui.workflows.round_race import full_tasks
from qnet_tui.workflows.round_scores import pool_scores
from qnet_tui.workflows.round_selection import scored_round
from storage.rounds import SelectionRecord
from storage.workspace import Workspace


def rejected_picks(
    ws: Workspace, number: int, wanted: int, jobs: int, progress: Progress
) -> tuple[list[SelectionRecord], int]:
    """(the ``wanted`` most disputed objects that the map of round ``number`` rejected, rows scored for it just now).

    Left out are objects labelled or queued since, sky, and those of which another row lies among many others.
    Errors: :class:`BadInput` when no run made the round, its files are gone, or nothing can be asked about.
    """
    files, members, settings = scored_round(ws, number)
    scored = 0
    # In a race the rejected rows were asked to the end only for as many objects as were wanted then.
    if settings.outliers and committee_members(files) is None:
        pool, on_map = read_pool(files)
        scores = pool_scores(files, members, pool.object_key, settings, progress).scores
    else:
        pool, on_map, scores, scored = _scored_apart(ws, files, members, settings, number, jobs, progress)
    labelled = truth_store.current_truth(ws)["object_id"]
    queued = np.fromiter(rounds_store.ever_queued(ws), dtype=np.int64)
    pool = replace(pool, labelled=np.isin(pool.object_key, labelled), queued=np.isin(pool.object_key, queued))
    chosen = replace(selection_settings(settings), select=0, outliers=wanted)
    picks = select(pool, scores, chosen, on_map).picks
    if not picks:
        raise BadInput(
            f"the map of round {number} rejected nothing that has not been labelled or asked for",
            mend="qnet review map shows its cells",
        )
    facts = [{k: v for k, v in asdict(pick).items() if k != "targetid"} for pick in picks]
    return [SelectionRecord(**{**one, "strategy": "outliers"}) for one in facts], scored


def _scored_apart(
    ws: Workspace,
    files: RoundFiles,
    members: list[int],
    settings: RoundSettings,
    number: int,
    jobs: int,
    progress: Progress,
) -> tuple[Pool, MapColumns, RowScores, int]:
    apart = RoundFiles(files.root / OUTLIERS)
    apart.make_folders(settings.networks)
    if not apart.pool.exists():
        _write_rejected(ws, files, apart, settings, number)
    pool, on_map = read_pool(apart)
    gone = [m for m in members if not files.network(m).exists()]
    if gone:
        raise BadInput(f"the networks of round {number} are no longer in {files.root}", mend="qnet run-al --outliers N")
    grid = str(campaign.get_setting(ws, "grid", "log"))
    common = {"round_dir": str(files.root), "settings": settings.as_dict(), "grid": grid}
    every = full_tasks(files, members, len(pool), common, OUTLIERS)
    todo = [task for task in every if not all(path.exists() for path in task.files)]
    failures: list[str] = []
    done = 0

    def on_done(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        if outcome.error is not None:
            failures.append(outcome.error)
        progress("scoring outliers", done, len(todo))

    run_tasks(todo, Where(jobs=jobs, log=Path(files.root) / "log"), on_done)
    if failures:
        raise QnetError(f"{len(failures)} of {len(todo)} tasks failed: {failures[0]}")
    said = pool_scores(apart, members, pool.object_key, settings, progress)
    return pool, on_map, said.scores, len(pool) if todo else 0


def _write_rejected(ws: Workspace, files: RoundFiles, apart: RoundFiles, settings: RoundSettings, number: int) -> None:
    """Write the rows in rejected cells that could be asked about, as they were when the map was made."""
    if not files.best_matching_units.exists():
        raise BadInput(f"the map of round {number} is no longer in {files.root}", mend="qnet run-al --outliers N")
    _, on_map = read_pool(files)
    placed = np.load(files.best_matching_units, allow_pickle=False)
    rows = all_rows(ws)
    # What was ingested since has no cell.
    rows = rows[np.isin(rows["id"], placed[:, 0])]
    cells = placed[np.searchsorted(placed[:, 0], rows["id"]), 1]
    pool = make_pool(ws, rows, truth_store.current_truth(ws), settings)
    # Labelled and queued objects are left out when they are chosen: the scores serve later calls too.
    mask, _ = eligible(pool, replace(selection_settings(settings), labelled=False, queued=False))
    outlying = on_map.rejected[cells]
    counts = on_map.counts.astype(np.int64)
    apart_rows = mask & outlying & ~np.isin(pool.object_key, pool.object_key[mask & ~outlying])
    if not apart_rows.any():
        raise BadInput(f"the map of round {number} rejected nothing that can be asked about")
    write_pool(ws, apart, rows[apart_rows], pool, apart_rows, cells[apart_rows], counts, on_map.rejected)
