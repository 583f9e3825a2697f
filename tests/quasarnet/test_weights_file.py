"""Reading every layout that QuasarNET files have had, refusing what is none, and writing safely."""

import dataclasses
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.quasarnet.network import network_with
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights import Weights, weights_from_arrays
from qnet_tui.quasarnet.weights_file import read_weights, write_weights
from qnet_tui.spectra.grids import linear_grid, log_grid
from tests.quasarnet.small import SMALL, random_weights

LINEAR = NetworkSettings(layers=6, filters=3, dense=5, dropout=0.3, n_pixels=458)


def assert_same(found: Weights, expected: Weights) -> None:
    assert found.settings == expected.settings
    assert found.rescale == expected.rescale
    assert np.array_equal(found.grid_wave, expected.grid_wave)
    for (name, array), (other, wanted) in zip(found.named_arrays(), expected.named_arrays(), strict=True):
        assert name == other
        assert np.array_equal(array, wanted), name


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "net.h5"
    write_weights(path, random_weights(SMALL, 1), {"seed": 4, "git": "abc123", "c_th": 0.9, "member": None})
    return path


@pytest.mark.parametrize("settings", [SMALL, LINEAR], ids=["4 log", "6 linear"])
@pytest.mark.parametrize("rescale", [True, False])
@pytest.mark.parametrize("offsets", ["as-trained", "quasarnp"])
def test_what_is_written_is_read_back(tmp_path: Path, settings: NetworkSettings, rescale: bool, offsets: Any) -> None:
    weights = random_weights(settings, 1, rescale=rescale)
    write_weights(tmp_path / "net.h5", weights, {"seed": 4})
    found = read_weights(tmp_path / "net.h5", offsets=offsets)
    assert_same(found, weights)
    assert found.attrs["seed"] == 4


def test_the_attributes_say_what_the_file_is(written: Path) -> None:
    attrs = read_weights(written).attrs
    assert attrs["lines"] == ["LYA", "CIV(1548)", "CIII(1909)", "MgII(2796)", "Hbeta", "Halpha"]
    assert attrs["lines_bal"] == ["CIV(1548)"]
    assert (attrs["nboxes"], attrs["c_th"], attrs["n_th"], attrs["seed"]) == (13, 0.9, 1, 4)
    assert (attrs["git"], attrs["grid_spacing"], attrs["bal_trained"]) == ("abc123", "logarithmic", False)
    assert attrs["version"].startswith("qnet ")
    assert "member" not in attrs


def test_facts_about_the_file_cannot_be_overridden_and_seeds_may_be_large(tmp_path: Path) -> None:
    seed = 2**127 - 1
    path = tmp_path / "net.h5"
    write_weights(path, random_weights(SMALL, 1), {"seed": seed, "nboxes": 7, "grid_spacing": "other"})
    attrs = read_weights(path).attrs
    assert (attrs["seed"], attrs["nboxes"], attrs["grid_spacing"]) == (str(seed), 13, "logarithmic")


