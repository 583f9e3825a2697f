"""The keys of the home screen: a letter for every place of the app, Enter for what is to be done next."""

from __future__ import annotations

from qnet_tui.inspection.keys import Action

HOME_ACTIONS: tuple[Action, ...] = (
    Action("next_step", ("enter",), "do what is next", "queue"),
    Action("label", ("l",), "label my queue", "queue"),
    Action("merge", ("m",), "settle votes", "queue"),
    Action("review", ("v",), "the figures of the campaign", "queue"),
    Action("watch", ("r",), "watch the runs", "queue"),
    Action("read_again", ("g",), "read it again now", "program"),
    Action("help", ("?",), "this list", "program"),
    Action("palette", ("ctrl+p",), "find an action by its words", "program"),
    Action("quit", ("q", "f10", "ctrl+q"), "quit", "program"),
)
