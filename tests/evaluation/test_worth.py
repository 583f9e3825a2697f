"""The worth of a label, by hand: equal to random is 1, twice as good is 2, beyond the curve is "at least"."""

import math

import numpy as np
import pytest

from qnet_tui.evaluation.worth import (
    SMALLEST_WORTH,
    mean_interval,
    random_labels_for,
    rising,
    student_t,
    worth_of_labels,
)

COUNTS = (0, 300, 600, 900, 1200)
CURVE = np.array([0.50, 0.60, 0.70, 0.75, 0.80])


def replicas(*offsets: float) -> np.ndarray:
    """The same curve in each replica, each with its own level."""
    return CURVE + np.array(offsets)[:, None]


@pytest.mark.parametrize(
    ("level", "dof", "expected"),
    # Published tables of Student's t, two-sided.
    [(0.95, 1, 12.7062), (0.95, 2, 4.3027), (0.95, 3, 3.1824), (0.95, 4, 2.7764), (0.95, 5, 2.5706),
     (0.95, 30, 2.0423), (0.99, 7, 3.4995), (0.90, 10, 1.8125), (0.95, 1000, 1.9623)],
)  # fmt: skip
def test_students_quantiles_are_those_of_the_tables(level: float, dof: int, expected: float) -> None:
    assert student_t(level, dof) == pytest.approx(expected, abs=6e-5)


def test_an_impossible_quantile_is_refused() -> None:
    with pytest.raises(ValueError, match="0 degrees"):
        student_t(0.95, 0)
    with pytest.raises(ValueError, match=r"level 1\.0"):
        student_t(1.0, 3)


def test_mean_and_interval_by_hand() -> None:
    # Mean 2, standard deviation 1, three values: half width 4.3027 / sqrt(3).
    found = mean_interval([1.0, 2.0, 3.0, math.nan])
    assert (found.mean, found.n) == (2.0, 3)
    assert found.hi - 2.0 == pytest.approx(4.3027 / math.sqrt(3), abs=1e-4)
    assert 2.0 - found.lo == pytest.approx(found.hi - 2.0)


def test_one_value_has_no_interval_and_none_has_no_mean() -> None:
    one, none = mean_interval([4.0]), mean_interval([])
    assert one.mean == 4.0
    assert math.isnan(one.lo)
    assert math.isnan(one.hi)
    assert none.n == 0
    assert math.isnan(none.mean)


def test_neighbours_that_fall_are_averaged() -> None:
    assert rising([1.0, 3.0, 2.0, 4.0]).tolist() == [1.0, 2.5, 2.5, 4.0]
    assert rising([3.0, 2.0, 1.0]).tolist() == [2.0, 2.0, 2.0]
    assert rising([1.0, 2.0]).tolist() == [1.0, 2.0]
    assert rising([]).tolist() == []


def test_random_labels_are_read_off_the_curve() -> None:
    assert random_labels_for(0.65, COUNTS, CURVE, 300) == (pytest.approx(450.0), "")
    assert random_labels_for(0.60, COUNTS, CURVE, 300) == (300.0, "")
    assert random_labels_for(0.81, COUNTS, CURVE, 300) == (1200.0, "at least")
    assert random_labels_for(0.80, COUNTS, CURVE, 300) == (1200.0, "")
    assert random_labels_for(0.49, COUNTS, CURVE, 300) == (0.0, "at most")


def test_on_a_flat_piece_the_number_nearest_to_the_labels_spent_is_taken() -> None:
    flat = np.array([0.5, 0.6, 0.6, 0.6, 0.7])
    assert random_labels_for(0.6, COUNTS, flat, 600)[0] == 600.0
    assert random_labels_for(0.6, COUNTS, flat, 1200)[0] == 900.0
    assert random_labels_for(0.6, COUNTS, flat, 100)[0] == 300.0


def test_labels_as_good_as_random_ones_are_worth_one() -> None:
    table = replicas(-0.02, 0.0, 0.02)
    found = worth_of_labels(600, COUNTS, table, table[:, 2])
    assert found.difference.mean == 0.0
    assert (found.worth.value, found.lo.value, found.hi.value) == (1.0, 1.0, 1.0)
    assert [one.value for one in found.replicas] == [1.0, 1.0, 1.0]
    assert found.geometric.mean == pytest.approx(1.0)
    assert found.median == 1.0
    assert found.verdict == "does not pay"


def test_labels_that_do_what_twice_as_many_random_ones_do_are_worth_two() -> None:
    table = replicas(-0.02, 0.0, 0.02)
    # 300 chosen labels give what 600 random ones give, give or take 0.005 (15 labels a replica): the pairing takes the
    # level of a replica away.
    found = worth_of_labels(300, COUNTS, table, table[:, 2] + [0.005, 0.0, -0.005])
    assert found.worth.value == pytest.approx(2.0)
    assert found.difference.mean == pytest.approx(0.1)
    half = 4.302653 * 0.005 / math.sqrt(3)
    assert found.difference.lo == pytest.approx(0.1 - half, abs=1e-6)
    # 0.7 - half lies between 300 and 600, 0.7 + half between 600 and 900 random labels.
    assert found.lo.value == pytest.approx(2.0 - half / 0.1, abs=1e-5)
    assert found.hi.value == pytest.approx(2.0 + half / 0.05, abs=1e-5)
    assert found.verdict == "pays"


