"""``qnet train`` that was killed goes on where it was, on the spectra that it began with."""

import pytest

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.quasarnet import graph_training
from qnet_tui.quasarnet.weights_file import read_weights
from qnet_tui.workflows.presets import round_settings
from qnet_tui.workflows.runs import show_run
from qnet_tui.workflows.train import resume_train, train
from storage.workspace import Workspace


class Killed(Exception):
    pass


def kill_in_epoch_3(stage: str, done: int, total: int) -> None:
    if stage == "training" and done == 3:
        raise Killed


def test_a_killed_training_is_resumed(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(graph_training, "CHECKPOINT_SECONDS", 0.0)
    settings = round_settings("smoke", layers=4, filters=4, batch=32, seed=5)
    whole = train(workspace, settings, epochs=4, learning_rate=1e-3)
    out = tmp_path / "resumed.h5"
    with pytest.raises(Killed):
        train(workspace, settings, epochs=4, learning_rate=1e-3, target=out, progress=kill_in_epoch_3)
    said = show_run(workspace, "tr-0002")
    assert said.resume == "qnet train --resume tr-0002"
    assert not out.exists()
    resumed = resume_train(workspace, "tr-0002")
    assert (resumed.best_epoch, resumed.history) == (whole.best_epoch, whole.history)
    for (_, mine), (_, theirs) in zip(
        read_weights(out).named_arrays(),
        read_weights(workspace / "runs" / whole.run / "weights.h5").named_arrays(),
        strict=True,
    ):
        assert mine.tobytes() == theirs.tobytes()
    with Workspace.open(workspace) as ws:
        seen = [(m.dataset, m.epoch, m.name) for m in runs_store.metrics(ws, "tr-0002")]
        assert len(seen) == len(set(seen))
        assert {epoch for _, epoch, _ in seen} == {0, 1, 2, 3, 4}
        left = {path.name for path in ws.run_dir("tr-0002").iterdir()}
    assert left == {"weights.h5", "validation.npz"}
    with pytest.raises(BadInput, match="is done"):
        resume_train(workspace, "tr-0002")


def test_what_cannot_be_resumed_says_why(workspace):
    settings = round_settings("smoke", layers=4, filters=2, batch=64, train_engine="keras")
    with pytest.raises(Killed):
        train(workspace, settings, epochs=3, progress=kill_in_epoch_3)
    with pytest.raises(BadInput, match="Keras, which cannot be resumed"):
        resume_train(workspace, "tr-0001")
    assert show_run(workspace, "tr-0001").resume == ""
