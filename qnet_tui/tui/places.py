"""How one gets from one screen of the app to another: a screen ends and says where to, and the next one opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BACK = 100
"""The result with which a screen ends when a person goes back to the home screen."""

Place = Literal["label", "merge", "review", "watch"]


@dataclass(frozen=True)
class Going:
    """Where a person goes from the home screen: as inspector ``code`` ("" for none), to watch ``run`` ("" for any)."""

    place: Place
    code: str = ""
    run: str = ""
