"""Medians of wide rows against numpy's, for rows that a sample shows well and for rows that it does not."""

import warnings

import numpy as np
import pytest

from qnet_tui.spectra.row_medians import countable_length, row_medians


def table(rows, width=7958):
    """Rows of different lengths as row_medians takes them, and their lengths."""
    out = np.full((len(rows), countable_length(width)), np.inf, dtype=np.float32)
    for place, row in zip(out, rows, strict=True):
        place[np.sort(np.random.default_rng(len(row)).choice(width, len(row), replace=False))] = row
    return out, np.array([len(row) for row in rows])


def expected(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [np.float32(np.median(np.asarray(row, dtype=np.float32))) if len(row) else np.nan for row in rows]


def check(rows, width=7958):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = row_medians(*table(rows, width))
    np.testing.assert_array_equal(got, np.array(expected(rows), dtype=np.float32))
    assert got.dtype == np.float32


@pytest.mark.parametrize("count", [7958, 7957, 6000, 5001, 400, 3, 2, 1, 0])
def test_rows_of_any_length(count):
    rng = np.random.default_rng(count)
    check([rng.normal(3, 1, count) for _ in range(5)])


@pytest.mark.parametrize("width", [7, 100, 4095, 4096, 4641, 7958, 20_000])
def test_tables_of_any_width(width):
    rng = np.random.default_rng(width)
    check([rng.normal(0, 1, n) for n in (width, width - 1, width // 2)], width)


def test_distributions_that_a_sample_misleads():
    rng = np.random.default_rng(1)
    n = 7958
    steep = np.concatenate([rng.normal(0, 1e-6, n // 2), rng.normal(50, 10, n - n // 2)])
    periodic = np.where(np.arange(n) % 32 == 0, 100.0, 0.0) + rng.normal(0, 1, n)
    rows = [
        np.zeros(n), np.full(n, -2.5), np.repeat([1.0, 2.0], n // 2), np.repeat([1.0, 2.0, 3.0], 2501)[:7503],
        steep, periodic, rng.standard_cauchy(n), rng.lognormal(0, 3, n), rng.integers(-3, 4, n), np.arange(n),
        np.concatenate([np.full(n - 1, 1.0), [1e30]]), rng.normal(0, 1e-30, n), rng.normal(0, 1e30, n),
    ]  # fmt: skip
    check(rows)


def test_values_beyond_float32_give_no_number():
    row = np.full(7958, np.inf)
    row[:3000] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(row_medians(*table([row, np.full(7958, -np.inf)]))).all()


def test_a_row_does_not_depend_on_the_others():
    rng = np.random.default_rng(5)
    rows = [rng.normal(rng.uniform(-5, 5), rng.uniform(0.1, 10), int(rng.integers(2000, 7958))) for _ in range(70)]
    values, counts = table(rows)
    whole = row_medians(values.copy(), counts)
    for one in (0, 33, 69):
        np.testing.assert_array_equal(row_medians(values[one : one + 1].copy(), counts[one : one + 1]), whole[one])
