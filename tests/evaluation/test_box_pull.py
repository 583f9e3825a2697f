"""A constructed swing of the redshifts has the constructed amplitude."""

import numpy as np
import pytest

from qnet_tui.evaluation.box_pull import POOLED, box_phase, box_pull, edge_redshifts, pull_of
from qnet_tui.quasarnet.boxes import box_edges, decode, encode
from qnet_tui.quasarnet.lines import LINES
from qnet_tui.spectra.grids import linear_grid, log_grid

NAMES, RESTS = tuple(name for name, _ in LINES), tuple(rest for _, rest in LINES)


@pytest.mark.parametrize("angle", [0.0, 1.1, 2.7])
def test_a_sinusoid_gives_its_amplitude(angle):
    rng = np.random.default_rng(1)
    phase = rng.random(40_000)
    got = pull_of(phase, 300.0 * np.sin(2 * np.pi * phase + angle), np.arange(phase.size), draws=20)
    assert got.amplitude_kms == pytest.approx(300.0, rel=0.01)
    assert got.uncertainty_kms < 3
    assert got.n == got.objects == 40_000
    assert sum(got.counts) == 40_000


def test_two_harmonics_give_half_their_peak_to_peak():
    rng = np.random.default_rng(2)
    phase = rng.random(40_000)
    fine = np.linspace(0, 1, 10_001)

    def swing(p):
        return 50.0 + 200.0 * np.sin(2 * np.pi * p) + 80.0 * np.cos(4 * np.pi * p)

    got = pull_of(phase, swing(phase), np.arange(phase.size), draws=20)
    assert got.amplitude_kms == pytest.approx(np.ptp(swing(fine)) / 2, rel=0.02)


def test_noise_moves_the_amplitude_within_its_uncertainty_and_chance_is_smaller_than_a_pull():
    rng = np.random.default_rng(3)
    phase = rng.random(3000)
    dv = 300.0 * np.sin(2 * np.pi * phase) + rng.normal(scale=1000.0, size=phase.size)
    got = pull_of(phase, dv, np.arange(phase.size))
    assert abs(got.amplitude_kms - 300.0) < 4 * got.uncertainty_kms
    assert 15 < got.uncertainty_kms < 60
    assert got.chance_kms < 120
    none = pull_of(phase, rng.normal(scale=1000.0, size=phase.size), np.arange(phase.size))
    assert none.amplitude_kms < 3 * none.chance_kms


def test_the_bootstrap_draws_objects_and_not_values():
    rng = np.random.default_rng(4)
    objects = np.repeat(np.arange(300), 6)
    phase = np.repeat(rng.random(300), 6)  # Six times the same object: as good as once.
    dv = np.repeat(rng.normal(scale=1000.0, size=300), 6)
    many = pull_of(phase, dv, objects, bins=20).uncertainty_kms
    once = pull_of(phase[::6], dv[::6], objects[::6], bins=20).uncertainty_kms
    assert many == pytest.approx(once, rel=0.3)


def test_too_few_values_have_no_amplitude():
    got = pull_of(np.array([0.1, 0.2]), np.array([1.0, 2.0]), np.array([0, 1]))
    assert np.isnan([got.amplitude_kms, got.uncertainty_kms, got.chance_kms]).all()
    assert (got.n, got.objects) == (2, 2)
    empty = pull_of(np.empty(0), np.empty(0), np.empty(0, dtype=int))
    assert np.isnan(empty.amplitude_kms)
    assert (empty.n, empty.objects) == (0, 0)


@pytest.mark.parametrize("grid", [log_grid(), linear_grid()], ids=["log", "linear"])
def test_the_phase_is_what_training_encodes(grid):
    z = np.random.default_rng(5).uniform(0.0, 4.0, 200)
    targets = encode(z, np.ones(200, bool), np.zeros(200, int), grid, dtype=np.float64)
    for i, (_, rest) in enumerate(LINES):
        phase = box_phase(z, rest, grid.wave)
        inside = targets.values[i, :, :13].any(axis=1)
        np.testing.assert_array_equal(np.isfinite(phase), inside)
        offsets = targets.values[i, :, 13:].sum(axis=1)
        np.testing.assert_allclose(phase[inside], offsets[inside], atol=1e-9)


def test_edges_of_both_grids_as_redshifts():
    log = edge_redshifts(box_edges(log_grid()), 1215.67)
    np.testing.assert_allclose(log[[0, 6, 13]], [1.961, 3.742, 7.213], atol=6e-4)
    linear = edge_redshifts(box_edges(linear_grid()), 2796.3511)
    np.testing.assert_allclose(linear[1], (3600 + 479.138) / 2796.3511 - 1, atol=1e-4)


def test_pulled_answers_of_a_network_are_found_per_line():
    """Offsets drawn to the middle of the box: o' = 0.5 + (1 - s) (o - 0.5) pulls by s · (phase - 1/2) boxes."""
    grid, rng = log_grid(), np.random.default_rng(6)
    z = rng.uniform(0.35, 3.9, 4000)
    heads = encode(z, np.ones(z.size, bool), np.zeros(z.size, int), grid, dtype=np.float64).values
    pulled = heads.copy()
    pulled[:, :, 13:] = np.where(heads[:, :, :13] > 0, 0.5 + 0.97 * (heads[:, :, 13:] - 0.5), 0.0)
    said, exact = decode(pulled, grid), decode(heads, grid)
    use = exact.c_line > 0.5
    got = box_pull(said.z_line, z, use, grid.wave, NAMES, RESTS)
    assert [p.line for p in got] == [POOLED, *NAMES]
    # A sawtooth of 0.03 boxes of 24,471 km/s: two harmonics of it swing by (2/pi)·(…) of its half height, 367 km/s.
    sawtooth = 0.03 * 24_471
    at = np.linspace(0, 1, 2001)
    two = -sawtooth * sum(-np.sin(2 * np.pi * k * at) / (np.pi * k) for k in (1, 2))
    assert got[0].amplitude_kms == pytest.approx(np.ptp(two) / 2, rel=0.08)
    for one in got[1:4]:
        assert one.amplitude_kms == pytest.approx(got[0].amplitude_kms, rel=0.15)
    none = box_pull(exact.z_line, z, use, grid.wave, NAMES, RESTS)
    assert none[0].amplitude_kms < 1e-6
    # The same against another network's redshifts by line.
    against = box_pull(said.z_line, exact.z_line, use, grid.wave, NAMES, RESTS)
    assert against[0].amplitude_kms == pytest.approx(got[0].amplitude_kms, rel=0.02)
    # What is off by more than the limit is another line and no pull.
    assert box_pull(said.z_line, z + 0.5, use, grid.wave, NAMES, RESTS)[0].n == 0
