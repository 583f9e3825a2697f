"""The table of the file viewer's keys."""

from collections import Counter

from qnet_tui.inspection.keys import ACTIONS, GROUPS
from qnet_tui.inspection.spec_keys import SPEC_ACTIONS, SPEC_BY_NAME


def test_no_key_does_two_things_and_no_name_comes_twice():
    keys = Counter(key for action in SPEC_ACTIONS for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert len(SPEC_BY_NAME) == len(SPEC_ACTIONS)


def test_looking_is_done_with_the_keys_of_the_label_screen():
    for action in ACTIONS:
        if action.group in ("view", "lines"):
            assert SPEC_BY_NAME[action.name].keys == action.keys


def test_nothing_can_be_saved_and_nobody_is_blind():
    saving = {"quality_0", "comment", "issue_class", "undo", "defer", "star"}
    assert not saving & set(SPEC_BY_NAME)
    assert not [action for action in SPEC_ACTIONS if action.sighted]
    assert {action.group for action in SPEC_ACTIONS} <= set(GROUPS)


def test_words_fit_the_help():
    assert max(len(action.words) for action in SPEC_ACTIONS) <= 30
