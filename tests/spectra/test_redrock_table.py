"""Redrock's rows in their order, joined to places and target bits, whatever the file lacks."""

from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.spectra.redrock_table import read_redrock_table, rows_among, target_column
from tests.spectra.written_files import table, write_desi

REDSHIFTS = {"TARGETID": [12, 11, -5], "Z": [0.5, 2.5, np.nan], "SPECTYPE": ["GALAXY", "QSO", ""]}


def write(path: Path, redshifts: Any = REDSHIFTS, fibermap: Any = None, header: Any = None, name="REDSHIFTS") -> Path:
    with fitsio.FITS(str(path), "rw", clobber=True) as fits:
        fits.write(None, header=header or {})
        fits.write(table(redshifts), extname=name)
        if fibermap is not None:
            fits.write(table(fibermap), extname="FIBERMAP")
    return path


FIBERMAP = {
    "TARGETID": [11, -5, 12], "TARGET_RA": [1.0, 2.0, 3.0], "TARGET_DEC": [-1.0, -2.0, -3.0],
    "OBJTYPE": ["TGT", "SKY", "TGT"], "SV1_DESI_TARGET": [4, 0, 8], "DESI_TARGET": [0, 0, 1],
}  # fmt: skip


@pytest.fixture
def coadd(tmp_path: Path) -> Path:
    return write_desi(tmp_path / "coadd-1.fits", {**FIBERMAP, "TARGET_RA": [91.0, 92.0, 93.0]})


def test_places_are_joined_by_targetid(tmp_path: Path, coadd: Path):
    got = read_redrock_table(write(tmp_path / "r.fits", fibermap=FIBERMAP), coadd)
    assert got.targetid.tolist() == [12, 11, -5]
    assert got.z[:2].tolist() == [0.5, 2.5]
    assert np.isnan(got.z[2])
    assert got.spectype.tolist() == ["GALAXY", "QSO", ""]
    assert got.ra.tolist() == [3.0, 1.0, 2.0]
    assert got.dec.tolist() == [-3.0, -1.0, -2.0]
    assert got.objtype.tolist() == ["TGT", "TGT", "SKY"]
    assert got.target_column == "SV1_DESI_TARGET"
    assert got.desi_target.tolist() == [8, 4, 0]


def test_what_its_fibermap_lacks_the_coadd_says(tmp_path: Path, coadd: Path):
    got = read_redrock_table(write(tmp_path / "r.fits"), coadd)
    assert got.ra.tolist() == [93.0, 91.0, 92.0]
    assert got.objtype.tolist() == ["TGT", "TGT", "SKY"]
    assert (got.target_column, got.desi_target.tolist()) == ("SV1_DESI_TARGET", [8, 4, 0])
    some = {"TARGETID": [12, 11, -5], "TARGET_RA": [30.0, 10.0, 20.0]}
    got = read_redrock_table(write(tmp_path / "s.fits", fibermap=some), coadd)
    assert got.ra.tolist() == [30.0, 10.0, 20.0]
    assert got.dec.tolist() == [-3.0, -1.0, -2.0]
    assert got.desi_target.tolist() == [8, 4, 0]


def test_before_everest_it_is_called_zbest_and_nothing_more_is_known(tmp_path: Path):
    coadd = write_desi(tmp_path / "coadd-1.fits", {"TARGETID": [11, 12]})
    got = read_redrock_table(write(tmp_path / "zbest-1.fits", name="ZBEST"), coadd)
    assert np.isnan(got.ra).all()
    assert got.objtype.tolist() == ["TGT"] * 3
    assert (got.target_column, got.desi_target.tolist()) == ("DESI_TARGET", [0, 0, 0])


def test_rows_that_no_fibermap_has_are_blank(tmp_path: Path, coadd: Path):
    redshifts = {"TARGETID": [99, 11], "Z": [1.0, 2.0], "SPECTYPE": ["QSO", "QSO"]}
    got = read_redrock_table(write(tmp_path / "r.fits", redshifts, FIBERMAP), coadd)
    assert np.isnan(got.ra[0])
    assert got.objtype.tolist() == ["", "TGT"]
    assert got.desi_target.tolist() == [0, 4]


@pytest.mark.parametrize(
    ("names", "survey", "column"),
    [
        (["DESI_TARGET"], "", "DESI_TARGET"),
        (["DESI_TARGET", "SV1_DESI_TARGET"], "", "SV1_DESI_TARGET"),
        (["DESI_TARGET", "SV1_DESI_TARGET"], "main", "DESI_TARGET"),
        (["DESI_TARGET", "SV1_DESI_TARGET", "SV3_DESI_TARGET"], "sv3", "SV3_DESI_TARGET"),
        (["DESI_TARGET", "CMX_TARGET"], "cmx", "CMX_TARGET"),
        (["DESI_TARGET", "CMX_TARGET"], "", "CMX_TARGET"),
        (["SV2_DESI_TARGET"], "special", "SV2_DESI_TARGET"),
        (["SV1_BGS_TARGET", "FLUX_G"], "sv1", "DESI_TARGET"),
        ([], "", "DESI_TARGET"),
    ],
)
def test_the_column_of_the_survey(names: list[str], survey: str, column: str):
    assert target_column(names, survey) == column


@pytest.mark.parametrize(
    ("wanted", "among", "at"),
    [
        ([3, 1, 2], [1, 2, 3], [2, 0, 1]),
        ([3, 9], [1, 2, 3], [2, -1]),
        ([], [1], []),
        ([1], [], [-1]),
        ([-7, 5, -7], [5, -7, -7], [1, 0, 2]),
        ([0, 0], [0, 0], [0, 1]),
        ([0, 5], [5, 0], [-1, 0]),
        ([5, 5], [5, 1], [0, -1]),
    ],
)
def test_rows_are_found_by_targetid(wanted: list[int], among: list[int], at: list[int]):
    assert rows_among(np.array(wanted, np.int64), np.array(among, np.int64)).tolist() == at


def test_what_is_no_redrock_file_is_refused_in_one_line(tmp_path: Path, coadd: Path):
    with pytest.raises(BadInput, match="no HDU REDSHIFTS"):
        read_redrock_table(coadd, coadd)
    lacking = {"TARGETID": [1], "Z": [0.1]}
    with pytest.raises(BadInput, match="no column SPECTYPE"):
        read_redrock_table(write(tmp_path / "r.fits", lacking), coadd)
    whole = write(tmp_path / "t.fits").read_bytes()
    (tmp_path / "t.fits").write_bytes(whole[:-3000])
    with pytest.raises(BadInput, match=r"t\.fits: truncated"):
        read_redrock_table(tmp_path / "t.fits", coadd)
    with pytest.raises(BadInput, match="no such file"):
        read_redrock_table(tmp_path / "nowhere.fits", coadd)
