"""The home screen: where the campaign stands, and the way to everything else."""

from __future__ import annotations

import re
from typing import ClassVar, get_args

from textual.app import ComposeResult

from qnet_tui.inspection.home_keys import HOME_ACTIONS
from qnet_tui.inspection.keys import Action
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.home_words import home_page
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.places import BACK, Going, Place
from qnet_tui.tui.screens.lookout import Lookout
from qnet_tui.tui.tones import Piece, Tone
from qnet_tui.tui.widgets.rows import Rows
from qnet_tui.workflows.home import Home, HomeReader

_CODE = re.compile(r"[A-Za-z0-9]{2,10}")


class HomeScreen(Lookout[HomeReader, Home]):
    """One page; leaving it for another screen ends it, and :attr:`going` says where to."""

    every: ClassVar[float] = 3.0

    def __init__(
        self,
        desk: Desk[HomeReader],
        charset: Charset,
        actions: tuple[Action, ...] = HOME_ACTIONS,
        said: Piece | None = None,
    ) -> None:
        """Begin with the words ``said``: why another screen did not open."""
        super().__init__(desk, charset, actions)
        self.message = said
        self.going: Going | None = None

    def compose(self) -> ComposeResult:
        """The page, and one row of keys or of what is typed."""
        yield Rows(id="page")
        yield Rows(id="hint")

    def look(self, session: HomeReader) -> Home:
        """Read the page."""
        return session.read()

    def draw(self) -> None:
        """Draw the page at the size of the terminal."""
        if not self.query(Rows):
            return
        columns, rows = self.app.size
        page, hint = home_page(
            self.seen, columns, rows, self.charset, self.actions, message=self.message, trouble=self.trouble
        )
        self.query_one("#page", Rows).show(page)
        self.query_one("#hint", Rows).show([hint if self.line is None else self.line.row(columns)])

    async def act_here(self, name: str) -> None:
        """Go where the key says."""
        if name == "read_again":
            self.look_now()
            self.draw()
        elif self.seen is None:
            self.say(self.trouble or "still reading the workspace")
        elif name == "next_step":
            await self._do_next(self.seen)
        elif name in get_args(Place):
            await self._go(name, self.seen)

    async def answered(self, line: LineEdit) -> None:
        """Take the code that an inspector typed for the first time."""
        code = line.text.strip()
        if _CODE.fullmatch(code):
            self._leave_for(Going("label" if line.kind == "label" else "merge", code))
        else:
            self.say(f"a code has 2 to 10 letters or digits, {code!r} has not" if code else "nothing was typed")

    async def _do_next(self, home: Home) -> None:
        step = home.next
        if step.place in get_args(Place):
            await self._go(step.place, home, step.run)
        else:
            self.say(f"in a shell: {step.command}", Tone.STRONG)

    async def _go(self, place: str, home: Home, run: str = "") -> None:
        if place in ("label", "merge") and not any(one.asked for one in home.rounds):
            self.say("no round asks for anything yet")
        elif place == "watch" and not home.has_runs:
            self.say("no run was ever begun here")
        elif place in ("label", "merge") and len(home.codes) != 1:
            words = "your inspector's code, for the first time" if not home.codes else "as which of your codes"
            self.line = LineEdit.begin(place, words, home.inspector, 10)
            self.draw()
        elif place == "label":
            self._leave_for(Going("label", home.inspector))
        elif place == "merge":
            self._leave_for(Going("merge", home.inspector))
        elif place == "review":
            self._leave_for(Going("review"))
        else:
            self._leave_for(Going("watch", run=run))

    def _leave_for(self, going: Going) -> None:
        self.going = going
        self.app.exit(BACK)
