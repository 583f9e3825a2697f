"""The review screen: what every key does."""

from __future__ import annotations

from qnet_tui.tui.places import BACK
from qnet_tui.tui.review_words import DV_MAX
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.screens.text import TextScreen
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import TABS
from tests.tui.review_tabs import reviewing

NAMES = list(TABS)


def bar(it) -> str:
    """The lit tab as the bar shows it."""
    return it.text("header").split("[")[1].split("]")[0]


async def test_tabs_by_key_and_by_number_and_by_name_go_round():
    async with reviewing() as it:
        assert bar(it) == "completeness"
        await it.go("tab", "right")
        assert bar(it) == "datasets"
        await it.go("shift+tab", "left", "shift+tab")
        assert bar(it) == NAMES[-1]
        await it.go("tab")
        assert bar(it) == NAMES[0]
        for number, name in enumerate(NAMES, start=1):
            await it.go(str(number))
            assert bar(it) == name
            assert it.screen.tab.name == name
        await it.go(":", *"map", "enter")
        assert bar(it) == "map"
        await it.go(":", *"weig", "enter")
        assert bar(it) == "weights"
        await it.press(":", *"nonsense", "enter")
        assert ":nonsense is no command" in it.said


async def test_a_tab_is_computed_once_for_the_same_choices_and_again_when_asked():
    async with reviewing() as it:
        await it.go("tab", "shift+tab", "tab", "shift+tab")
        assert [name for name, _ in it.made.asked] == ["completeness", "thresholds"]
        await it.go("r")
        assert [name for name, _ in it.made.asked] == ["completeness", "thresholds", "completeness"]


async def test_round_threshold_dataset_redshift_condition_and_by():
    async with reviewing() as it:
        assert "round 2 · all 2 datasets · c > 0.95 · any redshift · by epoch" in it.text("header")
        await it.go(",")
        assert "round 1 " in it.text("header")
        await it.go(",", ",")
        assert "round 0 " in it.text("header")
        await it.press(",")
        assert "there is no round before" in it.said
        await it.go(".", ".", ".")
        assert "there is no later round" in it.said
        assert "round 2 " in it.text("header")
        await it.go("d")
        assert "AL 1 " in it.text("header")
        assert {row.dataset for row in it.screen.tab.rows} == {"AL 1"}
        await it.go("D", "D")
        assert "AL 2 " in it.text("header")
        await it.go("d")
        assert "all 2 datasets" in it.text("header")
        await it.go("C")
        assert "c > 0.9 " in it.text("header")
        await it.go("c", "c")
        assert "c > 0.5 " in it.text("header")
        await it.go("z")
        assert "|Δv| ≤ 6000 km/s" in it.text("header")
        await it.go("b")
        assert it.made.asked[-1] == ("completeness", Asked(2, "", 0.5, DV_MAX, "z"))
        await it.go("5")
        assert it.made.asked[-1] == ("map", Asked(2, "", 0.5, DV_MAX, "")), "dataset and by are the tab's own"
        await it.press("z")
        assert "completeness and thresholds only" in it.said
        for key in ",.dcb":
            count = len(it.made.asked)
            await it.go(key)
            assert len(it.made.asked) <= count + 1


async def test_choices_without_a_choice_say_so():
    async with reviewing(first="entropy") as it:
        for key, words in (
            ("d", "no other dataset"),
            ("c", "no threshold"),
            ("b", "one way"),
            (".", "all rounds are in this tab"),
        ):
            await it.press(key)
            assert words in it.said
        assert len(it.made.asked) == 1


async def test_the_cursor_goes_over_the_rows_and_the_table_scrolls():
    async with reviewing(first="map") as it:
        await it.press("j", "down")
        assert (it.cursor, "row 3 of 144" in it.text("header")) == (2, True)
        await it.press("k", "up", "k")
        assert it.cursor == 0
        await it.press("pagedown")
        page = it.cursor
        assert page == it.screen.query_one("#table").size.height - 2
        await it.press("space", "pageup", "pageup")
        assert it.cursor == 0
        await it.press("G")
        assert it.cursor == 143
        assert "▸  143" in it.text("table")
        await it.press("g")
        assert "▸    0" in it.text("table")
        await it.press("end", "home", ":", *"100", "enter")
        assert it.cursor == 99


