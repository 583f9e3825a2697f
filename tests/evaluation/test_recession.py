"""Recession velocities of the paper's cosmology."""

import numpy as np
import pytest

from qnet_tui.evaluation.intervals import wilson
from qnet_tui.evaluation.recession import Cosmology, agreement, recession_velocity, velocity_difference


def fine_velocity(z: float, h0: float = 68.0) -> float:
    """H(z) D_c(z) / (1 + z) by 200,000 trapezoids, written down anew."""
    at = np.linspace(0.0, z, 200_001)
    e = np.sqrt(0.284 * (1 + at) ** 3 + 0.065 * (1 + at) ** 2 + 0.651)
    distance = 3e5 / h0 * np.trapezoid(1 / e, at)
    return float(h0 * e[-1] * distance / (1 + z))


@pytest.mark.parametrize("z", [-0.3, -0.05, 0.5, 1.2345, 2.1, 3.7, 5.9, 7.1])
def test_velocity_against_an_independent_fine_integration(z):
    assert recession_velocity(z) == pytest.approx(fine_velocity(z), rel=2e-6, abs=0.5)


def test_small_redshifts_recede_with_cz_and_nothing_recedes_at_zero():
    assert abs(float(recession_velocity(0.0))) < 0.5
    # v = c z (1 - z + ... + (1 + q0) z / 2 ...): first order is c z.
    assert recession_velocity(0.001) == pytest.approx(300.0, rel=5e-3)


def test_the_hubble_constant_cancels():
    z = np.linspace(-0.4, 7.0, 50)
    np.testing.assert_allclose(
        recession_velocity(z, Cosmology(h0=50.0)), recession_velocity(z, Cosmology(h0=100.0)), rtol=1e-12, atol=1e-6
    )


def test_outside_the_table_and_nan_have_no_velocity():
    assert np.isnan(recession_velocity([np.nan, -0.9, 9.0])).all()
    assert np.isnan(velocity_difference([1.0, np.nan], [np.nan, 1.0])).all()


def test_agreement_counts_what_is_within_and_leaves_out_nan():
    got = agreement([0.0, -3000.0, 3000.1, 7000.0, np.nan, 20_000.0], cuts=(3000.0, 12_000.0))
    assert [(a.within_kms, a.k, a.n, a.fraction) for a in got] == [(3000.0, 2, 5, 0.4), (12_000.0, 4, 5, 0.8)]
    assert (got[0].lo, got[0].hi) == wilson(2, 5)
    assert np.isnan(agreement([])[0].fraction)
    assert agreement([])[0].n == 0
