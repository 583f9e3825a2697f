"""What two weights files say of the objects with known truth: the figures that the report of a swap rests on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.evaluation.classification import ClassificationCounts, completeness_purity, redshift_edges
from qnet_tui.evaluation.paired import Paired, fair_coin_p, mcnemar
from qnet_tui.evaluation.redshifts import dv_kms
from qnet_tui.truth.classes import training_targets
from qnet_tui.workflows.labelled_rows import ROLE_VALIDATION, all_rows, best_rows, of_objects
from qnet_tui.workflows.round_files import RoundFiles, read_npz
from qnet_tui.workflows.validation_answers import read_answers, snr_and_magnitude, validation_hash
from qnet_tui.workflows.weights_answers import AnswersFiles
from storage.workspace import Workspace

WRONG_KMS = 6000.0
"""A redshift farther off than this is wrong (Busca & Balland 2018)."""

MAGNITUDES = np.array([0.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 40.0])
SNR = np.array([-1e9, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 1e9])
"""Of the median S/N per pixel."""


@dataclass(frozen=True, eq=False)
class Measured:
    """``n`` objects with secure truth for which every file has an answer, one spectrum each.

    ``role`` of the truth: "validation", or "all" where nothing is held out. ``c_best`` (the most confident line) and
    ``zbest`` by file ("new", "old"), f8 (n,). ``lost``: objects of the truth without an answer. ``hash`` identifies
    objects and truth.
    """

    role: str
    object_id: NDArray[np.int64]
    spectype: NDArray[np.str_]
    z: NDArray[np.float64]
    is_qso: NDArray[np.bool_]
    snr: NDArray[np.float32]
    mag_r: NDArray[np.float32]
    c_best: dict[str, NDArray[np.float64]]
    zbest: dict[str, NDArray[np.float64]]
    lost: int

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.object_id)

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that are the same for the same objects with the same truth."""
        return validation_hash(self.object_id, self.z, self.is_qso)

    def called(self, who: str, c_threshold: float) -> NDArray[np.bool_]:
        """What a file calls a quasar: one line or more above the threshold."""
        return np.asarray(self.c_best[who] > c_threshold)

    def counts(self, who: str, c_threshold: float, dv_max: float | None) -> ClassificationCounts:
        """Completeness and purity of one file, with a condition on the redshift where ``dv_max`` (km/s) is given."""
        return completeness_purity(
            self.called(who, c_threshold), self.is_qso, z_pred=self.zbest[who], z_true=self.z, dv_max=dv_max
        )

    def dv(self, who: str) -> NDArray[np.float64]:
        """Velocity error of the quasars in km/s, NaN for what is none."""
        return np.where(self.is_qso, dv_kms(self.zbest[who], self.z), np.nan)

    def right(self, who: str, c_threshold: float) -> NDArray[np.bool_]:
        """Right class, and of a quasar a redshift within 6000 km/s."""
        called = self.called(who, c_threshold)
        with np.errstate(invalid="ignore"):
            z_wrong = called & self.is_qso & (np.abs(self.dv(who)) > WRONG_KMS)
        return np.asarray((called == self.is_qso) & ~z_wrong)


@dataclass(frozen=True)
class WorseBin:
    """Objects in [lo, hi) of ``by`` on which the new file does worse: ``what`` is counted among ``n`` objects."""

    by: str
    lo: float
    hi: float
    what: str
    n: int
    new: int
    old: int
    p: float


@dataclass(frozen=True)
class Trained:
    """What is known of a file's training beside the measured objects.

    ``source`` says how it is known; ``held_out`` of the measured objects were held out from it for certain, ``inside``
    were trained on for certain; None where nothing is known. ``recorded`` are facts of the run that made it.
    """

    source: str
    held_out: int | None
    inside: int | None
    recorded: dict[str, Any]