async def test_sorting_filtering_and_what_is_left_of_them_in_another_tab():
    async with reviewing(first="map") as it:
        await it.press("o", "o", "o", "o", "O")
        assert "by count" in it.text("header")
        assert it.screen.listing.row.count == 0, "the cursor stayed on its row"
        await it.press("g")
        assert it.screen.listing.row.count == 11**2 + 11**3
        await it.press("/", *"yes", "enter")
        assert len(it.screen.listing) == 10
        assert "'yes' in 10 of 144" in it.text("header")
        await it.go("tab", "shift+tab")
        assert len(it.screen.listing) == 10, "it is as it was left"
        await it.press("/", "ctrl+u", *"zebra", "enter")
        assert "no row has 'zebra'" in it.said
        await it.press("/", "x", "escape")
        assert it.screen.listing.wanted == "zebra"
        await it.press("j", "y", "enter")
        assert "there is no row" in it.said
        await it.press("/", "ctrl+u", "enter")
        assert len(it.screen.listing) == 144


async def test_what_is_pasted_goes_into_the_field_only():
    from textual import events

    async with reviewing(first="map") as it:
        it.screen.post_message(events.Paste("q5"))
        await it.press("/")
        it.screen.post_message(events.Paste("QSO\n5"))
        await it.press("enter")
        assert it.screen.listing.wanted == "QSO 5"


async def test_copying_names_the_row(monkeypatch):
    copied = []
    async with reviewing(first="outliers") as it:
        monkeypatch.setattr(it.app, "copy_to_clipboard", copied.append)
        await it.go("j", "y")
        assert copied == ["39627000000000311"]
        assert "copied: 39627000000000311" in it.said


async def test_a_row_and_the_words_in_full():
    async with reviewing(size=(80, 24)) as it:
        assert "fn" not in it.text("table").splitlines()[0]
        await it.press("enter")
        assert isinstance(it.app.screen, TextScreen)
        assert [" ".join(line.split()) for line in it.app.screen.lines][-1] == "fn 491"
        await it.press("escape", "n")
        text = "\n".join(it.app.screen.lines)
        assert "McNemar" in text
        assert "the BAL head never votes" in " ".join(text.split())
        await it.press("escape")
        assert it.app.screen is it.screen


async def test_the_chart_or_the_table_alone():
    async with reviewing() as it:
        both = it.screen.query_one("#chart").size.width
        assert it.screen.query_one("#table").size.width <= 0.45 * 80
        await it.press("v")
        assert it.screen.query_one("#chart").size.width == 80 > both
        assert not it.screen.query_one("#table").display
        await it.press("v")
        assert not it.screen.query_one("#chart").display
        assert "fn" in it.text("table").splitlines()[0], "all columns have room now"
        await it.press("v")
        assert it.screen.query_one("#chart").size.width == both


async def test_help_palette_quit_and_back():
    async with reviewing() as it:
        await it.press("?")
        assert isinstance(it.app.screen, HelpScreen)
        await it.press("escape", "ctrl+p")
        assert it.app.screen is not it.screen
        await it.press("escape", "backspace")
        assert "no home screen" in it.said
        await it.press(":", "q", "enter")
    assert it.app.return_value == 0
    async with reviewing(back=True) as it:
        assert "home" in it.said
        await it.press("backspace")
    assert it.app.return_value == BACK
    for key in ("f10", "ctrl+q"):
        async with reviewing() as it:
            await it.press(key)
        assert it.app.return_value == 0


async def test_what_the_command_asked_for_is_what_is_shown_first():
    asked = Asked(1, "AL 1", 0.5, DV_MAX, "z")
    async with reviewing(asked=asked) as it:
        assert it.made.asked == [("completeness", asked)]
