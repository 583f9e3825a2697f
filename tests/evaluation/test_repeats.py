"""Objects seen more than once, by hand."""

import time

import numpy as np
import pytest

from qnet_tui.evaluation.repeats import (
    class_entropy,
    entropy_bins,
    entropy_plane,
    object_scatter,
    redshift_scatter,
    repeat_groups,
)


def objects_of(groups, object_id):
    return {
        int(object_id[groups.order[s]]): sorted(groups.order[s : s + n].tolist())
        for s, n in zip(groups.starts, groups.counts, strict=True)
    }


def test_one_kind_of_each_object():
    #                    0  1  2  3  4  5  6  7  8   9  10 11
    object_id = np.array([7, 7, 7, 3, 3, 9, 9, 9, 0, -4, 5, -4])
    coadd = np.array([1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    groups = repeat_groups(object_id, coadd)
    # 7: two exposures, so not its coadd; 3: two coadds; 9: one exposure, so its two coadds; the others: none.
    assert objects_of(groups, object_id) == {7: [1, 2], 3: [3, 4], 9: [5, 6]}
    # Without one of its exposures object 7 has one row of either kind.
    use = np.ones(12, dtype=bool)
    use[1] = False
    assert 7 not in objects_of(repeat_groups(object_id, coadd, use), object_id)


def test_entropy_in_bits():
    object_id = np.array([1, 1, 2, 2, 2, 3, 3, 3, 3, 3])
    is_qso = np.array([1, 0, 1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
    groups = repeat_groups(object_id, np.zeros(10, bool))
    third = -(1 / 3) * np.log2(1 / 3) - (2 / 3) * np.log2(2 / 3)
    np.testing.assert_allclose(class_entropy(is_qso, groups), [1.0, third, 0.0])
    bins = entropy_bins(class_entropy(is_qso, groups))
    assert (len(bins), bins[0].count, bins[18].count, bins[-1].count) == (20, 1, 1, 1)
    assert (bins[18].entropy, bins[18].entropy_hi) == (0.9, 0.95)
    plane = entropy_plane([0.0, 1.0, 1.0], [0.0, 0.0, 1.0])
    assert (plane[0, 0], plane[0, 19], plane[19, 19], plane.sum()) == (1, 1, 1, 3)


def test_scatter_of_the_redshift_of_consistent_quasars():
    object_id = np.array([1, 1, 2, 2, 3, 3, 4, 4])
    z = np.array([1.00, 1.02, 1.10, 1.16, 2.0, 2.5, 4.99, 5.05])
    is_qso = np.array([1, 1, 1, 1, 1, 0, 1, 1], dtype=bool)
    groups = repeat_groups(object_id, np.zeros(8, bool))
    mean, sigma = object_scatter(z, is_qso, groups)
    np.testing.assert_allclose(mean, [1.01, 1.13, np.nan, 5.02])
    np.testing.assert_allclose(sigma, [0.01, 0.03, np.nan, 0.03])
    got = redshift_scatter(mean, sigma)
    assert len(got) == 19
    filled = [b for b in got if b.n]
    # Objects 1 and 2 (means 1.01 and 1.13) lie in [20/19, 25/19) and below: edges are multiples of 5/19 = 0.263.
    assert [(round(b.lo, 3), b.n) for b in filled] == [(0.789, 1), (1.053, 1)]
    assert filled[0].sigma_z == pytest.approx(0.01)
    assert filled[0].z_mean == pytest.approx(1.01)
    assert filled[1].sigma_z == pytest.approx(0.03)
    assert np.isnan(filled[0].error)
    # 4 has a mean of 5.02: beyond the last edge.
    wide = redshift_scatter(mean, sigma, edges=[0.0, 6.0])[0]
    assert wide.n == 3
    assert wide.sigma_z == pytest.approx((0.01 + 0.03 + 0.03) / 3)
    assert wide.median == pytest.approx(0.03)
    assert wide.error == pytest.approx(np.std([0.01, 0.03, 0.03], ddof=1) / np.sqrt(3))


def test_nobody_is_seen_twice():
    groups = repeat_groups([1, 2, 3], [False, False, True])
    assert len(groups) == 0
    assert class_entropy([True, False, True], groups).size == 0
    assert all(b.n == 0 for b in redshift_scatter(*object_scatter([1.0, 2.0, 3.0], [True] * 3, groups)))
    assert sum(b.count for b in entropy_bins([])) == 0
    assert len(repeat_groups([], [])) == 0


def test_a_million_rows_take_seconds():
    rng = np.random.default_rng(1)
    object_id = rng.integers(1, 400_000, 1_000_000)
    is_qso = rng.random(1_000_000) < 0.3
    began = time.monotonic()
    groups = repeat_groups(object_id, rng.random(1_000_000) < 0.2)
    class_entropy(is_qso, groups)
    redshift_scatter(*object_scatter(rng.random(1_000_000), is_qso, groups))
    assert time.monotonic() - began < 5
