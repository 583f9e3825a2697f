"""The label screen in tmux, as people use it over SSH."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage.votes as store
from storage.workspace import Workspace
from tests.e2e.tmux import Tmux
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.tui.terminal import DRIVER

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]

# A fault in the middle of drawing, as no test can foresee them.
CRASH = """
from qnet_tui.tui.screens.label import LabelScreen
real = LabelScreen.draw
def draw(self):
    if self.moment.view.smoothing > 3:
        raise RuntimeError("a fault")
    real(self)
LabelScreen.draw = draw
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_workspace(tmp_path / "ws", [desi_spectrum(500 + n, 2.3042 - 0.4 * n, seed=n) for n in range(4)]).close()
    return tmp_path / "ws"


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    window = Tmux(tmp_path, 80, 24)
    try:
        yield window
    finally:
        window.close()


def start(window: Tmux, root: Path, before: str = "") -> None:
    script = root.parent / "label.py"
    script.write_text(before + DRIVER)
    repository = Path(__file__).resolve().parents[2]
    window.send(f"clear; COLUMNS=80 LINES=24 PYTHONPATH={repository} {sys.executable} {script} {root} braille", "Enter")


def test_label_two_quit_and_resume(root, tmux):
    start(tmux, root)
    tmux.shows("#1 of 4")
    tmux.send("q", "4", "Enter")
    tmux.shows("#2 of 4")
    tmux.send("g", "3", "Enter")
    screen = tmux.shows("#3 of 4")
    assert "✓ saved" in screen
    tmux.send("s", "1", "c", "half done", "Enter")
    tmux.shows("[star]")
    tmux.shows("half done")
    tmux.run("resize-window", "-x", "120", "-y", "35")
    wide = tmux.shows("2 of 4 votes")
    assert len([row for row in wide.splitlines() if row.strip()]) > 30
    tmux.send("F10")
    tmux.shows("ready$")
    with Workspace.open(root) as ws:
        assert [(vote.spectype, vote.quality) for vote in store.votes(ws)] == [("QSO", 4), ("GALAXY", 3)]
    start(tmux, root)
    again = tmux.shows("#3 of 4")
    assert "[star]" in again
    assert "half done" in again
    tmux.send(":q", "Enter")
    tmux.shows("ready$")


def test_a_crash_leaves_the_terminal_sane(root, tmux):
    start(tmux, root, CRASH)
    tmux.shows("#1 of 4")
    tmux.send("g", "2", "w")
    tmux.shows("a fault")
    tmux.send("clear; stty -a | tr ';' ' '; echo screen $(( 6 * 7 ))", "Enter")
    screen = tmux.shows("screen 42")
    assert " echo " in screen
    assert " icanon" in screen
    assert "-icanon" not in screen
    assert tmux.run("display-message", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]
    with Workspace.open(root) as ws:
        assert store.leases(ws) == []
