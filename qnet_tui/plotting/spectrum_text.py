"""A spectrum as lines of text, for a pipe, a file or a screen reader's buffer."""

from __future__ import annotations

from collections.abc import Sequence

from qnet_tui.plotting.arm_raster import ArmTrace
from qnet_tui.plotting.canvas import Charset
from qnet_tui.plotting.frame_layout import Layout
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.model_raster import Model
from qnet_tui.plotting.ranges import YMode, window_over
from qnet_tui.plotting.smoothing import smooth
from qnet_tui.plotting.spectrum_data import SpectrumData, shown_range
from qnet_tui.plotting.spectrum_frame import framed, with_markers


def data_text(
    data: SpectrumData,
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
    model: Model | None = None,
    arms: bool = False,
) -> list[str]:
    """Draw one spectrum as ``height`` strings of at most ``width`` characters, without colour.

    Masked stretches and missing arms are hatched and named. ``sigma`` smooths with a Gaussian of that many pixels.
    ``markers`` are line markers at observed wavelengths, ``rest_z`` labels the axis in the rest frame of that
    redshift, ``x_range`` are observed wavelengths (Å). ``model`` is drawn over the flux, ``arms`` draws the arms apart.
    """
    trace = smooth(data.wavelength, data.flux, data.ivar, sigma)
    x0, x1 = x_range or shown_range(data)
    window = window_over(trace.wavelength, trace.flux, x0, x1, y_mode)
    layout = Layout(height, width, lanes=2 if markers else 0)
    apart = [ArmTrace(arm.name, smooth(arm.wavelength, arm.flux, arm.ivar, sigma)) for arm in data.arms if arms]
    base = framed(
        trace,
        window,
        layout,
        charset,
        noise=noise,
        rest_z=rest_z,
        sky=sky,
        absent=data.stretches(0.5 * (x1 - x0) / layout.plot_columns),
        overlaps=data.overlaps(),
        arms=apart,
    )
    return [row.rstrip() for row in with_markers(base, window, layout, markers, charset, model=model).text()]
