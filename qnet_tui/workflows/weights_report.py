"""``qnet review weights --report``: one page of what a survey wants to know before it swaps a weights file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.whole_files import whole_file
from qnet_tui.workflows.export_objects import objects_by_id
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.weights import describe
from qnet_tui.workflows.weights_answers import AnswersFiles
from qnet_tui.workflows.weights_comparison import compare_weights, comparisons, read_comparison
from qnet_tui.workflows.weights_evidence import Measured, Trained, measured, training_of
from storage.workspace import Workspace

LISTED = 50
"""Objects that got worse and are listed; all of them are counted."""


@dataclass(frozen=True)
class Change:
    """One object that one file has right and the other wrong: its truth, S/N, and what both say of it."""

    id: str
    what: str
    spectype: str
    z: float
    snr: float
    c_new: float
    c_old: float
    z_new: float
    z_old: float


@dataclass(frozen=True)
class WeightsReport:
    """What was written: the ``file``, which comparison it rests on, and the counts that decide.

    ``worse`` objects only the old file had right, ``better`` only the new one (class, and of a quasar a redshift
    within 6000 km/s); ``p`` is McNemar's of the class of all objects, NaN where one file was measured alone.
    """

    file: str
    comparison: str
    new: str
    old: str
    truth: str
    validation_hash: str
    objects: int
    quasars: int
    c_threshold: float
    completeness_new: float
    completeness_old: float
    purity_new: float
    purity_old: float
    p: float
    worse: int
    better: int


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that the page says, before it is words.

    ``files``: what each file says of itself (:func:`~qnet_tui.workflows.weights.describe`); ``trained`` what is known
    of its training; ``figures`` those of the comparison; ``stale``: the truth changed since the comparison was made.
    """

    run: str
    command: str
    figures: dict[str, Any]
    files: dict[str, dict[str, Any]]
    trained: dict[str, Trained]
    objects: Measured
    classes: dict[str, int]
    truth_hash: str
    stale: bool
    c_threshold: float
    dv_max: float | None
    worse: tuple[Change, ...]
    worse_total: int
    better_total: int