def test_labels_that_do_what_half_as_many_do_are_worth_a_half_and_do_not_pay() -> None:
    table = replicas(0.0, 0.01, 0.02, 0.03)
    found = worth_of_labels(600, COUNTS, table, table[:, 1] + [0.001, -0.001, 0.002, -0.002])
    assert found.worth.value == pytest.approx(0.5)
    assert found.difference.hi < 0
    assert found.verdict == "does not pay"


def test_beyond_the_curve_the_worth_is_a_bound() -> None:
    table = replicas(0.0, 0.0, 0.0)
    above = worth_of_labels(300, COUNTS, table, [0.9, 0.9, 0.79])
    assert [one.censored for one in above.replicas] == ["at least", "at least", ""]
    assert above.censored_above == 2
    assert above.censored_below == 0
    assert above.worth.value == 4.0
    assert above.worth.censored == "at least"
    # 4, 4 and 1140 / 300 = 3.8.
    assert above.geometric.mean == pytest.approx((4 * 4 * 3.8) ** (1 / 3))
    assert above.median == 4.0
    below = worth_of_labels(300, COUNTS, table, [0.4, 0.4, 0.4])
    assert below.worth.censored == "at most"
    assert below.worth.value == SMALLEST_WORTH
    assert below.censored_below == 3
    assert below.verdict == "does not pay"


def test_wide_intervals_and_single_replicas_tell_nothing() -> None:
    table = replicas(0.0, 0.0, 0.0)
    assert worth_of_labels(300, COUNTS, table, [0.5, 0.65, 0.7]).verdict == "cannot tell"
    one = worth_of_labels(300, COUNTS, table[:1], [0.75])
    assert one.worth.value == pytest.approx(3.0)
    assert math.isnan(one.lo.value)
    assert one.verdict == "cannot tell"


def test_a_gain_that_is_surely_small_does_not_pay() -> None:
    # Between 0.97 and 1.07 with certainty: nobody would take the trouble.
    table = replicas(0.0, 0.0, 0.0)
    found = worth_of_labels(600, COUNTS, table, CURVE[2] + np.array([0.002, 0.0, 0.001]))
    assert found.difference.lo < 0 < found.difference.hi
    assert found.hi.value < 1.25
    assert found.verdict == "does not pay"


def test_a_measure_that_random_labels_do_not_raise_has_no_worth() -> None:
    falling = np.array([[0.9, 0.8, 0.7], [0.92, 0.81, 0.69]])
    found = worth_of_labels(300, (0, 300, 600), falling, [0.85, 0.86])
    assert math.isnan(found.worth.value)
    assert math.isnan(found.geometric.mean)
    assert found.difference.mean == pytest.approx(0.05)


def test_a_replica_without_a_figure_is_left_out_and_none_tell_nothing() -> None:
    table = replicas(0.0, 0.0, 0.0)
    some = worth_of_labels(300, COUNTS, table, [0.7, math.nan, 0.7])
    assert some.difference.n == 2
    assert some.worth.value == pytest.approx(2.0)
    none = worth_of_labels(300, COUNTS, table, [math.nan] * 3)
    assert none.replicas == ()
    assert none.verdict == "cannot tell"


@pytest.mark.parametrize(
    ("spent", "counts", "values"),
    [(500, COUNTS, [0.5]), (0, COUNTS, [0.5]), (300, COUNTS, [0.5, 0.6]), (300, (0, 300, 300, 900, 1200), [0.5])],
)
def test_what_does_not_fit_together_is_refused(spent: int, counts: tuple[int, ...], values: list[float]) -> None:
    with pytest.raises(ValueError, match="labels"):
        worth_of_labels(spent, counts, replicas(0.0), values)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.0])
def test_the_interval_holds_the_true_worth_as_often_as_it_says(true: float) -> None:
    rng = np.random.default_rng(7)
    counts = (0, 300, 600, 900, 1200, 1500, 1800)

    def level(n: np.ndarray | float) -> np.ndarray:
        return np.asarray(0.95 + 0.03 * (1.0 - np.exp(-np.asarray(n) / 700.0)))

    held = pays = 0
    for _ in range(200):
        replica = rng.normal(0.0, 0.004, 6)[:, None]
        table = level(np.array(counts)) + replica + rng.normal(0.0, 0.002, (6, 7))
        found = worth_of_labels(600, counts, table, level(600 * true) + replica[:, 0] + rng.normal(0.0, 0.002, 6))
        held += (found.lo.censored == "at most" or found.lo.value <= true) and (
            found.hi.censored == "at least" or found.hi.value >= true
        )
        pays += found.verdict == "pays"
    # 95 % of 200 is 190 ± 3.1: three sigma below, and never "pays" more often than half of the misses by chance allow.
    assert held >= 180
    assert pays == 200 if true == 2.0 else pays <= 12
