"""The truth CSV of our own: what is written is what is read, and the file is there whole or not at all."""

import csv
import resource
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.truth.labels import Label
from qnet_tui.truth.pipeline import pipeline_label
from qnet_tui.truth.read import read_truth
from qnet_tui.truth.write import TRUTH_COLUMNS, truth_csv, write_truth


def label(targetid: int | None = 39633493583464924, **changes: object) -> Label:
    fields: dict[str, object] = {
        "targetid": targetid,
        "thing_id": None,
        "plate_mjd_fiber": None,
        "spectype": "QSO",
        "z": 2.1234567890123,
        "quality": 10 / 3,
        "bal": 0,
        "issues": "CR",
        "comment": 'broad, "odd" lines',
        "n_vi": 3,
        "line": 2,
    }
    return Label(**(fields | changes))  # type: ignore[arg-type]


def test_columns_are_those_upstream_reads(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    write_truth(path, [label(), label(7, z=None, quality=1.0, comment="", issues="", n_vi=None)])
    with path.open(newline="") as handle:
        first, second = csv.DictReader(handle)
    assert tuple(first) == TRUTH_COLUMNS
    assert first["TARGETID"] == "39633493583464924"
    assert (first["VI_Z"], first["VI_QUALITY"], first["VI_CLASS"]) == ("2.1234567890123", repr(10 / 3), "QSO")
    assert (second["VI_Z"], second["N_VI"], second["merger_comment"]) == ("", "", "")


def test_sdss_objects_and_bal_flags_get_columns_of_their_own(tmp_path: Path) -> None:
    labels = [
        label(None, thing_id=427104307, plate_mjd_fiber=(3655, 55240, 184), bal=1, line=2),
        label(None, plate_mjd_fiber=(3655, 55240, 185), bal=-1, line=3),
        label(5, line=4),
    ]
    path = tmp_path / "truth.csv.gz"
    write_truth(path, labels, extra={"ROUND": [0, 0, 1], "origin": ["a", "b", "c,d"]})
    table = read_truth(path)
    assert (table.dialect, list(table.labels), table.rejected) == ("quasarnet", labels, ())
    # no blank among the ids: a reader that goes through floats would lose the digits of the others
    assert [line.split(",")[0] for line in truth_csv(labels).splitlines()] == ["TARGETID", "-1", "-1", "5"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_round_trip(tmp_path: Path, data: st.DataObject) -> None:
    words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30).map(
        lambda text: " ".join("".join(c if c.isprintable() else " " for c in text).split())
    )
    blanks = {"", "-", "--", "nan", "none", "null", "n/a", "na", "<na>", "masked"}
    labels = []
    for number in range(data.draw(st.integers(1, 6))):
        quality = data.draw(st.floats(0, 4))
        plate = data.draw(st.none() | st.tuples(*[st.integers(1, 2**31 - 1)] * 3))
        labels.append(
            label(
                number * 10**17 + data.draw(st.integers(1, 10**16)),
                thing_id=data.draw(st.none() | st.integers(1, 2**62)),
                plate_mjd_fiber=plate,
                spectype=data.draw(st.sampled_from(["STAR", "GALAXY", "QSO"])),
                z=data.draw(st.floats(-0.01, 7.0) if quality >= 2.5 else st.none() | st.floats(-0.01, 7.0)),
                quality=quality,
                bal=data.draw(st.sampled_from([-1, 0, 1])),
                issues=data.draw(st.sampled_from(["", "C", "CR", "CRS", "S"])),
                comment=data.draw(words.filter(lambda text: text.lower() not in blanks)),
                n_vi=data.draw(st.none() | st.integers(0, 9)),
                line=number + 2,
            )
        )
    path = tmp_path / "truth.csv"
    write_truth(path, labels)
    table = read_truth(path)
    assert list(table.labels) == labels
    assert table.rejected == ()
    write_truth(tmp_path / "again.csv", table.labels)
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("extra", [{"VI_Z": [1]}, {"vi quality": [1]}, {"ROUND": [1, 2]}])
def test_extra_columns_that_clash(extra: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="clashes"):
        truth_csv([label()], extra)


def test_nothing_stays_behind_when_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    write_truth(path, [label()])
    before = path.read_bytes()
    many = [label(i) for i in range(1, 2000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(QnetError, match="cannot be written: File too large; check the folder"):
            write_truth(path, many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_folders_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "absent" / "t.csv", tmp_path / "file" / "t.csv", tmp_path / "folder"):
        with pytest.raises(QnetError, match="cannot be written"):
            write_truth(path, [label()])
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(("zwarn", "quality"), [(0, 3.0), (4, 1.0), (-1, 1.0)])
def test_pipeline_label(zwarn: int, quality: float) -> None:
    assert pipeline_label("QSO", 2.5, zwarn) == ("QSO", 2.5, quality)
    assert pipeline_label("STAR", -0.0003, zwarn) == ("STAR", -0.0003, quality)


@pytest.mark.parametrize(
    ("kind", "z", "says"),
    [("", 1.0, "no class"), ("SKY", 1.0, "none of"), ("QSO", float("nan"), "no redshift"), ("QSO", 8.0, "outside")],
)
def test_pipeline_answers_that_are_no_label(kind: str, z: float, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        pipeline_label(kind, z, 0)
