import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.active_learning.map_file import load_map, save_map
from qnet_tui.active_learning.outlier_map import MapSettings, OutlierMap
from qnet_tui.errors import BadInput, QnetError


@pytest.fixture
def som() -> OutlierMap:
    settings = MapSettings(side=3, sigma=1.5, iterations=10, seed=8, torus=False, starts=3)
    return OutlierMap(np.random.default_rng(0).normal(size=(9, 5)), settings, 40, 1.25, 0.5, float("nan"))


def test_round_trip(som: OutlierMap, tmp_path: Path) -> None:
    path = tmp_path / "map.npz"
    save_map(path, som)
    back = load_map(path)
    np.testing.assert_array_equal(back.weights, som.weights)
    assert back.settings == som.settings
    assert (back.trained_on, back.quantization_error, back.topographic_error) == (40, 1.25, 0.5)
    assert np.isnan(back.torus_topographic_error)
    assert [p.name for p in tmp_path.iterdir()] == ["map.npz"]


def test_a_file_of_format_1_is_a_map_of_minisoms_training(som: OutlierMap, tmp_path: Path) -> None:
    path = tmp_path / "map.npz"
    settings = asdict(som.settings)
    del settings["engine"], settings["starts"]
    about = {name: value for name, value in asdict(som).items() if name not in ("weights", "settings")}
    about |= {"format": 1, "settings": settings}
    np.savez(path, weights=som.weights, about=np.array(json.dumps(about)))
    back = load_map(path)
    assert back.settings == replace(som.settings, engine="minisom", starts=1)
    np.testing.assert_array_equal(back.weights, som.weights)


def test_same_map_same_bytes(som: OutlierMap, tmp_path: Path) -> None:
    save_map(tmp_path / "a.npz", som)
    save_map(tmp_path / "b.npz", som)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_failed_write_leaves_the_old_file(som: OutlierMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.npz"
    save_map(path, som)
    before = path.read_bytes()

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(QnetError, match=r"map\.npz: cannot be written: No space"):
        save_map(path, som)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["map.npz"]


def test_what_is_no_map_is_said_in_one_line(som: OutlierMap, tmp_path: Path) -> None:
    path = tmp_path / "map.npz"
    with pytest.raises(BadInput, match=r"map\.npz: no map; run the round's map again"):
        load_map(path)
    save_map(path, som)
    torn = path.read_bytes()[:-40]
    path.write_bytes(torn)
    with pytest.raises(BadInput, match="not a map file"):
        load_map(path)
    np.savez(path, weights=som.weights)
    with pytest.raises(BadInput, match="not a map file"):
        load_map(path)
    np.savez(path, weights=som.weights, about=np.array(json.dumps({"format": 99})))
    with pytest.raises(BadInput, match="another format"):
        load_map(path)
    np.save(tmp_path / "array.npy", som.weights)
    with pytest.raises(BadInput, match="not a map file"):
        load_map(tmp_path / "array.npy")


def test_weights_of_another_size_are_refused(som: OutlierMap, tmp_path: Path) -> None:
    path = tmp_path / "map.npz"
    save_map(path, OutlierMap(som.weights[:4], som.settings, 40, 1.0, 0.5, 0.5))
    with pytest.raises(BadInput, match="do not fit"):
        load_map(path)
