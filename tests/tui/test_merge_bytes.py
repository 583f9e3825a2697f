"""What a key of the merging screen costs on the wire; the budgets are those of the label screen."""

from __future__ import annotations

import re

import pytest

from tests.tui import terminal
from tests.tui.merge_campaign import make_merge_workspace

DRIVER = """
import sys
from pathlib import Path
from qnet_tui.tui.app import run_merge
from qnet_tui.workflows.merge_case import MergeOptions
sys.exit(run_merge(Path(sys.argv[1]), MergeOptions(inspector="MMM", charset=sys.argv[2])))
"""
FINE, COARSE, F10 = "\x1b[C", ">", "\x1b[21~"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("merge") / "ws"
    make_merge_workspace(folder)
    return folder


@pytest.mark.parametrize(("columns", "rows", "most"), [(80, 24, 4096), (200, 50, 8192)])
def test_a_step_and_another_vote_are_cheap(root, columns, rows, most, monkeypatch):
    monkeypatch.setattr(terminal, "DRIVER", DRIVER)
    screen = terminal.Terminal(root, columns, rows)
    try:
        screen.wait_for("all keys")
        screen.quiet()
        screen.press("z\x15" + "2.3\r", "2.3000")
        steps = [len(screen.press(COARSE, f"{2.3 + 0.01 * step:.4f}")) for step in range(1, 3)]
        assert max(steps) <= most, steps
        fine = sorted(len(screen.press(FINE, f"{2.32 + 0.0001 * step:.4f}")) for step in range(1, 4))
        assert fine[1] <= 400, fine
        # From one vote to another with lines elsewhere all markers move, and the small panes show another line.
        votes = [len(screen.press("j")), len(screen.press("j")), len(screen.press("k"))]
        assert max(votes) <= 2 * most, votes
        screen.press(F10)
        assert screen.wait_for_exit() == 0
    finally:
        screen.close()


def test_without_colours_what_differs_is_not_painted_black(root, monkeypatch):
    monkeypatch.setattr(terminal, "DRIVER", DRIVER)
    screen = terminal.Terminal(root, 80, 24, env={"NO_COLOR": "1"})
    try:
        shown = screen.wait_for("all keys") + screen.quiet()
        assert b"GALAXY *" in shown
        assert re.search(rb"\x1b\[[\d;]*3[0-8][;m]", shown) is None
        screen.press(F10)
        assert screen.wait_for_exit() == 0
    finally:
        screen.close()
