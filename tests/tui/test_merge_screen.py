"""The merging screen as a merger uses it: keys in, settled labels and pictures out."""

from __future__ import annotations

import asyncio
import io
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from textual import events

import storage.looks as looks
import storage.merges as merges
from qnet_tui.errors import BadInput
from qnet_tui.tui import app
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.widgets.cells import Tile
from qnet_tui.workflows.merge import MergeSession
from qnet_tui.workflows.merge_case import MergeOptions
from storage.errors import DatabaseBusy
from storage.truth import current_truth
from storage.workspace import Workspace
from tests.tui.merge_campaign import FIRST, make_merge_workspace, merging


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("merge") / "ws"
    make_merge_workspace(folder)
    return folder


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "ws"))


def settled(root: Path) -> list[merges.MergedLabel]:
    with Workspace.open(root) as ws:
        return merges.merges(ws)


async def test_two_of_three_are_settled_with_two_keys_and_the_next_conflict_comes(root):
    async with merging(root) as it:
        assert it.title == str(FIRST)
        assert "class, z and quality differ" in it.text("header")
        await it.press("a", "enter")
        await it.until(lambda: it.title == str(FIRST + 1))
        assert "conflicts 2" in it.text("header")
        assert "done 1" in it.text("header")
        assert "✓ " in it.text("header")
        assert it.answer.z is None
    (label,) = settled(root)
    assert (label.spectype, label.quality, label.issues, label.by) == ("QSO", 3.5, "R", "XYZ")
    assert label.z == pytest.approx(2.30465)
    assert not label.names_shown
    with Workspace.open(root) as ws:
        assert (current_truth(ws)["origin"] == "round:1").sum() == 1


async def test_a_vote_is_lit_copied_mended_and_settled(root):
    async with merging(root) as it:
        while it.screen.moment.state.votes[it.screen.moment.state.lit].spectype != "GALAXY":
            await it.press("j")
        assert "[O II]" in it.text("spectrum")
        await it.press("y", "g", "Q", "ctrl+u", *"2,5", "enter", "right", "C", "c", *"Mg II here", "enter")
        assert (it.answer.spectype, it.answer.z, it.answer.quality) == ("GALAXY", pytest.approx(0.8421), 2.5)
        assert (it.answer.issues, it.answer.comment) == ("CR", "Mg II here")
        await it.press("enter")
        await it.until(lambda: it.title == str(FIRST + 1))
    (label,) = settled(root)
    assert label.comment.endswith("XYZ: Mg II here")
    assert (label.quality, label.issues) == (2.5, "CR")


async def test_enter_says_what_is_missing_and_settles_nothing(root):
    async with merging(root) as it:
        await it.press("enter")
        await it.until(lambda: "not yet: class (s g q)" in it.said)
        await it.press("s", "3", "z", "ctrl+u", *"0.5", "enter", "enter")
        await it.until(lambda: "a star has |z| < 0.01" in it.said)
        await it.press("Q", "ctrl+u", "7", "enter")
        assert "0 to 4" in it.text("votes")
        assert it.screen.line is not None
    assert settled(root) == []


async def test_conflicts_go_round_and_back_and_begun_answers_stay(root, capsys):
    async with merging(root) as it:
        await it.press("q", "4", "n")
        await it.until(lambda: it.title == str(FIRST + 1))
        assert it.answer.quality is None
        await it.press("n")
        await it.until(lambda: it.title == str(FIRST + 2))
        await it.press("n")
        await it.until(lambda: it.title == str(FIRST))
        assert (it.answer.spectype, it.answer.quality) == ("QSO", 4.0)
        assert "still here" in it.text("votes")
        await it.press("N")
        await it.until(lambda: it.title == str(FIRST + 2))
        await it.press("b")
        await it.until(lambda: it.title == str(FIRST + 1))
        await it.press("f10")
    assert "the answer to one case was begun and not settled" in capsys.readouterr().err


async def test_agreed_ones_are_looked_at_then_accepted_together(root):
    async with merging(root) as it:
        await it.press("colon", *"accept", "enter")
        await it.until(lambda: "first look at 1 of the 2 agreed" in it.said)
        for _ in range(3):
            before = it.title
            await it.press("space")
            await it.until(lambda before=before: it.title != before)
        assert "agreed" in it.text("header")
        assert "settles this and goes on" in it.text("votes")
        with Workspace.open(root) as ws:
            assert len(looks.looked_at(ws, 1)) == 1
        await it.press("colon", *"accept", "enter")
        await it.until(lambda: "settled 2 agreed, 1 of them train" in it.said)
        assert it.title == str(FIRST)
    assert {label.spectype for label in settled(root)} == {"QSO", "STAR"}


