"""What screens have in common that only look: they ask their session again and again, and draw what is new."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Generic, TypeVar

from textual import events

from qnet_tui.inspection.keys import Action
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.bindings import keys_of, pressed
from qnet_tui.tui.desk import Desk, S
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.screens.desk_work import FAULTS
from qnet_tui.tui.screens.keyed import KeyedScreen
from qnet_tui.tui.tones import Piece, Tone

T = TypeVar("T")


class Lookout(KeyedScreen, Generic[S, T]):
    """A screen that shows one thing ``seen`` (None before the first look), asked for every few seconds.

    A look is never begun before the last one has ended, so a slow disk makes looks rarer and never a queue of them.
    """

    every: ClassVar[float]

    def __init__(self, desk: Desk[S], charset: Charset, actions: tuple[Action, ...]) -> None:
        """Begin with nothing seen."""
        super().__init__()
        self.desk, self.charset, self._actions = desk, charset, actions
        self.seen: T | None = None
        self.trouble = ""
        self.message: Piece | None = None
        self.line: LineEdit | None = None
        # The next key answers a question: y, or no.
        self.asking = False
        self._looking: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ what each screen does itself

    def look(self, session: S) -> T:
        """Return what is to be shown; called on the thread of the desk."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw all from what the screen holds."""
        raise NotImplementedError

    async def act_here(self, name: str) -> None:
        """Do an action that is this screen's own."""
        raise NotImplementedError

    async def answered(self, line: LineEdit) -> None:
        """Take a line that was typed."""

    async def confirmed(self, *, yes: bool) -> None:
        """Take the answer to a question."""

    # ------------------------------------------------------------------ looking

    def on_mount(self) -> None:
        """Look now, and then again and again."""
        self.draw()
        self.look_now()
        self.set_interval(self.every, self.look_now)

    def look_now(self) -> None:
        """Begin a look, unless one is under way."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    @property
    def is_looking(self) -> bool:
        """Whether a look is under way."""
        return self._looking is not None and not self._looking.done()

    async def _look(self) -> None:
        try:
            self.seen = await self.desk.ask(self.look)
            self.trouble = ""
        except FAULTS as error:
            # What was seen before stays: an old page with a word on it is better than none.
            self.trouble = " ".join(str(error).split())
        if self.is_mounted:
            self.draw()

    # ------------------------------------------------------------------ keys

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that exist here."""
        return self._actions

    def say(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Show one line until the next key."""
        self.message = (text, tone)
        self.draw()

    async def on_key(self, event: events.Key) -> None:
        """Take one key: into the line that is typed, or as an action."""
        action = keys_of(self.actions).get(pressed(event.key, event.character))
        if action is not None or self.line is not None or self.asking:
            event.stop()
            event.prevent_default()
        if self.asking and event.key != "f10":
            self.asking, self.message = False, None
            await self.confirmed(yes=event.character in ("y", "Y"))
        elif self.line is not None and event.key != "f10":
            await self._type(self.line, event)
        elif action is not None:
            await self.act(action)
        else:
            self.message = None
            self.draw()

    async def act(self, name: str) -> None:
        """Do one action of the table of keys."""
        self.message = None
        if not await self._act_of_program(name):
            await self.act_here(name)

    async def leave(self) -> None:
        """End the program; there is nothing to keep."""
        self.app.exit(0)

    async def _type(self, line: LineEdit, event: events.Key) -> None:
        if event.key == "enter":
            self.line = None
            await self.answered(line)
        elif event.key == "escape":
            self.line = self.message = None
        elif event.is_printable and event.character is not None:
            self.line = line.typed(event.character)
        else:
            self.line = line.edited(event.key)
        self.draw()
