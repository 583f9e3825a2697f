import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qnet_tui.active_learning import strategies
from qnet_tui.active_learning.strategies import (
    STRATEGIES,
    StrategySettings,
    class_probabilities,
    score_rows,
    strategy_named,
)
from qnet_tui.errors import BadInput

KEYS = np.arange(1, 4)


def table(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


def score(name: str, c: NDArray[np.float32], z: NDArray[np.float32], **settings: object) -> list[float]:
    keys = np.arange(1, len(c) + 1)
    return STRATEGIES[name].score(c, z, StrategySettings(**settings), keys).tolist()  # type: ignore[arg-type]


def test_the_names() -> None:
    assert list(STRATEGIES) == ["entropy", "entropy-averaged", "bald", "margin", "random"]
    with pytest.raises(BadInput, match="no strategy 'best'; choose one of entropy, entropy-averaged"):
        strategy_named("best")


def test_entropy_of_calls() -> None:
    c = table([0.99, 0.99, 0.1, 0.1], [0.99, 0.99, 0.99, 0.99], [0.99, 0.99, 0.1, 0.1])
    z = table([1, 1, 1, 1], [1, 1, 3, 3], [1, 3, 1, 3])
    assert score("entropy", c, z) == [1.0, 1.0, 1.5]
    assert score("entropy", c, z, c_threshold=0.05, z_split=0.5) == [0.0, 0.0, 0.0]


def test_averaged_entropy_by_hand() -> None:
    # c = 0.55: a quasar at the thresholds 0.1 … 0.5 (5 of the ten); the other network never.
    c, z = table([0.55, 0.05]), table([1.0, 1.0])
    assert score("entropy", c, z) == [0.0]
    assert score("entropy-averaged", c, z) == [pytest.approx(0.5)]
    assert score("entropy-averaged", c, z, thresholds=(0.5, 0.6)) == [pytest.approx(0.5)]
    assert len(StrategySettings().thresholds) == 10


def test_bald_by_hand() -> None:
    c = table([1.0, 0.0], [0.5, 0.5], [1.0, 1.0], [1.0, 0.5])
    z = table([1.0, 1.0], [1.0, 1.0], [1.0, 3.0], [1.0, 1.0])
    mixed = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)) - 0.5
    np.testing.assert_allclose(score("bald", c, z), [1.0, 0.0, 1.0, mixed], atol=1e-9)


def test_margin_by_hand() -> None:
    # mean p: (.5, .5, 0), (0, .5, .5), (.75, .25, 0), (0, 1, 0)
    c = table([0.5, 0.5], [1.0, 1.0], [0.25, 0.25], [1.0, 1.0])
    z = table([1.0, 1.0], [1.0, 3.0], [1.0, 1.0], [1.0, 1.0])
    np.testing.assert_allclose(score("margin", c, z), [1.0, 1.0, 0.5, 0.0], atol=1e-9)


def test_probabilities_of_three_classes() -> None:
    p, answered = class_probabilities(table([0.75, 0.25, np.nan]), table([2.0, 2.1, 1.0]))
    np.testing.assert_allclose(p[:, 0].T, [[0.25, 0.75, 0], [0.75, 0, 0.25], [0, 0, 0]])
    assert answered.tolist() == [[True, True, False]]


def test_random_depends_on_object_and_seed_only() -> None:
    c, z = np.zeros((5000, 1), np.float32), np.zeros((5000, 1), np.float32)
    keys = np.arange(1, 5001)
    rule, settings = STRATEGIES["random"], StrategySettings(seed=3)
    u = rule.score(c, z, settings, keys)
    order = np.random.default_rng(0).permutation(5000)
    np.testing.assert_array_equal(rule.score(c, z, settings, keys[order]), u[order])
    assert (rule.score(c, z, StrategySettings(seed=4), keys) != u).all()
    assert len(np.unique(u)) == 5000
    assert u.min() >= 0
    assert u.max() < 1
    counts, _ = np.histogram(u, bins=10, range=(0, 1))
    # chi2 of 9 degrees of freedom: above 33.7 once in 10,000 draws.
    assert ((counts - 500) ** 2 / 500).sum() < 33.7
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.06


