"""Inspection files of Prospect, of today and of 2020, whatever was typed into them."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qnet_tui.errors import BadInput
from qnet_tui.inspection.prospect_file import ProspectRow, prospect_comment, prospect_csv
from qnet_tui.truth.vote_rows import read_content, read_votes

NOWHERE = Path("x.csv")
HEADER = (
    "TARGETID,EXPID,NIGHT,TILEID,Spec_version,Redrock_version,Template_version,Redrock_spectype,Redrock_z,"
    "Redrock_deltachi2,VI_scanner,VI_quality,VI_issue,VI_z,VI_spectype,VI_comment\n"
)


def votes_of(text: str):
    return read_votes(text.encode(), NOWHERE)


def test_prospects_own_test_file(shared_data: Path):
    table = read_votes(read_content(shared_data / "prospect" / "test_read_vi.csv"), NOWHERE)
    assert (table.dialect, table.rows, table.rejected) == ("prospect", 2, ())
    first, second = table.votes
    assert (first.identities, first.scanner) == ((("desi", "123456789"),), "Desi Arnaz")
    assert (first.spectype, first.z, first.quality, first.issues) == ("QSO", 0.23, 1, "R")
    assert first.comment == "This is a comment containing a , comma."
    assert (first.pipeline_spectype, first.pipeline_z) == ("GALAXY", 0.22)
    assert (second.spectype, second.z, second.line) == ("STAR", 0.0004, 3)


def test_blank_answers_stay_blank_and_the_pipelines_is_told_beside():
    table = votes_of(
        HEADER
        + "11,1,2,3,a,b,-1,QSO,2.2691,9,ABC,4,,,,\n"
        + "12,1,2,3,a,b,-1,STAR,-1,-1,ABC,0, , ,,\n"
        + "13,1,2,3,a,b,-1,,-1,-1, ,3,RC,0.5,GALAXY,x\n"
    )
    assert [(v.z, v.spectype, v.pipeline_z, v.pipeline_spectype, v.scanner) for v in table.votes] == [
        (None, None, 2.2691, "QSO", "ABC"),
        (None, None, None, "STAR", "ABC"),
        (0.5, "GALAXY", None, None, ""),
    ]


def test_a_comma_typed_into_a_field_is_written_as_a_quote_comma_quote():
    table = votes_of(
        HEADER
        + '21,1,2,3,a,b,-1,QSO,2.1,9,ABC,4,R","C,2.2,QSO,first","second\n'
        + '22,1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2","3,QSO,\n'
        + '23,1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2.3,QSO,"a, b, ""c"""\n'
        + "24,1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2.3,QSO,one, two\n"
    )
    assert [(v.issues, v.comment) for v in table.votes] == [("CR", "first;second"), ("", 'a, b, "c"'), ("", "one; two")]
    assert [(one.line, one.reason) for one in table.rejected] == [(3, "z '2;3' is not a number")]


@pytest.mark.parametrize(
    ("quality", "issue", "z", "spectype", "says"),
    [
        ("-1", "", "1.5", "QSO", "quality -1: not inspected"),
        ("", "", "1.5", "QSO", "no quality"),
        ("999", "", "1.5", "QSO", "had not decided"),
        ("2.5", "", "1.5", "QSO", "one inspector gives 0, 1, 2, 3 or 4"),
        ("5", "", "1.5", "QSO", "outside 0 to 4"),
        ("4", "X", "1.5", "QSO", "issue 'X': any of R, C, S"),
        ("4", "", "8", "QSO", "outside -0.01 to 7"),
        ("4", "", "1.5", "SKY", "none of STAR, GALAXY, QSO"),
    ],
)
def test_rows_refused_with_their_line(quality, issue, z, spectype, says):
    table = votes_of(HEADER + f"5,1,2,3,a,b,-1,QSO,2.1,9,ABC,{quality},{issue},{z},{spectype},\n")
    assert table.votes == ()
    ((line, reason),) = [(one.line, one.reason) for one in table.rejected]
    assert line == 2
    assert says in reason


def test_fibres_without_an_object_and_broken_lines():
    rest = ",1,2,3,a,b,-1,QSO,2.1,9,ABC,4,,2.3,QSO,"
    table = votes_of(HEADER + f"-1{rest}\n3.9e16{rest}\n7,1,2\n8{rest}\n")
    assert [vote.identities for vote in table.votes] == [(("desi", "8"),)]
    assert [(one.line, one.reason.split(":")[0][:30]) for one in table.rejected] == [
        (2, "TARGETID -1"),
        (3, "TARGETID '3.9e16' was written "),
        (4, "3 fields where the header has "),
    ]
    assert table.rows == 4


