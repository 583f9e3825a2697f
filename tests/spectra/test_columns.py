import numpy as np
import pytest

from qnet_tui.spectra.columns import as_float32, as_floats, as_integers, as_small_integers, as_texts
from qnet_tui.spectra.rows import ROW_DTYPE, desi_identity, empty_rows, sdss_identity


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (np.array([1, -2], dtype="i2"), [1, -2]),
        (np.array([1, -(2**63)], dtype=">i8"), [1, -(2**63)]),
        (np.array([2**63, 7], dtype="u8"), [-9, 7]),
        (np.array([1.0, 1.5, np.nan, np.inf, 2.0**63, -(2.0**63)]), [1, -9, -9, -9, -9, -9]),
        (np.array([b"1"]), [-9]),
        (np.array([[1, 2]]), [-9]),
        (np.array([True, False]), [-9, -9]),
    ],
)
def test_integers_or_the_default(column, expected):
    got = as_integers(column, -9)
    assert got.tolist() == expected
    assert got.dtype == np.int64


def test_small_integers_or_the_default():
    column = np.array([2**31 - 1, 2**31, -(2**31), -(2**31) - 1])
    got = as_small_integers(column)
    assert got.tolist() == [2**31 - 1, -1, -(2**31), -1]
    assert got.dtype == np.int32


def test_floats_or_nan():
    np.testing.assert_array_equal(as_floats(np.array([1.5, np.inf, np.nan])), [1.5, np.nan, np.nan])
    np.testing.assert_array_equal(as_floats(np.array([1, 2], dtype=">i4")), [1, 2])
    assert np.isnan(as_floats(np.array([b"1", b"2"]))).all()
    assert np.isnan(as_floats(np.zeros((3, 2)))).all()
    np.testing.assert_array_equal(as_float32(np.array([1e300, -1e300, 1.5])), np.float32([np.nan, np.nan, 1.5]))


def test_texts_or_nothing():
    assert as_texts(np.array([b" QSO  ", b"", b"\xc5"])).tolist() == ["QSO", "", "Å"]
    assert as_texts(np.array([" QSO  ", "x"])).tolist() == ["QSO", "x"]
    assert as_texts(np.array([1, 2])).tolist() == ["", ""]
    assert as_texts(np.array([[b"a", b"b"]])).tolist() == [""]


def test_rows_begin_with_nothing_known():
    rows = empty_rows(3)
    assert rows.dtype == ROW_DTYPE
    assert rows["hdu_row"].tolist() == [0, 1, 2]
    row = rows[1]
    assert [row[name] for name in ("thing_id", "plate", "mjd", "fiberid", "tileid", "night", "expid")] == [-1] * 7
    assert (row["targetid"], row["desi_target"], row["pipeline_zwarn"]) == (0, 0, -1)
    assert (row["identity"], row["objtype"], row["arms"], row["pipeline"]) == ("", "TGT", "", "")
    floats = [name for name in ROW_DTYPE.names if ROW_DTYPE[name].kind == "f"]
    assert len(floats) == 11
    assert all(np.isnan(row[name]) for name in floats)
    assert len(empty_rows(0)) == 0


def test_identities_of_desi_are_positive_targetids():
    identities = desi_identity(np.array([5, 0, -3, 2**63 - 1, -(2**63)]))
    assert identities.tolist() == ["5", "", "", str(2**63 - 1), ""]


@pytest.mark.parametrize(
    ("numbers", "identity"),
    [
        ((7, 1, 2, 3), "T7"),
        ((0, 1, 2, 3), "P1-2-3"),
        ((-1, 1, 2, 3), "P1-2-3"),
        ((-1, 1, 2, -1), ""),
        ((-1, -1, -1, -1), ""),
    ],
)
def test_identities_of_sdss(numbers, identity):
    assert sdss_identity(*numbers) == identity
