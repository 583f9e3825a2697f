"""The arms of a spectrum, each by itself, over the joined curve.

Outside the overlaps an arm is the joined curve, which takes the arm's colour. Where two arms share pixels each is
written with its own letter, in turn from column to column, so that arms which disagree are seen to, without colour too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qnet_tui.plotting.absence import columns_of
from qnet_tui.plotting.canvas import Cells, Charset, Ink, glyphs
from qnet_tui.plotting.envelope import envelope
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.smoothing import Trace

ARM_INKS = (Ink.BLUE_ARM, Ink.RED_ARM, Ink.INFRARED_ARM)


@dataclass(frozen=True, eq=False)
class ArmTrace:
    """One arm ready to be drawn."""

    name: str
    trace: Trace

    @property
    def letter(self) -> str:
        """Return the sign of the arm."""
        return self.name[:1].lower() or "?"


def draw_arms(
    cells: Cells,
    top: int,
    left: int,
    rows: int,
    columns: int,
    arms: Sequence[ArmTrace],
    overlaps: Sequence[tuple[float, float]],
    window: Window,
    charset: Charset = "braille",
) -> None:
    """Colour the flux by arm, write the arms apart in ``overlaps``, and name them on the axis (the row below)."""
    shown = [arm for arm in arms if arm.trace.wavelength.size]
    inks = cells.inks[top : top + rows, left : left + columns]
    for place, arm in enumerate(shown):
        ink = ARM_INKS[place % len(ARM_INKS)]
        first, stop = columns_of(float(arm.trace.wavelength[0]), float(arm.trace.wavelength[-1]), window, columns)
        part = inks[:, first:stop]
        part[part == Ink.FLUX] = ink
        middle = left + (first + stop) // 2
        # Beside a tick or its label rather than over it.
        for column in range(middle, left + stop):
            if chr(cells.codes[top + rows, column]) == glyphs(charset).horizontal:
                cells.put(top + rows, column, arm.letter.upper(), ink)
                break
    shared = [columns_of(low, high, window, columns) for low, high in overlaps]
    for place, arm in enumerate(shown):
        shape = envelope(arm.trace.wavelength, arm.trace.flux, window.x0, window.x1, columns)
        height = window.height(0.5 * (shape.low + shape.high))
        for first, stop in shared:
            for column in range(first, stop):
                if column % 2 == place % 2 and 0.0 <= height[column] <= 1.0:
                    row = min(int((1.0 - height[column]) * rows), rows - 1)
                    cells.put(top + row, left + column, arm.letter, ARM_INKS[place % len(ARM_INKS)])
