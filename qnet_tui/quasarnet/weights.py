"""The weights of one network as plain arrays: what is trained, stored, sent to workers and scored with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.lines import N_HEADS
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.spectra.grids import Grid, grid_from_wave

Float32 = NDArray[np.float32]

NORM_EPSILON = 1e-3
"""Added to the moving variance of every batch normalisation (the default of Keras; QuasarNP fixes it)."""


@dataclass(frozen=True, eq=False)
class Affine:
    """A convolution, ``kernel`` (width, in, out), or a dense layer, ``kernel`` (in, out); ``bias`` (out,)."""

    kernel: Float32
    bias: Float32


@dataclass(frozen=True, eq=False)
class Norm:
    """A batch normalisation at inference: gamma·(x − mean)/√(variance + 1e-3) + beta, each (channels,)."""

    gamma: Float32
    beta: Float32
    mean: Float32
    variance: Float32


@dataclass(frozen=True, eq=False)
class Weights:
    """One trained network.

    ``convolutions`` and ``norms``: one per layer; ``common`` and ``common_norm``: the dense layer
    ``fc_common`` and its normalisation; ``boxes`` and ``offsets``: seven heads each. ``grid_wave``
    (n_pixels,) float64: lower edges of the pixels, Å. ``rescale``: whether offsets are −0.1 + 1.2·sigmoid
    (else plain sigmoid). ``attrs``: what the file says about itself (seed, thresholds, who trained it).

    Raises:
        BadInput: an array has not the shape that ``settings`` ask for, or holds values that are not finite.

    """

    settings: NetworkSettings
    grid_wave: NDArray[np.float64]
    rescale: bool
    convolutions: tuple[Affine, ...]
    norms: tuple[Norm, ...]
    common: Affine
    common_norm: Norm
    boxes: tuple[Affine, ...]
    offsets: tuple[Affine, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check number, shape and finiteness of all arrays."""
        if len(self.grid_wave) != self.settings.n_pixels:
            raise BadInput(
                f"the grid has {len(self.grid_wave)} pixels, the network {self.settings.n_pixels}",
                mend="use the grid that the network was trained on",
            )
        expected = array_shapes(self.settings)
        found = [(name, array.shape) for name, array in self.named_arrays()]
        if [name for name, _ in found] != list(expected):
            raise BadInput(f"{len(found)} weight arrays where the network has {len(expected)}")
        for name, shape in found:
            if shape != expected[name]:
                raise BadInput(f"{name} has shape {shape}, the network needs {expected[name]}")
        for name, array in self.named_arrays():
            if not np.all(np.isfinite(array)):
                raise BadInput(f"{name} holds values that are not finite", mend="train the network again")
        if any(np.any(norm.variance < 0) for norm in (*self.norms, self.common_norm)):
            raise BadInput("a normalisation has a negative variance", mend="train the network again")

    @property
    def grid(self) -> Grid:
        """The wavelength grid of the spectra that this network reads."""
        return grid_from_wave(self.grid_wave)

    def named_arrays(self) -> Iterator[tuple[str, Float32]]:
        """All arrays with the names "LAYER/WEIGHT" of the published files, in the Keras model's order."""
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True), start=1):
            yield from _affine_arrays(f"conv_{i}", convolution)
            yield from _norm_arrays(f"batch_normalization_{i}", norm)
        yield from _affine_arrays("fc_common", self.common)
        yield from _norm_arrays(f"batch_normalization_{len(self.norms) + 1}", self.common_norm)
        for i, (box, offset) in enumerate(zip(self.boxes, self.offsets, strict=True)):
            yield from _affine_arrays(f"fc_box_{i}", box)
            yield from _affine_arrays(f"fc_offset_{i}", offset)


def array_shapes(settings: NetworkSettings) -> dict[str, tuple[int, ...]]:
    """Name ("LAYER/WEIGHT") and shape of every array of a network, in the order of ``named_arrays``."""
    shapes: dict[str, tuple[int, ...]] = {}

    def affine(layer: str, kernel: tuple[int, ...]) -> None:
        shapes[f"{layer}/kernel"] = kernel
        shapes[f"{layer}/bias"] = kernel[-1:]

    def norm(layer: str, channels: int) -> None:
        for name in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"{layer}/{name}"] = (channels,)

    channels = 1
    for i in range(1, settings.layers + 1):
        affine(f"conv_{i}", (settings.kernel, channels, settings.filters))
        norm(f"batch_normalization_{i}", settings.filters)
        channels = settings.filters
    affine("fc_common", (settings.flat_size, settings.dense))
    norm(f"batch_normalization_{settings.layers + 1}", settings.dense)
    for i in range(N_HEADS):
        affine(f"fc_box_{i}", (settings.dense, settings.n_boxes))
        affine(f"fc_offset_{i}", (settings.dense, settings.n_boxes))
    return shapes


def weights_from_arrays(
    settings: NetworkSettings,
    grid_wave: NDArray[np.float64],
    arrays: Mapping[str, Float32],
    *,
    rescale: bool = True,
    attrs: Mapping[str, Any] | None = None,
) -> Weights:
    """Assemble weights from arrays named "LAYER/WEIGHT" as in :func:`array_shapes`.

    Raises:
        BadInput: an array is missing, of another shape, or not finite.

    """

    def take(name: str) -> Float32:
        if name not in arrays:
            raise BadInput(f"the network has no {name}", mend="give a complete QuasarNET weights file")
        return np.ascontiguousarray(arrays[name], dtype=np.float32)

    def affine(layer: str) -> Affine:
        return Affine(take(f"{layer}/kernel"), take(f"{layer}/bias"))

    def norm(number: int) -> Norm:
        layer = f"batch_normalization_{number}"
        return Norm(
            take(f"{layer}/gamma"),
            take(f"{layer}/beta"),
            take(f"{layer}/moving_mean"),
            take(f"{layer}/moving_variance"),
        )

    numbers: Sequence[int] = range(1, settings.layers + 1)
    return Weights(
        settings=settings,
        grid_wave=np.asarray(grid_wave, dtype=np.float64),
        rescale=rescale,
        convolutions=tuple(affine(f"conv_{i}") for i in numbers),
        norms=tuple(norm(i) for i in numbers),
        common=affine("fc_common"),
        common_norm=norm(settings.layers + 1),
        boxes=tuple(affine(f"fc_box_{i}") for i in range(N_HEADS)),
        offsets=tuple(affine(f"fc_offset_{i}") for i in range(N_HEADS)),
        attrs=dict(attrs or {}),
    )


def _affine_arrays(layer: str, affine: Affine) -> Iterator[tuple[str, Float32]]:
    yield f"{layer}/kernel", affine.kernel
    yield f"{layer}/bias", affine.bias


def _norm_arrays(layer: str, norm: Norm) -> Iterator[tuple[str, Float32]]:
    yield f"{layer}/gamma", norm.gamma
    yield f"{layer}/beta", norm.beta
    yield f"{layer}/moving_mean", norm.mean
    yield f"{layer}/moving_variance", norm.variance
