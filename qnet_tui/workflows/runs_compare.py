"""Runs side by side: only what differs, settings and figures in one table, the better value marked with a sign."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from storage.runs import RunRecord
from storage.workspace import Workspace

HIGHER = ("completeness", "purity", "agreement", "tp", "worth")
LOWER = ("loss", "val_loss", "fp", "fn", "seconds", "sigma_z")
"""Figures of which it is known which value is better, by the last part of their name."""

_NO_FIGURES = ("history", "run", "round", "weights", "stage_at", "error")


@dataclass(frozen=True)
class ComparedRow:
    """One value of every run: ``group`` is run, setting, version or figure; ``better`` marks the best of a figure."""

    group: str
    name: str
    values: tuple[Any, ...]
    differs: bool
    better: tuple[bool, ...]


@dataclass(frozen=True)
class RunsCompared:
    """Runs side by side.

    ``rows`` are those asked for (only what differs, or all); ``same`` counts the values that are alike in all of
    them. ``comparable`` False: their figures were measured on different validation objects and are left out, ``why``
    says so; with force they stand there and ``why`` still says so.
    """

    runs: tuple[str, ...]
    rows: tuple[ComparedRow, ...]
    same: int
    comparable: bool
    why: str


def compare_runs(root: Path, runs: Sequence[str], *, everything: bool = False, force: bool = False) -> RunsCompared:
    """Compare two runs or more by their ids (or beginnings of them).

    Errors: :class:`BadInput` for fewer than two different runs; storage's own for an id that is none.
    """
    with Workspace.open(root) as ws:
        records = [runs_store.get_run(ws, run) for run in runs]
        names = [record.id for record in records]
        if len(set(names)) < 2 or len(set(names)) < len(names):
            raise BadInput("name two different runs or more", mend="qnet runs compare al-0001 al-0002")
        held_out = [validation_of(ws, record) for record in records]
        why = _why_not(names, held_out)
        rows = [
            *_rows("run", [_facts(record) for record in records]),
            *_rows("setting", [record.settings for record in records]),
            *_rows("version", [record.versions for record in records]),
        ]
        if force or not why:
            figures = [_figures(ws, record) for record in records]
            rows += _rows("figure", figures)
    shown = [row for row in rows if everything or row.differs]
    return RunsCompared(tuple(names), tuple(shown), sum(not row.differs for row in rows), not why, why)


def validation_of(ws: Workspace, record: RunRecord) -> str:
    """Hash of the objects and the truth that a run was measured on, "" where it was not, or that is not known."""
    from qnet_tui.workflows.validation_answers import validation_hash

    recorded = (record.result or {}).get("validation_hash")
    if isinstance(recorded, str) and recorded:
        return recorded
    places = [ws.runs_dir / record.id / "validation.npz", *sorted((ws.runs_dir / record.id).glob("*/validation.npz"))]
    if record.verb == "run-al" and record.round and not record.hidden:
        places.append(ws.rounds_dir / f"{int(record.round):03d}" / "plan" / "validation.npz")
    for path in places:
        try:
            with np.load(path) as stored:
                return validation_hash(stored["object_id"], stored["z"], stored["is_qso"])
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            continue
    return ""


def _why_not(names: Sequence[str], held_out: Sequence[str]) -> str:
    known: dict[str, str] = {}
    for name, mark in zip(names, held_out, strict=True):
        if mark:
            known.setdefault(mark, name)
    if len(known) < 2:
        return ""
    (first, one), (second, other) = list(known.items())[:2]
    return (
        f"not comparable: validation hash differs ({one} {first[:8]}, {other} {second[:8]}): "
        "other held-out objects, or other truth of them"
    )


def _facts(record: RunRecord) -> dict[str, Any]:
    return {
        "verb": record.verb,
        "state": record.state,
        "round": record.round,
        "seed": record.seed,
        "truth_hash": record.truth_hash[:16],
        "host": record.host,
        "note": record.note,
    }


def _figures(ws: Workspace, record: RunRecord) -> dict[str, Any]:
    """Every single number of the result, and what was measured last of each curve."""
    found = dict(_flat(record.result or {}))
    for metric in runs_store.metrics(ws, record.id):
        # In the order they were measured: of a curve the last one stays.
        found[f"{metric.dataset}.{metric.name}"] = metric.value
    return found


def _flat(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if name in _NO_FIGURES:
            continue
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif not isinstance(value, list) or (len(value) <= 2 and all(isinstance(v, (int, float)) for v in value)):
            yield f"{before}{name}", value


def _rows(group: str, sides: Sequence[dict[str, Any]]) -> list[ComparedRow]:
    names = dict.fromkeys(name for side in sides for name in side)
    rows = []
    for name in names:
        values = tuple(_unknown_as_none(side.get(name)) for side in sides)
        differs = any(value != values[0] for value in values[1:])
        better = _better(name, values) if group == "figure" and differs else (False,) * len(values)
        rows.append(ComparedRow(group, name, values, differs, better))
    return rows


def _unknown_as_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _better(name: str, values: Sequence[Any]) -> tuple[bool, ...]:
    """Which values are the best; none of them where that cannot be said, or all are alike."""
    last = name.rsplit(".", 1)[-1]
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(set(numbers)) < 2 or last not in (*HIGHER, *LOWER):
        return (False,) * len(values)
    best = max(numbers) if last in HIGHER else min(numbers)
    return tuple(value == best for value in values)
