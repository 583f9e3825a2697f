"""Networks that we train and write, read back by a reader that knows only the format of QuasarNP."""

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from qnet_tui.quasarnet.boxes import decode
from qnet_tui.quasarnet.inference import Predictor
from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
from qnet_tui.quasarnet.training import train_network
from qnet_tui.quasarnet.weights import Weights
from qnet_tui.quasarnet.weights_file import write_weights
from qnet_tui.spectra.grids import grid_named
from tests.parity import independent_reader
from tests.quasarnet.small import Spectra

SHAPES = [(4, "log"), (4, "linear"), (6, "log"), (6, "linear")]


@dataclass
class Exported:
    path: Path
    weights: Weights
    x: np.ndarray
    grid_name: str


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: f"{shape[0]} layers {shape[1]}")
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    layers, grid_name = request.param
    grid = grid_named(grid_name)
    spectra = Spectra(96, grid, seed=4)
    settings = NetworkSettings(layers=layers, filters=8, dense=12, n_pixels=grid.n_pixels)
    training = TrainingSettings(epochs=8, learning_rate=1e-2, batch=16, record_start=False)
    trained = train_network(spectra.x, spectra.targets, settings, training, seed=21)
    path = tmp_path_factory.mktemp("exported") / "net.h5"
    write_weights(path, trained.weights, {"git": "abc123"})
    return Exported(path, trained.weights, spectra.x, grid_name)


def test_the_independent_reader_gets_our_answers(exported: Exported) -> None:
    network = independent_reader.load(exported.path)
    theirs = independent_reader.predict(network, exported.x)
    ours = Predictor(exported.weights.settings).predict(exported.weights, exported.x, batch=64)
    assert np.abs(ours - theirs).max() < 1e-5
    # Trained, not constant: answers differ from spectrum to spectrum, moving means are not those of the start.
    assert np.ptp(theirs[:6, :, :13], axis=1).max() > 0.2
    assert np.ptp(theirs[:6, :, 13:], axis=1).max() > 0.2
    assert np.abs(network.layers["batch_normalization_2"]["moving_mean"]).max() > 0.01
    c_line, z_line, zbest = independent_reader.decode(theirs, network.wave)
    found = decode(ours, exported.weights.grid)
    assert np.abs(found.c_line - c_line).max() < 1e-5
    boxes = np.sort(theirs[:6, :, :13], axis=2)
    clear = boxes[..., -1] - boxes[..., -2] > 1e-5
    assert np.abs(found.z_line - z_line)[clear].max() < 1e-4
    # Where a line is said to be absent all its boxes are about 0, and none is the best of them.
    said = boxes[..., -1] > 0.01
    assert said.mean() > 0.1
    assert clear[said].mean() > 0.9
    lines = np.sort(c_line, axis=0)
    sure = (lines[-1] - lines[-2] > 1e-5) & clear.all(axis=0)
    assert np.abs(found.zbest - zbest)[sure].max() < 1e-4


def test_the_grid_travels_with_the_weights(exported: Exported) -> None:
    network = independent_reader.load(exported.path)
    grid = grid_named(exported.grid_name)
    assert network.wave.dtype == np.float64
    assert np.array_equal(network.wave, grid.wave)
    with h5py.File(exported.path) as file:
        assert file.attrs["grid_spacing"] == {"log": "logarithmic", "linear": "linear"}[exported.grid_name]


def test_the_configuration_names_every_layer_and_how_it_pads(exported: Exported) -> None:
    n = exported.weights.settings.layers
    with h5py.File(exported.path) as file:
        text = file.attrs["model_config"]
        assert isinstance(text, str)
        layers = json.loads(text)["config"]["layers"]
        config = {layer["config"]["name"]: layer["config"] for layer in layers}
        with_arrays = {name for name, group in file["model_weights"].items() if len(group)}
    assert len(config) == len(layers)
    assert with_arrays <= set(config)
    for i in range(1, n + 1):
        assert config[f"conv_{i}"]["padding"] == ("same" if n == 6 else "valid")
        stride = config[f"conv_{i}"]["strides"][0]
        assert type(stride) is int
        assert stride == 2


def test_every_array_is_where_quasarnp_looks_for_it(exported: Exported) -> None:
    settings = exported.weights.settings
    n, filters, dense = settings.layers, settings.filters, settings.dense
    expected = {f"conv_{i}/kernel:0": (10, 1 if i == 1 else filters, filters) for i in range(1, n + 1)}
    expected |= {f"conv_{i}/bias:0": (filters,) for i in range(1, n + 1)}
    for i in range(1, n + 2):
        channels = (filters if i <= n else dense,)
        for weight in ("gamma", "beta", "moving_mean", "moving_variance"):
            expected[f"batch_normalization_{i}/{weight}:0"] = channels
    flat = {(4, "log"): 20, (4, "linear"): 21, (6, "log"): 7, (6, "linear"): 8}[n, exported.grid_name] * filters
    expected |= {"fc_common/kernel:0": (flat, dense), "fc_common/bias:0": (dense,)}
    for i in range(7):
        for kind in ("box", "offset"):
            expected |= {f"fc_{kind}_{i}/kernel:0": (dense, 13), f"fc_{kind}_{i}/bias:0": (13,)}
    found = {}
    with h5py.File(exported.path) as file:
        for name, group in file["model_weights"].items():
            assert list(group) in ([], [name])
            for weight, dataset in (group[name] if len(group) else {}).items():
                assert dataset.dtype == np.float32
                found[f"{name}/{weight}"] = dataset.shape
        assert [name for name, group in file["model_weights"].items() if len(group) == 0] == ["lambda"]
    assert found == expected


def test_the_attributes_of_the_file(exported: Exported) -> None:
    with h5py.File(exported.path) as file:
        attrs = dict(file.attrs)
    assert list(attrs["lines"]) == ["LYA", "CIV(1548)", "CIII(1909)", "MgII(2796)", "Hbeta", "Halpha"]
    assert list(attrs["lines_bal"]) == ["CIV(1548)"]
    assert (attrs["nboxes"], attrs["c_th"], attrs["seed"], attrs["git"]) == (13, 0.95, 21, "abc123")
    assert not attrs["bal_trained"]
    assert attrs["backend"] == "tensorflow"
    assert attrs["keras_version"]
    assert attrs["version"].startswith("qnet ")


def test_the_reader_stumbles_where_quasarnp_would(exported: Exported, tmp_path: Path) -> None:
    """What the clauses are for: break one, and the reader no longer gets our answers."""
    ours = Predictor(exported.weights.settings).predict(exported.weights, exported.x[:4], batch=64)

    def broken(change) -> Path:
        path = tmp_path / "broken.h5"
        path.write_bytes(exported.path.read_bytes())
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    unscaled = independent_reader.load(broken(lambda f: f["model_weights"].move("lambda", "lambda_0")))
    assert np.abs(independent_reader.predict(unscaled, exported.x[:4]) - ours).max() > 1e-2
    plain = broken(lambda f: f["model_weights/conv_1/conv_1"].move("kernel:0", "kernel"))
    with pytest.raises(KeyError):
        independent_reader.predict(independent_reader.load(plain), exported.x[:4])
    another = broken(lambda f: f["model_weights"].create_group("conv_extra/conv_extra"))
    with pytest.raises(KeyError):
        independent_reader.load(another)
    single = broken(lambda f: f["model_weights"].move("fc_common/fc_common", "fc_common/other"))
    with pytest.raises(KeyError):
        independent_reader.load(single)
