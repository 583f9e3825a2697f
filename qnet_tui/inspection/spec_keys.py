"""The keys of the file viewer: those of the labelling screen wherever the same thing is done, and nothing to save.

Looking, naming lines and finding a redshift are taken over from :mod:`qnet_tui.inspection.keys` as they are there,
whatever they are; classes choose the template, and the queue becomes the rows of the file.
"""

from __future__ import annotations

from dataclasses import replace

from qnet_tui.inspection.keys import ACTIONS, Action

_SHARED_GROUPS = ("redshift", "lines", "view")
_SHARED = ("help", "palette", "quit")
# What the same key means where no answer is given.
_WORDS: dict[str, str] = {"quit": "quit"}

_OWN: tuple[Action, ...] = (
    Action("class_star", ("s",), "look at it as a star, z 0", "answer"),
    Action("class_galaxy", ("g",), "look at it as a galaxy", "answer"),
    Action("class_quasar", ("q",), "look at it as a quasar", "answer"),
    Action("take_pipeline", ("a",), "the pipeline's class and z", "answer"),
    # The name that it has at the label screen, where the same key takes an offered fit too.
    Action("commit", ("enter",), "take the fit that is offered", "redshift"),
    Action("next_item", ("j", "n", "space"), "next row of the file", "queue"),
    Action("previous_item", ("k", "b"), "the row before", "queue"),
    Action("find", ("/",), "find a TARGETID in the file", "queue"),
    Action("command", (":",), ":12 goes to row 12, :q quits", "program"),
)


def _spec_actions() -> tuple[Action, ...]:
    own = {action.name for action in _OWN}
    shared = [
        replace(action, words=_WORDS.get(action.name, action.words), sighted=False)
        for action in ACTIONS
        if action.name not in own and (action.group in _SHARED_GROUPS or action.name in _SHARED)
    ]
    return (*_OWN, *shared)


SPEC_ACTIONS: tuple[Action, ...] = _spec_actions()
SPEC_BY_NAME: dict[str, Action] = {action.name: action for action in SPEC_ACTIONS}
