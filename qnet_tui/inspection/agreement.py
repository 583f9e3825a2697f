"""How well several people agree on the same objects, each figure with its n and an interval.

Class: observed agreement, Fleiss' kappa (1971, Psych. Bull. 76, 378) and Gwet's AC1 (2008, Br. J. Math. Stat. Psych.
61, 29), which does not collapse where nearly everything is of one class. Quality: Krippendorff's alpha for ordered
values (Content Analysis, 3rd ed., ch. 11). Pairs of people: Cohen's kappa (1960). Redshift: the share of pairs of votes
closer than dz. All are defined for objects with different numbers of votes; an object with one vote says nothing.

Intervals of agreement are 95 % percentiles of a bootstrap over objects, because the pairs of votes on one object are
not independent; the resampling is seeded, so the same votes give the same figures. Shares in which every object counts
once are left to the caller as counts (:class:`Share`), for an interval of counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RESAMPLES = 2000
_SEED = 91701
_CHUNK = 200
QUALITIES = 5


@dataclass(frozen=True)
class Figure:
    """One figure: ``value`` None where it is not defined, its 95 % interval, and ``n`` objects it rests on."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Share:
    """``k`` of ``n``."""

    k: int
    n: int


def class_counts(votes: Sequence[Sequence[str]], classes: Sequence[str]) -> FloatArray:
    """Return (n_objects, n_classes) how many people gave each class; ``votes`` are the classes given to each object."""
    return np.array([[given.count(name) for name in classes] for given in map(list, votes)], dtype=np.float64).reshape(
        len(votes), len(classes)
    )


def observed_agreement(counts: FloatArray) -> Figure:
    """Return the share of pairs of votes on the same object that agree, averaged over objects.

    ``counts`` (n, k): votes on each object for each of k classes.
    """
    counts = _with_pairs(counts)
    return _bootstrapped(counts, lambda weights: _observed(weights, counts))


def fleiss_kappa(counts: FloatArray) -> Figure:
    """Return (P - P_e) / (1 - P_e), P_e from the shares of all votes; undefined when all votes are of one class."""
    counts = _with_pairs(counts)

    def kappa(weights: FloatArray) -> FloatArray:
        shares = weights @ counts
        shares = shares / shares.sum(axis=1, keepdims=True)
        return _beyond_chance(_observed(weights, counts), (shares**2).sum(axis=1))

    return _bootstrapped(counts, kappa)


def gwet_ac1(counts: FloatArray) -> Figure:
    """Return (P - P_e) / (1 - P_e) with P_e = sum p (1 - p) / (k - 1), p the mean over objects of the shares."""
    counts = _with_pairs(counts)

    def ac1(weights: FloatArray) -> FloatArray:
        shares = weights @ (counts / counts.sum(axis=1, keepdims=True)) / weights.sum(axis=1, keepdims=True)
        return _beyond_chance(_observed(weights, counts), (shares * (1 - shares)).sum(axis=1) / (counts.shape[1] - 1))

    return _bootstrapped(counts, ac1)


def ordinal_alpha(counts: FloatArray) -> Figure:
    """Return Krippendorff's alpha of ordered values, 1 - D_o / D_e; undefined when all votes have the same value.

    ``counts`` (n, k): votes on each object for each of k values in their order. The difference of two values is the
    square of how many votes lie between them, half of those at the ends counted.
    """
    counts = _with_pairs(counts)
    per_object = np.einsum("ni,nj->nij", counts, counts)
    diagonal = np.arange(counts.shape[1])
    per_object[:, diagonal, diagonal] -= counts
    per_object /= (counts.sum(axis=1) - 1)[:, None, None]

    def alpha(weights: FloatArray) -> FloatArray:
        pairs = np.tensordot(weights, per_object, axes=1)
        totals = pairs.sum(axis=2)
        n = totals.sum(axis=1)
        up_to = np.cumsum(totals, axis=1)
        middle = up_to - totals / 2
        distance = (middle[:, :, None] - middle[:, None, :]) ** 2
        observed = (pairs * distance).sum(axis=(1, 2))
        expected = (totals[:, :, None] * totals[:, None, :] * distance).sum(axis=(1, 2)) / (n - 1)
        return 1 - _ratio(observed, expected)

    return _bootstrapped(counts, alpha)


def close_pairs(redshifts: Sequence[Sequence[float]], limit: float) -> Figure:
    """Return the share of pairs of redshifts on the same object with |z1 - z2| / (1 + min) < ``limit``."""
    close, pairs = [], []
    for given in redshifts:
        apart = [abs(a - b) / (1 + min(a, b)) for a, b in combinations(given, 2)]
        if apart:
            pairs.append(len(apart))
            close.append(sum(each < limit for each in apart))
    near, all_pairs = np.array(close, dtype=np.float64), np.array(pairs, dtype=np.float64)
    return _bootstrapped(near[:, None], lambda weights: _ratio(weights @ near, weights @ all_pairs))


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> Figure:
    """Return Cohen's kappa of two people over the objects both voted on; undefined when both always say the same."""
    names = sorted({*first, *second})
    a, b = class_counts([[one] for one in first], names), class_counts([[one] for one in second], names)

    def kappa(weights: FloatArray) -> FloatArray:
        n = weights.sum(axis=1)
        same = weights @ (a * b).sum(axis=1) / n
        chance = ((weights @ a) * (weights @ b)).sum(axis=1) / n**2
        return _beyond_chance(same, chance)

    return _bootstrapped(a, kappa)


def _with_pairs(counts: FloatArray) -> FloatArray:
    several: FloatArray = counts[counts.sum(axis=1) >= 2]
    return several


def _observed(weights: FloatArray, counts: FloatArray) -> FloatArray:
    votes = counts.sum(axis=1)
    agreeing = (counts * (counts - 1)).sum(axis=1) / (votes * (votes - 1))
    mean: FloatArray = weights @ agreeing / weights.sum(axis=1)
    return mean


def _beyond_chance(observed: FloatArray, chance: FloatArray) -> FloatArray:
    return _ratio(observed - chance, 1 - chance)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide; NaN where there is nothing to divide by, up to the rounding of the sums."""
    defined = np.abs(below) > 1e-12
    return np.where(defined, above / np.where(defined, below, 1.0), np.nan)


def _bootstrapped(objects: FloatArray, statistic: Callable[[FloatArray], FloatArray]) -> Figure:
    """Return a statistic of all objects with the interval of its resamples.

    ``statistic`` takes weights (m, n), how often each of n objects counts in each of m resamples, and gives (m,).
    Resamples in which it is not defined are left out of the interval.
    """
    n = len(objects)
    if n == 0:
        return Figure(None, None, None, 0)
    value = float(statistic(np.ones((1, n)))[0])
    if not np.isfinite(value):
        return Figure(None, None, None, n)
    rng = np.random.default_rng(_SEED)
    drawn = []
    for _ in range(RESAMPLES // _CHUNK):
        # How often each object was drawn in each resample; counting draws is far quicker than multinomial numbers.
        places = rng.integers(n, size=(_CHUNK, n)) + n * np.arange(_CHUNK)[:, None]
        weights = np.bincount(places.ravel(), minlength=_CHUNK * n).reshape(_CHUNK, n).astype(np.float64)
        drawn.append(statistic(weights))
    low, high = np.nanpercentile(np.concatenate(drawn), [2.5, 97.5])
    return Figure(value, float(low), float(high), n)
