"""Why an object was chosen, in a few words for the people who look at it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.calls import CLASS_NAMES

SPLIT_SHARE = 0.15
"""A class called by fewer networks than this is not named as one of those the committee wavers between."""


def why(counts: NDArray[np.integer[Any]], strategy: str, *, rejected: bool = False) -> str:
    """Say in a few words why an object was chosen, from its calls NOT, LOW-Z, HIGH-Z.

    "3-way split 40/35/25" (in that order of classes), "NOT or LOW-Z 52/48", "mostly HIGH-Z 92 %", and
    "all NOT, unsure" where a rule other than the paper's saw doubt below the threshold of the calls.
    """
    if strategy == "random":
        words = "drawn at random"
    else:
        words = _split(counts)
        if strategy != "entropy" and words.startswith("all "):
            words += ", unsure"
    return f"{words}; rare spectrum" if rejected else words


def _split(counts: NDArray[np.integer[Any]]) -> str:
    total = int(counts.sum())
    if not total:
        return "no network answered"
    percent = _percentages([int(c) for c in counts])
    order = sorted(range(3), key=lambda k: (-int(counts[k]), k))
    named = [k for k in order if counts[k] >= SPLIT_SHARE * total]
    if len(named) == 3:
        return "3-way split " + "/".join(str(p) for p in percent)
    if len(named) == 2:
        return f"{CLASS_NAMES[order[0]]} or {CLASS_NAMES[order[1]]} {percent[order[0]]}/{percent[order[1]]}"
    if counts[order[0]] == total:
        return f"all {CLASS_NAMES[order[0]]}"
    return f"mostly {CLASS_NAMES[order[0]]} {percent[order[0]]} %"


def _percentages(counts: list[int]) -> list[int]:
    """Whole percentages that add up to 100 (the largest remainders are rounded up)."""
    total = sum(counts)
    whole = [100 * c // total for c in counts]
    by_rest = sorted(range(len(counts)), key=lambda k: (-(100 * counts[k] % total), k))
    for k in by_rest[: 100 - sum(whole)]:
        whole[k] += 1
    return whole
