"""The label screen's help with a redshift, and what one does beside answering: fits, templates, stars, finding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import storage.settings as campaign
import storage.votes as store
from qnet_tui.spectra.rrdetails import PipelineFit
from qnet_tui.spectral_lines.local_fit import NoFit
from qnet_tui.workflows.user_keys import UserKeys
from storage.merges import MergedLabel, add_merges
from storage.stars import stars
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.tui.conftest import opened


def votes(root: Path, **options: object) -> list[store.Vote]:
    with Workspace.open(root) as ws:
        return store.votes(ws, **options)


async def test_a_fit_is_offered_looked_at_and_taken(root):
    async with opened(root, blind=True) as it:
        await it.press("z", *"2.29", "enter", "f")
        await it.until(lambda: it.screen.offer is not None)
        assert "fit 2.2900 → 2.3" in it.text("hint")
        assert "km/s" in it.text("hint")
        assert "±" in it.text("answer"), "the answer is shown as it would be"
        assert it.answer.z == 2.29, "and is not yet"
        before = it.text("spectrum")
        await it.press("w", "8")
        assert it.screen.offer is not None, "one may look at it from all sides"
        assert it.text("spectrum") != before
        await it.press("enter")
        assert it.answer.z == pytest.approx(2.3042, abs=0.01)
        assert it.answer.z_source == "fit"
        assert it.answer.z_error > 0
        await it.press("q", "4", "enter")
        await it.until(lambda: "#2 of 3" in it.text("header"))
    (vote,) = votes(root)
    assert (vote.z_source, vote.z_error > 0) == ("fit", True)


async def test_an_offer_is_left_with_esc_or_by_going_on(root):
    async with opened(root) as it:
        for leave in ("escape", "q"):
            await it.press("f")
            await it.until(lambda: it.screen.offer is not None)
            await it.press(leave)
            assert it.screen.offer is None
            assert it.answer.z == 2.3042
        assert it.answer.spectype == "QSO"
        assert votes(root) == []


async def test_a_fit_needs_a_redshift_and_says_why_there_is_none(root, monkeypatch):
    async with opened(root, blind=True) as it:
        await it.press("f")
        await it.until(lambda: "a fit starts at a trial redshift: z types it" in it.said)

        def none(*_: object, **__: object) -> None:
            raise NoFit("no minimum within 5000 km/s")

        monkeypatch.setattr("qnet_tui.spectral_lines.local_fit.fit_redshift", none)
        await it.press("z", *"2.3", "enter", "f")
        await it.until(lambda: "no fit: no minimum within" in it.said)


def with_fits(folder: Path) -> Path:
    spectrum = desi_spectrum(7)
    names = (("QSO", 2.3042), ("GALAXY", 0.842), ("STAR", 0.0001))
    fits = tuple(PipelineFit(rank, name, "", z, 1e-4, 0, 1e4, 13.0) for rank, (name, z) in enumerate(names))
    make_workspace(folder / "ws", [replace(spectrum, fits=fits)]).close()
    return folder / "ws"


async def test_the_pipelines_fits_are_gone_through_and_taken(tmp_path):
    async with opened(with_fits(tmp_path), size=(120, 35)) as it:
        assert "▸1 QSO" in it.text("answer")
        await it.press("o")
        assert it.answer.z == 0.842
        assert "redshift" not in it.said
        assert "redrock 2 of 3: GALAXY" in it.text("answer")
        await it.press("a")
        assert (it.answer.spectype, it.answer.z) == ("GALAXY", 0.842)
        await it.press("o", "o")
        assert "last fit" in it.said
        await it.press("i", "i", "i")
        assert "best fit" in it.said
        await it.press("Z")
        assert it.answer.z == 2.3042


async def test_a_blind_inspector_gets_nothing_of_the_fits(tmp_path):
    async with opened(with_fits(tmp_path), size=(200, 50), blind=True) as it:
        await it.press("o")
        assert "blind" in it.said
        whole = "\n".join(it.text(pane) for pane in ("header", "spectrum", "answer", "zoom0", "hint"))
        assert "redrock" not in whole
        assert "0.842" not in whole
        assert it.answer.z is None


async def test_a_template_is_drawn_changed_and_taken_away(root):
    async with opened(root) as it:
        without = it.text("spectrum")
        await it.press("t")
        assert it.text("spectrum") != without
        assert "major lines · quasar" in it.text("answer")
        drawn = {it.text("spectrum")}
        for _ in range(4):
            await it.press("T")
            drawn.add(it.text("spectrum"))
        assert len(drawn) >= 4
        await it.press("t")
        assert it.text("spectrum") == without


async def test_standard_comments_by_letter(root):
    async with opened(root) as it:
        await it.press("c", *"weak", "enter", "semicolon")
        assert "b BAL" in it.text("hint")
        await it.press("b")
        assert it.answer.comment == "weak Broad absorption line quasar (BAL)"
        await it.press("semicolon", "b")
        assert "says so already" in it.said
        await it.press("semicolon", "q")
        assert "no such comment" in it.said
        assert it.answer.spectype is None
        await it.press("semicolon", "escape", "q")
        assert it.answer.spectype == "QSO"


async def test_a_star_is_set_seen_and_taken_back(root):
    async with opened(root) as it:
        await it.press("asterisk")
        await it.until(lambda: "★" in it.text("header"))
        await it.press("j")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        assert "★" not in it.text("header")
        await it.press("k")
        await it.until(lambda: "★" in it.text("header"))
        await it.press("asterisk")
        await it.until(lambda: "★" not in it.text("header"))
    with Workspace.open(root) as ws:
        assert stars(ws) == []


async def test_finding_by_id_and_by_place(root):
    async with opened(root) as it:
        await it.press("slash", *"0312", "enter")
        await it.until(lambda: "#3 of 3" in it.text("header"))
        await it.press("colon", "2", "enter")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        await it.press("slash", *"99999", "enter")
        await it.until(lambda: "no 99999 here" in it.said)
        await it.press("colon", "9", "enter")
        await it.until(lambda: "goes from 1 to 3" in it.said)
        await it.press("slash", "enter")
        assert it.screen.line is None


async def test_an_answered_one_is_found_and_says_beforehand_what_a_new_answer_does(root):
    async with opened(root) as it:
        await it.press("q", "4", "enter")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        (vote,) = votes(root)
        with Workspace.open(root) as ws:
            merged = MergedLabel(1, 1, "QSO", 2.3, 4.0, "", "", 1, "qnet1", "ABC", False, (vote.uid,))
            add_merges(ws, [merged])
        await it.press("slash", *"0310", "enter")
        await it.until(lambda: "#1 of 3" in it.text("header"))
        assert "a new answer replaces yours, and reopens what ABC merged" in it.said
        assert "answered" in it.text("header")
        assert it.answer.quality == 4
        await it.press("2", "enter")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        assert "answered" not in it.text("header")
    assert [vote.quality for vote in votes(root)] == [2]


async def test_redo_saves_it_again(root):
    async with opened(root) as it:
        await it.press("ctrl+r")
        await it.until(lambda: "nothing to redo: u reopens" in it.said)
        await it.press("q", "4", "enter")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        await it.press("u")
        await it.until(lambda: "#1 of 3" in it.text("header"))
        assert "^R saves it as it was" in it.said
        await it.press("ctrl+r")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        assert "is saved again" in it.said
        await it.press("u", "3", "ctrl+r")
        await it.until(lambda: "you changed that answer" in it.said)
    assert votes(root) == []


async def test_tab_goes_through_the_lines_of_the_small_pane(root):
    async with opened(root) as it:
        seen = []
        for key in ("tab", "tab", "tab", "shift+tab"):
            await it.press(key)
            seen.append(it.text("zoom0").splitlines()[0].split(" at ")[0].strip("─ "))
        assert seen == ["Lyα", "C IV", "C III]", "C IV"]


async def test_with_fast_commit_a_quality_saves_when_nothing_is_missing(root):
    async with opened(root, fast=True) as it:
        await it.press("4")
        assert it.answer.quality == 4, "the class is missing: it only sets"
        await it.press("a", "3")
        await it.until(lambda: "#2 of 3" in it.text("header"))
    assert [vote.quality for vote in votes(root)] == [3]


async def test_a_persons_own_keys_are_live_in_every_text(root):
    keys = {"commit": ("E",), "undo": ("U",), "quit": ("f12",), "fit": ("F",), "smooth_more": ("pageup",)}
    async with opened(root, user=UserKeys(Path("keys.toml"), {"label": keys})) as it:
        assert "E next" in it.text("hint")
        await it.press("q", "4")
        assert "E saves this" in it.text("answer")
        await it.press("enter", "f", "pageup")
        assert it.screen.moment.view.smoothing == 4
        assert votes(root) == []
        await it.press("b")
        await it.until(lambda: "U reopens your last answer" in it.said)
        await it.press("F")
        await it.until(lambda: it.screen.offer is not None)
        assert "E takes it" in it.text("hint")
        await it.press("E", "E")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        await it.press("f12")
        await it.until(lambda: it.app.return_value == 0)


async def test_after_the_commit_one_may_know_how_many_answered_and_what_was_hidden(tmp_path):
    spectra = [desi_spectrum(70 + n, seed=n) for n in range(2)]
    with make_workspace(tmp_path / "ws", spectra, votes=3, blind=True) as ws:
        campaign.set_setting(ws, "show_after_commit", True, "ABC")
    async with opened(tmp_path / "ws") as it:
        await it.press("z", *"2.3", "enter", "q", "4")
        assert "of 3" not in it.said
        await it.press("enter")
        await it.until(lambda: "#2 of 2" in it.text("header"))
        assert "saved: vote 1 of 3; redrock QSO 2.3042; 3-way split" in it.said
        await it.press("w")
        assert "redrock" not in it.said


async def test_w_keeps_the_draft_at_once_and_says_so(root):
    async with opened(root) as it:
        await it.press("colon", "w", "enter")
        await it.until(lambda: "the draft is kept" in it.said)
    with Workspace.open(root) as ws:
        assert len(store.drafts(ws, "ABC")) == 1


async def test_the_next_spectrum_lies_ready(root):
    async with opened(root) as it:
        shelf = it.screen.desk.session._shelf
        await it.until(lambda: len(shelf._items) == 3)
