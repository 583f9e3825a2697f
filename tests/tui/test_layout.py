"""Sizes: the spectrum has at least half of the rows at every size of the terminal."""

import pytest

from qnet_tui.tui.layout import HEADER_ROWS, HINT_ROWS, panes_for


@pytest.mark.parametrize("rows", range(24, 90, 3))
@pytest.mark.parametrize("columns", range(80, 300, 11))
def test_panes_fill_the_terminal(columns, rows):
    panes = panes_for(columns, rows)
    assert panes.spectrum_rows + panes.lower_rows + HEADER_ROWS + HINT_ROWS == rows
    assert panes.spectrum_rows >= rows / 2
    assert panes.answer_columns + panes.zooms * (panes.zoom_columns + 1) <= columns
    assert panes.zoom_columns >= 30


def test_wide_terminals_get_more_small_panes():
    assert [panes_for(columns, 50).zooms for columns in (80, 120, 150, 200)] == [1, 1, 2, 3]