def measured(ws: Workspace, files: dict[str, AnswersFiles]) -> Measured:
    """The held-out objects (all with secure truth where none is held out) with the answers of each file.

    Errors: :class:`BadInput` without secure truth; :class:`QnetError` when answers are damaged.
    """
    labels = truth_store.current_truth(ws)
    role = ROLE_VALIDATION if (labels["role"] == ROLE_VALIDATION).any() else "all"
    labels = labels if role == "all" else labels[labels["role"] == role]
    use, z, is_qso, _ = training_targets(labels["spectype"], labels["z"], labels["quality"], labels["bal"])
    labels, z, is_qso = labels[use], z[use], is_qso[use]
    rows = all_rows(ws)
    rows = rows[of_objects(rows["object_id"], labels["object_id"])] if len(labels) and len(rows) else rows[:0]
    rows = rows[best_rows(rows, one_per_object=True)]
    if not len(rows):
        raise BadInput("no object with secure truth to measure on", mend="qnet truth import FILE")
    at = np.searchsorted(labels["object_id"], rows["object_id"])
    said = {who: one.of_rows(rows["id"].astype(np.int64)) for who, one in files.items()}
    # A maximum of NaN is NaN: such a row has no answer.
    c_best = {who: one.c_line.max(axis=0).astype(np.float64) for who, one in said.items()}
    known = np.logical_and.reduce([np.isfinite(c_best[who]) & np.isfinite(one.zbest) for who, one in said.items()])
    if not known.any():
        raise BadInput("no object with secure truth has an answer of every file", mend="compare the files again")
    facts = snr_and_magnitude(ws, rows["id"].astype(np.int64), rows["object_id"].astype(np.int64))
    return Measured(
        role=role,
        object_id=rows["object_id"][known].astype(np.int64),
        spectype=labels["spectype"][at][known],
        z=z[at][known],
        is_qso=is_qso[at][known],
        snr=facts["snr"][known],
        mag_r=facts["mag_r"][known],
        c_best={who: values[known] for who, values in c_best.items()},
        zbest={who: one.zbest[known] for who, one in said.items()},
        lost=len(labels) - int(known.sum()),
    )


def paired(one: Measured, c_threshold: float) -> tuple[Paired, Paired]:
    """McNemar's test of new against old: (the class of every object, the quasars that are found)."""
    new, old = (one.called(who, c_threshold) for who in ("new", "old"))
    return mcnemar(new == one.is_qso, old == one.is_qso), mcnemar(new, old, use=one.is_qso)


def worse_bins(one: Measured, c_threshold: float) -> list[WorseBin]:
    """Bins of redshift, r magnitude and S/N where the new file finds fewer quasars, or calls more that are none.

    ``p`` is McNemar's, of that bin alone. By redshift only quasars are counted: others have none that is known.
    """
    new, old = (one.called(who, c_threshold) for who in ("new", "old"))
    out = []
    for by, values, edges in (
        ("z", one.z, redshift_edges(8.0, 0.5)),
        ("r magnitude", one.mag_r, MAGNITUDES),
        ("S/N", one.snr, SNR),
    ):
        for lo, hi in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            here = (values >= lo) & (values < hi)
            for what, among, sign in (("quasars found", one.is_qso, 1), ("false quasars", ~one.is_qso, -1)):
                if by == "z" and sign < 0:
                    continue
                some = here & among
                a, b = int(np.count_nonzero(new & some)), int(np.count_nonzero(old & some))
                if sign * (a - b) < 0:
                    p = fair_coin_p(int(np.count_nonzero(some & new & ~old)), int(np.count_nonzero(some & old & ~new)))
                    out.append(WorseBin(by, lo, hi, what, int(np.count_nonzero(some)), a, b, p))
    return out


def training_of(ws: Workspace, path: Path, attrs: dict[str, Any], object_ids: NDArray[np.int64]) -> Trained:
    """What is known of the objects that a weights file was trained on, beside ``object_ids``.

    A network of a round's committee lies with the training set of that round; a run of ``train`` left the objects that
    were held out from it. Of any other file nothing is known.
    """
    try:
        inside = path.resolve().relative_to(ws.rounds_dir.resolve())
        rows = read_npz(RoundFiles(ws.rounds_dir / inside.parts[0]).training)["row_id"]
        known = all_rows(ws)
        trained = np.unique(known["object_id"][np.isin(known["id"], rows)])
        n = int(np.isin(object_ids, trained).sum())
        return Trained(f"the training set of round {int(inside.parts[0])}", len(object_ids) - n, n, {})
    except (ValueError, OSError, IndexError, KeyError, EOFError, BadZipFile):
        pass
    try:
        run = runs_store.get_run(ws, str(attrs.get("run") or "-"))
        if run.verb != "train" or run.truth_hash != str(attrs.get("truth_hash")):
            raise QnetError("another run of that name")
        held = read_answers(ws.run_dir(run.id) / "validation.npz").object_id
    except Exception as error:  # Storage's own, or ours: either way nothing is known of this file.
        if not isinstance(error, QnetError) and not hasattr(error, "exit_code"):
            raise
        return Trained("unknown", None, None, {})
    n = int(np.isin(object_ids, held).sum())
    recorded = {"command": run.command, "training": run.result.get("training"), **run.versions}
    return Trained(f"what {run.id} held out", n, 0 if n == len(object_ids) else None, recorded)
