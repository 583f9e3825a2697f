"""One line at the bottom of the screen that asks for a redshift, a comment or a command."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class Prompt(Horizontal, can_focus=False):
    """Asks one thing; Enter answers, Esc leaves the field and keeps what was typed for the next time."""

    BINDINGS = [Binding("escape", "leave", show=False)]  # noqa: RUF012 - Textual reads it so

    @dataclass
    class Answered(Message):
        """Enter was pressed: ``text`` for the question ``kind``."""

        kind: str
        text: str

    @dataclass
    class Left(Message):
        """Esc was pressed with ``text`` typed for ``kind``."""

        kind: str
        text: str

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        """Stay hidden until :meth:`ask`."""
        super().__init__(id=id)
        self.kind = ""

    def compose(self) -> ComposeResult:
        """The question, the field, and what the keys do."""
        yield Label("", id="prompt-question", markup=False)
        yield Input(id="prompt-field", compact=True, select_on_focus=False)
        yield Label(" Enter keeps it, Esc leaves ", id="prompt-keys", markup=False)

    def on_mount(self) -> None:
        """Hide; a hidden field cannot take the keys."""
        self.display = False

    def ask(self, kind: str, question: str, text: str, length: int) -> None:
        """Show the line with ``text`` to begin with, at most ``length`` characters."""
        self.kind = kind
        self.query_one("#prompt-question", Label).update(f" {question} ")
        field = self.query_one(Input)
        field.max_length = length
        field.value = text
        field.cursor_position = len(text)
        self.display = True
        field.focus()

    def dismiss(self) -> None:
        """Hide the line."""
        self.kind = ""
        self.display = False
        self.screen.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Pass the answer on; whoever asked dismisses the line when it is good."""
        event.stop()
        self.post_message(self.Answered(self.kind, event.value))

    def action_leave(self) -> None:
        """Leave the field."""
        kind, text = self.kind, self.query_one(Input).value
        self.dismiss()
        self.post_message(self.Left(kind, text))
