"""The calibrated rule keeps what it promises over the rows at the top together, and saves more than the sound one."""

import numpy as np
import pytest
from numpy.random import SeedSequence

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.calibrated import calibrated_rule, estimated_cut, joint_inclusion, pilot_rows
from qnet_tui.active_learning.race.candidates import Candidates, choose_candidates, kth_object_entropy
from qnet_tui.active_learning.race.optimal import best_drops, evaluations_per_row, masses
from qnet_tui.active_learning.race.patterns import Lattice
from qnet_tui.active_learning.race.rule import RaceRule, lost_share
from qnet_tui.active_learning.race.sound import sound_rule
from tests.active_learning.race.by_brute_force import counts_after

N, ROWS, K = 40, 20_000, 100


@pytest.fixture(scope="module")
def pool() -> np.ndarray:
    """Final counts (ROWS, 3): most rows agreed on, a tail of all degrees of confusion."""
    rng = np.random.default_rng(21)
    total = np.where(rng.random(ROWS) < 0.95, 0.03, 1.0)
    weights = rng.standard_gamma(np.repeat(total[:, None] / 3, 3, axis=1)) + 1e-300
    return rng.multinomial(N, weights / weights.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def opened(pool: np.ndarray) -> tuple[Candidates, np.ndarray, float]:
    """Candidates, pilot and h_low of one race of the pool."""
    rng = np.random.default_rng(22)
    calls = np.repeat(np.tile([0, 1, 2], ROWS), pool.ravel()).reshape(ROWS, N)
    chosen = choose_candidates(counts_after(rng.permuted(calls, axis=1), 8), np.arange(ROWS), 6 * K, SeedSequence(23))
    h_low = kth_object_entropy(entropy_bits(pool[chosen.positions]), chosen.positions, K)
    return chosen, pilot_rows(ROWS, SeedSequence(24)), h_low


@pytest.fixture(scope="module")
def rule(pool: np.ndarray, opened: tuple[Candidates, np.ndarray, float]) -> RaceRule:
    chosen, pilot, h_low = opened
    rows = np.union1d(chosen.positions, pilot)
    return calibrated_rule(
        N, h_low, finals=pool[rows], in_pilot=np.isin(rows, pilot), chosen=chosen, pilot_share=len(pilot) / ROWS, k=K
    )


def _top(pool: np.ndarray) -> np.ndarray:
    return pool[np.argsort(-entropy_bits(pool), kind="stable")[:K]]


def test_it_keeps_the_recall_over_the_true_top(pool: np.ndarray, rule: RaceRule) -> None:
    assert rule.kind == "calibrated"
    lost = rule.loss_probability(_top(pool)).mean()
    assert lost <= 1e-3
    assert 0 < rule.delta <= 1e-3


def test_the_raised_cut_stays_below_the_true_one(
    pool: np.ndarray, rule: RaceRule, opened: tuple[Candidates, np.ndarray, float]
) -> None:
    assert opened[2] <= rule.h_low <= np.sort(entropy_bits(pool))[-K]


def test_it_saves_more_than_the_sound_rule(pool: np.ndarray, rule: RaceRule) -> None:
    lattice = Lattice(N)
    bulk = masses(lattice, lattice.mass(pool))
    ours = evaluations_per_row(lattice, rule.drops(lattice), bulk)
    sound = evaluations_per_row(lattice, sound_rule(N, rule.h_low).drops(lattice), bulk)
    assert ours < sound


def test_with_too_little_to_go_on_it_is_the_sound_rule_and_says_so(
    pool: np.ndarray, opened: tuple[Candidates, np.ndarray, float]
) -> None:
    chosen, pilot, h_low = opened
    few = chosen.positions[:40]
    rule = calibrated_rule(
        N, h_low, finals=pool[few], in_pilot=np.zeros(40, dtype=bool), chosen=chosen, pilot_share=len(pilot) / ROWS
    )
    assert rule.kind == "sound"
    assert "too few" in rule.note
    assert rule.looks == sound_rule(N, h_low).looks


def test_the_estimated_cut_is_reached_by_that_many_rows() -> None:
    entropy, weights = np.array([1.5, 1.4, 1.3, 1.2, 0.4]), np.ones(5)
    assert estimated_cut(entropy, weights, 3) == 1.3
    assert estimated_cut(entropy, weights, 9) == 0.0
    # Rows that stand for others count for less than their weight until there are many of them.
    assert estimated_cut(entropy, 2 * weights, 4) < 1.4


def test_the_chance_of_candidate_or_pilot() -> None:
    never = Candidates(np.zeros(0, dtype=np.int64), 8, 2.0, 0.0)
    np.testing.assert_allclose(joint_inclusion(never, np.array([[20, 10, 10]]), 0.02), 0.02)
    assert len(pilot_rows(100, SeedSequence(1))) == 100
    assert len(pilot_rows(10_000_000, SeedSequence(1))) == 5000


def test_the_cheapest_rule_is_cheaper_than_any_other_with_its_loss() -> None:
    # All rules on 5 networks that look at 3 and 4 only, tried out.
    lattice = Lattice(5)
    top = masses(lattice, lattice.mass(np.array([[2, 2, 1], [3, 2, 0]])))
    bulk = masses(lattice, lattice.mass(np.array([[5, 0, 0]] * 20 + [[4, 1, 0]] * 3 + [[2, 2, 1]])))
    price = 6.0

    def cost(drops: dict[int, np.ndarray]) -> float:
        place = lattice.place(np.array([[2, 2, 1], [3, 2, 0]]))
        lost = lost_share(lattice, drops)[place].sum()
        return evaluations_per_row(lattice, drops, bulk) * bulk.total + price * lost

    sizes = [len(lattice.patterns[n]) for n in (3, 4)]
    tried = [
        cost({3: np.array([i >> b & 1 for b in range(sizes[0])], bool),
              4: np.array([j >> b & 1 for b in range(sizes[1])], bool)})
        for i in range(2 ** sizes[0]) for j in range(2 ** sizes[1])
    ]  # fmt: skip
    assert cost(best_drops(lattice, top, bulk, price, 3)) == pytest.approx(min(tried), abs=1e-9)
