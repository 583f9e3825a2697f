"""The lines of the list as markers of a plot: where spectral lines and plotting meet."""

from __future__ import annotations

from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.spectral_lines.identification import Nameable
from qnet_tui.spectral_lines.line_list import KindChoice, Line, LineChoice, lines_in_window, shown_lines


def line_marks(
    z: float | None,
    low: float,
    high: float,
    *,
    choice: LineChoice = "major",
    kind: KindChoice = "both",
    lit: Nameable | None = None,
    plain: bool = False,
) -> list[Marker]:
    """Return markers for the lines that lie in [low, high) Å (observed) at ``z``; none without a redshift.

    ``lit`` is the line to be shown as the named one; ``plain`` writes Greek letters out.
    """
    if z is None:
        return []
    return [
        Marker(
            line.plain if plain else line.name,
            observed,
            line.rank,
            line.kind,
            lit=_is(line, lit),
            extent=None if line.band is None else (line.band[0] * (1.0 + z), line.band[1] * (1.0 + z)),
        )
        for line, observed in lines_in_window(shown_lines(choice, kind), z, low, high)
    ]


def _is(line: Line, lit: Nameable | None) -> bool:
    """Whether ``line`` is the named one; both lines of a doublet are."""
    return lit is not None and line.kind == "emission" and line.name == lit.name and abs(line.rest - lit.rest) < 3.0
