"""Every dialect of text tables, each with the columns and habits it has in the archives."""

from pathlib import Path

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.truth.read import FORMATS, read_truth
from tests.truth.tables import write_csv

PAPER_HEADER = (
    "TARGETID,Redrock_z,VI_Z,VI_QUALITY,Redrock_spectype,VI_CLASS,all_VI_issues,all_VI_comments,merger_comment,"
    "N_VI,HPXPIXEL,SURVEY,PROGRAM,TSNR2_LYA,TSNR2_QSO,DELTACHI2,ZWARN,ZERR,TARGET_RA,TARGET_DEC,FIBER,FLUX_G,"
    "FLUX_R,FLUX_Z,FIBERFLUX_G,FIBERFLUX_R,FIBERFLUX_Z,EBV,TILEID\n"
)


def test_the_papers_own_truth_table(tmp_path: Path) -> None:
    rest = ",9144,sv1,dark" + "," * 16
    path = write_csv(
        tmp_path,
        PAPER_HEADER
        + '39633493583464924,1.2,2.51234567,3.3333333,GALAXY,QSO,CR,"AAA: lya, civ",none,3'
        + rest
        + "\n39627658161948871,0.0,,0.5,STAR,STAR,,,None,2"
        + rest
        + "\n",
    )
    table = read_truth(path)
    assert (table.dialect, table.origin, table.rows) == ("quasarnet", "people", 2)
    assert table.rejected == ()
    assert table.duplicates == 0
    quasar, star = table.labels
    assert quasar.identities() == [("desi", "39633493583464924")]
    assert (quasar.spectype, quasar.z, quasar.quality) == ("QSO", 2.51234567, 3.3333333)
    assert (quasar.issues, quasar.comment, quasar.n_vi, quasar.bal) == ("CR", "AAA: lya, civ", 3, 0)
    assert (star.spectype, star.z, star.quality, star.line) == ("STAR", None, 0.5, 3)
    assert table.notes == ("1 rows of quality below 2.5 have no redshift",)


@pytest.mark.parametrize(
    "header",
    [
        "TARGETID,Redrock_z,best_z,best_quality,Redrock_spectype,best_spectype,all_VI_issues,all_VI_comments,"
        "merger_comment,N_VI",
        "TARGETID,Redrock z,best z,best quality,Redrock spectype,best spectype,all VI issues,all VI comments,"
        "merger comment,N_VI",
        "TargetID,Redrock z,best z,best class,Redrock spectype,best spectype,all VI issues,all VI comments,"
        "merger comment,N_VI",
        "targetid,REDROCK_Z,BEST_Z,BEST_QUALITY,REDROCK_SPECTYPE,BEST_SPECTYPE,ALL_VI_ISSUES,ALL_VI_COMMENTS,"
        "MERGER_COMMENT,N_VI",
    ],
)
def test_merged_inspections_of_every_version(tmp_path: Path, header: str) -> None:
    path = write_csv(tmp_path, header + "\n7,1.1,1.2,2.5,GALAXY,QSO,RC,one;two,looks fine,2\n")
    table = read_truth(path)
    assert table.dialect == "desi-merged"
    (label,) = table.labels
    # redrock's z and class are there to be overruled, never to be read
    assert (label.targetid, label.z, label.quality, label.spectype) == (7, 1.2, 2.5, "QSO")
    assert (label.issues, label.comment, label.n_vi) == ("CR", "one;two; looks fine", 2)


@pytest.mark.parametrize(
    ("header", "z", "notes"),
    [
        ("TARGETID,TARGET_RA,TARGET_DEC,FIBER,VI_QUALITY,VI_SPECTYPE,VI_Z", 1.5, ()),
        ("targetid, target ra, target dec, fiber, vi quality, vi spectype, z_vi", 1.5, ()),
        (
            "TARGETID,TARGET_RA,TARGET_DEC,FIBER,VI_QUALITY,VI_SPECTYPE,Z",
            1.5,
            ("redshifts from column Z: no VI_Z in the table",),
        ),
    ],
)
def test_edr_visual_inspection_catalogue(tmp_path: Path, header: str, z: float, notes: tuple[str, ...]) -> None:
    table = read_truth(write_csv(tmp_path, header + "\n12,10.5,-3.25,17,4,QSO,1.5\n"))
    assert (table.dialect, table.notes) == ("edr-vi", notes)
    assert (table.labels[0].spectype, table.labels[0].z, table.labels[0].quality) == ("QSO", z, 4.0)


