"""One line, one answer."""

import pytest

from qnet_tui.inspection.answer import Answer, Refused
from qnet_tui.inspection.item import Facts, ItemState
from qnet_tui.inspection.typed_line import TypedAnswer, answered, parse_answer


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("q 2.31 4 weak C III]", TypedAnswer("QSO", False, "2.31", 4, "", "weak C III]")),
        ("q 2.31 4", TypedAnswer("QSO", False, "2.31", 4)),
        ("q 2 4", TypedAnswer("QSO", False, "2", 4)),
        ("q 2,31 4", TypedAnswer("QSO", False, "2,31", 4)),
        ("s 3", TypedAnswer("STAR", False, None, 3)),
        ("s -0.0003 4 RC white dwarf", TypedAnswer("STAR", False, "-0.0003", 4, "CR", "white dwarf")),
        ("g - 0 S", TypedAnswer("GALAXY", False, "", 0, "S")),
        ("g 0", TypedAnswer("GALAXY", False, None, 0)),
        ("q 2.31", TypedAnswer("QSO", False, "2.31")),
        ("q 9 2", TypedAnswer("QSO", False, "9", 2)),
        ("Q", TypedAnswer("QSO")),
        ("a 4 R", TypedAnswer(None, True, None, 4, "R")),
        ("q 2.3 3 Strange", TypedAnswer("QSO", False, "2.3", 3, "", "Strange")),
    ],
)
def test_reading(line, typed):
    assert parse_answer(line) == typed


@pytest.mark.parametrize("line", ["", "x 2.3 4", "4 q", "quasar 2.3 4"])
def test_a_line_that_names_no_class_is_refused(line):
    with pytest.raises(Refused, match="no class"):
        parse_answer(line)


def test_the_rules_are_those_of_the_screen():
    state = ItemState.start(Facts(0, "GALAXY", 0.5))
    done = answered(state, parse_answer("q 2.31 4 R BAL"))
    assert done.answer == Answer("QSO", 2.31, 4, "R", "BAL", "typed")
    assert answered(done, parse_answer("g 3")).answer.issues == ""
    assert answered(state, parse_answer("a 3")).answer == Answer("GALAXY", 0.5, 3, z_source="pipeline")
    with pytest.raises(Refused):
        answered(state, parse_answer("q 9 2"))
    with pytest.raises(Refused):
        answered(ItemState.start(Facts()), parse_answer("a 3"))
