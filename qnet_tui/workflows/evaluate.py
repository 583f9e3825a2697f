"""``qnet review`` and ``qnet weights evaluate``: tables with counts and intervals beside every figure."""

from collections import Counter
from dataclasses import dataclass, field
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
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import RoundFiles, read_npz
from qnet_tui.workflows.round_plan import read_pool
from qnet_tui.workflows.round_selection import committee_scores, score_pool, scored_round
from qnet_tui.workflows.runs import run_of_round
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
            run = run_of_round(ws, summary.round)
            merged = merges_store.merges(ws, summary.round)
            votes = Counter(v.object_id for v in votes_store.votes(ws, round=summary.round))
            voted = sum(1 for n in votes.values() if n >= needed)
            asked = len(rounds_store.selection(ws, summary.round))
            state = "merged" if asked and len(merged) == asked else "labelling" if asked else run.state.lower()
            result = run.result or {}
            validation = result.get("validation")
            out.append(RoundLine(
                round=summary.round, state=state, run=run.id, strategy=str(run.settings["strategy"]),
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
        c_qso, _ = committee_scores(files, members, "validation")
        truth = read_npz(files.validation)["is_qso"]
        out = []
        for c in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99):
            k = completeness_purity(committee_majority(c_qso, c), truth)
            out.append(ThresholdLine(f"round {number} committee", c, k.completeness, k.purity, k.tp, k.fp, k.fn))
        return out


@dataclass(frozen=True)
class EntropyLine:
    """One bin of the pool's entropy (bits): ``count`` rows that could be selected, ``count_rejected`` outliers."""

    bin: float
    count: int
    count_rejected: int


def entropy(root: Path, number: int | None = None, bins: int = 16) -> list[EntropyLine]:
    """Histogram of the entropy of the scored rows, 0 to log2(3) bits."""
    with Workspace.open(root) as ws:
        files, members, settings, number = _scored(ws, number)
        pool, on_map = read_pool(files)
        values = score_pool(files, members, pool.object_key, settings, silent).entropy
        outlying = on_map.rejected[on_map.bmu]
        edges = np.linspace(0, np.log2(3) + 1e-9, bins + 1)
        total = np.histogram(values[~outlying], edges)[0]
        rejected = np.histogram(values[outlying], edges)[0]
        return [EntropyLine(float(e), int(a), int(b)) for e, a, b in zip(edges, total, rejected, strict=False)]


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
        number = max((r.round for r in rounds_store.rounds(ws) if r.round > 0), default=0)
    if not number or not rounds_store.selection(ws, number):
        raise BadInput("no such round has been selected yet", mend="qnet run-al makes one")
    return (*scored_round(ws, number), number)


@dataclass
class WeightsEvaluation:
    """One weights file on every object with secure truth."""

    weights: str
    objects: int
    c_threshold: float
    n_lines: int
    completeness: float = float("nan")
    completeness_interval: tuple[float, float] = (float("nan"), float("nan"))
    purity: float = float("nan")
    purity_interval: tuple[float, float] = (float("nan"), float("nan"))
    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0
    redshifts: int = 0
    median_dv_kms: float = float("nan")
    nmad_kms: float = float("nan")
    off_by: dict[str, int] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)


def evaluate_weights(
    root: Path,
    weights_file: Path,
    *,
    c_threshold: float = 0.95,
    n_lines: int = 1,
    role: str = "all",
    offsets: str = "as-trained",
    progress: Progress = silent,
) -> WeightsEvaluation:
    """Completeness, purity and redshift errors of a weights file on the workspace's truth, and every failure.

    ``role`` is "validation" (what is held out), "train" or "all". One spectrum per object.
    Errors: :class:`BadInput` when the file's grid is not the workspace's, or there is no truth.
    """
    from qnet_tui.evaluation.redshifts import dv_kms, redshift_errors
    from qnet_tui.quasarnet.boxes import decode, is_quasar
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.lines import LINE_NAMES
    from qnet_tui.workflows.export import objects_by_id
    from qnet_tui.workflows.labelled_rows import all_rows, labelled_rows
    from qnet_tui.workflows.weights import load_weights

    weights = load_weights(weights_file, offsets)
    with Workspace.open(root) as ws:
        fixed = str(campaign.get_setting(ws, "grid", "log"))
        if weights.grid.name != fixed:
            raise BadInput(f"its grid is {weights.grid.name}, the workspace's {fixed}", file=weights_file,
                           mend="use a workspace on that grid, or qnet score")  # fmt: skip
        labels = truth_store.current_truth(ws)
        labels = labels if role == "all" else labels[labels["role"] == role]
        rows = all_rows(ws)
        known = labelled_rows(ws, rows, labels, one_per_object=True)
        if not len(known):
            raise BadInput(f"no object with secure truth of role {role}", mend="qnet truth import FILE")
        progress("scoring", 0, len(known))
        lines = decode(Predictor(weights.settings).predict(weights, known.x), weights.grid)
        called = is_quasar(lines.c_line, c_threshold, n_lines)
        counts = completeness_purity(called, known.is_qso)
        both = called & known.is_qso
        errors = redshift_errors(lines.zbest[both], known.z[both])
        dv = dv_kms(lines.zbest, known.z)
        wrong = (called != known.is_qso) | (both & (np.abs(dv) > 6000))
        objects = objects_by_id(ws, known.object_id[wrong].tolist())
        snr = rows["snr"][np.searchsorted(rows["id"], known.row_id)]
        at = np.searchsorted(labels["object_id"], known.object_id)
        failures = [
            {
                "id": objects[int(known.object_id[i])].identity,
                "what": _what(bool(called[i]), bool(known.is_qso[i])),
                "truth": str(labels["spectype"][at[i]]),
                "z": float(known.z[i]),
                "zbest": float(lines.zbest[i]),
                "line": LINE_NAMES[int(np.argmax(lines.c_line[:, i]))],
                "c": float(lines.c_line[:, i].max()),
                "dv_kms": float(dv[i]) if both[i] else None,
                "snr": float(snr[i]),
            }
            for i in np.flatnonzero(wrong)
        ]
    return WeightsEvaluation(
        weights=str(weights_file), objects=len(known), c_threshold=c_threshold, n_lines=n_lines,
        completeness=counts.completeness, completeness_interval=counts.completeness_interval,
        purity=counts.purity, purity_interval=counts.purity_interval,
        tp=counts.tp, fp=counts.fp, fn=counts.fn, tn=counts.tn,
        redshifts=int(both.sum()), median_dv_kms=errors.median_kms, nmad_kms=errors.nmad_kms,
        off_by={str(int(c.cut_kms)): c.k for c in errors.catastrophic}, failures=failures,
    )  # fmt: skip


def _what(called: bool, is_qso: bool) -> str:
    if called == is_qso:
        return "redshift off by more than 6000 km/s"
    return "missed quasar" if is_qso else "called a quasar, is none"
