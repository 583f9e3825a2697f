"""``qnet weights evaluate``: one weights file on every object with secure truth, and each of its failures."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import storage.settings as campaign
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.evaluation.classification import completeness_purity
from qnet_tui.evaluation.redshifts import dv_kms, redshift_errors
from qnet_tui.workflows.export_objects import objects_by_id
from qnet_tui.workflows.labelled_rows import all_rows, labelled_rows
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.regrid import vectors_on
from qnet_tui.workflows.weights import load_weights
from storage.workspace import Workspace


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

    ``role`` is "validation" (what is held out), "train" or "all". One spectrum per object. A file on another grid than
    the workspace's is measured on the same spectra, rebinned from the originals.
    Errors: :class:`BadInput` without truth, or when an original that must be rebinned is gone.
    """
    from qnet_tui.quasarnet.boxes import decode, is_quasar
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.lines import LINE_NAMES

    weights = load_weights(weights_file, offsets)
    with Workspace.open(root) as ws:
        labels = truth_store.current_truth(ws)
        labels = labels if role == "all" else labels[labels["role"] == role]
        rows = all_rows(ws)
        known = labelled_rows(ws, rows, labels, one_per_object=True)
        if not len(known):
            raise BadInput(f"no object with secure truth of role {role}", mend="qnet truth import FILE")
        x = known.x
        if weights.grid.name != campaign.get_setting(ws, "grid", "log"):
            x = vectors_on(ws, weights.grid.name, known.row_id, progress)
        progress("scoring", 0, len(known))
        lines = decode(Predictor(weights.settings).predict(weights, x), weights.grid)
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
