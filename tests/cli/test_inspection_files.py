"""vi import, vi queue and the formats of export, as they are typed."""

import storage.spectra as spectra_store
from storage.workspace import Workspace


def some_ids(root, n):
    with Workspace.open(root) as ws:
        return [str(o["identity"]) for o in spectra_store.objects(ws)[:n]]


def test_a_list_an_import_and_an_export(qnet, workspace, tmp_path):
    one, two, three = some_ids(workspace, 3)
    (tmp_path / "list.txt").write_text(f"{one}\n{two}\n77\n")
    answer = qnet("vi", "queue", tmp_path / "list.txt", "-w", workspace)
    assert answer.code == 0
    assert "round 1: 2 objects named by list.txt" in answer.out
    assert "not queued: line 3: 77 no spectrum here" in answer.out
    (tmp_path / "v.csv").write_text(
        "TARGETID,VI_scanner,VI_quality,VI_z,VI_spectype,VI_comment\n"
        f"{one},ABC,4,1.5,QSO,\n{three},,3,0.2,GALAXY,Lyα\n5,ABC,4,1,QSO,\n"
    )
    answer = qnet("vi", "import", tmp_path / "v.csv", "-w", workspace, "--as", "DEF")
    assert answer.code == 0
    assert "prospect: 3 rows, 2 votes added, 0 known already" in answer.out
    assert "round 2: 1 votes (a new round)" in answer.out
    assert "rejected line 4: no spectrum here of desi 5" in answer.out
    got = qnet("vi", "import", tmp_path / "v.csv", "-w", workspace, "--as", "DEF", "--json").json
    assert got.keys() >= {"rows", "added", "known", "repeated", "rounds", "inspectors", "rejected", "notes"}
    assert (got["added"], got["known"]) == (0, 2)
    out = tmp_path / "out"
    out.mkdir()
    got = qnet("export", "votes", "--format", "prospect", "-o", out, "-w", workspace, "--json").json
    assert got["rows"] == 2
    assert [name.rsplit("/", 1)[1] for name in got["files"]] == ["desi-vi_ws_ABC.csv", "desi-vi_ws_DEF.csv"]
    assert qnet("export", "votes", "-o", out, "-w", workspace, "--json").json["file"].endswith("ws-votes.csv")


def test_one_line_for_what_a_user_can_cause(qnet, workspace, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for arguments, says in [
        (("vi", "import", tmp_path / "x.csv"), "x.csv: columns found: a, b"),
        (("vi", "import", tmp_path / "nowhere.csv"), "nowhere.csv: no such file"),
        (("vi", "queue", tmp_path / "x.csv"), "x.csv: columns found: a, b"),
        (("vi", "queue", "--outliers", 5), "no round has been selected by a run"),
        (("export", "votes", "-o", tmp_path / "v.csv", "--format", "marz"), "choose ours, prospect"),
        (("export", "votes", "-o", tmp_path / "v.csv", "--inspector", "ABC"), "there is no inspector ABC"),
    ]:
        answer = qnet(*arguments, "-w", workspace)
        assert answer.code == 2, answer
        assert says in answer.err
        assert answer.err.count("\n") == 1
    for arguments in (("vi", "queue"), ("vi", "queue", "--random", 1, "--outliers", 1), ("vi", "queue", "--random", 0)):
        assert qnet(*arguments, "-w", workspace).code == 2
    assert qnet("vi", "queue", "--random", 1, "--round", 1, "-w", workspace).code == 2


def test_random(qnet, workspace):
    got = qnet("vi", "queue", "--random", 3, "--seed", 7, "-w", workspace, "--json").json
    assert (got["asked"], got["seed"], got["strategy"], got["round"]) == (3, 7, "random", 1)
    assert "drawn at random with seed 7" in qnet("vi", "queue", "--random", 2, "--seed", 7, "-w", workspace).out
