"""``qnet review``: tables of a campaign, with counts and intervals beside every figure."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.settings as campaign
import storage.truth as truth_store
import storage.votes as votes_store
from qnet_tui.errors import BadInput
from qnet_tui.evaluation.classification import ClassificationCounts, committee_majority, completeness_purity
from qnet_tui.workflows.given_round import last_scored_round
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import RoundFiles, read_npz
from qnet_tui.workflows.round_plan import read_pool
from qnet_tui.workflows.round_scores import pool_scores, validation_answers
from qnet_tui.workflows.round_selection import scored_round
from storage.workspace import Workspace


@dataclass(frozen=True)
class RoundLine:
    """One round: what was asked, what came back, how good its committee is."""

    round: int
    state: str
    run: str
    strategy: str
    networks: int
    asked: int
    voted: int
    merged: int
    trainable: int
    labels: int
    completeness: float | None
    purity: float | None
    validation: dict[str, Any] | None


def rounds(root: Path) -> list[RoundLine]:
    """Every round, newest first, and round 0 (the imported truth) last."""
    with Workspace.open(root) as ws:
        needed = int(campaign.get_setting(ws, "votes_required", 3))
        out = []
        for summary in sorted(rounds_store.rounds(ws), key=lambda r: -r.round):
            run = next((r for r in runs_store.runs(ws) if r.verb == "run-al" and r.round == summary.round), None)
            merged = merges_store.merges(ws, summary.round)
            votes = Counter(v.object_id for v in votes_store.votes(ws, round=summary.round))
            voted = sum(1 for n in votes.values() if n >= needed)
            asked = len(rounds_store.selection(ws, summary.round))
            state = (
                "merged"
                if asked and len(merged) == asked
                else "labelling"
                if asked or run is None
                else run.state.lower()
            )
            # A given list, a random draw and an import are rounds that no run made.
            result = (run.result if run else None) or {}
            validation = result.get("validation")
            out.append(RoundLine(
                round=summary.round, state=state, run=run.id if run else "",
                strategy=str(run.settings["strategy"]) if run else summary.strategy,
                networks=int(result.get("networks", 0)), asked=asked, voted=voted, merged=len(merged),
                trainable=sum(1 for m in merged if m.quality >= 2.5), labels=int(result.get("training", 0)),
                completeness=validation["completeness"] if validation else None,
                purity=validation["purity"] if validation else None, validation=validation,
            ))  # fmt: skip
        truth = truth_store.current_truth(ws, 0)
        secure = int((truth["quality"] >= 2.5).sum())
        out.append(RoundLine(0, "truth", "", "", 0, 0, 0, 0, secure, secure, None, None, None))
        return out


@dataclass(frozen=True)
class CompletenessLine:
    """Completeness and purity with counts and 95 % Wilson intervals."""

    dataset: str
    epoch: int | None
    completeness: float
    purity: float
    tp: int
    fp: int
    fn: int
    lo: float
    hi: float
    purity_lo: float
    purity_hi: float


def completeness(root: Path) -> list[CompletenessLine]:
    """The committee of every round on the validation objects, and every epoch of every ``qnet train``."""
    out = []
    with Workspace.open(root) as ws:
        for record in sorted(runs_store.runs(ws), key=lambda r: str(r.started_at)):
            result = record.result or {}
            if record.verb == "run-al" and result.get("validation"):
                v = result["validation"]
                out.append(_line(f"round {record.round} committee", None, int(v["tp"]), int(v["fp"]), int(v["fn"])))
            elif record.verb == "train":
                out.extend(_epochs(ws, record))
    return out


def _epochs(ws: Workspace, record: Any) -> list[CompletenessLine]:
    """Counts of each epoch from its recorded shares: tp = completeness · quasars, fp from the purity's n."""
    by_epoch: dict[int, dict[str, tuple[float, int]]] = {}
    for m in runs_store.metrics(ws, record.id):
        if m.dataset == "validation" and m.epoch is not None and m.n:
            by_epoch.setdefault(int(m.epoch), {})[m.name] = (float(m.value), int(m.n))
    out = []
    for epoch, values in sorted(by_epoch.items()):
        if "completeness" in values:
            share, quasars = values["completeness"]
            tp = round(share * quasars)
            called = values.get("purity", (0.0, 0))[1]
            out.append(_line(record.id, epoch, tp, called - tp if called else 0, quasars - tp))
    return out


def _line(dataset: str, epoch: int | None, tp: int, fp: int, fn: int) -> CompletenessLine:
    counts = ClassificationCounts(tp=tp, fp=fp, fn=fn, tn=0, right=tp)
    (lo, hi), (plo, phi) = counts.completeness_interval, counts.purity_interval
    return CompletenessLine(dataset, epoch, counts.completeness, counts.purity, tp, fp, fn, lo, hi, plo, phi)


