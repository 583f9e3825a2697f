"""Constructed redshifts give the constructed counts of exchanged lines."""

import numpy as np
import pytest

from qnet_tui.evaluation.line_confusion import line_confusion, nearest_exchange

LINES = (("LYA", 1215.67), ("CIV(1548)", 1548.2049), ("CIII(1909)", 1908.734), ("MgII(2796)", 2796.3511),
         ("Hbeta", 4862.68), ("Halpha", 6562.8))  # fmt: skip
NAMES, RESTS = tuple(name for name, _ in LINES), tuple(rest for _, rest in LINES)

# Table 1 of the paper.
TABLE = {
    "MgII(2796) -> CIV(1548)": 76,
    "MgII(2796) -> LYA": 5,
    "CIV(1548) -> CIII(1909)": 70,
    "LYA -> CIV(1548)": 89,
    "LYA -> CIII(1909)": 17,
    "LYA -> MgII(2796)": 42,
    "MgII(2796) -> CIII(1909)": 8,
}


def constructed(rng: np.random.Generator):
    """Redshifts with the exchanges of Table 1 up to 2900 km/s off, 500 that agree and 11 that nothing explains."""
    z_old, z_new, first, second = [], [], [], []
    for pair, count in TABLE.items():
        old, new = (NAMES.index(name) for name in pair.split(" -> "))
        z = rng.uniform(1.5, 3.5, count)
        z_old.append(z)
        z_new.append((1 + z) * RESTS[old] / RESTS[new] * (1 + rng.uniform(-2900, 2900, count) / 299792.458) - 1)
        first += [old] * count
        second += [new] * count
    z = rng.uniform(0.5, 3.0, 500)
    z_old.append(z)
    z_new.append(z * 1.0001)
    z = rng.uniform(1.0, 2.0, 11)
    z_old.append(z)
    z_new.append((1 + z) * 1.1 - 1)  # Ten per cent: no two lines are so near to each other.
    first += [0] * 511
    second += [0] * 511
    agrees = np.zeros(len(first), dtype=bool)
    agrees[sum(TABLE.values()) : sum(TABLE.values()) + 500] = True
    return np.concatenate(z_old), np.concatenate(z_new), agrees, np.array(first), np.array(second)


def test_constructed_exchanges_give_the_constructed_counts():
    z_old, z_new, agrees, first, second = constructed(np.random.default_rng(3))
    got = line_confusion(z_old, z_new, agrees, NAMES, RESTS, line_old=first, line_new=second)
    assert {c.pair: c.count for c in got if c.count} == {**TABLE, "other": 11}
    assert {c.pair: c.by_lines for c in got if c.by_lines} == {**TABLE, "other": 11}
    assert {c.pair: c.both for c in got if c.both} == TABLE
    assert len(got) == 31
    assert got[0].pair == "LYA -> CIV(1548)"
    assert sum(c.count for c in got) == np.count_nonzero(~agrees) == sum(c.by_lines for c in got)


def test_a_narrow_width_leaves_them_to_other():
    z_old, z_new, agrees, *_ = constructed(np.random.default_rng(3))
    got = line_confusion(z_old, z_new, agrees, NAMES, RESTS, width_kms=1.0)
    assert got[-1].count >= 300
    assert sum(c.count for c in got) == np.count_nonzero(~agrees)
    assert all(c.by_lines == 0 for c in got)


def test_nearest_exchange_by_hand():
    # CIV at z = 2 is at 4644.6 A; taken for MgII that is 1 + z = 1.66095.
    z_new = 3 * 1548.2049 / 2796.3511 - 1
    old, new, off = nearest_exchange([2.0, np.nan, 2.0], [z_new, 1.0, (1 + z_new) * 1.01 - 1], RESTS)
    assert old.tolist() == [1, -1, 1]
    assert new.tolist() == [3, -1, 3]
    assert off[0] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(off[1])
    assert off[2] == pytest.approx(2997.92458)


def test_nobody_and_nan():
    got = line_confusion([], [], [], NAMES, RESTS, line_old=[], line_new=[])
    assert all(c.count == c.by_lines == 0 for c in got)
    got = line_confusion([np.nan], [1.0], [False], NAMES, RESTS, line_old=[0], line_new=[1])
    assert all(c.count == c.by_lines == 0 for c in got)
    with pytest.raises(ValueError, match="two redshifts"):
        nearest_exchange([1.0], [1.0, 2.0], RESTS)
