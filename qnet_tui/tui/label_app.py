"""The application around the label screen: theme, palette, and the ways to leave."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.screen import Screen

from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.palette import LabelActions
from qnet_tui.tui.screens.label import LabelScreen


class LabelApp(App[int]):
    """One screen, in the terminal's own colours: they are readable on any background and cost the fewest bytes."""

    CSS_PATH = "qnet.tcss"
    COMMANDS: ClassVar = {LabelActions}
    TITLE = "qnet"

    def __init__(self, desk: Desk, charset: Charset) -> None:
        """Show the queue that ``desk`` holds."""
        super().__init__()
        self.theme = "ansi-dark"
        self._label = LabelScreen(desk, charset)

    @property
    def label_screen(self) -> LabelScreen:
        """The label screen."""
        return self._label

    def on_mount(self) -> None:
        """Open the screen; a hang-up or a polite kill ends the program as F10 does."""
        self.push_screen(self._label)
        loop = asyncio.get_running_loop()
        for which in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(which, self._asked_to_end)

    def _asked_to_end(self) -> None:
        self.run_worker(self._label.leave(), exit_on_error=False)

    async def action_quit(self) -> None:
        """Leave by Ctrl+Q."""
        await self._label.leave()

    def action_help_quit(self) -> None:
        """Answer Ctrl+C, which does not quit."""
        self._label.say("quit with :q, F10 or Ctrl+Q")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Leave Textual's own commands out of the palette: the table of keys has what there is."""
        return ()
