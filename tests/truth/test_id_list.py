"""Lists of objects, in any form people keep one."""

import gzip
from pathlib import Path

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.truth.id_list import read_ids
from qnet_tui.truth.read import read_truth
from tests.truth.tables import write_csv, write_fits


def named(path: Path):
    return [one.identities for one in read_ids(path).objects]


DESI = (("desi", "39627640483350787"), ("sdss", "T39627640483350787"))


def test_one_id_a_line_of_any_kind(tmp_path: Path):
    text = (
        "\ufeff# mine\n39627640483350787\r\n\nT427104307 # a note\nP3655-55240-184\n"
        "3655-55240-0256,x\nspec-3655-55240-0257.fits\n-5\nx\n"
    )
    found = read_ids(write_csv(tmp_path, text))
    assert [one.identities for one in found.objects] == [
        DESI,
        (("sdss", "T427104307"),),
        (("sdss", "P3655-55240-184"),),
        (("sdss", "P3655-55240-256"),),
        (("sdss", "P3655-55240-257"),),
    ]
    assert [one.line for one in found.objects] == [2, 4, 5, 6, 7]
    assert [(bad.line, bad.reason.partition(":")[0]) for bad in found.rejected] == [
        (8, "TARGETID -5"),
        (9, "TARGETID 'x' is not a whole number"),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_with_a_column_of_ids(tmp_path: Path, separator: str):
    text = f"RA{separator}TARGETID{separator}note\n1.0{separator}39627640483350787{separator}x\n"
    assert named(write_csv(tmp_path, text)) == [(("desi", "39627640483350787"),)]


def test_other_names_of_objects(tmp_path: Path):
    assert named(write_csv(tmp_path, "PLATE,MJD,FIBERID\n3655,55240,184\n")) == [(("sdss", "P3655-55240-184"),)]
    ours = "rank,TARGETID,SURVEY,ID\n1,,sdss,T12\n2,39,desi,39\n3,,sdss,P3655-55240-184\n"
    assert [one[0] for one in named(write_csv(tmp_path, ours))] == [
        ("sdss", "T12"),
        ("desi", "39"),
        ("sdss", "P3655-55240-184"),
    ]
    marz = "# by ABC\n# 1\n# ID, Name, FinTN, FinZ, QOP\n1, 3655-55240-0184, Quasar, 2.2, 4\n"
    assert named(write_csv(tmp_path, marz)) == [(("sdss", "P3655-55240-184"),)]


def test_fits_and_gzip(tmp_path: Path):
    path = write_fits(tmp_path, {"TARGETID": [39627640483350787, -1], "Z": [1.0, 2.0]})
    assert named(path) == [(("desi", "39627640483350787"),)]
    zipped = tmp_path / "list.txt.gz"
    zipped.write_bytes(gzip.compress(b"39627640483350787\n"))
    assert named(zipped) == [DESI]
    zipped.write_bytes(gzip.compress(b"39627640483350787\n")[:12])
    with pytest.raises(BadInput, match="cut short"):
        read_ids(zipped)


def test_what_is_no_list(tmp_path: Path):
    for text, says in (("RA,DEC\n1,2\n", "add TARGETID"), ("# only remarks\n", "empty"), ("", "empty")):
        with pytest.raises(BadInput, match=says):
            read_ids(write_csv(tmp_path, text))
    with pytest.raises(BadInput, match="no such file"):
        read_ids(tmp_path / "nowhere.txt")


def test_our_own_tables_name_objects_of_sdss_by_their_id(tmp_path: Path):
    text = (
        "SURVEY,ID,TARGETID,best_spectype,best_z,best_quality\n"
        "sdss,T12,,QSO,1.5,3.5\nsdss,P3655-55240-184,,,,0.0\ndesi,39,39,STAR,0.0,3.0\n"
    )
    table = read_truth(write_csv(tmp_path, text))
    assert [(one.identities()[0], one.spectype, one.z, one.quality) for one in table.labels] == [
        (("sdss", "T12"), "QSO", 1.5, 3.5),
        (("sdss", "P3655-55240-184"), "", None, 0.0),
        (("desi", "39"), "STAR", 0.0, 3.0),
    ]
    assert table.rejected == ()
    assert "1 rows of quality below 2.5 have no class" in table.notes
