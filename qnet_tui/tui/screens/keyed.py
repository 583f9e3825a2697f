"""What every working screen of the app has in common: one table of actions, one way to do them, one way to leave."""

from __future__ import annotations

from textual import events
from textual.screen import Screen
from textual.widgets import Static

from qnet_tui.inspection.keys import Action
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.layout import SMALLEST
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.tones import Tone


class KeyedScreen(Screen[None]):
    """A screen whose keys, help and palette come from one table of actions."""

    charset: Charset
    # What is being typed at the bottom of the screen.
    line: LineEdit | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that exist now, with the keys that do them."""
        raise NotImplementedError

    async def act(self, name: str) -> None:
        """Do one action of the table."""
        raise NotImplementedError

    def say(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Show one line until the next key."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Keep what is not saved yet and end the program."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what there is."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Draw everything for the new size."""
        self.draw()

    def on_paste(self, event: events.Paste) -> None:
        """Put pasted text into the line that is being typed; elsewhere it would be keys, and is dropped."""
        event.stop()
        if self.line is not None:
            self.line = self.line.typed(" ".join(event.text.split()))
            self.draw()

    async def _act_of_program(self, name: str) -> bool:
        """Do what is the same on every screen (quit, help, palette); False for any other action."""
        if name == "quit":
            await self.leave()
            return True
        if name not in ("help", "palette"):
            return False
        self.draw()
        if name == "help":
            self.app.push_screen(HelpScreen(self.actions, self.charset))
        else:
            self.app.action_command_palette()
        return True

    def _is_too_small(self) -> bool:
        """Say so in the one line ``#enlarge`` where the terminal is below 80 x 24; the style sheet hides the rest."""
        columns, rows = self.size
        small = columns < SMALLEST[0] or rows < SMALLEST[1]
        self.set_class(small, "small")
        if small:
            need = f"{SMALLEST[0]} x {SMALLEST[1]}"
            self.query_one("#enlarge", Static).update(f"enlarge: qnet needs {need}, this is {columns} x {rows}")
        return small

    def _resize(self, selector: str, columns: int, rows: int) -> None:
        """Set a size only when it changes: every change lays the whole screen out again."""
        styles = self.query_one(selector).styles
        if styles.width is None or styles.width.value != columns:
            styles.width = columns
        if styles.height is None or styles.height.value != rows:
            styles.height = rows
