"""The afterburner's table: names, types and order of both dialects, and what is in it where nothing was run."""

from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.handover.qn_rr import column_dtypes, qn_rr_columns, qn_rr_header, write_qn_rr

FACTS = {
    "WHASH": "0" * 64, "GRID": "log", "C_THRESH": 0.5, "N_THRESH": 1, "PIPELINE": "current", "RULE": "desispec",
    "OFFSETS": "as-trained", "QNETVER": "1",
}  # fmt: skip


def columns(n: int = 3, pipeline: str = "current", **changes: Any) -> dict[str, np.ndarray]:
    lines = np.arange(6 * n, dtype=np.float32).reshape(6, n) / 100
    lines[:, -1:] = np.nan
    given: dict[str, Any] = {
        "targetid": np.arange(n) - 1,
        "ra": np.full(n, 10.5),
        "dec": np.full(n, -3.0),
        "desi_target": np.full(n, 1 << 62),
        "spectype": np.array(["QSO", "GALAXY", "STAR"])[np.arange(n) % 3],
        "z_redrock": np.linspace(0.1, 0.3, n),
        "zbest": np.where(np.arange(n) < n - 1, 2.5, np.nan),
        "c_line": lines,
        "z_line": lines + 1,
    }
    return qn_rr_columns(pipeline=pipeline, target_column="SV3_DESI_TARGET", **{**given, **changes})


def test_a_row_of_dr1_is_as_long_as_in_desis_data_model():
    # NAXIS1 of the published qso_qn files of DR1.
    assert sum(dtype.itemsize for dtype in column_dtypes("dr1", "DESI_TARGET").values()) == 151


def test_there_is_no_third_dialect():
    with pytest.raises(ValueError, match="pipeline"):
        column_dtypes("dr3", "DESI_TARGET")


def test_what_was_not_run_is_nan_zero_or_blank():
    table = columns()
    assert table["TARGETID"].tolist() == [-1, 0, 1]
    assert table["SV3_DESI_TARGET"].tolist() == [1 << 62] * 3
    assert table["SPECTYPE_RR"].tolist() == [b"QSO", b"GALAXY", b"STAR"]
    assert table["IS_QSO_QN_NEW_RR"].tolist() == [False] * 3
    assert table["C_CIV"].tolist()[:2] == [np.float32(0.03), np.float32(0.04)]
    assert table["Z_Halpha"].tolist()[:2] == [np.float32(1.15), np.float32(1.16)]
    for name in ("Z_NEW", "ZERR_NEW", "CHI2_NEW", "DELTACHI2_NEW", "COEFF_NEW"):
        assert np.isnan(table[name]).all(), name
    assert table["COEFF_NEW"].shape == (3, 10)
    assert table["ZWARN_NEW"].tolist() == [0, 0, 0]
    assert table["SPECTYPE_NEW"].tolist() == table["SUBTYPE_NEW"].tolist() == [b"", b"", b""]
    assert np.isnan([table["Z_QN"][2], table["C_LYA"][2], table["Z_LYA"][2]]).all()


def test_dr1_has_its_own_names():
    table = columns(pipeline="dr1")
    assert list(table)[:11] == [
        "TARGETID", "RA", "DEC", "Z_NEW", "ZERR_NEW", "SV3_DESI_TARGET", "COEFFS", "SPECTYPE", "Z_RR", "Z_QN",
        "IS_QSO_QN_NEW_RR",
    ]  # fmt: skip
    assert table["Z_RR"].dtype == np.float32
    assert table["SPECTYPE"].dtype == np.dtype("S10")


@pytest.mark.parametrize("n", [0, 1, 3])
def test_the_same_table_gives_the_same_bytes(tmp_path: Path, n: int):
    header = qn_rr_header(FACTS, {"numpy": "2", "QN_MODEL_FILE": "/a/qn.h5"})
    for name in ("a.fits", "b.fits"):
        write_qn_rr(tmp_path / name, columns(n), header)
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()
    with fitsio.FITS(str(tmp_path / "a.fits")) as fits:
        assert fits["QN_RR"].get_nrows() == n
        cards = fits["QN_RR"].read_header()
    assert (cards["DEPNAM01"], cards["DEPVER01"]) == ("QN_MODEL_FILE", "/a/qn.h5")
    assert cards["NSCORED"] == max(0, n - 1)


def test_what_does_not_fit_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="3 rows"):
        columns(c_line=np.zeros((6, 2)))
    with pytest.raises(ValueError, match="RA"):
        columns(ra=np.zeros(2))
    with pytest.raises(ValueError, match="GRID"):
        write_qn_rr(tmp_path / "a.fits", columns(), {k: v for k, v in FACTS.items() if k != "GRID"})
    with pytest.raises(BadInput, match=r"\.fits"):
        write_qn_rr(tmp_path / "a.txt", columns(), FACTS)
    with pytest.raises(QnetError, match="cannot be written"):
        write_qn_rr(tmp_path / "nowhere" / "a.fits", columns(), FACTS)
    assert list(tmp_path.iterdir()) == []
