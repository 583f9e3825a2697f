"""The bench of the review: what it builds can be opened, and its targets are ratios and megabytes."""

from types import SimpleNamespace

import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows import bench_review as verb
from qnet_tui.workflows.bench_review import OPENED, SMALL, bench_review, build, open_repeatedly
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.review.tabs import TABS, open_tab


def test_a_made_up_round_has_something_in_every_tab(tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "TIMES", 1)
    root = tmp_path / "ws"
    build(root=str(root), rows=SMALL, progress=silent)
    assert set(OPENED) <= set(TABS)
    for name in OPENED:
        said = {one.name: one.ours for one in open_repeatedly(root=str(root), name=name, progress=silent)}
        assert said["rows"] > 0, name
        assert said["again"] > 0, name
        assert said["peak"] >= said["start"], name
    assert sum(line.count + line.count_rejected for line in open_tab(root, "entropy").rows) > SMALL / 2
    assert len(open_tab(root, "outliers").rows) == 10
    # What was opened is kept.
    assert {path.name for path in (root / "rounds/001/review").iterdir()} == {"scores.npz", "classes.npz"}


def test_the_targets(monkeypatch, tmp_path):
    asked = []

    def measured(function, progress=silent, **arguments):
        asked.append((function.split(":")[1], arguments))
        large = arguments["root"].endswith("200000")
        figures = {
            "first": 1.0,
            "again": 0.02 if large else 0.01,
            "rows": 3,
            "start": 40e6,
            "peak": 160e6 if large else 50e6,
        }
        return [SimpleNamespace(name=name, ours=value) for name, value in figures.items()]

    monkeypatch.setattr(verb, "in_clean_process", measured)
    found = {one.name: one for one in bench_review(200_000, folder=tmp_path / "new")}
    again, peak = found["entropy, opened again"], found["entropy, peak of memory"]
    assert (again.ratio, again.target, again.met) == (2.0, 3.0, True)
    assert (peak.ours, peak.target, peak.met) == (160.0, 150.0, False)
    assert [name for name, _ in asked].count("build") == 2
    assert not (tmp_path / "new").exists()


def test_a_folder_in_use_and_a_disk_too_small_are_refused(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(BadInput, match="is not empty"):
        bench_review(1000, folder=tmp_path)
    assert (tmp_path / "mine").read_text() == "kept"
    monkeypatch.setattr(verb.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(QnetError, match=r"need 1\.5 GB"):
        bench_review(1_000_000, folder=tmp_path / "new")
