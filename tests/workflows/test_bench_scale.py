"""The curve of a round's cost: its arithmetic, and a run that is too small to mean anything but does everything."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows import bench_scale as verb
from qnet_tui.workflows.bench_scale import bench_scale, fitted_exponent


def test_the_exponent_of_a_cost():
    assert fitted_exponent([(10, 3.0), (100, 30.0), (1000, 300.0)]) == pytest.approx(1)
    assert fitted_exponent([(1, 2.0), (4, 32.0)]) == pytest.approx(2)
    assert fitted_exponent([(1, 5.0), (2, 5.0), (4, 5.0)]) == pytest.approx(0)
    assert math.isnan(fitted_exponent([(5, 1.0)]))


def test_a_folder_in_use_and_a_disk_too_small_are_refused(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(BadInput, match="is not empty"):
        bench_scale(1000, folder=tmp_path)
    assert (tmp_path / "mine").read_text() == "kept"
    monkeypatch.setattr(verb.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(QnetError, match=r"need 8\.0 GB"):
        bench_scale(1_000_000, folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_quick_run_measures_every_stage_and_leaves_nothing(tmp_path: Path):
    folder = tmp_path / "scale"
    found = {one.name: one for one in bench_scale(100_000, folder=folder, quick=True)}
    assert not folder.exists()
    assert "quick" in found["how"].detail
    rows = next(name.split(", ")[1] for name in found if name.startswith("plan of a round"))
    for stage in ("metadata of all rows", "map units of all rows", "plan of a round", "one network 4x6",
                  "selection among all"):  # fmt: skip
        assert found[f"{stage}, {rows}"].ours > 0
    assert found["driver's peak, plan"].met
    assert found["worker's growth, 4x6"].met
    assert "56 bytes a row" in found[f"metadata of all rows, {rows}"].detail
    assert sum(name.startswith("cost of") for name in found) == 4
