"""Inspection files become votes, row by row, and twice the same file is once."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import storage.rounds as rounds_store
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput
from qnet_tui.inspection.prospect_file import COLUMNS
from qnet_tui.spectra.single import load_spectrum
from qnet_tui.workflows.given_round import open_round, unscored
from qnet_tui.workflows.import_votes import import_votes
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.review.tabs import open_tab
from qnet_tui.workflows.round_files import RoundFiles
from storage.inspectors import add_inspector, inspectors
from storage.votes import Vote, commit_vote, new_uid, votes
from storage.workspace import Workspace


@pytest.fixture(scope="module")
def targets(ready):
    """TARGETID, class and redshift of redrock of the first twelve objects with a coadd that redrock answered for."""
    with Workspace.open(ready) as ws:
        rows = spectra_store.read_rows(ws, "kind = 'coadd' AND targetid > 0 AND pipeline_class <> ''")
        _, first = np.unique(rows["object_id"], return_index=True)
        return [(int(r["targetid"]), str(r["pipeline_class"]), float(r["pipeline_z"])) for r in rows[first][:12]]


def line(targetid, scanner="ABC", quality="4", issue="", z="1.5", spectype="QSO", comment="", redrock=("QSO", "2.2")):
    return f"{targetid},1,20260101,80001,0,-1,-1,{redrock[0]},{redrock[1]},9.5,{scanner},{quality},{issue},{z},{spectype},{comment}"  # noqa: E501


def write(folder: Path, *lines: str, name: str = "desi-vi_set1_ABC.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
    return path


def current(root: Path) -> list[Vote]:
    with Workspace.open(root) as ws:
        return votes(ws)


def test_rows_become_votes_in_a_round_of_their_own_and_twice_is_once(workspace, tmp_path, targets):
    path = write(
        tmp_path,
        line(targets[0][0], quality="4", issue="RC", z="1.5001", comment="broad; Lyα"),
        line(targets[1][0], scanner="DEF", quality="2", z="0.31", spectype="GALAXY"),
        line(39_999_999_999, quality="3"),
        line(targets[2][0], quality="-1"),
    )
    os.utime(path, (1_600_000_000, 1_600_000_000))
    said = import_votes(workspace, path)
    assert (said.dialect, said.rows, said.added, said.known) == ("prospect", 4, 2, 0)
    assert (said.rounds, said.new_rounds, said.inspectors) == ({1: 2}, [1], {"ABC": 1, "DEF": 1})
    assert said.rejected == [
        {"line": 4, "reason": "no spectrum here of desi 39999999999"},
        {"line": 5, "reason": "quality -1: not inspected"},
    ]
    first, second = sorted(current(workspace), key=lambda vote: vote.inspector)
    assert (first.inspector, first.spectype, first.z, first.quality, first.issues) == ("ABC", "QSO", 1.5001, 4, "CR")
    assert (first.comment, first.z_source, first.blind_model, first.origin) == (
        "broad; Lyα", "typed", False, "prospect:desi-vi_set1_ABC.csv",
    )  # fmt: skip
    assert first.committed_at == "2020-09-13T12:26:40.000000Z"
    with Workspace.open(workspace) as ws:
        assert {one.code: one.os_user for one in inspectors(ws)} == {"ABC": "", "DEF": ""}
        records = rounds_store.selection(ws, 1)
        assert [record.strategy for record in records] == ["import", "import"]
        spectrum = load_spectrum(RoundFiles(ws.round_dir(1)).spectrum(records[0].object_id))
        assert spectrum.targetid == targets[0][0]
    assert open_tab(workspace, "rounds").rows[0].strategy == "import"
    again = import_votes(workspace, path)
    assert (again.added, again.known, again.new_rounds) == (0, 2, [])
    assert current(workspace) == [first, second] or current(workspace) == [second, first]


def test_a_blank_is_the_pipelines_answer_and_nothing_at_quality_0(workspace, tmp_path, targets):
    (one, its_class, its_z), (two, *_), (three, *_), (four, four_class, four_z) = targets[:4]
    path = write(
        tmp_path,
        line(one, z="", spectype="", redrock=(its_class, f"{its_z:.4f}")),
        line(two, z="", spectype="", redrock=("GALAXY", "0.1234")),
        line(three, quality="0", z="", spectype=""),
        line(four, z="", spectype="", redrock=("", "-1")),
    )
    said = import_votes(workspace, path)
    assert said.added == 4
    assert "3 rows accept the pipeline's redshift or class" in said.notes
    with Workspace.open(workspace) as ws:
        by_target = {int(spectra_store.objects(ws, [v.object_id])[0]["targetid"]): v for v in votes(ws)}
    # To the digits of the file ours is the same, and has more of them.
    assert (by_target[one].spectype, by_target[one].z, by_target[one].z_source) == (its_class, its_z, "pipeline")
    # What the inspector saw in the file counts, not what another version of the pipeline says here.
    assert (by_target[two].spectype, by_target[two].z) == ("GALAXY", 0.1234)
    assert (by_target[three].spectype, by_target[three].z, by_target[three].z_source) == (None, None, "")
    assert (by_target[four].spectype, by_target[four].z) == (four_class, four_z)


def test_rows_without_a_scanner(workspace, tmp_path, targets):
    rows = [line(targets[0][0], scanner=" "), line(targets[1][0], scanner="Desi Arnaz")]
    assert import_votes(workspace, write(tmp_path, *rows, name="x.csv")).rejected == [
        {"line": 2, "reason": "no scanner; give --as CODE"}
    ]
    said = import_votes(workspace, write(tmp_path, *rows, name="x.csv"), code="GHI")
    assert (said.inspectors, said.added, said.known) == ({"DesiArnaz": 1, "GHI": 1}, 1, 1)
    named = import_votes(workspace, write(tmp_path, line(targets[2][0], scanner=""), name="desi-vi_set_2_TMD.csv"))
    assert named.inspectors == {"TMD": 1}
    assert "rows without a scanner are TMD's, whom the file's name tells" in named.notes
    with Workspace.open(workspace) as ws:
        assert {one.code: one.name for one in inspectors(ws)}["DesiArnaz"] == "Desi Arnaz"
    odd = [line(targets[0][0], scanner="…"), line(targets[1][0], scanner="A.B"), line(targets[2][0], scanner="AB")]
    assert [bad["reason"] for bad in import_votes(workspace, write(tmp_path, *odd)).rejected] == [
        r"scanner '\u2026' makes no code of 2 to 10 letters or digits",
        "scanners 'A.B' and 'AB' make the same code AB",
    ]
    with pytest.raises(BadInput, match="no inspector code"):
        import_votes(workspace, write(tmp_path, *rows), code="a_b")


def test_repeats_corrections_and_votes_given_here(workspace, tmp_path, targets):
    one, two = targets[0][0], targets[1][0]
    said = import_votes(workspace, write(tmp_path, line(one, z="1.1"), line(one, z="1.2"), line(two, z="1.3")))
    assert (said.rows, said.added, said.repeated) == (3, 2, 1)
    assert sorted(vote.z for vote in current(workspace)) == [1.2, 1.3]
    corrected = import_votes(workspace, write(tmp_path, line(one, z="1.25")))
    assert (corrected.added, corrected.known) == (1, 0)
    assert sorted(vote.z for vote in current(workspace)) == [1.25, 1.3]
    with Workspace.open(workspace) as ws:
        add_inspector(ws, "XYZ", "someone")
        record = rounds_store.selection(ws, 1)[0]
        commit_vote(ws, Vote(new_uid(), 1, record.object_id, "XYZ", "QSO", 1.0, 4))
    refused = import_votes(workspace, write(tmp_path, line(one, scanner="xyz"), line(two, scanner="xyz")))
    assert (refused.added, refused.inspectors) == (1, {"XYZ": 1})
    assert refused.rejected == [{"line": 2, "reason": f"XYZ has voted on {one} here"}]


def test_votes_go_to_the_round_that_asks(workspace, tmp_path, targets):
    with Workspace.open(workspace) as ws:
        ids = spectra_store.object_ids(ws, "desi", [str(t[0]) for t in targets])
        for names in (targets[:2], targets[2:3]):
            open_round(ws, [unscored(ids[str(t[0])], "", "list") for t in names], 9, silent)
    path = write(tmp_path, *(line(t[0]) for t in targets[:4]))
    said = import_votes(workspace, path)
    assert (said.rounds, said.new_rounds) == ({1: 2, 2: 1, 3: 1}, [3])
    only = import_votes(workspace, write(tmp_path, *(line(t[0], scanner="DEF") for t in targets[1:3])), round_number=1)
    assert (only.rounds, only.rejected) == (
        {1: 1}, [{"line": 3, "reason": f"round 1 does not ask for {targets[2][0]}"}],
    )  # fmt: skip
    with pytest.raises(BadInput, match="no round 9"):
        import_votes(workspace, path, round_number=9)


def test_spectra_that_are_gone_are_refused_by_line_and_come_later(ready, survey, tmp_path, targets):
    root = Path(shutil.copytree(ready, tmp_path / "ws"))
    path = write(tmp_path, line(targets[0][0]), line(targets[1][0]))
    from qnet_tui.workflows.ingest import relocate

    relocate(root, str(survey), str(tmp_path / "away"))
    said = import_votes(root, path)
    assert said.added == 0
    assert [bad["line"] for bad in said.rejected] == [2, 3]
    assert "no spectrum could be copied" in said.rejected[0]["reason"]
    relocate(root, str(tmp_path / "away"), str(survey))
    assert import_votes(root, path).added == 2


def test_wild_files(workspace, tmp_path, targets):
    rows = [
        line(targets[0][0], comment="x" * 300),
        line(targets[1][0], comment='"Lyα, ""C IV"", and 4000 Å"'),
        line(targets[2][0], comment="5 o\u2019clock" + '","' + "maybe"),
        line(targets[3][0], comment="one, two"),
        line(targets[4][0], scanner='A","B'),
        line(targets[5][0], z="2,5"),
        "7,8,9",
    ]
    path = write(tmp_path, *rows)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    said = import_votes(workspace, path)
    with Workspace.open(workspace) as ws:
        comments = {int(spectra_store.objects(ws, [v.object_id])[0]["targetid"]): v.comment for v in votes(ws)}
    assert comments == {
        targets[0][0]: "x" * 300,
        targets[1][0]: 'Lyα, "C IV", and 4000 Å',
        targets[2][0]: "5 o\u2019clock;maybe",
        targets[3][0]: "one; two",
        targets[4][0]: "",
    }
    assert said.inspectors == {"AB": 1, "ABC": 4}
    assert [bad["line"] for bad in said.rejected] == [7, 8]
    assert "1 comments are longer than 100 signs: kept whole here" in said.notes


def test_files_that_are_none(workspace, tmp_path):
    for text, says in (("", "empty"), ("a,b\n1,2\n", "for an inspection file of Prospect add TARGETID")):
        (tmp_path / "x.csv").write_text(text)
        with pytest.raises(BadInput, match=says):
            import_votes(workspace, tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("uid,committed_at,VI_QUALITY,inspector\n1,2,3,4\n")
    with pytest.raises(BadInput, match=r"x\.csv: lacks the column SURVEY, ID, round"):
        import_votes(workspace, tmp_path / "x.csv")
