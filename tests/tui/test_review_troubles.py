"""Tabs that are slow, empty, refused or large, spectra beside them, any size, and a walk over any keys."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.inspection.review_keys import REVIEW_ACTIONS, REVIEW_BY_NAME
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from tests.tui.review_tabs import MADE, MadeFigures, reviewing, rows_of
from tests.tui.test_review_screen import bar


async def test_a_tab_that_chooses_its_dataset_never_shows_all_of_them():
    def newest(asked, progress):
        return replace(MADE["repeats"](asked), asked=replace(asked, dataset=asked.dataset or "cp-0007"),
                       datasets=("cp-0007", "cp-0003"))  # fmt: skip

    async with reviewing(MadeFigures({"repeats": newest}), first="repeats") as it:
        seen = []
        for key in "ddDD":
            await it.go(key)
            seen.append(it.screen.tab.asked.dataset)
        assert seen == ["cp-0003", "cp-0007", "cp-0003", "cp-0007"]
        assert len(it.made.asked) == 2


def refused(asked, progress):
    raise BadInput(f"round {asked.round} was not run", mend="choose 0 to 2")


async def test_a_refused_tab_says_why_and_the_way_out():
    def sometimes(asked, progress):
        if asked.round == 7:
            refused(asked, progress)
        return MADE["completeness"](asked)

    async with reviewing(MadeFigures({"completeness": sometimes}), asked=Asked(round=7)) as it:
        assert "round 7 was not run; choose 0 to 2" in " ".join(it.whole().split())
        await it.go("j", "o", "y", "v", "v", "v", "/", "x", "enter", "enter")
        await it.go(".")
        assert "round 2 " in it.text("header"), "the tab's own round"


@pytest.mark.parametrize("error", [OSError("disk is gone"), KeyError("z"), BadInput("a\nlong\nstory " * 30)])
async def test_whatever_fails_is_one_line_in_place_of_the_tab(error):
    def fails(asked, progress):
        raise error

    async with reviewing(MadeFigures({"map": fails})) as it:
        await it.go("5")
        shown = it.whole()
        assert len(shown.splitlines()) == 24
        assert "map:" in shown
        assert ("fault of qnet's own, KeyError" in shown) == isinstance(error, KeyError)
        await it.go("r", "tab")
        assert bar(it) == "repeats"
        assert it.screen.tab.name == "repeats"


async def test_an_empty_tab_says_what_makes_it():
    async with reviewing(first="rounds") as it:
        assert "no round was run yet: qnet run-al makes the first" in it.whole()
        await it.press("j", "G", "o", "O", "v", "enter", "y", "n", "escape")
        assert it.cursor == 0


async def test_a_slow_tab_shows_how_far_it_is_and_is_given_up_for_another():
    go_on, said = threading.Event(), []

    def slow(asked, progress):
        try:
            for done in range(10_000):
                progress("reading scores", done, 10_000)
                if go_on.wait(0.01):
                    break
        except Exception as error:
            said.append(type(error).__name__)
            raise
        return MADE["map"](asked)

    async with reviewing(MadeFigures({"map": slow})) as it:
        await it.press("5")
        await it.until(lambda: "reading scores" in it.text("table"))
        assert "computing …" in it.text("table")
        assert "of 10,000" in it.text("table")
        await it.press("?")
        assert isinstance(it.app.screen, HelpScreen), "keys are alive"
        await it.press("escape")
        await it.go("6")
        assert it.screen.tab.name == "repeats"
        assert said == ["GivenUp"]
        await it.press("5")
        await it.until(lambda: "reading scores" in it.text("table"))
        go_on.set()
        await it.settled()
        assert it.screen.tab.name == "map"


async def test_leaving_does_not_wait_for_a_slow_tab():
    def slow(asked, progress):
        for done in range(10_000):
            progress("reading", done, 10_000)
            threading.Event().wait(0.01)
        raise AssertionError("nobody waits so long")

    async with reviewing(MadeFigures({"map": slow})) as it:
        await it.press("5", ":", "q", "enter")
    assert it.app.return_value == 0


async def test_spectra_follow_the_cursor_and_are_read_once():
    async with reviewing(first="outliers") as it:
        await it.until(lambda: "C IV" in it.text("spectrum"))
        assert "lines at z 2.3042" in it.text("header")
        await it.go("j")
        assert it.made.read == ["quasar", "star"]
        await it.go("j")
        assert "no spectrum of it was copied" in it.text("spectrum")
        await it.go("j")
        assert "missing" in it.text("spectrum")
        await it.go("g")
        assert "C IV" in it.text("spectrum")
        assert it.made.read == ["quasar", "star", "missing"]
        await it.press("v")
        assert len(it.text("spectrum").splitlines()[5]) == 80
        await it.go("1")
        assert not it.screen.query_one("#spectrum").display
        assert "lines at" not in it.text("header")


async def test_the_chart_is_not_drawn_again_when_the_cursor_moves(monkeypatch):
    async with reviewing() as it:
        drawn = []
        monkeypatch.setattr(type(it.screen.query_one("#chart")), "show", lambda _self, cells: drawn.append(cells))
        refreshed = []
        table = it.screen.query_one("#table")
        monkeypatch.setattr(table, "refresh", lambda *regions, **_: refreshed.extend(regions))
        before = it.screen.query_one("#chart")._shown
        await it.press("j")
        assert all(cells is before for cells in drawn)
        assert sorted(region.y for region in refreshed) == [1, 2]


async def test_any_size_and_back():
    async with reviewing() as it:
        for size in ((79, 24), (60, 10), (200, 50), (120, 23), (80, 24)):
            await it.pilot.resize_terminal(*size)
            await it.pilot.pause()
            small = size[0] < 80 or size[1] < 24
            assert it.screen.query_one("#enlarge").display == small
            if not small:
                rows = it.whole().splitlines()
                assert len(rows) == size[1]
                assert max(map(len, rows)) <= size[0]


@pytest.mark.parametrize("rows", [[], [(float("nan"), None, "")]])
async def test_a_table_without_a_chart_has_the_whole_width(rows):
    columns = (Column("a", "a"), Column("b", "b"), Column("c", "words"))

    def made(asked, progress):
        return Tab("map", columns, rows_of("Row", "a b c", *rows), asked, says="Nothing is known.", empty="nothing yet")

    async with reviewing(MadeFigures({"map": made}), first="map") as it:
        shown = it.whole()
        assert ("nothing yet" in shown) == (not rows)
        assert ("▸ -  -" in shown) == bool(rows)
        await it.press("j", "o", "O", "enter", "escape", "v", "v")


async def test_a_hundred_thousand_rows_are_sorted_filtered_and_walked():
    rows = rows_of("Row", "name n z", *((f"object {n}", (7919 * n) % 100_003, n / 1e5) for n in range(100_000)))
    columns = (Column("name", "name"), Column("n", "n"), Column("z", "z", 4))
    async with reviewing(MadeFigures({"map": lambda asked, _: Tab("map", columns, rows, asked)}), first="map") as it:
        await it.press("G", "o", "o", "g")
        assert it.screen.listing.row.n == 0
        await it.press("/", *"object 7777", "enter")
        assert len(it.screen.listing) == sum(row.name.startswith("object 7777") for row in rows)
        await it.press("G", "pageup", "j")
        assert len(it.whole().splitlines()) == 24


KEYS = [key for action in REVIEW_ACTIONS for key in action.keys if action.name not in ("quit", "palette", "back")]


@pytest.mark.parametrize("seed", range(2))
async def test_a_walk_over_any_keys_never_fails(seed):
    chance = random.Random(seed)

    def moody(asked, progress):
        if chance.random() < 0.3:
            refused(asked, progress)
        return MADE["thresholds"](asked)

    async with reviewing(MadeFigures({"thresholds": moody}), size=chance.choice([(80, 24), (120, 35)])) as it:
        for _ in range(30):
            key = chance.choice(KEYS)
            follow = {"/": [*chance.choice(["0", "AL", "zzz", ""]), "enter"], ":": ["3", "enter"],
                      "enter": ["escape"], "n": ["escape"], "?": ["escape"]}  # fmt: skip
            await it.press(key, *follow.get(key, []))
        await it.settled()
        await it.press("escape")
        shown = it.whole()
        assert len(shown.splitlines()) == it.app.size.height
        # What stands there is what a fresh screen with the same choices shows, cursor and order aside.
        if it.screen.tab is not None and it.screen.lit != "thresholds":
            made = MADE[it.screen.lit](it.screen.choices.asked(it.screen.lit))
            assert it.screen.tab.says == made.says
            assert it.screen.tab.asked == made.asked


def test_every_action_is_done_by_something():
    from qnet_tui.tui.screens import review

    for name in REVIEW_BY_NAME:
        known = name in ("quit", "help", "palette", "command", "filter") or name.startswith("tab_")
        assert known or name in review._MOVES or callable(getattr(review.ReviewScreen, f"_{name}", None)), name


def test_replace_keeps_the_made_tabs_whole():
    for name, make in MADE.items():
        tab = make(Asked())
        assert tab.name == name
        assert replace(tab, rows=()).columns == tab.columns
        assert all(hasattr(row, column.key) for row in tab.rows for column in tab.columns)
