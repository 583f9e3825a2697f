"""Where the parts of a framed spectrum lie."""

from __future__ import annotations

from dataclasses import dataclass

from qnet_tui.plotting.axes import GUTTER

# Rows with fewer than this leave the wavelength labels one row, right of their ticks.
_ROWS_FOR_TWO_AXIS_ROWS = 18


@dataclass(frozen=True)
class Layout:
    """Where the parts of a framed spectrum lie in ``rows`` x ``columns`` cells.

    ``gutter`` 0 leaves out the flux axis, ``lanes`` 0 the names of lines.
    """

    rows: int
    columns: int
    lanes: int = 2
    gutter: int = GUTTER

    @property
    def axis_rows(self) -> int:
        """One row of wavelength axis in a low picture, two in a high one."""
        return 2 if self.rows >= _ROWS_FOR_TWO_AXIS_ROWS else 1

    @property
    def plot_rows(self) -> int:
        """Rows of flux."""
        return max(self.rows - self.lanes - self.axis_rows, 1)

    @property
    def plot_columns(self) -> int:
        """Columns of flux."""
        return max(self.columns - self.gutter, 1)
