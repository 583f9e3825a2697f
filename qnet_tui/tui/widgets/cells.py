"""A picture of terminal cells on the screen, of which only the cells that change are sent.

A terminal far away gets a few hundred bytes for a key that moves a marker. Textual resends a touched row from the
left edge of its widget, so the picture is cut into tiles ten columns wide and each is told which of its cells
differ from what it shows.
"""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from qnet_tui.plotting.canvas import Cells, Ink
from qnet_tui.tui.widgets.lean import lean

TILE_COLUMNS = 10


class Tile(Widget, can_focus=False):
    """Columns ``left`` to ``left`` + 10 of the picture of the :class:`CellPane` it belongs to."""

    def __init__(self, pane: CellPane, left: int) -> None:
        """Show nothing until cells come."""
        super().__init__()
        self._pane, self.left = pane, left
        self._cells = Cells.blank(0, 0)

    def show(self, cells: Cells) -> None:
        """Show ``cells``; only rows and columns that differ are drawn again."""
        old, self._cells = self._cells, cells
        if old.codes.shape != cells.codes.shape:
            self.refresh()
            return
        changed = (old.codes != cells.codes) | (old.inks != cells.inks)
        for row in np.flatnonzero(changed.any(axis=1)).tolist():
            columns = np.flatnonzero(changed[row])
            first, last = int(columns[0]), int(columns[-1])
            self.refresh(Region(first, row, last - first + 1, 1))

    def render_line(self, y: int) -> Strip:
        """Return row ``y`` as runs of one ink."""
        if y >= self._cells.rows:
            return Strip.blank(self.size.width, lean(self.rich_style))
        codes, inks = self._cells.codes[y].tolist(), self._cells.inks[y].tolist()
        segments: list[Segment] = []
        start = 0
        for column in range(1, len(codes) + 1):
            if column == len(codes) or inks[column] != inks[start]:
                text = "".join(map(chr, codes[start:column]))
                segments.append(Segment(text, self._pane.style(inks[start])))
                start = column
        strip = Strip(segments, len(codes))
        if len(codes) == self.size.width:
            return strip  # Textual works a widget's own style out anew for every row: more than half of all the time.
        return strip.adjust_cell_length(self.size.width, lean(self.rich_style))


class CellPane(Horizontal, can_focus=False):
    """A picture as wide as the pane, laid out in tiles."""

    COMPONENT_CLASSES = {f"cell--{ink.name.lower()}" for ink in Ink}  # noqa: RUF012 - Textual reads it so

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        """Make a pane; :meth:`show` fills it."""
        super().__init__(id=id)
        self._shown = Cells.blank(0, 0)

    @property
    def text(self) -> list[str]:
        """The rows that are shown, as strings."""
        return self._shown.text()

    def style(self, ink: int) -> Style:
        """Return the style of an ink: here and not in the tiles, so that it is worked out once for all of them."""
        return lean(self.get_component_rich_style(f"cell--{Ink(ink).name.lower()}"))

    def compose(self) -> ComposeResult:
        """Begin without tiles; they come with the first picture."""
        return iter(())

    def show(self, cells: Cells) -> None:
        """Show ``cells``, adding tiles when the picture is wider than any before."""
        self._shown = cells
        tiles = list(self.query_children(Tile))
        needed = -(-cells.columns // TILE_COLUMNS)
        if needed > len(tiles):
            more = [Tile(self, index * TILE_COLUMNS) for index in range(len(tiles), needed)]
            self.mount_all(more)
            tiles += more
        for tile in tiles:
            columns = min(TILE_COLUMNS, cells.columns - tile.left)
            tile.display = columns > 0
            if columns > 0:
                if tile.styles.width is None or tile.styles.width.value != columns:
                    tile.styles.width = columns
                part = slice(tile.left, tile.left + columns)
                tile.show(Cells(cells.codes[:, part], cells.inks[:, part]))
