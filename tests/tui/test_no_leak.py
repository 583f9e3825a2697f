"""A seeded walk over spectra with any keys in between: what is on the screen then is what a fresh screen shows.

At every arrival a second screen is opened on the same workspace, which has nothing but the database to go by, and
both are compared cell by cell, with the answer, the view and what waits to be typed.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events

import storage.votes as store
from qnet_tui.inspection.keys import ACTIONS
from qnet_tui.spectra.rrdetails import PipelineFit
from qnet_tui.spectra.single import Spectrum
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.screens.label import LabelScreen
from qnet_tui.workflows.label import LabelOptions, LabelSession
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.tui.conftest import FROZEN, Open, opened

PANES = ("header", "spectrum", "answer", "zoom0", "hint")
# Keys that leave the spectrum or the program; K keeps the view for the next one, and is meant to.
LEAVING = {"next_item", "previous_item", "defer", "undo", "redo", "find", "commit", "lock_view"}
ELSEWHERE = {"help", "palette", "command", "quit"}
HARMLESS = [key for action in ACTIONS if action.name not in LEAVING | ELSEWHERE for key in action.keys]
# What follows a key that waits for more; a field that is left keeps its text for this spectrum only.
MORE = {
    "x": [["m"], ["c"], ["escape"], []],
    ";": [["b"], ["d"], ["escape"]],
    "z": [["ctrl+u", *"2.31", "enter"], [*"9", "escape"], ["ctrl+u", "enter"], []],
    "c": [[*"odd", "enter"], [*"half", "escape"], []],
    "f": [["enter"], ["escape"], []],
}
WAYS = ("j", "j", "k", "space", "u", "ctrl+r", "commit", "/")
# These messages are about the step that was just made, and belong to it.
ABOUT_THE_STEP = ("only one left", "open again", "saved again", "saved:")


def spectra() -> list[Spectrum]:
    fits = tuple(
        PipelineFit(rank, name, "", z, 1e-4, 0, 1e4, 9.0)
        for rank, (name, z) in enumerate((("QSO", 1.5042), ("GALAXY", 0.42), ("STAR", 0.0)))
    )
    return [
        desi_spectrum(100, 2.3042, seed=1),
        replace(desi_spectrum(101, 1.5042, seed=2), fits=fits),
        desi_spectrum(102, 3.1, seed=3, masked=(4000.0, 6500.0)),
        desi_spectrum(103, 0.9, seed=4, arms="bz"),
        desi_spectrum(104, 2.0, seed=5, noise=40.0),
        desi_spectrum(105, 2.6, seed=6),
    ]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("walk") / "ws"
    make_workspace(root, spectra()).close()
    # One whose file is gone: the screen without a spectrum leaks nothing either.
    (root / "rounds" / "001" / "spectra" / "6.npz").unlink()
    return root


def state_of(screen: LabelScreen) -> dict[str, object]:
    return {
        "object": screen.item.object_id if screen.item is not None else None,
        "moment": screen.moment,
        "draft": screen.item.draft if screen.item is not None else None,
        "waits": (screen.asked, screen.offer, screen.line, screen._typed, screen._touched),
        "active": round(screen._active.seconds, 1),
    }


def shown(it: Open, screen: LabelScreen) -> dict[str, list[str]]:
    rows = {pane: list(screen.query_one(f"#{pane}").text) for pane in PANES}
    rows["header"][0] = rows["header"][0].split(" ABC")[0].rstrip()  # beside it: when something was last saved
    return rows


def tidy(screen: LabelScreen) -> None:
    """Take away the message about the step itself; any other may not be there."""
    if screen.message is not None and any(words in screen.message[0] for words in ABOUT_THE_STEP):
        screen.message = None
    screen.draw()


async def compare_with_a_fresh_one(it: Open, root: Path, options: LabelOptions) -> None:
    walked = it.screen
    tidy(walked)
    await it.pilot.pause()
    before, panes = state_of(walked), shown(it, walked)
    if walked.item is not None and not walked.item.note:
        with Workspace.open(root) as ws:
            # Where nothing was passed over, the queue itself leads back; after a walk it may lead elsewhere first.
            store.save_position(ws, "ABC", {"round": 1, "object_id": walked.item.object_id})
    desk = Desk(lambda: LabelSession.open(root, options, now=lambda: FROZEN, os_user="ABC"))
    try:
        fresh = LabelScreen(desk, "braille", clock=lambda: 0.0)
        await it.app.push_screen(fresh)
        await it.until(lambda: fresh.status.progress is not None and not fresh.is_busy)
        assert state_of(fresh) == before
        for pane, rows in shown(it, fresh).items():
            assert rows == panes[pane], pane
        await it.app.pop_screen()
    finally:
        desk.close()


async def type_keys(it: Open, *keys: str) -> None:
    """Put keys into the queue as a fast hand does, and wait until all are done."""
    for key in keys:
        it.screen.post_message(events.Key(key, key if len(key) == 1 else None))
    done = asyncio.Event()
    it.screen.call_later(done.set)
    await done.wait()
    await it.until(lambda: not it.screen.is_busy)


async def step(it: Open, chance: random.Random) -> None:
    """Press some keys at random, then go somewhere at random."""
    for key in [*chance.choices(HARMLESS, k=chance.randint(0, 5)), chance.choice("zcx;")]:
        await type_keys(it, key, *chance.choice(MORE.get(key, [[]])))
    # Out of any field, letter or offer that is still open, as a person would be before going on.
    await type_keys(it, "escape")
    way = chance.choice(WAYS)
    if way == "commit":
        await type_keys(it, "z", "ctrl+u", "0", "enter", "s", chance.choice("01234"), "enter")
        if it.screen.message is not None and "masked" in it.screen.message[0]:
            await type_keys(it, "enter")
    elif way == "/":
        await type_keys(it, "/", *f"10{chance.randint(0, 5)}", "enter")
    else:
        await type_keys(it, way)


async def walk(root: Path, seed: int, steps: int, *, blind: bool) -> int:
    chance = random.Random(seed)
    options, seen = LabelOptions(inspector="ABC", blind=blind), set()
    async with opened(root, blind=blind) as it:
        # Time at work is part of a draft; here it stands still, so that both screens have worked as long.
        it.screen._clock = lambda: 0.0
        arrivals = 0
        while arrivals < steps:
            before = it.screen.item.object_id if it.screen.item is not None else None
            await step(it, chance)
            now = it.screen.item.object_id if it.screen.item is not None else None
            if now != before:
                arrivals += 1
                seen.add(now)
                await compare_with_a_fresh_one(it, root, options)
    return len(seen)


@pytest.mark.parametrize(("seed", "blind"), [(1, False), (2, True)])
async def test_every_screen_of_a_walk_equals_a_fresh_one(made_once, tmp_path, seed, blind):
    root = Path(shutil.copytree(made_once, tmp_path / "ws"))
    assert await walk(root, seed, 8, blind=blind) >= 3


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 20))
async def test_longer_walks(made_once, tmp_path, seed):
    root = Path(shutil.copytree(made_once, tmp_path / "ws"))
    assert await walk(root, seed, 100, blind=bool(seed % 2)) >= 5
