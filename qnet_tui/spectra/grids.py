"""The wavelength grids of the networks: where the pixels of a vector lie.

The two published grids of QuasarNP (``log``: 443 pixels of 10⁻³ in log10 λ from 3600 Å; ``linear``: 458
pixels of 13.6 Å from 3600 Å) and any other grid of a weights file that is regular in λ or in log10 λ. The
label of a pixel is the LOWER edge of its bin, here and when boxes are encoded and decoded.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.errors import BadInput

FIRST_WAVELENGTH = 3600.0
"""Lower edge of both published grids, Å."""

_LOG_LAST = 10000.0
_LOG_STEP = 1e-3
_LINEAR_STEP = 13.6
_LINEAR_LAST = 9824.8

# Steps of one grid may differ by this share of a step: wavelengths stored as float32 differ by 3e-5.
_REGULAR = 1e-4


@dataclass(frozen=True, eq=False)
class Grid:
    """One wavelength grid.

    ``wave`` (n_pixels,) float64: lower edges of the bins, Å in vacuum, ascending. ``spacing`` says in what
    the steps are constant: log10 λ ("logarithmic") or λ ("linear"). Two grids are equal when spacing and
    every edge are, whatever their names.
    """

    name: str
    wave: NDArray[np.float64]
    spacing: Literal["logarithmic", "linear"]

    @property
    def n_pixels(self) -> int:
        """Number of pixels of a vector on this grid."""
        return len(self.wave)

    @property
    def step(self) -> float:
        """Width of a bin: dex for a logarithmic grid, Å for a linear one."""
        edges = np.log10(self.wave) if self.spacing == "logarithmic" else self.wave
        return float((edges[-1] - edges[0]) / (len(edges) - 1))

    @property
    def upper_edge(self) -> float:
        """Upper edge of the last bin, Å."""
        last = float(self.wave[-1])
        return last * 10.0**self.step if self.spacing == "logarithmic" else last + self.step

    def bins_of(self, wavelength: ArrayLike) -> NDArray[np.int64]:
        """Bin of each wavelength (Å), −1 outside the grid, as QuasarNP's ``regrid`` assigns them.

        Logarithmic: ⌊(log10 λ − l₀)/Δ⌋. Linear: the same in λ after rounding to ten decimals, because
        multiples of 13.6 Å are not exact in binary. Wavelengths that are not finite or not positive are
        outside.
        """
        wavelength = np.asarray(wavelength, dtype=np.float64)
        valid = np.isfinite(wavelength) & (wavelength > 0)
        safe = np.where(valid, wavelength, self.wave[0])
        if self.spacing == "logarithmic":
            position = (np.log10(safe) - np.log10(self.wave[0])) / self.step
        else:
            position = np.round((safe - self.wave[0]) / self.step, 10)
        inside = valid & (position >= 0) & (position < self.n_pixels)
        return np.where(inside, np.floor(np.where(inside, position, 0.0)), -1.0).astype(np.int64)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        return self.spacing == other.spacing and np.array_equal(self.wave, other.wave)

    def __hash__(self) -> int:
        return hash((self.spacing, self.wave.tobytes()))


def log_grid() -> Grid:
    """The default grid: 443 pixels, 3600 Å … 9960.99 Å, step 10⁻³ in log10 λ (691.1 km/s)."""
    first = np.log10(FIRST_WAVELENGTH)
    n_pixels = int((np.log10(_LOG_LAST) - first) / _LOG_STEP)
    wave = 10.0 ** (first + np.arange(n_pixels) * _LOG_STEP)
    return Grid("log", _frozen(wave), "logarithmic")


def linear_grid() -> Grid:
    """The linear grid: 458 pixels, 3600 Å … 9815.2 Å, step 13.6 Å (17 native DESI pixels)."""
    wave = np.round(np.arange(FIRST_WAVELENGTH, _LINEAR_LAST, _LINEAR_STEP), 1)
    return Grid("linear", _frozen(wave), "linear")


def grid_named(name: str) -> Grid:
    """The published grid called ``log`` or ``linear``; BadInput for any other name."""
    if name == "log":
        return log_grid()
    if name == "linear":
        return linear_grid()
    raise BadInput(f"there is no wavelength grid called {name!r}", mend="use log or linear")


def grid_from_wave(wave: ArrayLike) -> Grid:
    """The grid with these lower edges (Å), for instance ``model_grid`` of a weights file.

    One of the published grids when the edges are theirs to within float32, otherwise a grid called "custom"
    that keeps the edges as given. BadInput when there are fewer than three pixels, or the edges are not
    finite, positive, ascending and regular in λ or in log10 λ.
    """
    edges = np.asarray(wave, dtype=np.float64)
    mend = "give at least three ascending wavelengths in Angstrom"
    if edges.ndim != 1 or len(edges) < 3:
        raise BadInput(f"a wavelength grid of shape {edges.shape} is no grid", mend=mend)
    if not np.all(np.isfinite(edges)) or not np.all(edges > 0) or not np.all(np.diff(edges) > 0):
        raise BadInput("the wavelength grid is not finite, positive and ascending", mend=mend)
    for published in (log_grid(), linear_grid()):
        same = len(edges) == published.n_pixels and np.allclose(edges, published.wave, rtol=1e-7, atol=0)
        if same:
            return published
    if _regular(edges):
        return Grid("custom", _frozen(edges.copy()), "linear")
    if _regular(np.log10(edges)):
        return Grid("custom", _frozen(edges.copy()), "logarithmic")
    raise BadInput(
        "the wavelength grid is irregular",
        mend="its steps must be constant in wavelength or in log10 of wavelength",
    )


def _regular(edges: NDArray[np.float64]) -> bool:
    steps = np.diff(edges)
    return bool(np.allclose(steps, steps.mean(), rtol=_REGULAR, atol=0))


def _frozen(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    wave.flags.writeable = False
    return wave
