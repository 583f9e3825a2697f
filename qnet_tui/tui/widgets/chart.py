"""A pane that shows a chart at its own size, drawn again when the size changes."""

from __future__ import annotations

from textual import events

from qnet_tui.plotting.canvas import Cells, Charset
from qnet_tui.plotting.charts import Chart
from qnet_tui.plotting.plotext_charts import draw_chart
from qnet_tui.tui.widgets.cells import CellPane

# Pictures kept: every tab of the review at two sizes.
_KEPT = 24


class ChartPane(CellPane):
    """Holds a :data:`~qnet_tui.plotting.charts.Chart` or nothing.

    A picture is drawn once per chart (the object itself, not its values) and size: going back to a tab costs nothing.
    """

    def __init__(self, *, id: str, charset: Charset = "braille") -> None:  # noqa: A002 - Textual's name
        """Make an empty pane; :meth:`show_chart` fills it."""
        super().__init__(id=id)
        self._charset = charset
        self._chart: Chart | None = None
        # The chart is kept beside its picture, so that its identity is not given to another one.
        self._drawn: dict[tuple[int, int, int], tuple[Chart, Cells]] = {}

    @property
    def chart(self) -> Chart | None:
        """What is shown."""
        return self._chart

    def show_chart(self, chart: Chart | None, size: tuple[int, int] | None = None) -> None:
        """Show ``chart``; None leaves the pane blank.

        ``size`` (columns, rows) is the one that the pane is about to get: it is drawn for that at once, not twice.
        """
        self._chart = chart
        self._draw(size)

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual's signature
        """Draw for the new size."""
        self._draw()

    def _draw(self, size: tuple[int, int] | None = None) -> None:
        columns, rows = size or self.size
        if columns <= 0 or rows <= 0:
            return  # not laid out yet: the first resize draws
        self.show(Cells.blank(rows, columns) if self._chart is None else self._picture(self._chart, columns, rows))

    def _picture(self, chart: Chart, columns: int, rows: int) -> Cells:
        key = (id(chart), columns, rows)
        if key in self._drawn:
            return self._drawn[key][1]
        cells = draw_chart(chart, columns, rows, self._charset)
        while len(self._drawn) >= _KEPT:
            self._drawn.pop(next(iter(self._drawn)))
        self._drawn[key] = (chart, cells)
        return cells
