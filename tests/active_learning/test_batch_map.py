import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from qnet_tui.active_learning.batch_map import Step, sums_of_cells, train_in_batches
from qnet_tui.active_learning.best_matching_units import best_matching_units, two_best_cells
from qnet_tui.active_learning.outlier_map import (
    BATCHES,
    MapSettings,
    default_settings,
    held_decay,
    new_minisom,
    train_map,
    training_steps,
)
from tests.active_learning.test_outlier_map import spectra

SIDE, PIXELS = 7, 20


def vectors(n: int, n_pixels: int = PIXELS, seed: int = 0) -> NDArray[np.float32]:
    """Points of a bent two-dimensional sheet with noise: what a map can lay out well or badly."""
    rng = np.random.default_rng(seed)
    u, v = rng.uniform(-1, 1, (2, n, 1))
    wave = np.linspace(0, 3, n_pixels)
    return (np.sin(wave + 2 * u) + v * np.cos(2 * wave - u) + 0.1 * rng.normal(size=(n, n_pixels))).astype(np.float32)


def untrained(x: NDArray[np.float32], torus: bool, neighborhood: str = "gaussian", side: int = SIDE):
    settings = MapSettings(side=side, sigma=2.0, seed=3, torus=torus, neighborhood=neighborhood)
    som = new_minisom(settings, x.shape[1])
    som.random_weights_init(x)
    return som


def one_by_one(som, x: NDArray[np.float32], sigma: float) -> NDArray[np.float64]:
    """The batch rule as it is written down: for every cell the weighted mean of all vectors."""
    side = som.get_weights().shape[0]
    near = np.array([som.neighborhood(som.winner(v), sigma) for v in x])
    new = som.get_weights().copy()
    for i in range(side):
        for j in range(side):
            weight = near[:, i, j]
            if weight.sum() > 0:
                new[i, j] = (weight[:, None] * x.astype(np.float64)).sum(axis=0) / weight.sum()
    return new


