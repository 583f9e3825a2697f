"""What studies found: completeness and purity against labels, by strategy, as means over their repetitions."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import storage.runs as runs_store
from storage.workspace import Workspace

CURVES = "curves.json"


@dataclass(frozen=True)
class StudyPoint:
    """One strategy of a study at one number of labels: means over ``n`` repetitions (seeds).

    ``name`` is the strategy, with "+map" where the map rejected. ``lo`` and ``hi`` are the lowest and the highest
    completeness of the repetitions.
    """

    run: str
    name: str
    round: int
    labels: float
    completeness: float
    purity: float
    lo: float
    hi: float
    n: int


def study_points(ws: Workspace) -> list[StudyPoint]:
    """Every strategy of every study, the newest study first, then by strategy and labels.

    A study that is not that far, or whose ``curves.json`` is gone or damaged, has no points.
    """
    out: list[StudyPoint] = []
    for run in runs_store.runs(ws):
        if run.verb == "study":
            try:
                said = json.loads((ws.run_dir(run.id) / CURVES).read_text(encoding="utf-8"))
                rows = said["rows"] if isinstance(said, dict) else said
                out += _means(run.id, [one for one in rows if isinstance(one, dict)])
            except (OSError, ValueError, KeyError, TypeError):
                continue
    return out


def _means(run: str, rows: list[Mapping[str, Any]]) -> list[StudyPoint]:
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for row in rows:
        name = f"{row['strategy']}+map" if row.get("map") else str(row["strategy"])
        groups.setdefault((name, int(row["labels"])), []).append(row)
    out = []
    for (name, labels), some in sorted(groups.items()):
        found = _numbers(some, "completeness")
        if not len(found):
            continue
        purity = _numbers(some, "purity")
        out.append(StudyPoint(
            run=run, name=name, round=int(some[0].get("round") or 0), labels=float(labels),
            completeness=float(found.mean()), purity=float(purity.mean()) if len(purity) else math.nan,
            lo=float(found.min()), hi=float(found.max()), n=len(found),
        ))  # fmt: skip
    return out


def _numbers(rows: list[Mapping[str, Any]], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = np.array([math.nan if row.get(name) is None else float(row[name]) for row in rows], dtype=np.float64)
    return values[~np.isnan(values)]
