"""The label screen as text, compared with what it looked like when somebody last looked at it.

After a change that is meant, run with ``QNET_UPDATE_SNAPSHOTS=1``, read the difference, and keep it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from textual.widgets import Static

from qnet_tui.spectra.single import load_spectrum
from qnet_tui.tui.screens.help import help_lines
from tests.tui.campaign import make_workspace
from tests.tui.conftest import opened

SNAPSHOTS = Path(__file__).parent / "snapshots"


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
        shown = it.whole()
    assert len(shown.splitlines()) == size[1]
    compare(f"label-{size[0]}x{size[1]}", shown)


REAL = Path(__file__).parent / "real_spectra"
KINDS = ("quasar", "galaxy", "star", "desi-quasar", "masked", "noise")


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
@pytest.mark.parametrize("kind", KINDS)
async def test_label_screen_of_a_real(tmp_path, kind, size):
    make_workspace(tmp_path / "ws", [load_spectrum(REAL / f"{kind}.npz")]).close()
    async with opened(tmp_path / "ws", size=size) as it:
        # What there is of the pipeline's answer is taken; where there is none, the strongest peak is C IV or not.
        await it.press("a" if it.screen.item.pipeline_class else "full_stop")
        compare(f"label-{size[0]}x{size[1]}-{kind}", it.whole())


async def test_the_offer_of_a_fit(tmp_path):
    make_workspace(tmp_path / "ws", [load_spectrum(REAL / "quasar.npz")]).close()
    async with opened(tmp_path / "ws") as it:
        await it.press("greater_than_sign", "f")
        await it.until(lambda: it.screen.offer is not None)
        compare("label-80x24-fit", it.whole())


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
async def test_the_help(root, size):
    async with opened(root, size=size) as it:
        await it.press("question_mark")
        actions = it.screen.actions
        text = "\n".join(help_lines(actions, "braille", 2 if size[0] < 120 else 3)) + "\n"
        compare(f"help-{size[0]}", text)


async def test_a_small_terminal(root):
    async with opened(root, size=(60, 20)) as it:
        compare("small-60x20", str(it.screen.query_one("#enlarge", Static).render()) + "\n")


async def test_label_screen_of_a_blind_inspector_in_ascii(root):
    async with opened(root, blind=True, charset="ascii") as it:
        await it.press("full_stop")
        shown = it.whole()
    assert shown.isascii()
    compare("label-80x24-blind-ascii", shown)


async def test_label_screen_at_the_end_of_the_queue(root):
    async with opened(root) as it:
        for rank in (2, 3):
            await it.press("q", "4", "enter")
            await it.until(lambda rank=rank: f"#{rank} of 3" in it.text("header"))
        await it.press("s", "0", "enter")
        await it.until(lambda: "nothing is left" in it.text("spectrum"))
        compare("label-80x24-done", it.whole())
