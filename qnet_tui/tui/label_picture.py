"""The drawn half of the label screen: the spectrum and the small panes about single lines, as terminal cells.

What does not move with the redshift (flux, noise, axes) is drawn once per window, size and smoothing and kept; a
key that moves the redshift only lays markers over it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.plotting.arm_raster import ArmTrace
from qnet_tui.plotting.canvas import Cells, Charset, Ink, glyphs
from qnet_tui.plotting.frame_layout import Layout
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.model_raster import Model
from qnet_tui.plotting.ranges import Window, window_over
from qnet_tui.plotting.smoothing import Trace, smooth
from qnet_tui.plotting.spectrum_data import SpectrumData, shown_range
from qnet_tui.plotting.spectrum_frame import framed, with_markers
from qnet_tui.spectral_lines.identification import BY_NAME, NAMEABLE, Nameable
from qnet_tui.spectral_lines.line_list import sky_lines
from qnet_tui.spectral_lines.templates import Template
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.template_overlay import TemplateOverlay
from qnet_tui.workflows.line_marks import line_marks

FloatArray = NDArray[np.float64]

# Half of what a small pane shows when it follows the cursor and no redshift is known, in observed Å.
_CURSOR_REACH = 200.0
# The window of a small pane moves in steps of this share of its width, so that a fine step moves the marker
# through a picture that stands still.
_ANCHOR = 0.5
_STRETCH = 1.05
# Names need a lane of their own, which a low pane cannot spare.
_ROWS_FOR_A_LANE = 9


@dataclass(frozen=True)
class Focus:
    """What a small pane shows: a ``line`` (None: the place of the cursor) and the observed window [low, high) Å."""

    line: Nameable | None
    low: float
    high: float
    centre: float


def focus(moment: Moment, full: tuple[float, float], data: SpectrumData | None = None) -> Focus:
    """Return what the first small pane shows.

    The line that was asked for, else the line that was named, else the nameable line nearest to the cursor at the
    trial redshift that lies in [low, high) Å of ``full`` (and where ``data`` has pixels); without a redshift the place
    of the cursor.
    """
    z, cursor = moment.state.answer.z, moment.state.cursor
    middle = 0.5 * (full[0] + full[1])
    if z is not None:
        asked = moment.view.zoom_line or moment.state.named
        line = BY_NAME.get(asked or "")
        if line is None:
            inside = [each for each in NAMEABLE if _is_there(each, z, full, data)]
            at = middle if cursor is None else cursor
            line = min(inside, key=lambda each: abs(each.rest * (1 + z) - at), default=None)
        if line is not None:
            return _about(line, z, moment.view.depth)
    centre = middle if cursor is None else cursor
    reach = _CURSOR_REACH / 2**moment.view.depth
    low = _anchored(centre, 2 * reach) - reach
    return Focus(None, low, low + 2 * reach, centre)


def other_focuses(
    moment: Moment, full: tuple[float, float], first: Focus, count: int, data: SpectrumData | None = None
) -> list[Focus]:
    """Return what the further small panes show: the most telling lines inside the data, but no window twice."""
    z = moment.state.answer.z
    if z is None or count < 1:
        return []
    order = ("Lyα", "C IV", "C III]", "Mg II", "Hβ", "[O II]", "Hα")
    seen = None if first.line is None else first.line.window
    inside = [BY_NAME[name] for name in order if BY_NAME[name].window != seen]
    inside = [line for line in inside if _is_there(line, z, full, data)]
    return [_about(line, z, moment.view.depth) for line in inside[:count]]


def _is_there(line: Nameable, z: float, full: tuple[float, float], data: SpectrumData | None) -> bool:
    at = line.rest * (1.0 + z)
    return full[0] <= at < full[1] and (data is None or data.has_data(at))


def _about(line: Nameable, z: float, depth: int) -> Focus:
    """Return the window of ``line`` at ``z``, halved ``depth`` times towards the line."""
    low, high = line.window
    at = line.rest * (1.0 + z)
    # The stretch grows with 1 + z in steps: a pane that grew with every step of z would be drawn anew each time.
    width = (high - low) * _STRETCH ** round(math.log(1.0 + z, _STRETCH)) / 2**depth
    # Closer and closer in, the line comes to the middle.
    share = 0.5 + ((line.rest - low) / (high - low) - 0.5) / 2**depth
    start = _anchored(at, width) - share * width
    return Focus(line, start, start + width, at)


def _anchored(at: float, width: float) -> float:
    """Return ``at`` on a comb whose step is the power of two below ``_ANCHOR * width``: a small change keeps it."""
    step = 2.0 ** math.floor(math.log2(_ANCHOR * width))
    return round(at / step) * step


class Picture:
    """The pictures of one spectrum, drawn when asked for and kept."""

    def __init__(self, data: SpectrumData, charset: Charset, templates: Sequence[Template] = ()) -> None:
        """Keep the arrays; nothing is drawn yet. Without ``templates`` there is no model to draw."""
        self.data, self.charset = data, charset
        self.full = shown_range(data)
        self._overlay = TemplateOverlay(data, templates)
        self._traces: dict[tuple[str, float], Trace] = {}
        self._bases: dict[str, tuple[object, Window, Cells]] = {}

    def main(self, moment: Moment, rows: int, columns: int, extra: Sequence[Marker] = ()) -> Cells:
        """Draw the big pane: the spectrum with two lanes of names, or the small pane's line when that is big.

        ``extra`` markers (the ticks of other votes) are laid over it.
        """
        view = moment.view
        low, high = view.window or self.full
        if view.zoom_big:
            here = self._focus(moment)
            low, high = here.low, here.high
        return self._drawn("main", moment, Layout(rows, columns), low, high, extra)

    def small(
        self, moment: Moment, rows: int, columns: int, place: int, count: int, extra: Sequence[Marker] = ()
    ) -> Cells:
        """Draw small pane ``place`` of ``count``: a title row, then the plot; empty when there is no line for it."""
        cells = Cells.blank(rows, columns)
        first = self._focus(moment)
        shown = [first, *other_focuses(moment, self.full, first, count - 1, self.data)]
        if place >= len(shown) or rows < 3 or columns < 8:
            self._title(cells, "")
            return cells
        here = shown[place]
        whole = place == 0 and moment.view.zoom_big
        lanes = 1 if rows >= _ROWS_FOR_A_LANE else 0
        layout = Layout(rows - 1, columns, lanes=lanes, gutter=0)
        low, high = (moment.view.window or self.full) if whole else (here.low, here.high)
        self._title(cells, "spectrum" if whole else self._name(here))
        cells.paste(self._drawn(f"small{place}", moment, layout, low, high, extra), 1, 0)
        return cells

    def model_words(self, moment: Moment) -> str:
        """Say which model is drawn, or why none is; "" when none was asked for."""
        if not moment.view.model:
            return ""
        template = self._overlay.chosen(moment.view.template, moment.state.answer.spectype)
        if template is None:
            return "no templates are here"
        return template.name if moment.state.answer.z is not None else f"{template.name}: needs a redshift"

    def template_names(self) -> tuple[str, ...]:
        """Return the names of the templates, in the order in which a key goes through them."""
        return tuple(template.name for template in self._overlay.templates)

    def column_width(self, moment: Moment, columns: int) -> float:
        """Return the Å of one column of the big pane of ``columns`` cells."""
        low, high = moment.view.window or self.full
        return (high - low) / Layout(2, columns).plot_columns

    def _focus(self, moment: Moment) -> Focus:
        return focus(moment, self.full, self.data)

    def _drawn(
        self, slot: str, moment: Moment, layout: Layout, low: float, high: float, extra: Sequence[Marker] = ()
    ) -> Cells:
        view, state = moment.view, moment.state
        rest_z = state.answer.z if view.rest else None
        key = (layout, low, high, view.smoothing, view.y_mode, view.noise, view.arms, rest_z)
        kept = self._bases.get(slot)
        if kept is None or kept[0] != key:
            trace = self._trace(view.smoothing)
            window = window_over(trace.wavelength, trace.flux, low, high, view.y_mode)
            # A stretch that covers no half column cannot be shown.
            narrowest = 0.5 * (high - low) / layout.plot_columns
            base = framed(
                trace,
                window,
                layout,
                self.charset,
                noise=view.noise,
                rest_z=rest_z,
                sky=[line.rest for line in sky_lines()],
                absent=self.data.stretches(narrowest),
                overlaps=self.data.overlaps(),
                arms=self._arms(view.smoothing) if view.arms else (),
            )
            kept = (key, window, base)
            self._bases[slot] = kept
        markers = [*self._markers(moment, low, high), *extra]
        model = self._model(moment)
        return with_markers(kept[2], kept[1], layout, markers, self.charset, cursor=state.cursor, model=model)

    def _model(self, moment: Moment) -> Model | None:
        answer, view = moment.state.answer, moment.view
        if not view.model or answer.z is None:
            return None
        template = self._overlay.chosen(view.template, answer.spectype)
        return None if template is None else self._overlay.model(template, answer.z, view.smoothing)

    def _markers(self, moment: Moment, low: float, high: float) -> Sequence[Marker]:
        view = moment.view
        return line_marks(
            moment.state.answer.z,
            low,
            high,
            choice=view.lines,
            kind=view.kind,
            lit=self._focus(moment).line,
            plain=self.charset == "ascii",
        )

    def _name(self, here: Focus) -> str:
        unit = "A" if self.charset == "ascii" else "Å"
        if here.line is None:
            return f"at {here.centre:.0f} {unit}"
        name = here.line.plain if self.charset == "ascii" else here.line.name
        return f"{name} at {here.centre:.0f} {unit}"

    def _title(self, cells: Cells, text: str) -> None:
        rule = glyphs(self.charset).horizontal
        cells.put(0, 0, rule * cells.columns, Ink.AXIS)
        if text:
            cells.put(0, 1, f" {text} ", Ink.TITLE)

    def _trace(self, sigma: float) -> Trace:
        return self._smoothed("", self.data.wavelength, self.data.flux, self.data.ivar, sigma)

    def _arms(self, sigma: float) -> tuple[ArmTrace, ...]:
        return tuple(
            ArmTrace(arm.name, self._smoothed(arm.name, arm.wavelength, arm.flux, arm.ivar, sigma))
            for arm in self.data.arms
        )

    def _smoothed(self, name: str, wave: FloatArray, flux: FloatArray, ivar: FloatArray, sigma: float) -> Trace:
        if (name, sigma) not in self._traces:
            self._traces[name, sigma] = smooth(wave, flux, ivar, sigma)
        return self._traces[name, sigma]


def notice(rows: int, columns: int, lines: Sequence[str]) -> Cells:
    """Return cells with ``lines`` in the middle, for when there is no spectrum to draw."""
    cells = Cells.blank(rows, columns)
    top = max((rows - len(lines)) // 2, 0)
    for index, line in enumerate(lines):
        cells.put(top + index, max((columns - len(line)) // 2, 0), line, Ink.TITLE if index == 0 else Ink.AXIS)
    return cells