PROSPECT = (
    "TARGETID,EXPID,NIGHT,TILEID,Spec_version,Redrock_version,Template_version,Redrock_spectype,Redrock_z,"
    "Redrock_deltachi2,VI_scanner,VI_quality,VI_issue,VI_z,VI_spectype,VI_comment\n"
)


def test_prospect_blank_answers_accept_redrock(tmp_path: Path) -> None:
    text = (
        PROSPECT
        + "11,1,20200703,65432,0.33.3,0.22.2,-1,QSO,2.2691,10.5,ABC,4,,,,\n"
        + "12,1,20200703,65432,0.33.3,0.22.2,-1,GALAXY,0.22,10.5,ABC,3,RC,2.5,QSO,Broad absorption line quasar (BAL)\n"
        + "13,1,20200703,65432,0.33.3,0.22.2,-1,STAR,-1,10.5,ABC,1, , ,,noise\n"
        + "14,1,20200703,65432,0.33.3,0.22.2,-1,STAR,0.1,10.5, ,-1, , ,,only a comment\n"
    )
    table = read_truth(write_csv(tmp_path, text))
    assert table.dialect == "prospect"
    assert [(one.targetid, one.spectype, one.z, one.quality) for one in table.labels] == [
        (11, "QSO", 2.2691, 4.0),
        (12, "QSO", 2.5, 3.0),
        (13, "STAR", None, 1.0),
    ]
    assert table.labels[1].comment == "Broad absorption line quasar (BAL)"
    assert table.labels[1].issues == "CR"
    assert [(one.line, one.reason) for one in table.rejected] == [(5, "quality -1: not inspected")]
    assert "1 blank redshifts accept redrock's" in table.notes
    assert "2 blank classes accept redrock's" in table.notes


def test_prospect_without_the_optional_columns_and_reordered(tmp_path: Path) -> None:
    text = "VI_comment,VI_z,VI_scanner,VI_spectype,TARGETID,VI_issue,VI_quality\n,1.5,ABC,QSO,5,,3\n"
    table = read_truth(write_csv(tmp_path, text))
    assert table.dialect == "prospect"
    assert (table.labels[0].targetid, table.labels[0].z) == (5, 1.5)


def test_prospect_comma_typed_into_a_field(tmp_path: Path) -> None:
    # A comma typed by the inspector is written as "," in the middle of an unquoted field.
    text = (
        PROSPECT
        + '21,1,2,3,a,b,-1,QSO,2.1,9,A","B,4,R","C,2.2,QSO,first","second\n'
        + '22,1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2.3,QSO,"a, b, ""c"""\n'
        + '23,1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2.4,QSO,5" seeing, no quotes, three commas\n'
        + '24,1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2.5,QSO,"never closed\n'
        + "25,1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2.6,QSO,the last\n"
    )
    table = read_truth(write_csv(tmp_path, text))
    assert table.rejected == ()
    assert [(one.targetid, one.z, one.comment) for one in table.labels] == [
        (21, 2.2, "first;second"),
        (22, 2.3, 'a, b, "c"'),
        (23, 2.4, '5" seeing; no quotes; three commas'),
        (24, 2.5, "never closed"),
        (25, 2.6, "the last"),
    ]
    assert table.labels[0].issues == "CR"


def test_prospect_comment_beyond_all_bounds_costs_its_own_row_only(tmp_path: Path) -> None:
    start = ",1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2.3,QSO,"
    text = f"{PROSPECT}31{start}fine\n32{start}{'x' * 200_000}\n33{start}fine too\n"
    table = read_truth(write_csv(tmp_path, text))
    assert [label.targetid for label in table.labels] == [31, 33]
    assert [(one.line, one.reason) for one in table.rejected] == [(3, "1 fields where the header has 16")]


def test_inspections_of_2020(tmp_path: Path) -> None:
    text = (
        "TargetID , ExpID , Spec version , Redrock version , Redrock spectype , Redrock z , VI scanner , VI class , "
        "VI issue , VI z , VI spectype , VI comment\n"
        "35191288252861933 , 1 , 0 , 0 , GALAXY , 0.512 , ABC , 4 , -- , -- , -- , --\n"
        '35191288252861934 , 1 , 0 , 0 , GALAXY , 0.512 , ABC , 2 , R , 1.75 , QSO , "lines, maybe"\n'
        "35191288252861935 , 1 , 0 , 0 , STAR , 0.0001 , ABC , 0 , S , -- , -- , --\n"
    )
    table = read_truth(write_csv(tmp_path, text))
    assert table.dialect == "prospect-2020"
    assert [(one.targetid, one.spectype, one.z, one.quality, one.issues, one.comment) for one in table.labels] == [
        (35191288252861933, "GALAXY", 0.512, 4.0, "", ""),
        (35191288252861934, "QSO", 1.75, 2.0, "R", "lines, maybe"),
        (35191288252861935, "STAR", 0.0001, 0.0, "S", ""),
    ]


