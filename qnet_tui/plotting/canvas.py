"""Terminal cells as arrays, and how a picture of small dots becomes characters.

A picture is drawn on a boolean grid that is finer than the terminal's cells; a charset says how many dots one
cell holds and which character shows a given set of them. Colour never enters here: every cell carries a style
*code* (:class:`Ink`) and the face decides what a code looks like, so that one picture serves a colour terminal,
``NO_COLOR``, plain text and a test.
"""

from __future__ import annotations

import locale
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput

Charset = Literal["braille", "block", "ascii"]
CHARSETS: tuple[Charset, ...] = ("braille", "block", "ascii")

BoolArray = NDArray[np.bool_]
Codes = NDArray[np.uint32]
Inks = NDArray[np.uint8]

SPACE = ord(" ")


class Ink(IntEnum):
    """What a cell shows; the face maps each to a style."""

    BLANK = 0
    FLUX = 1
    NOISE = 2
    EMISSION = 3
    ABSORPTION = 4
    SKY = 5
    LIT = 6
    NAME = 7
    AXIS = 8
    CLIPPED = 9
    CURSOR = 10
    TITLE = 11
    MODEL = 12
    ABSENT = 13
    OVERLAP = 14
    TICK = 15
    BLUE_ARM = 16
    RED_ARM = 17
    INFRARED_ARM = 18
    CURVE_1 = 19
    CURVE_2 = 20
    CURVE_3 = 21
    CURVE_4 = 22
    CURVE_5 = 23
    CURVE_6 = 24
    FAINT = 25
    BAND = 26
    MARK = 27
    SHADE_1 = 28
    SHADE_2 = 29
    SHADE_3 = 30
    SHADE_4 = 31
    FAINT_1 = 32
    FAINT_2 = 33
    FAINT_3 = 34
    FAINT_4 = 35
    FAINT_5 = 36
    FAINT_6 = 37


# Dots per cell: (rows, columns).
_DOTS: dict[Charset, tuple[int, int]] = {"braille": (4, 2), "block": (2, 2), "ascii": (3, 1)}

# Braille dot numbering of Unicode (U+2800 + bits), row by row, left column then right column.
_BRAILLE_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))

# Quadrant characters by bits: upper left 1, upper right 2, lower left 4, lower right 8.
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"

# One dot keeps its height (apostrophe, dash, full stop); more than one is a stroke.
_ASCII = " '-|.|||"


@dataclass(frozen=True)
class Glyphs:
    """The characters of one charset that are not dots.

    ``model`` are strokes at falling heights within a cell; ``band`` the left end, the middle and the right end of a
    bar; ``hatch``, ``no_data_axis`` and ``overlap_axis`` mark where there is nothing and where two arms share pixels.
    """

    marker: str
    absorption: str
    sky: str
    lit: str
    up: str
    down: str
    cursor_top: str
    cursor_axis: str
    sky_axis: str
    vertical: str
    vertical_tick: str
    horizontal: str
    horizontal_tick: str
    corner: str
    hatch: str
    no_data_axis: str
    overlap_axis: str
    band: str
    model: str


_LINES = Glyphs("┊", "╎", "┆", "│", "▴", "▾", "▾", "▴", "⊕", "│", "┤", "─", "┴", "└", "╱", "╌", "═", "╶─╴", "▔─▁")
_PLAIN = Glyphs(":", ";", "!", "I", "^", "v", "V", "^", "x", "|", "+", "-", "+", "+", "/", ".", "=", "<->", "~=_")


def charset_named(name: str) -> Charset:
    """Return the charset of that name; BadInput for another word."""
    for known in CHARSETS:
        if known == name:
            return known
    raise BadInput(f"there is no charset {name!r}", mend=f"choose {', '.join(CHARSETS)}")


def charset_for(asked: str | None) -> Charset:
    """Return the charset that was asked for; without one, braille where the locale is UTF-8, else ASCII.

    BadInput for a word that names none.
    """
    if asked is not None:
        return charset_named(asked)
    return "braille" if "utf" in locale.getpreferredencoding(False).lower() else "ascii"


def glyphs(charset: Charset) -> Glyphs:
    """Return the strokes and arrows that go with ``charset``."""
    return _PLAIN if charset == "ascii" else _LINES


