"""What a key of the review screen costs on the wire, and that it is readable without colours."""

from __future__ import annotations

import re

import pytest

from tests.tui import terminal

DRIVER = """
import sys
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.qnet_app import QnetApp
from qnet_tui.tui.screens.review import ReviewScreen
from tests.tui.review_tabs import MadeFigures
desk = Desk(MadeFigures)
app = QnetApp(ReviewScreen(desk, sys.argv[2]))
code = app.run(mouse=False)
desk.close()
sys.exit(code)
"""
F10 = "\x1b[21~"


@pytest.fixture
def screen(tmp_path, monkeypatch, request):
    monkeypatch.setattr(terminal, "DRIVER", DRIVER)
    columns, rows, env = request.param
    opened = terminal.Terminal(tmp_path, columns, rows, env=env)
    opened.wait_for("all keys")
    opened.quiet()
    yield opened
    opened.press(F10)
    assert opened.wait_for_exit() == 0
    opened.close()


@pytest.mark.parametrize(
    ("screen", "most"),
    [((80, 24, {}), 12_000), ((200, 50, {}), 45_000)],
    indirect=["screen"],
    ids=["80x24", "200x50"],
)
def test_a_step_of_the_cursor_sends_two_rows_and_not_the_chart(screen, most):
    # The first may still find the last of the opening frames on its way.
    costs = [len(screen.press("j", f"row {row} of 10")) for row in (2, 3, 4, 5)]
    assert max(costs[1:]) <= 900, costs
    # To another tab everything is drawn, once.
    assert len(screen.press("\t", "row 1 of 13")) <= most


@pytest.mark.parametrize("screen", [(80, 24, {"NO_COLOR": "1"})], indirect=True, ids=["no colour"])
def test_without_colours_the_lit_tab_and_the_row_are_marked(screen):
    shown = screen.received
    assert b"[completeness]" in shown
    assert "▸".encode() in shown
    assert re.search(rb"\x1b\[[\d;]*3[0-8][;m]", shown) is None
    assert b"Traceback" not in shown
