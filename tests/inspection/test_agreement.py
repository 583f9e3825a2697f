"""Measures of agreement against published worked examples and against plain loops over pairs."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.inspection.agreement import (
    class_counts,
    close_pairs,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    observed_agreement,
    ordinal_alpha,
)

# inspection.md, pain 8.
VECTOR = np.array(
    [(3, 0, 0), (0, 3, 0), (0, 2, 1), (0, 1, 2), (0, 0, 3), (0, 0, 3), (1, 0, 2), (0, 3, 0), (0, 0, 3), (1, 1, 1)],
    float,
)


def test_the_vector_of_the_specification():
    assert observed_agreement(VECTOR).value == pytest.approx(0.700, abs=1e-9)
    assert fleiss_kappa(VECTOR).value == pytest.approx(0.5091, abs=5e-5)
    assert gwet_ac1(VECTOR).value == pytest.approx(0.5680, abs=5e-5)


def test_fleiss_own_example_of_fourteen_raters():
    table = """0 0 0 0 14/0 2 6 4 2/0 0 3 5 6/0 3 9 2 0/2 2 8 1 1/7 7 0 0 0/3 2 6 3 0/2 5 3 2 2/6 5 2 1 0/0 2 2 3 7"""
    counts = np.array([[float(number) for number in row.split()] for row in table.split("/")])
    assert observed_agreement(counts).value == pytest.approx(0.378, abs=5e-4)
    assert fleiss_kappa(counts).value == pytest.approx(0.210, abs=5e-4)


def test_krippendorffs_own_example_with_missing_votes():
    table = ("1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 .")
    people = [row.split() for row in table]
    units = [[value for value in unit if value != "."] for unit in zip(*people, strict=True)]
    counts = class_counts(units, ["1", "2", "3", "4", "5"])
    alpha = ordinal_alpha(counts)
    assert alpha.value == pytest.approx(0.815, abs=5e-4)
    assert alpha.n == 11, "the unit with one vote says nothing"


def test_cohens_kappa_of_a_worked_table():
    first = ["yes"] * 20 + ["yes"] * 5 + ["no"] * 10 + ["no"] * 15
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    got = cohen_kappa(first, second)
    assert (got.value, got.n) == (pytest.approx(0.4), 50)
    # The usual large-sample error of this table is 0.127.
    assert got.low == pytest.approx(0.4 - 1.96 * 0.127, abs=0.03)
    assert got.high == pytest.approx(0.4 + 1.96 * 0.127, abs=0.03)


def test_pairs_of_redshifts():
    got = close_pairs([[2.0, 2.005, 2.0099], [1.0, 1.0], [0.5]], 0.0033)
    # The boundary itself (2.0 and 2.0099) is no agreement, as in the merge rule.
    assert (got.value, got.n) == (pytest.approx(3 / 4), 2)
    assert close_pairs([[0.5], []], 0.0033).value is None


def test_what_is_not_defined_is_not_invented():
    same = np.array([[3, 0, 0]] * 5, float)
    assert observed_agreement(same).value == 1.0
    assert fleiss_kappa(same).value is None
    assert fleiss_kappa(same).n == 5
    assert gwet_ac1(same).value == 1.0
    assert ordinal_alpha(same).value is None
    assert cohen_kappa(["Q", "Q"], ["Q", "Q"]).value is None
    for measure in (observed_agreement, fleiss_kappa, gwet_ac1, ordinal_alpha):
        assert measure(np.zeros((0, 3))) == measure(np.array([[1.0, 0, 0]]))
        assert measure(np.zeros((0, 3))).n == 0
    assert cohen_kappa([], []).n == 0


def test_one_class_nearly_everywhere_ruins_kappa_but_not_ac1():
    counts = np.array([[3, 0, 0]] * 48 + [[2, 1, 0]] * 2, float)
    kappa, ac1 = fleiss_kappa(counts).value, gwet_ac1(counts).value
    assert kappa is not None
    assert ac1 is not None
    assert kappa < 0.0
    assert ac1 > 0.97


def test_intervals_are_seeded_hold_the_value_and_shrink_with_objects():
    few, many = observed_agreement(VECTOR), observed_agreement(np.tile(VECTOR, (20, 1)))
    assert few == observed_agreement(VECTOR)
    assert few.low < few.value < few.high
    assert many.high - many.low < 0.3 * (few.high - few.low)
    # Of ten objects with agreements of 0, 1/3 and 1 the error of the mean is 0.124.
    agreements = [1, 1, 1 / 3, 1 / 3, 1, 1, 1 / 3, 1, 1, 0]
    assert few.high - few.low == pytest.approx(2 * 1.96 * np.std(agreements) / np.sqrt(10), rel=0.1)


RATINGS = st.lists(st.lists(st.integers(0, 4), min_size=0, max_size=4), min_size=1, max_size=8)


@given(RATINGS)
def test_alpha_and_observed_agreement_equal_loops_over_pairs(ratings):
    units = [unit for unit in ratings if len(unit) > 1]
    counts = class_counts([[str(value) for value in unit] for unit in ratings], list("01234"))
    observed = observed_agreement(counts)
    assert observed.n == len(units)
    if not units:
        return
    agreeing = [np.mean([a == b for a, b in permutations(unit, 2)]) for unit in units]
    assert observed.value == pytest.approx(np.mean(agreeing))
    values = [value for unit in units for value in unit]

    def distance(a: int, b: int) -> float:
        low, high = min(a, b), max(a, b)
        between = sum(values.count(value) for value in range(low, high + 1))
        return (between - (values.count(low) + values.count(high)) / 2) ** 2 if a != b else 0.0

    within = sum(sum(distance(a, b) for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units)
    overall = sum(distance(a, b) for a, b in permutations(values, 2)) / (len(values) - 1)
    alpha = ordinal_alpha(counts)
    if overall == 0:
        assert alpha.value is None
    else:
        assert alpha.value == pytest.approx(1 - within / overall)


@given(st.lists(st.tuples(*[st.sampled_from("QGS")] * 3), min_size=2, max_size=12))
def test_renaming_the_classes_changes_nothing(votes):
    renamed = [["GSQ"["QGS".index(name)] for name in vote] for vote in votes]
    for measure in (observed_agreement, fleiss_kappa, gwet_ac1):
        one, other = measure(class_counts(votes, "QGS")), measure(class_counts(renamed, "QGS"))
        assert one.value == pytest.approx(other.value)
