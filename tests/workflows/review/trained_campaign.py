"""A small campaign whose truth grew by one round, with two trainings and one run of datasets; made once."""

import shutil
from pathlib import Path

import pytest

import storage.rounds as rounds_store
import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.workflows.datasets_run import resume_datasets, run_datasets
from qnet_tui.workflows.given_round import unscored
from qnet_tui.workflows.presets import round_settings
from qnet_tui.workflows.train import train
from qnet_tui.workflows.truth import import_truth
from storage.workspace import Workspace

SETTINGS = round_settings("smoke", layers=4, filters=6, batch=32, seed=5)


TRAININGS = {
    "round 0 truth (VI)", "round 0 truth (VI) boot 1", "round 0 truth (VI) boot 2", "round 1 (random)",
}  # fmt: skip


class Killed(Exception):
    pass


def kill_at_the_last(stage: str, done: int, total: int) -> None:
    """End a run of datasets when its last training is finished, before it is done."""
    if stage == "training datasets" and done == total:
        raise Killed


def grow(root: Path, sealed: Path, scratch: Path) -> int:
    """Give the workspace the sealed truth as the labels of a round 1, as a merge does; return how many."""
    import_truth(Path(shutil.copytree(root, scratch)), sealed)
    with Workspace.open(scratch) as ws:
        everything = truth_store.current_truth(ws)
    with Workspace.open(root) as ws:
        known = truth_store.current_truth(ws)["object_id"].tolist()
        new = [one for one in everything.tolist() if one[0] not in known]
        labels = [truth_store.TruthLabel(o, kind, z, quality, bal) for o, kind, z, quality, bal, *_ in new]
        truth_store.add_labels(ws, labels, "round:1", "people", round=1)
        asked = [unscored(one.object_id, "for the test", "random", rank=k + 1) for k, one in enumerate(labels)]
        rounds_store.add_selection(ws, 1, asked)
    return len(new)


@pytest.fixture(scope="session")
def grown(ready: Path, survey: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ready workspace with labels of a round 1 that no committee selected; never change it."""
    folder = tmp_path_factory.mktemp("grown")
    root = Path(shutil.copytree(ready, folder / "ws"))
    assert grow(root, survey / "truth-sealed.csv", folder / "scratch") > 10
    return root


@pytest.fixture(scope="session")
def trained(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two trainings (of the truth at round 0 and of now) and a run of datasets that was killed and resumed.

    Never change it.
    """
    root = Path(shutil.copytree(grown, tmp_path_factory.mktemp("trained") / "ws"))
    train(root, SETTINGS, at_round=0, epochs=3, learning_rate=2e-3)
    train(root, SETTINGS, epochs=3, learning_rate=2e-3)
    with pytest.raises(Killed):
        run_datasets(root, bootstraps=2, epochs=2, filters=6, seed=3, preset="smoke", jobs=1, progress=kill_at_the_last)
    with Workspace.open(root) as ws:
        assert runs_store.get_run(ws, "ds-0003").state == "FAILED"
        # What was finished can be looked at although the run failed.
        assert {m.dataset for m in runs_store.metrics(ws, "ds-0003")} == TRAININGS
    resume_datasets(root, "ds-0003", jobs=1)
    return root
