"""A race run on calls that are all known: what it asks and whom it keeps. For tests and for ``qnet bench race``."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.race.rule import RaceRule


@dataclass(frozen=True, eq=False)
class Replay:
    """How a race went: networks asked for each row, i8 (n,), and who has all calls, bool (n,)."""

    asked: NDArray[np.int64]
    kept: NDArray[np.bool_]

    @property
    def evaluations(self) -> int:
        """Answers of networks in all."""
        return int(self.asked.sum())


def replay(
    calls: NDArray[np.integer[Any]],
    rule: RaceRule,
    orders: NDArray[np.integer[Any]] | None = None,
    margins: NDArray[np.floating[Any]] | None = None,
) -> Replay:
    """Race rows whose calls by all networks are known.

    ``calls`` (n, N) of 0, 1, 2, in the order asked; or with ``orders`` (n, N) each row in its own. ``margins`` (n, N)
    of the calls, for a rule that looks at them.
    """
    n_rows, n_networks = calls.shape
    asked = np.full(n_rows, n_networks, dtype=np.int64)
    alive = np.arange(n_rows)
    counts = np.zeros((n_rows, 3), dtype=np.int64)
    nearest = np.full(n_rows, np.inf if margins is not None else 0.0)
    done = 0
    for n in rule.moments:
        for step in range(done, n):
            at = step if orders is None else orders[alive, step]
            counts[alive, calls[alive, at]] += 1
            if margins is not None:
                nearest[alive] = np.minimum(nearest[alive], margins[alive, at])
        done = n
        out = rule.dropped(n, counts[alive], nearest[alive])
        asked[alive[out]] = n
        alive = alive[~out]
    kept = np.zeros(n_rows, dtype=bool)
    kept[alive] = True
    return Replay(asked, kept)
