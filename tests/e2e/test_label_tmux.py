"""The label screen in tmux, as people use it over SSH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage.votes as store
from storage.workspace import Workspace
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


class Tmux:
    """One window of a tmux server of our own, with a shell in it."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self.socket = f"qnet-test-{os.getpid()}"
        environment = {**os.environ, "TERM": "screen-256color", "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        command = ["-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "sh"]
        subprocess.run(["tmux", "-L", self.socket, *command], check=True, env=environment, cwd=folder)
        self.send("PS1='ready$ '; clear", "Enter")

    def run(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-L", self.socket, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def send(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def shows(self, text: str, seconds: float = 30.0) -> str:
        """Wait until ``text`` is on the screen, and return the screen."""
        deadline = time.monotonic() + seconds
        while text not in (screen := self.run("capture-pane", "-p")):
            assert time.monotonic() < deadline, f"{text!r} is not on the screen:\n{screen}"
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], check=False, capture_output=True)


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
    window.send(f"clear; PYTHONPATH={repository} {sys.executable} {script} {root} braille", "Enter")


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
