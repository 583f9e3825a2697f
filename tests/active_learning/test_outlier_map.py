import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import SeedSequence
from numpy.typing import NDArray

from qnet_tui.active_learning.best_matching_units import best_matching_units
from qnet_tui.active_learning.outlier_map import (
    MapSettings,
    OutlierMap,
    cell_counts,
    default_settings,
    draw_training_sample,
    exponential_decay,
    map_side,
    mean_map_distance,
    new_minisom,
    rejected_cells,
    train_map,
    wrapped,
)
from qnet_tui.errors import BadInput, QnetError

SMALL = MapSettings(side=6, sigma=2.0, iterations=600, seed=4, engine="minisom", starts=1)


def spectra(n: int, n_pixels: int = 24, seed: int = 0) -> NDArray[np.float32]:
    """Mixtures of three shapes with noise, mean 0 and rms 1, as the networks see spectra."""
    rng = np.random.default_rng(seed)
    shapes = rng.normal(size=(3, n_pixels)).cumsum(axis=1)
    x = rng.dirichlet(np.full(3, 0.4), size=n) @ shapes + 0.3 * rng.normal(size=(n, n_pixels))
    x -= x.mean(axis=1, keepdims=True)
    return (x / x.std(axis=1, keepdims=True)).astype(np.float32)


def winners(x: NDArray[np.floating], som: OutlierMap) -> NDArray[np.int64]:
    """The best cells by minisom, one spectrum at a time."""
    theirs = new_minisom(som.settings, x.shape[1])
    theirs.get_weights()[:] = som.weights.reshape(som.side, som.side, -1)
    return np.array([np.ravel_multi_index(theirs.winner(v), (som.side, som.side)) for v in x])


def test_side_of_the_map() -> None:
    assert [map_side(n) for n in (0, 9, 39, 40, 89, 90, 1000, 20249, 20250, 3_629_093)] == [
        1, 1, 1, 2, 2, 3, 10, 44, 45, 45,
    ]  # fmt: skip


@pytest.mark.parametrize("side", [1, 2, 4, 5])
@pytest.mark.parametrize("torus", [False, True])
def test_mean_distance_of_cells(side: int, torus: bool) -> None:
    d = []
    for a in np.ndindex(side, side):
        for b in np.ndindex(side, side):
            step = [abs(i - j) for i, j in zip(a, b, strict=True)]
            d.append(math.hypot(*(min(s, side - s) if torus else s for s in step)))
    assert mean_map_distance(side, torus=torus) == pytest.approx(np.mean(d))


def test_defaults_follow_the_paper() -> None:
    paper = default_settings(4600, side=45, engine="minisom")
    assert (paper.sigma, paper.iterations, paper.torus, paper.engine) == (8.61, 92_000, True, "minisom")
    assert default_settings(1_000_000, engine="minisom").iterations == 100_000
    assert default_settings(4600, side=45).engine == "batch"
    small = default_settings(300, seed=3, engine="minisom")
    assert (small.side, small.sigma, small.iterations, small.seed) == (5, 1.0, 6000, 3)


def test_learning_rate_falls_to_a_thousandth() -> None:
    assert exponential_decay(0.5, 0, 100) == 0.5
    assert exponential_decay(0.5, 100, 100) == pytest.approx(0.0005)


@pytest.mark.parametrize("side", [5, 6])
def test_wrapped_gaussian(side: int) -> None:
    som = new_minisom(replace(SMALL, side=side), 3)
    cells = np.arange(side)
    for cell in [(0, 0), (1, side - 1), (3, 2)]:
        gaps = [np.minimum(abs(cells - c), side - abs(cells - c)) for c in cell]
        expected = np.exp(-(gaps[0][:, None] ** 2 + gaps[1][None, :] ** 2) / (2 * 1.3**2))
        np.testing.assert_allclose(som.neighborhood(cell, 1.3), expected, rtol=1e-12)


def test_wrapped_works_for_any_neighbourhood_of_minisom() -> None:
    flat = new_minisom(replace(SMALL, side=5, torus=False, neighborhood="bubble"), 3)
    near = wrapped(flat.neighborhood, 5)((0, 4), 2)
    expected = np.zeros((5, 5))
    expected[np.ix_([4, 0, 1], [3, 4, 0])] = 1
    np.testing.assert_array_equal(near, expected)