async def test_names_are_shown_on_request_and_that_is_recorded(root):
    async with merging(root) as it:
        assert not any(code in it.text("votes") for code in ("ABC", "DEF", "GHI"))
        await it.press("q", "i")
        await it.until(lambda: "ABC" in it.said)
        assert it.answer.spectype == "QSO"
        assert "you saw them" in it.text("votes")
        await it.press("a", "enter")
        await it.until(lambda: it.title == str(FIRST + 1))
        assert "ABC" not in it.text("votes")
    assert settled(root)[0].names_shown


async def test_undo_opens_the_last_one_again(root):
    async with merging(root) as it:
        await it.press("u")
        await it.until(lambda: "no merged label of yours" in it.said)
        await it.press("a", "2", "enter")
        await it.until(lambda: it.title == str(FIRST + 1))
        await it.press("u")
        await it.until(lambda: it.title == str(FIRST))
        assert it.answer.quality == 2.0
        assert "settled before" in it.text("header")
    assert settled(root) == []


async def test_an_object_is_found_by_its_id(root):
    async with merging(root) as it:
        await it.press("slash", *str(FIRST + 3), "enter")
        await it.until(lambda: it.title == str(FIRST + 3))
        await it.press("slash", *"12", "enter")
        await it.until(lambda: "12" in it.said and not it.screen.is_busy)
        assert it.title == str(FIRST + 3)
        await it.press("slash", *str(FIRST + 5), "enter")
        await it.until(lambda: "not all its votes" in it.said)


async def test_the_end_says_what_waits(root):
    async with merging(root) as it:
        for at in range(5):
            await it.press("y", "enter")
            await it.until(lambda at=at: f"done {at + 1}" in it.text("header"))
        await it.until(lambda: "nothing is left to settle" in it.text("spectrum"))
        assert "5 done, 1 wait for more votes" in it.text("spectrum")
        await it.press("q")
        assert "nothing is left" in it.text("votes")
        await it.press("u")
        await it.until(lambda: it.screen.case is not None)
    assert len(settled(root)) == 4


async def test_the_model_and_the_lines_go_with_the_lit_vote(root):
    async with merging(root) as it:
        seen = {it.text("spectrum")}
        await it.press("t")
        seen.add(it.text("spectrum"))
        for _ in range(2):
            await it.press("j")
            seen.add(it.text("spectrum"))
        # Without the model, with it at the quasar's redshifts (one cell apart at most), and at the galaxy's.
        assert len(seen) >= 3
        await it.press("j")
        assert "last vote" in it.text("votes")


async def test_a_fit_is_offered_taken_or_left(root):
    async with merging(root) as it:
        await it.press("f")
        await it.until(lambda: it.screen.offer is not None, 30.0)
        assert "takes it" in it.text("hint")
        await it.press("w")
        assert it.screen.offer is not None
        await it.press("enter")
        assert it.screen.offer is None
        assert it.answer.z == pytest.approx(2.304, abs=0.02)
        assert it.screen.moment.is_at_answer
        assert settled(root) == []
        await it.press("f")
        await it.until(lambda: it.screen.offer is not None, 30.0)
        await it.press("escape")
        assert it.screen.offer is None


async def test_letters_after_x_and_standard_comments_are_no_actions(root):
    async with merging(root) as it:
        await it.press("x", "m")
        assert it.screen.moment.named == "Mg II"
        await it.press("semicolon")
        assert "BAL" in it.text("hint")
        await it.press("b")
        assert "(BAL)" in it.answer.comment
        await it.press("x", "escape")
        assert it.title == str(FIRST)


async def test_a_step_that_moves_no_marker_touches_next_to_nothing(root, monkeypatch):
    async with merging(root) as it:
        await it.press("right")
        touched: list[object] = []
        monkeypatch.setattr(Tile, "refresh", lambda self, *regions, **_: touched.append(regions) or self)
        await it.press("right")
        assert len(touched) <= 2


