"""Rows that leave early because they are agreed on by calls far from any other: the margins, and what it loses."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import SeedSequence

from qnet_tui.active_learning.race.calibrated import calibrated_rule, pilot_rows
from qnet_tui.active_learning.race.candidates import choose_candidates, kth_object_entropy
from qnet_tui.active_learning.race.certificate import certificate
from qnet_tui.active_learning.race.far import all_among, call_margins, far_counts, lost_far, most_lost_far
from qnet_tui.active_learning.race.replay import replay
from qnet_tui.active_learning.race.rule import RaceRule, rule_from_drops
from tests.active_learning.race.by_brute_force import counts_after

N = 24
FAR_ONLY = RaceRule("calibrated", 7, (), 1.0, 1e-3, (), far=((2, 1.0),))


def _all_orders_of_seven() -> np.ndarray:
    from itertools import permutations

    return np.array(list(permutations(range(7))))


def test_margins_are_logits_from_the_threshold_and_redshifts_from_the_split() -> None:
    def margin(c: float, z: float) -> float:
        edges = {"c_threshold": 0.5, "z_split": 2.1}
        return float(call_margins(np.float32([c]), np.float32([z]), **edges)[0])

    assert margin(1 / (1 + np.e**2), 2.1) == pytest.approx(2.0, rel=1e-5), "of a star the redshift says nothing"
    assert margin(1 / (1 + np.e**-2), 3.0) == pytest.approx(2.0, rel=1e-5)
    assert margin(1 / (1 + np.e**-2), 2.15) == pytest.approx(0.5, rel=1e-4)
    assert margin(1.0, 2.0) == pytest.approx(1.0, rel=1e-4)
    assert margin(0.0, 2.0) == np.inf
    assert margin(np.nan, 2.0) == margin(0.9, np.nan) == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_what_one_look_loses_is_counted_out_over_every_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    calls, margins = np.sort(rng.choice(3, 7, p=[0.6, 0.3, 0.1])), rng.exponential(2.0, 7)
    orders = _all_orders_of_seven()
    kept = replay(calls[orders], FAR_ONLY, margins=margins[orders]).kept
    expected = lost_far(FAR_ONLY.far, calls[None], margins[None])[0]
    assert (~kept).mean() == pytest.approx(expected, abs=1e-12)
    assert FAR_ONLY.loss_probability(
        np.bincount(calls, minlength=3)[None], calls[None], margins[None]
    )[0] == pytest.approx(expected, abs=1e-12)  # fmt: skip


def test_several_looks_and_patterns_lose_at_most_the_sum() -> None:
    rng = np.random.default_rng(5)
    drops = {3: np.array([True, False, False])}
    rule = replace(rule_from_drops("calibrated", 7, 1.0, 1e-3, drops), far=((2, 2.0), (4, 0.5)))
    orders = _all_orders_of_seven()
    for _ in range(4):
        calls, margins = rng.choice(3, 7, p=[0.7, 0.2, 0.1]), rng.exponential(3.0, 7)
        lost = 1.0 - replay(calls[orders], rule, margins=margins[orders]).kept.mean()
        finals = np.bincount(calls, minlength=3)[None]
        most = rule.loss_probability(finals, calls[None], margins[None])[0]
        # Every way to leave alone loses no more than all of them.
        alone = [lost_far((look,), calls[None], margins[None])[0] for look in rule.far]
        assert max(*alone, replace(rule, far=()).loss_probability(finals)[0]) <= lost + 1e-12
        assert lost <= most + 1e-12
        assert lost_far(rule.far, calls[None], margins[None])[0] <= most_lost_far(rule.far, finals)[0] + 1e-12


def test_only_agreed_rows_of_known_margins_leave() -> None:
    counts, nearest = np.array([[2, 0, 0], [2, 0, 0], [1, 1, 0], [1, 0, 0]]), np.array([1.5, 0.5, 1.5, 1.5])
    np.testing.assert_array_equal(FAR_ONLY.dropped(2, counts, nearest), [True, False, False, False])
    assert not FAR_ONLY.dropped(2, counts).any()
    assert FAR_ONLY.moments == (2,)
    with pytest.raises(ValueError, match="does not look"):
        FAR_ONLY.dropped(3, counts, nearest)
    with pytest.raises(ValueError, match="depends on calls and margins"):
        FAR_ONLY.loss_probability(np.array([[7, 0, 0]]))


def test_the_share_of_orders_that_begin_with_chosen_networks() -> None:
    np.testing.assert_allclose(all_among(np.array([5, 2, 1, 0]), 2, 5), [1.0, 0.1, 0.0, 0.0])
    assert far_counts(np.array([[0, 0, 1, -1]]), np.array([[3.0, 1.0, 9.0, 9.0]]), 2.0).tolist() == [[1, 1, 0]]


@pytest.fixture(scope="module")
def pool() -> tuple[np.ndarray, np.ndarray]:
    """Calls and margins (rows, N): agreed rows are far, disputed ones near, in the order asked."""
    rng = np.random.default_rng(51)
    total = np.where(rng.random(20_000) < 0.95, 0.03, 1.0)
    weights = rng.standard_gamma(np.repeat(total[:, None] / 3, 3, axis=1)) + 1e-300
    shares = weights / weights.sum(axis=1, keepdims=True)
    calls = (rng.random((20_000, N))[:, :, None] > np.cumsum(shares, axis=1)[:, None]).sum(axis=2)
    calls = np.minimum(calls, 2).astype(np.int8)
    sure = np.take_along_axis(shares, calls.astype(np.int64), axis=1)
    return calls, np.abs(rng.normal(6 * sure**2, 1.0))


def test_a_calibrated_rule_with_margins_keeps_its_recall_and_asks_less(pool: tuple[np.ndarray, np.ndarray]) -> None:
    calls, margins = pool
    n, k = len(calls), 120
    finals, keys = counts_after(calls, N), np.arange(n)
    disputed = (calls[:, :4] != calls[:, :1]).any(axis=1)
    opened = np.where(disputed[:, None], counts_after(calls, 12), counts_after(calls, 4))
    chosen = choose_candidates(opened, keys, 4 * k, SeedSequence(52), 4)
    pilot = pilot_rows(n, SeedSequence(53))
    rows = np.union1d(chosen.positions, pilot)
    from qnet_tui.active_learning.entropy import entropy_bits

    entropy = entropy_bits(finals)
    h_low = kth_object_entropy(entropy[chosen.positions], chosen.positions, k)
    given = {"finals": finals[rows], "in_pilot": np.isin(rows, pilot), "chosen": chosen, "k": k}
    without = calibrated_rule(N, h_low, pilot_share=len(pilot) / n, **given)
    rule = calibrated_rule(N, h_low, pilot_share=len(pilot) / n, calls=calls[rows], margins=margins[rows], **given)
    assert without.far == ()
    assert rule.kind == without.kind == "calibrated"
    assert rule.far
    assert rule.far[0][0] == 4
    assert replay(calls, rule, margins=margins).evaluations < 0.8 * replay(calls, without).evaluations
    top = np.argsort(-entropy, kind="stable")[:k]
    assert rule.loss_probability(finals[top], calls[top], margins[top]).mean() <= 1e-3
    # Several rows of each object: fewer objects than rows are above an entropy, so the cut is lower.
    repeats = np.full(len(rows), 2)
    lower = calibrated_rule(N, 0.0, pilot_share=len(pilot) / n, rows_of_object=repeats, **given)
    assert lower.h_low < calibrated_rule(N, 0.0, pilot_share=len(pilot) / n, **given).h_low


def test_where_margins_say_nothing_no_row_leaves_for_them(pool: tuple[np.ndarray, np.ndarray]) -> None:
    calls, _ = pool
    finals = counts_after(calls, N)
    chosen = choose_candidates(counts_after(calls, 8), np.arange(len(calls)), 600, SeedSequence(54))
    pilot = pilot_rows(len(calls), SeedSequence(55))
    rows = np.union1d(chosen.positions, pilot)
    rule = calibrated_rule(
        N, 1.0, finals=finals[rows], in_pilot=np.isin(rows, pilot), chosen=chosen, pilot_share=len(pilot) / len(calls),
        calls=calls[rows], margins=np.full((len(rows), N), 9.0),
    )  # fmt: skip
    assert rule.kind == "calibrated"
    assert 4 not in dict(rule.far)


def test_the_certificate_says_no_less_than_is_lost(pool: tuple[np.ndarray, np.ndarray]) -> None:
    calls, margins = pool
    finals = counts_after(calls, N)
    from qnet_tui.active_learning.entropy import entropy_bits

    top = np.argsort(-entropy_bits(finals), kind="stable")[:300]
    calls, margins, finals = calls[top], margins[top], finals[top]
    # A rule that loses something worth counting.
    drops = {6: np.array([True, *[False] * 6])}
    rule = replace(rule_from_drops("calibrated", N, 1.0, 0.0, drops), far=((3, 0.5), (5, 0.25)))
    rng = np.random.default_rng(56)
    said, truth, covered = [], [], 0
    for _ in range(60):
        orders = np.argsort(rng.random(calls.shape), axis=1)
        kept = replay(calls, rule, orders, margins).kept
        mine = certificate(rule, finals[kept], calls=calls[kept], margins=margins[kept])
        said.append(mine.lost)
        truth.append(int((~kept).sum()))
        covered += truth[-1] <= mine.lost_interval[1]
    assert np.mean(truth) > 3
    assert np.mean(said) >= np.mean(truth) - 3 * np.std(truth) / np.sqrt(60)
    assert covered >= 0.95 * 60
    assert mine.most_lost >= rule.loss_probability(finals, calls, margins).max()
    with pytest.raises(ValueError, match="depends on calls and margins"):
        certificate(rule, finals)
