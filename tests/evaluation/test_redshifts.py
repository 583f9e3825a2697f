"""Velocity errors by hand."""

import math

import numpy as np
import pytest

from qnet_tui.evaluation.intervals import wilson
from qnet_tui.evaluation.redshifts import (
    CATASTROPHIC_CUTS,
    SPEED_OF_LIGHT_2018,
    dv_kms,
    redshift_errors,
    worst_cases,
)

# c / 100 per 0.01 (1 + z): with c = 3e5, z = 2 and dz = 0.03 this is 3000 km/s
Z_TRUE = np.array([2.0, 2.0, 2.0, 2.0, 2.0, np.nan])
Z_PRED = np.array([2.0, 2.03, 1.97, 2.1, 2.001, 2.0])


def test_velocity() -> None:
    assert dv_kms(2.03, 2.0, SPEED_OF_LIGHT_2018) == pytest.approx(3000.0)
    assert dv_kms([1.0], [0.0])[0] == 299792.458
    assert dv_kms([0.5], [1.0])[0] == pytest.approx(-299792.458 / 4)
    assert np.isnan(dv_kms(Z_PRED, Z_TRUE)[5])


def test_summary_by_hand() -> None:
    errors = redshift_errors(Z_PRED, Z_TRUE, speed_of_light=3e5)
    # dv: 0, 3000, -3000, 10000, 100: median 100, deviations 100, 2900, 3100, 9900, 0
    assert errors.n == 5
    assert errors.median_kms == pytest.approx(100.0)
    assert errors.nmad_kms == pytest.approx(1.4826 * 2900.0)
    assert [one.cut_kms for one in errors.catastrophic] == list(CATASTROPHIC_CUTS) == [1000, 3000, 6000, 12000]
    assert [one.k for one in redshift_errors(Z_PRED, Z_TRUE, speed_of_light=2.999e5).catastrophic] == [3, 1, 1, 0]
    for one in errors.catastrophic:
        assert one.n == 5
        assert one.fraction == one.k / 5
        assert (one.lo, one.hi) == wilson(one.k, 5)


def test_only_the_rows_in_use() -> None:
    use = np.array([True, False, False, True, False, True])
    errors = redshift_errors(Z_PRED, Z_TRUE, use=use, cuts=(9999.0,), speed_of_light=3e5)
    assert errors.n == 2
    assert errors.median_kms == pytest.approx(5000.0)
    assert [one.k for one in errors.catastrophic] == [1]


def test_no_rows() -> None:
    errors = redshift_errors([], [])
    assert errors.n == 0
    assert math.isnan(errors.median_kms)
    assert math.isnan(errors.nmad_kms)
    assert all(one.k == 0 and math.isnan(one.fraction) and math.isnan(one.lo) for one in errors.catastrophic)


def test_worst_first_ties_in_row_order() -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    cases = worst_cases(names, Z_PRED, Z_TRUE, speed_of_light=3e5, count=3)
    assert next(case.object_id for case in cases) == "d"
    assert {case.object_id for case in cases[1:]} == {"b", "c"}
    assert (cases[0].index, cases[0].z_true, cases[0].z_pred) == (3, 2.0, 2.1)
    assert cases[0].dv_kms == pytest.approx(10000.0)
    tied = worst_cases([1, 2, 3], [2.5, 1.5, 2.5], [2.0, 2.0, 2.0])
    assert [case.object_id for case in tied] == ["1", "2", "3"]


def test_worst_of_some() -> None:
    names = np.arange(6)
    use = np.array([True, True, True, False, True, True])
    cases = worst_cases(names, Z_PRED, Z_TRUE, use=use, min_dv_kms=50.0)
    assert {case.object_id for case in cases} == {"1", "2", "4"}
    assert worst_cases(names, Z_PRED, Z_TRUE, count=0) == ()
    with pytest.raises(ValueError, match="negative"):
        worst_cases(names, Z_PRED, Z_TRUE, count=-1)
    with pytest.raises(ValueError, match="5 names for 6"):
        worst_cases(names[:5], Z_PRED, Z_TRUE)
