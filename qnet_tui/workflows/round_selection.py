"""The last stages of a round: calls, entropy, one row per object, the top K, and their spectra for people's eyes."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.spectra as spectra_store
from qnet_tui.active_learning.selection import Pick, SelectionSettings, select
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.evaluation.classification import ClassificationCounts, committee_majority, completeness_purity
from qnet_tui.workflows.labelled_rows import best_rows
from qnet_tui.workflows.presets import RoundSettings, recorded_settings
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.round_files import RoundFiles, committee_members, read_npz
from qnet_tui.workflows.round_plan import read_pool, selection_settings
from qnet_tui.workflows.round_scores import PoolScores, validation_answers
from storage.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """What a round asks people about."""

    records: list[rounds_store.SelectionRecord]
    entropy_cut: float
    not_copied: list[tuple[int, str]]


def with_spare(wanted: SelectionSettings) -> SelectionSettings:
    """The same with some objects more, for those whose spectrum cannot be copied."""
    return replace(
        wanted,
        select=wanted.select + max(20, wanted.select // 5),
        outliers=wanted.outliers + max(20, wanted.outliers // 5) if wanted.outliers else 0,
    )


def validation_counts(files: RoundFiles, members: list[int], settings: RoundSettings) -> ClassificationCounts | None:
    """Committee completeness and purity: an object is called a quasar when the majority of the networks calls it one.

    None when no truth is held out.
    """
    if not files.validation.exists():
        return None
    c_qso, _ = validation_answers(files, members)
    return completeness_purity(committee_majority(c_qso, settings.c_threshold), read_npz(files.validation)["is_qso"])


def described(counts: ClassificationCounts) -> dict[str, Any]:
    """Completeness and purity with their counts and 95 % Wilson intervals, as they are stored and printed."""
    return {
        "completeness": counts.completeness,
        "completeness_interval": counts.completeness_interval,
        "purity": counts.purity,
        "purity_interval": counts.purity_interval,
        "tp": counts.tp,
        "fp": counts.fp,
        "fn": counts.fn,
        "tn": counts.tn,
        "n": counts.tp + counts.fp + counts.fn + counts.tn,
    }


def make_selection(
    ws: Workspace,
    files: RoundFiles,
    said: PoolScores,
    settings: RoundSettings,
    round_number: int,
    progress: Progress,
) -> Asked:
    """Select the top K objects (and outliers), copy their full-resolution spectra, put them into the queue.

    ``said`` is what the committee said of the pool; only rows of which all networks were asked can be selected.

    An object whose original file is gone cannot be shown: it is listed, and the next one in the order takes its place.
    """
    from qnet_tui.workflows.review.score_summary import keep_summary

    pool, map_columns = read_pool(files)
    # Only a resumed round meets objects that were queued since its plan was written.
    queued = np.isin(pool.object_key, np.fromiter(rounds_store.ever_queued(ws), dtype=np.int64))
    pool = replace(pool, queued=queued)
    picks = select(pool, said.scores, with_spare(selection_settings(settings)), map_columns).picks
    if said.stopped[np.isin(pool.row_id, [pick.row_id for pick in picks])].any():
        raise AssertionError("a row was selected that not every network was asked about")
    rows = spectra_store.read_rows(ws, object_ids=[pick.object_id for pick in picks])
    records: list[rounds_store.SelectionRecord] = []
    not_copied: list[tuple[int, str]] = []
    for rejected, number in ((False, settings.select), (True, settings.outliers)):
        mine = [p for p in picks if p.rejected == rejected]
        records.extend(_copied(ws, files, rows, mine, number, len(records), not_copied, progress))
    if not records:
        raise BadInput(
            "no selected spectrum could be copied: " + "; ".join(sorted({w for _, w in not_copied})[:3]),
            mend="qnet ingest --relocate OLD NEW when originals moved",
        )
    rounds_store.add_selection(ws, round_number, records)
    # What the review shows of all scored rows is summed up while they are in memory, and kept with the round.
    keep_summary(files, said, settings)
    cut = min((r.entropy for r in records if not r.rejected), default=float("nan"))
    return Asked(records, float(cut), not_copied)


def _copied(
    ws: Workspace,
    files: RoundFiles,
    rows: NDArray[Any],
    picks: list[Pick],
    wanted: int,
    ranked: int,
    not_copied: list[tuple[int, str]],
    progress: Progress,
) -> Iterator[rounds_store.SelectionRecord]:
    """The first ``wanted`` picks whose spectrum could be copied, ranked after the ``ranked`` before them."""
    taken, waiting = 0, list(picks)
    while taken < wanted and waiting:
        # Opening each survey file once, not once per object, is what makes a thousand copies take seconds.
        batch, waiting = waiting[: wanted - taken], waiting[wanted - taken :]
        failures = copy_spectra(ws, files, rows, [pick.object_id for pick in batch], progress)
        for pick in batch:
            if pick.object_id in failures:
                not_copied.append((pick.object_id, failures[pick.object_id]))
                continue
            taken += 1
            facts = {k: v for k, v in asdict(pick).items() if k != "targetid"}
            yield rounds_store.SelectionRecord(**{**facts, "rank": ranked + taken})


def copy_spectra(
    ws: Workspace, files: RoundFiles, rows: NDArray[Any], object_ids: list[int], progress: Progress
) -> dict[int, str]:
    """Copy the full-resolution spectrum of each object into the round; return those that could not be, and why.

    People look at the coadd where there is one, else at the exposure of the highest S/N. The pipeline's fits are
    copied with it where its details file lies beside; one that cannot be read is a line in the log of the round.
    """
    from qnet_tui.spectra.read import read_spectra
    from qnet_tui.spectra.single import extract, save_spectrum

    of_these = rows[np.isin(rows["object_id"], object_ids)]
    shown = of_these[best_rows(of_these, one_per_object=True)]
    failures: dict[int, str] = {}
    done = 0
    for file_id in np.unique(shown["file_id"]):
        here = shown[shown["file_id"] == file_id]
        here = here[[not files.spectrum(int(o)).exists() for o in here["object_id"]]]
        if len(here):
            path = Path(spectra_store.file_of(ws, int(file_id)).path)
            try:
                source = read_spectra(path)
                position = {int(r): i for i, r in enumerate(source.rows["hdu_row"])}
                at = {int(row["object_id"]): position[int(row["hdu_row"])] for row in here}
                fits = _pipeline_fits(files, path, source.rows["targetid"][list(at.values())])
                for object_id, place in at.items():
                    of_it = fits.get(int(source.rows["targetid"][place]), ())
                    save_spectrum(files.spectrum(object_id), extract(source, place, of_it))
            except (BadInput, KeyError) as error:
                why = str(error) if isinstance(error, BadInput) else f"{path}: it is no longer the file ingested"
                failures.update({int(o): why for o in here["object_id"]})
            except OSError as error:
                raise QnetError(f"cannot copy spectra: {error.strerror}", file=files.root) from None
        done += int((shown["file_id"] == file_id).sum())
        progress("copying spectra", done, len(shown))
    return failures


def _pipeline_fits(files: RoundFiles, path: Path, targetids: NDArray[np.int64]) -> dict[int, tuple[Any, ...]]:
    """The pipeline's fits of some targets of a survey file; none, and a line in the log, when they are damaged."""
    from qnet_tui.spectra.rrdetails import read_all_fits, rrdetails_sibling

    details = rrdetails_sibling(path)
    known = sorted({int(t) for t in targetids if t > 0})
    if details is None or not known:
        return {}
    try:
        return read_all_fits(details, known)
    except QnetError as error:
        files.add_note(f"no fits of the pipeline: {error}")
        return {}


def scored_round(ws: Workspace, number: int) -> tuple[RoundFiles, list[int], RoundSettings]:
    """Files, members that scored, and settings of a selected round.

    Errors: :class:`BadInput` when the round does not exist or its scores are gone.
    """
    from qnet_tui.workflows.runs import run_of_round

    run = run_of_round(ws, number)
    files = RoundFiles(ws.round_dir(number))
    members = committee_members(files)
    if members is None:
        tasks = runs_store.tasks(ws, run.id)
        # Version 0.1 had a task for each member and block, and went on without members of which one failed.
        old = (t.name.split() for t in tasks if t.kind == "score" and t.state == "FAILED")
        lost = {int(name[1]) for name in old if name[1].isdigit()}
        trained = (int(t.name.split()[1]) for t in tasks if t.kind == "train" and t.state == "DONE")
        members = sorted(set(trained) - lost)
    if not members or not files.pool.exists():
        raise BadInput(
            f"the scores of round {number} are no longer there", file=files.root,
            mend="restore them from a copy of the workspace",
        )  # fmt: skip
    return files, members, recorded_settings(run.settings)
