"""The labelling screen: one spectrum, one answer, the next.

The screen holds three things, the item (from the queue), the moment (answer and view) and the status, and draws
itself from them alone: nothing of one spectrum is left when the next one comes. Keys that change the answer or the
view are pure functions (:mod:`qnet_tui.tui.label_actions`); keys that need the queue go through the desk
(:mod:`qnet_tui.tui.screens.label_queue`). How keys are taken is that of all working screens
(:mod:`qnet_tui.tui.screens.key_by_key`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from qnet_tui.inspection.answer import z_text
from qnet_tui.inspection.keys import BY_NAME, Action
from qnet_tui.plotting.canvas import Charset
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.label_actions import Moment, Scene, apply, fit_taken, name_line
from qnet_tui.tui.screens.label_queue import LabelQueue
from qnet_tui.tui.tones import Tone
from qnet_tui.workflows.label import LabelSession
from qnet_tui.workflows.user_keys import UserKeys

# These go to the queue; the latter only from a spectrum.
_OF_THE_QUEUE = ("next_item", "undo", "redo")
_OF_AN_ITEM = ("previous_item", "defer", "commit", "star")


class LabelScreen(LabelQueue):
    """One inspector at the queue."""

    no_command: ClassVar[str] = (
        "is no command; :q quits, :w keeps the draft, :12 goes to the 12th, :help lists the keys"
    )

    def __init__(
        self,
        desk: Desk[LabelSession],
        charset: Charset,
        *,
        user: UserKeys | None = None,
        fast_commit: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw with ``charset``, take the keys of ``user``; with ``fast_commit`` a quality also commits."""
        self._live = (user or UserKeys()).actions("label")
        super().__init__(desk, charset, self._live, clock)
        self._fast_commit = fast_commit

    @property
    def live(self) -> tuple[Action, ...]:
        """All actions of the table: the keys of those that are off say so."""
        return self._live

    async def _act_here(self, name: str) -> None:
        if name in _OF_THE_QUEUE or (self.item is not None and name in _OF_AN_ITEM):
            await self._do(getattr(self, f"_{name}"), "saving" if name == "commit" else "waiting for the database")
        elif self.item is None:
            self.say("the queue is empty: {undo} reopens your last answer, {command}q quits", Tone.DIM)
        elif self.item.problem:
            self.say("there is no spectrum to judge: {defer} puts it at the end of the queue")
        elif BY_NAME[name].sighted and self.status.blind:
            self.say("off: you are blind to the pipeline's answer here")
        else:
            await self._look(name)
            if self._fast_commit and name.startswith("quality_") and not self.moment.state.answer.missing():
                await self._do(self._commit, "saving")

    def _change(self, make: Callable[[], Moment]) -> bool:
        changed = super()._change(make)
        self._touched = self._touched or changed
        return changed

    def _stepped(self, name: str, scene: Scene) -> Moment:
        return apply(name, self.moment, scene)

    def _with_letter(self, asked: str, letter: str) -> Moment:
        if asked == "name_line":
            return name_line(letter, self.moment)
        return replace(self.moment, state=self.moment.state.with_standard_comment(letter))

    def _with_fit(self, offer: LocalFit) -> Moment:
        return fit_taken(offer, self.moment)

    def _begun(self, kind: str) -> str:
        answer = self.moment.state.answer
        return answer.comment if kind == "comment" else "" if answer.z is None else z_text(answer.z)

    def _with_field(self, kind: str, text: str) -> Moment:
        state = self.moment.state
        change = state.with_z_typed if kind == "z" else state.with_comment
        return replace(self.moment, state=change(text))

    async def _own_command(self, text: str) -> bool:
        if text == "w":
            await self._do(self._sync)
        elif text.isdecimal():
            await self._do(lambda: self._go_to(int(text)))
        else:
            return False
        return True
