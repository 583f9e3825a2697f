import numpy as np
import pytest
from numpy.random import SeedSequence

from qnet_tui.active_learning.bootstrap import bootstrap_indices, member_seeds
from qnet_tui.errors import BadInput


def test_draw_with_replacement() -> None:
    drawn = bootstrap_indices(20_000, SeedSequence(7))
    assert drawn.shape == (20_000,)
    assert drawn.dtype == np.int64
    assert drawn.min() >= 0
    assert drawn.max() < 20_000
    # 1 - 1/e of the labels are in a bootstrap sample; its spread here is 0.002.
    assert len(np.unique(drawn)) / 20_000 == pytest.approx(1 - np.exp(-1), abs=0.015)


def test_same_seed_same_draw() -> None:
    seed = SeedSequence(5)
    np.testing.assert_array_equal(bootstrap_indices(100, seed), bootstrap_indices(100, seed))
    assert (bootstrap_indices(100, SeedSequence(5)) != bootstrap_indices(100, SeedSequence(6))).any()


def test_one_label_and_none() -> None:
    assert bootstrap_indices(1, SeedSequence(1)).tolist() == [0]
    with pytest.raises(BadInput, match="import a truth table"):
        bootstrap_indices(0, SeedSequence(1))


def test_member_seeds_are_those_of_spawn_and_stay_the_same() -> None:
    seed = SeedSequence(91701, spawn_key=(4,))
    first, more = member_seeds(seed, 3), member_seeds(seed, 5)
    spawned = SeedSequence(91701, spawn_key=(4,)).spawn(5)
    for a, b in zip(more, spawned, strict=True):
        np.testing.assert_array_equal(a.generate_state(4), b.generate_state(4))
    for a, b in zip(first, more[:3], strict=True):
        np.testing.assert_array_equal(bootstrap_indices(50, a), bootstrap_indices(50, b))
    assert len({tuple(bootstrap_indices(50, s)) for s in more}) == 5
