"""What a race says that it lost is what it lost, on average; the interval holds."""

import numpy as np
import pytest

from qnet_tui.active_learning.entropy import entropy_bits
from qnet_tui.active_learning.race.certificate import certificate, poisson_quantile
from qnet_tui.active_learning.race.orders import network_orders
from qnet_tui.active_learning.race.replay import replay
from qnet_tui.active_learning.race.rule import RaceRule
from qnet_tui.active_learning.race.sound import sound_rule

N = 30


@pytest.fixture(scope="module")
def rule() -> RaceRule:
    """A rule that loses something worth counting."""
    return sound_rule(N, 1.33, 0.2)


def _calls(finals: np.ndarray) -> np.ndarray:
    return np.repeat(np.tile([0, 1, 2], len(finals)), finals.ravel()).reshape(len(finals), N)


FINALS = np.repeat([[18, 8, 4], [16, 8, 6], [12, 10, 8]], [80, 80, 80], axis=0)


def test_the_expected_loss_is_unbiased_and_the_interval_covers(rule: RaceRule) -> None:
    rng = np.random.default_rng(31)
    p = rule.loss_probability(FINALS)
    assert 0.01 < p.max() < 0.6
    said, truth, covered, repeats = [], [], 0, 120
    for _ in range(repeats):
        kept = replay(rng.permuted(_calls(FINALS), axis=1), rule).kept
        mine = certificate(rule, FINALS[kept])
        lost = int((~kept).sum())
        said.append(mine.lost)
        truth.append(lost)
        covered += mine.lost_interval[0] <= lost <= mine.lost_interval[1]
        assert mine.found == kept.sum()
        assert mine.recall_interval[0] <= mine.recall <= mine.recall_interval[1]
    error = np.hypot(np.std(said), np.std(truth)) / np.sqrt(repeats)
    assert abs(np.mean(said) - p.sum()) < 4 * error
    assert abs(np.mean(said) - np.mean(truth)) < 4 * error
    assert covered >= 0.92 * repeats


def test_one_order_for_a_block_widens_the_interval(rule: RaceRule) -> None:
    alone = certificate(rule, FINALS)
    together = certificate(rule, FINALS, np.repeat(np.arange(24), 10))
    assert together.lost == alone.lost
    assert together.lost_interval[1] > alone.lost_interval[1]
    assert together.recall_interval[0] < alone.recall_interval[0]


def test_the_interval_covers_when_a_block_shares_its_order(rule: RaceRule) -> None:
    block = np.arange(len(FINALS)) % 24
    calls = np.random.default_rng(32).permuted(_calls(FINALS), axis=1)
    covered, repeats = 0, 80
    for repeat in range(repeats):
        orders = network_orders(N, 24, np.random.SeedSequence([33, repeat]))[block]
        kept = replay(calls, rule, orders).kept
        low, high = certificate(rule, FINALS[kept], block[kept]).lost_interval
        covered += low <= (~kept).sum() <= high
    assert covered >= 0.92 * repeats


def test_a_sound_race_is_certified_within_its_promise() -> None:
    rule = sound_rule(N, 1.2, 1e-3)
    finals = FINALS[entropy_bits(FINALS) >= 1.2]
    mine = certificate(rule, finals)
    assert mine.lost <= 1.01e-3 * len(finals)
    assert mine.most_lost <= 1e-3
    assert mine.bound == N / mine.first_drop
    assert mine.first_drop == rule.first_unanimous_drop


def test_nothing_found_and_wrong_rows(rule: RaceRule) -> None:
    assert certificate(rule, np.zeros((0, 3), dtype=int)).recall == 1.0
    with pytest.raises(ValueError, match="all 30 networks"):
        certificate(rule, np.array([[10, 10, 9]]))


@pytest.mark.parametrize(
    ("mean", "share", "expected"),
    [(0.0, 0.975, 0), (0.01, 0.975, 0), (1.0, 0.975, 3), (1.0, 0.025, 0), (20.0, 0.5, 20)],
)
def test_quantiles_of_poisson(mean: float, share: float, expected: float) -> None:
    assert poisson_quantile(mean, share) == expected
    assert abs(poisson_quantile(2000.0, 0.975) - 2088) < 2
