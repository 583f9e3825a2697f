"""The scores FITS: every input row in its place, everything needed to repeat it, whole or not at all."""

import gzip
import hashlib
import resource
from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.handover.fits_bytes import Table, fits_bytes
from qnet_tui.handover.scores import (
    LINE_NAMES,
    REQUIRED_HEADER,
    column_dtypes,
    score_columns,
    score_header,
    write_scores,
)

HASH = hashlib.sha256(b"weights").hexdigest()


def header(**changes: Any) -> dict[str, Any]:
    cards = score_header(
        weights_hash=HASH,
        grid="log",
        c_threshold=0.95,
        n_lines=1,
        offsets="as-trained",
        qnet_version="0.1.0",
        weights_file="qn_train.h5",
        versions={"TFVER": "2.18.0", "NPVER": "2.1"},
    )
    return cards | changes


def columns(n: int = 5, **more: Any) -> dict[str, np.ndarray]:
    kept = np.arange(n)[1::2]
    m = kept.size
    lines = np.arange(6 * m, dtype=np.float32).reshape(6, m) / 100
    return score_columns(
        targetid=39633493583464924 + np.arange(n),
        kept=kept,
        c_line=lines,
        z_line=lines + 1,
        zbest=2.0 + np.arange(m) / 3,
        is_qso=np.ones(m, dtype=bool),
        **more,
    )


def test_one_row_per_input_row_with_nan_where_nothing_was_scored(tmp_path: Path) -> None:
    path = tmp_path / "scores.fits"
    write_scores(path, columns(), header(), files=["coadd-1.fits"])
    with fitsio.FITS(str(path)) as fits:
        assert [hdu.get_extname() for hdu in fits] == ["", "QN_SCORES", "FILES"]
        rows, cards, files = fits[1].read(), fits[1].read_header(), fits[2].read()
    assert rows.dtype.names == tuple(column_dtypes(sdss=False, several_files=False))
    assert rows.dtype.names[:3] == ("TARGETID", "IS_QSO", "ZBEST")
    assert rows.dtype.names[3:9] == ("C_LYA", "C_CIV", "C_CIII", "C_MgII", "C_Hbeta", "C_Halpha")
    assert rows.dtype.names[9:] == ("Z_LYA", "Z_CIV", "Z_CIII", "Z_MgII", "Z_Hbeta", "Z_Halpha")
    assert rows["TARGETID"].tolist() == [39633493583464924 + i for i in range(5)]
    assert rows["IS_QSO"].tolist() == [False, True, False, True, False]
    assert rows["ZBEST"].dtype.newbyteorder("=") == np.float64
    assert rows["ZBEST"][[1, 3]].tolist() == [2.0, 2.0 + 1 / 3]
    for line, name in enumerate(LINE_NAMES):
        assert rows[f"C_{name}"].dtype.newbyteorder("=") == np.float32
        assert rows[f"C_{name}"][[1, 3]].tolist() == [np.float32(2 * line / 100), np.float32((2 * line + 1) / 100)]
        assert np.isnan(rows[f"C_{name}"][[0, 2, 4]]).all()
        assert np.isnan(rows[f"Z_{name}"][[0, 2, 4]]).all()
    assert np.isnan(rows["ZBEST"][[0, 2, 4]]).all()
    assert (cards["WHASH"], cards["GRID"], cards["OFFSETS"]) == (HASH, "log", "as-trained")
    assert (cards["C_THRESH"], cards["N_THRESH"], cards["NSCORED"], cards["NFILES"]) == (0.95, 1, 2, 1)
    assert (cards["QNETVER"], cards["TFVER"], cards["WEIGHTS"]) == ("0.1.0", "2.18.0", "qn_train.h5")
    assert (files["FILE"].tolist(), files["PATH"].tolist()) == ([0], ["coadd-1.fits"])


def test_several_files_and_sdss(tmp_path: Path) -> None:
    sdss = {"THING_ID": [1, 2, -1, 4, 5], "PLATE": [3655] * 5, "MJD": [55240] * 5, "FIBERID": range(5)}
    table = columns(sdss={k: list(v) for k, v in sdss.items()}, file_index=[0, 0, 1, 2, 2], hdu_row=[0, 1, 0, 0, 1])
    path = tmp_path / "scores.fits"
    write_scores(path, table, header(), files=[Path("a.fits"), "b.fits", "c/d.fits"])
    rows, files = fitsio.read(str(path), ext=1), fitsio.read(str(path), ext="FILES")
    assert rows.dtype.names[:7] == ("TARGETID", "THING_ID", "PLATE", "MJD", "FIBERID", "FILE", "HDU_ROW")
    assert rows["THING_ID"].tolist() == [1, 2, -1, 4, 5]
    assert [files["PATH"][i] for i in rows["FILE"]] == ["a.fits", "a.fits", "b.fits", "c/d.fits", "c/d.fits"]
    assert rows["HDU_ROW"].tolist() == [0, 1, 0, 0, 1]


def test_nothing_scored_and_no_row_at_all(tmp_path: Path) -> None:
    path = tmp_path / "scores.fits"
    for n in (0, 1):
        write_scores(path, columns(n), header())
        rows, cards = fitsio.read(str(path), ext=1, header=True)
        assert (len(rows), cards["NSCORED"], cards["NFILES"]) == (n, 0, 0)


