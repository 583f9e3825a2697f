"""Rows that cannot be used, repeats of objects, identities and BAL flags."""

from pathlib import Path

import pytest

from qnet_tui.truth.read import read_truth
from tests.truth.tables import write_csv, write_fits

HEADER = "TARGETID,VI_Z,VI_QUALITY,VI_CLASS\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,high,4,QSO", "z 'high' is not a number"),
        ("1,2_5,4,QSO", "z '2_5' is not a number"),
        ("1,1e999,4,QSO", "z '1e999' is not finite"),
        ("1,inf,4,QSO", "z 'inf' is not a number"),
        ("1,-0.0101,4,QSO", "z '-0.0101' is outside -0.01 to 7"),
        ("1,7.001,4,QSO", "z '7.001' is outside -0.01 to 7"),
        ("1,-0.2,4,STAR", "z '-0.2' is outside -0.01 to 7"),
        ("1,,2.5,QSO", "no redshift at quality 2.5"),
        ("1,nan,4,GALAXY", "no redshift at quality 4"),
        ("1,1.5,999,QSO", "quality 999: the merger had not decided"),
        ("1,1.5,-1,QSO", "quality -1: not inspected"),
        ("1,1.5,4.1,QSO", "quality '4.1' is outside 0 to 4"),
        ("1,1.5,-0.5,QSO", "quality '-0.5' is outside 0 to 4"),
        ("1,1.5,good,QSO", "quality 'good' is not a number"),
        ("1,1.5,,QSO", "no quality"),
        ("1,1.5,4,AGN", "class 'AGN' is none of STAR, GALAXY, QSO"),
        ("1,1.5,4,", "no class"),
        ("1,1.5,4,4", "class '4' is none of STAR, GALAXY, QSO"),
        (",1.5,4,QSO", "no identity"),
        ("0,1.5,4,QSO", "TARGETID 0: no object (sky, or a fibre without a target)"),
        ("-77,1.5,4,QSO", "TARGETID -77: no object (sky, or a fibre without a target)"),
        ("3.9e16,1.5,4,QSO", "TARGETID '3.9e16' was written as a float and has lost digits"),
        (
            "3.9633493583464924e+16,1.5,4,QSO",
            "TARGETID '3.9633493583464924e+16' was written as a float and has lost digits",
        ),
        (
            "39633493583464924.0,1.5,4,QSO",
            "TARGETID '39633493583464924.0' was written as a float and has lost digits",
        ),
        ("9223372036854775808,1.5,4,QSO", "TARGETID '9223372036854775808' does not fit 64 bits"),
        ("T123,1.5,4,QSO", "TARGETID 'T123' is not a whole number"),
        ("١٢,1.5,4,QSO", "TARGETID '\\u0661\\u0662' is not a whole number"),
        ("1,1.5,4", "3 fields where the header has 4"),
        ("1,1.5,4,QSO,a,comment", "6 fields where the header has 4; a comma in a text needs quotes"),
    ],
)
def test_a_bad_row_is_listed_and_the_others_kept(tmp_path: Path, row: str, reason: str) -> None:
    table = read_truth(write_csv(tmp_path, f"{HEADER}100,0.5,3,GALAXY\n\n{row}\n101,2.5,4,QSO\n"))
    assert [label.targetid for label in table.labels] == [100, 101]
    assert [(one.line, one.reason) for one in table.rejected] == [(4, reason)]
    assert table.rows == 3


@pytest.mark.parametrize(
    ("row", "z", "kind"),
    [
        ("1,-0.01,4,QSO", -0.01, "QSO"),
        ("1,7,4,QSO", 7.0, "QSO"),
        ("1,-0.0099,4,STAR", -0.0099, "STAR"),
        ("1,+1.5e-3,4,STAR", 0.0015, "STAR"),
        ("1,.5,4,white dwarf", 0.5, "STAR"),
        ("1,1.5,2.5,Bal QSO", 1.5, "QSO"),
        ("1,1.5,2.5,quasar", 1.5, "QSO"),
        ("1,--,2.49,GALAXY", None, "GALAXY"),
        ("1.0,1.5,2.5,QSO,,", 1.5, "QSO"),
    ],
)
def test_a_row_at_the_edge_is_taken(tmp_path: Path, row: str, z: float | None, kind: str) -> None:
    table = read_truth(write_csv(tmp_path, f"{HEADER}{row}\n"))
    assert table.rejected == ()
    assert (table.labels[0].targetid, table.labels[0].z, table.labels[0].spectype) == (1, z, kind)


def test_a_long_or_odd_value_is_shown_in_one_short_line(tmp_path: Path) -> None:
    odd = "x" * 5000
    table = read_truth(write_csv(tmp_path, f'{HEADER}1,{odd},4,QSO\n2,"a\nb",4,QSO\n{"9" * 9999},1,4,QSO\n'))
    assert [one.line for one in table.rejected] == [2, 3, 5]
    assert all(len(one.reason) < 100 and one.reason.isprintable() for one in table.rejected)


def test_lines_are_those_of_the_file_also_after_a_field_of_several_lines(tmp_path: Path) -> None:
    text = 'TARGETID,VI_Z,VI_QUALITY,VI_CLASS,all_VI_comments\n1,1.5,4,QSO,"one\ntwo\nthree"\n2,x,4,QSO,\n3,1,4,QSO,\n'
    table = read_truth(write_csv(tmp_path, text))
    assert [(label.line, label.comment) for label in table.labels] == [(2, "one two three"), (6, "")]
    assert [one.line for one in table.rejected] == [5]