def test_marz(tmp_path: Path) -> None:
    text = (
        "# Results generated by ABC for file x.fits on 2016-01-01, version 1.0\n"
        "# 5 of 6 redshifted\n"
        "# ID, Name, RA, DEC, Mag, Type, AutoTID, AutoTN, AutoZ, AutoXCor, FinTID, FinTN, FinZ, QOP, Comment\n"
        "1, 39633493583464924, 10.0, -5.0, 20.1, P, 12, Quasar, 2.10000, 5.1, 12, Quasar, 2.20000, 4, nice, broad\n"
        "2, 12346, 10.0, -5.0, 20.1, P, 7, X, 0.1, 5.1, 7, High Redshift Star Forming Galaxy, 0.70000, 3, \n"
        "3, 3655-55240-0256, 10.0, -5.0, 20.1, P, 3, A Star, 0.0, 5.1, 3, K Star, 0.00010, 6, \n"
        "4, 12348, 10.0, -5.0, 20.1, P, 3, A Star, 0.0, 5.1, 3, K Star, 0.00010, 0, \n"
        "5, A0123, 10.0, -5.0, 20.1, P, 3, A Star, 0.0, 5.1, 3, Quasar, 1.00010, 2, \n"
        "6, 12350, 10.0, -5.0, 20.1, P, 3, A Star, 0.0, 5.1, 3, Blob, 1.00010, 2, \n"
        "7, 12351, 10.0, -5.0, 20.1, P, 3, A Star, 0.0, 5.1, 3, Quasar, 1.00010, 5, \n"
        "8, 12352, 10.0, -5.0, 20.1, P, 3, A Star, 0.0, 5.1, 3, , 1.00010, 2, \n"
    )
    table = read_truth(write_csv(tmp_path, text, "night.mz"))
    assert table.dialect == "marz"
    assert [(one.identities()[0], one.spectype, one.z, one.quality) for one in table.labels] == [
        (("desi", "39633493583464924"), "QSO", 2.2, 4.0),
        (("desi", "12346"), "GALAXY", 0.7, 3.0),
        (("sdss", "P3655-55240-256"), "STAR", 0.0001, 4.0),
    ]
    assert table.labels[0].comment == "nice; broad"
    assert [(one.line, one.reason) for one in table.rejected] == [
        (7, "QOP 0: not inspected"),
        (8, "Name 'A0123' is not a whole number"),
        (9, "template 'Blob' is none of a star, a galaxy, a quasar"),
        (10, "QOP 5 is none of 1, 2, 3, 4, 6"),
        (11, "no class"),
    ]


def test_class_redshift_and_quality_by_their_plain_names(tmp_path: Path) -> None:
    table = read_truth(write_csv(tmp_path, "TARGETID;Z;Class;Quality\n1;1.5;Quasar;3\n2;0.2;gal;4\n"))
    assert table.dialect == "plain"
    assert [one.spectype for one in table.labels] == ["QSO", "GALAXY"]


def test_a_table_without_quality_needs_one(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "TARGETID,VI_Z,VI_CLASS\n1,1.5,QSO\n2,0.0,WD\n")
    with pytest.raises(BadInput, match=r"nothing says how sure.*--quality"):
        read_truth(path)
    table = read_truth(path, quality=4)
    assert (table.dialect, table.origin) == ("unrated", "people")
    assert [(one.spectype, one.quality) for one in table.labels] == [("QSO", 4.0), ("STAR", 4.0)]
    assert table.notes == ("no quality in the table: all rows have quality 4",)


def test_a_pipelines_answers_are_never_a_quasar_catalogue(tmp_path: Path) -> None:
    text = "TARGETID,Z,ZWARN,SPECTYPE\n1,1.5,0,QSO\n2,0.2,4,GALAXY\n3,0.0,0,STAR:::M\n"
    table = read_truth(write_csv(tmp_path, text))
    assert (table.dialect, table.origin) == ("pipeline", "pipeline")
    assert [(one.spectype, one.quality) for one in table.labels] == [
        ("QSO", 3.0),
        ("GALAXY", 1.0),
        ("STAR", 3.0),
    ]
    assert table.notes == ("a pipeline's answers, not people's: quality 3 without a warning, else 1",)


