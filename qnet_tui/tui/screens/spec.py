"""The file viewer: any spectrum of a survey file, with the tools of the labelling screen and nothing to save."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import ClassVar

from qnet_tui.errors import BadInput
from qnet_tui.inspection.answer import z_text
from qnet_tui.inspection.keys import Action
from qnet_tui.inspection.spec_keys import SPEC_ACTIONS
from qnet_tui.plotting.canvas import Charset
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.label_actions import Moment, Scene, apply, fit_taken, name_line
from qnet_tui.tui.screens.spec_panes import SpecPanes
from qnet_tui.tui.spec_words import FileWords
from qnet_tui.tui.tones import Tone
from qnet_tui.tui.view import View
from qnet_tui.workflows.label_item import fitted
from qnet_tui.workflows.spectrum_file import RowShown, SpecOptions, SpectrumFile, started


class SpecScreen(SpecPanes):
    """One person at the rows of one file."""

    # A key waits for its row or its fit: there is nothing else to be done meanwhile. Every key leaves an offered fit.
    patience: ClassVar[float | None] = None
    looking: ClassVar[Collection[str]] = ()
    fields: ClassVar[dict[str, tuple[str, int]]] = SpecPanes.fields | {"command": (":", 24), "find": ("TARGETID", 24)}
    no_command: ClassVar[str] = "is no command; :12 goes to row 12, :q quits, :help lists the keys"

    def __init__(
        self,
        desk: Desk[SpectrumFile],
        options: SpecOptions,
        charset: Charset,
        actions: tuple[Action, ...] = SPEC_ACTIONS,
    ) -> None:
        """Begin where ``options`` say; what they cannot mean is raised here, before any screen opens.

        BadInput for a row or an object that the file does not have, or an impossible redshift.
        """
        file = desk.session
        first = desk.ask_now(lambda session: session.show(session.start(options)))
        what = " ".join(word for word in (file.survey.upper(), file.kind, file.program) if word)
        super().__init__(desk, FileWords(file.path.name, what, len(file)), first, charset, actions)
        self._options = options
        self._enter(first, View(lines=options.lines), options.z)
        if file.notes:
            self.message = (file.notes[0], Tone.WARN)

    async def on_mount(self) -> None:
        """Offer the fit that was asked for on the command line."""
        if self._options.fit:
            await self.act("fit")
        self.draw()

    # ------------------------------------------------------------------ keys

    async def _act_here(self, name: str) -> None:
        if name in ("next_item", "previous_item"):
            row = self.shown.row + (1 if name == "next_item" else -1)
            await self._do(lambda: self._go(row))
        elif self.shown.item.problem:
            self.say("there is nothing to see in this row", Tone.DIM)
        elif name == "commit":
            self.say("{fit} fits the redshift first; nothing is saved here", Tone.DIM)
        else:
            await self._look(name)

    def _escape(self) -> None:
        """Leave the fit that is offered, or the message."""
        self.offer = self.message = None
        self.draw()

    def _stepped(self, name: str, scene: Scene) -> Moment:
        return apply(name, self.moment, scene)

    def _with_letter(self, asked: str, letter: str) -> Moment:  # noqa: ARG002
        return name_line(letter, self.moment)

    def _with_fit(self, offer: LocalFit) -> Moment:
        return fit_taken(offer, self.moment)

    def _begun(self, kind: str) -> str:  # noqa: ARG002
        z = self.moment.z
        return "" if z is None else z_text(z)

    def _with_field(self, kind: str, text: str) -> Moment:  # noqa: ARG002
        return replace(self.moment, state=self.moment.state.with_z_typed(text))

    async def _own_command(self, text: str) -> bool:
        if not text.isdigit():
            return False
        if int(text) < self.words.rows:
            await self._do(lambda: self._go(int(text)))
        else:
            self.say(f"rows are 0 to {self.words.rows - 1}")
        return True

    # ------------------------------------------------------------------ rows

    async def _go(self, row: int) -> None:
        """Show another row; nothing is left of the one before but a locked view."""
        if not 0 <= row < self.words.rows:
            self.say("this is the only row" if self.words.rows == 1 else
                     "that was the last row" if row > 0 else "this is the first row", Tone.DIM)  # fmt: skip
            return
        shown = await self.desk.ask(lambda session: session.show(row))
        view = self.moment.view.for_next_item()
        self._enter(shown, view if view.locked else replace(view, lines=self._options.lines), None)

    def _enter(self, shown: RowShown, view: View, z: float | None) -> None:
        state = started(shown.item, z)
        self.shown, self.moment, self.offer, self.message = shown, Moment(state, view), None, None
        self.line, self.asked, self.picture = None, "", None
        if not shown.item.problem:
            self.picture = self._picture_of(shown.item)

    async def _find(self, text: str) -> None:
        try:
            row = await self.desk.ask(lambda session: session.find(text, self.shown.row))
        except BadInput as error:
            self.say(error.what)
            return
        if row == self.shown.row:
            self.say("this is the only row of it", Tone.DIM)
        else:
            await self._go(row)

    async def _fit(self) -> None:
        item, state = self.shown.item, self.moment.state
        self.offer = await self.desk.ask(lambda _session: fitted(item, state))

    async def leave(self) -> None:
        """End the program; there is nothing to keep."""
        self.app.exit(0)
