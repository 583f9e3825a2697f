"""A person's own keys laid over a table of actions: what may be bound, and that nothing collides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from qnet_tui.errors import BadInput
from qnet_tui.inspection.keys import NAMED_KEYS, Action, key_text

# Why a key is not to be had, by what it looks like. What screen and tmux take, suspend, flow control, interrupt; what
# a plain terminal sends as another key; what only some terminals can send at all.
_DANGEROUS: tuple[tuple[str, str], ...] = (
    (r"ctrl\+[ab]", "tmux and screen take it"),
    (r"ctrl\+[sq]", "it stops and starts the output of a terminal"),
    (r"ctrl\+(z|c|d|\\|backslash)", "it stops or ends programs"),
    (r"ctrl\+(h|i|j|m|\[|left_square_bracket)", "a terminal sends it as another key"),
    (r"escape|esc", "it only ever leaves a field, and is slow over a long line"),
    (r"ctrl\+(space|enter|@|at|\d)|shift\+(?!tab$).*|(alt|meta|super|hyper)\+.*", "not every terminal can send it"),
    (r"f[1-4]", "not every terminal sends it alike"),
)
# On many European keyboards these need AltGr: never the only way.
_ALIASES_ONLY = "[]{}"
# Without these nobody finds the way on, or out.
_NEEDED = ("commit", "help", "quit")
# The application's own, which work while a screen waits for something.
_FIXED = ("ctrl+q", "ctrl+p")


def with_user_keys(actions: tuple[Action, ...], user: Mapping[str, Sequence[str]], where: str) -> tuple[Action, ...]:
    """Return ``actions`` with the keys of ``user`` (action name to keys) in place of their own.

    ``where`` is the file and section that ``user`` was read from.

    Raises:
        BadInput: no such action, a key that is none or that a terminal or tmux takes, or one key for two actions;
            the line names the file and the key.
    """
    known = {action.name: action for action in actions}
    for name, keys in user.items():
        if name not in known:
            raise BadInput(f"{where}: there is no action {name!r}", mend=f"'qnet keys' lists them{_near(name, known)}")
        for key in keys:
            _check(key, name, keys, where)
        if not keys and name in _NEEDED:
            raise BadInput(f"{where}: {name} needs a key", mend="give it one, or leave the line out")
    changed = tuple(replace(action, keys=_keys(action, user)) for action in actions)
    _check_collisions(changed, user, where)
    return changed


def _keys(action: Action, user: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    if action.name not in user:
        return action.keys
    fixed = tuple(key for key in action.keys if key in _FIXED)
    return (*dict.fromkeys(user[action.name]), *fixed)


def _check(key: str, name: str, keys: Sequence[str], where: str) -> None:
    here = f"{where}: {name} = {key!r}"
    for pattern, why in _DANGEROUS:
        if re.fullmatch(pattern, key.lower()):
            raise BadInput(f"{here}: {why}", mend="choose another key")
    if key in _FIXED:
        raise BadInput(f"{here}: the program keeps it", mend="choose another key")
    is_character = len(key) == 1 and key.isascii() and key.isprintable() and key != " "
    if not is_character and key not in NAMED_KEYS and not re.fullmatch(r"ctrl\+[a-z]", key):
        raise BadInput(f"{here} is no key", mend="one character, ctrl+LETTER, or " + ", ".join(NAMED_KEYS))
    if key in _ALIASES_ONLY and all(other in _ALIASES_ONLY for other in keys):
        raise BadInput(f"{here}: many keyboards hide it behind AltGr", mend="give the action a second key")


def _check_collisions(actions: Sequence[Action], user: Mapping[str, Sequence[str]], where: str) -> None:
    owner: dict[str, str] = {}
    for action in actions:
        for key in action.keys:
            other = owner.setdefault(key, action.name)
            if other != action.name:
                mine, theirs = (action.name, other) if action.name in user else (other, action.name)
                mend = f"give {theirs} other keys too"
                raise BadInput(f"{where}: {key_text(key)} is {mine} and {theirs}", mend=mend)


def _near(name: str, known: Mapping[str, Action]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, known, 1)
    return f"; {found[0]}?" if found else ""
