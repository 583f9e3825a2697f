"""What a race may have lost, from what it found: valid for any rule, whatever the pool is like.

Every object found at the top has all its calls, so the chance p with which the rule would have lost it is known
exactly. For each one found with that chance, p / (1 - p) such objects are expected to have been lost (Horvitz and
Thompson): the sum over the found is an unbiased estimate of how many of the cut's entropy or more were lost.

Assumed: the order of the networks is random; the cut is taken as given. Of an object with several rows the row with the
highest entropy counts: another row may still save it, so the loss is not understated. Rows of one block share an
order, so losses may come in clumps: the interval supposes the worst, that all of a block's go together. A row that the
rule is sure to drop leaves no trace among the found: ``most_lost`` says how far that is possible above the cut. Where
the rule also looks at margins, a row's chance is taken as the sum of both ways to leave: more than it is, never less.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.race.far import lost_far, most_lost_far
from qnet_tui.active_learning.race.patterns import ENTROPY_TOLERANCE, Lattice
from qnet_tui.active_learning.race.rule import RaceRule, lost_share

TAIL = 0.025


@dataclass(frozen=True)
class RaceCertificate:
    """``found`` objects; ``lost`` expected, its standard error, and a 95 % interval of what was lost.

    ``recall`` = found / (found + lost) with the interval that follows; ``most_lost``: the highest chance of loss of
    any final counts of the rule's h_low or more; ``first_drop``: after how many networks an agreed row leaves;
    ``bound`` = networks / first_drop: what the rule saves at most.
    """

    found: int
    lost: float
    lost_error: float
    lost_interval: tuple[float, float]
    recall: float
    recall_interval: tuple[float, float]
    most_lost: float
    first_drop: int
    bound: float


def certificate(
    rule: RaceRule,
    finals_of_top: NDArray[np.integer[Any]],
    block: NDArray[np.integer[Any]] | None = None,
    calls: NDArray[np.integer[Any]] | None = None,
    margins: NDArray[np.floating[Any]] | None = None,
) -> RaceCertificate:
    """What the race lost of objects like the found ones.

    ``finals_of_top`` (k, 3): all calls of the selected objects' most confused rows. ``block`` (k,): which of them were
    asked in the same order; by default each had its own. ``calls`` and ``margins`` (k, N) of these rows, in any order
    of the networks: wanted when the rule looks at margins.
    """
    lattice = Lattice(rule.n_networks)
    lost_of = lost_share(lattice, rule.drops(lattice))
    finals = np.asarray(finals_of_top, dtype=np.int64).reshape(-1, 3)
    if np.any(finals.sum(axis=1) != rule.n_networks):
        raise ValueError(f"every selected row must have the calls of all {rule.n_networks} networks")
    p = lost_of[lattice.place(finals)]
    if rule.far:
        if calls is None or margins is None:
            raise ValueError("what a rule with looks at margins loses depends on calls and margins")
        p = p + lost_far(rule.far, calls, margins)
        lost_of = np.minimum(lost_of + most_lost_far(rule.far, lattice.patterns[rule.n_networks]), 1.0)
    p = np.minimum(p, 1.0 - 1e-9)
    clump = 1.0
    if block is not None and len(finals):
        together = np.unique(block, return_counts=True)[1]
        clump = float((together**2).sum() / together.sum())
    lost = float((p / (1 - p)).sum())
    error = math.sqrt(clump * float((p**3 / (1 - p) ** 2).sum()))
    low = clump * poisson_quantile(max(lost - 1.96 * error, 0.0) / clump, TAIL)
    high = clump * poisson_quantile((lost + 1.96 * error) / clump, 1.0 - TAIL)
    above = lattice.entropies(rule.n_networks) >= rule.h_low - ENTROPY_TOLERANCE
    k = len(finals)

    def recall(gone: float) -> float:
        return k / (k + gone) if k else 1.0

    return RaceCertificate(
        found=k,
        lost=lost,
        lost_error=error,
        lost_interval=(low, high),
        recall=recall(lost),
        recall_interval=(recall(high), recall(low)),
        most_lost=float(lost_of[above].max(initial=0.0)),
        first_drop=rule.first_unanimous_drop,
        bound=rule.n_networks / rule.first_unanimous_drop,
    )


def poisson_quantile(mean: float, share: float) -> float:
    """The smallest count that a Poisson variable of this mean stays at or below with probability ``share``."""
    if mean <= 0:
        return 0.0
    if mean > 1000:
        z = 1.959964 if share > 0.5 else -1.959964
        return max(0.0, math.ceil(mean + z * math.sqrt(mean)))
    term = below = math.exp(-mean)
    count = 0
    while below < share and count < 10_000:
        count += 1
        term *= mean / count
        below += term
    return float(count)
