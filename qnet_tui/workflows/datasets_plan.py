"""The plan of ``qnet review datasets --run``: how the truth grew, and what is trained on each state of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.datasets_tasks import DatasetsFiles
from qnet_tui.workflows.labelled_rows import LabelledRows, all_rows, validation_rows
from qnet_tui.workflows.presets import RoundSettings
from qnet_tui.workflows.round_files import write_npy, write_npz
from qnet_tui.workflows.round_plan import training_set
from qnet_tui.workflows.truth_rounds import truth_name
from qnet_tui.workflows.validation_answers import snr_and_magnitude, validation_hash
from storage.files import make_directory
from storage.workspace import Workspace


@dataclass(frozen=True)
class Growth:
    """The datasets from the smallest round on, (round, spectra) each, the held-out spectra, and what was left out."""

    datasets: tuple[tuple[int, LabelledRows], ...]
    held: LabelledRows
    skipped: tuple[str, ...]

    @property
    def largest(self) -> int:
        """Place of the largest dataset, the latest of those of one size."""
        sizes = [len(rows) for _, rows in self.datasets]
        return len(sizes) - 1 - int(np.argmax(sizes[::-1]))

    def trainings(self, bootstraps: int) -> list[tuple[int, int]]:
        """(dataset, bootstrap) of every training: all datasets as they are first."""
        places = range(len(self.datasets))
        return [(i, 0) for i in places] + [(i, b) for i in places if i != self.largest for b in _one_to(bootstraps)]


def planned(ws: Workspace, run_id: str) -> dict[str, Any]:
    """The plan of a run, {} before there is one.

    ``datasets`` is a list of {index, name, round, size, quasars, bootstraps, drawn, steps}: ``drawn`` spectra in every
    bootstrap, ``steps`` gradient steps of the training on the dataset as it is; ``validation`` objects with their
    ``validation_hash``; ``skipped`` says which rounds are no dataset and why.
    """
    for task in runs_store.tasks(ws, run_id):
        if task.name == "plan" and task.state == "DONE":
            return task.detail
    return {}


def training_name(dataset: str, bootstrap: int) -> str:
    """What a training's figures are stored under: "AL 1", "AL 1 boot 3"."""
    return f"{dataset} boot {bootstrap}" if bootstrap else dataset


def trainings_of(plan: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Every training of a plan: its dataset and its bootstrap, all datasets as they are first."""
    for one in plan["datasets"]:
        yield one, 0
    for one in plan["datasets"]:
        for bootstrap in _one_to(one["bootstraps"]):
            yield one, bootstrap


def write_plan(ws: Workspace, run_id: str, growth: Growth, settings: RoundSettings, bootstraps: int) -> dict[str, Any]:
    """Write what the trainings of a run read, and register the plan that :func:`planned` gives back."""
    files, held = DatasetsFiles(ws.run_dir(run_id)), growth.held
    make_directory(files.validation.parent)
    every = np.concatenate([rows.row_id for _, rows in growth.datasets])
    row_id, first = np.unique(every, return_index=True)
    write_npy(files.vectors, np.concatenate([rows.x for _, rows in growth.datasets])[first])
    write_npz(
        files.validation,
        x=held.x, z=held.z, is_qso=held.is_qso, bal=held.bal, object_id=held.object_id, row_id=held.row_id,
        **snr_and_magnitude(ws, held.row_id, held.object_id),
    )  # fmt: skip
    largest = len(growth.datasets[growth.largest][1])
    datasets = []
    for index, (number, rows) in enumerate(growth.datasets):
        at = np.searchsorted(row_id, rows.row_id)
        write_npz(files.dataset(index), at=at, z=rows.z, is_qso=rows.is_qso, bal=rows.bal, row_id=rows.row_id)
        datasets.append({
            "index": index, "name": truth_name(ws, number), "round": number, "size": len(rows),
            "quasars": int(rows.is_qso.sum()), "bootstraps": 0 if index == growth.largest else bootstraps,
            "drawn": largest, "steps": settings.epochs * -(-len(rows) // settings.batch),
        })  # fmt: skip
    plan = {
        "datasets": datasets,
        "trainings": len(growth.trainings(bootstraps)),
        "validation": len(held),
        "validation_hash": validation_hash(held.object_id, held.z, held.is_qso),
        "skipped": list(growth.skipped),
    }
    runs_store.register_task(ws, run_id, "plan", "plan", "DONE", str(files.validation), None, 0.0, plan)
    return plan


def growth_of(ws: Workspace, settings: RoundSettings) -> Growth:
    """The truth at every round that changed it. Errors: :class:`BadInput` where there is nothing to compare."""
    rows = all_rows(ws)
    held = validation_rows(ws, rows, truth_store.current_truth(ws))
    if not len(held) or not held.is_qso.any():
        missing = "quasar" if len(held) else "truth"
        raise BadInput(f"no {missing} is held out to measure on", mend="qnet truth split")
    found: list[tuple[int, LabelledRows]] = []
    skipped = []
    for number in (0, *sorted(r.round for r in rounds_store.rounds(ws))):
        try:
            one = training_set(ws, rows, truth_store.current_truth(ws, number), settings)
        except BadInput as error:
            skipped.append(f"{truth_name(ws, number)}: {error.what}")
            continue
        if found and _same(found[-1][1], one):
            skipped.append(f"{truth_name(ws, number)}: its labels changed nothing")
        else:
            found.append((number, one))
    if len(found) < 2:
        raise BadInput(
            "the truth makes no two datasets to compare" + (f" ({'; '.join(skipped)})" if skipped else ""),
            mend="label a round and merge it: qnet run-al, qnet label, qnet merge",
        )
    return Growth(tuple(found), held, tuple(skipped))


def _same(one: LabelledRows, other: LabelledRows) -> bool:
    return len(one) == len(other) and all(
        bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
        for a, b in zip(_labels(one), _labels(other), strict=True)
    )


def _labels(rows: LabelledRows) -> tuple[NDArray[Any], ...]:
    return rows.row_id, rows.z, rows.is_qso, rows.bal


def _one_to(n: int) -> range:
    return range(1, n + 1)
