"""A person's own keys: what may be bound, and that every screen's table holds together afterwards."""

from collections import Counter

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.inspection.keymap import with_user_keys
from qnet_tui.inspection.keys import ACTIONS, Action
from qnet_tui.inspection.merge_keys import MERGE_ACTIONS
from qnet_tui.inspection.spec_keys import SPEC_ACTIONS
from tests.inspection.test_keys import FORBIDDEN

WHERE = "/home/ann/.config/qnet/keys.toml [label]"


def keys_of(actions: tuple[Action, ...]) -> dict[str, tuple[str, ...]]:
    return {action.name: action.keys for action in actions}


def refusal(**user: list[str]) -> str:
    with pytest.raises(BadInput) as error:
        with_user_keys(ACTIONS, user, WHERE)
    assert str(error.value).startswith(WHERE)
    return str(error.value)


@pytest.mark.parametrize("table", [ACTIONS, MERGE_ACTIONS, SPEC_ACTIONS])
def test_no_screen_binds_a_key_twice_or_one_that_does_not_survive(table):
    counts = Counter(key for action in table for key in action.keys)
    assert [key for key, count in counts.items() if count > 1] == []
    assert [key for key in counts if FORBIDDEN.fullmatch(key)] == []
    assert len({action.name for action in table}) == len(table)
    # What every table binds, a person may bind too: the two rules are one.
    own = {action.name: [key for key in action.keys if key not in ("ctrl+q", "ctrl+p")] for action in table}
    assert with_user_keys(table, {name: keys for name, keys in own.items() if keys}, WHERE) == table


def test_a_person_changes_some_keys_and_the_others_stay():
    found = keys_of(with_user_keys(ACTIONS, {"fit": ["F"], "feature_next": ["down", "ctrl+n"]}, WHERE))
    assert (found["fit"], found["feature_next"]) == (("F",), ("down", "ctrl+n"))
    assert {name: keys for name, keys in found.items() if name not in ("fit", "feature_next")} == {
        name: keys for name, keys in keys_of(ACTIONS).items() if name not in ("fit", "feature_next")
    }


def test_two_actions_swap_their_keys():
    found = keys_of(with_user_keys(ACTIONS, {"fit": ["u"], "undo": ["f"]}, WHERE))
    assert (found["fit"], found["undo"]) == (("u",), ("f",))


def test_an_action_may_lose_its_keys_but_not_the_way_on_or_out():
    assert keys_of(with_user_keys(ACTIONS, {"star": []}, WHERE))["star"] == ()
    for name in ("commit", "help", "quit"):
        assert f"{name} needs a key" in refusal(**{name: []})
    assert keys_of(with_user_keys(ACTIONS, {"quit": ["f12"]}, WHERE))["quit"] == ("f12", "ctrl+q")


def test_a_key_for_two_actions_is_refused_naming_both():
    assert "f is star and fit; give fit other keys too" in refusal(star=["f"])
    assert "Q is " in refusal(star=["Q"], find=["Q"])


DANGEROUS = """
    ctrl+a ctrl+b ctrl+s ctrl+q ctrl+z ctrl+c ctrl+d ctrl+i ctrl+m ctrl+h ctrl+p ctrl+space ctrl+enter ctrl+1
    shift+enter shift+left alt+x escape f1 f4 Ctrl+A
"""


@pytest.mark.parametrize("key", DANGEROUS.split())
def test_what_tmux_or_a_terminal_takes_is_refused(key):
    assert repr(key) in refusal(star=[key])


@pytest.mark.parametrize("key", ["", "ab", "é", " ", "enterr", "ctrl+", "ctrl+alt+x", "\x01"])
def test_what_is_no_key_is_refused(key):
    assert "is no key" in refusal(star=[key])


def test_brackets_are_aliases_only():
    assert "AltGr" in refusal(star=["["])
    assert "AltGr" in refusal(star=["[", "}"])
    assert keys_of(with_user_keys(ACTIONS, {"star": ["Q", "["]}, WHERE))["star"] == ("Q", "[")


def test_an_unknown_action_is_named_with_what_it_may_have_meant():
    assert "no action 'comit'" in refusal(comit=["E"])
    assert "commit?" in refusal(comit=["E"])
