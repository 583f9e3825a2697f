"""Boxes: redshift -> what the network should answer, and what it answered -> redshift.

The pixel axis is cut into 13 equal boxes. A line in the spectrum is one box set to 1 and the offset, between
0 and 1, into that box (Busca & Balland 2018, section 3). Pixel labels are the LOWER edges of the bins, in
encoding and decoding alike. All redshifts and wavelengths are float64.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from qnet_tui.quasarnet.lines import BAL_LINES, LINES, N_HEADS, N_LINES
from qnet_tui.spectra.grids import Grid

N_BOXES = 13

_RESTS = np.array([rest for _, rest in LINES + BAL_LINES])


@dataclass(frozen=True, eq=False)
class Targets:
    """What the seven heads should answer for n spectra.

    ``values`` (7, n, 26) float: per head [box 13 | offset 13]. ``weights`` (7, n) float32: sample weights,
    1 for the six lines; of the BAL head 1 only where its truth is known.
    """

    values: NDArray[np.floating[Any]]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.weights.shape[1])

    def take(self, rows: NDArray[np.integer[Any]]) -> "Targets":
        """The targets of these rows, repeats allowed (a bootstrap sample)."""
        return Targets(self.values[:, rows], self.weights[:, rows])

    @property
    def bal_known(self) -> bool:
        """Whether any spectrum has a truth for the BAL head, that is whether that head will be trained."""
        return bool(np.any(self.weights[N_LINES:] > 0))


@dataclass(frozen=True, eq=False)
class LinePredictions:
    """Decoded answers for n spectra.

    ``c_line`` (6, n) confidence and ``z_line`` (6, n) float64 redshift per line, ``zbest`` (n,) float64 the
    redshift of the most confident line: defined for every spectrum, meaningful only for quasars.
    ``c_line_bal``, ``z_line_bal`` (1, n): the BAL head, meaningful only if it was trained.
    """

    c_line: NDArray[np.floating[Any]]
    z_line: NDArray[np.float64]
    zbest: NDArray[np.float64]
    c_line_bal: NDArray[np.floating[Any]]
    z_line_bal: NDArray[np.float64]


def encode(
    z: ArrayLike,
    is_qso: ArrayLike,
    bal: ArrayLike,
    grid: Grid,
    *,
    n_boxes: int = N_BOXES,
    dtype: DTypeLike = np.float32,
) -> Targets:
    """Training targets of n spectra.

    With i(λ) the observed wavelength interpolated onto the pixel index and p = i/n_pixels·13: box ⌊p⌋ is 1
    and its offset is p − ⌊p⌋. A line outside [wave[0], wave[-1]], and every line of an object that is no
    quasar, has all zeros. The BAL head follows CIV and is zero as well where ``bal`` is not +1.

    Args:
        z: (n,) redshifts; NaN where there is none (then no line is inside the grid).
        is_qso: (n,) whether the truth is a quasar.
        bal: (n,) +1 broad absorption, −1 none, 0 unknown (every DESI spectrum).
        grid: the wavelength grid of the vectors.
        n_boxes: number of boxes.
        dtype: of the returned values; float32 is what training takes.

    Raises:
        ValueError: the three arrays differ in length.

    """
    z = np.asarray(z, dtype=np.float64)
    is_qso = np.asarray(is_qso, dtype=bool)
    bal = np.asarray(bal, dtype=np.int64)
    if z.ndim != 1 or not z.shape == is_qso.shape == bal.shape:
        raise ValueError(f"z {z.shape}, is_qso {is_qso.shape} and bal {bal.shape} differ in shape")
    wave = grid.wave
    observed = (1.0 + z) * _RESTS[:, None]
    # NaN compares false on both sides, so an object without redshift has no line inside.
    inside = (observed >= wave[0]) & (observed <= wave[-1]) & is_qso
    inside[N_LINES:] &= bal > 0
    index = np.interp(np.where(inside, observed, wave[0]), wave, np.arange(len(wave), dtype=np.float64))
    position = index / len(wave) * n_boxes
    box = np.floor(position).astype(np.int64)
    values = np.zeros((N_HEADS, len(z), 2 * n_boxes), dtype=dtype)
    head, row = np.nonzero(inside)
    values[head, row, box[head, row]] = 1.0
    values[head, row, n_boxes + box[head, row]] = (position - box)[head, row]
    weights = np.ones((N_HEADS, len(z)), dtype=np.float32)
    weights[N_LINES:] = bal != 0
    return Targets(values, weights)


def decode(heads: NDArray[np.floating[Any]], grid: Grid, *, extrapolate: bool = False) -> LinePredictions:
    """Confidences and redshifts of all lines, as QuasarNP's ``process_preds``.

    Per head the most confident box k (the first on ties) and its offset o give the pixel (k + o)·n_pixels/13,
    which is interpolated to a wavelength. Beyond the ends of the grid the wavelength is clamped to them as
    QuasarNP does, or continued linearly with ``extrapolate`` as the original QuasarNET does.

    Args:
        heads: (7, n, 26) answers, [box 13 | offset 13] per head.
        grid: the grid of the network.
        extrapolate: continue beyond the ends of the grid.

    """
    n_boxes = heads.shape[2] // 2
    confidence, z = _best_boxes(heads, _RESTS[:, None], grid, n_boxes, extrapolate)
    best = confidence[:N_LINES].argmax(axis=0)
    return LinePredictions(
        c_line=confidence[:N_LINES],
        z_line=z[:N_LINES],
        zbest=z[best, np.arange(heads.shape[1])],
        c_line_bal=confidence[N_LINES:],
        z_line_bal=z[N_LINES:],
    )


def confidence_and_redshift(
    heads: NDArray[np.floating[Any]], grid: Grid, n_lines: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """What a committee keeps of one network: one confidence and one redshift per spectrum.

    The confidence is the ``n_lines``-th largest of the six lines (the BAL head never votes), so that
    ``c_qso > c_threshold`` is exactly the quasar rule; the redshift is ``zbest`` of :func:`decode`.

    Args:
        heads: (7, n, 26) answers.
        grid: the grid of the network.
        n_lines: how many lines must be confident, 1 to 6.

    Returns:
        c_qso (n,) float32 and zbest (n,) float64.

    Raises:
        ValueError: ``n_lines`` is not 1 to 6.

    """
    if not 1 <= n_lines <= N_LINES:
        raise ValueError(f"n_lines is {n_lines}, there are {N_LINES} lines")
    n_boxes = heads.shape[2] // 2
    confidence = heads[:N_LINES, :, :n_boxes].max(axis=2)
    best = confidence.argmax(axis=0)
    if n_lines == 1:
        c_qso = confidence.max(axis=0)
    else:
        c_qso = np.partition(confidence, N_LINES - n_lines, axis=0)[N_LINES - n_lines]
    # Only the best line is decoded: a sixth of the work of decode().
    winners = heads[best, np.arange(heads.shape[1])]
    _, zbest = _best_boxes(winners, _RESTS[best], grid, n_boxes, extrapolate=False)
    return c_qso.astype(np.float32, copy=False), zbest


def is_quasar(c_line: NDArray[np.floating[Any]], c_threshold: float = 0.95, n_lines: int = 1) -> NDArray[np.bool_]:
    """Quasar where at least ``n_lines`` of the lines (6, n) are strictly above the threshold: (n,)."""
    return np.asarray((c_line > c_threshold).sum(axis=0) >= n_lines)


def box_edges(grid: Grid, n_boxes: int = N_BOXES) -> NDArray[np.float64]:
    """Wavelengths (Å) of the n_boxes + 1 edges of the boxes; the last is the upper edge of the last bin."""
    edges = np.append(grid.wave, grid.upper_edge)
    positions = np.arange(n_boxes + 1) * (grid.n_pixels / n_boxes)
    return np.asarray(np.interp(positions, np.arange(grid.n_pixels + 1, dtype=np.float64), edges))


def _best_boxes(
    heads: NDArray[np.floating[Any]],
    rests: NDArray[np.float64],
    grid: Grid,
    n_boxes: int,
    extrapolate: bool,
) -> tuple[NDArray[np.floating[Any]], NDArray[np.float64]]:
    """Confidence and redshift of the most confident box along the last axis."""
    box = heads[..., :n_boxes].argmax(axis=-1)[..., None]
    confidence = np.take_along_axis(heads, box, axis=-1)[..., 0]
    offset = np.take_along_axis(heads, box + n_boxes, axis=-1)[..., 0].astype(np.float64)
    index = (box[..., 0] + offset) * (grid.n_pixels / n_boxes)
    return confidence, _wavelength(index, grid, extrapolate) / rests - 1.0


def _wavelength(index: NDArray[np.float64], grid: Grid, extrapolate: bool) -> NDArray[np.float64]:
    wave, last = grid.wave, grid.n_pixels - 1
    out = np.interp(index, np.arange(grid.n_pixels, dtype=np.float64), wave)
    if extrapolate:
        out = np.where(index < 0, wave[0] + index * (wave[1] - wave[0]), out)
        out = np.where(index > last, wave[-1] + (index - last) * (wave[-1] - wave[-2]), out)
    return out
