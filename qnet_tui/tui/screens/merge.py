"""The merging screen: one object with all its votes, one settled label, the next.

As the labelling screen it holds three things, the case, the moment (answer and view) and the status, and draws itself
from them alone. Keys that change the answer or the view are pure functions (:mod:`qnet_tui.tui.merge_actions`); keys
that need the session go through the desk (:mod:`qnet_tui.tui.screens.merge_cases`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import ClassVar

from qnet_tui.inspection.answer import z_text
from qnet_tui.inspection.keys import Action
from qnet_tui.inspection.merge_keys import MERGE_ACTIONS
from qnet_tui.plotting.canvas import Charset
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.label_actions import Scene
from qnet_tui.tui.merge_actions import MERGE_STEPS, MergeMoment, apply, comment_standard, name_line_of_case, with_z
from qnet_tui.tui.merge_table import quality_text
from qnet_tui.tui.screens.merge_cases import MergeCases
from qnet_tui.tui.tones import Tone
from qnet_tui.workflows.merge import MergeSession

# These go to the session; the latter only from a case.
_OF_THE_SESSION = ("undo", "case_next", "conflict_next", "conflict_previous")
_OF_A_CASE = ("commit", "case_previous", "show_names")
_LETTERS = {"name_line": name_line_of_case, "standard_comment": comment_standard}


class MergeScreen(MergeCases):
    """One merger and the cases."""

    steps: ClassVar[Collection[str]] = MERGE_STEPS
    no_command: ClassVar[str] = "is no command: :q quits, :accept settles the agreed, :help"
    wait_words: ClassVar[str] = "still at it: wait, or {{quit}} quits"

    def __init__(
        self,
        desk: Desk[MergeSession],
        charset: Charset,
        round_number: int | None = None,
        *,
        actions: tuple[Action, ...] = MERGE_ACTIONS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw with ``charset`` the cases of a round (None: of all), with the keys of ``actions``."""
        super().__init__(desk, charset, round_number, actions, clock)

    async def _act_here(self, name: str) -> None:
        if name in _OF_THE_SESSION or (self.case is not None and name in _OF_A_CASE):
            await self._do(getattr(self, f"_{name}"))
        elif self.case is None:
            self.say("nothing is left to settle: {undo} reopens your last one, {command}q quits", Tone.DIM)
        else:
            await self._look(name)

    def _stepped(self, name: str, scene: Scene) -> MergeMoment:
        return apply(name, self.moment, scene)

    def _with_letter(self, asked: str, letter: str) -> MergeMoment:
        return _LETTERS[asked](letter, self.moment)

    def _with_fit(self, offer: LocalFit) -> MergeMoment:
        return with_z(round(offer.z, 6), self.moment)

    def _begun(self, kind: str) -> str:
        answer = self.moment.state.answer
        if kind == "comment":
            return answer.comment
        if kind == "quality":
            return "" if answer.quality is None else quality_text(answer.quality)
        z = answer.z if answer.z is not None else self.moment.z
        return "" if z is None else z_text(z)

    def _with_field(self, kind: str, text: str) -> MergeMoment:
        state = self.moment.state
        change = {"z": state.with_z_typed, "quality": state.with_quality_typed, "comment": state.with_comment}
        at_answer = kind == "z" or self.moment.at_answer
        return replace(self.moment, state=change[kind](text), at_answer=at_answer)

    async def _own_command(self, text: str) -> bool:
        if text != "accept":
            return False
        await self._do(self._accept)
        return True
