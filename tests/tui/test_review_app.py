"""``qnet review`` on a terminal: the real program on a workspace in which nothing was run yet."""

from __future__ import annotations

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.tui.app import run_review
from qnet_tui.workflows.review.figures import ReviewFigures
from qnet_tui.workflows.review.tab import Asked
from storage.errors import StorageError
from storage.workspace import Workspace
from tests.tui import terminal

DRIVER = """
import sys
sys.argv = ["qnet", "review", "-w", sys.argv[1], "--charset", sys.argv[2]]
from qnet_tui.__main__ import main
main()
"""


@pytest.fixture
def root(tmp_path):
    Workspace.create(tmp_path / "ws").close()
    return tmp_path / "ws"


def test_a_pipe_is_refused_and_told_what_works_there(root, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    with pytest.raises(BadInput, match="qnet review TABLE"):
        run_review(root, Asked())


def test_what_is_no_workspace_is_refused_before_a_screen_opens(tmp_path):
    with pytest.raises(StorageError):
        ReviewFigures(tmp_path / "nothing")


@pytest.mark.parametrize("charset", ["braille", "ascii"])
def test_an_empty_campaign_says_in_every_tab_what_makes_it(root, monkeypatch, charset):
    monkeypatch.setattr(terminal, "DRIVER", DRIVER)
    screen = terminal.Terminal(root, 80, 24, charset=charset)
    try:
        screen.wait_for("all keys")
        screen.wait_for("qnet", 30.0)
        for number in range(1, 10):
            screen.press(str(number))
        screen.quiet(0.5)
        assert b"Traceback" not in screen.received
        assert b"fault of qnet" not in screen.received
        assert b"qnet run-al" in screen.received
        assert charset != "ascii" or screen.received.isascii()
        screen.press(":q\r")
        assert screen.wait_for_exit() == 0
    finally:
        screen.close()
