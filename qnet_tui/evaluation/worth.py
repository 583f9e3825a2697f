"""What a label is worth: a way of choosing labels against the same number of labels drawn at random.

All of it is paired: a replica gives both ways the same start and the same test objects, so what is analysed is the
difference within each replica. A label's worth is the number of random labels that does the same, divided by the number
of labels spent: 1 for a way as good as random, 2 for one that needs half the labels. It is read off the mean curve of
random labels, made monotone; where that curve ends, the worth is only known to be at least, or at most, its end. A
measure that random labels do not raise (purity at a fixed threshold often falls) has differences and no worth: NaN.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Censored = Literal["", "at least", "at most"]
Verdict = Literal["pays", "does not pay", "cannot tell"]

SMALLEST_WORTH = 0.05
"""A worth below this is told as "at most" this: its logarithm would drown all others."""

WORTHWHILE = 1.25
"""A way whose worth is surely below this does not pay: a quarter more is what asking by hand may cost in care."""


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """Mean of n values with its interval by Student's t; ``lo`` and ``hi`` are NaN for fewer than two values."""

    mean: float
    lo: float
    hi: float
    n: int


@dataclass(frozen=True, slots=True)
class Worth:
    """Random labels that do the same, per label spent; ``censored`` where the curve of random labels ends before."""

    value: float
    censored: Censored = ""


@dataclass(frozen=True, slots=True)
class LabelWorth:
    """What one way of choosing gave at one number of labels by one measure.

    ``difference`` way - random, paired over the replicas; ``worth`` that of the mean difference, between ``lo`` and
    ``hi``, those of the ends of its interval; ``replicas`` the worth in each replica, ``geometric`` their geometric
    mean with an interval by Student's t on the logarithms (censored ones at their bound: ``censored_above`` and
    ``censored_below`` say how many), ``median`` their median.
    """

    spent: int
    difference: MeanInterval
    worth: Worth
    lo: Worth
    hi: Worth
    replicas: tuple[Worth, ...]
    geometric: MeanInterval
    median: float
    censored_above: int
    censored_below: int
    verdict: Verdict