def test_a_quote_that_never_closes_swallows_no_rows(tmp_path: Path) -> None:
    text = (
        "TARGETID,VI_Z,VI_QUALITY,VI_CLASS,all_VI_comments\n"
        '1,1.5,4,QSO,"opened and left so\n2,1.6,4,QSO,\n3,1.7,4,QSO,"and here another"\n4,1.8,4,QSO,\n'
    )
    table = read_truth(write_csv(tmp_path, text))
    assert [(label.targetid, label.line) for label in table.labels] == [(1, 2), (2, 3), (3, 4), (4, 5)]
    assert table.notes == ("a quote does not close: every line is read as a row by itself",)


def test_repeats_keep_the_highest_quality_then_the_last(tmp_path: Path) -> None:
    text = (
        f"{HEADER}7,1.1,4,QSO\n8,0.1,3,GALAXY\n7,1.2,2,GALAXY\n8,0.2,3,GALAXY\n9,2.0,4,QSO\n7,1.3,4,QSO\n7,1.4,,QSO\n"
    )
    table = read_truth(write_csv(tmp_path, text))
    assert [(one.targetid, one.z, one.line) for one in table.labels] == [
        (8, 0.2, 5),
        (9, 2.0, 6),
        (7, 1.3, 7),
    ]
    assert table.duplicates == 3
    assert table.rows == len(table.labels) + len(table.rejected) + table.duplicates == 7
    assert table.notes == (
        "3 rows repeat an object, 1 objects with differing classes: kept the highest quality, then the last row "
        "(upstream: the last)",
    )


def test_a_star_with_a_quasars_redshift_is_kept_and_said(tmp_path: Path) -> None:
    table = read_truth(write_csv(tmp_path, f"{HEADER}7,1.1,4,STAR\n8,0.005,4,STAR\n"))
    assert len(table.labels) == 2
    assert table.notes == ("1 stars have a redshift beyond 0.01, which no star has: kept as stars",)


def test_identities_best_first(tmp_path: Path) -> None:
    columns = {
        "THING_ID": [427104307, -1, 0, -1],
        "PLATE": [3655, 3656, 0, 3657],
        "MJD": [55240, 55241, 55240, 55244],
        "FIBERID": [184, 5, 3, 0],
        "Z": [1.0, 2.0, 3.0, 4.0],
    }
    table = read_truth(write_fits(tmp_path, columns))
    assert [label.identities() for label in table.labels] == [
        [("sdss", "T427104307"), ("sdss", "P3655-55240-184")],
        [("sdss", "P3656-55241-5")],
    ]
    assert [(one.line, one.reason) for one in table.rejected] == [
        (3, "THING_ID 0: no object (sky, or a fibre without a target)"),
        (4, "THING_ID -1: no object (sky, or a fibre without a target)"),
    ]


def test_bal_needs_flag_and_index_to_agree(tmp_path: Path) -> None:
    columns = {
        "THING_ID": [1, 2, 3, 4, 5, 6],
        "Z_VI": [2.0] * 6,
        "BAL_FLAG_VI": [1, 0, 1, 0, 0, 1],
        "BI_CIV": [500.0, 0.0, 0.0, 500.0, -1.0, float("nan")],
    }
    table = read_truth(write_fits(tmp_path, columns))
    assert [label.bal for label in table.labels] == [1, -1, 0, 0, 0, 0]
    columns["BAL_FLAG_VI"] = [True, False, True, False, False, True]
    assert [label.bal for label in read_truth(write_fits(tmp_path, columns)).labels] == [1, -1, 0, 0, 0, 0]


def test_bal_by_index_alone_counts_only_when_all_rows_have_it(tmp_path: Path) -> None:
    columns = {"THING_ID": [1, 2, 3], "Z_VI": [2.0] * 3, "BI_CIV": [500.0, 0.0, 20.0]}
    assert [label.bal for label in read_truth(write_fits(tmp_path, columns)).labels] == [1, -1, 1]
    columns["BI_CIV"] = [500.0, 0.0, float("nan")]
    table = read_truth(write_fits(tmp_path, columns))
    assert [label.bal for label in table.labels] == [0, 0, 0]
    assert "BI_CIV is not known for all rows: no label says BAL or not" in table.notes


def test_bal_of_text_tables(tmp_path: Path) -> None:
    text = "THING_ID,Z,BAL_FLAG_VI,BI_CIV\n1,2,T,10\n2,2,False,0\n3,2,,10\n4,2,1,3\n5,2,maybe,10\n"
    table = read_truth(write_csv(tmp_path, text))
    assert [label.bal for label in table.labels] == [1, -1, 0, 1]
    assert [one.reason for one in table.rejected] == ["BAL_FLAG_VI 'maybe' is not a number"]
    table = read_truth(write_csv(tmp_path, "THING_ID,Z,BAL\n1,2,-1\n2,2,1\n3,2,\n4,2,2\n"))
    assert [label.bal for label in table.labels] == [-1, 1, 0]
    assert [one.reason for one in table.rejected] == ["BAL 2 is none of -1, 0, 1"]


def test_number_of_inspections_never_refuses_a_row(tmp_path: Path) -> None:
    text = "TARGETID,VI_Z,VI_QUALITY,VI_CLASS,N_VI\n1,1,3,QSO,3\n2,1,3,QSO,many\n3,1,3,QSO,-2\n4,1,3,QSO,\n"
    assert [label.n_vi for label in read_truth(write_csv(tmp_path, text)).labels] == [3, None, None, None]
