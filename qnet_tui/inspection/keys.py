"""The keys of the labelling screen: one table from which bindings, help, the hint line and the palette are made.

The letters of the domain win (s g q, 0-4, R C S), then those of MARZ, then vim's. No key here is taken by tmux,
screen, flow control or job control, none needs more than a plain terminal can send, and no single letter destroys
anything. A key is one printable character, or one of the names in :data:`NAMED_KEYS`.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMED_KEYS: dict[str, str] = {
    "enter": "⏎",
    "space": "space",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "f10": "F10",
    "ctrl+q": "^Q",
    "ctrl+p": "^P",
}

GROUPS = ("answer", "redshift", "lines", "view", "queue", "program")


@dataclass(frozen=True)
class Action:
    """One thing that the screen can do: its ``name``, the keys for it, and the ``words`` that say what it does.

    ``sighted`` actions need the pipeline's answer and are off for a blind inspector.
    """

    name: str
    keys: tuple[str, ...]
    words: str
    group: str
    sighted: bool = False


ACTIONS: tuple[Action, ...] = (
    Action("class_star", ("s",), "class STAR, z 0", "answer"),
    Action("class_galaxy", ("g",), "class GALAXY", "answer"),
    Action("class_quasar", ("q",), "class QSO", "answer"),
    Action("quality_0", ("0",), "quality 0: no signal", "answer"),
    Action("quality_1", ("1",), "quality 1: nothing identified", "answer"),
    Action("quality_2", ("2",), "quality 2: one unsure feature", "answer"),
    Action("quality_3", ("3",), "quality 3: one secure line", "answer"),
    Action("quality_4", ("4",), "quality 4: two secure features", "answer"),
    Action("issue_redshift", ("R",), "issue R: pipeline's z is wrong", "answer"),
    Action("issue_class", ("C",), "issue C: its class is wrong", "answer"),
    Action("issue_spectrum", ("S",), "issue S: the spectrum is bad", "answer"),
    Action("comment", ("c",), "comment", "answer"),
    Action("take_pipeline", ("a",), "the pipeline's class and z", "answer", sighted=True),
    Action("commit", ("enter",), "save the answer and go on", "answer"),
    Action("z_fine_up", ("right",), "z + 0.0001", "redshift"),
    Action("z_fine_down", ("left",), "z - 0.0001", "redshift"),
    Action("z_coarse_up", (">",), "z + 0.01", "redshift"),
    Action("z_coarse_down", ("<",), "z - 0.01", "redshift"),
    Action("type_z", ("z",), "type z", "redshift"),
    Action("z_of_pipeline", ("Z",), "z back to the pipeline's", "redshift", sighted=True),
    Action("feature_next", ("down",), "cursor to the next peak", "lines"),
    Action("feature_previous", ("up",), "cursor to the peak before", "lines"),
    Action("cursor_right", (")",), "cursor one column right", "lines"),
    Action("cursor_left", ("(",), "cursor one column left", "lines"),
    Action("candidate_next", (".",), "next line it could be", "lines"),
    Action("candidate_previous", (",",), "the line before", "lines"),
    Action("name_line", ("x",), "name the line, then a letter", "lines"),
    Action("line_choice", ("l",), "lines: major, all, off", "lines"),
    Action("line_kind", ("e",), "both, emission, absorption", "lines"),
    Action("zoom_in", ("+", "="), "zoom in at the cursor", "view"),
    Action("zoom_out", ("-",), "zoom out", "view"),
    Action("pan_left", ("H",), "half a screen left", "view"),
    Action("pan_right", ("L",), "half a screen right", "view"),
    Action("reset_view", ("r",), "the whole spectrum again", "view"),
    Action("lock_view", ("K",), "keep this view for the next", "view"),
    Action("smooth_more", ("w",), "smooth more", "view"),
    Action("smooth_less", ("W",), "smooth less", "view"),
    Action("flux_range", ("y",), "flux: robust, full, zero, log", "view"),
    Action("noise", ("v",), "noise on, off", "view"),
    Action("rest_frame", ("m",), "wavelengths observed, at rest", "view"),
    Action("swap_zoom", ("d",), "small pane big, and back", "view"),
    Action("zoom_narrower", ("D",), "small pane half as wide", "view"),
    Action("zoom_lya", ("5",), "small pane on Lyα", "view"),
    Action("zoom_civ", ("6",), "small pane on C IV", "view"),
    Action("zoom_ciii", ("7",), "small pane on C III]", "view"),
    Action("zoom_mgii", ("8",), "small pane on Mg II", "view"),
    Action("zoom_hbeta", ("9",), "small pane on Hβ", "view"),
    Action("next_item", ("j", "n"), "next spectrum, a draft is kept", "queue"),
    Action("previous_item", ("k", "b"), "the spectrum before", "queue"),
    Action("defer", ("space",), "to the end of my queue", "queue"),
    Action("undo", ("u",), "reopen my last answer", "queue"),
    Action("help", ("?",), "this list", "program"),
    Action("palette", ("ctrl+p",), "find an action by its words", "program"),
    Action("command", (":",), "command line: :q quits", "program"),
    Action("quit", ("f10", "ctrl+q"), "quit; drafts are kept", "program"),
)
BY_NAME: dict[str, Action] = {action.name: action for action in ACTIONS}


def key_text(key: str) -> str:
    """Return a key as it is written for people."""
    return NAMED_KEYS.get(key, key)


def available(*, blind: bool) -> tuple[Action, ...]:
    """Return the actions that exist for an inspector who is, or is not, blind to the pipeline's answer."""
    return tuple(action for action in ACTIONS if not (blind and action.sighted))
