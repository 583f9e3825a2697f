"""Sizes: the spectrum has at least half of the rows at every size of the terminal."""

import itertools

from qnet_tui.tui.layout import HEADER_ROWS, HINT_ROWS, panes_for


def test_panes_fill_the_terminal():
    for columns, rows in itertools.product(range(80, 300, 7), range(24, 90)):
        panes = panes_for(columns, rows)
        assert panes.spectrum_rows + panes.lower_rows + HEADER_ROWS + HINT_ROWS == rows
        assert panes.spectrum_rows >= rows / 2, (columns, rows)
        assert panes.text_columns + panes.zooms * (panes.zoom_columns + 1) <= columns
        assert panes.zoom_columns >= 30, (columns, rows)


def test_wide_terminals_get_more_small_panes():
    assert [panes_for(columns, 50).zooms for columns in (80, 120, 150, 200)] == [1, 1, 2, 3]
