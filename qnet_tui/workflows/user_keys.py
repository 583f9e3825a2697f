"""``~/.config/qnet/keys.toml``: the keys that one person has changed, and how they like to work.

::

    [label]
    fit = ["F"]
    feature_next = ["down", "ctrl+n"]

    [merge]
    copy_vote = ["Y"]
    flux_range = ["y"]

    [options]
    fast_commit = true      # a quality saves at once when nothing else is missing
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.inspection.home_keys import HOME_ACTIONS
from qnet_tui.inspection.keymap import with_user_keys
from qnet_tui.inspection.keys import ACTIONS, Action
from qnet_tui.inspection.merge_keys import MERGE_ACTIONS
from qnet_tui.inspection.review_keys import REVIEW_ACTIONS
from qnet_tui.inspection.spec_keys import SPEC_ACTIONS
from qnet_tui.inspection.watch_keys import WATCH_ACTIONS

TABLES: dict[str, tuple[Action, ...]] = {
    "label": ACTIONS,
    "merge": MERGE_ACTIONS,
    "spec": SPEC_ACTIONS,
    "review": REVIEW_ACTIONS,
    "home": HOME_ACTIONS,
    "watch": WATCH_ACTIONS,
}
"""The screens and their actions with the usual keys."""

_OPTIONS = "options"


@dataclass(frozen=True)
class UserKeys:
    """The file at ``path`` (None: there is none): own keys by screen and action, and ``fast_commit``."""

    path: Path | None = None
    screens: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    fast_commit: bool = False

    def actions(self, screen: str) -> tuple[Action, ...]:
        """Return the actions of a screen (a name of :data:`TABLES`) with the keys that are live.

        Raises:
            BadInput: a key that cannot be bound, or two actions with one key; names the file and the key.
        """
        return with_user_keys(TABLES[screen], self.screens.get(screen, {}), f"{self.path} [{screen}]")


@dataclass(frozen=True)
class KeyLine:
    """One action and its keys, as ``qnet keys`` prints it; ``changed`` by the person's file."""

    screen: str
    action: str
    keys: tuple[str, ...]
    words: str
    group: str
    changed: bool


def keys_file() -> Path:
    """Return where the file is: below XDG_CONFIG_HOME, else ``~/.config``."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(home) if home else Path.home() / ".config") / "qnet" / "keys.toml"


def read_user_keys(path: Path | None = None) -> UserKeys:
    """Read the person's file; without one every key is the usual one.

    Raises:
        BadInput: it is no TOML, or has a section, option or value that is not known.
        QnetError: it cannot be read.
    """
    path = path or keys_file()
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return UserKeys()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"is no TOML: {error}", mend="mend it, or move it away", file=path) from None
    except OSError as error:
        raise QnetError(f"cannot be read ({error.strerror})", file=path) from None
    unknown = [name for name in body if name not in TABLES and name != _OPTIONS]
    if unknown:
        sections = ", ".join(f"[{name}]" for name in (*TABLES, _OPTIONS))
        raise BadInput(f"[{unknown[0]}] means nothing here", mend=f"sections are {sections}", file=path)
    return UserKeys(
        path,
        {screen: _section(body[screen], screen, path) for screen in TABLES if screen in body},
        _fast_commit(body.get(_OPTIONS, {}), path),
    )


def live_keys(screen: str | None = None, path: Path | None = None) -> list[KeyLine]:
    """Return every action of ``screen`` (None: of all) with the keys that are live; errors as for reading."""
    user = read_user_keys(path)
    return [
        KeyLine(name, action.name, action.keys, action.words, action.group, action.keys != usual.keys)
        for name in (TABLES if screen is None else (screen,))
        for action, usual in zip(user.actions(name), TABLES[name], strict=True)
    ]


def _section(body: Any, screen: str, path: Path) -> dict[str, tuple[str, ...]]:
    mend = 'as in: fit = ["F"]'
    if not isinstance(body, dict):
        raise BadInput(f"{screen} is a section", mend=mend, file=path)
    found: dict[str, tuple[str, ...]] = {}
    for action, value in body.items():
        keys = [value] if isinstance(value, str) else value
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise BadInput(f"[{screen}] {action}: keys are texts in a list", mend=mend, file=path)
        found[action] = tuple(keys)
    return found


def _fast_commit(body: Any, path: Path) -> bool:
    if (
        not isinstance(body, dict)
        or set(body) - {"fast_commit"}
        or not isinstance(body.get("fast_commit", False), bool)
    ):
        raise BadInput("[options] has fast_commit = true or false, and nothing else", file=path)
    return bool(body.get("fast_commit", False))