def dots_per_cell(charset: Charset) -> tuple[int, int]:
    """Return (rows, columns) of dots in one cell of ``charset``."""
    return _DOTS[charset]


@dataclass(frozen=True)
class Cells:
    """A rectangle of terminal cells.

    ``codes`` (rows, columns) uint32 are Unicode code points, all of them one cell wide; ``inks``
    (rows, columns) uint8 are :class:`Ink` codes.
    """

    codes: Codes
    inks: Inks

    @classmethod
    def blank(cls, rows: int, columns: int) -> Cells:
        """Return ``rows`` x ``columns`` empty cells."""
        return cls(np.full((rows, columns), SPACE, np.uint32), np.zeros((rows, columns), np.uint8))

    @property
    def rows(self) -> int:
        """Height in cells."""
        return int(self.codes.shape[0])

    @property
    def columns(self) -> int:
        """Width in cells."""
        return int(self.codes.shape[1])

    def copy(self) -> Cells:
        """Return cells that may be written on without changing these."""
        return Cells(self.codes.copy(), self.inks.copy())

    def put(self, row: int, column: int, text: str, ink: Ink) -> None:
        """Write ``text`` from (row, column) rightwards; what would fall outside is left out."""
        if not 0 <= row < self.rows:
            return
        start = max(0, column)
        shown = text[start - column : self.columns - column] if column < self.columns else ""
        if shown:
            self.codes[row, start : start + len(shown)] = [ord(character) for character in shown]
            self.inks[row, start : start + len(shown)] = ink

    def paste(self, other: Cells, row: int, column: int) -> None:
        """Copy ``other`` with its upper left corner at (row, column); it must fit."""
        self.codes[row : row + other.rows, column : column + other.columns] = other.codes
        self.inks[row : row + other.rows, column : column + other.columns] = other.inks

    def text(self) -> list[str]:
        """Return the rows as strings, as wide as the cells."""
        return ["".join(map(chr, row)) for row in self.codes.tolist()]


def dots_to_codes(dots: BoolArray, charset: Charset) -> Codes:
    """Turn a dot picture (rows * dot rows, columns * dot columns) into characters (rows, columns) uint32.

    A cell without dots is a plain space: the empty braille cell U+2800 shows its dots in some fonts.
    """
    high, wide = _DOTS[charset]
    rows, columns = dots.shape[0] // high, dots.shape[1] // wide
    grid = dots.reshape(rows, high, columns, wide)
    weights = _weights(charset)
    bits = (grid * weights[None, :, None, :]).sum(axis=(1, 3)).astype(np.intp)
    codes: Codes = _table(charset)[bits]
    return codes


def merged(one: Codes, other: Codes, charset: Charset) -> Codes:
    """Return the characters that show the dots of both, cell by cell; in ASCII ``one`` where it is not a space.

    Both hold spaces and characters that :func:`dots_to_codes` makes.
    """
    if charset == "braille":
        # A braille character's code is 0x2800 and its dots as bits; a space stands for none.
        dots = np.where(one == SPACE, 0, one) | np.where(other == SPACE, 0, other)
        return np.where(dots == 0, SPACE, dots).astype(np.uint32)
    if charset == "ascii":
        return np.where(one == SPACE, other, one).astype(np.uint32)
    table = _table(charset)
    order = np.argsort(table)
    bits = [order[np.searchsorted(table, codes, sorter=order)] for codes in (one, other)]
    quadrants: Codes = table[bits[0] | bits[1]]
    return quadrants


@cache
def _weights(charset: Charset) -> NDArray[np.int64]:
    if charset == "braille":
        return np.array(_BRAILLE_BITS, np.int64)
    high, wide = _DOTS[charset]
    return (1 << np.arange(high * wide, dtype=np.int64)).reshape(high, wide)


@cache
def _table(charset: Charset) -> Codes:
    if charset == "braille":
        codes = 0x2800 + np.arange(256, dtype=np.uint32)
        codes[0] = SPACE
        return codes
    shapes: Sequence[str] = _QUADRANTS if charset == "block" else _ASCII
    return np.array([ord(shape) for shape in shapes], np.uint32)
