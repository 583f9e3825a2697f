"""The command palette: every action of the screen's table of keys, found by its words."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from qnet_tui.inspection.keys import Action, key_text
from qnet_tui.tui.screens.keyed import KeyedScreen


class Actions(Provider):
    """The actions of the screen that is open."""

    async def discover(self) -> Hits:
        """List all actions before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(_words(action), partial(self._run, action))

    async def search(self, query: str) -> Hits:
        """List the actions whose words match ``query``."""
        matcher = self.matcher(query)
        for action in self._actions():
            score = matcher.match(_words(action))
            if score > 0:
                yield Hit(score, matcher.highlight(_words(action)), partial(self._run, action))

    def _actions(self) -> tuple[Action, ...]:
        if not isinstance(self.screen, KeyedScreen):
            return ()
        return tuple(action for action in self.screen.actions if action.name != "palette")

    async def _run(self, action: Action) -> None:
        if isinstance(self.screen, KeyedScreen):
            await self.screen.act(action.name)


def _words(action: Action) -> str:
    return f"{action.words}   {' '.join(key_text(key) for key in action.keys)}"
