"""Patterns: how n calls of three classes are divided, without saying which class is which.

Entropy does not tell the classes apart, so a race need not: the counts (5, 0, 3) and (0, 3, 5) are the pattern
(0, 3, 5), smallest first. There are about n²/12 patterns of n calls. A :class:`Lattice` holds those of every n up to
the size of the committee and how one more call, or one less, leads from one to the next.

What all of it rests on: the networks are asked in random order. Given a row's counts o after n calls, every order of
these n calls is then equally likely, whatever the other networks will say. So the n-th call was of class k with
probability o_k / n: the walk *back* from o is known without knowing where it will end.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.entropy import entropy_bits

ENTROPY_TOLERANCE = 1e-12
"""Bits. Two entropies closer than this are one; every comparison takes the side that drops less."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def patterns_of(n: int) -> Ints:
    """All patterns of ``n`` calls, i8 (m, 3), smallest <= middle <= largest, ordered by smallest, then middle."""
    return np.array(
        [(a, b, n - a - b) for a in range(n // 3 + 1) for b in range(a, (n - a) // 2 + 1)], dtype=np.int64
    ).reshape(-1, 3)


def multiplicity(patterns: NDArray[np.integer[Any]]) -> Ints:
    """How many different counts (f1, f2, f3) have each pattern: 6, 3 or 1, i8 (m,)."""
    equal = (patterns[:, 0] == patterns[:, 1]).astype(np.int64) + (patterns[:, 1] == patterns[:, 2])
    return np.asarray(np.array([6, 3, 1], dtype=np.int64)[equal])


def log_factorials(n: int) -> Floats:
    """Ln k! for k = 0 … n, f8 (n + 1,)."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1, dtype=np.float64)))])


def pattern_probabilities(finals: NDArray[np.integer[Any]], patterns: NDArray[np.integer[Any]]) -> Floats:
    """Probability that the first n calls show a pattern, given the counts of all N, in random order.

    Multivariate hypergeometric, ``prod C(f_k, o_k) / C(N, n)``, summed over the different counts of each pattern.
    ``finals`` (k, 3) each sum to N, ``patterns`` (m, 3) each sum to n, smallest first. Returns f8 (k, m).
    """
    finals, patterns = np.asarray(finals, dtype=np.int64), np.asarray(patterns, dtype=np.int64)
    if not len(finals) or not len(patterns):
        return np.zeros((len(finals), len(patterns)))
    total, n = int(finals[0].sum()), int(patterns[0].sum())
    ln = log_factorials(total)
    # ln C(f, o) for every f and o; -inf where o > f.
    f, o = np.arange(total + 1)[:, None], np.arange(n + 1)[None, :]
    choose = np.where(o <= f, ln[f] - ln[np.minimum(o, f)] - ln[np.maximum(f - o, 0)], -np.inf)
    all_ways = ln[total] - ln[n] - ln[total - n]
    out = np.zeros((len(finals), len(patterns)))
    for i, j, k in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        ways = choose[finals[:, i]][:, patterns[:, 0]]
        ways = ways + choose[finals[:, j]][:, patterns[:, 1]]
        ways += choose[finals[:, k]][:, patterns[:, 2]]
        out += np.exp(ways - all_ways)
    return out * (multiplicity(patterns) / 6.0)


class Lattice:
    """The patterns of 0 … N calls and the steps between them. Memory: about N³ bytes (8 MB for N = 200)."""

    def __init__(self, n_networks: int) -> None:
        """Make the lattice of a committee of ``n_networks``."""
        self.n_networks = n_networks
        self.patterns = [patterns_of(n) for n in range(n_networks + 1)]
        self._before = [_neighbours(self.patterns[n], -1) for n in range(n_networks + 1)]
        self._after = [_neighbours(self.patterns[n], +1) for n in range(n_networks)]

    def entropies(self, n: int) -> Floats:
        """Entropy in bits of every pattern of ``n`` calls, f8 (m,); 0 where nobody was asked."""
        return np.nan_to_num(entropy_bits(self.patterns[n]), nan=0.0)

    def forward(self, n: int, alive: Floats) -> Floats:
        """From the share of orders still in the race after ``n`` - 1 calls to that after ``n``.

        ``alive`` f8 of the patterns of ``n`` - 1: the share of the orders leading there that were not dropped.
        """
        o = self.patterns[n]
        return np.asarray((o * alive[self._before[n]]).sum(axis=1) / n)

    def backward(self, n: int, later: Floats) -> Floats:
        """From a mass on the counts after ``n`` + 1 calls to the same mass after ``n``.

        ``later`` f8 (…, m') of the patterns of ``n`` + 1, each value that of ONE of the counts with this pattern.
        A mass of finals taken back to n is how these rows look after n calls.
        """
        o = self.patterns[n]
        return np.asarray((later[..., self._after[n]] * ((o + 1) / (n + 1))).sum(axis=-1))

    def place(self, counts: NDArray[np.integer[Any]]) -> Ints:
        """Position of the pattern of each of ``counts`` (m, 3) among those of its sum (all of one sum), i8 (m,)."""
        ordered = np.sort(np.asarray(counts, dtype=np.int64), axis=1)
        return pattern_index(ordered)

    def mass(self, finals: NDArray[np.integer[Any]], weights: Floats | None = None) -> Floats:
        """Rows of known final counts (k, 3) as a mass on the patterns of N, per single counts; for :meth:`backward`."""
        at = self.patterns[self.n_networks]
        total = np.bincount(self.place(finals), weights=weights, minlength=len(at)).astype(np.float64)
        return np.asarray(total / multiplicity(at))


def pattern_index(patterns: NDArray[np.integer[Any]]) -> Ints:
    """Position of each pattern in :func:`patterns_of` of its sum, i8 (m,); sums may differ."""
    p = np.asarray(patterns, dtype=np.int64)
    a, b, n = p[..., 0], p[..., 1], p.sum(axis=-1)
    # Patterns with a smaller smallest count s: sum over s < a of (n - s) // 2 - s + 1.
    # (n - s) // 2 summed over s: pairs of neighbours n - s, n - s - 1 are summed in closed form.
    return _half_sum(n) - _half_sum(n - a) - a * (a - 1) // 2 + a + (b - a)


def _half_sum(n: Ints) -> Ints:
    """Sum of t // 2 over t = 1 … n."""
    return (n // 2) * ((n + 1) // 2)


def _neighbours(patterns: Ints, step: int) -> Ints:
    """Where each pattern leads when one count grows (+1) or shrinks (-1), i8 (m, 3); 0 where a count would be < 0."""
    out = np.empty(patterns.shape, dtype=np.int64)
    for k in range(3):
        moved = patterns.copy()
        moved[:, k] += step
        impossible = moved[:, k] < 0
        moved.sort(axis=1)
        out[:, k] = np.where(impossible, 0, pattern_index(np.where(impossible[:, None], 0, moved)))
    return out
