"""Rows of text in tones; only rows that change are sent to the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from qnet_tui.tui.tones import Row, Tone, plain
from qnet_tui.tui.widgets.lean import lean


class Rows(Widget, can_focus=False):
    """A pane of text rows, each as wide as the pane."""

    COMPONENT_CLASSES = {f"rows--{tone.value}" for tone in Tone}  # noqa: RUF012 - Textual reads it so

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        """Make an empty pane."""
        super().__init__(id=id)
        self._rows: list[Row] = []

    @property
    def text(self) -> list[str]:
        """The rows that are shown, as strings."""
        return [plain(row) for row in self._rows]

    def show(self, rows: Sequence[Row]) -> None:
        """Show ``rows``; each must be as wide as the pane."""
        old, self._rows = self._rows, list(rows)
        if len(old) != len(self._rows):
            self.refresh()
            return
        for y, (before, after) in enumerate(zip(old, self._rows, strict=True)):
            if before != after:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Return row ``y``."""
        if y >= len(self._rows):
            return Strip.blank(self.size.width, lean(self.rich_style))
        segments = [Segment(text, self._style(tone)) for text, tone in self._rows[y] if text]
        return Strip(segments).adjust_cell_length(self.size.width, lean(self.rich_style))

    def _style(self, tone: Tone) -> Style:
        return lean(self.get_component_rich_style(f"rows--{tone.value}"))
