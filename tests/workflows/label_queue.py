"""A queue of three made-up quasars, and people at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import storage.votes as store
from qnet_tui.inspection.item import ItemState
from qnet_tui.workflows.label import Item, LabelOptions, LabelSession
from storage.workspace import Workspace

IDS = [39627000000000310, 39627000000000311, 39627000000000312]


class Clock:
    """A time that goes on by a second at every look."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 14, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def open_session(root: Path, code: str | None = "ABC", user: str = "ann", **options: object) -> LabelSession:
    return LabelSession.open(root, LabelOptions(inspector=code, **options), now=Clock(), os_user=user)


def full(item: Item, quality: int = 4) -> ItemState:
    return ItemState.start(item.facts).with_class("QSO").with_z_typed("2.3042").with_quality(quality)


def all_votes(root: Path, **options: object) -> list[store.Vote]:
    with Workspace.open(root) as ws:
        return store.votes(ws, **options)
