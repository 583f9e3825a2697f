"""A small workspace in which every tab of the review has something to show, with nothing trained."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import storage.rounds as rounds_store
from qnet_tui.evaluation.classification import ClassificationCounts
from qnet_tui.quasarnet.weights_file import write_weights
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.round_files import RoundFiles, write_npz
from qnet_tui.workflows.weights_answers import answers_folder
from qnet_tui.workflows.weights_comparison import compare_weights
from storage.workspace import Workspace
from tests.quasarnet.small import SMALL, random_weights
from tests.workflows.review.constructed import answers, training
from tests.workflows.review.constructed_round import objects_of, plan, raced, record, run_of


def scored_round(root: Path) -> None:
    """A round 1 of three rows and four networks that asked about one of them and about one rejected by the map."""
    with Workspace.open(root) as ws:
        rows, files = objects_of(ws, 3), RoundFiles(ws.round_dir(1))
        plan(ws, files, rows, [0, 1, 3], [30, 20, 10, 2], [False, False, False, True])
        raced(files, [(4, 0, 0), (2, 2, 0), (2, 1, 1)], [False, False, True])
        run_of(ws, 1, counts=ClassificationCounts(tp=8, fp=1, fn=2, tn=9, right=8))
        rejected = record(rows[2], 2, 1.5, 3, 2, rejected=True)
        rounds_store.add_selection(ws, 1, [record(rows[1], 1, 1.0, 1, 20), rejected])


def compared_files(root: Path, folder: Path) -> None:
    """Two weights files compared on answers that are all the same but for every fifth object."""
    with Workspace.open(root) as ws:
        rows = all_rows(ws)
        n = len(rows)
        for k, name in enumerate(("new.h5", "old.h5")):
            write_weights(folder / name, random_weights(SMALL, k))
            z = np.linspace(1.6, 2.4, n) + np.where(np.arange(n) % 5, 0.0, 0.2 * k)
            c_line = np.full((6, n), 0.01, np.float32)
            c_line[1] = 0.99
            made = answers_folder(ws, folder / name)
            made.mkdir(parents=True)
            write_npz(made / "00000.npz", row_id=rows["id"].astype(np.int64), c_line=c_line,
                      z_line=np.tile(z, (6, 1)).astype(np.float32), zbest=z)  # fmt: skip
    compare_weights(root, folder / "new.h5", folder / "old.h5", jobs=1)


@pytest.fixture(scope="session")
def every_tab(ready: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace; never change it."""
    from tests.workflows.review.test_datasets import constructed

    folder = tmp_path_factory.mktemp("every_tab")
    root = Path(shutil.copytree(ready, folder / "ws"))
    scored_round(root)
    training(root, answers([0.99, 0.1], [0.97]), truth="AL 1", epochs=[(0, 0, 2), (1, 1, 1)])
    constructed(root, [0.9, 0.94], 0.95)
    compared_files(root, folder)
    return root
