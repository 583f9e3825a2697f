"""What the peers of the bench draw: the same spectrum, smoothing, noise and line markers as the label screen.

They get the thinned envelope (two points for every dot column) that makes plotting libraries fastest, or every
pixel with ``raw``; the label screen's answer and small panes are not asked of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qnet_tui.plotting.envelope import envelope
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.ranges import Window, data_range, window_over
from qnet_tui.plotting.smoothing import Trace, smooth
from qnet_tui.workflows.line_marks import line_marks

FloatArray = NDArray[np.float64]
KEYS = {"right": 0.0001, "left": -0.0001, "greater_than_sign": 0.01, "less_than_sign": -0.01}


@dataclass(frozen=True, eq=False)
class PeerSpectrum:
    """One smoothed spectrum, the window that shows it, and the redshift to start from."""

    trace: Trace
    window: Window
    z: float
    raw: bool

    @classmethod
    def read(cls, arguments: Sequence[str]) -> PeerSpectrum:
        """Read ``FILE.npz Z [raw]``; the file has wavelength, flux and ivar (n,)."""
        with np.load(Path(arguments[0])) as stored:
            trace = smooth(stored["wavelength"], stored["flux"], stored["ivar"], 3.0)
        x0, x1 = data_range(trace.wavelength, trace.flux)
        window = window_over(trace.wavelength, trace.flux, x0, x1)
        return cls(trace, window, float(arguments[1]), raw="raw" in arguments[2:])

    def curves(self, columns: int) -> list[tuple[FloatArray, FloatArray]]:
        """Return flux and noise as (x, y) without gaps, clipped to the window, for ``columns`` braille cells."""
        return [self._curve(self.trace.flux, columns), self._curve(self.trace.noise, columns)]

    def _curve(self, flux: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
        window, wave = self.window, self.trace.wavelength
        if self.raw:
            x, y = wave, flux
        else:
            shape = envelope(wave, flux, window.x0, window.x1, 2 * columns)
            edges = np.linspace(window.x0, window.x1, 2 * columns + 1)
            x = np.repeat(0.5 * (edges[:-1] + edges[1:]), 2)
            y = np.column_stack([shape.low, shape.high]).ravel()
        good = np.isfinite(y)
        return x[good], np.clip(y[good], window.y0, window.y1)

    def markers(self, z: float) -> list[Marker]:
        """Return the line markers at ``z``."""
        return line_marks(z, self.window.x0, self.window.x1)
