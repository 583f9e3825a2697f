"""``qnet review weights NEW --against OLD``: two weights files on the spectra of a workspace, as a resumable run.

The run (verb "compare") lets both files answer for every row (:mod:`qnet_tui.workflows.weights_answers`, kept and never
done twice) and writes into its folder ``comparison.json`` with all figures and ``points.npz`` for the chart: at most
5,000 points (``z``, ``dv``) and their running median (``z_median``, ``dv_median``). With one file alone it gives its
repeats and its box pull against the truth.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.runs as runs_store
import storage.shards as shards
import storage.truth as truth_store
from qnet_tui.compute.where import Where, available_cores
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.evaluation.classification import C_THRESHOLD
from qnet_tui.workflows.driven_run import driven_run
from qnet_tui.workflows.labelled_rows import ROLE_TRAIN, ROLE_VALIDATION, all_rows, best_rows
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.round_files import read_npz, write_npz
from qnet_tui.workflows.round_runner import Runner
from qnet_tui.workflows.versions import versions
from qnet_tui.workflows.weights import load_weights
from storage.files import make_directory, write_durably
from storage.scalars import json_text
from storage.workspace import Workspace

ROLES = ("", ROLE_VALIDATION, ROLE_TRAIN, "all")
VERB = "compare"

_FIGURES = {
    "new", "c_threshold", "truth_role", "truth_objects", "truth_quasars", "rows", "compared", "objects",
    "not_compared", "agreement", "confusion", "box_pull", "classes", "against_truth", "box_edges", "repeats",
}  # fmt: skip
"""What every ``comparison.json`` has."""


@dataclass
class Comparison:
    """What a comparison did; its figures are in ``file``."""

    run: str
    new: str
    old: str = ""
    rows: int = 0
    compared: int = 0
    objects: int = 0
    both: int = 0
    not_compared: dict[str, int] = field(default_factory=dict)
    file: str = ""
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)


def compare_weights(
    root: Path,
    new: Path,
    against: Path | None = None,
    *,
    offsets: str = "as-trained",
    c_threshold: float = C_THRESHOLD,
    role: str = "",
    command: str = "",
    jobs: int | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Compare ``new`` with ``against`` on every row of the workspace at ``root``; alone, measure ``new``.

    ``role`` is the truth that the figures against truth use: validation, train or all; "" is validation where any
    object is held out, else all. Errors: :class:`BadInput` for a file that is no QuasarNET, or a workspace without
    spectra; ``Stopped`` after SIGTERM or Ctrl-C (``qnet runs resume`` goes on).
    """
    if role not in ROLES:
        raise BadInput(f"there is no truth of role {role!r}", mend="choose validation, train or all")
    files = [path.resolve() for path in (new, against) if path is not None]
    for path in files:
        load_weights(path, offsets)
    with Workspace.open(root) as ws:
        if not shards.shards(ws):
            raise BadInput("there are no spectra to compare on", file=ws.root, mend="qnet ingest PATH")
        settings = {
            "new": str(files[0]),
            "against": str(files[1]) if len(files) > 1 else "",
            "offsets": offsets,
            "c_threshold": c_threshold,
            "role": role,
        }
        run_id = runs_store.new_run(ws, VERB, settings, versions(), seed=None, round=None, command=command)
        return _drive(ws, run_id, settings, jobs, progress)


def resume_compare(root: Path, run: str, *, jobs: int | None = None, progress: Progress = silent) -> Comparison:
    """Go on with a killed, stopped or failed comparison; blocks that were scored are not scored again.

    Errors: :class:`BadInput` when ``run`` is no comparison, or is done; storage's when another process is at it.
    """
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        if record.verb != VERB:
            raise BadInput(f"{record.id} is a run of {record.verb}, not a comparison")
        if record.state == "DONE":
            raise BadInput(f"{record.id} is done", mend="qnet review weights shows it")
        runs_store.resume_run(ws, record.id)
        return _drive(ws, record.id, record.settings, jobs, progress)


