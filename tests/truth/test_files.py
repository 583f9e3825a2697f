"""Files that are no table, or only part of one, and names that mislead: one line each, never a traceback."""

import gzip
import os
from pathlib import Path

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.truth.read import read_truth
from tests.truth.tables import write_csv, write_fits, zip_as

CSV = "TARGETID,VI_Z,VI_QUALITY,VI_CLASS\n39633493583464924,1.5,4,QSO\n"
COLUMNS = {"TARGETID": np.array([39633493583464924]), "Z": np.array([1.5])}


def one_line(path: Path) -> str:
    with pytest.raises(BadInput) as error:
        read_truth(path)
    text = str(error.value)
    assert str(path) in text
    assert "\n" not in text
    assert error.value.mend
    return text


@pytest.mark.parametrize("name", ["truth.csv", "truth.fits", "truth.csv.gz", "truth", "truth (1)[2]+3.fits"])
def test_content_decides_not_the_name(tmp_path: Path, name: str) -> None:
    as_text = write_csv(tmp_path, CSV, "a")
    as_fits = write_fits(tmp_path, COLUMNS, "b.fits")
    for source in (as_text, as_fits, zip_as(as_text, "a.z"), zip_as(as_fits, "b.z")):
        path = tmp_path / "odd folder [x]" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(source.read_bytes())
        (label,) = read_truth(path).labels
        assert (label.targetid, label.z, label.spectype) == (39633493583464924, 1.5, "QSO")


def test_path_may_be_a_string_and_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(write_csv(tmp_path, CSV))
    table = read_truth(str(link))
    assert table.path == str(link)
    assert len(table.labels) == 1


def test_absent_folder_and_empty(tmp_path: Path) -> None:
    assert "no such file" in one_line(tmp_path / "absent.csv")
    assert "not a file" in one_line(tmp_path)
    assert "the file is empty" in one_line(write_csv(tmp_path, ""))
    assert "the file is empty" in one_line(write_csv(tmp_path, " \n\n"))
    assert "a header and no row" in one_line(write_csv(tmp_path, CSV.split("\n")[0]))
    assert "a header and no row" in one_line(write_csv(tmp_path, "# only a remark\n"))
    assert "the file is empty" in one_line(zip_as(write_csv(tmp_path, ""), "empty.gz"))


def test_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "rubbish.csv"
    path.write_bytes(bytes(range(256)) * 40)
    assert "neither a FITS file nor text" in one_line(path)
    path.write_bytes(b"SIMPLE  =                    T" + os.urandom(5000))
    assert "FITS" in one_line(path)
    path.write_bytes(b"\x1f\x8b" + os.urandom(500))
    assert "gzip file is cut short or damaged" in one_line(path)
    path.write_bytes("TARGETID,VI_Z\n1,2\n".encode("utf-16"))
    assert "neither a FITS file nor text" in one_line(path)


def test_a_field_longer_than_any_comment(tmp_path: Path) -> None:
    path = write_csv(tmp_path, CSV + f"5,{'9' * 200_000},4,QSO\n")
    assert "cannot be read as CSV" in one_line(path)
    assert "header cannot be read" in one_line(write_csv(tmp_path, "x" * 200_000 + "\n1\n"))


def test_every_truncation_of_a_fits_table_is_seen(tmp_path: Path) -> None:
    n = 1000
    whole = write_fits(tmp_path, {"TARGETID": np.arange(1, n + 1), "Z": np.full(n, 1.5)}).read_bytes()
    path = tmp_path / "cut.fits"
    needed = 2880 + 2880 + 16 * n
    for size in [9, 80, 2879, 2881, 5759, 5761, 5760 + 8, needed - 1]:
        path.write_bytes(whole[:size])
        assert "cut short" in one_line(path), size
        zipped = zip_as(path, "cut.fits.gz")
        assert "cut short" in one_line(zipped), size
    path.write_bytes(whole[:2880])
    assert "no table with rows" in one_line(path)
    path.write_bytes(whole[: len(whole) - 1])
    assert "cut short" in one_line(path)


def test_a_truncated_gzip(tmp_path: Path) -> None:
    for source in (write_csv(tmp_path, CSV * 50), write_fits(tmp_path, COLUMNS)):
        content = gzip.compress(source.read_bytes())
        path = tmp_path / "cut.gz"
        for size in (3, 12, len(content) // 2, len(content) - 4):
            path.write_bytes(content[:size])
            assert "cut short or damaged" in one_line(path)
        path.write_bytes(content[:-20] + b"\xff" * 20)
        assert "cut short or damaged" in one_line(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"NAXIS2  =                    1", b"NAXIS2  =        9999999999999", "cut short in HDU 1"),
        (b"NAXIS2  =                    1", b"NAXIS2  = 'many'              ", "broken NAXIS2"),
        (b"NAXIS1  =                   16", b"NAXIS1  =                    0", "rows without width"),
        (b"TFORM1  = 'K", b"TFORM1  = 'Y", "cannot be read as FITS"),
    ],
)
def test_a_broken_header(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    path = write_fits(tmp_path, COLUMNS)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    assert says in one_line(path)


def test_special_records_after_the_last_hdu_are_ignored(tmp_path: Path) -> None:
    path = write_fits(tmp_path, COLUMNS)
    path.write_bytes(path.read_bytes() + b"\0" * 2880)
    assert len(read_truth(path).labels) == 1
    path.write_bytes(write_fits(tmp_path, COLUMNS).read_bytes() + b"special records" * 192)
    assert len(read_truth(path).labels) == 1


def test_a_read_error_of_the_disk_is_no_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(tmp_path, CSV)

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(QnetError, match="Permission denied") as error:
        read_truth(path)
    assert error.value.exit_code == 1


def test_a_column_the_library_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_fits(tmp_path, COLUMNS)

    def fail(self: object, name: str) -> None:
        raise OSError("FITSIO status = 108")

    monkeypatch.setattr(fitsio.hdu.table.TableHDU, "read_column", fail)
    assert "cannot be read as FITS" in one_line(path)


def test_a_hundred_thousand_rows_in_a_few_seconds(tmp_path: Path) -> None:
    rows = "".join(f'{39633493583464924 + i},1.5,3.333,QSO,"a, b"\n' for i in range(100_000))
    path = write_csv(tmp_path, "TARGETID,VI_Z,VI_QUALITY,VI_CLASS,all_VI_comments\n" + rows)
    table = read_truth(path)
    assert len(table.labels) == table.rows == 100_000
    assert table.labels[-1].targetid == 39633493583464924 + 99_999