def test_writing_again_gives_the_same_bytes_and_keeps_the_attributes(written: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.h5"
    write_weights(copy, read_weights(written))
    assert copy.read_bytes() == written.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.h5", "net.h5"]


# --- layouts ----------------------------------------------------------------------------------------------


def rewrite(source: Path, target: Path, rename: Callable[[str, str], str | None]) -> Path:
    """A copy with every array at ``rename(layer, weight)`` below model_weights; no grid, no attributes."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        new.attrs["model_config"] = old.attrs["model_config"]
        group = new.create_group("model_weights")
        for layer, content in old["model_weights"].items():
            if not content:
                group.create_group(layer)
            for weight in content.get(layer, {}):
                path = rename(layer, weight[:-2])
                if path is not None:
                    group[path] = content[layer][weight][()]
    return target


def shifted_norm(first: str) -> Callable[[str, str], str]:
    """Normalisations that start at another suffix ("" or a number), as Keras counts them by itself."""

    def rename(layer: str, weight: str) -> str:
        if layer.startswith("batch_normalization"):
            number = int(layer.rsplit("_", 1)[1]) - 1 + int(first or 0)
            layer = f"batch_normalization_{number}" if number else "batch_normalization"
        return f"{layer}/{layer}/{weight}:0"

    return rename


LAYOUTS: dict[str, Callable[[str, str], str | None]] = {
    "Keras 2": lambda layer, weight: f"{layer}/{layer}/{weight}:0",
    "Keras 3": lambda layer, weight: f"{layer}/{layer}/{weight}",
    "not doubled": lambda layer, weight: f"{layer}/{weight}:0",
    "scope before": lambda layer, weight: f"QuasarNET/{layer}/{weight}:0",
    "scope inside": lambda layer, weight: f"{layer}/QuasarNET/{layer}/{weight}",
    "inner name counted up": lambda layer, weight: f"{layer}/{layer}_1/{weight}:0",
    "normalisations from none": shifted_norm(""),
    "normalisations from 8": shifted_norm("8"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("settings", [SMALL, LINEAR], ids=["4 log", "6 linear"])
def test_every_layout_is_read(tmp_path: Path, layout: str, settings: NetworkSettings) -> None:
    weights = random_weights(settings, 2)
    write_weights(tmp_path / "net.h5", weights)
    found = read_weights(rewrite(tmp_path / "net.h5", tmp_path / "other.h5", LAYOUTS[layout]))
    # No grid is stored: the published one whose pixels fit is taken, the linear one as well.
    assert_same(found, weights)


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5"])
@pytest.mark.parametrize("settings", [SMALL, LINEAR], ids=["4 log", "6 linear"])
def test_files_that_keras_saves_are_read(tmp_path: Path, suffix: str, settings: NetworkSettings) -> None:
    weights = random_weights(settings, 3)
    path = tmp_path / f"keras{suffix}"
    model = network_with(weights)
    if suffix == ".h5":
        model.save(path)
    else:
        model.save_weights(path)
    found = read_weights(path)
    if suffix == ".weights.h5":
        # The native format knows no rates of dropout.
        assert found.settings.same_architecture(settings)
        found = weights_from_arrays(settings, found.grid_wave, dict(found.named_arrays()), rescale=found.rescale)
    assert_same(found, weights)


def test_a_file_of_weights_alone_is_read(written: Path, tmp_path: Path) -> None:
    with h5py.File(written) as old, h5py.File(tmp_path / "weights.h5", "w") as new:
        for layer in old["model_weights"]:
            old.copy(f"model_weights/{layer}", new)
        old.copy("model_weights/conv_1", new.create_group("optimizer_weights"))
    found = read_weights(tmp_path / "weights.h5")
    # Without a configuration the dropout is that of all published networks.
    assert found.settings.dropout == 0.2
    assert_same(found, random_weights(dataclasses.replace(SMALL, dropout=0.2), 1))


def edited(path: Path, edit: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "r+") as file:
        edit(file)
    return path


def edited_config(path: Path, edit: Callable[[list[dict[str, Any]]], object]) -> Path:
    def change(file: h5py.File) -> None:
        config = json.loads(file.attrs["model_config"])
        edit(config["config"]["layers"])
        file.attrs["model_config"] = json.dumps(config)

    return edited(path, change)


def lambdas(names: list[str]) -> Callable[[h5py.File], None]:
    """Replace the group ``lambda`` and the Rescaling layers by Lambda layers of these names."""

    def edit(file: h5py.File) -> None:
        del file["model_weights/lambda"]
        config = json.loads(file.attrs["model_config"])
        layers = [layer for layer in config["config"]["layers"] if layer["class_name"] != "Rescaling"]
        for name in names:
            file["model_weights"].create_group(name)
            layers.append({"class_name": "Lambda", "config": {"name": name}})
        config["config"]["layers"] = layers
        file.attrs["model_config"] = json.dumps(config)

    return edit


@pytest.mark.parametrize(
    ("names", "as_trained", "quasarnp"),
    [
        (["lambda", "lambda_1", "lambda_2"], True, True),
        ([f"lambda_{i}" for i in range(7)], True, False),
        (["lambda_1"], True, False),
        ([], False, False),
    ],
)
def test_when_offsets_are_rescaled(written: Path, names: list[str], as_trained: bool, quasarnp: bool) -> None:
    path = edited(written, lambdas(names))
    assert read_weights(path).rescale is as_trained
    assert read_weights(path, offsets="quasarnp").rescale is quasarnp
    edited(path, lambda file: file.attrs.pop("model_config"))
    assert read_weights(path).rescale is (as_trained or not names)


def test_the_grid_may_be_an_attribute(written: Path) -> None:
    def move(file: h5py.File) -> None:
        del file["model_grid"]
        file.attrs["model_grid"] = log_grid().wave

    assert read_weights(edited(written, move)).grid == log_grid()


def test_attributes_come_as_plain_values(written: Path) -> None:
    def annotate(file: h5py.File) -> None:
        file.attrs["note"] = np.bytes_("trained in Zürich".encode())
        file.attrs["members"] = np.array([3, 5])
        file.attrs["share"] = np.float32(0.5)

    attrs = read_weights(edited(written, annotate)).attrs
    assert (attrs["note"], attrs["members"], attrs["share"]) == ("trained in Zürich", [3, 5], 0.5)
    assert type(attrs["share"]) is float


def test_a_grid_of_its_own_is_kept(tmp_path: Path) -> None:
    settings = NetworkSettings(layers=4, filters=2, dense=3, n_pixels=300)
    own = random_like(settings, np.linspace(3700.0, 9690.0, 300))
    write_weights(tmp_path / "own.h5", own)
    assert_same(read_weights(tmp_path / "own.h5"), own)
    with h5py.File(tmp_path / "own.h5") as file:
        assert file.attrs["grid_spacing"] == "linear"


def random_like(settings: NetworkSettings, wave: np.ndarray) -> Weights:
    from qnet_tui.quasarnet.network import initial_arrays

    return weights_from_arrays(settings, wave, initial_arrays(settings, np.random.SeedSequence(1)))


# --- refusals ---------------------------------------------------------------------------------------------


def assert_refused(path: Path, message: str | None = None) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        read_weights(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert caught.value.mend


def conv_layer(layers: list[dict[str, Any]], number: int = 2) -> dict[str, Any]:
    return next(layer["config"] for layer in layers if layer["config"]["name"] == f"conv_{number}")


def named(layers: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(layer["config"] for layer in layers if layer["config"]["name"] == name)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: f.__delitem__("model_weights"), "no QuasarNET layers"),
        (lambda f: f.__delitem__("model_weights/conv_3"), "no conv_3/kernel"),
        (lambda f: f.__delitem__("model_weights/fc_common"), "lacks layers"),
        (lambda f: f.__delitem__("model_weights/fc_box_6"), "6 heads"),
        (lambda f: f.__delitem__("model_weights/fc_offset_2"), "no fc_offset_2/kernel"),
        (lambda f: f.__delitem__("model_weights/batch_normalization_5"), "no batch_normalization_5/gamma"),
        (lambda f: f.__delitem__("model_weights/conv_2/conv_2/bias:0"), "no conv_2/bias"),
        (lambda f: f["model_weights/conv_2/conv_2/bias:0"].write_direct(np.full(6, np.nan, "f4")), "not finite"),
        (lambda f: f.copy("model_weights/conv_2/conv_2", f["model_weights/conv_2"], "again"), "twice"),
        (lambda f: f.__delitem__("model_grid") or f.create_dataset("model_grid", data=np.arange(443.0)), "grid"),
        (
            lambda f: f.__delitem__("model_grid") or f.create_dataset("model_grid", data=linear_grid().wave),
            "fc_common/kernel has shape",
        ),
        (lambda f: f.attrs.__setitem__("lines", ["Hbeta", "LYA"]), "made for the lines Hbeta, LYA"),
        (lambda f: f.attrs.__setitem__("model_config", "{not json"), "not a readable weights file"),
        (lambda f: f.attrs.__setitem__("model_config", "[1]"), "not a readable weights file"),
    ],
)
def test_incomplete_files_are_refused_in_one_line(written: Path, edit, message: str) -> None:
    assert_refused(edited(written, edit), message)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda layers: named(layers, "fc_offset_0").update(activation="linear"), "activation linear"),
        (lambda layers: named(layers, "batch_normalization_1").update(epsilon=1e-5), "epsilon 1e-05"),
        (lambda layers: conv_layer(layers).update(padding="same"), "padding same"),
        (lambda layers: conv_layer(layers).update(strides=[1]), "different strides"),
    ],
)
def test_networks_that_are_no_quasarnet_are_refused(written: Path, edit, message: str) -> None:
    assert_refused(edited_config(written, edit), message)


def test_without_a_grid_that_fits_one_is_asked_for(tmp_path: Path) -> None:
    settings = NetworkSettings(layers=4, filters=2, dense=3, n_pixels=300)
    path = tmp_path / "own.h5"
    write_weights(path, random_like(settings, np.linspace(3700.0, 9690.0, 300)))
    assert_refused(edited(path, lambda file: file.__delitem__("model_grid")), "fit neither published grid")


def test_files_that_are_none_are_refused_in_one_line(tmp_path: Path, written: Path) -> None:
    assert_refused(tmp_path / "absent.h5", "no such file")
    assert_refused(tmp_path, "is a folder")
    (tmp_path / "text.h5").write_text("TARGETID,Z\n1,2\n")
    assert_refused(tmp_path / "text.h5", "not a readable weights file")
    (tmp_path / "empty.h5").touch()
    assert_refused(tmp_path / "empty.h5", "not a readable weights file")
    with h5py.File(tmp_path / "else.h5", "w") as file:
        file["flux"] = np.zeros(3)
    assert_refused(tmp_path / "else.h5", "no QuasarNET layers")


def test_a_truncated_or_damaged_file_never_gives_weights(written: Path, tmp_path: Path) -> None:
    whole = written.read_bytes()
    path = tmp_path / "cut.h5"
    for share in (0.01, 0.3, 0.6, 0.95, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert_refused(path)
    rng = np.random.default_rng(0)
    for _ in range(30):
        damaged = bytearray(whole)
        start = int(rng.integers(0, 4000))
        damaged[start : start + 60] = rng.bytes(60)
        path.write_bytes(bytes(damaged))
        with suppress(BadInput):  # Anything else fails the test; damage may also hit what is not read.
            read_weights(path)


def test_a_file_that_may_not_be_read_is_no_bad_input(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(QnetError, match="Permission denied") as caught:
        read_weights(written)
    assert caught.value.exit_code == 1


# --- writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (NetworkSettings(layers=4, filters=2, dense=3, n_boxes=10), "13 boxes, this network has 10"),
        (NetworkSettings(layers=10, filters=2, dense=3), "up to 9 layers"),
        (NetworkSettings(layers=6, filters=2, dense=3, kernel=9), "pad 4 pixels left where .* pads 3"),
        (NetworkSettings(layers=6, filters=2, dense=3, stride=3), "even kernel with stride 2"),
    ],
)
def test_what_quasarnp_would_read_wrongly_is_not_written(
    tmp_path: Path, settings: NetworkSettings, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        write_weights(tmp_path / "net.h5", random_weights(settings, 1))
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written.read_bytes()

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(QnetError, match="cannot be written: No space left"):
        write_weights(written, random_weights(SMALL, 9))
    assert written.read_bytes() == before
    assert list(tmp_path.iterdir()) == [written]


def test_a_folder_that_is_absent_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(QnetError, match="cannot be written") as caught:
        write_weights(tmp_path / "none" / "net.h5", random_weights(SMALL, 1))
    assert "\n" not in str(caught.value)


def test_a_write_replaces_the_old_file(written: Path) -> None:
    write_weights(written, random_weights(SMALL, 9))
    assert_same(read_weights(written), random_weights(SMALL, 9))
