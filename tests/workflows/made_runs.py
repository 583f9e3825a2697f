"""Runs as they would be registered, without running anything."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

import storage.runs as runs_store
from qnet_tui.workflows.presets import round_settings
from storage.workspace import Workspace

VERSIONS = {"qnet": "0.3.0", "numpy": "2.4.6"}


def begin(ws: Workspace, verb: str = "run-al", number: int | None = 1, **changes: Any) -> str:
    """Register a run of this process, RUNNING."""
    settings = round_settings("smoke", **changes).as_dict()
    command = f"qnet {verb} --preset smoke"
    return runs_store.new_run(ws, verb, settings, VERSIONS, settings["seed"], number, command)


def end(ws: Workspace, run_id: str, state: str = "DONE", **result: Any) -> str:
    """End a run with a result."""
    runs_store.finish(ws, run_id, state, result)
    return run_id


def lose(ws: Workspace, run_id: str, ago: float = 90.0) -> None:
    """Make a run look as if its process on another node had not been heard of for ``ago`` seconds."""
    ws.db.execute("UPDATE run SET host = 'node7', heartbeat = ? WHERE id = ?", (time.time() - ago, run_id))


def hold_out(folder: Path, objects: list[int]) -> None:
    """Write the objects that a run was measured on, as a training leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    n = len(objects)
    np.savez(folder / "validation.npz", object_id=np.array(objects), z=np.full(n, 2.0), is_qso=np.ones(n, bool))
