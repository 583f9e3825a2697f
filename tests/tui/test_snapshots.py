"""The label screen as text, compared with what it looked like when somebody last looked at it.

After a change that is meant, run with ``QNET_UPDATE_SNAPSHOTS=1``, read the difference, and keep it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.tui.conftest import Open, opened

SNAPSHOTS = Path(__file__).parent / "snapshots"


def whole(it: Open) -> str:
    """Every row of the screen, put together from its panes."""
    panes = ["answer", *(f"zoom{place}" for place in range(3) if it.screen.query_one(f"#zoom{place}").display)]
    lower = zip(*(it.screen.query_one(f"#{pane}").text for pane in panes), strict=True)
    rows = [*it.screen.query_one("#header").text, *it.screen.query_one("#spectrum").text]
    rows += [" ".join(parts) for parts in lower] + it.screen.query_one("#hint").text
    return "\n".join(row.rstrip() for row in rows) + "\n"


def compare(name: str, shown: str) -> None:
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("QNET_UPDATE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def universal_time(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)])
async def test_label_screen_after_a_first_answer(root, size):
    async with opened(root, size=size) as it:
        await it.press("q", "4", "enter")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        await it.press("q", "3", "R", "right", "c", *"weak C III]", "enter")
        shown = whole(it)
    assert len(shown.splitlines()) == size[1]
    compare(f"label-{size[0]}x{size[1]}", shown)


async def test_label_screen_of_a_blind_inspector_in_ascii(root):
    async with opened(root, blind=True, charset="ascii") as it:
        await it.press("full_stop")
        shown = whole(it)
    assert shown.isascii()
    compare("label-80x24-blind-ascii", shown)


async def test_label_screen_at_the_end_of_the_queue(root):
    async with opened(root) as it:
        for rank in (2, 3):
            await it.press("q", "4", "enter")
            await it.until(lambda rank=rank: f"#{rank} of 3" in it.text("header"))
        await it.press("s", "0", "enter")
        await it.until(lambda: "nothing is left" in it.text("spectrum"))
        compare("label-80x24-done", whole(it))
