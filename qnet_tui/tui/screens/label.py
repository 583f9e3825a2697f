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
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from qnet_tui.errors import QnetError
from qnet_tui.inspection.answer import COMMENT_LENGTH, Refused, z_text
from qnet_tui.inspection.item import ItemState, MaskedWarning
from qnet_tui.inspection.keys import BY_NAME, available
from qnet_tui.inspection.pace import ActiveTime
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.bindings import label_bindings
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.label_actions import STEPS, Moment, Scene, apply, name_line
from qnet_tui.tui.label_picture import Picture, notice
from qnet_tui.tui.label_words import Status, answer_rows, header_rows, hint_row, nothing_left_lines
from qnet_tui.tui.layout import HEADER_ROWS, SMALLEST, panes_for
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.tones import Piece, Tone
from qnet_tui.tui.view import View
from qnet_tui.tui.widgets.cells import CellPane
from qnet_tui.tui.widgets.prompt import Prompt
from qnet_tui.tui.widgets.rows import Rows
from qnet_tui.workflows.label import Item, LabelSession, Progress
from storage.errors import DatabaseBusy, StorageError

_MOST_ZOOMS = 3
_AUTOSAVE_S, _RENEW_S, _RETRY_S = 5.0, 60.0, 2.0
# A key waits this long for the disk; after that the screen says that it is waiting and stays alive.
_PATIENCE_S = 0.5


