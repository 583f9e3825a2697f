"""Prospect's file, byte for byte, and its comments whatever was typed."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qnet_tui.inspection.prospect_file import (
    COMMENT_LENGTH,
    ProspectRow,
    code_of,
    file_name,
    prospect_comment,
    prospect_csv,
    scanner_of,
)


def row(**changes):
    known = {
        "targetid": 39627640483350787, "scanner": "ABC", "quality": 4, "issues": "", "z": 2.26914, "spectype": "QSO",
        "comment": "",
    }  # fmt: skip
    return ProspectRow(**(known | changes))


def test_fixed_bytes():
    rows = [
        row(
            expid=68002, night=20200315, tileid=80605, pipeline_spectype="GALAXY", pipeline_z=0.53219,
            pipeline_deltachi2=1234.56, issues="RC", comment="broad Lyα, C IV at 4000 Å",
        ),
        row(targetid=39627640483350788, quality=0, issues="S", z=None, spectype=None, comment='noise, "all" of it'),
        row(targetid=39627640483350789, z=-0.00001, spectype="STAR", quality=3),
    ]  # fmt: skip
    assert prospect_csv(rows).encode() == (
        b"TARGETID,EXPID,NIGHT,TILEID,Spec_version,Redrock_version,Template_version,Redrock_spectype,Redrock_z,"
        b"Redrock_deltachi2,VI_scanner,VI_quality,VI_issue,VI_z,VI_spectype,VI_comment\n"
        b"39627640483350787,68002,20200315,80605,0,-1,-1,GALAXY,0.5322,1234.6,ABC,4,CR,2.2691,QSO,"
        b"broad Lyalpha; C IV at 4000 Angstrom\n"
        b'39627640483350788,-1,-1,-1,0,-1,-1,,-1,-1,ABC,0,S,,,"noise; ""all"" of it"\n'
        b"39627640483350789,-1,-1,-1,0,-1,-1,,-1,-1,ABC,3,,0.0000,STAR,\n"
    )


def test_objects_of_sdss_get_columns_by_which_they_are_known():
    text = prospect_csv([row(), row(targetid=0, spec_version="SDSS", sdss=(-1, 3655, 55240, 184))])
    header, first, second = (line.split(",") for line in text.splitlines())
    assert header[3:9] == ["TILEID", "THING_ID", "PLATE", "MJD", "FIBERID", "Spec_version"]
    assert first[4:8] == ["-1"] * 4
    assert (second[0], second[4:9]) == ("-1", ["-1", "3655", "55240", "184", "SDSS"])
    assert header[-1] == "VI_comment"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Lyα, Hβ", "Lyalpha; Hbeta"),
        ("ΔΛ λ ς ά", "DeltaLambda lambda sigma alpha"),
        ("5000 Å", "5000 Angstrom"),
        ("5000 A\u030a", "5000 Angstrom"),
        ("5000 \u212b 3 µm", "5000 Angstrom 3 mum"),
        ("café → z~2", "caf? ? z~2"),
        ("tab\there\nnew\u2028line", "tab here new line"),
        ("  ", ""),
        ("x" * 300, "x" * 100),
        ("x" * 99 + " y", "x" * 99),
    ],
)
def test_comments(typed, kept):
    assert prospect_comment(typed) == kept


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=150))
@example("a" * 99 + "α")
def test_any_comment_is_ascii_on_one_line_without_commas_and_stays_what_it_became(text):
    kept = prospect_comment(text)
    assert kept.isascii()
    assert "," not in kept
    assert len(kept) <= COMMENT_LENGTH
    assert not re.search(r"[\x00-\x1f\x7f]", kept)
    assert prospect_comment(kept) == kept


def test_names_of_files():
    assert file_name("SV0_QSO_tile68002_night20200315_1", "TMD") == "desi-vi_SV0_QSO_tile68002_night20200315_1_TMD.csv"
    assert file_name("my campaign/2", "ABC") == "desi-vi_my-campaign-2_ABC.csv"
    assert file_name("…", "ABC") == "desi-vi_qnet_ABC.csv"
    assert scanner_of("desi-vi_SV0_QSO_tile68002_night20200315_1_TMD.csv") == "TMD"
    for name in ("desi-vi_x_unknown-user.csv", "desi-vi_x_merged.csv", "votes_ABC.csv", "desi-vi_x_1_2.csv"):
        assert scanner_of(name) == ""


def test_codes_of_scanners():
    assert code_of("TMD") == "TMD"
    assert code_of("Desi Arnaz") == "DesiArnaz"
    assert code_of("D. A.") == "DA"
    for scanner in ("", "A", "1AB", "a much too long name", "…"):
        assert code_of(scanner) == ""
