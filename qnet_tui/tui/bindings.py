"""Bindings of Textual, made from the table of keys."""

from __future__ import annotations

from textual.binding import Binding

from qnet_tui.inspection.keys import ACTIONS, Action

# Textual separates keys by commas, and has its own routes for these two actions.
_NAMES = {",": "comma"}
_APP_KEYS = {"ctrl+q", "ctrl+p"}


def label_bindings(actions: tuple[Action, ...] = ACTIONS) -> list[Binding]:
    """Return one binding an action; the keys that belong to the application are left to it."""
    made = []
    for action in actions:
        keys = [_NAMES.get(key, key) for key in action.keys if key not in _APP_KEYS]
        if keys:
            made.append(Binding(",".join(keys), f"act('{action.name}')", action.words, show=False))
    return made
