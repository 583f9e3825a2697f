"""The sound rule keeps its promise for every final counts, and costs little more than any rule with that promise."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.optimal import evaluations_per_row, masses
from qnet_tui.active_learning.race.patterns import Lattice, pattern_probabilities, patterns_of
from qnet_tui.active_learning.race.replay import replay
from qnet_tui.active_learning.race.rule import OPENING
from qnet_tui.active_learning.race.sound import (
    confused_finals,
    largest_loss,
    least_evaluations,
    nominal_pool,
    one_look_networks,
    sound_rule,
)
from tests.active_learning.race.by_brute_force import all_orders, ever_dropped


@settings(max_examples=8, deadline=None)
@given(st.integers(9, 36), st.floats(0.05, 1.58), st.sampled_from([1e-4, 1e-3, 1e-2, 0.1]))
def test_no_row_at_the_cut_is_lost_more_often_than_promised(n_networks: int, h_low: float, delta: float) -> None:
    rule = sound_rule(n_networks, h_low, delta)
    finals = patterns_of(n_networks)
    lost = rule.loss_probability(finals)
    assert lost[entropy_bits(finals) >= h_low].max(initial=0.0) <= delta + 1e-12
    assert largest_loss(rule)[0] <= delta + 1e-12
    assert all(OPENING <= n < n_networks for n in rule.looks)


def test_counted_out_over_every_order() -> None:
    # 9 networks are few enough to count out; a generous delta, so that something is dropped.
    rule = sound_rule(9, 1.4, 0.2)
    assert 8 in rule.looks
    for final in confused_finals(9, 1.4):
        orders = all_orders(tuple(int(v) for v in final))
        assert ever_dropped(rule, orders).mean() <= 0.2


def test_the_worst_final_in_many_races() -> None:
    rule = sound_rule(60, 1.2, 1e-2)
    promised, worst = largest_loss(rule)
    assert promised > 0.9e-2, "a rule that spends little of delta saves less than it could"
    rng = np.random.default_rng(8)
    calls = rng.permuted(np.tile(np.repeat(np.arange(3), worst), (40_000, 1)), axis=1)
    lost = 1.0 - replay(calls, rule).kept.mean()
    assert abs(lost - promised) < 4 * np.sqrt(promised / 40_000)
    assert lost < 1.2e-2


def test_the_published_bounds_for_two_hundred_networks() -> None:
    # 0.712 nat = 1.027 bit: an agreed row may go at 24 with one look, at 31 when 11 looks share delta.
    assert one_look_networks(200, 1.027, 1e-3) == 24
    assert one_look_networks(200, 1.027, 1e-3 / 11) in (31, 32)
    assert one_look_networks(60, 1.027, 1e-3) == 20


def test_rules_cost_little_more_than_the_bound_allows() -> None:
    lattice = Lattice(60)
    pool = nominal_pool(lattice)
    costs = []
    for h_low in (0.8, 1.027, 1.4):
        rule = sound_rule(60, h_low)
        first = one_look_networks(60, h_low, 1e-3)
        assert first <= rule.first_unanimous_drop <= first + 2
        costs.append(evaluations_per_row(lattice, rule.drops(lattice), pool))
    assert costs == sorted(costs, reverse=True), "a higher cut saves more"


def test_no_sound_rule_is_cheaper_than_what_is_proven() -> None:
    lattice = Lattice(40)
    finals = np.repeat([[40, 0, 0], [37, 2, 1], [20, 15, 5]], [900, 90, 10], axis=0)
    pool = masses(lattice, lattice.mass(finals))
    cost = evaluations_per_row(lattice, sound_rule(40, 1.2).drops(lattice), pool)
    least = least_evaluations(40, 1.2, 1e-3, finals)
    assert 0.95 * cost < least < cost


def test_more_may_be_lost_more_is_saved() -> None:
    lattice = Lattice(40)
    pool = nominal_pool(lattice)
    cost = [
        evaluations_per_row(lattice, sound_rule(40, 1.2, delta).drops(lattice), pool) for delta in (1e-4, 1e-3, 1e-2)
    ]
    assert cost[0] > cost[1] > cost[2]


@pytest.mark.parametrize("n_networks", [9, 16, 30])
def test_without_a_cut_nothing_is_dropped(n_networks: int) -> None:
    assert sound_rule(n_networks, 0.0).looks == ()


def test_a_made_rule_is_kept_and_not_mixed_up(tmp_path: Path) -> None:
    cache = tmp_path / "rules"
    first = sound_rule(24, 1.2, cache=cache)
    again = sound_rule(24, 1.2, cache=cache)
    other = sound_rule(24, 1.2 + 1e-12, cache=cache)
    assert len(list(cache.glob("*.npz"))) == 2
    assert again.looks == first.looks
    assert all(np.array_equal(a, b) for a, b in zip(again.tables, first.tables, strict=True))
    assert other.h_low != first.h_low
    for kept in cache.glob("*.npz"):
        kept.write_bytes(kept.read_bytes()[:100])
    assert sound_rule(24, 1.2, cache=cache).looks == first.looks, "a damaged one is made again"


def test_the_nominal_pool_is_a_pool() -> None:
    lattice = Lattice(40)
    pool = nominal_pool(lattice)
    assert pool.total == pytest.approx(1.0, abs=1e-9)
    agreed = pool.at[40][0] * 3
    assert 0.85 < agreed < 0.95
    back = np.array([[0, 0, 40]])
    assert pattern_probabilities(back, patterns_of(8))[0, 0] == pytest.approx(1.0)
