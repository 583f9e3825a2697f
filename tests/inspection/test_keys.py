"""The one table of keys: nothing collides, nothing that a terminal cannot send or that tmux takes is bound."""

import re
from collections import Counter
from dataclasses import replace

from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.keys import ACTIONS, BY_NAME, GROUPS, NAMED_KEYS, available, key_text, worded

# Prefixes of screen and tmux, suspend, flow control, and what only some terminals can tell apart.
FORBIDDEN = re.compile(
    r"ctrl\+([abszc@]|space|enter|\d)|shift\+(enter|space|left|right|up|down)|alt\+.*|f[1-4]|escape|[\[\]{}]"
)


def test_no_key_does_two_things():
    counts = Counter(key for action in ACTIONS for key in action.keys)
    assert [key for key, count in counts.items() if count > 1] == []
    assert len(BY_NAME) == len(ACTIONS)


def test_no_key_is_one_that_does_not_survive_ssh_and_tmux():
    for action in ACTIONS:
        for key in action.keys:
            assert not FORBIDDEN.fullmatch(key), (action.name, key)


def test_every_key_is_a_printable_character_or_has_a_name():
    for action in ACTIONS:
        for key in action.keys:
            assert key in NAMED_KEYS or (len(key) == 1 and key.isascii() and key.isprintable()), key
            assert key_text(key)


def test_ctrl_q_is_never_the_only_way():
    for action in ACTIONS:
        assert not action.keys or set(action.keys) != {"ctrl+q"}
    assert "f10" in BY_NAME["quit"].keys
    assert "q" not in BY_NAME["quit"].keys


def test_the_letters_of_the_domain_mean_what_they_mean():
    keys = {key: action.name for action in ACTIONS for key in action.keys}
    assert [keys[key] for key in "sgq"] == ["class_star", "class_galaxy", "class_quasar"]
    assert [keys[key] for key in "01234"] == [f"quality_{number}" for number in range(5)]
    assert [keys[key] for key in "RCS"] == ["issue_redshift", "issue_class", "issue_spectrum"]
    assert {key: keys[key] for key in (">", "<", "right", "left")} == {
        ">": "z_coarse_up", "<": "z_coarse_down", "right": "z_fine_up", "left": "z_fine_down",
    }  # fmt: skip
    assert (keys["j"], keys["n"], keys["k"], keys["b"]) == ("next_item", "next_item", "previous_item", "previous_item")


def test_words_fit_the_help_and_groups_are_known():
    for action in ACTIONS:
        assert action.group in GROUPS
        assert 0 < len(action.words) <= 30, action.words
        assert len(" ".join(map(key_text, action.keys))) < 8, action.keys


def test_a_blind_inspector_has_no_key_for_the_pipelines_answer():
    seen, blind = available(blind=False), available(blind=True)
    hidden = {"take_pipeline", "z_of_pipeline", "fit_next", "fit_previous"}
    assert {action.name for action in set(seen) - set(blind)} == hidden


def test_every_key_of_the_recommended_map_is_bound_to_what_it_says():
    """The map of visual inspection that the labelling screen promises, key by key."""
    keys = {key: action.name for action in ACTIONS for key in action.keys}
    promised = {
        "enter": "commit", "a": "take_pipeline", "z": "type_z", ".": "candidate_next", ",": "candidate_previous",
        "x": "name_line", "f": "fit", "o": "fit_next", "i": "fit_previous", "Z": "z_of_pipeline", "c": "comment",
        ";": "standard_comment", "+": "zoom_in", "=": "zoom_in", "-": "zoom_out", "H": "pan_left", "L": "pan_right",
        "r": "reset_view", "K": "lock_view", "w": "smooth_more", "W": "smooth_less", "l": "line_choice",
        "e": "line_kind", "t": "model", "T": "template_next", "v": "noise", "p": "arms", "m": "rest_frame",
        "space": "defer", "u": "undo", "ctrl+r": "redo", "*": "star", "/": "find", ":": "command",
        "tab": "pane_next", "shift+tab": "pane_previous", "d": "swap_zoom", "5": "zoom_lya", "6": "zoom_civ",
        "7": "zoom_ciii", "8": "zoom_mgii", "9": "zoom_hbeta", "y": "flux_range", "ctrl+p": "palette", "?": "help",
        "f10": "quit", "ctrl+q": "quit",
    }  # fmt: skip
    assert {key: keys.get(key) for key in promised} == promised


def test_texts_name_keys_by_their_action():
    assert worded("{undo} reopens, {commit} saves {what} {} {1}") == "u reopens, ⏎ saves {what} {} {1}"
    changed = tuple(replace(action, keys=("U",)) if action.name == "undo" else action for action in ACTIONS)
    refusal = Refused("first {undo}")
    assert (str(refusal), refusal.said(changed)) == ("first u", "first U")
    assert worded("{undo}", [replace(BY_NAME["undo"], keys=())]) == "(no key)"
