"""How far a call is from being another one, and rows that leave early because all their calls are far from that.

A row on which the first four networks agree may still be among the most disputed: agreement alone says little so soon.
That all four are also *sure* of it says more: a spectrum that confuses a committee seldom gets four confident answers
of one kind in a row. How seldom follows exactly from the answers of all networks, for every row that has them: with g
networks of a class that are far from the edge, the share of the orders in which the first n are among these g is
C(g, n) / C(N, n). No promise to any single row follows, so only the calibrated rule uses it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.race.patterns import Floats, Ints, log_factorials

Z_AS_ONE_LOGIT = 0.1
"""A redshift this far from the split weighs as much as a confidence whose logit is 1 from the threshold's."""

FarLooks = tuple[tuple[int, float], ...]
"""After how many networks, and at which margin (the smallest of the calls so far), an agreed row leaves."""


def call_margins(
    c_qso: NDArray[np.floating[Any]], zbest: NDArray[np.floating[Any]], *, c_threshold: float, z_split: float
) -> NDArray[np.float32]:
    """How far each call is from being another one, float32 of the shape of ``c_qso``; 0 where there is no call.

    The distance of the confidence's logit from that of the threshold; of a quasar at most the distance of the redshift
    from the split, 0.1 counting as 1. A confidence of exactly 0 or 1 is infinitely far from the threshold.
    """
    c, z = np.asarray(c_qso, dtype=np.float32), np.asarray(zbest, dtype=np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        sure = np.abs(np.log(c / (1 - c)) - np.float32(np.log(c_threshold / (1 - c_threshold))))
        split = np.abs(z - np.float32(z_split)) / np.float32(Z_AS_ONE_LOGIT)
    margin = np.where(c > float(c_threshold), np.minimum(sure, split), sure)
    return np.where(np.isfinite(c) & np.isfinite(z), margin, np.float32(0)).astype(np.float32, copy=False)


def far_counts(calls: NDArray[np.integer[Any]], margins: NDArray[np.floating[Any]], margin: float) -> Ints:
    """How many networks of each class are farther than ``margin`` from another call, i8 (n, 3).

    ``calls`` (n, N) of 0, 1, 2 (others count nowhere) and ``margins`` (n, N) of one row's networks.
    """
    far = np.asarray(margins) > margin
    return np.stack([np.count_nonzero(far & (calls == k), axis=1) for k in range(3)], axis=1).astype(np.int64)


def all_among(chosen: NDArray[np.integer[Any]], n: int, n_networks: int) -> Floats:
    """Chance that the first ``n`` networks of a random order are all among ``chosen`` ones of ``n_networks``."""
    ln, g = log_factorials(n_networks), np.asarray(chosen, dtype=np.int64)
    left = np.maximum(g - n, 0)
    log_share = ln[g] - ln[left] - ln[n_networks] + ln[n_networks - n]
    return np.asarray(np.where(g >= n, np.exp(log_share), 0.0))


def lost_far(far: FarLooks, calls: NDArray[np.integer[Any]], margins: NDArray[np.floating[Any]]) -> Floats:
    """At most how often, over the orders of the networks, a row leaves for being far at one of the looks, f8 (n,).

    ``calls`` and ``margins`` (n, N) of all networks. Exact for one look; for several the sum over them, which is more.
    """
    n_networks = calls.shape[1]
    lost = np.zeros(len(calls))
    for n, margin in far:
        lost += all_among(far_counts(calls, margins, margin), n, n_networks).sum(axis=1)
    return np.asarray(np.minimum(lost, 1.0))


def most_lost_far(far: FarLooks, finals: NDArray[np.integer[Any]]) -> Floats:
    """The most that :func:`lost_far` can be for final counts (k, 3): as if every call were far, f8 (k,)."""
    lost = np.zeros(len(finals))
    for n, _ in far:
        lost += all_among(finals, n, int(finals[0].sum())).sum(axis=1)
    return np.asarray(np.minimum(lost, 1.0))
