"""``qnet campaign show|set``: the settings a team agrees on, with who set them and when."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import storage.settings as settings_store
from storage.workspace import Workspace


@dataclass(frozen=True)
class Setting:
    """One setting of the campaign; ``at`` and ``by`` are empty for a default."""

    name: str
    value: Any
    at: str
    by: str


def show(root: Path) -> list[Setting]:
    """All settings of the campaign, defaults too, by name."""
    with Workspace.open(root) as ws:
        return [Setting(n, v, at, by) for n, (v, at, by) in sorted(settings_store.all_settings(ws).items())]


def change(root: Path, name: str, text: str, by: str) -> Setting:
    """Set ``name`` to ``text`` (a number, true/false, or a word).

    Errors: :class:`storage.errors.StorageError` for an unknown name or a value of the wrong kind.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    with Workspace.open(root) as ws:
        settings_store.set_setting(ws, name, value, by)
        stored, at, who = settings_store.all_settings(ws)[name]
    return Setting(name, stored, at, who)