@dataclass(frozen=True)
class ThresholdLine:
    """Completeness and purity of a round's committee at one confidence threshold."""

    dataset: str
    c_threshold: float
    completeness: float
    purity: float
    tp: int
    fp: int
    fn: int


def thresholds(root: Path, number: int | None = None) -> list[ThresholdLine]:
    """The majority of the networks at thresholds from 0.05 to 0.99, strictly above, on the validation objects."""
    with Workspace.open(root) as ws:
        files, members, _, number = _scored(ws, number)
        if not files.validation.exists():
            raise BadInput(f"round {number} held out no truth", mend="qnet truth split before the next round")
        c_qso, _ = validation_answers(files, members)
        truth = read_npz(files.validation)["is_qso"]
        out = []
        for c in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99):
            k = completeness_purity(committee_majority(c_qso, c), truth)
            out.append(ThresholdLine(f"round {number} committee", c, k.completeness, k.purity, k.tp, k.fp, k.fn))
        return out


@dataclass(frozen=True)
class EntropyLine:
    """One bin of the pool's entropy (bits): ``count`` rows that could be selected, ``count_rejected`` outliers.

    ``count_stopped`` of both were not asked to the end: their entropy is that of the networks that were asked, and
    would be another one with all of them.
    """

    bin: float
    count: int
    count_rejected: int
    count_stopped: int


def entropy(root: Path, number: int | None = None, bins: int = 16) -> list[EntropyLine]:
    """Histogram of the entropy of the scored rows, 0 to log2(3) bits."""
    with Workspace.open(root) as ws:
        files, members, settings, number = _scored(ws, number)
        pool, on_map = read_pool(files)
        said = pool_scores(files, members, pool.object_key, settings)
        edges = np.linspace(0, np.log2(3) + 1e-9, bins + 1)
        counts = np.zeros((3, bins), dtype=np.int64)
        for first in range(0, len(pool), settings.block_rows):
            part = slice(first, first + settings.block_rows)
            values, outlying = said.scores.entropy[part], on_map.rejected[on_map.bmu[part]]
            for k, rows in enumerate((~outlying, outlying, said.asked[part] < said.networks)):
                counts[k] += np.histogram(values[rows & ~np.isnan(values)], edges)[0]
        return [EntropyLine(float(e), *map(int, of)) for e, of in zip(edges[:-1], counts.T, strict=True)]


@dataclass(frozen=True)
class CellLine:
    """One cell of a round's map."""

    cell: int
    row: int
    column: int
    count: int
    rejected: bool
    by_class: dict[str, int]


def map_cells(root: Path, number: int | None = None) -> list[CellLine]:
    """Counts of every cell over all rows with an identity, and the classes of the labelled rows in it."""
    from qnet_tui.active_learning.outlier_map import cell_counts, rejected_cells
    from qnet_tui.workflows.labelled_rows import all_rows

    with Workspace.open(root) as ws:
        files, _, settings, number = _scored(ws, number)
        side = int(np.sqrt(len(read_pool(files)[1].counts)))
        placed = np.load(files.best_matching_units)
        rows = all_rows(ws)
        rows = rows[np.searchsorted(rows["id"], placed[:, 0])]
        counted = (rows["targetid"] > 0) | ((rows["targetid"] == 0) & (rows["object_id"] > 0))
        counts = cell_counts(placed[:, 1], side, counted)
        rejected = rejected_cells(
            counts, settings.percentile, "nonempty" if settings.percentile_cells == "nonempty" else "all"
        ).mask
        labels = truth_store.current_truth(ws)
        at = np.searchsorted(labels["object_id"], rows["object_id"])
        at = np.minimum(at, max(0, len(labels) - 1))
        known = (labels["object_id"][at] == rows["object_id"]) if len(labels) else np.zeros(len(rows), bool)
        by_cell: dict[int, Counter[str]] = {}
        for cell, label in zip(placed[known, 1], labels["spectype"][at[known]], strict=True):
            by_cell.setdefault(int(cell), Counter())[str(label)] += 1
        return [
            CellLine(c, c // side, c % side, int(counts[c]), bool(rejected[c]),
                     dict(sorted(by_cell.get(c, {}).items())))
            for c in range(side * side)
        ]  # fmt: skip


def _scored(ws: Workspace, number: int | None) -> tuple[RoundFiles, list[int], RoundSettings, int]:
    if number is None:
        number = last_scored_round(ws)
    if not rounds_store.selection(ws, number):
        raise BadInput("no such round has been selected yet", mend="qnet run-al makes one")
    return (*scored_round(ws, number), number)
