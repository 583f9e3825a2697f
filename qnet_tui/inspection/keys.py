"""The keys of the labelling screen: one table from which bindings, help, the hint line and the palette are made.

The letters of the domain win (s g q, 0-4, R C S), then those of MARZ, then vim's. No key here is taken by tmux,
screen, flow control or job control, none needs more than a plain terminal can send, and no single letter destroys
anything. A key is one printable character, or one of the names in :data:`NAMED_KEYS`. A person may change the keys
(:mod:`.keymap`), so texts name an action in braces and :func:`worded` writes the keys that do it now.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

NAMED_KEYS: dict[str, str] = {
    "enter": "⏎",
    "space": "space",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "tab": "Tab",
    "shift+tab": "S-Tab",
    "ctrl+q": "^Q",
    "ctrl+p": "^P",
    "ctrl+r": "^R",
    "backspace": "⌫",
    "delete": "Del",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
} | {f"f{number}": f"F{number}" for number in range(5, 13)}

GROUPS = ("answer", "redshift", "lines", "view", "shown", "table", "queue", "program")


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
    Action("standard_comment", (";",), "standard comment, by letter", "answer"),
    Action("star", ("*",), "star for discussion, on, off", "answer"),
    Action("take_pipeline", ("a",), "the pipeline's class and z", "answer", sighted=True),
    Action("commit", ("enter",), "save the answer and go on", "answer"),
    Action("z_fine_up", ("right",), "z + 0.0001", "redshift"),
    Action("z_fine_down", ("left",), "z - 0.0001", "redshift"),
    Action("z_coarse_up", (">",), "z + 0.01", "redshift"),
    Action("z_coarse_down", ("<",), "z - 0.01", "redshift"),
    Action("type_z", ("z",), "type z", "redshift"),
    Action("fit", ("f",), "fit z near the trial z", "redshift"),
    Action("fit_next", ("o",), "the pipeline's next best fit", "redshift", sighted=True),
    Action("fit_previous", ("i",), "its fit before that", "redshift", sighted=True),
    Action("z_of_pipeline", ("Z",), "z back to the pipeline's", "redshift", sighted=True),
    Action("feature_next", ("down",), "cursor to the next peak", "lines"),
    Action("feature_previous", ("up",), "cursor to the peak before", "lines"),
    Action("cursor_right", (")",), "cursor one column right", "lines"),
    Action("cursor_left", ("(",), "cursor one column left", "lines"),
    Action("candidate_next", (".",), "next line it could be", "lines"),
    Action("candidate_previous", (",",), "the line before", "lines"),
    Action("name_line", ("x",), "name the line, then a letter", "lines"),
    Action("line_choice", ("l",), "lines: major, all, net, off", "lines"),
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
    Action("model", ("t",), "template at z on, off", "view"),
    Action("template_next", ("T",), "next template", "view"),
    Action("noise", ("v",), "noise on, off", "view"),
    Action("arms", ("p",), "arms apart, joined", "view"),
    Action("rest_frame", ("m",), "wavelengths observed, at rest", "view"),
    Action("swap_zoom", ("d",), "small pane big, and back", "view"),
    Action("zoom_narrower", ("D",), "small pane half as wide", "view"),
    Action("pane_next", ("tab",), "small pane on the next line", "view"),
    Action("pane_previous", ("shift+tab",), "on the line before", "view"),
    Action("zoom_lya", ("5",), "small pane on Lyα", "view"),
    Action("zoom_civ", ("6",), "small pane on C IV", "view"),
    Action("zoom_ciii", ("7",), "small pane on C III]", "view"),
    Action("zoom_mgii", ("8",), "small pane on Mg II", "view"),
    Action("zoom_hbeta", ("9",), "small pane on Hβ", "view"),
    Action("next_item", ("j", "n"), "next spectrum, a draft is kept", "queue"),
    Action("previous_item", ("k", "b"), "the spectrum before", "queue"),
    Action("defer", ("space",), "to the end of my queue", "queue"),
    Action("undo", ("u",), "reopen my last answer", "queue"),
    Action("redo", ("ctrl+r",), "save it again as it was", "queue"),
    Action("find", ("/",), "find a TARGETID", "queue"),
    Action("help", ("?",), "this list", "program"),
    Action("palette", ("ctrl+p",), "find an action by its words", "program"),
    Action("command", (":",), ":q quit, :w sync, :12 go there", "program"),
    Action("quit", ("f10", "ctrl+q"), "quit; drafts are kept", "program"),
)
BY_NAME: dict[str, Action] = {action.name: action for action in ACTIONS}


def key_text(key: str) -> str:
    """Return a key as it is written for people."""
    return NAMED_KEYS.get(key, key)


def available(*, blind: bool, actions: Sequence[Action] = ACTIONS) -> tuple[Action, ...]:
    """Return the actions that exist for an inspector who is, or is not, blind to the pipeline's answer."""
    return tuple(action for action in actions if not (blind and action.sighted))


def worded(text: str, actions: Sequence[Action] = ACTIONS) -> str:
    """Return ``text`` with every ``{action}`` in braces replaced by the first key that does it now.

    Braces about anything that is no action stay as they are: a text may quote what a person typed.
    """
    keys = {action.name: action.keys for action in actions}

    def written(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in keys:
            return match.group(0)
        return key_text(keys[name][0]) if keys[name] else "(no key)"

    return re.sub(r"\{(\w+)\}", written, text)