def comparisons(ws: Workspace) -> dict[str, str]:
    """The finished comparisons, newest first: run → what it is called, "cp-0007 new.h5 against old.h5"."""
    return {
        record.id: comparison_name(record)
        for record in runs_store.runs(ws)
        if record.verb == VERB and record.state == "DONE"
    }


def comparison_name(record: runs_store.RunRecord) -> str:
    """What a comparison is called wherever one can be chosen."""
    new, old = (Path(str(record.settings.get(name, ""))).name for name in ("new", "against"))
    return f"{record.id} {new} against {old}" if old else f"{record.id} {new}"


def read_comparison(ws: Workspace, run_id: str) -> dict[str, Any]:
    """The figures of a finished comparison; NaN is None. Errors: :class:`QnetError` when it is gone or damaged."""
    path = ws.run_dir(run_id) / "comparison.json"
    try:
        figures: Any = json.loads(path.read_text())
        if not isinstance(figures, dict) or not figures.keys() >= _FIGURES:
            raise ValueError("it has not all figures of a comparison")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return dict(figures)


def read_points(ws: Workspace, run_id: str) -> dict[str, NDArray[Any]]:
    """The points of the chart, f8: ``z``, ``dv`` (n,) and ``z_median``, ``dv_median`` (m,).

    Errors as in :func:`read_comparison`.
    """
    path = ws.run_dir(run_id) / "points.npz"
    try:
        return read_npz(path)
    except Exception as error:  # Whatever numpy and zipfile raise of a damaged file.
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> QnetError:
    why = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
    return QnetError(f"this comparison cannot be read ({why})", file=path,
                     mend="compare again: what was scored is kept")  # fmt: skip


def _drive(ws: Workspace, run_id: str, settings: dict[str, Any], jobs: int | None, progress: Progress) -> Comparison:
    folder = ws.run_dir(run_id)
    make_directory(folder)
    new, old = Path(settings["new"]), settings["against"]
    result = Comparison(run_id, str(new), old, file=str(folder / "comparison.json"))
    where = Where(jobs=jobs or available_cores(), log=folder / "log")
    with driven_run(ws, run_id, where, result, progress, f"qnet runs resume {run_id}") as runner:
        files = {"new": new, **({"old": Path(old)} if old else {})}
        figures, points = _compared(runner, files, settings, result)
        write_npz(folder / "points.npz", **points)
        write_durably(folder / "comparison.json", json_text(_without_nan(figures)).encode())
    return result


