"""Plain Python values for SQLite and JSON: numpy scalars would be kept as bytes without a word."""

import json
from pathlib import Path
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return a numpy scalar as the Python value it stands for, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def json_text(value: Any) -> str:
    """Return ``value`` as JSON; numpy scalars, arrays and paths in it become numbers, lists and text.

    Raises:
        TypeError: it holds something that JSON has no word for.

    """
    return json.dumps(value, default=_as_json)


def _as_json(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
