"""The review screen: the figures of a campaign, tab by tab, as ``qnet review`` computes them. Here is what keys do."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual import events

from qnet_tui.inspection.keys import Action
from qnet_tui.inspection.review_keys import REVIEW_ACTIONS
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.bindings import keys_of, pressed
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.places import BACK
from qnet_tui.tui.review_words import WITH_REDSHIFT_CONDITION, whole_row, whole_words
from qnet_tui.tui.screens.review_panes import Fill
from qnet_tui.tui.screens.review_work import ReviewWork
from qnet_tui.tui.screens.text import TextScreen
from qnet_tui.tui.tones import Tone
from qnet_tui.workflows.review.figures import ReviewFigures
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.review.tabs import TABS

_FILLS: tuple[Fill, ...] = ("both", "chart", "table")
_FIELD_LENGTH = 40


class ReviewScreen(ReviewWork):
    """One person at the figures."""

    def __init__(
        self,
        desk: Desk[ReviewFigures],
        charset: Charset,
        *,
        first: str = "completeness",
        asked: Asked | None = None,
        actions: tuple[Action, ...] = REVIEW_ACTIONS,
        back: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin at the tab ``first`` with what was ``asked``; ``back``: Backspace leaves with ``BACK``."""
        super().__init__(desk, charset, first=first, asked=asked or Asked(), actions=actions, back=back, clock=clock)
        # What was looked for last.
        self._typed = ""

    # ------------------------------------------------------------------ keys

    async def on_key(self, event: events.Key) -> None:
        """Take one key: into the line that is typed, or as an action."""
        action = keys_of(self.actions).get(pressed(event.key, event.character))
        if action is not None or self.line is not None:
            event.stop()
            event.prevent_default()
        if self.line is not None and action != "quit":
            await self._type(self.line, event)
        elif action is not None:
            await self.act(action)
        elif event.key == "escape" and self.message is not None:
            self.message = None
            self.draw()

    async def act(self, name: str) -> None:
        """Do one action of the table of keys."""
        self.message = None
        if await self._act_of_program(name):
            return
        if name in ("command", "filter"):
            question, text = (":", "") if name == "command" else ("rows with", self.listing.wanted or self._typed)
            self.line = LineEdit.begin(name, question, text, _FIELD_LENGTH)
            self.draw()
        elif name.startswith("tab_"):
            self._go(_tab_after(self.lit, name.removeprefix("tab_")))
        elif name in _MOVES:
            self._take(self.listing.moved(_MOVES[name] * self._step(name)))
        else:
            await getattr(self, f"_{name}")()

    def _step(self, name: str) -> int:
        if name.startswith("page"):
            return max(self.query_one("#table").size.height - 2, 1)
        return len(self.listing) if name in ("row_first", "row_last") else 1

    async def _round_previous(self) -> None:
        self._choose(self.choices.with_round(self.tab, -1), self._no_round("there is no round before"))

    async def _round_next(self) -> None:
        self._choose(self.choices.with_round(self.tab, 1), self._no_round("there is no later round"))

    def _no_round(self, words: str) -> str:
        return words if self.tab is not None and self.tab.rounds else "all rounds are in this tab, or none"

    async def _dataset_next(self, step: int = 1) -> None:
        has_all = self.lit not in self._choosing
        self._choose(self.choices.with_dataset(self.lit, self.tab, step, has_all=has_all), "there is no other dataset")

    async def _dataset_previous(self) -> None:
        await self._dataset_next(-1)

    async def _threshold_next(self) -> None:
        self._choose(self.choices.with_threshold(self.tab, 1), "no threshold can be chosen here")

    async def _threshold_previous(self) -> None:
        self._choose(self.choices.with_threshold(self.tab, -1), "no threshold can be chosen here")

    async def _redshift_condition(self) -> None:
        if self.lit in WITH_REDSHIFT_CONDITION:
            self._choose(self.choices.with_redshift_condition_turned(), "")
        else:
            self.say(f"a right redshift is asked for in {' and '.join(WITH_REDSHIFT_CONDITION)} only", Tone.DIM)

    async def _by_next(self) -> None:
        self._choose(self.choices.with_by(self.lit, self.tab), "there is one way to show it")

    async def _read_again(self) -> None:
        self._open(again=True)

    async def _sort_next(self) -> None:
        self._take(self.listing.sorted_next())

    async def _sort_reverse(self) -> None:
        self._take(self.listing.turned())

    async def _copy_id(self) -> None:
        name = self.listing.name_of_row()
        if name:
            self.app.copy_to_clipboard(name)
        self.say(f"copied: {name}" if name else "there is no row to copy", Tone.GOOD if name else Tone.DIM)

    async def _fill(self) -> None:
        self.fill = _FILLS[(_FILLS.index(self.fill) + 1) % len(_FILLS)]
        self.draw()

    async def _open_row(self) -> None:
        if self.listing.at is None:
            self.say("there is no row", Tone.DIM)
        else:
            self.app.push_screen(TextScreen(whole_row(self.listing, self.size.width - 4), self.charset))

    async def _open_words(self) -> None:
        if self.tab is not None:
            title = f"{self.lit}: {TABS[self.lit]}"
            self.app.push_screen(TextScreen(whole_words(title, self.tab, self.size.width - 4), self.charset))

    async def _back(self) -> None:
        if self.has_home:
            self.app.exit(BACK)
        else:
            self.say("there is no home screen behind this one: {command}q quits", Tone.DIM)

    async def leave(self) -> None:
        """End the program; there is nothing to keep."""
        self._ticket = None
        self.app.exit(0)

    # ------------------------------------------------------------------ the line at the bottom

    async def _type(self, line: LineEdit, event: events.Key) -> None:
        self.message = None
        if event.key == "enter":
            self.line = None
            await self._answer(line.kind, line.text.strip())
        elif event.key == "escape":
            self.line = None
        elif event.is_printable and event.character is not None:
            self.line = line.typed(event.character)
        else:
            self.line = line.edited(event.key)
        self.draw()

    async def _answer(self, kind: str, text: str) -> None:
        if kind == "filter":
            self._typed = text
            self._take(self.listing.filtered(text))
            if text and not len(self.listing):
                self.say(f"no row has {text!r}: {{filter}} and an empty line shows all again")
        elif text in ("q", "quit", "q!", "wq", "x"):
            await self.leave()
        elif text in ("h", "help"):
            await self.act("help")
        elif text.isdigit() and 1 <= int(text) <= len(self.listing):
            self._take(self.listing.moved(int(text) - 1 - self.listing.cursor))
        elif found := [name for name in TABS if text and name.startswith(text)]:
            self._go(found[0])
        elif text:
            self.say(f":{text} is no command: a tab's name, a row's number, or :q quits")


_MOVES = {
    "row_next": 1, "row_previous": -1, "page_next": 1, "page_previous": -1, "row_first": -1, "row_last": 1,
}  # fmt: skip


def _tab_after(name: str, which: str) -> str:
    """Return the tab that "next", "previous" or a number from 1 means; the same one where there is none such."""
    names = tuple(TABS)
    if which.isdigit():
        return names[int(which) - 1] if int(which) <= len(names) else name
    return names[(names.index(name) + (1 if which == "next" else -1)) % len(names)]
