"""A second reader of weights files, to the letter of what QuasarNP 0.2 expects, and a second forward pass.

Written from the description of the file format, in plain numpy and float64; it knows nothing of the package it
checks. Like QuasarNP it strips two characters from the name of every array without looking at them, wants the
name of the layer doubled, counts the convolutions by their groups, shifts normalisations by one if one has no
suffix, and rescales offsets only if there is an empty group named exactly ``lambda``.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

LINES = (1215.67, 1548.2049, 1908.734, 2796.3511, 4862.68, 6562.8)


@dataclass
class Network:
    layers: dict[str, dict[str, np.ndarray]]
    paddings: list[str]
    strides: list[int]
    rescale: bool
    wave: np.ndarray


def default_wave() -> np.ndarray:
    first = np.log10(3600.0)
    return 10 ** (first + np.arange(443) * 1e-3)


def load(path: Path) -> Network:
    """Everything QuasarNP takes from a file; whatever it would stumble over raises here too."""
    with h5py.File(path, "r") as file:
        groups = file["model_weights"]
        shift = 1 if "batch_normalization" in groups else 0
        layers: dict[str, dict[str, np.ndarray]] = {}
        rescale = False
        for name, group in groups.items():
            if len(group) == 0:
                rescale = rescale or name == "lambda"
                continue
            arrays = {stored[:-2]: dataset[()] for stored, dataset in group[name].items()}
            if name == "batch_normalization":
                name = "batch_normalization_1"
            elif name.startswith("batch_normalization"):
                name = f"{name[:-1]}{int(name[-1]) + shift}"
            layers[name] = arrays
        config = {
            layer["config"]["name"]: layer["config"]
            for layer in json.loads(file.attrs["model_config"])["config"]["layers"]
        }
        wave = file["model_grid"][:] if "model_grid" in file else default_wave()
    n_conv = sum(name.startswith("conv") for name in layers)
    paddings = [config[f"conv_{i}"]["padding"] for i in range(1, n_conv + 1)]
    strides = [config[f"conv_{i}"]["strides"][0] for i in range(1, n_conv + 1)]
    if not all(type(stride) is int for stride in strides):
        raise TypeError("strides must be integers")
    return Network(layers, paddings, strides, rescale, wave)


def predict(network: Network, x: np.ndarray) -> np.ndarray:
    """Answers (7, n, 26) in float64 to vectors (n, pixels)."""
    layers = network.layers
    y = x[:, :, None].astype(np.float64)
    for i, (padding, stride) in enumerate(zip(network.paddings, network.strides, strict=True), start=1):
        y = convolve(y, layers[f"conv_{i}"], stride, padding)
        y = np.maximum(normalise(y, layers[f"batch_normalization_{i}"]), 0)
    # Flattened with the channels running fastest.
    y = y.reshape(len(y), -1) @ layers["fc_common"]["kernel"].astype(np.float64) + layers["fc_common"]["bias"]
    y = np.maximum(normalise(y, layers[f"batch_normalization_{len(network.paddings) + 1}"]), 0)
    heads = []
    for i in range(7):
        box, offset = (sigmoid(y, layers[f"fc_{kind}_{i}"]) for kind in ("box", "offset"))
        heads.append(np.concatenate([box, -0.1 + 1.2 * offset if network.rescale else offset], axis=1))
    return np.stack(heads)


def decode(heads: np.ndarray, wave: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence and redshift per line (6, n), and the redshift of the most confident line (n,)."""
    n = heads.shape[1]
    confidence, redshift = np.zeros((6, n)), np.zeros((6, n))
    for line, rest in enumerate(LINES):
        for row in range(n):
            box = int(np.argmax(heads[line, row, :13]))
            index = (box + heads[line, row, 13 + box]) * len(wave) / 13
            confidence[line, row] = heads[line, row, box]
            redshift[line, row] = np.interp(index, np.arange(len(wave)), wave) / rest - 1
    best = np.array([redshift[int(np.argmax(confidence[:, row])), row] for row in range(n)])
    return confidence, redshift, best


def convolve(x: np.ndarray, layer: dict[str, np.ndarray], stride: int, padding: str) -> np.ndarray:
    kernel = layer["kernel"].astype(np.float64)
    width = len(kernel)
    if padding == "same":
        left = (width - 1) // 2  # Whatever the stride and the length.
        x = np.pad(x, ((0, 0), (left, width - 1 - left), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=1)[:, ::stride]
    return np.einsum("npck,kcf->npf", windows, kernel, optimize=True) + layer["bias"]


def normalise(x: np.ndarray, layer: dict[str, np.ndarray]) -> np.ndarray:
    variance = layer["moving_variance"].astype(np.float64)
    return (x - layer["moving_mean"]) / np.sqrt(variance + 0.001) * layer["gamma"] + layer["beta"]


def sigmoid(x: np.ndarray, layer: dict[str, np.ndarray]) -> np.ndarray:
    return 1 / (1 + np.exp(-(x @ layer["kernel"].astype(np.float64) + layer["bias"])))
