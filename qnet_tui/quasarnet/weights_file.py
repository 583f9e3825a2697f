"""The weights file: HDF5 as QuasarNP 0.2 (and with it desispec) reads it unmodified.

Root attribute ``model_config`` (JSON with the name of every layer, and padding and strides of the
convolutions), arrays ``model_weights/LAYER/LAYER/WEIGHT:0``, an EMPTY group ``model_weights/lambda`` when
offsets are rescaled, and the dataset ``model_grid`` with the lower edges of the pixels. Reading also takes
every older layout, see :mod:`qnet_tui.quasarnet.stored_layers`.
"""

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.quasarnet.boxes import N_BOXES
from qnet_tui.quasarnet.lines import BAL_LINES, LINES, N_HEADS
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.stored_layers import StoredLayers, stored_layers
from qnet_tui.quasarnet.weights import NORM_EPSILON, Weights, weights_from_arrays
from qnet_tui.spectra.grids import grid_from_wave, linear_grid, log_grid
from qnet_tui.whole_files import whole_file

__all__ = ["Weights", "read_weights", "write_weights"]

Offsets = Literal["as-trained", "quasarnp"]

_NO_WEIGHTS = "give a QuasarNET weights file (.h5)"


def read_weights(path: str | Path, *, offsets: Offsets = "as-trained") -> Weights:
    """Read a weights file of any published layout.

    Args:
        path: the file.
        offsets: "as-trained" rescales the offsets if the network was trained so (Lambda or Rescaling layers);
            "quasarnp" only if there is an empty group named exactly ``lambda``, as QuasarNP decides, which
            reads files of ``lambda_0`` … ``lambda_6`` without rescaling and their redshifts 2e-3 off.

    Returns:
        The weights; where the file names no grid, the published grid whose pixels fit the network.

    Raises:
        BadInput: no such file, or it is not a complete QuasarNET.
        QnetError: it may not be read.

    """
    import h5py

    path = Path(path)
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise BadInput("there is no such file", mend=_NO_WEIGHTS, file=path) from error
    except IsADirectoryError as error:
        raise BadInput("is a folder", mend=_NO_WEIGHTS, file=path) from error
    except OSError as error:
        raise QnetError(f"cannot be read: {error.strerror}", file=path) from error
    try:
        with h5py.File(path, "r") as file:
            stored = stored_layers(file)
        return _weights(stored, offsets)
    except BadInput as error:
        raise BadInput(error.what, mend=error.mend or _NO_WEIGHTS, file=path) from error
    except (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, MemoryError) as error:
        # What h5py raises of a file that is truncated, damaged or none of its own.
        raise BadInput(f"is not a readable weights file: {error}", mend=_NO_WEIGHTS, file=path) from error


def write_weights(path: str | Path, weights: Weights, attrs: Mapping[str, Any] | None = None) -> None:
    """Write a weights file that unmodified QuasarNP 0.2 reads; replaces an existing one in one step.

    Args:
        path: the file; a temporary one beside it is written, synchronised and renamed.
        weights: the network.
        attrs: root attributes beside those of ``weights.attrs`` (they win): numbers, texts or lists of them,
            for instance ``c_th``, ``n_th``, ``git``; None is left out. Written in any case: ``lines``,
            ``lines_bal``, ``nboxes``, ``c_th``, ``n_th``, ``bal_trained``, ``version``, ``grid_spacing``.

    Raises:
        BadInput: QuasarNP could not read this network: not 13 boxes, more than 9 layers, or a kernel whose
            padding it would place otherwise (odd kernels).
        QnetError: the file cannot be written.

    """
    import h5py

    path = Path(path)
    _check_exportable(weights.settings, path)
    grid = grid_from_wave(weights.grid_wave)
    extra = {"c_th": 0.95, "n_th": 1, "bal_trained": False, **weights.attrs, **(attrs or {})}
    root = {name: _storable(value) for name, value in extra.items() if value is not None}
    root |= {  # These cannot be overridden: they are facts about the file.
        "model_config": json.dumps(_model_config(weights)),
        "backend": "tensorflow",
        "keras_version": _version("keras"),
        "version": f"qnet {_version('qnet-tui')}",
        "grid_spacing": grid.spacing,
        "lines": [name for name, _ in LINES],
        "lines_bal": [name for name, _ in BAL_LINES],
        "nboxes": weights.settings.n_boxes,
    }
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        for name, value in sorted(root.items()):  # The same network gives the same bytes.
            file.attrs[name] = value
        file.create_dataset("model_grid", data=weights.grid_wave, dtype="f8")
        group = file.create_group("model_weights")
        for name, array in weights.named_arrays():
            layer, weight = name.split("/")
            group.create_dataset(f"{layer}/{layer}/{weight}:0", data=array, dtype="f4")
        if weights.rescale:
            group.create_group("lambda")


def _weights(stored: StoredLayers, offsets: Offsets) -> Weights:
    settings, grid_wave = _settings_and_grid(stored)
    rescale = "lambda" in stored.empty_groups if offsets == "quasarnp" else stored.rescales()
    lines = stored.attrs.get("lines")
    if lines is not None and list(lines) != [name for name, _ in LINES]:
        raise BadInput(f"it is made for the lines {', '.join(map(str, lines))}", mend="use a QuasarNET of ours")
    return weights_from_arrays(settings, grid_wave, stored.arrays, rescale=rescale, attrs=stored.attrs)


