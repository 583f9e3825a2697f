"""How long a person was really at work on an item, and how long the rest will take at that pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# A pause longer than this is a telephone call: it counts as this much.
IDLE_CAP_S = 30.0
_LAST = 20


@dataclass(frozen=True)
class ActiveTime:
    """Seconds at work, from the times of key presses; a gap counts ``IDLE_CAP_S`` at most."""

    seconds: float = 0.0
    last: float | None = None

    def touched(self, now: float) -> ActiveTime:
        """Count the time since the last key; ``now`` in seconds of any clock that only goes forward."""
        gap = 0.0 if self.last is None else min(max(now - self.last, 0.0), IDLE_CAP_S)
        return ActiveTime(self.seconds + gap, now)


def usual_seconds(active: Sequence[float]) -> float | None:
    """Return the median of the last 20 items' active seconds, None before the third."""
    return float(median(active[-_LAST:])) if len(active) >= 3 else None


def duration_words(seconds: float) -> str:
    """Write a duration as a person would: "40 s", "27 min", "3 h 10 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 10 else f"{hours} h"
