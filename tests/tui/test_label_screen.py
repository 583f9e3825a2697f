"""The label screen under a person's fingers."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.command import CommandList

import storage.votes as store
from qnet_tui.inspection.keys import ACTIONS
from qnet_tui.tui.bindings import keys_of, pressed
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.widgets.cells import Tile
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.tui.conftest import opened


def votes(root: Path, **options: object) -> list[store.Vote]:
    with Workspace.open(root) as ws:
        return store.votes(ws, **options)


async def test_an_answer_is_given_saved_and_the_next_spectrum_comes(root):
    async with opened(root) as it:
        assert "39627000000000310" in it.text("header")
        await it.press("q", "4", "R", "greater_than_sign", "right")
        assert (it.answer.spectype, it.answer.quality, it.answer.issues) == ("QSO", 4, "R")
        assert it.answer.z == pytest.approx(2.3143)
        assert "⏎ saves this and goes on" in it.said
        await it.press("enter")
        await it.until(lambda: "311" in it.text("header"))
        assert "✓ saved" in it.text("header")
        assert "#2 of 3" in it.text("header")
        assert it.answer.spectype is None
    (vote,) = votes(root)
    assert (vote.z, vote.quality, vote.issues, vote.spectype) == (pytest.approx(2.3143), 4, "R", "QSO")


async def test_enter_is_refused_with_the_reason_while_something_is_missing(root):
    async with opened(root) as it:
        assert "▸class" in it.said
        await it.press("enter")
        assert "not yet: class (s g q), quality (0-4)" in it.said
        await it.press("g", "enter")
        assert "not yet: quality" in it.said
        assert "▸quality" in it.said
        assert "▸class" not in it.said
    assert votes(root) == []


async def test_a_line_is_named_and_z_follows(root):
    async with opened(root, blind=True) as it:
        assert it.answer.z is None
        assert "Mg II" not in it.text("spectrum")
        at = it.screen.moment.state.cursor
        await it.press("full_stop")
        assert it.answer.z == pytest.approx(at / 1549.48 - 1)
        assert "C IV at" in it.said
        assert "C IV" in it.text("spectrum")
        await it.press("full_stop")
        assert "C III]" in it.said
        await it.press("comma", "comma")
        assert it.answer.z_source == "line"
        await it.press("x", "m")
        assert it.answer.z == pytest.approx(at / 2799.1 - 1)
        await it.press("x")
        assert "Hβ" in it.text("hint")
        await it.press("escape")
        assert "Hβ" not in it.text("hint")
        await it.press("x", "w")
        assert "no such line" in it.said


async def test_letters_after_x_are_not_actions(root):
    async with opened(root) as it:
        await it.press("x", "b")
        assert "#1 of 3" in it.text("header")
        assert it.screen.moment.state.named in (None, "Hβ")


async def test_the_cursor_goes_from_peak_to_peak_and_by_columns(root):
    async with opened(root) as it:
        places = {it.screen.moment.state.cursor}
        await it.press("up")
        assert "first peak" in it.said
        for _ in range(6):
            await it.press("down")
            places.add(it.screen.moment.state.cursor)
        assert "last peak" in it.said
        assert len(places) >= 3
        await it.press("up")
        before = it.screen.moment.state.cursor
        await it.press("right_parenthesis")
        assert it.screen.moment.state.cursor - before == pytest.approx((9824.4 - 3599.6) / 74, rel=0.01)
        await it.press("left_parenthesis", "up", "down")
        assert it.screen.moment.state.cursor in places


async def test_a_redshift_is_typed_mistakes_keep_the_field_open(root):
    async with opened(root) as it:
        await it.press("z", "ctrl+u", *"9,5", "enter")
        assert "outside -0.01 to 7" in it.said
        assert it.screen.line is not None
        await it.press("backspace", "backspace", "backspace", *"2,5", "enter")
        assert it.answer.z == 2.5
        assert it.screen.line is None
        await it.press("z", "ctrl+u", "enter")
        assert it.answer.z is None


async def test_keys_in_a_field_are_text_and_esc_only_leaves_it(root):
    async with opened(root) as it:
        await it.press("c", *"qsg 4 RCS > BAL?", "escape")
        assert it.answer.comment == ""
        assert (it.answer.spectype, it.answer.quality, it.answer.issues) == (None, None, "")
        await it.press("c")
        assert "comment qsg 4 RCS > BAL?" in it.text("hint")
        await it.press("enter")
        assert it.answer.comment == "qsg 4 RCS > BAL?"
        assert "qsg 4" in it.said


async def test_the_view_keys_change_what_is_drawn_and_not_the_answer(root):
    async with opened(root, size=(120, 35)) as it:
        before = it.answer
        seen = {it.text("spectrum")}
        for keys in (
            ["w"],
            ["W", "W"],
            ["v"],
            ["y"],
            ["l"],
            ["e"],
            ["m"],
            ["plus"],
            ["equals_sign"],
            ["H"],
            ["L"],
            ["d"],
        ):
            await it.press(*keys)
            seen.add(it.text("spectrum"))
        assert len(seen) >= 11
        await it.press("d", "r")
        assert it.screen.moment.view.window is None
        assert it.answer == before
        zooms = {it.text("zoom0")}
        for key in ("5", "6", "7", "8", "D"):
            await it.press(key)
            zooms.add(it.text("zoom0"))
        assert len(zooms) >= 4
        await it.press("9")
        assert "outside the data" in it.said


async def test_a_step_that_moves_no_marker_touches_no_cell_of_the_spectrum(root, monkeypatch):
    async with opened(root) as it:
        touched: list[object] = []
        monkeypatch.setattr(Tile, "refresh", lambda self, *regions, **_: touched.append(regions) or self)
        await it.press("right")
        assert "2.3043" in it.said
        assert len(touched) <= 2


async def test_a_masked_spectrum_asks_once(tmp_path):
    make_workspace(tmp_path / "ws", [desi_spectrum(7, masked=(4000, 6500))]).close()
    async with opened(tmp_path / "ws") as it:
        await it.press("q", "4", "enter")
        await it.until(lambda: "pixels are masked" in it.said)
        await it.press("enter")
        await it.until(lambda: "nothing is left" in it.text("spectrum"))
    assert votes(tmp_path / "ws")[0].tags == "masked"


async def test_a_blind_inspector_sees_nothing_of_the_model(root):
    async with opened(root, size=(200, 50), blind=True) as it:
        whole = "\n".join(it.text(pane) for pane in ("header", "spectrum", "answer", "hint"))
        for word in ("why", "redrock", "2.3042", "split", "pipeline"):
            assert word not in whole
        await it.press("a")
        assert "blind" in it.said
        assert it.answer.z is None
        await it.press("Z")
        assert it.answer.z is None


async def test_help_lists_every_action_and_closes(root):
    async with opened(root) as it:
        await it.press("question_mark")
        assert isinstance(it.app.screen, HelpScreen)
        await it.press("down", "down", "up", "q")
        assert it.app.screen is it.screen
        assert it.answer.spectype is None


async def test_the_palette_finds_actions_by_words(root):
    async with opened(root) as it:
        await it.press("ctrl+p")
        await it.press(*"GALAXY")
        await it.until(lambda: it.app.screen.query_one(CommandList).option_count == 1)
        await it.until(lambda: it.app.screen.query_one(CommandList).highlighted == 0)
        await it.press("enter")
        await it.until(lambda: it.answer.spectype == "GALAXY")


async def test_command_line(root):
    async with opened(root) as it:
        await it.press("colon", *"make", "enter")
        assert ":make is no command" in it.said
        await it.press("g", "colon", "w", "enter")
        with Workspace.open(root) as ws:
            assert len(store.drafts(ws, "ABC")) == 1
        await it.press("colon", "enter", "colon", *"help", "enter")
        assert isinstance(it.app.screen, HelpScreen)


async def test_a_small_terminal_shows_one_line_and_comes_back(root):
    async with opened(root, size=(60, 20)) as it:
        assert it.screen.has_class("small")
        assert not it.screen.query_one("#spectrum").display
        await it.press("q")
        await it.pilot.resize_terminal(100, 30)
        await it.until(lambda: not it.screen.has_class("small"))
        assert it.answer.spectype == "QSO"
        assert len(it.text("spectrum").splitlines()) == 30 - 2 - 1 - 9


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)])
async def test_every_row_is_as_wide_as_the_terminal_and_the_spectrum_has_half(root, size):
    async with opened(root, size=size) as it:
        spectrum = it.screen.query_one("#spectrum")
        assert spectrum.size.width == size[0]
        assert spectrum.size.height >= size[1] / 2
        assert {len(row) for row in it.text("spectrum").splitlines()} == {size[0]}
        assert it.screen.query_one("#hint").region.bottom == size[1]
        shown = [pane for pane in it.screen.query("CellPane") if pane.display and pane.id != "spectrum"]
        assert len(shown) == {80: 1, 120: 1, 200: 3}[size[0]]
        assert shown[-1].region.right <= size[0]
        assert "⏎ next" in it.text("hint")


async def test_a_locked_view_stays_for_the_next_spectrum(root):
    async with opened(root) as it:
        await it.press("w", "v", "K", "j")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        assert it.screen.moment.view.smoothing == 4
        assert not it.screen.moment.view.noise
        assert "locked" in it.said


async def test_ctrl_c_says_how_to_quit(root):
    async with opened(root) as it:
        await it.press("ctrl+c")
        assert "F10" in it.said
        assert it.app.return_value is None


async def test_what_is_typed_ahead_never_ends_up_in_the_wrong_place(root):
    """Keys faster than any screen: all of them are in the queue before the first is done."""
    async with opened(root, blind=True) as it:
        for key in ["z", *"2.31", "enter", "q", "4", "x", "m", "c", *"qs4 x", "enter", "R", "enter", "g", "1"]:
            character = key if len(key) == 1 else None
            it.screen.post_message(events.Key("space" if key == " " else key, character))
        await it.until(lambda: "#2 of 3" in it.text("header") and it.answer.quality == 1)
        assert it.answer.spectype == "GALAXY"
    (vote,) = votes(root)
    assert (vote.spectype, vote.quality, vote.issues, vote.comment) == ("QSO", 4, "R", "qs4 x")
    assert vote.z_source == "line"


async def test_pasting_goes_into_a_field_and_nowhere_else(root):
    async with opened(root) as it:
        it.screen.post_message(events.Paste("q4 "))
        await it.press("c")
        it.screen.post_message(events.Paste("two\nlines"))
        await it.until(lambda: "two lines" in it.text("hint"))
        await it.press("enter")
        assert (it.answer.comment, it.answer.spectype) == ("two lines", None)


def test_every_key_of_the_table_is_taken_and_told_apart():
    assert set(keys_of(ACTIONS).values()) == {action.name for action in ACTIONS if action.name != "palette"}
    assert pressed("upper_r", "R") == "R"
    assert pressed("space", " ") == "space"
    assert pressed("f10", None) == "f10"
    assert pressed("enter", "\r") == "enter"
