"""Orders of the networks, and a race over calls that are known."""

import numpy as np

from qnet_tui.active_learning.race.exact import exact_rule
from qnet_tui.active_learning.race.optimal import evaluations_per_row, masses
from qnet_tui.active_learning.race.orders import network_orders
from qnet_tui.active_learning.race.patterns import Lattice
from qnet_tui.active_learning.race.replay import replay
from qnet_tui.active_learning.race.sound import sound_rule


def test_every_block_has_an_order_of_its_own_whatever_comes_after() -> None:
    seed = np.random.SeedSequence(7)
    orders = network_orders(50, 6, seed)
    assert orders.dtype == np.uint16
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.tile(np.arange(50), (6, 1)))
    assert len({tuple(order) for order in orders.tolist()}) == 6
    np.testing.assert_array_equal(network_orders(50, 3, seed), orders[:3])
    assert not np.array_equal(network_orders(50, 3, np.random.SeedSequence(8)), orders[:3])


def test_orders_are_fair() -> None:
    first = network_orders(10, 4000, np.random.SeedSequence(9))[:, 0]
    assert np.all(np.abs(np.bincount(first, minlength=10) - 400) < 5 * np.sqrt(360))


def test_what_is_asked_is_what_was_foretold() -> None:
    rng = np.random.default_rng(10)
    finals = np.repeat([[30, 0, 0], [27, 2, 1], [10, 10, 10]], [6000, 1500, 500], axis=0)
    calls = np.repeat(np.tile([0, 1, 2], len(finals)), finals.ravel()).reshape(len(finals), 30)
    rule = sound_rule(30, 1.3)
    race = replay(rng.permuted(calls, axis=1), rule)
    lattice = Lattice(30)
    foretold = evaluations_per_row(lattice, rule.drops(lattice), masses(lattice, lattice.mass(finals)))
    assert abs(race.asked.mean() - foretold) < 5 * race.asked.std() / np.sqrt(len(finals))
    assert race.evaluations == race.asked.sum()
    np.testing.assert_array_equal(race.kept, race.asked == 30)


def test_orders_are_followed() -> None:
    calls = np.random.default_rng(11).integers(0, 3, (40, 20))
    orders = np.argsort(np.random.default_rng(12).random((40, 20)), axis=1)
    rule = exact_rule(20, 1.2)
    one = replay(calls, rule, orders)
    other = replay(np.take_along_axis(calls, orders, axis=1), rule)
    np.testing.assert_array_equal(one.asked, other.asked)
