"""Settled labels for others, byte for byte."""

from qnet_tui.inspection.merged_files import SettledLabel, Target, desi_merged_csv, edr_csv

TARGET = Target(
    targetid=39627640483350787, ra=10.25, dec=-3.5, fiber=17, tileid=80605, flux_g=1.5, flux_r=2.5, flux_z=3.25,
    ebv=0.03, pipeline_spectype="GALAXY", pipeline_z=0.53219, pipeline_zerr=0.0001, pipeline_zwarn=4,
    pipeline_deltachi2=12.5,
)  # fmt: skip
LABELS = [
    SettledLabel(TARGET, "QSO", 2.2691372, 10 / 3, "RC", "ABC: Lyα, broad; DEF: BAL", "agreed", 3),
    SettledLabel(Target(39627640483350788), "", None, 0.0, "S", n_vi=3),
]


def test_merged_file():
    assert desi_merged_csv(LABELS).encode() == (
        b"TARGETID,Redrock_z,best_z,best_quality,Redrock_spectype,best_spectype,all_VI_issues,all_VI_comments,"
        b"merger_comment,N_VI,DELTACHI2,ZWARN,ZERR,TARGET_RA,TARGET_DEC,FIBER,FLUX_G,FLUX_R,FLUX_Z,EBV,TILEID\n"
        b'39627640483350787,0.53219,2.2691372,3.3333333333333335,GALAXY,QSO,CR,"ABC: Ly\xce\xb1, broad; DEF: BAL",'
        b"agreed,3,12.5,4,0.0001,10.25,-3.5,17,1.5,2.5,3.25,0.03,80605\n"
        b"39627640483350788,,,0.0,,,S,,none,3,,,,,,-1,,,,,-1\n"
    )


def test_catalogue_in_the_columns_of_the_early_data_release():
    assert edr_csv(LABELS).encode() == (
        b"TARGETID,TARGET_RA,TARGET_DEC,FIBER,VI_QUALITY,VI_SPECTYPE,VI_Z\n"
        b"39627640483350787,10.25,-3.5,17,3.3333333333333335,QSO,2.2691372\n"
        b"39627640483350788,,,-1,0.0,,\n"
    )


def test_objects_of_sdss_are_named_in_columns_at_the_end():
    labels = [*LABELS, SettledLabel(Target(0, sdss=(12345, 3655, 55240, 184)), "STAR", 0.0, 4.0)]
    for text in (desi_merged_csv(labels), edr_csv(labels)):
        lines = [line.split(",") for line in text.splitlines()]
        assert lines[0][-4:] == ["THING_ID", "PLATE", "MJD", "FIBERID"]
        assert lines[1][-4:] == ["-1"] * 4
        assert (lines[3][0], lines[3][-4:]) == ("-1", ["12345", "3655", "55240", "184"])


def test_a_comment_never_breaks_the_line():
    text = desi_merged_csv([SettledLabel(TARGET, "QSO", 2.0, 4.0, comments="one\ntwo", merger_comment="a\rb")])
    assert text.count("\n") == 2
    assert "one two,a b" in text
