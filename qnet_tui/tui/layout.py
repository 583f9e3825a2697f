"""How many rows and columns each part of a screen with a spectrum gets at a given size of the terminal."""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST = (80, 24)
HEADER_ROWS, HINT_ROWS = 2, 1


@dataclass(frozen=True)
class Panes:
    """Sizes in cells: the spectrum over the full width; below it a pane of words and ``zooms`` small panes."""

    spectrum_rows: int
    lower_rows: int
    text_columns: int
    zoom_columns: int
    zooms: int


def panes_for(columns: int, rows: int) -> Panes:
    """Share out a terminal of at least 80 x 24 for the label screen or the file viewer.

    The spectrum always has more than half of the rows. The lower third grows with the screen, and a wide one has room
    for two or three small panes side by side.
    """
    lower = min(max(7, round(0.29 * rows)), 16)
    answer = 44 if columns < 100 else 52
    zooms = 1 if columns < 130 else 2 if columns < 180 else 3
    # One blank column stands before every small pane.
    zoom = (columns - answer) // zooms - 1
    return Panes(rows - HEADER_ROWS - HINT_ROWS - lower, lower, answer, zoom, zooms)