def test_gzip_by_name_and_the_same_bytes_every_time(tmp_path: Path) -> None:
    plain, zipped, again = tmp_path / "s.fits", tmp_path / "s.fits.gz", tmp_path / "t.FITS.GZ"
    for path in (plain, zipped, again):
        write_scores(path, columns(), header(), files=["x"])
    assert gzip.decompress(zipped.read_bytes()) == plain.read_bytes()
    assert zipped.read_bytes() == again.read_bytes()
    assert fitsio.read(str(zipped), ext=1).tobytes() == fitsio.read(str(plain), ext=1).tobytes()


def test_long_and_odd_texts_are_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "scores.fits"
    long_name = "/survey/weights/" + "x" * 150 + "/net's.h5"
    write_scores(path, columns(), header(WEIGHTS=long_name, NOTE="2 Å wide", GOOD=True), files=["é.fits"])
    cards = fitsio.read_header(str(path), ext=1)
    assert cards["WEIGHTS"].startswith("...")
    assert long_name.endswith(cards["WEIGHTS"].removeprefix("..."))
    history = "".join(record["value"] for record in cards.records() if record["name"] == "HISTORY")
    assert history == f"WEIGHTS = {long_name}"
    assert (cards["NOTE"], cards["GOOD"]) == ("2 ? wide", True)


def test_an_existing_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "scores.fits"
    path.write_bytes(b"old")
    write_scores(str(path), columns(), header())
    assert len(fitsio.read(str(path), ext=1)) == 5
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o600 == 0o600


@pytest.mark.parametrize("name", ["scores.fits", "scores.fits.gz"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")
    table = columns(20000)
    rng = np.random.default_rng(1)
    table["TARGETID"] = rng.integers(1, 2**62, 20000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16384, hard))
    try:
        with pytest.raises(QnetError, match="cannot be written: File too large; check the folder, its rights") as error:
            write_scores(path, table, header())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.exit_code == 1
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.fits").mkdir()
    for path in (tmp_path / "absent" / "s.fits", tmp_path / "file" / "s.fits", tmp_path / "folder.fits"):
        with pytest.raises(QnetError, match="cannot be written") as error:
            write_scores(path, columns(), header())
        assert str(path) in str(error.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder.fits"]


def test_a_name_that_is_no_fits(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"name it \.fits or \.fits\.gz"):
        write_scores(tmp_path / "scores.csv", columns(), header())


@pytest.mark.parametrize("key", REQUIRED_HEADER)
def test_a_header_without_provenance(tmp_path: Path, key: str) -> None:
    cards = header()
    del cards[key]
    with pytest.raises(ValueError, match=f"header lacks {key}"):
        write_scores(tmp_path / "s.fits", columns(), cards)


def test_columns_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "s.fits"
    good = columns()
    for broken, says in (
        ({k: v for k, v in good.items() if k != "ZBEST"}, "missing: ZBEST; unknown: -"),
        (good | {"COLOUR": good["ZBEST"]}, "missing: -; unknown: COLOUR"),
        (good | {"PLATE": good["TARGETID"]}, "missing: THING_ID, MJD, FIBERID"),
        (good | {"FILE": np.zeros(5)}, "missing: HDU_ROW"),
        (good | {"ZBEST": np.zeros(4)}, "differ in shape"),
        (good | {"TARGETID": np.arange(5) + 0.5}, "TARGETID holds numbers that int64 cannot"),
        (good | {"FILE": np.zeros(5), "HDU_ROW": np.zeros(5)}, "counts beyond the 0 files"),
    ):
        with pytest.raises(ValueError, match=says):
            write_scores(path, broken, header())
    assert not path.exists()


def test_predictions_that_do_not_fit() -> None:
    lines = np.zeros((6, 2), dtype=np.float32)
    good: dict[str, Any] = {
        "targetid": [1, 2, 3],
        "kept": [0, 2],
        "c_line": lines,
        "z_line": lines,
        "zbest": [1.0, 2.0],
        "is_qso": [True, False],
    }
    assert score_columns(**good)["IS_QSO"].tolist() == [True, False, False]
    for changes, says in (
        ({"kept": [0, 0]}, "different positions"),
        ({"kept": [0, 3]}, "different positions"),
        ({"kept": [-1, 0]}, "different positions"),
        ({"c_line": lines[:5]}, "do not fit 2 scored rows"),
        ({"kept": [0, 1, 2]}, "do not fit 3 scored rows"),
        ({"file_index": [0, 0, 0]}, "go together"),
    ):
        with pytest.raises(ValueError, match=says):
            score_columns(**(good | changes))


def test_header_values_that_fits_cannot_hold() -> None:
    table = {"X": np.zeros(1)}
    for cards, kind in (({"lower": 1}, ValueError), ({"TOOLONGKEY": 1}, ValueError), ({"LIST": [1]}, TypeError)):
        with pytest.raises(kind):
            fits_bytes([Table("T", table, cards, {})])
    assert fits_bytes([Table("T", table, {"N": np.int64(3)}, {})]).startswith(b"SIMPLE")
