"""What a merger settles in one typed line."""

import pytest

from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.merge_line import TypedMerge, parse_merge, settled, taken
from qnet_tui.inspection.merge_state import MergeAnswer
from tests.inspection.test_merge_state import AGREED, CONFLICT, begun


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("q 2.3046 3.5 R clear C IV", TypedMerge("QSO", "2.3046", 3.5, "R", "clear C IV")),
        ("GALAXY 0.842 3", TypedMerge("GALAXY", "0.842", 3.0, "", "")),
        ("- - 0 S", TypedMerge(None, "", 0.0, "S", "")),
        ("s -0.0003 4 SRSR", TypedMerge("STAR", "-0.0003", 4.0, "RS", "")),
        ("q 2.3 2,5 Rather weak", TypedMerge("QSO", "2.3", 2.5, "", "Rather weak")),
    ],
)
def test_lines(line, said):
    assert parse_merge(line) == said


@pytest.mark.parametrize(
    ("line", "why"), [("", "settles nothing"), ("q 2.3", "settles nothing"), ("x 2 3", "class"), ("q 2.3 5", "0 to 4")]
)
def test_lines_that_cannot_be(line, why):
    with pytest.raises(Refused, match=why):
        parse_merge(line)


def test_exactly_what_was_typed_is_settled():
    state = settled(begun(AGREED), parse_merge("g 0.842 2.5 C"))
    assert state.answer == MergeAnswer("GALAXY", 0.842, 2.5, "C", "")
    with pytest.raises(Refused, match="redshift"):
        settled(begun(AGREED), parse_merge("g much 2.5"))


def test_the_proposal_or_a_vote_is_taken_by_its_name():
    state, names = begun(CONFLICT), ["A", "B", "C"]
    assert taken(state, "Proposal", names).answer.quality == 3.5
    assert taken(state, "c", names).answer == MergeAnswer("QSO", 2.3042, 4.0, "", "")
    assert taken(state, "A", names).answer.spectype == "GALAXY"
    with pytest.raises(Refused, match="proposal, A, B, C"):
        taken(state, "D", names)
