"""The merger's keys: nothing collides, and what is the same as on the labelling screen has the same key."""

import re
from collections import Counter

from qnet_tui.inspection.keys import ACTIONS, BY_NAME, GROUPS, NAMED_KEYS
from qnet_tui.inspection.merge_keys import MERGE_ACTIONS, MERGE_BY_NAME

DANGEROUS = re.compile(r"ctrl\+[abszcdhijm]|alt\+.*|escape|f[1-4]|shift\+(?!tab$).*|[\[\]{}]")


def test_no_key_does_two_things_and_none_is_dangerous():
    counts = Counter(key for action in MERGE_ACTIONS for key in action.keys)
    assert [key for key, count in counts.items() if count > 1] == []
    assert len(MERGE_BY_NAME) == len(MERGE_ACTIONS)
    assert [key for key in counts if DANGEROUS.fullmatch(key)] == []
    assert all(key in NAMED_KEYS or (len(key) == 1 and key.isprintable()) for key in counts)


def test_the_keys_are_those_of_the_specification():
    keys = {key: action.name for action in MERGE_ACTIONS for key in action.keys}
    wanted = {
        "j": "vote_next", "k": "vote_previous", "y": "copy_vote", "a": "take_proposal", "Q": "type_quality",
        "enter": "commit", "n": "conflict_next", "N": "conflict_previous", "i": "show_names", "u": "undo",
        "?": "help", ":": "command", "/": "find", "f10": "quit", "z": "type_z", "c": "comment",
    }  # fmt: skip
    assert {key: keys[key] for key in wanted} == wanted
    assert [keys[key] for key in "sgq"] == ["class_star", "class_galaxy", "class_quasar"]
    assert [keys[key] for key in "01234"] == [f"quality_{number}" for number in range(5)]
    assert [keys[key] for key in "RCS"] == ["issue_redshift", "issue_class", "issue_spectrum"]
    assert [keys[key] for key in ("right", "left", ">", "<")] == [
        "z_fine_up", "z_fine_down", "z_coarse_up", "z_coarse_down",
    ]  # fmt: skip


def test_the_spectrum_is_looked_at_with_the_same_keys():
    views = [action for action in ACTIONS if action.group in ("view", "lines")]
    assert views
    for action in views:
        here = MERGE_BY_NAME[action.name]
        assert here.keys == (("Y",) if action.name == "flux_range" else action.keys), action.name
    assert "take_pipeline" not in MERGE_BY_NAME
    assert "defer" not in MERGE_BY_NAME


def test_words_fit_the_help_and_names_mean_one_thing():
    for action in MERGE_ACTIONS:
        assert action.group in GROUPS
        assert 0 < len(action.words) <= 30, action.words
    shared = set(BY_NAME) & set(MERGE_BY_NAME)
    assert {"commit", "undo", "help", "quit", "type_z", "model", "fit"} <= shared
