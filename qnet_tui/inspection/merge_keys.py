"""The keys of the merging screen: those of the labelling screen wherever the same thing is done.

Looking at a spectrum is the same for a merger and an inspector, so those actions are taken over from
:mod:`qnet_tui.inspection.keys` as they are there, whatever they are. What differs: ``j k`` go over the votes,
``n N`` over the conflicts, and ``y`` copies a vote, so that the flux range moves to ``Y``.
"""

from __future__ import annotations

from dataclasses import replace

from qnet_tui.inspection.keys import ACTIONS, Action

# Of the labelling screen: how the spectrum is looked at and how a line is named, and what every screen has.
_SHARED_GROUPS = ("lines", "view")
_SHARED = (
    *("class_star", "class_galaxy", "class_quasar"),
    *("quality_0", "quality_1", "quality_2", "quality_3", "quality_4"),
    *("issue_redshift", "issue_class", "issue_spectrum", "comment", "standard_comment"),
    *("z_fine_up", "z_fine_down", "z_coarse_up", "z_coarse_down", "type_z", "fit"),
)
_OTHER_KEYS: dict[str, tuple[str, ...]] = {"flux_range": ("Y",)}
# A merger who says STAR keeps the redshift: it may be the one of a vote.
_OTHER_WORDS: dict[str, str] = {"class_star": "class STAR"}

_OWN: tuple[Action, ...] = (
    Action("vote_next", ("j",), "the next vote's lines", "queue"),
    Action("vote_previous", ("k",), "the vote before", "queue"),
    Action("copy_vote", ("y",), "copy this vote", "answer"),
    Action("take_proposal", ("a",), "take the proposal", "answer"),
    Action("type_quality", ("Q",), "type a quality, as 2.5", "answer"),
    Action("commit", ("enter",), "settle this one and go on", "answer"),
    Action("z_of_vote", ("Z",), "only the z of this vote", "redshift"),
    Action("conflict_next", ("n",), "next conflict", "queue"),
    Action("conflict_previous", ("N",), "the conflict before", "queue"),
    Action("case_next", ("space",), "next case, settled later", "queue"),
    Action("case_previous", ("b",), "the case before", "queue"),
    Action("show_names", ("i",), "who is who; it is recorded", "queue"),
    Action("undo", ("u",), "reopen what I settled last", "queue"),
    Action("find", ("/",), "go to a TARGETID", "queue"),
    Action("help", ("?",), "this list", "program"),
    Action("palette", ("ctrl+p",), "find an action by its words", "program"),
    Action("command", (":",), ":accept the agreed, :q quits", "program"),
    Action("quit", ("f10", "ctrl+q"), "quit; what is settled stays", "program"),
)


def _shared() -> tuple[Action, ...]:
    own = {action.name for action in _OWN}
    taken = (
        action
        for action in ACTIONS
        if action.name not in own
        and (action.name in _SHARED or (action.group in _SHARED_GROUPS and not action.sighted))
    )
    return tuple(
        replace(
            action,
            keys=_OTHER_KEYS.get(action.name, action.keys),
            words=_OTHER_WORDS.get(action.name, action.words),
        )
        for action in taken
    )


MERGE_ACTIONS: tuple[Action, ...] = (*_shared(), *_OWN)
MERGE_BY_NAME: dict[str, Action] = {action.name: action for action in MERGE_ACTIONS}