def test_inspections_of_2020():
    table = votes_of(
        "TargetID , ExpID , Spec version , Redrock version , Redrock spectype , Redrock z , VI scanner , VI class , "
        "VI issue , VI z , VI spectype , VI comment\n"
        "35191288252861933 , 1 , 0 , 0 , GALAXY , 0.512 , ABC , 4 , -- , -- , -- , --\n"
        '35191288252861934 , 1 , 0 , 0 , GALAXY , 0.512 , ABC , 2 , RC , 1.75 , QSO , "lines, maybe"\n'
    )
    assert table.dialect == "prospect-2020"
    assert [(v.quality, v.z, v.spectype, v.pipeline_z, v.issues, v.comment) for v in table.votes] == [
        (4, None, None, 0.512, "", ""),
        (2, 1.75, "QSO", 0.512, "CR", "lines, maybe"),
    ]


def test_missing_and_moved_columns_a_mark_and_foreign_line_ends():
    table = votes_of("\ufeffVI_quality,TARGETID,VI_comment,VI_z,Redrock_spectype\r\n3,5,none,0.1,QSO\r\n")
    ((vote),) = table.votes
    assert (vote.quality, vote.scanner, vote.z, vote.spectype, vote.pipeline_spectype) == (3, "", 0.1, None, "QSO")
    # Only the files of 2020 have a word for nothing; elsewhere this is what somebody typed.
    assert vote.comment == "none"
    assert (
        read_votes(
            "TARGETID,VI_scanner,VI_quality,VI_z,VI_spectype,VI_comment\n5,ABC,3,1.5,QSO,4000 Å\n".encode("latin-1"),
            NOWHERE,
        )
        .votes[0]
        .comment
        == "4000 Å"
    )


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("TARGETID,best_z,best_quality,best_spectype", "truth import"),
        ("TARGETID,VI_Z,VI_QUALITY,VI_CLASS", "truth import"),
        ("TARGETID,VI_quality,VI_z", "add VI_spectype"),
        ("VI_quality,VI_z,VI_spectype", "add TARGETID"),
        ("TARGETID,VI_z,VI_spectype,VI_scanner", "add VI_quality"),
        ("TARGETID,VI_quality,VI_z,vi z,VI_spectype", "two columns are called VI_Z"),
    ],
)
def test_tables_that_are_no_inspections(header, says):
    with pytest.raises(BadInput, match=says):
        votes_of(header + "\n" + ",".join("1" for _ in header.split(",")) + "\n")


def test_marz_files_and_fits_tables_are_truth(tmp_path: Path):
    text = (
        "# Results generated by ABC\n# 1 of 1\n"
        "# ID, Name, RA, DEC, Mag, Type, AutoTID, AutoTN, AutoZ, AutoXCor, FinTID, FinTN, FinZ, QOP, Comment\n"
        "1, 39633493583464924, 10.0, -5.0, 20.1, P, 12, Quasar, 2.1, 5.1, 12, Quasar, 2.2, 4, nice\n"
    )
    with pytest.raises(BadInput, match="truth import"):
        votes_of(text)
    (tmp_path / "t.fits").write_bytes(b"SIMPLE  =                    T")
    with pytest.raises(BadInput, match="truth import"):
        read_content(tmp_path / "t.fits")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(HEADER.encode())[:20])
    with pytest.raises(BadInput, match="cut short"):
        read_content(tmp_path / "t.csv.gz")
    for name in ("nowhere.csv", "."):
        with pytest.raises(BadInput, match="name"):
            read_content(tmp_path / name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), max_size=140),
            st.integers(0, 4),
            st.sampled_from(["", "R", "CRS"]),
            st.floats(-0.01, 6.99),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_prospects_writer_of_ours_writes_is_read_back(said):
    rows = [
        ProspectRow(number, "ABC", quality, issues, z, "QSO", comment)
        for number, (comment, quality, issues, z) in enumerate(said, start=1)
    ]
    text = prospect_csv(rows)
    table = votes_of(text)
    assert table.rejected == ()
    again = [
        ProspectRow(int(v.identities[0][1]), v.scanner, v.quality, v.issues, v.z, v.spectype, v.comment)
        for v in table.votes
    ]
    assert prospect_csv(again) == text
    assert [v.comment for v in table.votes] == [prospect_comment(row.comment) for row in rows]