class LabelScreen(Screen[None]):
    """One inspector at the queue."""

    BINDINGS: ClassVar[list[BindingType]] = list(label_bindings())
    # The one field of the screen takes the keys only when it is asked for.
    AUTO_FOCUS = ""

    def __init__(self, desk: Desk, charset: Charset, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Draw with ``charset``; ``clock`` gives seconds that only go forward."""
        super().__init__()
        self.desk, self.charset, self._clock = desk, charset, clock
        self.item: Item | None = None
        self.moment = Moment(ItemState(), View())
        self.status = Status(desk.session.inspector, desk.session.blind_model)
        self._picture: Picture | None = None
        self._message: Piece | None = None
        self._active = ActiveTime()
        self._naming = False
        self._touched = False
        self._renewed = 0.0
        self._working: asyncio.Task[None] | None = None
        self._typed: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Header, spectrum, answer and small panes, one line of keys."""
        yield Rows(id="header")
        yield CellPane(id="spectrum")
        with Horizontal(id="lower"):
            yield Rows(id="answer")
            for place in range(_MOST_ZOOMS):
                yield CellPane(id=f"zoom{place}")
        yield Rows(id="hint")
        yield Prompt(id="prompt")
        yield Static("", id="enlarge", markup=False)

    async def on_mount(self) -> None:
        """Fetch the first item and begin to keep drafts."""
        self.set_interval(_AUTOSAVE_S, self._autosave)
        await self._do(self._begin)

    def on_resize(self) -> None:
        """Draw everything for the new size."""
        self.draw()

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Show the item, the moment and the status; each pane sends only what changed."""
        columns, rows = self.size
        if not columns:
            return
        small = columns < SMALLEST[0] or rows < SMALLEST[1]
        self.set_class(small, "small")
        if small:
            need = f"{SMALLEST[0]} x {SMALLEST[1]}"
            self.query_one("#enlarge", Static).update(f"enlarge: qnet needs {need}, this is {columns} x {rows}")
            return
        panes = panes_for(columns, rows)
        self._resize("#spectrum", columns, panes.spectrum_rows)
        self._resize("#lower", columns, panes.lower_rows)
        self._resize("#answer", panes.answer_columns, panes.lower_rows)
        header = header_rows(self.item, self.status, columns, self.charset)
        self.query_one("#header", Rows).show(header[:HEADER_ROWS])
        self._draw_spectra(columns, panes.spectrum_rows, panes.lower_rows, panes.zoom_columns, panes.zooms)
        self.query_one("#answer", Rows).show(
            answer_rows(
                self.item, self.moment, self.status, self._message, panes.lower_rows, panes.answer_columns, self.charset
            )
        )
        hint = hint_row(
            self.moment, naming=self._naming, blind=self.status.blind, columns=columns, charset=self.charset
        )
        self.query_one("#hint", Rows).show([hint])

    def _draw_spectra(self, columns: int, rows: int, lower_rows: int, zoom_columns: int, zooms: int) -> None:
        pane = self.query_one("#spectrum", CellPane)
        drawable = self.item is not None and not self.item.problem and self._picture is not None
        if self.item is None:
            lines = nothing_left_lines(self.desk.session.round, self.status.progress) if self.status.progress else []
            pane.show(notice(rows, columns, lines))
        elif not drawable or self._picture is None:
            pane.show(notice(rows, columns, [self.item.title, self.item.problem[: columns - 2]]))
        else:
            pane.show(self._picture.main(self.moment, rows, columns))
        for place in range(_MOST_ZOOMS):
            small = self.query_one(f"#zoom{place}", CellPane)
            small.display = place < zooms
            if place < zooms:
                self._resize(f"#zoom{place}", zoom_columns, lower_rows)
                if drawable and self._picture is not None:
                    small.show(self._picture.small(self.moment, lower_rows, zoom_columns, place, zooms))
                else:
                    small.show(notice(lower_rows, zoom_columns, []))

    def _resize(self, selector: str, columns: int, rows: int) -> None:
        """Set a size only when it changes: every change lays the whole screen out again."""
        styles = self.query_one(selector).styles
        if styles.width is None or styles.width.value != columns:
            styles.width = columns
        if styles.height is None or styles.height.value != rows:
            styles.height = rows

    def _say(self, text: str, tone: Tone = Tone.WARN) -> None:
        self._message = (text, tone)
        self.draw()

    # ------------------------------------------------------------------ keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a field is open, keys are text; only F10 still quits."""
        if action == "act" and self.query_one(Prompt).display:
            return parameters == ("quit",)
        return super().check_action(action, parameters)

    async def on_key(self, event: events.Key) -> None:
        """After x, take the letter that names the line."""
        if not self._naming:
            return
        event.stop()
        event.prevent_default()
        self._naming = False
        self._message = None
        if event.character is not None and event.key != "escape":
            letter = event.character
            self._change(lambda: name_line(letter, self.moment))
        self.draw()

    async def action_act(self, name: str) -> None:
        """Do one action of the table of keys."""
        self._message = None
        self._touch()
        if name == "quit":
            await self.leave()
        elif name == "help":
            self.app.push_screen(HelpScreen(available(blind=self.status.blind), self.charset))
        elif name == "palette":
            self.app.action_command_palette()
        elif self._working is not None and not self._working.done():
            self._say("still saving: wait, or quit with F10", Tone.WARN)
        elif name == "command":
            self._ask("command", ":", "", 20)
        elif name in ("next_item", "undo") or (self.item is not None and name in ("previous_item", "defer", "commit")):
            await self._do(getattr(self, f"_{name}"))
        elif self.item is None:
            self._say("the queue is empty: u reopens your last answer, :q quits", Tone.DIM)
        elif self.item.problem:
            self._say("there is no spectrum to judge: space puts it at the end of the queue")
        else:
            self._act_on_spectrum(name)

    def _act_on_spectrum(self, name: str) -> None:
        if BY_NAME[name].sighted and self.status.blind:
            self._say("off: you are blind to the pipeline's answer here")
        elif name in STEPS:
            self._change(lambda: apply(name, self.moment, self._scene()))
            self.draw()
        elif name == "name_line":
            self._naming = True
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
            self._message = (str(refusal), Tone.WARN)
        else:
            self._touched = True

    def _scene(self) -> Scene:
        if self._picture is None or self.item is None:
            return Scene((0.0, 1.0))
        features = [feature.wavelength for feature in self.item.features]
        return Scene(self._picture.full, features, self._picture.column_width(self.moment, self.size.width))

    def _touch(self) -> None:
        now = self._clock()
        self._active = self._active.touched(now)
        if now - self._renewed > _RENEW_S and self.item is not None:
            self._renewed = now
            self.run_worker(self._stay(), exit_on_error=False)

    # ------------------------------------------------------------------ the one-line prompt

    def _ask(self, kind: str, question: str, text: str, length: int) -> None:
        self.query_one("#hint").display = False
        self.query_one(Prompt).ask(kind, question, self._typed.get(kind, text), length)
        self.draw()

    @on(Prompt.Left)
    def _prompt_left(self, event: Prompt.Left) -> None:
        self._typed[event.kind] = event.text
        self._close_prompt()

    @on(Prompt.Answered)
    async def _prompt_answered(self, event: Prompt.Answered) -> None:
        self._touch()
        self._message = None
        if event.kind == "command":
            self._close_prompt()
            await self._command(event.text.strip())
            return
        state = self.moment.state
        change = state.with_z_typed if event.kind == "z" else state.with_comment
        try:
            self.moment = replace(self.moment, state=change(event.text))
        except Refused as refusal:
            self._say(str(refusal))
            return
        self._touched = True
        self._typed.pop(event.kind, None)
        self._close_prompt()

    def _close_prompt(self) -> None:
        self.query_one(Prompt).dismiss()
        self.query_one("#hint").display = True
        self.draw()

    async def _command(self, text: str) -> None:
        if text in ("q", "quit", "q!", "wq", "x"):
            await self.leave()
        elif text == "w":
            await self._do(self._write_draft)
        elif text in ("h", "help"):
            await self.action_act("help")
        elif text:
            self._say(f":{text} is no command; :q quits, :w keeps a draft, :help lists the keys")

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
            self._message = (" ".join(str(error).split()), Tone.WARN)
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
                self._say(f"not saved yet, trying again: {busy}")
                await asyncio.sleep(_RETRY_S)
            except (StorageError, QnetError, OSError) as error:
                self.status = replace(self.status, trouble=str(error))
                raise
        self.status = replace(self.status, trouble="", saved=f"{saved.at:%H:%M:%S}")
        self._message = None
        self._touched = False
        await self._move(LabelSession.next)

    async def _next_item(self) -> None:
        await self._write_draft()
        before = self.item.object_id if self.item is not None else None
        await self._move(LabelSession.next)
        if self.item is not None and self.item.object_id == before:
            self._message = ("this is the only one left in your queue", Tone.DIM)

    async def _previous_item(self) -> None:
        await self._write_draft()
        await self._move(LabelSession.previous)

    async def _defer(self) -> None:
        await self._write_draft()
        await self._move(LabelSession.defer)

    async def _undo(self) -> None:
        await self._write_draft()
        await self._move(LabelSession.undo)
        self._message = ("your last answer is open again", Tone.DIM)

    async def _move(self, where: Callable[[LabelSession], Item | None]) -> None:
        """Show the item that the session goes to, built from its record and its draft alone."""

        def go(session: LabelSession) -> tuple[Item | None, Progress]:
            item = where(session)
            return item, session.progress()

        item, progress = await self.desk.ask(go)
        view = self.moment.view.for_next_item()
        self.status = replace(self.status, progress=progress)
        self.item, self._picture = item, None
        self._typed, self._touched = {}, False
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
            self._picture = Picture(item.wavelength, item.flux, item.ivar, self.charset)

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
        if self._working is None or self._working.done():
            try:
                await self._write_draft()
            except (StorageError, QnetError, OSError) as error:
                self._touched = True
                self._say(f"the draft is not kept: {error}")

    async def _stay(self) -> None:
        try:
            mine = await self.desk.ask(LabelSession.stay)
        except (StorageError, QnetError, OSError):
            return  # the commit will say so; a lease is a courtesy
        if not mine:
            self._say("you were away: somebody else is looking at this one too, your answer counts all the same")

    async def leave(self) -> None:
        """Keep the draft and end the program."""
        try:
            if self._working is None or self._working.done():
                await self._write_draft()
        except (StorageError, QnetError, OSError) as error:
            self.app.exit(1, message=f"the draft of this spectrum was not kept: {error}")
            return
        self.app.exit(0)


def _section(draft: dict[str, Any], name: str) -> dict[str, Any]:
    found = draft.get(name)
    return found if isinstance(found, dict) else {}
