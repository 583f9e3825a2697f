"""The report of a swap of weights, on answers written by hand: counts, tests, what got worse, what is not known."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest

import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.labelled_rows import all_rows, validation_rows
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.round_files import RoundFiles, write_npz
from qnet_tui.workflows.weights_evidence import measured, training_of, worse_bins
from qnet_tui.workflows.weights_report import write_report
from storage.files import make_directory
from storage.scalars import json_text
from storage.workspace import Workspace

FILES = {"new": b"the new network", "old": b"the old network"}


class Case:
    """The held-out objects of the ready campaign; quasars first, in the order of their redshift."""

    def __init__(self, root: Path):
        self.root = root
        with Workspace.open(root) as ws:
            held = validation_rows(ws, all_rows(ws), truth_store.current_truth(ws))
        order = np.lexsort((held.object_id, held.z, ~held.is_qso))
        self.row_id, self.object_id = held.row_id[order], held.object_id[order]
        self.z, self.is_qso = held.z[order], held.is_qso[order]
        self.n, self.quasars = len(order), int(held.is_qso.sum())
        # Both files are right about everything until a test says otherwise.
        self.c = {who: np.where(self.is_qso, 0.99, 0.1) for who in FILES}
        self.zbest = {who: self.z.copy() for who in FILES}

    def compared(self, *, who=("new", "old"), **changes) -> str:
        figures = {
            "c_threshold": 0.95, "truth_role": "validation", "truth_objects": self.n, "truth_quasars": self.quasars,
            "rows": self.n, "compared": self.n, "objects": self.n, "not_compared": {}, "agreement": [], "confusion": [],
            "box_pull": [], "classes": [], "against_truth": [], "box_edges": {}, "repeats": {"objects": 0},
        }  # fmt: skip
        with Workspace.open(self.root) as ws:
            for name in who:
                sha = hashlib.sha256(FILES[name]).hexdigest()
                folder = ws.root / "answers" / f"{sha[:16]}-as-trained"
                make_directory(folder)
                c_line = np.full((6, self.n), 0.01, dtype=np.float32)
                c_line[1] = self.c[name]
                z_line = np.tile(self.zbest[name], (6, 1)).astype(np.float32)
                write_npz(folder / "00000.npz", row_id=self.row_id, c_line=c_line, z_line=z_line,
                          zbest=self.zbest[name])  # fmt: skip
                figures[name] = {"file": f"{name}.h5", "sha256": sha, "grid": "log", "offsets": "as-trained",
                                 "versions": {"qnet": "0"}, "path": str(self.root / f"{name}.h5")}  # fmt: skip
            figures |= {"truth_hash": truth_store.truth_hash(ws), **changes}
            run = runs_store.new_run(ws, "compare", {n: f"{n}.h5" for n in who}, {}, None, None, "qnet review weights")
            make_directory(ws.run_dir(run))
            (ws.run_dir(run) / "comparison.json").write_text(json_text(figures))
            runs_store.finish(ws, run, "DONE")
        return run


@pytest.fixture
def case(workspace: Path) -> Case:
    found = Case(workspace)
    assert found.quasars >= 6
    assert found.n - found.quasars >= 3
    return found


def names_of(root: Path, ids) -> list[str]:
    import storage.spectra as spectra_store

    with Workspace.open(root) as ws:
        return [str(one["targetid"]) for one in spectra_store.objects(ws, [int(i) for i in ids])]


def test_counts_tests_and_what_got_worse(case, tmp_path):
    # Quasars 0 and 1: only the old file finds them; 2: only the new one. 3: the new redshift is 0.1 off.
    case.c["new"][[0, 1]] = 0.9
    case.c["old"][2] = 0.9
    case.zbest["new"][3] += 0.1
    # An object that is none: the new file calls it a quasar.
    case.c["new"][case.quasars] = 0.97
    run = case.compared()
    target = tmp_path / "report.md"
    said = write_report(case.root, target, None, Asked())
    q, n = case.quasars, case.n
    assert (said.comparison, said.objects, said.quasars, said.truth) == (run, n, q, "validation")
    assert said.completeness_new == pytest.approx((q - 2) / q)
    assert said.completeness_old == pytest.approx((q - 1) / q)
    assert said.purity_new == pytest.approx((q - 2) / (q - 1))
    assert said.purity_old == 1.0
    # By class: three right by the old file alone, one by the new one alone: p = 2 (1 + 4) / 2^4.
    assert said.p == pytest.approx(0.625)
    assert (said.worse, said.better) == (4, 1)
    text = target.read_text()
    # Of the quasars found: two against one, p = min(1, 2 (1 + 3) / 2^3) = 1.
    assert f"of {q:,} quasars, the old one" in text
    assert "1 fewer, McNemar p = 1." in text
    for name in names_of(case.root, case.object_id[[0, 1, 3, q]]):
        assert f"| {name} |" in text
    assert "The old file had 4 right (class, redshift within 6000 km/s) that the new one has wrong; 4 of them" in text
    assert f"| {names_of(case.root, case.object_id[[3]])[0]} | redshift off | QSO |" in text
    assert f"| {names_of(case.root, case.object_id[[q]])[0]} | called a quasar |" in text
    assert "what it was trained on is not known here" in text
    assert f"| new, its own | {q - 2} |" in text
    # Of those that both find, one of the new redshifts is 0.1 off: more than 6000 km/s at any of these.
    assert f"| new, found by both | {q - 3} | 0 | 0 | 1 (" in text
    assert f"| old, found by both | {q - 3} | 0 | 0 | 0 (" in text
    assert "is no longer the file that was compared" in text
    assert not any("nan" in line.split() for line in text.splitlines())
    # At c > 0.5 the missed ones are found: a threshold is a choice.
    assert write_report(case.root, target, None, Asked(c_threshold=0.5)).completeness_new == 1.0
    # With a condition on the redshift one more is missed.
    assert write_report(case.root, target, None, Asked(dv_max=3000)).completeness_new == pytest.approx((q - 3) / q)


def test_bins_where_the_new_file_is_worse(case):
    case.c["new"][0] = 0.5
    case.c["new"][case.quasars] = 0.99
    case.c["old"][case.quasars - 1] = 0.5
    case.compared()
    with Workspace.open(case.root) as ws:
        from qnet_tui.workflows.weights_answers import AnswersFiles

        folders = {who: ws.root / "answers" / f"{hashlib.sha256(text).hexdigest()[:16]}-as-trained"
                   for who, text in FILES.items()}  # fmt: skip
        found = worse_bins(measured(ws, {who: AnswersFiles(path, {}, {}) for who, path in folders.items()}), 0.95)
    by_z = [one for one in found if one.by == "z"]
    low, high = case.z[0], case.z[case.quasars - 1]
    assert math.floor(low / 0.5) != math.floor(high / 0.5)
    assert [(one.lo, one.what, one.old - one.new, one.p) for one in by_z] == [
        (math.floor(low / 0.5) * 0.5, "quasars found", 1, 1.0)
    ]
    assert {one.what for one in found if one.by == "S/N"} >= {"false quasars"}
    assert all(one.new > one.old for one in found if one.what == "false quasars")


def test_which_objects_were_trained_on_is_said_where_it_is_known(case, tmp_path):
    with Workspace.open(case.root) as ws:
        files = RoundFiles(ws.round_dir(1))
        make_directory(files.training.parent)
        write_npz(files.training, row_id=np.array([case.row_id[0], case.row_id[2]]))
        known = training_of(ws, files.network(3), {}, case.object_id)
        assert (known.held_out, known.inside) == (case.n - 2, 2)
        assert "round 1" in known.source
        run = runs_store.new_run(ws, "train", {}, {"qnet": "0"}, 1, None, "qnet train")
        runs_store.update_run(ws, run, truth_hash="abc")
        make_directory(ws.run_dir(run))
        n, unknown = case.n - 1, np.full(case.n - 1, np.nan, np.float32)
        write_npz(ws.run_dir(run) / "validation.npz", object_id=case.object_id[1:], z=case.z[1:],
                  is_qso=case.is_qso[1:], c_line=np.zeros((6, n), np.float32), z_line=np.zeros((6, n), np.float32),
                  zbest=np.zeros(n), snr=unknown, mag_r=unknown)  # fmt: skip
        mine = training_of(ws, tmp_path / "weights.h5", {"run": run, "truth_hash": "abc"}, case.object_id)
        assert (mine.held_out, mine.inside) == (case.n - 1, None)
        assert mine.recorded["command"] == "qnet train"
        # A run of the same name in another workspace made that file.
        other = training_of(ws, tmp_path / "weights.h5", {"run": run, "truth_hash": "def"}, case.object_id)
        assert (other.source, other.held_out, other.inside) == ("unknown", None, None)


def test_objects_without_an_answer_are_counted_and_a_changed_truth_is_said(case, tmp_path):
    case.c["new"][0] = np.nan
    case.compared(truth_hash="of another truth")
    said = write_report(case.root, tmp_path / "r.md", None, Asked())
    assert said.objects == case.n - 1
    text = (tmp_path / "r.md").read_text()
    assert "1 more have a secure label but no spectrum that every file answered for" in text
    assert "The truth changed since" in text


def test_one_file_alone_has_a_page_without_pairs(case, tmp_path):
    case.compared(who=("new",))
    said = write_report(case.root, tmp_path / "r.md", None, Asked())
    assert (said.old, said.worse, said.completeness_new) == ("", 0, 1.0)
    assert math.isnan(said.p)
    text = (tmp_path / "r.md").read_text()
    assert "McNemar" not in text
    assert "What got worse" not in text


def test_the_newest_comparison_of_the_file_is_taken_or_the_one_that_is_named(case, tmp_path):
    alone = case.compared(who=("new",))
    both = case.compared()
    (tmp_path / "n.h5").write_bytes(FILES["new"])
    assert write_report(case.root, tmp_path / "r.md", tmp_path / "n.h5", Asked()).comparison == both
    assert write_report(case.root, tmp_path / "r.md", None, Asked(dataset=alone)).comparison == alone
    with pytest.raises(BadInput, match="no comparison is called 'cp-9999'"):
        write_report(case.root, tmp_path / "r.md", None, Asked(dataset="cp-9999"))


def test_what_cannot_be_reported_is_one_line(case, tmp_path):
    with pytest.raises(BadInput, match="no weights files were compared yet"):
        write_report(case.root, tmp_path / "r.md", None, Asked())
    case.compared()
    with pytest.raises(BadInput, match="its folder does not exist"):
        write_report(case.root, tmp_path / "none" / "r.md", None, Asked())
    with pytest.raises(BadInput, match=r"n\.h5: cannot be read"):
        write_report(case.root, tmp_path / "r.md", tmp_path / "n.h5", Asked())
    for path in (case.root / "answers").glob("*/00000.npz"):
        path.write_bytes(b"torn")
    with pytest.raises(QnetError, match="damaged"):
        write_report(case.root, tmp_path / "r.md", None, Asked())
    assert not (tmp_path / "r.md").exists()
    initialise(tmp_path / "empty")
    with pytest.raises(BadInput, match="no weights files were compared yet"):
        write_report(tmp_path / "empty", tmp_path / "r.md", None, Asked())
