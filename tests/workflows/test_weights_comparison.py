"""Two weights files compared: constructed answers give the constructed figures, and a killed run goes on."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import storage.runs as runs_store
import storage.truth as truth_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.quasarnet.lines import LINES
from qnet_tui.quasarnet.settings import NetworkSettings
from qnet_tui.quasarnet.weights_file import write_weights
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.labelled_rows import all_rows
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import open_tab
from qnet_tui.workflows.round_files import write_npz
from qnet_tui.workflows.weights_answers import answers_folder
from qnet_tui.workflows.weights_comparison import compare_weights, comparisons, read_comparison, resume_compare
from storage.workspace import Workspace
from tests.quasarnet.small import SMALL, random_weights

RESTS = np.array([rest for _, rest in LINES])


@pytest.fixture(scope="module")
def weights_files(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("weights")
    for k, name in enumerate(("new.h5", "old.h5")):
        write_weights(folder / name, random_weights(SMALL, k))
    return folder / "new.h5", folder / "old.h5"


def put(ws: Workspace, file: Path, z: np.ndarray, line: np.ndarray, c: np.ndarray) -> None:
    """Answers for every row of the workspace: redshift, line and confidence (n,); all lines agree on the redshift."""
    n = len(z)
    c_line = np.full((6, n), 0.01, np.float32)
    c_line[line, np.arange(n)] = c
    folder = answers_folder(ws, file)
    folder.mkdir(parents=True, exist_ok=True)
    write_npz(folder / "00000.npz", row_id=all_rows(ws)["id"].astype(np.int64), c_line=c_line,
              z_line=np.tile(z, (6, 1)).astype(np.float32), zbest=z.astype(np.float64))  # fmt: skip


def figures_of(root: Path, run: str) -> dict:
    with Workspace.open(root) as ws:
        return read_comparison(ws, run)


def test_constructed_answers_give_the_constructed_figures(workspace, weights_files):
    new, old = weights_files
    with Workspace.open(workspace) as ws:
        rows = all_rows(ws)
        usable = (rows["object_id"] > 0) & rows["target"]
        objects = np.unique(rows["object_id"][usable])
        place = np.searchsorted(objects, rows["object_id"]) % len(objects)
        n = len(objects)
        assert n > 80
        z_old = np.linspace(1.6, 2.4, n)
        z_new, line_old, line_new = z_old.copy(), np.full(n, 1), np.full(n, 1)
        c_old, c_new = np.full(n, 0.99), np.full(n, 0.99)
        # 7 objects: what was LYA is CIV now; 3: what was CIV is CIII; 2: far off for no reason.
        for part, i, k in ((slice(0, 7), 0, 1), (slice(7, 10), 1, 2)):
            z_new[part] = (1 + z_old[part]) * RESTS[i] / RESTS[k] - 1
            line_old[part], line_new[part] = i, k
        z_new[10:12] = (1 + z_old[10:12]) * 1.1 - 1
        z_new[12:16] += (1 + z_old[12:16]) * 4500 / 299792.458  # Beyond 3000 km/s, within 6000.
        c_old[16:21] = 0.2  # Five only new, four only old, three neither.
        c_new[21:25] = 0.3
        c_old[25:28] = c_new[25:28] = 0.9
        put(ws, new, z_new[place], line_new[place], c_new[place])
        put(ws, old, z_old[place], line_old[place], c_old[place])
        truth = truth_store.current_truth(ws)
        held = {int(t["object_id"]): t["spectype"] == "QSO" for t in truth if t["role"] == "validation"
                and t["quality"] >= 2.5}  # fmt: skip
    done = compare_weights(workspace, new, old, jobs=1)
    assert (done.objects, done.both, done.compared) == (n, n - 12, int(usable.sum()))
    assert done.not_compared == {why: k for why, k in done.not_compared.items() if why.startswith("no ")}
    assert sum(done.not_compared.values()) == len(rows) - int(usable.sum())
    f = figures_of(workspace, done.run)
    within = {a["within_kms"]: (a["k"], a["n"]) for a in f["agreement"]}
    assert within[1000.0] == within[3000.0] == (n - 12 - 16, n - 12)
    # Recession velocities differ by more than c Δz / (1 + z) at these redshifts, so the four go by their velocity.
    from qnet_tui.evaluation.recession import velocity_difference

    near = np.abs(velocity_difference(z_new[12:16], z_old[12:16])) <= 6000
    assert within[6000.0] == (n - 12 - 16 + int(near.sum()), n - 12)
    counts = {c["pair"]: (c["count"], c["by_lines"]) for c in f["confusion"] if c["count"]}
    assert counts["LYA -> CIV(1548)"] == (7, 7)
    assert counts["CIV(1548) -> CIII(1909)"] == (3, 3)
    assert counts["other"] == (2 + int((~near).sum()),) * 2
    changes = {c["change"]: c for c in f["classes"]}
    assert [changes[name]["count"] for name in ("both", "only_new", "only_old", "neither")] == [n - 12, 5, 4, 3]
    for name, part in (("only_new", slice(16, 21)), ("only_old", slice(21, 25))):
        mine = [held[o] for o in objects[part].tolist() if o in held]
        right = (sum(mine), len(mine) - sum(mine))
        assert changes[name]["with_truth"] == len(mine)
        got = (changes[name]["new_right"], changes[name]["old_right"])
        assert got == (right if name == "only_new" else right[::-1])
    assert f["truth_role"] == "validation"
    # Every row of an object says the same, so nobody changes and nothing scatters.
    r = f["repeats"]
    assert r["objects"] > 0
    assert r["new"]["inconsistent"] == r["old"]["inconsistent"] == 0
    assert all(b["sigma_z"] == 0 for b in r["sigma_z"])
    plane = np.array(r["entropy_plane"])
    assert plane[0, 0] == plane.sum() == r["objects"]
    assert f["box_edges"]["line"] == "CIV(1548)"

    tab = open_tab(workspace, "weights")
    pairs = {line.figure: line.n for line in tab.rows}
    assert (pairs["LYA -> CIV"], pairs["CIV -> CIII"], pairs["only new: quasar"]) == (7, 3, 5)
    assert f"Of {n - 12:,} objects that both call a quasar" in tab.says
    assert max(len(line.figure) for line in tab.rows) <= 20
    assert len(tab.chart.curves[0].x) == n - 12
    assert np.abs(tab.chart.curves[1].y).max() < 6000  # The running median.
    assert tab.chart.verticals
    assert {y for y, _ in tab.chart.horizontals} == {3000.0, -3000.0, 6000.0, -6000.0}
    assert {a["within_kms"] for a in tab.document["agreement"]} == {1000.0, 3000.0, 6000.0, 12000.0}
    assert {"pair", "count"} <= tab.document["confusion"][0].keys()
    assert {"line", "amplitude_kms", "n"} <= tab.document["box_pull"][0].keys()


def test_identical_files_agree_and_pull_nothing(workspace, weights_files, tmp_path):
    new, _ = weights_files
    again = tmp_path / "again.h5"
    again.write_bytes(new.read_bytes())
    done = compare_weights(workspace, new, again, c_threshold=0.3, jobs=1)
    f = figures_of(workspace, done.run)
    assert done.both > 50
    assert all(a["fraction"] == 1.0 and a["n"] == done.both for a in f["agreement"])
    assert all(c["count"] == c["by_lines"] == 0 for c in f["confusion"])
    between = [p for p in f["box_pull"] if p["between"] == "new against old"]
    assert between[0]["n"] > 0
    assert all(p["amplitude_kms"] in (0.0, None) for p in between)
    assert [c["count"] for c in f["classes"]][1:3] == [0, 0]
    plane = np.array(f["repeats"]["entropy_plane"])
    assert plane.sum() == np.trace(plane) == f["repeats"]["objects"]
    assert (f["new"]["file"], f["old"]["file"]) == ("new.h5", "again.h5")
    assert open_tab(workspace, "weights").notes[0].startswith("both files are one and the same")
    with Workspace.open(workspace) as ws:
        assert len(list((ws.root / "answers").iterdir())) == 1


def test_one_file_alone_and_the_tabs_of_repeats(workspace, weights_files):
    new, old = weights_files
    alone = compare_weights(workspace, new, c_threshold=0.3, jobs=1)
    tab = open_tab(workspace, "weights", Asked(c_threshold=0.3))
    assert tab.document["agreement"] == tab.document["confusion"] == []
    assert {p["between"] for p in tab.document["box_pull"]} == {"new against truth"}
    assert tab.says
    assert open_tab(workspace, "repeats", Asked(c_threshold=0.3)).bys == ("redshift", "entropy")

    two = compare_weights(workspace, new, old, c_threshold=0.3, jobs=1)
    with Workspace.open(workspace) as ws:
        names = comparisons(ws)
    assert names == {two.run: f"{two.run} new.h5 against old.h5", alone.run: f"{alone.run} new.h5"}
    tab = open_tab(workspace, "repeats", Asked(c_threshold=0.3))
    assert tab.datasets == tuple(names.values())
    assert tab.asked.dataset == names[two.run]
    assert [curve.name for curve in tab.chart.curves] == ["new.h5", "old.h5"]
    assert {b["file"] for b in tab.document["sigma_z"]} <= {"new", "old"}
    assert {"entropy", "count"} <= tab.document["entropy"][0].keys()
    assert sum(b["count"] for b in tab.document["entropy"] if b["file"] == "old") == tab.document["objects"]
    by_entropy = open_tab(workspace, "repeats", Asked(by="entropy", dataset=two.run, c_threshold=0.3))
    assert [name for name, _ in by_entropy.chart.series] == ["new.h5", "old.h5"]
    assert sum(line.count for line in by_entropy.rows) == tab.document["objects"]
    plane = open_tab(workspace, "repeats", Asked(by="old and new", c_threshold=0.3)).chart
    assert np.nansum(plane.values) == tab.document["objects"]
    older = open_tab(workspace, "weights", Asked(dataset=names[alone.run]))
    assert older.asked.dataset == names[alone.run]
    assert any("compare anew" in note for note in older.notes)
    with pytest.raises(BadInput, match="no comparison 'cp-9'"):
        open_tab(workspace, "repeats", Asked(dataset="cp-9"))
    with pytest.raises(BadInput, match="not shown by 'colour'"):
        open_tab(workspace, "repeats", Asked(by="colour"))
    (workspace / "runs" / two.run / "comparison.json").write_text("{")
    with pytest.raises(QnetError, match="cannot be read"):
        open_tab(workspace, "weights")


def fails_at(words: str) -> Callable[[str, int, int], None]:
    def tell(stage: str, done: int, total: int) -> None:
        if stage == words:
            raise OSError("the node went down")

    return tell


def test_a_run_that_failed_goes_on_where_it_was(workspace, weights_files):
    new, old = weights_files
    with pytest.raises(OSError, match="went down"):
        compare_weights(workspace, new, old, c_threshold=0.3, jobs=1, progress=fails_at("scoring with old.h5"))
    with Workspace.open(workspace) as ws:
        record = runs_store.runs(ws)[0]
        assert (record.verb, record.state) == ("compare", "FAILED")
        kept = answers_folder(ws, new) / "00000.npz"
        before = kept.stat().st_mtime_ns
        assert comparisons(ws) == {}
    assert open_tab(workspace, "weights").empty
    done = resume_compare(workspace, record.id, jobs=1)
    assert kept.stat().st_mtime_ns == before
    straight = compare_weights(workspace, new, old, c_threshold=0.3, jobs=1)
    one, two = (figures_of(workspace, run) for run in (done.run, straight.run))
    assert {**one, "run": ""} == {**two, "run": ""}
    with pytest.raises(BadInput, match="is done"):
        resume_compare(workspace, done.run)


def test_rows_without_a_number_and_files_of_two_grids(workspace, weights_files, tmp_path):
    new, _ = weights_files
    linear = tmp_path / "linear.h5"
    write_weights(linear, random_weights(NetworkSettings(layers=4, filters=6, dense=10, n_pixels=458), 2))
    with Workspace.open(workspace) as ws:
        rows = all_rows(ws)
        z = np.full(len(rows), 2.0)
        strange = np.flatnonzero(rows["object_id"] > 0)[:3]
        z[strange] = np.nan
        put(ws, new, z, np.zeros(len(rows), int), np.full(len(rows), 0.99))
    done = compare_weights(workspace, linear, new, c_threshold=0.3, jobs=1)
    assert done.not_compared["old: the answer is not a number"] == 3
    f = figures_of(workspace, done.run)
    assert (f["new"]["grid"], f["old"]["grid"], f["box_edges"]["grid"]) == ("linear", "log", "linear")
    assert f["compared"] + sum(f["not_compared"].values()) == f["rows"] == len(rows)


def test_all_rows_without_a_number(workspace, weights_files):
    new, old = weights_files
    with Workspace.open(workspace) as ws:
        nothing = np.full(len(all_rows(ws)), np.nan)
        for file in (new, old):
            put(ws, file, nothing, np.zeros(nothing.size, int), nothing)
    done = compare_weights(workspace, new, old, jobs=1)
    assert done.objects == 0
    tab = open_tab(workspace, "weights")
    assert tab.chart is None
    assert tab.says.startswith("None of 240 rows has an answer of every file (240: ")
    repeats = open_tab(workspace, "repeats")
    assert repeats.rows == ()
    assert repeats.empty.startswith("none of 240 rows has an answer of every file")
    json.dumps(tab.document, allow_nan=False)
    json.dumps(repeats.document, allow_nan=False)


def test_repeats_of_which_none_is_called_a_quasar(workspace, weights_files):
    with Workspace.open(workspace) as ws:
        n = len(all_rows(ws))
        put(ws, weights_files[0], np.full(n, 2.0), np.zeros(n, int), np.full(n, 0.2))
    compare_weights(workspace, weights_files[0], jobs=1)
    repeats = open_tab(workspace, "repeats")
    assert repeats.document["objects"] > 0
    assert (repeats.rows, repeats.chart) == ([], None)
    assert "no object is called a quasar in all of its spectra" in repeats.empty
    assert "0 (0.0-" in repeats.says
    assert sum(line.count for line in open_tab(workspace, "repeats", Asked(by="entropy")).rows) > 0


def test_an_empty_workspace(tmp_path, weights_files):
    initialise(tmp_path / "ws")
    for name in ("weights", "repeats"):
        tab = open_tab(tmp_path / "ws", name)
        assert not tab.rows
        assert "qnet review weights NEW.h5 --against OLD.h5" in tab.empty
    with pytest.raises(BadInput, match="no spectra to compare on"):
        compare_weights(tmp_path / "ws", weights_files[0], jobs=1)
    with Workspace.open(tmp_path / "ws") as ws:
        assert runs_store.runs(ws) == []  # No run for what could not begin.
    with pytest.raises(BadInput, match="no such file"):
        compare_weights(tmp_path / "ws", tmp_path / "none.h5")
    with pytest.raises(BadInput, match="no truth of role"):
        compare_weights(tmp_path / "ws", weights_files[0], role="all of it")


def test_the_published_files(workspace, shared_data):
    folder = shared_data / "desi" / "quasarnp"
    done = compare_weights(
        workspace, folder / "test_weights_6_layer.h5", folder / "test_weights.h5", c_threshold=0.5, role="all", jobs=1
    )
    f = figures_of(workspace, done.run)
    assert done.both > 60
    at = {a["within_kms"]: a["fraction"] for a in f["agreement"]}
    assert at[1000.0] < at[3000.0] < at[12000.0]
    assert at[12000.0] > 0.8
    assert sum(c["count"] for c in f["confusion"]) <= done.both
    assert 0 < f["box_pull"][0]["amplitude_kms"] < 6000
