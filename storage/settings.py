"""The settings of a campaign: one value each, with who set it and when.

Defaults follow the recommendations for visual inspection (three votes, both blind switches on, the merge rule
``qnet1`` with dz 0.0033 and a quality spread of 2, good from 2.5). Every change also rewrites
``rounds/settings.json``, so that a campaign that is rebuilt without its database goes on by its own rules.
"""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from storage.connection import fetch, transaction
from storage.errors import Refused
from storage.files import write_durably
from storage.scalars import json_text
from storage.times import utc_now
from storage.workspace import Workspace

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "votes_required": 3,
        "blind_peers": True,
        "blind_model": True,
        "show_after_commit": False,
        "merge_rule": "qnet1",
        "dz_conflict": 0.0033,
        "quality_conflict": 2,
        "quality_good": 2.5,
        "shared_account": False,
        "merger_may_vote": False,
        "lease_minutes": 15,
    }
)
MERGE_RULES = ("qnet1", "desi2021")
DEFAULT_AUTHOR = "default"
SETTINGS_FILE = "settings.json"

_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "votes_required": (1, 20),
        "dz_conflict": (0.0, 1.0),
        "quality_conflict": (1, 4),
        "quality_good": (0.0, 4.0),
        "lease_minutes": (1, 1440),
    }
)


def get_setting(ws: Workspace, name: str, default: Any = None) -> Any:
    """Return a setting: what was set, else the campaign's default of that name, else ``default``."""
    rows = fetch(ws.db, "SELECT value FROM setting WHERE name = ?", (name,))
    if rows:
        return json.loads(rows[0][0])
    return DEFAULTS.get(name, default)


def set_setting(ws: Workspace, name: str, value: Any, by: str) -> None:
    """Set a setting to a JSON value. Names outside the campaign's own are free for the workflows.

    Raises:
        Refused: a campaign setting of a wrong type or out of range; the line says what it takes.

    """
    _check(name, value)
    with transaction(ws.db) as connection:
        connection.execute(
            "INSERT INTO setting (name, value, at, by) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
            " SET value = excluded.value, at = excluded.at, by = excluded.by",
            (name, json_text(value), utc_now(), by),
        )
        rows = connection.execute("SELECT name, value, at, by FROM setting ORDER BY name").fetchall()
        text = json.dumps({row[0]: {"value": json.loads(row[1]), "at": row[2], "by": row[3]} for row in rows}, indent=1)
        write_durably(ws.rounds_dir / SETTINGS_FILE, text.encode() + b"\n")


def all_settings(ws: Workspace) -> dict[str, tuple[Any, str, str]]:
    """Return name → (value, when, who), by name; what nobody set has no time and the author "default"."""
    found: dict[str, tuple[Any, str, str]] = {name: (value, "", DEFAULT_AUTHOR) for name, value in DEFAULTS.items()}
    for name, value, at, by in fetch(ws.db, "SELECT name, value, at, by FROM setting"):
        found[name] = (json.loads(value), at, by)
    return dict(sorted(found.items()))


def restore_settings(connection: sqlite3.Connection, path: Path) -> list[str]:
    """Put settings that are not in the database back from a settings file; return what could not be read."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        rows = [(name, json_text(one["value"]), str(one["at"]), str(one["by"])) for name, one in known.items()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"{path.name}: cannot be read ({error}); check 'qnet campaign'"]
    connection.executemany("INSERT INTO setting (name, value, at, by) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
    return []


def _check(name: str, value: Any) -> None:
    if name not in DEFAULTS:
        return
    usual = DEFAULTS[name]
    if isinstance(usual, bool):
        if not isinstance(value, bool):
            raise Refused(f"{name} is true or false, not {value!r}")
    elif isinstance(usual, str):
        if value not in MERGE_RULES:
            raise Refused(f"{name} is one of {', '.join(MERGE_RULES)}, not {value!r}")
    else:
        low, high = _RANGES[name]
        kind = (int,) if isinstance(usual, int) else (int, float)
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            whole = "a whole number" if isinstance(usual, int) else "a number"
            raise Refused(f"{name} is {whole} from {low} to {high}, not {value!r}")
