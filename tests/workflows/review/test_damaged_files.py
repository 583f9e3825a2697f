"""What lies on the disk can be cut off, gone, or of another kind: each tab says which file it is, in one line."""

import json
import shutil
from pathlib import Path

import pytest

import storage.runs as runs_store
from qnet_tui.errors import QnetError
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import TABS, open_tab
from qnet_tui.workflows.round_files import write_npz
from qnet_tui.workflows.weights_answers import answers, answers_folder
from qnet_tui.workflows.weights_report import write_report
from storage.workspace import Workspace
from tests.every_tab import scored_round
from tests.quasarnet.small import SMALL, random_weights


@pytest.fixture(scope="module")
def scored(ready: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one round of three rows and four networks; never change it."""
    root = Path(shutil.copytree(ready, tmp_path_factory.mktemp("scored") / "ws"))
    scored_round(root)
    return root


@pytest.fixture
def root(scored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scored, tmp_path / "ws"))


def cut(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("name", ["pool.npz", "pool/row_id.npy", "pool/object_key.npy", "pool/bmu.npy"])
def test_the_plan_of_a_round(root: Path, name: str, share: float):
    cut(root / "rounds" / "001" / "plan" / name, share)
    with pytest.raises(QnetError, match=f"plan/{name}.*copy of the workspace"):
        open_tab(root, "entropy")
    for other in TABS.keys() - {"entropy", "map", "outliers"}:
        open_tab(root, other)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_the_cells_of_a_round(root: Path, share: float):
    whole = open_tab(root, "map")
    shutil.rmtree(root / "rounds" / "001" / "review")
    cut(root / "rounds" / "001" / "bmu.npy", share)
    tab = open_tab(root, "map")
    assert [line.count for line in tab.rows] == [line.count for line in whole.rows]
    assert "bmu.npy: damaged" in tab.notes[0]


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", '{"repeats": {}, "agreement": []}'])
def test_a_comparison(root: Path, tmp_path: Path, text: str):
    with Workspace.open(root) as ws:
        run = runs_store.new_run(ws, "compare", {"new": "a.h5", "against": "b.h5"}, {}, None, None, "by hand")
        runs_store.finish(ws, run, "DONE", {})
        ws.run_dir(run).mkdir(parents=True, exist_ok=True)
        file = ws.run_dir(run) / "comparison.json"
    file.write_text(text)
    for name in ("repeats", "weights"):
        with pytest.raises(QnetError, match=r"comparison\.json.*compare again"):
            open_tab(root, name)
    with pytest.raises(QnetError, match=r"comparison\.json"):
        write_report(root, tmp_path / "report.md", None, Asked())
    assert not (tmp_path / "report.md").exists()


def test_the_facts_of_answers(root: Path, tmp_path: Path):
    from qnet_tui.quasarnet.weights_file import write_weights
    from qnet_tui.workflows.labelled_rows import all_rows

    write_weights(tmp_path / "qn.h5", random_weights(SMALL, 1))
    with Workspace.open(root) as ws:
        folder = answers_folder(ws, tmp_path / "qn.h5")
        folder.mkdir(parents=True)
        write_npz(folder / "00000.npz", row_id=all_rows(ws)["id"])
        for text in ("{", "[]", json.dumps({"file": "qn.h5"})):
            (folder / "facts.json").write_text(text)
            with pytest.raises(QnetError, match=r"facts\.json.*remove the file"):
                answers(ws, tmp_path / "qn.h5")
