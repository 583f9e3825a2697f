"""The window that is drawn: which wavelengths, which fluxes, and how flux becomes height."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Scale = Literal["linear", "asinh"]

# robust: 0.5 to 99.7 % of what is shown; full: every pixel; zero: robust, with the bottom at zero;
# log: like a logarithm for large fluxes and linear about zero (asinh), since fluxes can be negative.
YMode = Literal["robust", "full", "zero", "log"]
Y_MODES: tuple[YMode, ...] = ("robust", "full", "zero", "log")

_ROBUST = (0.5, 99.7)
_HEAD_ROOM, _FOOT_ROOM = 0.08, 0.03
# Fluxes that differ by less than this share of themselves are level; what is smaller than the other is zero.
_LEVEL, _NOTHING = 1e-9, 1e-100
# Zero belongs to the picture when it costs no more than this share of the height: the noise is seen against it.
_NEAR_ZERO = 0.25
# A peak that a median over this many pixels leaves standing is a line, not a cosmic ray: the window is raised to
# show it, by at most this share of its height.
_LINE_PIXELS, _RAISED = 9, 0.75


@dataclass(frozen=True)
class Window:
    """Wavelengths [x0, x1) in Å and fluxes [y0, y1], with the scale of the flux axis.

    ``soft`` is the flux at which the asinh scale turns from linear to logarithmic.
    """

    x0: float
    x1: float
    y0: float
    y1: float
    scale: Scale = "linear"
    soft: float = 1.0

    def height(self, flux: FloatArray) -> FloatArray:
        """Return the height of ``flux`` in the window: 0 at the bottom, 1 at the top, beyond when outside."""
        bottom, top = self._bent(np.float64(self.y0)), self._bent(np.float64(self.y1))
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray((self._bent(flux) - bottom) / (top - bottom), np.float64)

    def column_of(self, wavelength: float, columns: int) -> int:
        """Return the column (0 to columns - 1) that holds ``wavelength``, -1 when it is outside."""
        if not (np.isfinite(wavelength) and self.x0 <= wavelength < self.x1):
            return -1
        return min(int((wavelength - self.x0) / (self.x1 - self.x0) * columns), columns - 1)

    def _bent(self, flux: FloatArray | np.float64) -> FloatArray | np.float64:
        return np.arcsinh(flux / self.soft) if self.scale == "asinh" else flux


def data_range(wavelength: FloatArray, flux: FloatArray) -> tuple[float, float]:
    """Return the wavelengths (Å) between the first and the last finite pixel, half a pixel added on both sides.

    Without any finite pixel it is the range of ``wavelength``; without any pixel (0, 1).
    """
    if wavelength.size == 0:
        return 0.0, 1.0
    finite = np.flatnonzero(np.isfinite(flux))
    first, last = (finite[0], finite[-1]) if finite.size else (0, wavelength.size - 1)
    margin = 0.5 * float(np.median(np.diff(wavelength))) if wavelength.size > 1 else 0.5
    return float(wavelength[first]) - margin, float(wavelength[last]) + margin


def window_over(wavelength: FloatArray, flux: FloatArray, x0: float, x1: float, mode: YMode = "robust") -> Window:
    """Return the window over [x0, x1) whose flux range follows ``mode`` for the pixels of ``flux`` inside."""
    start, stop = np.searchsorted(wavelength, (x0, x1))
    shown = flux[start:stop]
    shown = shown[np.isfinite(shown)]
    if shown.size == 0:
        return Window(x0, x1, 0.0, 1.0)
    if mode == "full":
        bottom, top = float(shown.min()), float(shown.max())
    else:
        bottom, top = (float(value) for value in np.percentile(shown, _ROBUST))
        top = max(top, min(_highest_line(shown), top + _RAISED * (top - bottom)))
        if 0.0 < bottom <= _NEAR_ZERO * top:
            bottom = 0.0
    if mode == "zero":
        bottom, top = 0.0, max(top, 0.0)
    if mode == "log":
        bottom, top = min(bottom, 0.0), float(shown.max())
    span = top - bottom
    if not span > max(_LEVEL * max(abs(top), abs(bottom)), _NOTHING):
        span = abs(top) if abs(top) > _NOTHING else 1.0
        bottom, top = bottom - 0.5 * span, top + 0.5 * span
    top += _HEAD_ROOM * span
    if mode != "zero":
        bottom -= _FOOT_ROOM * span
    if mode == "log":
        # The typical flux is where the scale bends: noise about zero stays linear, lines are compressed.
        typical = float(np.median(np.abs(shown)))
        soft = typical if typical > 1e-6 * span else 0.1 * span
        return Window(x0, x1, bottom, top, "asinh", soft)
    return Window(x0, x1, bottom, top)


def _highest_line(shown: FloatArray) -> float:
    """Return the greatest running median."""
    if shown.size < _LINE_PIXELS:
        return float(np.median(shown))
    return float(np.median(np.lib.stride_tricks.sliding_window_view(shown, _LINE_PIXELS), axis=1).max())


def zoomed(
    current: tuple[float, float], full: tuple[float, float], centre: float, factor: float
) -> tuple[float, float]:
    """Return [x0, x1) ``factor`` times as wide about ``centre``, never wider than ``full`` nor below 2 Å."""
    width = min(max((current[1] - current[0]) * factor, 2.0), full[1] - full[0])
    # The point under the cursor keeps its place on the screen, so the eye need not search for it.
    share = (centre - current[0]) / (current[1] - current[0])
    share = share if 0.0 <= share <= 1.0 else 0.5
    return panned((centre - share * width, centre + (1 - share) * width), full, 0.0)


def panned(current: tuple[float, float], full: tuple[float, float], share: float) -> tuple[float, float]:
    """Return ``current`` moved by ``share`` of its width, stopped at the ends of ``full``."""
    width = current[1] - current[0]
    start = current[0] + share * width
    start = min(max(start, full[0]), max(full[1] - width, full[0]))
    return start, start + width
