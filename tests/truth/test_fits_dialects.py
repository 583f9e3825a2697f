"""FITS truth tables: SDSS's codes, catalogues, pipelines, and what FITS columns can do to a TARGETID."""

from pathlib import Path

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.truth.read import read_truth
from tests.truth.tables import write_fits


def test_codified_boss_truth(tmp_path: Path) -> None:
    columns = {
        "TARGETID": np.array([11, 12, 13, 14, 15, 16], dtype="i8"),
        "Z": [0.0, 0.5, 2.5, 2.6, 1.0, 1.0],
        "OBJCLASS": np.array([1, 2, 3, 3, 0, 0], dtype="i4"),
        "Z_CONF": np.array([2, 1, 2, 0, 0, 2], dtype="i4"),
        "BAL_FLAG_VI": np.array([0, 0, 1, 0, 0, 0], dtype="i2"),
        "BI_CIV": [0.0, 0.0, 900.0, 0.0, 0.0, 0.0],
    }
    table = read_truth(write_fits(tmp_path, columns))
    assert (table.dialect, table.origin) == ("boss", "people")
    assert [(one.spectype, one.z, one.quality, one.bal) for one in table.labels] == [
        ("STAR", 0.0, 3.0, -1),
        ("GALAXY", 0.5, 1.0, -1),
        ("QSO", 2.5, 3.0, 1),
        ("QSO", 2.6, 0.0, -1),
    ]
    # the column called TARGETID holds THING_IDs there
    assert table.labels[0].identities() == [("desi", "11"), ("sdss", "T11")]
    assert [(one.line, one.reason) for one in table.rejected] == [
        (5, "not inspected (no class, no confidence)"),
        (6, "class code 0 is none of 1, 2, 3"),
    ]
    assert table.notes == ("confidence 0, 1, 2 read as quality 0, 1, 3",)


def test_raw_superset_of_dr12q(tmp_path: Path) -> None:
    columns = {
        "THING_ID": np.array([21, 22, 23, 24, 25, 26], dtype="i4"),
        "Z_VI": [0.0, 0.5, 2.5, 2.6, -1.0, 2.0],
        "CLASS_PERSON": np.array([1, 4, 3, 30, 0, 50], dtype="i4"),
        "Z_CONF_PERSON": np.array([3, 2, 3, 1, 0, 7], dtype="i4"),
        "Z_PIPE": [9.0] * 6,
    }
    table = read_truth(write_fits(tmp_path, columns))
    assert table.dialect == "superset"
    assert [(one.thing_id, one.spectype, one.z, one.quality) for one in table.labels] == [
        (21, "STAR", 0.0, 3.0),
        (22, "GALAXY", 0.5, 2.0),
        (23, "QSO", 2.5, 3.0),
        (24, "QSO", 2.6, 1.0),
    ]
    assert [one.reason for one in table.rejected] == [
        "not inspected (no class, no confidence)",
        "class code 50 is none of 1, 3, 4, 30",
    ]
    columns["Z_CONF_PERSON"][3] = 9
    reasons = [one.reason for one in read_truth(write_fits(tmp_path, columns)).rejected]
    assert "confidence code 9 is none of 0, 1, 2, 3" in reasons


def test_a_desi_quasar_catalogue_is_all_quasars_whatever_redrock_says(tmp_path: Path) -> None:
    columns = {"TARGETID": [1, 2], "Z": [1.0, 2.0], "ZWARN": [0, 4], "SPECTYPE": ["QSO", "GALAXY"]}
    assert read_truth(write_fits(tmp_path, columns)).origin == "pipeline"
    table = read_truth(write_fits(tmp_path, columns, extname="QSO_CAT"))
    assert (table.dialect, [one.spectype for one in table.labels]) == ("catalogue", ["QSO", "QSO"])


def test_the_table_is_found_among_several_hdus(tmp_path: Path) -> None:
    path = tmp_path / "many.fits"
    with fitsio.FITS(str(path), "rw") as fits:
        fits.write(np.zeros((3, 3)))
        fits.write([np.arange(2)], names=["OTHER"], extname="OTHER")
        fits.write([np.array([5], "i8"), np.array([1.5]), np.array([4.0]), np.array(["QSO"])],
                   names=["TARGETID", "VI_Z", "VI_QUALITY", "VI_CLASS"], extname="VI")  # fmt: skip
    table = read_truth(path)
    assert (table.dialect, table.labels[0].targetid, table.labels[0].line) == ("quasarnet", 5, 1)


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        (np.array([39633493583464924.0]), "was stored as a float and has lost digits"),
        (np.array([427104307], dtype="f4"), "was written as a float and has lost digits"),
        (np.array([1.5]), "is not a whole number"),
        (np.array([np.inf]), "is not a whole number"),
        (np.array([True]), "is not a whole number"),
        (np.array([2**63], dtype="u8"), "does not fit 64 bits"),
        (np.array(["3.96e+16"]), "was written as a float and has lost digits"),
    ],
)
def test_identities_that_went_through_a_float(tmp_path: Path, ids: np.ndarray, reason: str) -> None:
    table = read_truth(write_fits(tmp_path, {"TARGETID": ids, "Z": np.array([1.0])}))
    assert table.labels == ()
    assert table.rejected[0].reason.endswith(reason)


@pytest.mark.parametrize(
    "ids",
    [np.array([39633493583464924]), np.array(["39633493583464924"]), np.array([39633493583464924], "u8")],
)
def test_identities_keep_all_digits(tmp_path: Path, ids: np.ndarray) -> None:
    table = read_truth(write_fits(tmp_path, {"TARGETID": ids, "Z": np.array([1.0])}))
    assert table.labels[0].targetid == 39633493583464924


def test_small_identities_stored_as_floats_are_exact(tmp_path: Path) -> None:
    table = read_truth(write_fits(tmp_path, {"THING_ID": np.array([427104307.0]), "Z": np.array([1.0])}))
    assert table.labels[0].thing_id == 427104307


def test_a_missing_redshift_is_a_nan(tmp_path: Path) -> None:
    columns = {
        "TARGETID": [1, 2],
        "VI_Z": [np.nan, np.nan],
        "VI_QUALITY": [1.0, 3.0],
        "VI_CLASS": ["STAR", "QSO"],
    }
    table = read_truth(write_fits(tmp_path, columns))
    assert [one.z for one in table.labels] == [None]
    assert [(one.line, one.reason) for one in table.rejected] == [(2, "no redshift at quality 3")]


def test_a_column_of_vectors_is_refused(tmp_path: Path) -> None:
    path = write_fits(tmp_path, {"TARGETID": np.array([1, 2]), "Z": np.ones((2, 3))})
    with pytest.raises(BadInput, match="column Z has not one number or text in each row"):
        read_truth(path)


def test_no_table_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "image.fits"
    fitsio.write(str(path), np.zeros((4, 4)), clobber=True)
    with pytest.raises(BadInput, match="no table with rows"):
        read_truth(path)
    with fitsio.FITS(str(path), "rw") as fits:
        fits.create_table_hdu(dtype=[("TARGETID", "i8"), ("Z", "f8")])
    with pytest.raises(BadInput, match="no table with rows"):
        read_truth(path)
