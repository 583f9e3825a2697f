"""The sound rule: a row of the cut's entropy or more is lost with probability at most delta, whatever its counts.

No prior is needed for that: the only randomness is the order of the networks, and every rule made here is checked
against ALL final counts of ``h_low`` bits or more, over all looks together, every order counted once.

Among such rules the cheapest is wanted. What a rule costs depends on the pool, so it is designed for a nominal one
(nearly all rows agreed on, a tail of confused ones), fixed beforehand: another pool costs more or less, it loses no
more. The design is the game of Wald: the finals that are hardest to keep are given weights, the cheapest rule for
these weights is found exactly, finals that it loses too often get more weight. The weights also bound from below what
any rule of the same promise costs; what is found lies within 1 to 3 per cent of that.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import lgamma
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.optimal import Drops, Masses, best_drops, evaluations_per_row, masses
from qnet_tui.active_learning.race.patterns import (
    ENTROPY_TOLERANCE,
    Floats,
    Ints,
    Lattice,
    log_factorials,
    multiplicity,
    pattern_probabilities,
    patterns_of,
)
from qnet_tui.active_learning.race.rule import OPENING, RaceRule, lost_share, read_rule, rule_from_drops, write_rule
from qnet_tui.errors import QnetError

VERSION = 3
"""Of the design: a cached rule of another one is not used."""
NOMINAL_POOL = ((0.95, 0.03), (0.05, 1.0))
"""Shares of the pool and, of each, the sum of the parameters of a symmetric Dirichlet distribution of its calls."""
STEPS = 60
FEWEST_ALIVE = 1e-6
"""Patterns that almost no order still reaches are not worth a look."""


def confused_finals(n_networks: int, h_low: float) -> Ints:
    """Every pattern of final counts of ``h_low`` bits or more, i8 (k, 3): what must not be lost."""
    every = patterns_of(n_networks)
    return np.asarray(every[entropy_bits(every) >= h_low - ENTROPY_TOLERANCE])


def one_look_networks(n_networks: int, h_low: float, delta: float) -> int:
    """The first n after which a row on which all agree may be dropped at ``delta`` with a single look.

    ``n_networks`` / n bounds what a sound rule saves: it can stop no row earlier. ``n_networks`` when there is none.
    """
    finals = confused_finals(n_networks, h_low)
    for n in range(1, n_networks):
        if pattern_probabilities(finals, np.array([[0, 0, n]])).max(initial=0.0) <= delta:
            return n
    return n_networks


def sound_rule(n_networks: int, h_low: float, delta: float = 1e-3, cache: Path | None = None) -> RaceRule:
    """The sound rule of a committee of ``n_networks`` for rows of ``h_low`` bits or more.

    It depends on nothing else. ``cache`` is a folder that keeps made rules; it is made when missing. Takes 4 s for 200
    networks, 0.3 s for 60, on one core.
    """
    path = None if cache is None else cache / f"sound-{VERSION}-{n_networks}-{delta!r}-{float(h_low)!r}.npz"
    if path is not None and path.exists():
        # A damaged one is made again.
        with contextlib.suppress(QnetError):
            return read_rule(path)
    lattice = Lattice(n_networks)
    game = _Game.of(lattice, h_low, delta)
    rule = rule_from_drops("sound", n_networks, h_low, delta, game.filled_up(game.cheapest()))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_rule(path, rule)
    return rule


def least_evaluations(n_networks: int, h_low: float, delta: float, finals: NDArray[np.integer[Any]]) -> float:
    """Evaluations per row that any rule with the promise of a sound one needs on a pool: a proven lower bound.

    For rules that count calls, look from the opening on, and may toss coins. ``finals`` (k, 3): final counts of all
    rows of the pool; what they are no rule knows beforehand.
    """
    lattice = Lattice(n_networks)
    pool = masses(lattice, lattice.mass(finals) / len(finals))
    return replace(_Game.of(lattice, h_low, delta), pool=pool).least()


def nominal_pool(lattice: Lattice) -> Masses:
    """The pool that sound rules are cheapest for, as shares of the finals."""
    finals, n = lattice.patterns[lattice.n_networks], lattice.n_networks
    ln = log_factorials(n)
    share = np.zeros(len(finals))
    for weight, total in NOMINAL_POOL:
        alpha = total / 3
        rising = np.array([lgamma(k + alpha) - lgamma(alpha) for k in range(n + 1)])
        constant = ln[n] + lgamma(total) - lgamma(total + n)
        share += weight * np.exp(constant + (rising[finals] - ln[finals]).sum(axis=1))
    return masses(lattice, share)


@dataclass(frozen=True, eq=False)
class _Game:
    """The designer wants few evaluations, the opponent chooses the finals that are lost most easily."""

    lattice: Lattice
    pool: Masses
    above: Ints
    """Positions of the finals that must not be lost."""
    ways: Ints
    delta: float

    @classmethod
    def of(cls, lattice: Lattice, h_low: float, delta: float) -> "_Game":
        entropies = lattice.entropies(lattice.n_networks)
        above = np.flatnonzero(entropies >= h_low - ENTROPY_TOLERANCE)
        ways = multiplicity(lattice.patterns[lattice.n_networks])[above]
        return cls(lattice, nominal_pool(lattice), above, ways, delta)

    def opponent(self, log_weights: Floats) -> Masses:
        finals = np.zeros(len(self.lattice.patterns[self.lattice.n_networks]))
        finals[self.above] = np.exp(log_weights) / self.ways
        return masses(self.lattice, finals)

    def losses(self, drops: Drops) -> Floats:
        return np.asarray(lost_share(self.lattice, drops)[self.above])

    def is_sound(self, lost: Floats) -> bool:
        return bool(lost.max(initial=0.0) <= self.delta)

    def cheapest(self) -> Drops:
        """The cheapest sound rule found; the empty one, which asks everything, when there is no other."""
        best: Drops = {}
        least = float(self.lattice.n_networks)
        for weights in self._weights_on_the_way():
            opponent = self.opponent(weights)
            low, high = -1.5, 3.0
            for _ in range(9):
                price = (low + high) / 2
                drops = best_drops(self.lattice, opponent, self.pool, float(np.exp(price)), OPENING)
                if not self.is_sound(self.losses(drops)):
                    low = price
                    continue
                high = price
                cost = evaluations_per_row(self.lattice, drops, self.pool)
                if cost < least:
                    best, least = drops, cost
        return best

    def _weights_on_the_way(self) -> list[Floats]:
        """Weights of the finals, in logarithms, at some steps of their ascent, and the mean of these."""
        kept = [weights for step, (weights, _) in enumerate(self._ascent()) if step >= STEPS // 3 and step % 6 == 0]
        return [*kept, np.mean(kept, axis=0)]

    def _ascent(self) -> Iterator[tuple[Floats, float]]:
        """Weights of the opponent, in logarithms, step by step, each with what it proves that any sound rule costs.

        Whatever the weights: a rule that loses no final more often than delta costs at least the value of the game
        with these weights less delta times their sum (weak duality; rules that toss coins included).
        """
        weights = np.full(len(self.above), np.log(30.0 / self.delta / max(len(self.above), 1)))
        for step in range(STEPS):
            drops = best_drops(self.lattice, self.opponent(weights), self.pool, 1.0, OPENING)
            losses = self.losses(drops)
            cost = evaluations_per_row(self.lattice, drops, self.pool) * self.pool.total
            yield weights, (cost + float(np.exp(weights) @ (losses - self.delta))) / self.pool.total
            weights = weights + np.clip(losses / self.delta - 1.0, -1.0, 1.5) / (1.0 + step / 10.0)

    def least(self) -> float:
        """Evaluations per row that every sound rule needs on the pool."""
        return max(float(OPENING), *(proven for _, proven in self._ascent()))

    def filled_up(self, drops: Drops) -> Drops:
        """Spend what is left of delta: at every look some more patterns, lowest entropy first, while it stays sound."""
        lattice = self.lattice
        finals = lattice.patterns[lattice.n_networks][self.above]
        lost, alive = self.losses(drops), np.ones(1)
        more = {n: drops.get(n, np.zeros(len(lattice.patterns[n]), dtype=bool)).copy() for n in self._looks()}
        for n in range(1, lattice.n_networks):
            alive = lattice.forward(n, alive)
            if n not in more:
                continue
            others = np.flatnonzero(~more[n] & (alive > FEWEST_ALIVE))
            others = others[np.argsort(lattice.entropies(n)[others], kind="stable")][:6]
            for one in others:
                # An upper bound: what is dropped here is no longer there to be dropped later.
                added = pattern_probabilities(finals, lattice.patterns[n][[one]])[:, 0] * alive[one]
                if not self.is_sound(lost + added):
                    break
                more[n][one], lost = True, lost + added
            alive = np.where(more[n], 0.0, alive)
        # Rounding must not decide what is promised.
        return more if self.is_sound(self.losses(more)) else drops

    def _looks(self) -> range:
        return range(OPENING, self.lattice.n_networks)


def largest_loss(rule: RaceRule, h_low: float | None = None) -> tuple[float, NDArray[np.integer[Any]]]:
    """The most that a row of ``h_low`` bits or more (by default the rule's) is lost with, and its final counts (3,)."""
    finals = confused_finals(rule.n_networks, rule.h_low if h_low is None else h_low)
    if not len(finals):
        return 0.0, np.zeros(3, dtype=np.int64)
    lost = rule.loss_probability(finals)
    worst = int(np.argmax(lost))
    return float(lost[worst]), finals[worst]
