"""Where the names of lines go above a spectrum: two lanes, and no name ever touches another.

Lines are crowded (Ly alpha and N V are 25 Å apart, a few columns of a terminal), so names are placed in the order
of their rank and one that finds no room in either lane is left out; its marker is drawn all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["emission", "absorption", "sky"]

# line: a stroke through the whole height. tick and low tick: one sign near the top of the plot, in the second or the
# third row, for the redshifts of others that are not looked at now.
MarkerStyle = Literal["line", "tick", "low tick"]


@dataclass(frozen=True)
class Marker:
    """A vertical marker: ``name`` as written on the screen, ``wavelength`` observed in Å, ``rank`` 0 = most important.

    ``lit`` is the line that the person has just named. ``extent`` are the observed edges (low, high) Å of a band.
    ``style`` says how it is drawn; a tick is the one character ``sign`` (whose redshift it is: "A", "B").
    """

    name: str
    wavelength: float
    rank: int
    kind: Kind = "emission"
    lit: bool = False
    extent: tuple[float, float] | None = None
    style: MarkerStyle = "line"
    sign: str = ""


@dataclass(frozen=True)
class PlacedName:
    """``text`` in ``lane`` (0 = next to the plot) from column ``start`` on; ``marker`` is its index in the input."""

    lane: int
    start: int
    text: str
    marker: int


def lay_out(
    names: Sequence[str], columns: Sequence[int], ranks: Sequence[int], width: int, lanes: int = 2
) -> list[PlacedName]:
    """Place each name over its column (< 0: not shown) in the first lane that has room.

    Equal inputs give equal outputs. A blank stays between neighbours in a lane. Names are shifted inwards at the
    edges. A name that already stands within its own length (the two lines of a doublet) is not written twice.
    """
    taken: list[list[tuple[int, int, str]]] = [[] for _ in range(lanes)]
    placed: list[PlacedName] = []
    shown = [index for index, column in enumerate(columns) if 0 <= column < width]
    for index in sorted(shown, key=lambda i: (ranks[i], columns[i], i)):
        text = names[index]
        if not text or len(text) > width:
            continue
        start = min(max(columns[index] - (len(text) - 1) // 2, 0), width - len(text))
        stop = start + len(text)
        twin = any(text == other and abs(start - begin) <= len(text) for lane in taken for begin, _, other in lane)
        if twin:
            continue
        for lane, spans in enumerate(taken):
            if all(stop < begin or end < start for begin, end, _ in spans):
                spans.append((start, stop, text))
                placed.append(PlacedName(lane, start, text, index))
                break
    return placed
