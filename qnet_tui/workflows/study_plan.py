"""The first stage of a study: which objects are the pool, which test, and their vectors, written once.

The pool are the labelled objects of role train, one row each, by the filters of a round; their labels are hidden until
they are asked for. Unreadable objects (quality below 2.5) are in it: whoever asks for one spends a label and learns
nothing. The test objects are the validation objects. A split holds out readable objects only, so the same share of the
unreadable ones is left out of the pool, lest there be more of them than in the survey.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import storage.settings as campaign
import storage.shards as shards
import storage.truth as truth_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.labelled_rows import ROLE_TRAIN, all_rows, best_rows, of_objects, validation_rows
from qnet_tui.workflows.round_files import read_npz, write_npy, write_npz
from qnet_tui.workflows.study_settings import StudyFiles, StudySettings, seed_of
from storage.workspace import Workspace

MINIMUM_TEST = 10
"""Quasars, and others, that the test objects must have: on fewer nothing can be measured."""


@dataclass(frozen=True)
class StudyPlan:
    """Counts of a written plan; ``left_out`` objects of the truth by reason; ``precision`` that of the training."""

    pool: int
    pool_qso: int
    pool_unreadable: int
    test: int
    test_qso: int
    left_out: dict[str, int]
    grid: str
    precision: str


def make_study_plan(ws: Workspace, files: StudyFiles | None, settings: StudySettings) -> StudyPlan:
    """Count the pool and the test objects of a study and write them, or only count them where ``files`` is None.

    Errors: :class:`BadInput` without spectra or held-out truth, when the pool is too small for what is asked, or when
    pool or test hold one class only.
    """
    from qnet_tui.quasarnet.graph_training import training_precision
    from qnet_tui.spectra.vectors import has_extreme_jump
    from qnet_tui.truth.classes import QUALITY_GOOD

    rows = all_rows(ws)
    if not len(rows):
        raise BadInput("this workspace has no spectra", mend="qnet ingest PATH first")
    labels = truth_store.current_truth(ws)
    test = validation_rows(ws, rows, labels)
    _check_test(len(test), int(test.is_qso.sum()))
    mine = labels[labels["role"] == ROLE_TRAIN]
    secure = mine["quality"] >= QUALITY_GOOD
    left_out: dict[str, int] = {}

    held_share = len(test) / max(1, len(test) + int(secure.sum()))
    kept = secure | (np.random.default_rng(seed_of(settings, 0, "unreadable", 0, -1)).random(len(mine)) >= held_share)
    left_out["unreadable, as many as the split holds out"] = int((~kept).sum())
    mine = mine[kept]

    found = rows[of_objects(rows["object_id"], mine["object_id"])]
    found = found[best_rows(found, one_per_object=True)]
    left_out["without a spectrum"] = len(mine) - len(found)
    useful = found["target"] & ~found["arm_missing"]
    left_out["sky, or an arm is missing"] = int((~useful).sum())
    found = found[useful]
    if not len(found):
        raise BadInput("no labelled object can be asked about", mend="import truth of role train: qnet truth import")
    x = shards.gather(ws, found["shard_id"], found["shard_row"])
    sane = ~has_extreme_jump(x)
    left_out["corrupted"] = int((~sane).sum())
    found, x = found[sane], x[sane]
    told = mine[np.searchsorted(mine["object_id"], found["object_id"])]
    readable = told["quality"] >= QUALITY_GOOD
    is_qso = readable & (told["spectype"] == "QSO")
    _check_pool(settings, len(found), int(readable.sum()), int(is_qso.sum()))
    if files is not None:
        write_npy(files.pool, x)
        write_npy(files.test, test.x)
        write_npz(
            files.plan,
            object_id=found["object_id"].astype(np.int64),
            snr=found["snr"],
            readable=readable,
            is_qso=is_qso,
            z=np.where(np.isfinite(told["z"]), told["z"], 0.0),
            bal=told["bal"].astype(np.int8),
            test_is_qso=test.is_qso,
            test_z=test.z,
        )
    return StudyPlan(
        pool=len(found),
        pool_qso=int(is_qso.sum()),
        pool_unreadable=int((~readable).sum()),
        test=len(test),
        test_qso=int(test.is_qso.sum()),
        left_out=left_out,
        grid=str(campaign.get_setting(ws, "grid", "log")),
        precision=training_precision(settings.precision),
    )


def _check_test(n: int, quasars: int) -> None:
    if not n:
        raise BadInput("no truth is held out to measure on", mend="qnet truth split --fraction 0.3")
    if min(quasars, n - quasars) < MINIMUM_TEST:
        raise BadInput(
            f"of {n:,} held-out objects {quasars:,} are quasars: at least {MINIMUM_TEST} of both kinds are needed",
            mend="import more truth, or hold out more of it",
        )


def _check_pool(settings: StudySettings, n: int, readable: int, quasars: int) -> None:
    if quasars == 0 or quasars == readable:
        kind = "no quasar" if quasars == 0 else "a quasar"
        raise BadInput(f"every secure label is {kind}", mend="import truth of the other kind as well")
    if n < settings.most_labels or readable < settings.start:
        raise BadInput(
            f"the pool has {n:,} labelled objects ({readable:,} of them readable), a start of {settings.start:,} and "
            f"{settings.curve[-1]:,} random labels need {settings.most_labels:,}",
            mend="lower --start, --ask or --random-labels, or import more truth",
        )


@dataclass(frozen=True)
class StudyPool:
    """The pool as the tasks see it, n objects: truth f8 and bool (n,), vectors a memory map (n, n_pixels)."""

    x: NDArray[np.float32]
    snr: NDArray[np.float32]
    readable: NDArray[np.bool_]
    is_qso: NDArray[np.bool_]
    z: NDArray[np.float64]
    bal: NDArray[np.int8]
    object_id: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.snr)


def read_study_pool(files: StudyFiles) -> StudyPool:
    """The pool of a written plan."""
    plan: dict[str, NDArray[Any]] = read_npz(files.plan)
    return StudyPool(
        x=np.load(files.pool, mmap_mode="r"),
        **{name: plan[name] for name in ("snr", "readable", "is_qso", "z", "bal", "object_id")},
    )