def write_report(
    root: Path, target: Path, new: Path | None, asked: Asked, *, progress: Progress = silent
) -> WeightsReport:
    """Write the report of a comparison as Markdown to ``target``; one that is there is replaced as a whole.

    The newest comparison, of the file ``new`` where one is given, or the one that ``asked.dataset`` names. Where
    ``new`` was not looked at yet, it is now, alone. ``asked.c_threshold`` is the working threshold, ``asked.dv_max`` a
    condition on the redshift. Errors: :class:`BadInput` when nothing was compared, or there is no secure truth to
    measure on; :class:`QnetError` when answers are gone or damaged, or ``target`` cannot be written.
    """
    from qnet_tui.workflows.weights_report_text import page

    if not target.parent.is_dir():
        raise BadInput("its folder does not exist", file=target, mend="make it, or choose another file")
    with Workspace.open(root) as ws:
        run = _comparison(ws, new, asked.dataset)
    if run is None and new is not None:
        run = compare_weights(root, new, command=f"qnet review weights {new}", progress=progress).run
    if run is None:
        raise BadInput("no weights files were compared yet", mend="qnet review weights NEW --against OLD --report FILE")
    with Workspace.open(root) as ws:
        progress("measuring on the truth", 0, 0)
        found = _evidence(ws, run, asked)
    text = page(found)
    with whole_file(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return _said(target, found)


def _comparison(ws: Workspace, new: Path | None, named: str) -> str | None:
    """The run of the comparison asked for; None when there is none."""
    known = comparisons(ws)
    if named:
        match = [run for run, name in known.items() if named in (run, name)]
        if not match:
            raise BadInput(f"no comparison is called {named!r}", mend="qnet review weights lists them")
        return match[0]
    if new is None:
        return next(iter(known), None)
    wanted = _sha256(new)
    for run in known:
        try:
            if read_comparison(ws, run)["new"]["sha256"] == wanted:
                return run
        except (QnetError, KeyError):
            continue
    return None


def _evidence(ws: Workspace, run: str, asked: Asked) -> Evidence:
    figures = read_comparison(ws, run)
    who = [name for name in ("new", "old") if figures.get(name)]
    answers = {}
    for name in who:
        facts = figures[name]
        folder = ws.root / "answers" / f"{facts['sha256'][:16]}-{facts['offsets']}"
        if not folder.is_dir():
            raise QnetError("the answers of this file are gone", file=folder, mend="compare the files again")
        answers[name] = AnswersFiles(folder, facts, {})
    objects = measured(ws, answers)
    files = {name: _described(figures[name]) for name in who}
    trained = {
        name: training_of(ws, Path(str(figures[name].get("path", ""))), _attributes(files[name]), objects.object_id)
        for name in who
    }
    worse, worse_total, better_total = _changes(ws, objects, asked.c_threshold)
    names, counts = np.unique(objects.spectype, return_counts=True)
    truth_hash = truth_store.truth_hash(ws)
    return Evidence(
        run=run, command=runs_store.get_run(ws, run).command, figures=figures, files=files, trained=trained,
        objects=objects, classes=dict(zip(names.tolist(), counts.tolist(), strict=True)), truth_hash=truth_hash,
        stale=figures.get("truth_hash") != truth_hash, c_threshold=asked.c_threshold, dv_max=asked.dv_max, worse=worse,
        worse_total=worse_total, better_total=better_total,
    )  # fmt: skip


def _described(facts: dict[str, Any]) -> dict[str, Any]:
    """What a file says of itself; only its name and hash where it is gone or was replaced since."""
    path = Path(str(facts.get("path", "")))
    try:
        said = describe(path, str(facts.get("offsets", "as-trained")))
    except QnetError:
        said = {}
    if said.get("sha256") != facts["sha256"]:
        return {"file": str(path), "sha256": facts["sha256"], "grid": facts.get("grid"), "gone": True}
    return said


def _attributes(said: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("attr_"): value for name, value in said.items() if name.startswith("attr_")}


def _changes(ws: Workspace, one: Measured, c_threshold: float) -> tuple[tuple[Change, ...], int, int]:
    """(the first that got worse, how many did, how many got better): quasars first, then by S/N."""
    if "old" not in one.c_best:
        return (), 0, 0
    new, old = one.right("new", c_threshold), one.right("old", c_threshold)
    worse = np.flatnonzero(old & ~new)
    snr = np.nan_to_num(one.snr[worse].astype(np.float64), nan=-1.0)
    shown = worse[np.lexsort((one.object_id[worse], -snr, ~one.is_qso[worse]))][:LISTED]
    names = objects_by_id(ws, one.object_id[shown].tolist())
    called = one.called("new", c_threshold)
    changes = []
    for i in shown.tolist():
        kind = (
            "redshift off" if called[i] and one.is_qso[i] else "quasar missed" if one.is_qso[i] else "called a quasar"
        )
        name = names[int(one.object_id[i])]
        changes.append(Change(
            id=str(name.targetid or name.identity), what=kind, spectype=str(one.spectype[i]), z=float(one.z[i]),
            snr=float(one.snr[i]), c_new=float(one.c_best["new"][i]), c_old=float(one.c_best["old"][i]),
            z_new=float(one.zbest["new"][i]), z_old=float(one.zbest["old"][i]),
        ))  # fmt: skip
    return tuple(changes), len(worse), int(np.count_nonzero(new & ~old))


def _said(target: Path, found: Evidence) -> WeightsReport:
    from qnet_tui.workflows.weights_evidence import paired

    one, nan = found.objects, float("nan")
    new = one.counts("new", found.c_threshold, found.dv_max)
    old = one.counts("old", found.c_threshold, found.dv_max) if "old" in one.c_best else None
    return WeightsReport(
        file=str(target), comparison=found.run, new=str(found.files["new"]["file"]),
        old=str(found.files["old"]["file"]) if old else "", truth=one.role, validation_hash=one.hash,
        objects=len(one), quasars=int(one.is_qso.sum()), c_threshold=found.c_threshold,
        completeness_new=new.completeness, completeness_old=old.completeness if old else nan,
        purity_new=new.purity, purity_old=old.purity if old else nan,
        p=paired(one, found.c_threshold)[0].p if old else nan, worse=found.worse_total, better=found.better_total,
    )  # fmt: skip


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=path, mend="give a weights file") from None