async def test_a_busy_database_is_asked_again_and_the_screen_lives(root, monkeypatch):
    tried: list[int] = []
    settle = MergeSession.settle

    def busy(self, state):
        tried.append(1)
        if len(tried) == 1:
            raise DatabaseBusy("the database is busy")
        return settle(self, state)

    monkeypatch.setattr(MergeSession, "settle", busy)
    monkeypatch.setattr("qnet_tui.tui.screens.desk_work._RETRY_S", 0.05)
    async with merging(root) as it:
        await it.press("a", "enter")
        await it.until(lambda: it.title == str(FIRST + 1))
        assert "NOT SAVED" not in it.text("header")
    assert len(settled(root)) == 1
    assert len(tried) == 2


async def test_a_vote_that_changes_meanwhile_is_not_settled_over(root):
    async with merging(root) as it:
        with sqlite3.connect(root / "qnet.db") as other:
            other.execute("UPDATE vote SET withdrawn_at = '2026-11-22T15:00:00Z' WHERE uid LIKE '%-ABC'")
        await it.press("a", "enter")
        await it.until(lambda: it.screen.message is not None)
        assert it.title == str(FIRST)
    assert settled(root) == []


async def test_a_spectrum_that_cannot_be_read_is_said_and_may_be_settled(root):
    for file in (root / "rounds" / "001" / "spectra").glob("*.npz"):
        file.write_bytes(b"")
    async with merging(root) as it:
        assert "cannot be read" in it.text("spectrum")
        await it.press("f")
        await it.until(lambda: "no spectrum to fit" in it.said)
        await it.press("j", "t", "w", "period", "5", "a", "enter")
        await it.until(lambda: it.title == str(FIRST + 1))


async def test_help_palette_commands_and_a_small_terminal(root):
    async with merging(root, size=(60, 20)) as it:
        assert it.screen.has_class("small")
        await it.pilot.resize_terminal(80, 24)
        await it.until(lambda: not it.screen.has_class("small"))
        await it.press("question_mark")
        assert isinstance(it.app.screen, HelpScreen)
        await it.press("escape", "colon", *"make", "enter")
        assert ":make is no command" in it.said
        await it.press("tab", "shift+tab", "ctrl+c")
        assert "F10" in it.text("votes")
        assert it.app.return_value is None
        await it.press("colon", "q", "enter")
    assert it.app.return_value == 0


async def test_what_is_typed_ahead_ends_up_in_the_right_place(root):
    async with merging(root) as it:
        for key in ["z", "ctrl+u", *"2.31", "enter", "q", "4", "c", *"qs4", "enter", "enter", "q", "3"]:
            it.screen.post_message(events.Key(key, key if len(key) == 1 else None))
        await it.until(lambda: it.title == str(FIRST + 1) and it.answer.quality == 3.0)
    (label,) = settled(root)
    assert (label.spectype, label.z, label.quality) == ("QSO", 2.31, 4.0)
    assert label.comment.endswith("XYZ: qs4")


async def test_every_screen_is_as_a_fresh_one(root):
    """Nothing of one case is left on the next: walked to and opened fresh, a case looks the same."""
    async with merging(root) as it:
        await it.press("w", "v", "j", "plus", "n")
        await it.until(lambda: it.title == str(FIRST + 1))
        await it.press("n")
        await it.until(lambda: it.title == str(FIRST + 2))
        walked = [it.text(pane) for pane in ("header", "spectrum", "votes", "hint")]
    async with merging(root) as it:
        await it.press("slash", *str(FIRST + 2), "enter")
        await it.until(lambda: it.title == str(FIRST + 2))
        await asyncio.sleep(0)
        assert [it.text(pane) for pane in ("header", "spectrum", "votes", "hint")] == walked


def test_without_a_terminal_the_lines_are_named(monkeypatch, root):
    monkeypatch.setattr(app.sys, "stdin", io.StringIO())
    with pytest.raises(BadInput, match=r"the merging screen needs a terminal.*qnet merge --list"):
        app.run_merge(root, MergeOptions())


def test_merging_loads_nothing_heavy():
    heavy = "{'tensorflow', 'keras', 'h5py', 'fitsio', 'dask', 'distributed', 'minisom', 'plotext', 'astropy'}"
    code = f"import sys, qnet_tui.tui.screens.merge\nprint(sorted({heavy} & set(sys.modules)))"
    top = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=top, check=True)
    assert done.stdout.strip() == "[]"
