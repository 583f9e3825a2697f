"""The application around the screens: theme, palette, and the ways to leave."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import ClassVar

from textual._styles_cache import StylesCache
from textual.app import App, SystemCommand
from textual.screen import Screen

from qnet_tui.tui.palette import Actions
from qnet_tui.tui.screens.keyed import KeyedScreen


def forget_what_was_drawn() -> None:
    """Let go of the rows of screens that have ended.

    Textual remembers two colours for every widget there ever was, and by way of the widget all that was drawn of it:
    a megabyte for each screen that a person comes back from.
    """
    clear = getattr(StylesCache.get_inner_outer, "cache_clear", None)
    if clear is not None:
        clear()


class QnetApp(App[int]):
    """Opened at one screen, in the terminal's own colours: readable on any background, and the fewest bytes."""

    CSS_PATH = "qnet.tcss"
    COMMANDS: ClassVar = {Actions}
    TITLE = "qnet"

    def __init__(self, first: KeyedScreen) -> None:
        """Open at ``first``."""
        # Said here and not only by the theme, which comes too late: else NO_COLOR paints what is coloured black.
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.first = first
        # Whether a hang-up or a polite kill ended it: then no other screen opens after it.
        self.asked_to_end = False

    def on_mount(self) -> None:
        """Open the screen; a hang-up or a polite kill ends the program as F10 does."""
        self.push_screen(self.first)
        loop = asyncio.get_running_loop()
        for which in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(which, self._asked_to_end)

    def _asked_to_end(self) -> None:
        self.asked_to_end = True
        self.run_worker(self.first.leave(), exit_on_error=False)

    async def action_quit(self) -> None:
        """Leave by Ctrl+Q."""
        await self.first.leave()

    def action_help_quit(self) -> None:
        """Answer Ctrl+C, which does not quit."""
        self.first.say("quit with :q, F10 or Ctrl+Q")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Leave Textual's own commands out of the palette: the table of keys has what there is."""
        return ()
