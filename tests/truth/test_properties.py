"""Whatever the bytes: a TruthTable whose rows add up, or BadInput in one line. Nothing else."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qnet_tui.errors import BadInput
from qnet_tui.truth.dialects import FIBERID, MJD, PLATE, TARGETID, THING_ID
from qnet_tui.truth.labels import TruthTable
from qnet_tui.truth.read import FORMATS, read_truth
from tests.truth.tables import write_fits

COLUMNS = [
    "TARGETID", "VI_Z", "VI_QUALITY", "VI_CLASS", "VI_SPECTYPE", "best z", "best_quality", "best spectype", "Z",
    "Redrock_z", "Redrock_spectype", "VI_scanner", "VI_issue", "VI_comment", "THING_ID", "PLATE", "MJD", "FIBERID",
    "BI_CIV", "BAL_FLAG_VI", "BAL", "N_VI", "ZWARN", "SPECTYPE", "CLASS_PERSON", "Z_CONF_PERSON", "OBJCLASS",
    "Z_CONF", "FinZ", "FinTN", "QOP", "Name", "Class", "Quality", "VI class", "colour", "",
]  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "--", "nan", "-1", "0", "1", "2", "2.5", "3", "4", "30", "999", "1.5", "7.1", "-0.01", "1e400",
         "QSO", "STAR", "galaxy", "WD", "3.9e16", "39633493583464924", "9" * 25, "RC", '"', '","', '"a,b"', "a\nb",
         "1_0", "inf", "T", "3655-55240-0256", "Quasar", "\x00", "٣"]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
    st.text(max_size=8),
)  # fmt: skip
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(path: Path, format_name: str = "auto", quality: float | None = None) -> TruthTable | None:
    try:
        table = read_truth(path, format=format_name, quality=quality)
    except BadInput as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert "\n" not in refusal
        assert len(refusal) < 2500
        return None
    assert table.rows == len(table.labels) + len(table.rejected) + table.duplicates
    assert table.rows > 0
    for label in table.labels:
        assert label.identities()
        assert label.spectype in ("STAR", "GALAXY", "QSO")
        assert 0.0 <= label.quality <= 4.0
        assert label.z is None or -0.01 <= label.z <= 7.0
        assert label.z is not None or label.quality < 2.5
        assert label.bal in (-1, 0, 1)
        assert "\n" not in label.comment
        assert set(label.issues) <= set("RCS")
    keys = [label.identities()[0] for label in table.labels]
    assert len(set(keys)) == len(keys)
    assert all(one.reason and "\n" not in one.reason and len(one.reason) < 150 for one in table.rejected)
    lines = [one.line for one in table.rejected]
    assert lines == sorted(lines)
    assert all(line >= 1 for line in lines)
    return table


@QUICK
@given(
    st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=10),
    st.lists(st.lists(CELLS, max_size=11), max_size=8),
    st.sampled_from([",", ",", ",", ";", "\t", " ", " , "]),
    st.sampled_from(FORMATS),
    st.sampled_from([None, 3.0]),
)
def test_wild_tables(
    tmp_path: Path, names: list[str], rows: list[list[str]], separator: str, form: str, quality: float | None
) -> None:
    path = tmp_path / "wild.csv"
    lines = [separator.join(names), *(separator.join(row) for row in rows)]
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    check(path, form, quality)


@QUICK
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=12))
def test_wild_cells_under_a_good_header(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    path = tmp_path / "wild.csv"
    text = "TARGETID,VI_Z,VI_QUALITY,VI_CLASS\n1,1.5,4,QSO\n" + "\n".join(",".join(row) for row in rows)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    table = check(path)
    # A broken row never takes a good one with it: the first stays, unless a later one is about the same object.
    if table is not None:
        assert any(label.targetid == 1 for label in table.labels)


@QUICK
@given(st.text(max_size=300))
def test_any_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wild.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    check(path)


@QUICK
@given(
    st.sampled_from([b"", b"\x1f\x8b\x08", b"SIMPLE  =", b"SIMPLE  =                    T"]), st.binary(max_size=400)
)
def test_any_bytes(tmp_path: Path, start: bytes, rest: bytes) -> None:
    path = tmp_path / "wild"
    path.write_bytes(start + rest)
    check(path)
    path.write_bytes(gzip.compress(start + rest))
    check(path)


@pytest.fixture(scope="module")
def whole_fits(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    columns = {"TARGETID": [1, 2, 3], "Z": [1.0, 2.0, 0.0], "SPECTYPE": ["QSO", "GALAXY", "STAR"], "ZWARN": [0, 4, 0]}
    return write_fits(tmp_path_factory.mktemp("fits"), columns).read_bytes()


@QUICK
@given(
    st.lists(st.tuples(st.integers(2880, 2 * 2880 + 200), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 4 * 2880),
)
def test_damaged_fits(tmp_path: Path, whole_fits: bytes, damage: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(whole_fits)
    for place, value in damage:
        content[place] = value
    path = tmp_path / "damaged.fits"
    path.write_bytes(bytes(content) if cut > 2880 else bytes(content[: len(content) - cut]))
    check(path)


def test_the_columns_drawn_cover_all_identities() -> None:
    drawn = {name.lower() for name in COLUMNS}
    assert drawn >= {TARGETID[0], THING_ID[0], PLATE[0], MJD[0], FIBERID[0]}
