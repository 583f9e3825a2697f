"""A page of text over a screen: what its panes have no room for."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.hints import in_charset
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.tones import Tone, plain


class TextScreen(HelpScreen):
    """Lines that can be scrolled, with the keys of the help."""

    def __init__(self, lines: Sequence[str], charset: Charset) -> None:
        """Show ``lines``, already wrapped."""
        super().__init__((), charset)
        self.lines = [plain(in_charset([(line, Tone.PLAIN)], charset)) for line in lines]

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="help-pane"):
            yield Static("\n".join(f"  {line}" for line in ["", *self.lines]), id="help-text", markup=False)
        yield Static(" down and up scroll, space and b by a page     Esc goes back", id="help-keys", markup=False)
