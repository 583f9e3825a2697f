import numpy as np
import pytest

import storage.shards as shards
from qnet_tui.active_learning.map_file import load_map
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.labelled_rows import LabelledRows
from qnet_tui.workflows.presets import round_settings
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.round_files import RoundFiles
from qnet_tui.workflows.round_plan import _cells_of_all, _make_map
from storage.workspace import Workspace
from tests.active_learning.test_outlier_map import spectra, winners


@pytest.mark.parametrize("engine", ["batch", "minisom"])
def test_map_of_a_round_and_the_cells_of_all_rows(tmp_path, engine) -> None:
    initialise(tmp_path / "campaign")
    x = spectra(130)
    training = LabelledRows(*np.zeros((2, 60), np.int64), x[:60], *np.zeros((4, 60)))
    files = RoundFiles(tmp_path / "round")
    (tmp_path / "round" / "plan").mkdir(parents=True)
    with Workspace.open(tmp_path / "campaign") as ws:
        first, second = (shards.write_shard(ws, part, "log") for part in (x[:50], x[50:]))
        rows = np.zeros(130, dtype=[("id", "i8"), ("shard_id", "i8"), ("shard_row", "i8")])
        rows["id"] = np.arange(130) + 7
        rows["shard_id"] = np.repeat([first, second], [50, 80])
        rows["shard_row"] = np.concatenate([np.arange(50), np.arange(80)])
        settings = round_settings("smoke", map_engine=engine, map_side=4)
        facts = _make_map(ws, files, settings, 1, rows, training, silent)
        cells = _cells_of_all(ws, files, rows, silent, block=33)
    som = load_map(files.map)
    assert facts["engine"] == som.settings.engine == engine
    assert (facts["epochs"], facts["starts"]) == ((10, 2) if engine == "batch" else (20, 1))
    assert (facts["side"], facts["sample"], som.trained_on) == (4, 60, 60)
    np.testing.assert_array_equal(cells, winners(x, som))
    np.testing.assert_array_equal(np.load(files.best_matching_units), np.stack([rows["id"], cells], axis=1))