def _settings_and_grid(stored: StoredLayers) -> tuple[NetworkSettings, NDArray[np.float64]]:
    """The shape of the network and its grid, from the arrays and what the configuration adds."""
    layers = sum(name.startswith("conv_") and name.endswith("/kernel") for name in stored.arrays)
    shapes = {name: array.shape for name, array in stored.arrays.items()}
    first, common, box = (shapes.get(f"{name}/kernel", ()) for name in ("conv_1", "fc_common", "fc_box_0"))
    if len(first) != 3 or len(common) != 2 or len(box) != 2:
        raise BadInput("it lacks layers of a QuasarNET (conv_1, fc_common, fc_box_0)")
    heads = sum(name.startswith("fc_box_") and name.endswith("/kernel") for name in shapes)
    if heads != N_HEADS:
        raise BadInput(f"it has {heads} heads, a QuasarNET has {N_HEADS}")
    strides = {int(np.ravel(layer.get("strides", 2))[0]) for layer in stored.of_class("Conv1D")} or {2}
    if len(strides) > 1:
        raise BadInput(f"its convolutions have different strides {sorted(strides)}")
    rates = [float(layer.get("rate", 0.0)) for layer in stored.of_class("Dropout")]

    def settings(n_pixels: int) -> NetworkSettings:
        return NetworkSettings(
            layers=layers,
            filters=int(first[2]),
            kernel=int(first[0]),
            stride=strides.copy().pop(),
            dense=int(common[1]),
            dropout=rates[0] if rates else (0.0 if stored.layers else NetworkSettings.dropout),
            n_boxes=int(box[1]),
            n_pixels=n_pixels,
        )

    if stored.grid_wave is not None:
        grid_wave = grid_from_wave(stored.grid_wave).wave
        fitting = [(settings(len(grid_wave)), grid_wave)]
    else:
        candidates = [(settings(grid.n_pixels), grid.wave) for grid in (log_grid(), linear_grid())]
        fitting = [c for c in candidates if c[0].flat_size == common[0]]
    if not fitting:
        raise BadInput(
            f"it names no wavelength grid, and {common[0]} flattened values fit neither published grid",
            mend="add the dataset model_grid with the lower edges of the pixels",
        )
    found, grid_wave = fitting[0]
    for layer in stored.of_class("Conv1D"):
        if layer.get("padding", found.padding) != found.padding:
            raise BadInput(f"its {layers} layers have padding {layer['padding']}, QuasarNET's {found.padding}")
    return found, grid_wave


def _check_exportable(settings: NetworkSettings, path: Path) -> None:
    """Refuse what QuasarNP would read wrongly or not at all."""
    if settings.n_boxes != N_BOXES:
        raise BadInput(f"QuasarNP reads {N_BOXES} boxes, this network has {settings.n_boxes}", file=path)
    if settings.layers > 9:
        raise BadInput(f"QuasarNP reads up to 9 layers, this network has {settings.layers}", file=path)
    if settings.padding == "same":
        left = (settings.kernel - 1) // 2
        for length, out in zip((settings.n_pixels, *settings.lengths), settings.lengths, strict=False):
            total = max((out - 1) * settings.stride + settings.kernel - length, 0)
            if total // 2 != left:
                raise BadInput(
                    f"QuasarNP would pad {left} pixels left where this network pads {total // 2}",
                    mend="use an even kernel with stride 2",
                    file=path,
                )


def _model_config(weights: Weights) -> dict[str, Any]:
    """The layers of the network in the form of Keras, as far as readers look at them."""
    settings = weights.settings

    def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
        return {"class_name": class_name, "config": {"name": name, **config}}

    def norm(number: int) -> dict[str, Any]:
        return layer("BatchNormalization", f"batch_normalization_{number}", momentum=0.99, epsilon=NORM_EPSILON)

    layers = [layer("InputLayer", "spectrum", batch_input_shape=[None, settings.n_pixels, 1])]
    for i in range(1, settings.layers + 1):
        layers += [
            layer(
                "Conv1D",
                f"conv_{i}",
                filters=settings.filters,
                kernel_size=[settings.kernel],
                strides=[settings.stride],
                padding=settings.padding,
                activation="linear",
            ),
            norm(i),
            layer("Activation", f"activation_{i}", activation="relu"),
            layer("Dropout", f"dropout_{i}", rate=settings.dropout),
        ]
    layers += [
        layer("Flatten", "flatten"),
        layer("Dense", "fc_common", units=settings.dense, activation="linear"),
        norm(settings.layers + 1),
        layer("Activation", "fc_activation", activation="relu"),
    ]
    for i in range(N_HEADS):
        layers.append(layer("Dense", f"fc_box_{i}", units=settings.n_boxes, activation="sigmoid"))
        layers.append(layer("Dense", f"fc_offset_{i}", units=settings.n_boxes, activation="sigmoid"))
        if weights.rescale:
            layers.append(layer("Rescaling", f"rescaling_{i}", scale=1.2, offset=-0.1))
        layers.append(layer("Concatenate", f"conc_box_{i}", axis=-1))
    return {"class_name": "Functional", "config": {"name": "QuasarNET", "layers": layers}}


def _storable(value: Any) -> Any:
    """The value of an attribute; a seed too large for 64 bits becomes its decimal text."""
    return str(value) if isinstance(value, int) and value.bit_length() > 63 else value


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"
