"""A table before anybody knows what it means: columns, rows, and lines that could not be cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qnet_tui.truth.cells import Cell
from qnet_tui.truth.labels import Rejected


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """Columns by name, as many cells in each as there are ``lines``.

    ``names`` are the columns as written. ``lines`` are the line numbers (text) or row numbers (FITS) of
    the rows, from 1. ``rejected`` are rows that have no cells at all. ``column`` reads one column, by its
    position in ``names``; it may raise BadInput. ``extname`` is the name of a FITS table, empty for text.
    """

    names: tuple[str, ...]
    lines: Sequence[int]
    column: Callable[[int], list[Cell]]
    rejected: tuple[Rejected, ...] = ()
    extname: str = ""
    notes: tuple[str, ...] = ()