def test_catalogue_at_a_quality_of_its_own(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "TARGETID,Z\n1,1.5\n")
    assert read_truth(path).labels[0].quality == 3.0
    table = read_truth(path, quality=2.75)
    assert (table.dialect, table.origin, table.labels[0].quality) == ("catalogue", "catalogue", 2.75)
    assert table.notes == ("no class and no quality in the table: all rows are quasars of quality 2.75",)


def test_quality_asked_for_is_not_used_where_the_table_has_its_own(tmp_path: Path) -> None:
    table = read_truth(write_csv(tmp_path, "TARGETID,VI_Z,VI_QUALITY,VI_CLASS\n1,1.5,4,QSO\n"), quality=2)
    assert table.labels[0].quality == 4.0
    assert table.notes == ("quality 2 not used: the table has its own",)


def test_format_asked_for_by_name(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "TARGETID,Z,ZWARN,SPECTYPE\n1,1.5,0,GALAXY\n")
    assert read_truth(path, format="catalogue").labels[0].spectype == "QSO"
    with pytest.raises(BadInput, match=r"no truth format 'csv'; use one of auto, marz"):
        read_truth(path, format="csv")
    with pytest.raises(BadInput, match=r"for quasarnet \(QuasarNET truth\) add VI_Z and VI_CLASS and VI_QUALITY"):
        read_truth(path, format="quasarnet")
    assert FORMATS[0] == "auto"
    assert {"quasarnet", "prospect", "prospect-2020", "marz"} < set(FORMATS)


@pytest.mark.parametrize("quality", [-1, 4.5, float("nan")])
def test_quality_asked_for_outside_the_scale(tmp_path: Path, quality: float) -> None:
    with pytest.raises(BadInput, match="outside 0 to 4"):
        read_truth(write_csv(tmp_path, "TARGETID,Z\n1,1.5\n"), quality=quality)


@pytest.mark.parametrize(
    ("header", "wanting"),
    [
        ("TARGETID,VI_QUALITY,VI_CLASS,VI_COMMENT,ZWARN", "add VI_Z"),
        ("TARGETID,best_z,best_quality", "add BEST_SPECTYPE"),
        ("VI_Z,VI_QUALITY,VI_CLASS", "add TARGETID"),
        ("PLATE,MJD,VI_Z,VI_QUALITY,VI_CLASS", "add TARGETID"),
        ("apples,pears", "for quasarnet .* add VI_Z and VI_CLASS and VI_QUALITY and TARGETID"),
        ("TARGETID,Z,CLASS_PERSON", "for superset .* add Z_CONF_PERSON"),
        ("TARGETID,Z,SPECTYPE,ZWARN,VI_QUALITY", "if it is pipeline .* say so with --format pipeline"),
    ],
)
def test_columns_that_are_no_truth_table(tmp_path: Path, header: str, wanting: str) -> None:
    row = ",".join("1" for _ in header.split(","))
    with pytest.raises(BadInput, match=wanting) as error:
        read_truth(write_csv(tmp_path, f"{header}\n{row}\n"))
    assert f"columns found: {header.replace(',', ', ')}" in str(error.value)
    assert error.value.exit_code == 2


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    text = "TARGETID,VI_Z,vi z,VI_QUALITY,VI_CLASS\n1,1.5,1.6,4,QSO\n"
    with pytest.raises(BadInput, match="two columns are called VI_Z"):
        read_truth(write_csv(tmp_path, text))


def test_separators_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    rows = [["TARGETID", "VI_Z", "VI_QUALITY", "VI_CLASS"], ["39633493583464924", "1.5", "4", "QSO"]]
    for number, (separator, end) in enumerate([(",", "\r\n"), (";", "\n"), ("\t", "\r"), (" ", "\n"), (" , ", "\n")]):
        text = "﻿# a remark\n\n" + end.join(separator.join(row) for row in rows) + end
        (label,) = read_truth(write_csv(tmp_path, text, f"{number}.csv")).labels
        assert (label.targetid, label.z, label.spectype) == (39633493583464924, 1.5, "QSO")


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes("TARGETID,VI_Z,VI_QUALITY,VI_CLASS,VI_comment\n1,1.5,4,QSO,4000 Å\n".encode("latin-1"))
    table = read_truth(path)
    assert table.labels[0].comment == "4000 Å"
    assert table.notes == ("not in UTF-8: read as Latin-1",)
