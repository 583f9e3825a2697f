"""Dots become characters, and cells stay one character wide."""

import unicodedata

import numpy as np
import pytest

from qnet_tui.plotting.canvas import CHARSETS, Cells, Ink, dots_per_cell, dots_to_codes, glyphs


def picture(*rows: str) -> np.ndarray:
    return np.array([[character == "#" for character in row] for row in rows])


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        (("#.", "..", "..", ".."), "⠁"),
        ((".#", ".#", ".#", ".#"), "⢸"),
        (("..", "..", "..", "##"), "⣀"),
        (("##", "##", "##", "##"), "⣿"),
        (("..", "..", "..", ".."), " "),
    ],
)
def test_braille_dots_are_where_unicode_puts_them(rows, shown):
    assert chr(dots_to_codes(picture(*rows), "braille")[0, 0]) == shown


def test_quadrants_and_ascii_keep_the_height_of_a_dot():
    assert chr(dots_to_codes(picture("#.", ".#"), "block")[0, 0]) == "▚"
    assert chr(dots_to_codes(picture("##", "##"), "block")[0, 0]) == "█"
    heights = [chr(dots_to_codes(picture(*rows), "ascii")[0, 0]) for rows in ("#..", ".#.", "..#", "##.", "###")]
    assert heights == ["'", "-", ".", "|", "|"]


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_picture_of_several_cells_keeps_its_order(charset):
    high, wide = dots_per_cell(charset)
    dots = np.zeros((2 * high, 3 * wide), bool)
    dots[:high, wide : 2 * wide] = True
    filled = dots_to_codes(dots, charset) != ord(" ")
    assert filled.tolist() == [[False, True, False], [False, False, False]]


@pytest.mark.parametrize("charset", CHARSETS)
def test_every_glyph_is_one_column_wide(charset):
    for name, glyph in vars(glyphs(charset)).items():
        assert len(glyph) == (3 if name in ("band", "model") else 1), name
        assert not any(unicodedata.east_asian_width(character) in "WF" for character in glyph), name
        if charset == "ascii":
            assert glyph.isascii(), name


def test_text_is_cut_at_the_edges_of_the_cells():
    cells = Cells.blank(2, 6)
    cells.put(0, -2, "abcd", Ink.NAME)
    cells.put(1, 4, "xyz", Ink.AXIS)
    cells.put(5, 0, "nowhere", Ink.AXIS)
    cells.put(0, 9, "nowhere", Ink.AXIS)
    assert cells.text() == ["cd    ", "    xy"]
    assert cells.inks[0].tolist() == [Ink.NAME, Ink.NAME, 0, 0, 0, 0]


def test_pasting_and_copying_leave_the_source_alone():
    small = Cells.blank(1, 2)
    small.put(0, 0, "ab", Ink.FLUX)
    large = Cells.blank(2, 4)
    large.paste(small, 1, 1)
    other = large.copy()
    other.put(1, 1, "zz", Ink.NAME)
    assert (large.rows, large.columns) == (2, 4)
    assert large.text() == ["    ", " ab "]
    assert small.text() == ["ab"]
