"""``qnet truth import|exclude|split``: what is known of objects, versioned, with its origin and role."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import storage.spectra as spectra_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from storage.workspace import Workspace

ROLES = ("train", "validation")


@dataclass
class TruthImport:
    """What ``qnet truth import`` says: ``imported`` labels have a spectrum here, ``unmatched`` ones have none."""

    rows: int = 0
    imported: int = 0
    unmatched: int = 0
    duplicates: int = 0
    kept_not_trained: int = 0
    by_class: dict[str, int] = field(default_factory=dict)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    dialect: str = ""
    origin: str = ""
    role: str = "train"
    not_superseding: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TruthSplit:
    """How many objects with secure labels train and how many validate."""

    train: int
    validation: int


def import_truth(
    root: Path,
    table: Path,
    *,
    format: str = "auto",  # noqa: A002 - the name of the option, and of the thing
    role: str = "train",
    quality: float | None = None,
    name: str | None = None,
) -> TruthImport:
    """Read one truth table of any dialect and store the labels of the objects that have spectra.

    All rows are read and checked before the first is stored, in one transaction.
    Errors: :class:`BadInput` for a table that cannot be read; bad rows are listed in the result.
    """
    from qnet_tui.truth.read import read_truth

    _check_role(role)
    read = read_truth(table, format=format, quality=quality)
    with Workspace.open(root) as ws:
        # First identity by which a spectrum is known here wins: TARGETID, else THING_ID, else PLATE-MJD-FIBERID.
        wanted: dict[str, set[str]] = {}
        for label in read.labels:
            for survey, identity in label.identities():
                wanted.setdefault(survey, set()).add(identity)
        known = {
            (survey, identity): object_id
            for survey, identities in wanted.items()
            for identity, object_id in spectra_store.object_ids(ws, survey, sorted(identities)).items()
        }
        labels: dict[int, truth_store.TruthLabel] = {}
        unmatched = 0
        duplicates = read.duplicates
        for label in read.labels:
            object_id = next((known[i] for i in label.identities() if i in known), None)
            if object_id is None:
                unmatched += 1
                continue
            # Two rows of a catalogue (two plates, say) can be one object: the better quality, then the later row.
            if object_id in labels:
                duplicates += 1
                if labels[object_id].quality > label.quality:
                    continue
            labels[object_id] = truth_store.TruthLabel(
                object_id=object_id,
                spectype=label.spectype,
                z=label.z,
                quality=label.quality,
                bal=label.bal,
                issues=label.issues,
                comment=label.comment,
                n_vi=label.n_vi,
            )
        origin = f"table:{name or table.name}"
        change = truth_store.add_labels(ws, list(labels.values()), origin, read.origin, role=role)
    return TruthImport(
        rows=read.rows,
        imported=change.added + change.replaced,
        unmatched=unmatched,
        duplicates=duplicates,
        kept_not_trained=sum(1 for label in labels.values() if label.quality < 2.5),
        by_class=dict(sorted(Counter(label.spectype or "UNKNOWN" for label in labels.values()).items())),
        rejected=[{"line": bad.line, "reason": bad.reason} for bad in read.rejected],
        dialect=read.dialect,
        origin=origin,
        role=role,
        not_superseding=len(labels) - change.added - change.replaced,
        notes=list(read.notes),
    )


def import_from_spectra(root: Path, *, role: str = "train") -> TruthImport:
    """Take the pipeline's own answer (SPECOBJ of SDSS files) as truth, marked as pipeline truth.

    ZWARNING = 0 gives quality 3, anything else 1 (algorithm.md 6). A person's label is never replaced by it.
    """
    from qnet_tui.truth.pipeline import pipeline_label

    _check_role(role)
    with Workspace.open(root) as ws:
        rows = spectra_store.read_rows(ws, "pipeline = 'specobj'")
        labels: dict[int, truth_store.TruthLabel] = {}
        rejected = []
        for row in rows:
            object_id = int(row["object_id"])
            try:
                spectype, z, quality = pipeline_label(
                    str(row["pipeline_class"]), float(row["pipeline_z"]), int(row["pipeline_zwarn"])
                )
            except BadInput as error:
                rejected.append({"line": int(row["id"]), "reason": str(error)})
                continue
            if object_id and (object_id not in labels or labels[object_id].quality < quality):
                labels[object_id] = truth_store.TruthLabel(
                    object_id, spectype, z, quality, bal=0, issues="", comment="", n_vi=None
                )
        change = truth_store.add_labels(ws, list(labels.values()), "table:SPECOBJ", "pipeline", role=role)
    return TruthImport(
        rows=len(rows),
        imported=change.added + change.replaced,
        duplicates=len(rows) - len(labels) - len(rejected),
        kept_not_trained=sum(1 for label in labels.values() if label.quality < 2.5),
        by_class=dict(sorted(Counter(label.spectype for label in labels.values()).items())),
        rejected=rejected,
        dialect="SPECOBJ",
        origin="table:SPECOBJ",
        role=role,
        not_superseding=len(labels) - change.added - change.replaced,
        notes=["pipeline truth: ZWARNING = 0 is quality 3, else 1"],
    )


def exclude(root: Path, ids: Sequence[str], reason: str, by: str) -> int:
    """Withdraw the labels of ``ids`` (TARGETID, THING_ID as ``T123``, or PLATE-MJD-FIBERID) from training.

    Errors: :class:`BadInput` naming the ids that no spectrum here has; then nothing is withdrawn.
    """
    if not reason.strip():
        raise BadInput("a withdrawal needs its reason", mend="give --reason TEXT")
    with Workspace.open(root) as ws:
        objects = find_objects(ws, ids)
        missing = [text for text, object_id in objects.items() if object_id is None]
        if missing:
            raise BadInput(f"no spectrum here has the id {', '.join(missing[:5])}", mend="see qnet export truth")
        return truth_store.exclude(ws, [o for o in objects.values() if o is not None], reason, by)


def find_objects(ws: Workspace, ids: Sequence[str]) -> dict[str, int | None]:
    """Object id by the identity text that people type (TARGETID, ``T<THING_ID>``, ``P-M-F`` with or without P)."""
    sdss = {text: text if text[:1] in {"T", "P"} else f"P{text}" for text in ids}
    desi = spectra_store.object_ids(ws, "desi", sorted(set(ids)))
    other = spectra_store.object_ids(ws, "sdss", sorted(set(sdss.values())))
    return {text: desi.get(text, other.get(sdss[text])) for text in ids}


def split(root: Path, fraction: float, seed: int) -> TruthSplit:
    """Hold out ``fraction`` of the secure labels for validation, by object, stratified by class.

    Objects that are validation already keep that role for ever: a later split only adds to them.
    """
    from qnet_tui.truth.classes import QUALITY_GOOD, split_validation

    if not 0 < fraction < 1:
        raise BadInput(f"--fraction {fraction} is not between 0 and 1", mend="the paper holds out 0.3")
    with Workspace.open(root) as ws:
        labels = truth_store.current_truth(ws)
        secure = labels[(labels["quality"] >= QUALITY_GOOD) & np.isin(labels["spectype"], ("STAR", "GALAXY", "QSO"))]
        if not len(secure):
            raise BadInput("there is no secure truth to split", mend="qnet truth import FILE first")
        held = secure["role"] == "validation"
        chosen = split_validation(secure["object_id"], fraction, seed, secure["spectype"])
        truth_store.set_roles(ws, {int(o): "validation" for o in secure["object_id"][chosen & ~held]})
        validation = int((chosen | held).sum())
        return TruthSplit(train=len(secure) - validation, validation=validation)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise BadInput(f"no role is called {role!r}", mend="choose train or validation")
