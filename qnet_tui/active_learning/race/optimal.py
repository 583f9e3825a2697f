"""The cheapest rule for a given loss: the sequential test of Wald and Bayes, solved exactly on the patterns.

Given how often each final count occurs among the rows that must not be lost (the top) and among all rows (the bulk),
and a price for every top row that is lost, the best rule follows backwards from the last network: a pattern is dropped
when the price of the top rows that show it is less than what asking on, with the best rule from there, would cost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.race.patterns import Floats, Lattice, multiplicity

Drops = dict[int, NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Masses:
    """How a population of rows shows after n calls, for every n: one f8 array per n, per single counts."""

    at: tuple[Floats, ...]

    @property
    def total(self) -> float:
        """Rows in all."""
        return float(self.at[0][0])


def masses(lattice: Lattice, finals_mass: Floats) -> Masses:
    """A population after every n, from its mass on the finals (:meth:`Lattice.mass`)."""
    at = [finals_mass]
    for n in range(lattice.n_networks - 1, -1, -1):
        at.append(lattice.backward(n, at[-1]))
    return Masses(tuple(reversed(at)))


def best_drops(lattice: Lattice, top: Masses, bulk: Masses, price: float, first: int) -> Drops:
    """The cheapest rule when a lost row of the ``top`` costs ``price`` evaluations; looks from ``first`` on."""
    n_networks = lattice.n_networks
    later = np.zeros(len(lattice.patterns[n_networks]))
    drops: Drops = {}
    for n in range(n_networks - 1, first - 1, -1):
        asking_on = bulk.at[n] + lattice.backward(n, later)
        losing = price * top.at[n]
        drops[n] = losing < asking_on
        later = np.minimum(losing, asking_on)
    return drops


def evaluations_per_row(lattice: Lattice, drops: Drops, bulk: Masses) -> float:
    """Networks that a row of the ``bulk`` is asked on average."""
    alive, asked = np.ones(1), 0.0
    for n in range(lattice.n_networks):
        if n:
            alive = lattice.forward(n, alive)
        if n in drops:
            alive = np.where(drops[n], 0.0, alive)
        asked += float((multiplicity(lattice.patterns[n]) * bulk.at[n] * alive).sum())
    return asked / bulk.total
