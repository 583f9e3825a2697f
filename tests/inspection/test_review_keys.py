"""The table of the review screen's keys."""

from collections import Counter

from qnet_tui.inspection.keymap import with_user_keys
from qnet_tui.inspection.keys import GROUPS
from qnet_tui.inspection.review_keys import REVIEW_ACTIONS, REVIEW_BY_NAME, TAB_NAMES
from qnet_tui.workflows.review.tabs import TABS
from tests.inspection.test_keymap import FORBIDDEN


def test_no_key_does_two_things_and_none_is_taken_by_a_terminal():
    keys = Counter(key for action in REVIEW_ACTIONS for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert [key for key in keys if FORBIDDEN.fullmatch(key)] == []
    assert len(REVIEW_BY_NAME) == len(REVIEW_ACTIONS)


def test_a_person_may_bind_what_the_table_binds():
    own = {action.name: [key for key in action.keys if key not in ("ctrl+q", "ctrl+p")] for action in REVIEW_ACTIONS}
    assert with_user_keys(REVIEW_ACTIONS, {name: keys for name, keys in own.items() if keys}, "x") == REVIEW_ACTIONS


def test_every_tab_has_a_number_and_tables_have_the_keys_of_all_tables():
    assert tuple(TABS) == TAB_NAMES
    assert [REVIEW_BY_NAME[f"tab_{n}"].keys for n in range(1, len(TABS) + 1)] == [
        (str(n + 1),) for n in range(len(TABS))
    ]
    keys = {name: REVIEW_BY_NAME[name].keys[0] for name in ("row_next", "row_previous", "row_first", "row_last")}
    assert list(keys.values()) == ["j", "k", "g", "G"]
    others = [REVIEW_BY_NAME[name].keys for name in ("filter", "sort_next", "open_row", "copy_id", "back")]
    assert others == [("/",), ("o",), ("enter",), ("y",), ("backspace",)]


def test_no_action_needs_altgr_and_words_fit_the_help():
    assert [action.name for action in REVIEW_ACTIONS if all(key in "[]{}" for key in action.keys)] == []
    assert {action.group for action in REVIEW_ACTIONS} <= set(GROUPS)
    assert max(len(action.words) for action in REVIEW_ACTIONS) <= 30