@pytest.mark.parametrize("torus", [True, False])
@pytest.mark.parametrize("neighborhood", ["gaussian", "bubble", "triangle"])
@pytest.mark.parametrize("side", [6, 7])
def test_an_epoch_is_the_rule_as_written_down(torus: bool, neighborhood: str, side: int) -> None:
    x = vectors(90)
    x[40:50] = x[40]
    som = untrained(x, torus, neighborhood, side)
    before = som.get_weights().copy()
    expected = one_by_one(som, x, 2.0)
    train_in_batches(som, x, [Step(2.0, 1.0)])
    assert np.abs(som.get_weights() - before).max() > 0.1
    np.testing.assert_allclose(som.get_weights(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("torus", [True, False])
def test_epochs_are_minisoms_train_batch_offline_at_learning_rate_1(torus: bool) -> None:
    x = vectors(120)
    ours, theirs = untrained(x, torus), untrained(x, torus)
    theirs._learning_rate = 1.0
    theirs._learning_rate_decay_function = lambda rate, t, last: rate
    theirs.train_batch_offline(x, 4)
    sigmas = [theirs._sigma_decay_function(2.0, t, 4) for t in range(4)]
    train_in_batches(ours, x, [Step(sigma, 1.0) for sigma in sigmas])
    np.testing.assert_allclose(ours.get_weights(), theirs.get_weights(), rtol=1e-9, atol=1e-9)


def test_a_cell_that_no_vector_reaches_stays() -> None:
    x = vectors(3)
    som = untrained(x, False, "bubble")
    before = som.get_weights().copy()
    train_in_batches(som, x, [Step(1.0, 1.0)])
    hit = np.zeros((SIDE, SIDE), dtype=bool)
    hit.flat[best_matching_units(x, before.reshape(-1, PIXELS))] = True
    np.testing.assert_array_equal(som.get_weights()[~hit], before[~hit])
    assert hit.sum() <= 3


def test_a_low_rate_moves_as_that_many_single_updates_do() -> None:
    x = np.repeat(vectors(1), 5, axis=0)
    ours, theirs = untrained(vectors(60), True), untrained(vectors(60), True)
    cell = theirs.winner(x[0])
    near = theirs.neighborhood(cell, 0.05)
    for _ in range(5):
        weights = theirs.get_weights()
        weights += (near * 0.3)[:, :, None] * (x[0] - weights)
    train_in_batches(ours, x, [Step(0.05, 0.3)])
    np.testing.assert_allclose(ours.get_weights(), theirs.get_weights(), rtol=1e-9, atol=1e-12)


def test_sums_of_cells() -> None:
    x = np.arange(12, dtype=np.float32).reshape(6, 2)
    sums, counts = sums_of_cells(x, np.array([2, 0, 2, 2, 0, 4]), 5)
    assert counts.tolist() == [2, 0, 3, 0, 1]
    assert sums.tolist() == [[10, 12], [0, 0], [10, 13], [0, 0], [10, 11]]


def test_steps_take_every_spectrum_equally_often() -> None:
    settings = default_settings(57, seed=2)
    steps = list(training_steps(57, settings))
    batches, epochs = steps[:BATCHES], steps[BATCHES:]
    seen = np.concatenate([step.rows for step in batches if step.rows is not None])
    assert {len(step.rows) for step in batches if step.rows is not None} == {6}
    assert np.ptp(np.bincount(seen, minlength=57)) <= 1
    assert [(step.rows, step.rate) for step in epochs] == [(None, 1.0)] * settings.iterations
    rates, sigmas = [step.rate for step in batches], [step.sigma for step in steps]
    assert rates[0] == settings.learning_rate
    assert rates == sorted(rates, reverse=True)
    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[-1] == held_decay(settings.sigma, 1.0)
    assert held_decay(0.5, 1.0) == 0.5


@pytest.mark.parametrize("torus", [True, False])
def test_errors_are_no_worse_than_those_of_minisoms_own_training(torus: bool) -> None:
    x = spectra(400, 40)
    errors: dict[str, list[tuple[float, float]]] = {"batch": [], "minisom": []}
    for engine, found in errors.items():
        for seed in range(2):
            som = train_map(x, default_settings(400, side=8, seed=seed, torus=torus, engine=engine))
            found.append((som.quantization_error, som.torus_topographic_error))
    ours, theirs = (np.mean(errors[engine], axis=0) for engine in ("batch", "minisom"))
    assert ours[0] <= theirs[0]
    assert ours[1] <= theirs[1]


def test_the_start_with_the_least_topographic_error_stays() -> None:
    x = vectors(60)
    settings = MapSettings(side=5, sigma=2.0, iterations=2, seed=5)
    one = train_map(x, replace(settings, starts=1))
    best = train_map(x, replace(settings, starts=3))
    assert best.torus_topographic_error <= one.torus_topographic_error
    assert best.settings.seed == 5
    again = train_map(x, replace(settings, starts=3))
    np.testing.assert_array_equal(best.weights, again.weights)
    other = train_map(x, replace(settings, starts=3), 6)
    assert (other.weights != best.weights).any()


def test_progress_counts_the_steps_of_all_starts() -> None:
    heard: list[tuple[int, int]] = []
    settings = MapSettings(side=3, sigma=1.0, iterations=10, starts=2)
    train_map(vectors(30), settings, on_progress=lambda done, total: heard.append((done, total)))
    assert heard[0] == (10, 420)
    assert heard[-1] == (420, 420)


def test_a_map_of_one_cell_is_the_mean() -> None:
    x = vectors(50)
    som = train_map(x, MapSettings(side=1, sigma=1.0))
    np.testing.assert_allclose(som.weights[0], x.astype(np.float64).mean(axis=0))


def test_the_map_is_the_same_for_any_number_of_threads(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np\n"
        "from qnet_tui.active_learning.batch_map import Step, train_in_batches\n"
        "from qnet_tui.active_learning.outlier_map import MapSettings, new_minisom\n"
        "x = np.random.default_rng(0).normal(size=(300, 400)).cumsum(axis=1).astype(np.float32)\n"
        "som = new_minisom(MapSettings(side=24, sigma=5.0), 400)\n"
        "som.random_weights_init(x)\n"
        "train_in_batches(som, x, [Step(5.0, 0.5, np.arange(100)), Step(3.0, 0.1), Step(1.5, 1.0)])\n"
        "sys.stdout.buffer.write(som.get_weights().tobytes())\n"
    )
    made = []
    for threads in ("1", "2"):
        env = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        made.append(subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True).stdout)
    assert len(made[0]) == 24 * 24 * 400 * 8
    assert made[0] == made[1]


def test_best_cells_of_wild_vectors_are_minisoms_winners() -> None:
    rng = np.random.default_rng(4)
    x = vectors(400, 60)
    x[50:100] = x[50]
    x[100:110] = 0
    x[110:120] *= 1e4
    x[120:130] *= 1e-6
    weights = np.concatenate([x[:60], x[40:100], x[60:84] + 1e-7 * rng.normal(size=(24, 60))]).astype(np.float64)
    weights[7] = 1e3 * weights[7]
    som = untrained(vectors(10, 60), True, side=12)
    som.get_weights()[:] = weights.reshape(12, 12, 60)
    theirs = np.array([np.ravel_multi_index(som.winner(v), (12, 12)) for v in x])
    for block in (None, 7, 400):
        np.testing.assert_array_equal(best_matching_units(x, weights, block=block), theirs)


def test_all_cells_alike_go_to_the_first() -> None:
    x = vectors(40)
    weights = np.repeat(x[:1].astype(np.float64), 500, axis=0)
    assert not best_matching_units(x, weights).any()
    assert two_best_cells(x, weights).tolist() == [[0, 1]] * 40


def test_two_best_cells_by_sorting() -> None:
    x = vectors(300)
    weights = np.repeat(x[:30].astype(np.float64), 2, axis=0)
    distance = np.linalg.norm(x[:, None].astype(np.float64) - weights, axis=-1)
    expected = np.argsort(distance, axis=1, kind="stable")[:, :2]
    np.testing.assert_array_equal(np.sort(two_best_cells(x, weights), axis=1), np.sort(expected, axis=1))
