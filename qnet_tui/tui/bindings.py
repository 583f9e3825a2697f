"""From a key as Textual reports it to an action of a screen's table of keys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from qnet_tui.inspection.keys import Action

# The application has its own routes for these: they work while a screen is waiting for something.
_OF_THE_APP = ("ctrl+q", "ctrl+p")


@cache
def keys_of(actions: tuple[Action, ...]) -> Mapping[str, str]:
    """Return action names by key: printable characters as themselves, other keys by their name."""
    return MappingProxyType({key: action.name for action in actions for key in action.keys if key not in _OF_THE_APP})


def pressed(key: str, character: str | None) -> str:
    """Return how :func:`keys_of` calls a key press that Textual reports as ``key`` and ``character``."""
    return character if character is not None and character.isprintable() and character != " " else key
