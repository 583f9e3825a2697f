"""The keys of the watch screen: which run is looked at, and the one thing that can be done to it there."""

from __future__ import annotations

from qnet_tui.inspection.keys import Action

WATCH_ACTIONS: tuple[Action, ...] = (
    Action("run_next", ("j", "down"), "mark the next run", "table"),
    Action("run_previous", ("k", "up"), "mark the run before", "table"),
    Action("open_run", ("enter",), "watch the marked run", "table"),
    Action("stop", ("s",), "stop the run, after a y", "queue"),
    Action("back", ("backspace",), "back to the home screen", "program"),
    Action("help", ("?",), "this list", "program"),
    Action("palette", ("ctrl+p",), "find an action by its words", "program"),
    Action("quit", ("q", "f10", "ctrl+q"), "leave; the run goes on", "program"),
)
