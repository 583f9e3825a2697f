"""How many rows and columns each part of the merging screen gets at a given size of the terminal."""

from __future__ import annotations

from qnet_tui.tui.layout import HEADER_ROWS, HINT_ROWS, Panes

# Beside the votes: the names of the columns, the pipeline, the proposal, the answer, and a line of advice.
_ROWS_BESIDE_VOTES = 5
_LARGEST_TABLE = 104
_SMALLEST_ZOOM = 36


def merge_panes_for(columns: int, rows: int, votes: int = 3) -> Panes:
    """Share out a terminal of at least 80 x 24 among the spectrum and ``votes`` votes.

    The spectrum always has at least half of the rows, so of many votes some are scrolled away. The table has its 80
    columns first; what a wide screen has beyond them goes to small panes.
    """
    wanted = max(votes + _ROWS_BESIDE_VOTES, min(round(0.29 * rows), 16))
    lower = min(wanted, rows - HEADER_ROWS - HINT_ROWS - (rows + 1) // 2)
    zooms = 0 if columns < 80 + _SMALLEST_ZOOM else 1 if columns < 180 else 2
    table = columns if not zooms else 80 if zooms == 1 else min(_LARGEST_TABLE, columns - zooms * 48)
    # One blank column stands before every small pane.
    zoom = (columns - table) // zooms - 1 if zooms else 0
    return Panes(rows - HEADER_ROWS - HINT_ROWS - lower, lower, table, zoom, zooms)
