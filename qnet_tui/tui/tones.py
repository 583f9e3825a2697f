"""Text in rows, each piece with a tone; the style sheet says what a tone looks like.

Colour never carries meaning alone: what is chosen also stands in brackets, what is missing has a mark before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from rich.cells import cell_len, set_cell_size


class Tone(Enum):
    """What a piece of text is."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    CHOSEN = "chosen"
    MISSING = "missing"
    GOOD = "good"
    WARN = "warn"
    RULE = "rule"


Piece = tuple[str, Tone]
Row = tuple[Piece, ...]


def width(row: Sequence[Piece]) -> int:
    """Return the columns that ``row`` takes."""
    return sum(cell_len(text) for text, _ in row)


def fitted(row: Sequence[Piece], columns: int) -> Row:
    """Return ``row`` cut or filled with blanks to ``columns``; what is cut ends in an ellipsis."""
    pieces: list[Piece] = []
    left = columns
    for text, tone in row:
        size = cell_len(text)
        if size > left:
            if left > 0:
                pieces.append((set_cell_size(text, left - 1) + "…", tone))
            left = 0
            break
        pieces.append((text, tone))
        left -= size
    if left:
        pieces.append((" " * left, Tone.PLAIN))
    return tuple(pieces)


def spread(left: Sequence[Piece], right: Sequence[Piece], columns: int) -> Row:
    """Return ``left`` and ``right`` at the two ends of a row; when they do not fit, ``left`` is cut."""
    room = columns - width(right) - 1
    if room <= 0:
        return fitted(right, columns)
    return fitted((*fitted(left, room), (" ", Tone.PLAIN), *right), columns)


def plain(row: Sequence[Piece]) -> str:
    """Return the text of a row."""
    return "".join(text for text, _ in row)
