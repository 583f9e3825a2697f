"""The label screen at the queue: answers saved, spectra fetched, drafts kept; all through the desk.

A spectrum's screen is built from its record and its draft alone, in one place (:meth:`LabelQueue._show`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qnet_tui.inspection.item import ItemState, MaskedWarning
from qnet_tui.inspection.keys import Action, available, worded
from qnet_tui.inspection.pace import ActiveTime
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.label_words import Status
from qnet_tui.tui.screens.desk_work import FAULTS
from qnet_tui.tui.screens.label_panes import LabelPanes
from qnet_tui.tui.tones import Tone
from qnet_tui.tui.view import View
from qnet_tui.workflows.label import Item, LabelSession, Progress, Saved
from qnet_tui.workflows.label_item import fitted

_AUTOSAVE_S, _RENEW_S = 5.0, 60.0


class LabelQueue(LabelPanes):
    """One inspector's queue behind the panes."""

    def __init__(
        self, desk: Desk[LabelSession], charset: Charset, actions: tuple[Action, ...], clock: Callable[[], float]
    ) -> None:
        """Draw with ``charset``; ``clock`` gives seconds that only go forward."""
        session = desk.session
        known = available(blind=session.blind_model, actions=actions)
        status = Status(session.inspector, session.blind_model)
        super().__init__(desk, charset, known, Moment(ItemState(), View()), status, clock)
        self.round = session.round
        self._touched = False
        self._renewed = 0.0

    async def on_mount(self) -> None:
        """Fetch the first item and begin to keep drafts."""
        self.set_interval(_AUTOSAVE_S, self._autosave)
        await self._do(self._begin)

    def _touch(self) -> None:
        super()._touch()
        now = self._clock()
        if now - self._renewed > _RENEW_S and self.item is not None:
            self._renewed = now
            self.run_worker(self._stay(), exit_on_error=False)

    async def _stay(self) -> None:
        try:
            mine = await self.desk.ask(LabelSession.stay)
        except FAULTS:
            return  # the commit will say so; a lease is a courtesy
        if not mine:
            self.say("you were away: somebody else is looking at this one too, your answer counts all the same")

    # ------------------------------------------------------------------ answers

    async def _commit(self) -> None:
        """Save, and only then go on; a busy database is asked again until it takes the answer."""
        state = self.moment.state
        try:
            state.with_commit_asked()
        except MaskedWarning as warning:
            self.moment = replace(self.moment, state=warning.state)
            raise
        seconds = self._active.seconds
        saved = await self._saved(lambda session: session.commit(state, seconds))
        self._acknowledge(saved)
        self._touched = False
        await self._move(LabelSession.next)
        self.message = _afterwards(saved)

    def _acknowledge(self, saved: Saved) -> None:
        self.status = replace(self.status, trouble="", saved=f"{saved.at:%H:%M:%S}")

    async def _undo(self) -> None:
        await self._write_draft()
        await self._move(LabelSession.undo)
        self.message = (worded("your last answer is open again: {redo} saves it as it was", self.actions), Tone.DIM)

    async def _redo(self) -> None:
        await self._write_draft()
        before = self.item.object_id if self.item is not None else None
        saved, title, item = await self.desk.ask(LabelSession.redo)
        self._acknowledge(saved)
        if item is None or item.object_id != before:
            self._show(item, await self.desk.ask(LabelSession.progress))
        else:
            self.status = replace(self.status, progress=await self.desk.ask(LabelSession.progress))
        self.message = (f"your answer to {title} is saved again", Tone.GOOD)

    async def _star(self) -> None:
        self.item = await self.desk.ask(LabelSession.star)
        words = "starred for discussion" if self.item.starred else "the star is taken back"
        self.message = (words, Tone.DIM)

    async def _fit(self) -> None:
        item, state = self.item, self.moment.state
        if item is not None:
            self.offer = await asyncio.to_thread(fitted, item, state)

    # ------------------------------------------------------------------ moving

    async def _begin(self) -> None:
        await self._move(LabelSession.start)

    async def _next_item(self) -> None:
        await self._forward(LabelSession.next)

    async def _previous_item(self) -> None:
        await self._write_draft()
        await self._move(LabelSession.previous)

    async def _defer(self) -> None:
        await self._forward(LabelSession.defer)

    async def _find(self, text: str) -> None:
        await self._write_draft()
        await self._move(lambda session: session.find(text))

    async def _go_to(self, rank: int) -> None:
        await self._write_draft()
        await self._move(lambda session: session.go_to(rank))

    async def _forward(self, where: Callable[[LabelSession], Item | None]) -> None:
        await self._write_draft()
        before = self.item.object_id if self.item is not None else None
        await self._move(where)
        if self.item is not None and self.item.object_id == before:
            self.message = ("this is the only one left in your queue", Tone.DIM)

    async def _move(self, where: Callable[[LabelSession], Item | None]) -> None:
        """Go where the session goes, and have the next ones read in the meantime."""

        def go(session: LabelSession) -> tuple[Item | None, Progress]:
            item = where(session)
            return item, session.progress()

        self._show(*await self.desk.ask(go))
        self.run_worker(self._prepare(), group="prepare", exclusive=True, exit_on_error=False)

    def _show(self, item: Item | None, progress: Progress) -> None:
        """Build the screen from the record and its draft alone."""
        view = self.moment.view.for_next_item()
        self.status = replace(self.status, progress=progress)
        self.item, self.picture, self.offer, self.message = item, None, None, None
        self._typed, self.line, self.asked, self._touched = {}, None, "", False
        self._renewed = self._clock()
        if item is None:
            self.moment, self._active = Moment(ItemState(), view), ActiveTime()
            return
        if item.draft is not None and not view.locked:
            view = View.from_json(_section(item.draft, "view"))
        self.moment = Moment(item.started(), view)
        self._active = ActiveTime(item.active_seconds, self._clock())
        self.message = (item.note, Tone.WARN) if item.note else None
        if not item.problem:
            self.picture = self._picture_of(item)

    async def _prepare(self) -> None:
        """Have the next spectra read, one at a time, so that a key never waits for more than one."""
        try:
            while await self.desk.ask(LabelSession.prepare):
                pass
        except FAULTS:
            return  # it will be said when the spectrum is asked for

    # ------------------------------------------------------------------ drafts

    async def _write_draft(self) -> None:
        if self.item is None or not self._touched:
            return
        body: dict[str, Any] = {
            "item": self.moment.state.to_json(),
            "view": self.moment.view.to_json(),
            "active_seconds": round(self._active.seconds, 1),
        }
        self._touched = False
        await self.desk.ask(lambda session: session.keep_draft(body))

    async def _sync(self) -> None:
        self._touched = self.item is not None
        await self._write_draft()
        self.message = (f"the draft is kept, {time.strftime('%H:%M:%S')}", Tone.GOOD)

    async def _autosave(self) -> None:
        if not self.is_busy:
            try:
                await self._write_draft()
            except FAULTS as error:
                self._touched = True
                self.say(f"the draft is not kept: {error}")

    async def leave(self) -> None:
        """Keep the draft and end the program."""
        try:
            if not self.is_busy:
                await self._write_draft()
        except FAULTS as error:
            self.app.exit(1, message=f"the draft of this spectrum was not kept: {error}")
            return
        self.app.exit(0)


def _afterwards(saved: Saved) -> tuple[str, Tone] | None:
    """Say what may be known once the answer is given: how many have one, and what was hidden until now."""
    parts = [f"vote {saved.votes} of {saved.required}"] if saved.required > 1 else []
    parts += [saved.revealed] if saved.revealed else []
    return (f"saved: {'; '.join(parts)}", Tone.GOOD) if parts else None


def _section(draft: dict[str, Any], name: str) -> dict[str, Any]:
    found = draft.get(name)
    return found if isinstance(found, dict) else {}
