"""The random tenth: which agreed objects a merger looks at before the others are merged in a batch.

The choice is a hash of the campaign and the object, so that everybody gets the same tenth, on every machine and after
every restart, and nobody can choose it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def random_tenth(campaign: str, objects: Iterable[str]) -> set[str]:
    """Return a tenth of ``objects`` (any text that names one), at least one of them, none of none.

    The number is rounded (212 objects: 21). Adding objects keeps the order of those that were there, so a look that
    was taken is seldom lost.
    """
    known = sorted(set(objects), key=lambda name: (_digest(campaign, name), name))
    return set(known[: max(1, (len(known) + 5) // 10)])


def shuffled(name: str, people: Sequence[T]) -> list[T]:
    """Return ``people`` in an order that depends on the object ``name`` alone: who is A on one is B on another."""
    order = list(people)
    random.Random(_digest("order of votes", name)).shuffle(order)
    return order


def _digest(campaign: str, name: str) -> bytes:
    return hashlib.sha256(f"{campaign}\n{name}".encode()).digest()
