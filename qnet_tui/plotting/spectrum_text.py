"""A spectrum as lines of text, for a pipe, a file or a screen reader's buffer."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from qnet_tui.plotting.canvas import Charset
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.ranges import YMode, data_range, window_over
from qnet_tui.plotting.smoothing import smooth
from qnet_tui.plotting.spectrum_frame import Layout, framed, with_markers


def spectrum_text(
    wavelength: ArrayLike,
    flux: ArrayLike,
    ivar: ArrayLike,
    *,
    width: int = 80,
    height: int = 20,
    sigma: float = 3.0,
    markers: Sequence[Marker] = (),
    sky: Sequence[float] = (),
    rest_z: float | None = None,
    y_mode: YMode = "robust",
    charset: Charset = "braille",
    noise: bool = True,
    x_range: tuple[float, float] | None = None,
) -> list[str]:
    """Draw one spectrum as ``height`` strings of at most ``width`` characters, without colour.

    ``wavelength`` in Å (increasing), ``flux`` and ``ivar`` (n,) in any unit; pixels with ivar 0 are gaps.
    ``sigma`` smooths with a Gaussian of that many pixels. ``markers`` are line markers at observed wavelengths,
    ``rest_z`` labels the axis in the rest frame of that redshift.
    """
    trace = smooth(wavelength, flux, ivar, sigma)
    x0, x1 = x_range or data_range(trace.wavelength, trace.flux)
    window = window_over(trace.wavelength, trace.flux, x0, x1, y_mode)
    layout = Layout(height, width, lanes=2 if markers else 0)
    base = framed(trace, window, layout, charset, noise=noise, rest_z=rest_z, sky=sky)
    drawn = with_markers(base, window, layout, markers, charset) if markers else base
    return [row.rstrip() for row in drawn.text()]