@pytest.mark.parametrize("name", ["entropy", "entropy-averaged", "bald", "margin"])
def test_a_failed_network_is_as_if_it_were_not_there(name: str) -> None:
    rng = np.random.default_rng(1)
    c, z = rng.random((40, 6)).astype(np.float32), (4 * rng.random((40, 6))).astype(np.float32)
    without = score(name, np.delete(c, 2, axis=1), np.delete(z, 2, axis=1))
    c[:, 2] = np.nan
    np.testing.assert_allclose(score(name, c, z), without, atol=1e-12)
    c[7] = np.nan
    assert np.flatnonzero(np.isnan(score(name, c, z))).tolist() == [7]


def test_table_columns_whatever_the_strategy() -> None:
    c = table([0.99, 0.99, 0.1, np.nan], [0.99, 0.99, 0.99, 0.99], [np.nan] * 4)
    z = table([1, 3, 1, 1], [1, 1, 1, 3], [1, 1, 1, 1])
    for name in STRATEGIES:
        rows = score_rows(c, z, KEYS, strategy=name)
        assert rows.counts.tolist() == [[1, 1, 1], [0, 3, 1], [0, 0, 0]]
        assert rows.n_networks.tolist() == [3, 4, 0]
        np.testing.assert_allclose(rows.fractions[:2], [[1 / 3, 1 / 3, 1 / 3], [0, 0.75, 0.25]])
        assert np.isnan(rows.fractions[2]).all()
        np.testing.assert_allclose(rows.entropy[:2], [math.log2(3), 0.8112781244591328])
        assert np.isnan(rows.entropy[2])
        assert np.isnan(rows.score[2]) == (name != "random")


def test_no_networks_at_all_leaves_a_random_draw() -> None:
    nothing = np.empty((3, 0), np.float32)
    assert np.isfinite(score_rows(nothing, nothing, KEYS, strategy="random").score).all()
    assert np.isnan(score_rows(nothing, nothing, KEYS, strategy="bald").score).all()


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_blocks_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    c, z = rng.random((100, 5)).astype(np.float32), (4 * rng.random((100, 5))).astype(np.float32)
    keys = rng.permutation(100)
    whole, heard = score_rows(c, z, keys, strategy=name), []
    monkeypatch.setattr(strategies, "BLOCK_VALUES", 35)
    parts = score_rows(c, z, keys, strategy=name, on_rows=heard.append)
    np.testing.assert_array_equal(parts.score, whole.score)
    np.testing.assert_array_equal(parts.counts, whole.counts)
    np.testing.assert_array_equal(STRATEGIES[name].score(c, z, StrategySettings(), keys), whole.score)
    assert heard[-1] == 100
    assert len(heard) == 15


def test_memory_maps_are_read(tmp_path: object) -> None:
    path = f"{tmp_path}/c.npy"
    np.save(path, np.full((3, 2), 0.97, np.float32))
    c = np.load(path, mmap_mode="r")
    assert score_rows(c, np.ones((3, 2), np.float32), KEYS).counts.tolist() == [[0, 2, 0]] * 3


def test_spread_puts_scores_back_among_all_rows() -> None:
    rows = score_rows(table([0.99, 0.1]), table([1, 1]), np.array([5])).spread(np.array([2]), 4)
    assert np.isnan(rows.score).tolist() == [True, True, False, True]
    assert rows.entropy[2] == 1.0
    assert rows.n_networks.tolist() == [0, 0, 2, 0]


def test_shapes_and_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="do not match"):
        score_rows(np.zeros((3, 2), np.float32), np.zeros((3, 1), np.float32), KEYS)
    with pytest.raises(ValueError, match="do not match"):
        score_rows(np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32), KEYS[:2])
    for bad in ({"c_threshold": 1.0}, {"thresholds": (0.1, -0.2)}, {"thresholds": ()}, {"seed": -1}):
        with pytest.raises(BadInput):
            StrategySettings(**bad)  # type: ignore[arg-type]


@given(st.integers(0, 2**32), st.sampled_from(["entropy", "entropy-averaged", "bald", "margin"]))
def test_bounds(seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    c = rng.choice([0.0, 0.3, 0.94, 0.96, 1.0], size=(4, 6)).astype(np.float32)
    z = rng.choice([0.5, 2.1, 3.0], size=(4, 6)).astype(np.float32)
    s = np.array(score(name, c, z))
    assert (s >= 0).all()
    assert (s <= (1 if name == "margin" else math.log2(3)) + 1e-9).all()
    # Which network said what does not matter.
    np.testing.assert_allclose(score(name, c[:, ::-1], z[:, ::-1]), s, atol=1e-12)