def test_without_wrap_around_the_map_is_minisoms_own() -> None:
    x = spectra(50)
    settings = replace(SMALL, torus=False, iterations=120)
    ours = train_map(x, settings)
    theirs = new_minisom(settings, x.shape[1])
    theirs.random_weights_init(x)
    rng = np.random.default_rng(settings.seed)
    order = np.concatenate([rng.permutation(50) for _ in range(3)])[:120]
    theirs.train(x[order], 120)
    np.testing.assert_array_equal(ours.weights, theirs.get_weights().reshape(36, -1))
    assert ours.quantization_error == pytest.approx(theirs.quantization_error(x))
    assert ours.topographic_error == pytest.approx(theirs.topographic_error(x))
    assert ours.torus_topographic_error == pytest.approx(ours.topographic_error)


def test_same_seed_same_map() -> None:
    x = spectra(80)
    first, second = train_map(x, SMALL), train_map(x, SMALL)
    np.testing.assert_array_equal(first.weights, second.weights)
    other = train_map(x, SMALL, 5)
    assert other.settings.seed == 5
    assert (other.weights != first.weights).any()
    spawned = train_map(x, replace(SMALL, iterations=1), SeedSequence(9, spawn_key=(2,)))
    assert spawned.settings.seed == SeedSequence(9, spawn_key=(2,)).generate_state(1)[0]


def test_training_orders_the_map() -> None:
    x = spectra(400)
    barely, trained = (
        train_map(x, replace(SMALL, iterations=1)),
        train_map(x, replace(SMALL, iterations=4000)),
    )
    alone = float(np.linalg.norm(x - x.mean(axis=0), axis=1).mean())
    assert trained.quantization_error < 0.5 * alone
    assert trained.torus_topographic_error < 0.5 * barely.torus_topographic_error
    assert (trained.side, trained.torus, trained.trained_on) == (6, True, 400)