def student_t(level: float, dof: int) -> float:
    """Two-sided quantile of Student's t: its absolute value is below it with probability ``level``.

    By bisection of the finite series for whole degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4). Raises
    ValueError unless 0 < level < 1 and dof >= 1.
    """
    if not 0.0 < level < 1.0 or dof < 1:
        raise ValueError(f"no quantile of Student's t for level {level} and {dof} degrees of freedom")
    low, high = 0.0, 1.0
    while _within(high, dof) < level:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if _within(middle, dof) < level:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _within(t: float, dof: int) -> float:
    """Probability that the absolute value of Student's t is below ``t``."""
    theta = math.atan(t / math.sqrt(dof))
    cosine, sine = math.cos(theta), math.sin(theta)
    if dof == 1:
        return 2.0 * theta / math.pi
    odd = dof % 2 == 1
    term = total = cosine if odd else 1.0
    for k in range(3 if odd else 2, dof - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2.0 / math.pi * (theta + sine * total) if odd else sine * total


def mean_interval(values: ArrayLike, level: float = 0.95) -> MeanInterval:
    """Mean of values (n,) and its interval by Student's t; NaN values are left out, no value gives NaN."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    n = int(known.size)
    if n == 0:
        return MeanInterval(math.nan, math.nan, math.nan, 0)
    mean = float(known.mean())
    if n == 1:
        return MeanInterval(mean, math.nan, math.nan, 1)
    half = student_t(level, n - 1) * float(known.std(ddof=1)) / math.sqrt(n)
    return MeanInterval(mean, mean - half, mean + half, n)


def rising(values: ArrayLike) -> NDArray[np.float64]:
    """Closest values (n,) that never fall, in least squares: neighbours that do are averaged (isotonic regression)."""
    blocks: list[tuple[float, int]] = []
    for value in np.asarray(values, dtype=np.float64).tolist():
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2:]
            blocks[-2:] = [((a * n + b * m) / (n + m), n + m)]
    return np.repeat([value for value, _ in blocks], [n for _, n in blocks]).astype(np.float64)


def random_labels_for(
    value: float, counts: Sequence[int], curve: NDArray[np.float64], near: float
) -> tuple[float, Censored]:
    """How many random labels give ``value`` on the monotone ``curve`` (m,) over ``counts`` (m,), both rising.

    Linear between its points. Where the curve is flat at the value, the number nearest to ``near`` (the labels spent):
    a flat curve must not make a worth out of nothing. Above its last point the answer is that point's count, "at
    least"; below its first "at most".
    """
    if value > curve[-1]:
        return float(counts[-1]), "at least"
    if value < curve[0]:
        return float(counts[0]), "at most"
    fits: list[tuple[float, float]] = []
    for (n0, v0), (n1, v1) in pairwise(zip(counts, curve.tolist(), strict=True)):
        if v0 <= value <= v1:
            if v1 == v0:
                fits.append((float(n0), float(n1)))
            else:
                at = n0 + (n1 - n0) * (value - v0) / (v1 - v0)
                fits.append((at, at))
    if not fits:  # A curve of one point.
        return float(counts[0]), ""
    return min((min(max(near, a), b) for a, b in fits), key=lambda n: abs(n - near)), ""


def worth_of_labels(
    spent: int,
    counts: Sequence[int],
    random_values: ArrayLike,
    values: ArrayLike,
    level: float = 0.95,
) -> LabelWorth:
    """The worth of ``spent`` labels chosen in some way, over r replicas.

    Args:
        spent: labels that were asked for, one of ``counts``.
        counts: (m,) rising numbers of random labels, 0 (the start) the first.
        random_values: (r, m) the measure of each replica after so many random labels, higher is better.
        values: (r,) the measure after the chosen labels.
        level: coverage of the intervals.

    Raises:
        ValueError: shapes that differ, ``spent`` not among the counts or 0, counts that do not rise.

    """
    table, mine = np.asarray(random_values, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if table.shape != (len(mine), len(counts)) or spent < 1 or spent not in counts:
        raise ValueError(f"{spent} labels, random labels {table.shape} at {len(counts)} counts, values {mine.shape}")
    if any(b <= a for a, b in pairwise(counts)):
        raise ValueError(f"counts of random labels must rise: {list(counts)}")
    known = np.isfinite(mine) & np.isfinite(table).all(axis=1)
    table, mine = table[known], mine[known]
    column = list(counts).index(spent)
    paired = mine - table[:, column]
    difference = mean_interval(paired, level)
    if not len(mine):
        nothing = Worth(math.nan)
        return LabelWorth(
            spent, difference, nothing, nothing, nothing, (), mean_interval([]), math.nan, 0, 0, "cannot tell"
        )
    curve = rising(table.mean(axis=0))

    def worth(gain: float) -> Worth:
        # Where random labels do not raise the measure, no number of them does the same.
        if math.isnan(gain) or curve[-1] <= curve[0]:
            return Worth(math.nan)
        labels, censored = random_labels_for(float(curve[column]) + gain, counts, curve, spent)
        if labels / spent < SMALLEST_WORTH:
            return Worth(SMALLEST_WORTH, "at most")
        return Worth(labels / spent, censored)

    each = tuple(worth(gain) for gain in paired.tolist())
    logs = mean_interval([math.log(one.value) for one in each], level)
    geometric = MeanInterval(math.exp(logs.mean), math.exp(logs.lo), math.exp(logs.hi), logs.n)
    lo, hi = worth(difference.lo), worth(difference.hi)
    return LabelWorth(
        spent=spent,
        difference=difference,
        worth=worth(difference.mean),
        lo=lo,
        hi=hi,
        replicas=each,
        geometric=geometric,
        median=float(np.median([one.value for one in each])),
        censored_above=sum(one.censored == "at least" for one in each),
        censored_below=sum(one.censored == "at most" for one in each),
        verdict=_verdict(difference, hi),
    )


def _verdict(difference: MeanInterval, hi: Worth) -> Verdict:
    """Pays: surely better than random; does not: surely no better, or so little that nobody would take the trouble."""
    if difference.n < 2:
        return "cannot tell"
    if difference.lo > 0:
        return "pays"
    if difference.hi <= 0 or (hi.value < WORTHWHILE and hi.censored != "at least"):
        return "does not pay"
    return "cannot tell"
