"""The label screen and what must not be lost: answers, drafts, the place in the queue, whatever fails."""

from __future__ import annotations

from pathlib import Path

import pytest

import storage.votes as store
from qnet_tui.workflows import label as label_module
from storage.errors import DatabaseBusy, DiskFull
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.tui.conftest import opened


def votes(root: Path, **options: object) -> list[store.Vote]:
    with Workspace.open(root) as ws:
        return store.votes(ws, **options)


async def test_passed_over_spectra_keep_their_drafts(root):
    async with opened(root) as it:
        await it.press("g", "2", "j")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        assert it.answer.spectype is None
        await it.press("k")
        await it.until(lambda: "#1 of 3" in it.text("header"))
        assert (it.answer.spectype, it.answer.quality) == ("GALAXY", 2)
        assert "draft" in it.text("header")
        await it.press("b")
        assert "first spectrum" in it.said


async def test_defer_and_undo(root):
    async with opened(root) as it:
        await it.press("space")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        await it.press("q", "3", "enter")
        await it.until(lambda: "#3 of 3" in it.text("header"))
        await it.press("u")
        await it.until(lambda: "#2 of 3" in it.text("header"))
        assert (it.answer.spectype, it.answer.quality) == ("QSO", 3)
        assert "open again" in it.said
        await it.press("4", "enter")
        await it.until(lambda: "#3 of 3" in it.text("header"))
    assert [vote.quality for vote in votes(root)] == [4]


async def test_the_end_of_the_queue_says_what_comes_next(root):
    async with opened(root) as it:
        for rank in (2, 3):
            await it.press("q", "4", "enter")
            await it.until(lambda rank=rank: f"#{rank} of 3" in it.text("header"))
        await it.press("q", "4", "enter")
        await it.until(lambda: "nothing is left for you" in it.text("spectrum"))
        assert "3 of the 3 needed" in it.text("spectrum")
        assert "qnet merge --accept-agreed" in it.text("spectrum")
        await it.press("q", "enter", "w", "z")
        assert "the queue is empty" in it.said
        await it.press("u")
        await it.until(lambda: "#3 of 3" in it.text("header"))
        assert it.answer.quality == 4


async def test_a_busy_database_is_shown_retried_and_nothing_moves_on_meanwhile(root, monkeypatch):
    real, tries, somebody_writes = store.commit_vote, [], [True]

    def busy(ws: Workspace, vote: store.Vote) -> bool:
        tries.append(vote.uid)
        if somebody_writes:
            raise DatabaseBusy("the database is busy: XYZ writes")
        return real(ws, vote)

    monkeypatch.setattr(label_module.store, "commit_vote", busy)
    monkeypatch.setattr("qnet_tui.tui.screens.desk_work._RETRY_S", 0.2)
    async with opened(root) as it:
        await it.press("q", "4", "enter")
        await it.until(lambda: "NOT SAVED" in it.text("header") and len(tries) >= 2)
        assert "#1 of 3" in it.text("header")
        said = ""
        # Every new try says that it is one; what a key is answered stands there only until then.
        for _ in range(50):
            await it.press("g")
            said += it.said
            if "still saving" in said:
                break
        assert "still saving" in said
        assert it.answer.spectype == "QSO"
        somebody_writes.clear()
        await it.until(lambda: "#2 of 3" in it.text("header"))
        assert "✓ saved" in it.text("header")
        assert "NOT SAVED" not in it.text("header")
    assert len(set(tries)) == 1
    assert [vote.spectype for vote in votes(root)] == ["QSO"]


async def test_a_full_disk_is_said_and_enter_tries_again(root, monkeypatch):
    real, tries = store.commit_vote, []

    def full_once(ws: Workspace, vote: store.Vote) -> bool:
        tries.append(vote.uid)
        if len(tries) == 1:
            raise DiskFull("no space left")
        return real(ws, vote)

    monkeypatch.setattr(label_module.store, "commit_vote", full_once)
    async with opened(root) as it:
        await it.press("q", "4", "enter")
        await it.until(lambda: "no space left" in it.said)
        assert "NOT SAVED" in it.text("header")
        assert it.answer.quality == 4
        await it.press("enter")
        await it.until(lambda: "#2 of 3" in it.text("header"))
    assert len(votes(root)) == 1


async def test_a_spectrum_without_a_file_can_only_be_deferred(root):
    (root / "rounds" / "001" / "spectra" / "1.npz").unlink()
    async with opened(root) as it:
        assert "cannot be read" in it.text("spectrum")
        await it.press("q", "w", "z")
        assert it.answer.spectype is None
        assert "no spectrum to judge" in it.said
        await it.press("space")
        await it.until(lambda: "#2 of 3" in it.text("header"))


@pytest.mark.parametrize("way", [("f10",), ("ctrl+q",), ("colon", "q", "enter")])
async def test_three_ways_to_quit_keep_the_draft_and_give_the_spectrum_back(root, way):
    async with opened(root) as it:
        await it.press("g", "2", *way)
        await it.until(lambda: it.app.return_value == 0)
    with Workspace.open(root) as ws:
        assert store.leases(ws) == []
        assert store.drafts(ws, "ABC")[0].body["item"]["answer"]["spectype"] == "GALAXY"
    async with opened(root) as it:
        assert (it.answer.spectype, it.answer.quality) == ("GALAXY", 2)


async def test_drafts_are_kept_by_themselves(root, monkeypatch):
    monkeypatch.setattr("qnet_tui.tui.screens.label_queue._AUTOSAVE_S", 0.05)

    def drafts() -> list[store.Draft]:
        with Workspace.open(root) as ws:
            return store.drafts(ws, "ABC")

    async with opened(root) as it:
        await it.press("s")
        await it.until(lambda: len(drafts()) == 1)


async def test_the_last_spectrum_of_the_queue_says_that_it_is(tmp_path):
    make_workspace(tmp_path / "ws", [desi_spectrum(7)]).close()
    async with opened(tmp_path / "ws") as it:
        for key in ("j", "space"):
            await it.press(key)
            await it.until(lambda: "only one left" in it.said)
            await it.press("w")


async def test_a_draft_that_cannot_be_kept_is_said_at_once_and_at_the_end(root, monkeypatch):
    def full(*_: object) -> None:
        raise DiskFull("no space left")

    monkeypatch.setattr("qnet_tui.tui.screens.label_queue._AUTOSAVE_S", 0.05)
    monkeypatch.setattr(label_module.store, "save_draft", full)
    async with opened(root) as it:
        await it.press("s")
        await it.until(lambda: "draft is not kept: no space left" in it.said)
        await it.press("f10")
        await it.until(lambda: it.app.return_value == 1)


async def test_somebody_who_was_away_is_told_when_another_looks_at_the_same(root, monkeypatch):
    with Workspace.open(root) as ws:
        store.add_inspector(ws, "XYZ", "bob", "")
    async with opened(root) as it:
        with Workspace.open(root) as ws:
            store.release_leases(ws, "ABC")
            assert store.take_lease(ws, "XYZ", it.screen.item.object_id)
        monkeypatch.setattr("qnet_tui.tui.screens.label_queue._RENEW_S", -1.0)
        await it.press("q")
        await it.until(lambda: "somebody else is looking" in it.said)
        monkeypatch.setattr(label_module.store, "renew_lease", lambda *_: (_ for _ in ()).throw(DiskFull("full")))
        await it.press("4")
        assert it.answer.quality == 4