def test_topographic_error_on_the_torus_by_brute_force() -> None:
    x = spectra(1500)
    som = train_map(x, replace(SMALL, iterations=2000))
    distance = np.linalg.norm(x[:, None, :].astype(np.float64) - som.weights[None], axis=-1)
    two = np.argsort(distance, axis=1)[:, :2]
    step = np.abs(np.stack([two // 6, two % 6])[..., 0] - np.stack([two // 6, two % 6])[..., 1])
    apart = np.minimum(step, 6 - step).max(axis=0) > 1
    assert som.torus_topographic_error == pytest.approx(apart.mean())
    assert som.topographic_error == pytest.approx((step.max(axis=0) > 1).mean())
    assert som.quantization_error == pytest.approx(distance.min(axis=1).mean())


def test_progress_is_heard() -> None:
    heard: list[tuple[int, int]] = []
    train_map(spectra(20), replace(SMALL, iterations=1200), on_progress=lambda a, b: heard.append((a, b)))
    assert heard == [(500, 1200), (1000, 1200)]


def test_a_map_of_one_cell() -> None:
    som = train_map(spectra(20), replace(SMALL, side=1, sigma=1.0, iterations=20))
    assert math.isnan(som.topographic_error)
    assert math.isnan(som.torus_topographic_error)
    assert best_matching_units(spectra(20), som.weights).tolist() == [0] * 20


def test_training_refuses_what_it_cannot_learn_from() -> None:
    with pytest.raises(BadInput, match="no spectra to train the map on"):
        train_map(np.empty((0, 24), np.float32), SMALL)
    x = spectra(20)
    x[3, 2] = np.nan
    with pytest.raises(BadInput, match="non-finite"):
        train_map(x, SMALL)
    # minisom's triangle is not bounded by 1: with a wide one every update overshoots further.
    wide = replace(SMALL, neighborhood="triangle", learning_rate=1.0, sigma=5.0)
    with np.errstate(all="ignore"), pytest.raises(QnetError, match="did not converge"):
        train_map(1e300 * spectra(20).astype(np.float64), wide)


@pytest.mark.parametrize(
    "bad",
    [
        {"side": 0},
        {"sigma": 0.0},
        {"learning_rate": 1.5},
        {"iterations": 0},
        {"seed": 2**32},
        {"neighborhood": "square"},
        {"engine": "som"},
        {"neighborhood": "mexican_hat"},
        {"starts": 0},
    ],
)
def test_settings_are_checked(bad: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        MapSettings(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_best_cells_are_minisoms_winners(dtype: type) -> None:
    x = spectra(2500, n_pixels=60).astype(dtype)
    som = train_map(x[:300], replace(SMALL, side=12, iterations=900))
    np.testing.assert_array_equal(best_matching_units(x, som.weights, block=999), winners(x, som))


def test_near_ties_are_decided_in_float64() -> None:
    rng = np.random.default_rng(8)
    x = spectra(2000, n_pixels=60)
    settings = replace(SMALL, side=8)
    # Every cell has seven neighbours so close that float32 cannot tell them apart, some exactly equal.
    weights = np.repeat(x[:8].astype(np.float64), 8, axis=0)
    weights += 1e-8 * rng.integers(-2, 3, size=weights.shape)
    weights[9], weights[14] = weights[12], weights[12]
    som = OutlierMap(weights[rng.permutation(64)], settings, 8, 0.0, 0.0, 0.0)
    ours = best_matching_units(x, som.weights)
    np.testing.assert_array_equal(ours, winners(x, som))
    single = (0.5 * (som.weights**2).sum(1)).astype(np.float32) - x @ som.weights.T.astype(np.float32)
    assert (single.argmin(axis=1) != ours).mean() > 0.3


def test_ties_go_to_the_lowest_cell() -> None:
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [-1.0, 0.0]])
    assert best_matching_units(np.array([[0.0, 3.0], [2.0, 2.0], [0.0, 0.0]], np.float32), weights).tolist() == [
        1,
        0,
        0,
    ]
    assert best_matching_units(np.empty((0, 2), np.float32), weights).shape == (0,)


def test_a_broken_vector_is_named() -> None:
    x = spectra(10)
    x[7, 3] = np.nan
    with pytest.raises(QnetError, match="vector 7 is not finite"):
        best_matching_units(x, np.ones((4, 24)), block=4)


def test_counts_of_cells() -> None:
    bmu = np.array([0, 0, 3, 3, 3, 1])
    assert cell_counts(bmu, 2).tolist() == [2, 1, 0, 3]
    assert cell_counts(bmu, 2, np.array([True, False, True, True, False, False])).tolist() == [1, 0, 0, 2]


def test_rejected_cells_by_hand() -> None:
    counts = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    # 15 % of the way through eleven values: between the second and the third.
    cut = rejected_cells(counts, 15)
    assert cut.cut == 1.5
    assert cut.mask.tolist() == [True, True] + [False] * 9
    assert cut.warning == ""
    assert (cut.percentile, cut.which) == (15, "all")
    # Among the ten that hold a row: 1 + 0.15 · 9.
    assert rejected_cells(counts, 15, "nonempty").cut == pytest.approx(2.35)
    assert rejected_cells(counts, 15, "nonempty").mask.tolist() == [True] * 3 + [False] * 8
    # A cell at the cut itself goes.
    assert rejected_cells(counts, 20).mask.tolist() == [True] * 3 + [False] * 8


def test_a_cut_that_does_nothing_or_all_is_said() -> None:
    none = rejected_cells(np.array([0, 0, 0, 5, 6]))
    assert none.cut == 0
    assert none.mask.tolist() == [True, True, True, False, False]
    assert "only empty cells" in none.warning
    every = rejected_cells(np.array([4, 4, 4]))
    assert every.mask.all()
    assert "every cell holds 4 rows or fewer" in every.warning
    assert rejected_cells(np.zeros(3, dtype=np.int64), 15, "nonempty").mask.all()
    for bad in ({"which": "some"}, {"percentile": 101}):
        with pytest.raises(BadInput):
            rejected_cells(np.array([1, 2]), **bad)  # type: ignore[arg-type]


def test_training_sample_is_capped() -> None:
    everything = draw_training_sample(7, max_rows=7)
    assert everything.rows.tolist() == list(range(7))
    drawn = draw_training_sample(3_600_000, source="pool", max_rows=500, seed=2)
    assert len(np.unique(drawn.rows)) == 500
    assert (np.diff(drawn.rows) > 0).all()
    assert (drawn.of, drawn.source, drawn.max_rows, drawn.seed) == (3_600_000, "pool", 500, 2)
    np.testing.assert_array_equal(drawn.rows, draw_training_sample(3_600_000, max_rows=500, seed=2).rows)
    assert abs(drawn.rows.mean() / 3_600_000 - 0.5) < 0.07
    with pytest.raises(BadInput):
        draw_training_sample(5, max_rows=0)
