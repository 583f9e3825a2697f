"""The home screen: one page at every size, and a key for every place."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import replace

import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.inspection.home_keys import HOME_ACTIONS
from qnet_tui.tui import app as app_module
from qnet_tui.tui.app import run_home
from qnet_tui.tui.home_words import home_page
from qnet_tui.tui.places import BACK, Going
from qnet_tui.tui.qnet_app import QnetApp, forget_what_was_drawn
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.screens.home import HomeScreen
from qnet_tui.tui.tones import Tone, plain
from storage.workspace import Workspace
from tests.tui.lookouts import EMPTY, HOME, LOST, ROUND_1, PageOfHome, home
from tests.tui.test_snapshots import compare

SIZES = [(80, 24), (120, 35)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_page(size):
    async with home(HOME, size) as it:
        shown = it.whole()
    assert len(shown.splitlines()) == size[1]
    assert max(map(len, shown.splitlines())) <= size[0]
    compare(f"home-{size[0]}x{size[1]}", shown)


async def test_an_empty_workspace():
    async with home(EMPTY) as it:
        compare("home-80x24-empty", it.whole())
        for key, words in (("l", "no round asks"), ("m", "no round asks"), ("r", "no run was ever begun")):
            await it.press(key)
            assert words in it.text("page")
        await it.press("enter")
        assert "in a shell: qnet ingest PATH..." in it.text("page")
        assert it.screen.going is None


async def test_a_lost_run():
    async with home(LOST) as it:
        compare("home-80x24-lost", it.whole())


async def test_in_ascii_and_without_colour(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with home(LOST, charset="ascii") as it:
        shown = it.whole()
    assert shown.isascii()
    compare("home-80x24-ascii", shown)


@pytest.mark.parametrize("rounds", [1, 30, 300])
@pytest.mark.parametrize(("columns", "rows"), [(40, 10), (80, 24), (200, 50)])
def test_any_number_of_rounds_at_any_size(rounds, columns, rows):
    page = replace(HOME, rounds=tuple(replace(ROUND_1, round=n) for n in range(rounds, 0, -1)) + HOME.rounds[-1:])
    shown, hint = home_page(page, columns, rows, "braille", HOME_ACTIONS, message=("words", Tone.WARN))
    assert len(shown) == rows - 1
    assert {len(plain(row)) for row in (*shown, hint)} == {columns}
    assert "words" in plain(shown[-1])
    if rows >= 24:
        text = "\n".join(map(plain, shown))
        assert " next   38 spectra wait for you" in text
        assert ("earlier rounds" in text) == (rounds == 300 or (rounds, rows) == (30, 24))


@pytest.mark.parametrize(
    ("key", "going"),
    [("l", Going("label", "ABC")), ("m", Going("merge", "ABC")), ("v", Going("review")), ("r", Going("watch"))],
)
async def test_every_place_has_its_key(key, going):
    async with home(HOME) as it:
        await it.press(key)
        assert it.screen.going == going
        assert it.app.return_value == BACK


async def test_enter_does_what_is_next():
    async with home(HOME) as it:
        await it.press("enter")
        assert it.screen.going == Going("label", "ABC")


async def test_who_comes_for_the_first_time_is_asked_for_a_code():
    async with home(replace(HOME, inspector="", codes=())) as it:
        await it.press("l")
        assert "your inspector's code" in it.text("hint")
        await it.press("!", "enter")
        assert "a code has 2 to 10 letters or digits" in it.text("page")
        await it.press("l", "escape")
        assert it.screen.line is None
        await it.press("l", *"XYZ", "enter")
        assert it.screen.going == Going("label", "XYZ")


async def test_the_help_lists_the_keys_of_this_screen():
    async with home(HOME) as it:
        await it.press("question_mark")
        assert isinstance(it.app.screen, HelpScreen)
        await it.press("escape")
        await it.press("q")
        assert it.app.return_value == 0
        assert it.screen.going is None


async def test_a_workspace_that_cannot_be_read_is_said_and_asked_again():
    async with home(QnetError("the disk failed")) as it:
        assert "the disk failed" in it.text("page")
        await it.press("enter")
        assert "the disk failed" in it.text("page")
        it.screen.desk.session.page = HOME
        await it.press("g")
        await it.until(lambda: "guadalupe-qso" in it.text("page"))
        it.screen.desk.session.page = QnetError("the disk failed")
        await it.press("g")
        await it.until(lambda: "the disk failed" in it.text("page"))
        assert "guadalupe-qso" in it.text("page")


async def test_why_another_screen_did_not_open_is_said_until_the_next_key():
    async with home(HOME, said=("nothing to label", Tone.WARN)) as it:
        assert "nothing to label" in it.text("page")
        await it.press("x")
        assert "nothing to label" not in it.text("page")


def test_one_gets_everywhere_and_back(tmp_path, monkeypatch):
    Workspace.create(tmp_path / "ws").close()
    ways = iter([Going("label", "ABC"), Going("merge", "ABC"), Going("review"), Going("watch"), None])
    opened, homes = [], []

    def run(open_session, make_screen):
        session = open_session()
        session.close()
        screen = make_screen(None)
        homes.append(screen.message)
        screen.going = next(ways)
        return BACK if screen.going else 0

    monkeypatch.setattr(app_module, "check_terminal", lambda *_: None)
    monkeypatch.setattr(app_module, "_run", run)
    monkeypatch.setattr(app_module, "run_label", lambda root, options: opened.append(options.inspector) or 0)

    def no_merge(root, options):
        raise BadInput("there is nothing to merge")

    monkeypatch.setattr(app_module, "run_merge", no_merge)
    monkeypatch.setattr(app_module, "run_review", lambda *_, back: opened.append("review") or (BACK if back else 0))
    monkeypatch.setattr(app_module, "run_watch", lambda *_, back: opened.append("watch") or (BACK if back else 0))
    assert run_home(tmp_path / "ws") == 0
    assert opened == ["ABC", "review", "watch"]
    assert [message and message[0] for message in homes] == [None, None, "there is nothing to merge", None, None]


def test_screens_that_have_ended_do_not_pile_up():
    async def rows_kept():
        async with home(HOME) as it:
            return weakref.ref(it.screen.query_one("#page")._styles_cache)

    kept = asyncio.run(rows_kept())
    forget_what_was_drawn()
    gc.collect()
    assert kept() is None


def test_a_polite_kill_ends_the_program_and_not_one_of_its_screens(monkeypatch):
    def killed(self, **_):
        self.asked_to_end = True
        return 0

    monkeypatch.setattr(QnetApp, "run", killed)
    with pytest.raises(SystemExit) as end:
        app_module._run(lambda: PageOfHome(HOME), lambda desk: HomeScreen(desk, "braille"))
    assert end.value.code == 0
