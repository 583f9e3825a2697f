"""The watch screen: how a run stands, its curves, and the one question it asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

import storage.runs as runs_store
from qnet_tui.tui.places import BACK
from qnet_tui.tui.screens import watch as watch_module
from qnet_tui.tui.screens.watch import WatchScreen
from qnet_tui.tui.watch_words import bar, rate_words
from qnet_tui.workflows.run_watch import RunWatcher
from storage.workspace import Workspace
from tests.tui.lookouts import LOST_ROUND, ROUND_AT_WORK, TRAINING_AT_WORK, opened, watch
from tests.tui.test_snapshots import compare
from tests.workflows.made_runs import begin, end, lose


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
@pytest.mark.parametrize("run", [ROUND_AT_WORK, TRAINING_AT_WORK], ids=["round", "train"])
async def test_the_screen(run, size):
    async with watch(run, size=size) as it:
        await it.pilot.pause()
        shown = it.whole()
    assert len(shown.splitlines()) == size[1]
    assert max(map(len, shown.splitlines())) <= size[0]
    compare(f"watch-{run.verb}-{size[0]}x{size[1]}", shown)


async def test_a_lost_run_says_how_to_go_on(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with watch(LOST_ROUND, charset="ascii") as it:
        await it.pilot.pause()
        shown = it.whole()
        assert shown.isascii()
        assert "go on with: qnet runs resume al-0003" in shown
        await it.press("s")
        assert "there is nothing to stop" in it.text("hint")
        assert not it.screen.asking
    compare("watch-80x24-lost-ascii", shown)


async def test_runs_are_marked_and_watched():
    async with watch(ROUND_AT_WORK, TRAINING_AT_WORK) as it:
        assert "al-0003" in it.text("watch-header")
        await it.press("k", "k", "enter")
        await it.until(lambda: "tr-0004" in it.text("watch-header"))
        assert it.screen.query_one("#shares").display
        await it.press("j", "enter")
        await it.until(lambda: "al-0003" in it.text("watch-header"))
        assert not it.screen.query_one("#shares").display


async def test_a_run_is_stopped_after_a_y_only(monkeypatch):
    stopped = []
    monkeypatch.setattr(watch_module, "stop_run", lambda root, run: stopped.append((root, run)))
    async with watch(ROUND_AT_WORK) as it:
        await it.press("s")
        assert "stop al-0003? y stops it" in it.text("hint")
        await it.press("n")
        assert "it goes on" in it.text("hint")
        await it.press("y")
        assert stopped == []
        await it.press("s", "y")
        assert "was asked to stop" in it.text("hint")
        assert stopped == [(it.screen.desk.session.root, "al-0003")]


@pytest.mark.parametrize("has_home", [True, False])
async def test_backspace_goes_home_where_there_is_one(has_home):
    async with watch(ROUND_AT_WORK, has_home=has_home) as it:
        await it.press("backspace")
        assert it.app.return_value == (BACK if has_home else None)
        if not has_home:
            assert "q leaves" in it.text("hint")
            await it.press("q")
            assert it.app.return_value == 0


async def test_what_was_drawn_is_not_drawn_again_while_nothing_is_new():
    async with watch(TRAINING_AT_WORK) as it:
        await it.pilot.pause()
        chart = it.screen.query_one("#losses").chart
        it.screen.look_now()
        await it.until(lambda: not it.screen.is_looking)
        assert it.screen.query_one("#losses").chart is chart
        more = replace(TRAINING_AT_WORK, measured=TRAINING_AT_WORK.measured[:1])
        it.screen.desk.session.runs["tr-0004"] = more
        it.screen.look_now()
        await it.until(lambda: it.screen.query_one("#losses").chart is not chart)


async def test_a_real_run_from_its_beginning_to_its_loss(tmp_path):
    with Workspace.create(tmp_path / "ws") as ws:
        end(ws, begin(ws, "train", None), "FAILED", error="no memory")
        run = begin(ws)
        runs_store.heartbeat(ws, run, "training networks", 1, 4)

        def make(desk):
            return WatchScreen(desk, "braille", desk.ask_now(lambda session: session.run_id(None)))

        async with opened(RunWatcher.open(ws.root), make, (80, 24)) as it:
            assert "training networks  1/4" in it.text("watch-header")
            assert not it.screen.query_one("#curves").display
            runs_store.register_task(ws, run, "train 0", "train", "DONE", detail={"loss": 0.25})
            runs_store.heartbeat(ws, run, "training networks", 2, 4)
            await it.until(lambda: "2/4" in it.text("watch-header"))
            await it.until(lambda: it.screen.query_one("#curves").display)
            lose(ws, run)
            await it.until(lambda: "LOST" in it.text("watch-header"))
            assert "go on with: qnet runs resume al-0002" in it.text("watch-header")
            await it.press("down", "enter")
            await it.until(lambda: "no memory" in it.text("watch-header"))


def test_words():
    assert [rate_words(rate) for rate in (1240.0, 12.0, 2.5, 0.2, 0.01)] == [
        "1,240/s", "12/s", "2.5/s", "12 a minute", "0.6 a minute",
    ]  # fmt: skip
    assert [text for text, _ in bar(50, 4, "ascii")] == ["  ##", ".."]
    assert bar(None, 4, "ascii") == ()
    assert [text for text, _ in bar(400, 2, "braille")] == ["  ██", ""]