def _compared(
    runner: Runner, files: dict[str, Path], settings: dict[str, Any], result: Comparison
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    from qnet_tui.workflows.comparison_figures import pair_figures, repeat_figures, said_of, truth_figures
    from qnet_tui.workflows.weights_answers import answers

    ws, clock = runner.ws, runner.clock
    with clock.stage("score"):
        kept = {
            who: answers(ws, path, settings["offsets"], runner=runner, progress=clock.progress)
            for who, path in files.items()
        }
    c_threshold = float(settings["c_threshold"])
    with clock.stage("compare"):
        steps = len(kept) + 3  # Each takes seconds on millions of rows: the run must be heard of between them.
        clock.progress("comparing", 0, steps)
        rows = all_rows(ws)
        said = {who: said_of(one, rows["id"].astype(np.int64)) for who, one in kept.items()}
        use = _usable(rows, kept, said, result)
        places = np.flatnonzero(use)
        places = places[best_rows(rows[places], one_per_object=True)]
        result.objects = len(places)
        of_objects = {
            who: type(one)(one.c_best[places], one.line[places], one.zbest[places]) for who, one in said.items()
        }
        truth, role = _truth(ws, rows["object_id"][places].astype(np.int64), str(settings["role"]))
        # By line only where a file calls a quasar or there is one: of millions of objects these are few.
        some = truth.is_qso | np.logical_or.reduce([one.c_best > c_threshold for one in of_objects.values()])
        ids = rows["id"][places[some]].astype(np.int64)
        by_line = {who: one.of_rows(ids) for who, one in kept.items()}
        clock.progress("comparing", 1, steps)
        figures: dict[str, Any] = {
            **_provenance(runner, kept, settings, role, truth, result),
            "agreement": [], "confusion": [], "box_pull": [], "classes": [], "against_truth": [],
        }  # fmt: skip
        points: dict[str, NDArray[Any]] = {}
        if len(kept) == 2:
            pair, points = pair_figures(
                of_objects["new"], of_objects["old"], by_line["new"], by_line["old"], some, truth,
                kept["new"].facts["grid"], c_threshold,
            )  # fmt: skip
            figures.update(pair)
            result.both = int(pair["classes"][0]["count"])
        for step, (who, one) in enumerate(kept.items(), start=2):
            clock.progress("comparing", step, steps)
            against, of_truth = truth_figures(
                of_objects[who], by_line[who], some, truth, one.facts["grid"], who, c_threshold
            )
            figures["box_pull"] += against["box_pull"]
            figures["against_truth"] += against["agreement"]
            figures.setdefault("box_edges", against["box_edges"])
            points = points or of_truth
        clock.progress("comparing", steps - 1, steps)
        figures["repeats"] = repeat_figures(said, rows["object_id"].astype(np.int64), rows["coadd"], use, c_threshold)
        clock.progress("comparing", steps, steps)
    return figures, points


def _usable(
    rows: NDArray[np.void], kept: dict[str, Any], said: dict[str, Any], result: Comparison
) -> NDArray[np.bool_]:
    """Rows of objects for which every file has an answer, bool (n,); the result is told why the others are not."""
    lost = {f"{who}: {why}": n for who, one in kept.items() for why, n in one.not_scored.items()}
    for who, one in said.items():
        strange = int(np.count_nonzero(~one.answered)) - sum(kept[who].not_scored.values())
        if strange > 0:
            lost[f"{who}: the answer is not a number"] = strange
    use: NDArray[np.bool_] = np.logical_and.reduce([one.answered for one in said.values()])
    for why, others in (("no object (TARGETID < 0)", rows["object_id"] <= 0), ("no target (OBJTYPE)", ~rows["target"])):
        if n := int(np.count_nonzero(use & others)):
            lost[why] = n
        use &= ~others
    result.rows, result.compared, result.not_compared = len(rows), int(np.count_nonzero(use)), lost
    return use


def _truth(ws: Workspace, object_id: NDArray[np.int64], role: str) -> tuple[Any, str]:
    """Secure truth of some objects, and the role that was used."""
    from qnet_tui.truth.classes import training_targets
    from qnet_tui.workflows.comparison_figures import Truth

    labels = truth_store.current_truth(ws)
    if not role:
        role = ROLE_VALIDATION if (labels["role"] == ROLE_VALIDATION).any() else "all"
    if role != "all":
        labels = labels[labels["role"] == role]
    use, z, is_qso, _ = training_targets(labels["spectype"], labels["z"], labels["quality"], labels["bal"])
    labels, z, is_qso = labels[use], z[use], is_qso[use]
    known = np.isin(object_id, labels["object_id"])
    out = Truth(known, np.zeros(known.size, dtype=bool), np.full(known.size, np.nan))
    at = np.searchsorted(labels["object_id"], object_id[known])
    out.is_qso[known] = is_qso[at]
    out.z[known] = np.where(is_qso[at], z[at], np.nan)
    return out, role


def _provenance(
    runner: Runner, kept: dict[str, Any], settings: dict[str, Any], role: str, truth: Any, result: Comparison
) -> dict[str, Any]:
    """Which files, on what, and what the figures rest on."""
    files = {who: {**one.facts, "path": settings["new" if who == "new" else "against"]} for who, one in kept.items()}
    return {
        "run": runner.run_id,
        **files,
        "c_threshold": settings["c_threshold"],
        "n_lines": 1,
        "truth_role": role,
        "truth_objects": int(np.count_nonzero(truth.known)),
        "truth_quasars": int(np.count_nonzero(truth.is_qso)),
        "truth_hash": truth_store.truth_hash(runner.ws),
        "rows": result.rows,
        "compared": result.compared,
        "objects": result.objects,
        "not_compared": result.not_compared,
    }


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: None."""
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(one) for one in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
