"""The command palette: every action of the table of keys, found by its words."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from qnet_tui.inspection.keys import Action, available, key_text
from qnet_tui.tui.screens.label import LabelScreen


class LabelActions(Provider):
    """The actions of the label screen."""

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
        if not isinstance(self.screen, LabelScreen):
            return ()
        blind = self.screen.status.blind
        return tuple(action for action in available(blind=blind) if action.name != "palette")

    async def _run(self, action: Action) -> None:
        if isinstance(self.screen, LabelScreen):
            await self.screen.act(action.name)


def _words(action: Action) -> str:
    return f"{action.words}   {' '.join(key_text(key) for key in action.keys)}"
