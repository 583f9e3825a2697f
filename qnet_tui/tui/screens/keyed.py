"""What every working screen of the app has in common: one table of actions, one way to do them, one way to leave."""

from __future__ import annotations

from textual.screen import Screen

from qnet_tui.inspection.keys import Action
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.tones import Tone


class KeyedScreen(Screen[None]):
    """A screen whose keys, help and palette come from one table of actions."""

    charset: Charset

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
