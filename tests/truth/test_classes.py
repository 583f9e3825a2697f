"""Class matrix, what trains, and the split by object."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qnet_tui.errors import BadInput
from qnet_tui.truth.classes import MATRIX_COLUMNS, class_matrix, is_good, split_validation, training_targets

KINDS = ["STAR", "GALAXY", "QSO", "QSO", "QSO", "QSO", "STAR"]
Z = [0.0, 0.5, 2.0999999, 2.1, 3.0, np.nan, np.nan]
QUALITY = [2.5, 4.0, 3.0, 3.0, 2.4999, 1.0, np.nan]


def test_good_is_two_and_a_half_or_better() -> None:
    assert is_good([2.4999999, 2.5, 2.6, np.nan]).tolist() == [False, True, True, False]


def test_class_matrix_by_hand() -> None:
    assert MATRIX_COLUMNS == ("STAR", "GALAXY", "QSO_LZ", "QSO_HZ", "BAD")
    y = class_matrix(KINDS, Z, QUALITY)
    assert y.dtype == np.int8
    assert y.tolist() == [
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1],
    ]


def test_training_drops_what_is_not_good() -> None:
    use, z, is_qso, bal = training_targets(KINDS, Z, QUALITY, [0, 0, 1, -1, 1, 0, 0])
    assert use.tolist() == [True, True, True, True, False, False, False]
    assert is_qso.tolist() == [False, False, True, True, False, False, False]
    assert z.tolist() == [0.0, 0.5, 2.0999999, 2.1, 3.0, 0.0, 0.0]
    assert (z.dtype, bal.tolist()) == (np.float64, [0, 0, 1, -1, 1, 0, 0])


def test_training_as_upstream_keeps_bad_rows_as_no_quasars() -> None:
    use, z, is_qso, _ = training_targets(KINDS, Z, QUALITY, np.zeros(7), keep_bad_as_negative=True)
    assert use.all()
    assert is_qso.tolist() == [False, False, True, True, False, False, False]
    assert np.isfinite(z).all()


@pytest.mark.parametrize("function", [class_matrix, lambda *a: training_targets(*a, np.zeros(len(a[0])))])
def test_labels_that_cannot_be(function: object) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match="has no redshift"):
        function(["QSO"], [np.nan], [4.0])
    with pytest.raises(ValueError, match="class 'WD' is none of"):
        function(["WD"], [0.0], [4.0])
    with pytest.raises(ValueError, match="differ in shape"):
        function(["STAR"], [0.0, 1.0], [4.0])


def test_bal_flags_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="-1, 0 or 1"):
        training_targets(["STAR"], [0.0], [4.0], [2])
    with pytest.raises(ValueError, match="-1, 0 or 1"):
        training_targets(["STAR"], [0.0], [4.0], [0, 0])


def test_split_is_stratified_and_of_the_size_asked_for() -> None:
    strata = ["QSO"] * 100 + ["GALAXY"] * 50 + ["STAR"] * 7 + ["BAD"] * 3
    ids = [str(39633493583464924 + i) for i in range(160)]
    mask = split_validation(ids, 0.3, 17, strata)
    held = np.array(strata)[mask]
    # 48 of 160; quotas 30, 15, 2.1, 0.9: the last place goes to the largest remainder
    counts = {name: int((held == name).sum()) for name in set(strata)}
    assert counts == {"QSO": 30, "GALAXY": 15, "STAR": 2, "BAD": 1}
    assert not np.array_equal(mask, split_validation(ids, 0.3, 18, strata))


def test_split_takes_all_rows_of_an_object_and_its_first_stratum() -> None:
    ids = np.array([5, 5, 5, 6, 6, 7, 8, 9, 10, 11])
    strata = np.array(["QSO", "GALAXY", "QSO", "QSO", "QSO", "STAR", "STAR", "STAR", "GALAXY", "GALAXY"])
    mask = split_validation(ids, 0.5, 3, strata)
    for one in np.unique(ids):
        assert len(set(mask[ids == one].tolist())) == 1
    # objects: GALAXY 5, 10, 11; QSO 6; STAR 7, 8, 9: 7 objects, round(3.5) = 4 held
    assert len(np.unique(ids[mask])) == 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), max_size=80),
    st.floats(0.01, 0.99),
    st.integers(0, 2**40),
    st.randoms(use_true_random=False),
)
def test_split_does_not_depend_on_the_order(
    rows: list[tuple[int, str]], fraction: float, seed: int, shuffler: object
) -> None:
    def split(pairs: list[tuple[int, str]]) -> dict[int, bool]:
        mask = split_validation([i for i, _ in pairs], fraction, seed, [s for _, s in pairs])
        sides: dict[int, set[bool]] = {}
        for (one, _), held in zip(pairs, mask.tolist(), strict=True):
            sides.setdefault(one, set()).add(held)
        assert all(len(side) == 1 for side in sides.values())
        return {one: side.pop() for one, side in sides.items()}

    before = split(rows)
    assert sum(before.values()) == round(fraction * len(before))
    shuffled = list(rows)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    assert split(shuffled) == before


@pytest.mark.parametrize(("fraction", "seed"), [(0.0, 1), (1.0, 1), (-0.1, 1), (float("nan"), 1), (0.3, -1)])
def test_split_of_bad_settings(fraction: float, seed: int) -> None:
    with pytest.raises(BadInput):
        split_validation(["a"], fraction, seed, ["QSO"])


def test_split_of_lists_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        split_validation(["a", "b"], 0.5, 1, ["QSO"])


def test_a_spectrum_that_shows_nothing_needs_no_class() -> None:
    use, z, is_qso, _ = training_targets(["", "QSO"], [np.nan, 2.0], [0.0, 4.0], [0, 0])
    assert use.tolist() == [False, True]
    assert is_qso.tolist() == [False, True]
    assert z.tolist() == [0.0, 2.0]
    assert class_matrix([""], [np.nan], [0.0]).tolist() == [[0, 0, 0, 0, 1]]
    with pytest.raises(ValueError, match="class ''"):
        class_matrix([""], [2.0], [2.5])
