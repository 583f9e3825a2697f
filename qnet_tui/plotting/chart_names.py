"""Where the names of curves go: at the end of each curve, never over one another, shortened when there is no room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qnet_tui.plotting.canvas import Charset, Ink

# Shorter than this a name says nothing.
_SHORTEST = 3

# What it costs to cover a cell of a curve, and to move a name by a row.
_COVERING, _MOVING = 3.0, 1.0


@dataclass(frozen=True)
class CurveName:
    """``text`` of a curve that ends in cell (``row``, ``column``) of the canvas; ``faint`` ones give way to others.

    ``begin`` is the cell (row, column) of the curve's first point, where the name may stand if its end is crowded.
    """

    text: str
    row: int
    column: int
    ink: Ink
    faint: bool = False
    begin: tuple[int, int] | None = None


@dataclass(frozen=True)
class PlacedText:
    """``text`` from cell (``row``, ``start``) on."""

    row: int
    start: int
    text: str
    ink: Ink


def margin_for(names: Sequence[tuple[str, float]], columns: int) -> int:
    """Return how many of ``columns`` to leave free right of the canvas.

    ``names`` are (name, share of the canvas' width at which its curve ends, 0 to 1).
    """
    needed = 0.0
    for text, share in names:
        share = 1.0 if share > 1 - 4 / columns else share  # its name will stand beyond the edge
        if text and share > 0:
            # The canvas is columns - margin wide; the name starts two cells after the end of its curve.
            needed = max(needed, columns - (columns - 2 - len(text)) / share)
    return min(max(0, int(np.ceil(needed))), max(columns // 4, min(8, columns // 3)))


def shortened(texts: Sequence[str], width: int, charset: Charset) -> list[str]:
    """Cut ``texts`` to ``width``: at the end, or in the middle where they would be the same; "" below 3 characters."""
    mark = "~" if charset == "ascii" else "…"
    if width < _SHORTEST:
        return [""] * len(texts)
    ends = [text if len(text) <= width else text[: width - 1].rstrip() + mark for text in texts]
    if len(set(ends)) == len(set(texts)):
        return ends
    left = (width - 1) // 2
    return [text if len(text) <= width else text[:left] + mark + text[left + 1 - width :] for text in texts]


def place_names(
    names: Sequence[CurveName], taken: NDArray[np.bool_], canvas_columns: int, charset: Charset
) -> list[PlacedText]:
    """Place every name at the end of its curve.

    ``taken`` bool (rows, columns) says which cells show a curve; its columns beyond ``canvas_columns`` are the margin.
    Names of curves that reach the right edge stand in the margin in the order of their ends; others beside their end,
    where they cover least. A name that finds no room is left out.
    """
    rows, columns = taken.shape
    margin = columns - canvas_columns - 1
    names = _distinct(names)
    edge = [name for name in names if margin >= _SHORTEST and name.column >= canvas_columns - 3]
    inside = [name for name in names if name not in edge]
    if len(edge) > rows:  # the faint ones go first
        edge = sorted(edge, key=lambda name: name.faint)[:rows]
    edge.sort(key=lambda name: name.row)
    placed = [
        PlacedText(row, canvas_columns + 1, text, name.ink)
        for name, row, text in zip(
            edge,
            _spread([name.row for name in edge], rows),
            shortened([name.text for name in edge], margin, charset),
            strict=True,
        )
    ]
    free = np.where(taken, _COVERING, 0.0)
    for text in placed:
        _occupy(free, text)
    for name in sorted(inside, key=lambda name: name.faint):
        found = _beside(name, free, charset)
        if found is not None:
            placed.append(found)
            _occupy(free, found)
    return placed


def _distinct(names: Sequence[CurveName]) -> list[CurveName]:
    """Leave out empty names and the second of two equal ones that end beside each other (two strokes of one thing)."""
    kept: list[CurveName] = []
    for name in names:
        near = any(
            name.text == other.text and (name.faint or (name.ink == other.ink and abs(name.row - other.row) <= 1))
            for other in kept
        )
        if name.text.strip() and not near:
            kept.append(replace(name, text=name.text.strip()))
    return kept


def _spread(wanted: Sequence[int], rows: int) -> list[int]:
    """Return different rows nearest to ``wanted`` (rising), in the same order: neighbours are pushed apart evenly."""
    blocks: list[tuple[float, int]] = []  # (first row wanted by the block, number of names)
    for row in wanted:
        first, count = float(row), 1
        while blocks and blocks[-1][0] + blocks[-1][1] > first:
            other, number = blocks.pop()
            # The mean of where each name would have the block begin.
            first = (other * number + (first - number) * count) / (number + count)
            count += number
        blocks.append((first, count))
    out: list[int] = []
    for first, count in blocks:
        begin = max(out[-1] + 1 if out else 0, min(int(np.floor(first + 0.5)), rows - count))
        out.extend(range(begin, begin + count))
    excess = out[-1] - (rows - 1) if out else 0
    for index in range(len(out) - 1, -1, -1):  # whatever was pushed over the lower edge pushes back
        limit = rows - (len(out) - index)
        out[index] = min(out[index], limit) if excess > 0 else out[index]
    return out


def _beside(name: CurveName, free: NDArray[np.float64], charset: Charset) -> PlacedText | None:
    """Find the cheapest place about the end of a curve, or about its beginning, for the whole name or a short one."""
    columns = free.shape[1]
    anchors = [(name.row, name.column, 0.0)] + ([(*name.begin, _MOVING)] if name.begin is not None else [])
    for text in (name.text, *shortened([name.text], max(_SHORTEST + 3, columns // 5), charset)):
        places = [place for anchor in anchors for place in _places(text, anchor, free)]
        if places:
            _, row, start = min(places)
            return PlacedText(row, start, text, name.ink)
    return None


def _places(text: str, anchor: tuple[int, int, float], free: NDArray[np.float64]) -> Iterator[tuple[float, int, int]]:
    """Yield (cost, row, start) of the places for ``text`` within four rows of ``anchor`` (row, column, cost)."""
    rows, columns = free.shape
    row, column, cost = anchor
    size = len(text)
    for shift in range(-4, 5):
        if not 0 <= row + shift < rows:
            continue
        starts = [column + 2, column - size - 1] if abs(shift) <= 1 else [column + 1]
        starts += [column - size // 2, column - size + 1] if shift else []
        for start in starts:
            if start >= 0 and start + size <= columns:
                covered = float(free[row + shift, max(0, start - 1) : start + size + 1].sum())
                total = cost + covered + _MOVING * abs(shift) + (0.5 if start < column else 0.0)
                if np.isfinite(total):
                    yield total, row + shift, start


def _occupy(free: NDArray[np.float64], placed: PlacedText) -> None:
    free[placed.row, max(0, placed.start - 1) : placed.start + len(placed.text) + 1] = np.inf
