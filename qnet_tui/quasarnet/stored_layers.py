"""What a QuasarNET file of any age holds, brought to one form: arrays by layer and weight name.

Layouts read: full saves and weights-only saves of Keras 2 (``conv_1/conv_1/kernel:0``), the same with the
scope in the path or without the doubled layer name, legacy saves of Keras 3 (no ``:0``), and the native
``.weights.h5`` of Keras 3 (numbered variables, the layer's name in an attribute). Batch normalisations are
counted in the order of their suffixes, wherever that starts: the published files begin at none or at 1, and
anywhere when several networks were built in one process.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.weights import NORM_EPSILON

_LAYER = re.compile(r"conv_\d+|fc_common|fc_(?:box|offset)_\d+|batch_normalization(?:_\d+)?")
_NORM = re.compile(r"batch_normalization(?:_(\d+))?/(.+)")
_RESCALING = re.compile(r"lambda|rescal", re.IGNORECASE)

_LONG_ATTRS = ("model_config", "training_config", "layer_names", "weight_names", "model_grid")

# Order of the numbered variables in the native format of Keras 3.
_AFFINE_WEIGHTS = ("kernel", "bias")
_NORM_WEIGHTS = ("gamma", "beta", "moving_mean", "moving_variance")


@dataclass(frozen=True, eq=False)
class StoredLayers:
    """Content of a file.

    ``arrays``: by "LAYER/WEIGHT", normalisations renumbered from 1. ``layer_names``: of all top-level groups.
    ``empty_groups``: those without content. ``layers``: the ``config`` of every layer with its
    ``class_name``, empty when the file has no ``model_config``. ``grid_wave``: ``model_grid``, if stored.
    """

    arrays: Mapping[str, NDArray[Any]]
    layer_names: frozenset[str]
    empty_groups: frozenset[str]
    layers: tuple[Mapping[str, Any], ...]
    grid_wave: NDArray[np.float64] | None
    attrs: Mapping[str, Any]

    def rescales(self) -> bool:
        """Whether the network was trained with rescaled offsets.

        With a configuration: if it has Lambda or Rescaling layers. Without: if a group says so, or if there
        is no group of a weightless layer to say anything (QuasarNET's default is to rescale).
        """
        if self.layers:
            return any(_RESCALING.search(str(layer.get("class_name"))) for layer in self.layers)
        return not self.empty_groups or any(_RESCALING.match(name) for name in self.layer_names)

    def of_class(self, *class_names: str) -> Iterator[Mapping[str, Any]]:
        """Configurations of all layers of these classes."""
        return (layer for layer in self.layers if layer.get("class_name") in class_names)


def stored_layers(file: Any) -> StoredLayers:
    """Read an open ``h5py.File``.

    Raises:
        BadInput: it holds no QuasarNET layers, a layer twice, or a configuration that QuasarNET never had.
        KeyError, OSError, RuntimeError, TypeError, ValueError: the file is damaged.

    """
    layers = _layer_configs(file)
    if "model_weights" in file:
        root, arrays = file["model_weights"], _named_arrays(file["model_weights"])
    elif "layers" in file:
        root, arrays = file["layers"], _numbered_arrays(file["layers"])
    else:
        root, arrays = file, _named_arrays(file)
    if not any(name.startswith("conv_") for name in arrays):
        raise BadInput("no QuasarNET layers in it", mend="give a QuasarNET weights file (.h5)")
    names = frozenset(root)
    return StoredLayers(
        arrays=_renumbered_norms(arrays),
        layer_names=names,
        empty_groups=frozenset(name for name in names if _is_empty(root[name])),
        layers=layers,
        grid_wave=_stored_grid(file),
        attrs={name: _plain(value) for name, value in file.attrs.items() if name not in _LONG_ATTRS},
    )


def _layer_configs(file: Any) -> tuple[Mapping[str, Any], ...]:
    """Configurations of all layers, checked against what every QuasarNET has."""
    if "model_config" not in file.attrs:
        return ()
    config = json.loads(file.attrs["model_config"])
    stored = config.get("config", {}).get("layers", [])
    layers = tuple({**layer.get("config", {}), "class_name": layer.get("class_name")} for layer in stored)
    for layer in layers:
        name = str(layer.get("name"))
        activation = layer.get("activation", "linear")
        if re.fullmatch(r"fc_(box|offset)_\d+", name) and activation != "sigmoid":
            raise BadInput(f"layer {name} has the activation {activation}, only sigmoid is supported")
        epsilon = layer.get("epsilon", NORM_EPSILON)
        if name.startswith("batch_normalization") and not np.isclose(epsilon, NORM_EPSILON):
            raise BadInput(f"layer {name} has epsilon {epsilon}, QuasarNET has {NORM_EPSILON}")
    return layers


def _named_arrays(root: Any) -> dict[str, NDArray[Any]]:
    """Arrays whose path says the layer and the weight, with or without doubling, scopes and ``:0``."""
    arrays: dict[str, NDArray[Any]] = {}
    for path, dataset in _datasets(root):
        *scopes, weight = path.split("/")
        layer = next((scope for scope in scopes if _LAYER.fullmatch(scope)), None)
        if layer is None:
            continue
        name = f"{layer}/{weight.partition(':')[0]}"
        if name in arrays:
            raise BadInput(f"it holds {name} twice")
        arrays[name] = dataset[()]
    return arrays


def _numbered_arrays(root: Any) -> dict[str, NDArray[Any]]:
    """Arrays of Keras's native format: ``GROUP/vars/NUMBER``, the layer's name an attribute of ``vars``."""
    arrays: dict[str, NDArray[Any]] = {}
    for group in root.values():
        variables = group.get("vars")
        layer = "" if variables is None else str(_plain(variables.attrs.get("name", "")))
        if not _LAYER.fullmatch(layer):
            continue
        weights = _NORM_WEIGHTS if layer.startswith("batch_normalization") else _AFFINE_WEIGHTS
        for number, weight in enumerate(weights):
            arrays[f"{layer}/{weight}"] = variables[str(number)][()]
    return arrays


def _renumbered_norms(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The same arrays with the normalisations counted from 1 in the order in which they were built."""
    matches = {name: _NORM.fullmatch(name) for name in arrays}
    suffixes = sorted({int(match[1] or 0) for match in matches.values() if match})
    numbers = {suffix: number for number, suffix in enumerate(suffixes, start=1)}
    out = {}
    for name, array in arrays.items():
        match = matches[name]
        out[f"batch_normalization_{numbers[int(match[1] or 0)]}/{match[2]}" if match else name] = array
    return out


def _stored_grid(file: Any) -> NDArray[np.float64] | None:
    """``model_grid``, a dataset or an attribute of the file."""
    stored = file["model_grid"][()] if "model_grid" in file else file.attrs.get("model_grid")
    return None if stored is None else np.asarray(stored, dtype=np.float64)


def _datasets(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, child in group.items():
        if hasattr(child, "items"):
            # Optimiser states of a full save repeat the names of the layers.
            if not name.startswith("optimizer"):
                yield from _datasets(child, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", child


def _is_empty(group: Any) -> bool:
    return hasattr(group, "items") and not any(True for _ in _datasets(group))


def _plain(value: Any) -> Any:
    """An attribute as Python values: str, int, float, bool, or a list of them."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value
