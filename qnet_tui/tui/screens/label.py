"""The labelling screen: one spectrum, one answer, the next.

The screen holds three things, the item (from the queue), the moment (answer and view) and the status, and draws
itself from them alone: nothing of one spectrum is left when the next one comes. Keys that change the answer or the
view are pure functions (:mod:`qnet_tui.tui.label_actions`); keys that need the queue go through the desk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from textual import events

from qnet_tui.errors import QnetError
from qnet_tui.inspection.answer import COMMENT_LENGTH, Refused, z_text
from qnet_tui.inspection.item import ItemState, MaskedWarning
from qnet_tui.inspection.keys import ACTIONS, BY_NAME, Action, available
from qnet_tui.inspection.pace import ActiveTime
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.bindings import keys_of, pressed
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.label_actions import STEPS, Moment, Scene, apply, name_line
from qnet_tui.tui.label_picture import Picture
from qnet_tui.tui.label_words import Status
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.screens.label_panes import LabelPanes
from qnet_tui.tui.tones import Tone
from qnet_tui.tui.view import View
from qnet_tui.workflows.label import Item, LabelSession, Progress
from storage.errors import DatabaseBusy, StorageError

_AUTOSAVE_S, _RENEW_S, _RETRY_S = 5.0, 60.0, 2.0
# A key waits this long for the disk; after that the screen says that it is waiting and stays alive.
_PATIENCE_S = 0.5


class LabelScreen(LabelPanes):
    """One inspector at the queue.

    Keys are taken here, one after the other in the order they were typed, and not by Textual's bindings: a binding
    runs a moment later than the screen sees the next key, which would then be taken for something else.
    """

    def __init__(
        self, desk: Desk[LabelSession], charset: Charset, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Draw with ``charset``; ``clock`` gives seconds that only go forward."""
        session = desk.session
        super().__init__(Status(session.inspector, session.blind_model), charset, session.round)
        self.desk, self._clock = desk, clock
        self._active = ActiveTime()
        self._touched = False
        self._renewed = 0.0
        self._working: asyncio.Task[None] | None = None
        # What was typed in a field that was left with Esc, by kind of field.
        self._typed: dict[str, str] = {}

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that exist for this inspector."""
        return available(blind=self.status.blind)

    @property
    def is_busy(self) -> bool:
        """Whether something is being done at the desk."""
        return self._working is not None and not self._working.done()

    async def on_mount(self) -> None:
        """Fetch the first item and begin to keep drafts."""
        self.set_interval(_AUTOSAVE_S, self._autosave)
        await self._do(self._begin)

    def say(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Show one line in the answer pane until the next key."""
        self.message = (text, tone)
        self.draw()

    # ------------------------------------------------------------------ keys

    async def on_key(self, event: events.Key) -> None:
        """Take one key: into the line that is being typed, as the letter of a line after x, or as an action."""
        key = pressed(event.key, event.character)
        action = keys_of(ACTIONS).get(key)
        if self.line is not None and action != "quit":
            event.stop()
            await self._type(self.line, event)
        elif self.naming and action != "quit":
            event.stop()
            self.naming = False
            self.message = None
            if event.key != "escape":
                self._change(lambda: name_line(key, self.moment))
            self.draw()
        elif action is not None:
            event.stop()
            await self.act(action)

    def on_paste(self, event: events.Paste) -> None:
        """Put pasted text into the line that is being typed; elsewhere it would be keys, and is dropped."""
        event.stop()
        if self.line is not None:
            self.line = self.line.typed(" ".join(event.text.split()))
            self.draw()

    async def act(self, name: str) -> None:
        """Do one action of the table of keys."""
        self.message = None
        self._touch()
        if name == "quit":
            await self.leave()
        elif name == "help":
            self.app.push_screen(HelpScreen(self.actions, self.charset))
        elif name == "palette":
            self.app.action_command_palette()
        elif self.is_busy:
            self.say("still saving: wait, or quit with F10", Tone.WARN)
        elif name == "command":
            self._ask("command", ":", "", 20)
        elif name in ("next_item", "undo") or (self.item is not None and name in ("previous_item", "defer", "commit")):
            await self._do(getattr(self, f"_{name}"))
        elif self.item is None:
            self.say("the queue is empty: u reopens your last answer, :q quits", Tone.DIM)
        elif self.item.problem:
            self.say("there is no spectrum to judge: space puts it at the end of the queue")
        else:
            self._act_on_spectrum(name)

    def _act_on_spectrum(self, name: str) -> None:
        if BY_NAME[name].sighted and self.status.blind:
            self.say("off: you are blind to the pipeline's answer here")
        elif name in STEPS:
            self._change(lambda: apply(name, self.moment, self._scene()))
            self.draw()
        elif name == "name_line":
            self.naming = True
            self.draw()
        elif name == "type_z":
            z = self.moment.state.answer.z
            self._ask("z", "z", "" if z is None else z_text(z), 12)
        elif name == "comment":
            self._ask("comment", "comment", self.moment.state.answer.comment, COMMENT_LENGTH)

    def _change(self, make: Callable[[], Moment]) -> None:
        try:
            self.moment = make()
        except Refused as refusal:
            self.message = (str(refusal), Tone.WARN)
        else:
            self._touched = True

    def _scene(self) -> Scene:
        if self.picture is None or self.item is None:
            return Scene((0.0, 1.0))
        features = [feature.wavelength for feature in self.item.features]
        return Scene(self.picture.full, features, self.picture.column_width(self.moment, self.size.width))

    def _touch(self) -> None:
        now = self._clock()
        self._active = self._active.touched(now)
        if now - self._renewed > _RENEW_S and self.item is not None:
            self._renewed = now
            self.run_worker(self._stay(), exit_on_error=False)

    # ------------------------------------------------------------------ the line at the bottom

    def _ask(self, kind: str, question: str, text: str, length: int) -> None:
        self.line = LineEdit.begin(kind, question, self._typed.pop(kind, text), length)
        self.draw()

    async def _type(self, line: LineEdit, event: events.Key) -> None:
        self._touch()
        if event.key == "enter":
            await self._answer(line)
        elif event.key == "escape":
            # Esc leaves the field and loses nothing: what was typed is there when the field is opened again.
            self._typed[line.kind] = line.text
            self.line = self.message = None
        elif event.is_printable and event.character is not None:
            self.line = line.typed(event.character)
        else:
            self.line = line.edited(event.key)
        self.draw()

    async def _answer(self, line: LineEdit) -> None:
        self.message = None
        if line.kind == "command":
            self.line = None
            await self._command(line.text.strip())
            return
        state = self.moment.state
        change = state.with_z_typed if line.kind == "z" else state.with_comment
        try:
            self.moment = replace(self.moment, state=change(line.text))
        except Refused as refusal:
            self.message = (str(refusal), Tone.WARN)  # and the field stays open
        else:
            self._touched = True
            self.line = None

    async def _command(self, text: str) -> None:
        if text in ("q", "quit", "q!", "wq", "x"):
            await self.leave()
        elif text == "w":
            await self._do(self._write_draft)
        elif text in ("h", "help"):
            await self.act("help")
        elif text:
            self.say(f":{text} is no command; :q quits, :w keeps a draft, :help lists the keys")

    # ------------------------------------------------------------------ the queue

    async def _do(self, what: Callable[[], Awaitable[None]]) -> None:
        """Start something at the desk and give it a moment; then the screen lives on while it is being done."""
        self._working = asyncio.create_task(self._guarded(what))
        done, _ = await asyncio.wait({self._working}, timeout=_PATIENCE_S)
        if not done:
            self.status = replace(self.status, busy="waiting for the database")
            self.draw()

    async def _guarded(self, what: Callable[[], Awaitable[None]]) -> None:
        try:
            await what()
        except (Refused, StorageError, QnetError, OSError) as error:
            self.message = (" ".join(str(error).split()), Tone.WARN)
        finally:
            self.status = replace(self.status, busy="")
            self.draw()

    async def _begin(self) -> None:
        await self._move(LabelSession.start)

    async def _commit(self) -> None:
        """Save, and only then go on; a busy database is asked again until it takes the answer."""
        state = self.moment.state
        try:
            state.with_commit_asked()
        except MaskedWarning as warning:
            self.moment = replace(self.moment, state=warning.state)
            raise
        seconds = self._active.seconds
        while True:
            try:
                saved = await self.desk.ask(lambda session: session.commit(state, seconds))
                break
            except DatabaseBusy as busy:
                self.status = replace(self.status, trouble=str(busy))
                self.say(f"not saved yet, trying again: {busy}")
                await asyncio.sleep(_RETRY_S)
            except (StorageError, QnetError, OSError) as error:
                self.status = replace(self.status, trouble=str(error))
                raise
        self.status = replace(self.status, trouble="", saved=f"{saved.at:%H:%M:%S}")
        self.message = None
        self._touched = False
        await self._move(LabelSession.next)

    async def _next_item(self) -> None:
        await self._forward(LabelSession.next)

    async def _previous_item(self) -> None:
        await self._write_draft()
        await self._move(LabelSession.previous)

    async def _defer(self) -> None:
        await self._forward(LabelSession.defer)

    async def _forward(self, where: Callable[[LabelSession], Item | None]) -> None:
        await self._write_draft()
        before = self.item.object_id if self.item is not None else None
        await self._move(where)
        if self.item is not None and self.item.object_id == before:
            self.message = ("this is the only one left in your queue", Tone.DIM)

    async def _undo(self) -> None:
        await self._write_draft()
        await self._move(LabelSession.undo)
        self.message = ("your last answer is open again", Tone.DIM)

    async def _move(self, where: Callable[[LabelSession], Item | None]) -> None:
        """Show the item that the session goes to, built from its record and its draft alone."""

        def go(session: LabelSession) -> tuple[Item | None, Progress]:
            item = where(session)
            return item, session.progress()

        item, progress = await self.desk.ask(go)
        view = self.moment.view.for_next_item()
        self.status = replace(self.status, progress=progress)
        self.item, self.picture = item, None
        self._typed, self.line, self.naming, self._touched = {}, None, False, False
        self._renewed = self._clock()
        if item is None:
            self.moment, self._active = Moment(ItemState(), view), ActiveTime()
            return
        state = ItemState.start(item.facts, item.strongest)
        if item.draft is not None:
            state = state.restored(_section(item.draft, "item"))
            view = view if view.locked else View.from_json(_section(item.draft, "view"))
        self.moment = Moment(state, view)
        self._active = ActiveTime(item.active_seconds, self._clock())
        if not item.problem:
            self.picture = Picture(item.wavelength, item.flux, item.ivar, self.charset)

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

    async def _autosave(self) -> None:
        if not self.is_busy:
            try:
                await self._write_draft()
            except (StorageError, QnetError, OSError) as error:
                self._touched = True
                self.say(f"the draft is not kept: {error}")

    async def _stay(self) -> None:
        try:
            mine = await self.desk.ask(LabelSession.stay)
        except (StorageError, QnetError, OSError):
            return  # the commit will say so; a lease is a courtesy
        if not mine:
            self.say("you were away: somebody else is looking at this one too, your answer counts all the same")

    async def leave(self) -> None:
        """Keep the draft and end the program."""
        try:
            if not self.is_busy:
                await self._write_draft()
        except (StorageError, QnetError, OSError) as error:
            self.app.exit(1, message=f"the draft of this spectrum was not kept: {error}")
            return
        self.app.exit(0)


def _section(draft: dict[str, Any], name: str) -> dict[str, Any]:
    found = draft.get(name)
    return found if isinstance(found, dict) else {}
