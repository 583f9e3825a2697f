"""What is said of a run wherever it is shown: its one figure, how to go on with it, and how to do it again."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import Any

from storage.runs import RunRecord
from storage.workspace import Workspace

RESUMABLE = ("run-al", "train", "datasets", "study", "compare")
"""Verbs whose runs can be gone on with."""

AGREEMENT_KMS = 1000.0
"""Redshifts this near to each other agree: the narrowest cut of a comparison, and about what merging calls the same."""

_HEADLINES = ("completeness",)


def headline(record: RunRecord) -> tuple[str, float] | None:
    """The one figure of a run, (name, value): completeness on the held-out objects, or the agreement of two files.

    The agreement is the share of the objects that both call quasars whose redshifts agree within 1000 km/s. None where
    a run has no figure (yet).
    """
    result = record.result or {}
    for place in (result.get("validation"), result):
        for name in _HEADLINES:
            value = place.get(name) if isinstance(place, dict) else None
            if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
                return name, float(value)
    return _agreement(result) if record.verb == "compare" and record.state == "DONE" else None


def can_go_on(ws: Workspace, record: RunRecord) -> bool:
    """Whether ``qnet runs resume`` would go on with this run."""
    if record.state in ("RUNNING", "DONE") or record.hidden or record.verb not in RESUMABLE:
        return False
    if record.verb == "train":
        from qnet_tui.workflows.train import can_resume

        return can_resume(ws, record)
    return True


def resume_command(ws: Workspace, record: RunRecord) -> str:
    """The command that goes on with a run, "" where it ended well, runs, or cannot be gone on with."""
    return f"qnet runs resume {record.id}" if can_go_on(ws, record) else ""


def reproduce_command(root: Path, record: RunRecord) -> str:
    """The command that does the same again: as it was typed, with its seed and its workspace said."""
    if not record.command.strip():
        return ""
    words = record.command
    try:
        typed = shlex.split(words)
    except ValueError:
        typed = words.split()
    if record.seed is not None and not _has(typed, "--seed"):
        words += f" --seed {record.seed}"
    if not _has(typed, "-w", "--workspace"):
        words += f" -w {shlex.quote(str(root))}"
    return words


def seconds_of(result: dict[str, Any]) -> float | None:
    """Seconds that a finished run says it took."""
    value = result.get("seconds")
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _agreement(result: dict[str, Any]) -> tuple[str, float] | None:
    try:
        rows = json.loads(Path(str(result.get("file", ""))).read_text(encoding="utf-8"))["agreement"]
        found = next(float(one["fraction"]) for one in rows if float(one["within_kms"]) == AGREEMENT_KMS)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None
    return ("agreement", found) if math.isfinite(found) else None


def _has(typed: list[str], *options: str) -> bool:
    return any(word == option or word.startswith(f"{option}=") for word in typed for option in options)
