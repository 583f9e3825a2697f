"""Where the main lines lie at the redshifts of the votes that are not looked at: small letters above the spectrum."""

from __future__ import annotations

from collections.abc import Sequence

from qnet_tui.plotting.marker_layout import Marker, MarkerStyle
from qnet_tui.spectral_lines.identification import NAMEABLE
from qnet_tui.tui.merge_actions import MergeMoment
from qnet_tui.workflows.merge import VoteLine

# Votes as close as this to the redshift whose lines are drawn say the same: 1 + z within 100 km/s.
_SAME = 100.0 / 299_792.458
_STYLES: tuple[MarkerStyle, ...] = ("tick", "low tick")


def ticks_of_others(votes: Sequence[VoteLine], moment: MergeMoment) -> tuple[Marker, ...]:
    """Return ticks at the nameable lines for every vote whose redshift is not the one that is drawn.

    Their ``sign`` is that of :func:`signs`; the second one and all after it get the lower row.
    """
    if moment.view.lines == "off":
        return ()
    drawn = moment.z
    found: list[Marker] = []
    others = 0
    for vote, sign in zip(votes, signs(votes), strict=True):
        if vote.z is None or (drawn is not None and abs(vote.z - drawn) < _SAME * (1.0 + drawn)):
            continue
        style = _STYLES[min(others, 1)]
        others += 1
        for rank, line in enumerate(NAMEABLE):
            found.append(Marker("", line.rest * (1.0 + vote.z), 60 + rank, style=style, sign=sign))
    return tuple(found)


def signs(votes: Sequence[VoteLine]) -> tuple[str, ...]:
    """Return one character for every vote: the first of its name where that tells them apart, else 1, 2, 3."""
    first = [vote.name[:1] for vote in votes]
    if len(set(first)) == len(first):
        return tuple(first)
    return tuple(str(at % 9 + 1) for at in range(len(votes)))
