"""Merged labels as truth: written at once, and caught up where a merge was killed half way."""

from __future__ import annotations

import math
from collections.abc import Iterable

import storage.merges as merges_store
import storage.truth as truth_store
from storage.workspace import Workspace


def write_truth(ws: Workspace, labels: Iterable[merges_store.MergedLabel], round_number: int) -> None:
    """Give the truth the labels of one round; whatever their quality, so that the object is never asked for again."""
    made = [_label(label) for label in labels]
    if made:
        truth_store.add_labels(ws, made, f"round:{round_number}", "people", round=round_number)


def catch_up(ws: Workspace, round_numbers: Iterable[int]) -> None:
    """Give the truth every merged label that it lacks, also those of a merge that was killed half way."""
    settled = {number: merges_store.merges(ws, number) for number in round_numbers}
    if not any(settled.values()):
        return
    truth = truth_store.current_truth(ws, include_excluded=True)
    known = {
        (str(one["origin"]), int(one["object_id"])): (str(one["spectype"]), float(one["quality"]), float(one["z"]))
        for one in truth[[origin.startswith("round:") for origin in truth["origin"]]]
    }
    for number, labels in settled.items():
        write_truth(
            ws, (label for label in labels if not _same(label, known.get((f"round:{number}", label.object_id)))), number
        )


def _same(label: merges_store.MergedLabel, said: tuple[str, float, float] | None) -> bool:
    if said is None or said[:2] != (label.spectype or "", label.quality):
        return False
    return math.isnan(said[2]) if label.z is None else said[2] == label.z


def _label(merged: merges_store.MergedLabel) -> truth_store.TruthLabel:
    return truth_store.TruthLabel(
        object_id=merged.object_id,
        spectype=merged.spectype or "",
        z=merged.z,
        quality=merged.quality,
        bal=0,
        issues=merged.issues,
        comment=merged.comment,
        n_vi=merged.n_votes,
    )
