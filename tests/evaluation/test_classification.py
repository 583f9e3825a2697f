"""Completeness and purity on tables small enough to count by hand."""

import math

import numpy as np
import pytest

from qnet_tui.evaluation.classification import (
    DV_MAX_2018,
    by_bins,
    committee_majority,
    completeness_purity,
    redshift_edges,
)
from qnet_tui.evaluation.intervals import wilson

#                 0      1      2      3      4      5      6      7      8      9
PRED = np.array([True, True, True, False, False, True, True, False, False, True])
TRUE = np.array([True, True, True, True, False, False, False, False, False, False])
GALAXY = np.array([False, False, False, False, False, True, False, True, True, False])
Z_TRUE = np.array([1.00, 2.00, 3.00, 2.50, np.nan, 0.50, 0.00, 0.70, 0.10, 0.00])
# dv of row 0: 0; row 1: 3e5*.0599/3 = 5990 within the limit; row 2: 3e5*.0801/4 = 6007 beyond
Z_PRED = np.array([1.00, 2.0599, 3.0801, 2.50, 1.90, 0.50, 1.70, 0.70, 2.10, 0.00])


def test_the_papers_definition() -> None:
    counts = completeness_purity(PRED, TRUE)
    assert (counts.tp, counts.fp, counts.fn, counts.tn, counts.right) == (3, 3, 1, 3, 3)
    assert (counts.n_true, counts.n_predicted) == (4, 6)
    assert counts.completeness == 3 / 4
    assert counts.purity == 3 / 6
    assert counts.impurity == 1 - counts.purity
    assert counts.completeness_interval == wilson(3, 4)
    assert counts.purity_interval == wilson(3, 6)


def test_bad_rows_are_left_out() -> None:
    bad = np.zeros(10, dtype=bool)
    bad[[0, 3, 5, 8]] = True
    counts = completeness_purity(PRED, TRUE, bad=bad)
    assert (counts.tp, counts.fp, counts.fn, counts.tn) == (2, 2, 0, 2)


def test_the_2018_definition_asks_for_the_redshift() -> None:
    counts = completeness_purity(PRED, TRUE, z_pred=Z_PRED, z_true=Z_TRUE, dv_max=DV_MAX_2018)
    # found: rows 0 and 1; right: 0, 1, and the galaxy 5 and the star 9 at their own redshifts
    assert (counts.tp, counts.fn, counts.right, counts.fp) == (2, 2, 4, 2)
    assert (counts.completeness, counts.purity) == (2 / 4, 4 / 6)
    assert counts.tn == 3


def test_the_velocity_limit_itself_is_right() -> None:
    # 1/64 is exact in binary: dv = 3e5 / 64 = 4687.5 to the last bit
    for limit, right in ((4687.5, 1), (4687.4999, 0)):
        counts = completeness_purity([True], [True], z_pred=[1 / 64], z_true=[0.0], dv_max=limit)
        assert (counts.tp, counts.right) == (right, right)


def test_the_2020_narrowing_to_quasars_and_galaxies() -> None:
    counts = completeness_purity(PRED, TRUE, z_pred=Z_PRED, z_true=Z_TRUE, dv_max=6000.0, is_galaxy_true=GALAXY)
    assert (counts.tp, counts.right, counts.fp) == (2, 3, 3)


def test_nothing_to_find_and_nothing_predicted() -> None:
    counts = completeness_purity([False, False], [False, False])
    assert math.isnan(counts.completeness)
    assert math.isnan(counts.purity)
    assert math.isnan(counts.impurity)
    assert all(math.isnan(end) for end in counts.completeness_interval + counts.purity_interval)
    assert completeness_purity([], []).tn == 0


def test_shapes_and_redshifts_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        completeness_purity([True], [True, False])
    with pytest.raises(ValueError, match="needs z_pred and z_true"):
        completeness_purity([True], [True], dv_max=6000)
    with pytest.raises(ValueError, match="differ in shape"):
        completeness_purity([True], [True], dv_max=6000, z_pred=[1.0, 2.0], z_true=[1.0, 2.0])


def test_bins_of_redshift_true_for_completeness_predicted_for_purity() -> None:
    bins = by_bins(PRED, TRUE, [0.0, 1.0, 2.0, 4.0], completeness_value=Z_TRUE, purity_value=Z_PRED)
    counts = [(one.tp, one.n_true, one.right, one.n_predicted) for one in bins]
    # true quasars at 1.0 | 2.0, 3.0, 2.5; predictions at 1.0, 2.0599, 3.0801, 0.5, 1.7, 0.0
    assert counts == [(0, 0, 0, 2), (1, 1, 1, 2), (2, 3, 2, 2)]
    assert [(one.lo, one.hi) for one in bins] == [(0.0, 1.0), (1.0, 2.0), (2.0, 4.0)]
    assert math.isnan(bins[0].completeness)
    assert bins[2].completeness == 2 / 3
    assert bins[1].purity == 0.5
    assert bins[2].completeness_interval == wilson(2, 3)
    assert bins[1].purity_interval == wilson(1, 2)


def test_bins_of_magnitude_use_one_value_and_leave_out_what_is_outside() -> None:
    magnitude = np.array([18.0, 19.0, 22.0, 23.5, 18.5, 19.5, np.nan, 20.0, 20.0, 22.9])
    bins = by_bins(PRED, TRUE, [19.0, 22.0, 23.0], completeness_value=magnitude)
    assert [(one.tp, one.n_true, one.right, one.n_predicted) for one in bins] == [(1, 1, 1, 2), (1, 1, 1, 2)]


def test_bins_with_the_2018_definition() -> None:
    (one,) = by_bins(
        PRED, TRUE, [0, 5], completeness_value=Z_TRUE, purity_value=Z_PRED, z_pred=Z_PRED, z_true=Z_TRUE, dv_max=6000
    )  # fmt: skip
    assert (one.tp, one.n_true, one.right, one.n_predicted) == (2, 4, 4, 6)


def test_bins_that_cannot_be() -> None:
    for edges in ([1.0], [2.0, 1.0], [1.0, 1.0], [[0.0, 1.0]]):
        with pytest.raises(ValueError, match="rising"):
            by_bins([True], [True], edges, completeness_value=[0.5])
    with pytest.raises(ValueError, match="differ"):
        by_bins([True], [True], [0, 1], completeness_value=[0.5, 0.5])


def test_redshift_edges() -> None:
    assert redshift_edges().tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]
    assert redshift_edges(1.1, 0.5).tolist() == [0, 0.5, 1, 1.5]
    assert len(redshift_edges(0.3, 0.1)) == 4
    with pytest.raises(ValueError, match="positive"):
        redshift_edges(5.0, 0.0)


def test_committee_needs_more_than_half() -> None:
    c_qso = np.array(
        [
            [0.96, 0.99, 0.10, 0.20],  # two of four: a tie, no majority
            [0.96, 0.99, 0.951, 0.20],  # three of four
            [0.95, 0.95, 0.95, 0.96],  # at the threshold is not above it
            [np.nan, 0.99, 0.99, np.nan],
        ],
        dtype=np.float32,
    )
    assert committee_majority(c_qso).tolist() == [False, True, False, False]
    assert committee_majority(c_qso, c_threshold=0.94).tolist() == [False, True, True, False]
    assert committee_majority(c_qso[:, :1]).tolist() == [True, True, False, False]
    for shape in ((4,), (4, 0)):
        with pytest.raises(ValueError, match="committee"):
            committee_majority(np.zeros(shape))
