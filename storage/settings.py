"""The settings of a campaign: one value each, with who set it and when.

Defaults follow the recommendations for visual inspection (three votes, both blind switches on, the merge rule
``qnet1`` with dz 0.0033 and a quality spread of 2, good from 2.5).
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from storage.connection import fetch, transaction
from storage.errors import Refused
from storage.scalars import json_text
from storage.times import utc_now
from storage.workspace import Workspace

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "votes_required": 3,
        "blind_peers": True,
        "blind_model": True,
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


def all_settings(ws: Workspace) -> dict[str, tuple[Any, str, str]]:
    """Return name → (value, when, who), by name; what nobody set has no time and the author "default"."""
    found: dict[str, tuple[Any, str, str]] = {name: (value, "", DEFAULT_AUTHOR) for name, value in DEFAULTS.items()}
    for name, value, at, by in fetch(ws.db, "SELECT name, value, at, by FROM setting"):
        found[name] = (json.loads(value), at, by)
    return dict(sorted(found.items()))


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
