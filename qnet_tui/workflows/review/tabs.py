"""The review tabs by name; each lives in a file of its own that has ``open_tab(ws, asked, progress)``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from qnet_tui.errors import BadInput
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.review.tab import Asked, Tab
from storage.workspace import Workspace

TABS = {
    "completeness": "completeness and purity per epoch, or by redshift, magnitude, S/N (Fig. 5)",
    "thresholds": "completeness against purity as the confidence threshold moves (Fig. 7)",
    "datasets": "datasets against each other at equal size, bootstraps (Fig. 6)",
    "entropy": "how the pool's entropy is spread, the cut, what was rejected (Fig. 3)",
    "map": "the map's cells by class and count, the rejected ones (Fig. 2)",
    "repeats": "objects seen more than once: class entropy, scatter of z (Figs. 8, 9)",
    "weights": "two weights files: agreement, line confusion, box pull (Fig. 10, Table 1)",
    "outliers": "the rejected but most disputed, with the inspectors' reasons (Fig. 4)",
    "rounds": "every round and its committee; active learning against random labels",
}
"""Names and what each shows, in the order of the tabs."""


def open_tab(root: Path, name: str, asked: Asked | None = None, progress: Progress = silent) -> Tab:
    """What the tab ``name`` shows of the workspace at ``root``.

    Errors: :class:`BadInput` for another name, a round or dataset that is not there, or datasets that may not be
    compared; storage's own when the workspace cannot be read.
    """
    if name not in TABS:
        raise BadInput(f"no table is called {name!r}", mend=f"choose {', '.join(TABS)}")
    module = import_module(f"qnet_tui.workflows.review.{name}")
    with Workspace.open(root) as ws:
        tab: Tab = module.open_tab(ws, asked or Asked(), progress)
    return tab
