"""What each key of the merger does to the answer, and what it refuses."""

from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.merge_rules import MergeRule, propose
from qnet_tui.inspection.merge_state import MergeAnswer, MergeState, class_named, parse_quality


@dataclass(frozen=True)
class Shown:
    spectype: str | None
    z: float | None
    quality: int
    issues: str = ""
    comment: str = ""
    inspector: str = "A"


AGREED = (Shown("QSO", 2.300, 4), Shown("QSO", 2.301, 3, "R"), Shown("QSO", 2.302, 4))
CONFLICT = (Shown("GALAXY", 0.842, 2, "R"), Shown("QSO", 2.3051, 3), Shown("QSO", 2.3042, 4))


def begun(votes) -> MergeState:
    return MergeState.start(votes, propose(votes, MergeRule()))


def test_an_agreed_case_begins_with_the_proposal_and_may_be_committed():
    state = begun(AGREED)
    assert state.answer == MergeAnswer("QSO", pytest.approx(2.301), pytest.approx(11 / 3), "R", "")
    assert state.with_commit_asked() is state


def test_a_conflict_begins_with_nothing_that_is_disputed():
    assert begun(CONFLICT).answer == MergeAnswer(None, None, None, "R", "")
    only_quality = tuple(replace(vote, z=2.3, quality=q) for vote, q in zip(AGREED, (4, 3, 1), strict=True))
    assert begun(only_quality).answer == MergeAnswer("QSO", pytest.approx(2.3), None, "R", "")
    with pytest.raises(Refused, match=r"class .*, z .*, quality"):
        begun(CONFLICT).with_commit_asked()


def test_what_was_merged_before_comes_back():
    before = MergeAnswer("GALAXY", 0.842, 2.5, "", "clear [O II]")
    assert MergeState.start(CONFLICT, propose(CONFLICT, MergeRule()), before).answer == before


def test_the_lit_vote_places_the_lines_and_is_copied():
    state = begun(CONFLICT)
    assert state.trial_z == 0.842
    with pytest.raises(Refused, match="first"):
        state.with_lit(-1)
    state = state.with_lit(1)
    assert (state.trial_z, state.lit) == (2.3051, 1)
    copied = state.with_comment("mine").with_vote_copied()
    assert copied.answer == MergeAnswer("QSO", 2.3051, 3.0, "", "mine")
    with pytest.raises(Refused, match="last"):
        state.with_lit(1).with_lit(1)


def test_the_proposal_is_taken_and_leaves_open_what_it_does_not_offer():
    assert begun(CONFLICT).with_proposal().answer == MergeAnswer("QSO", pytest.approx(2.30465), 3.5, "R", "")
    part = (Shown("QSO", 1.0, 4), Shown("QSO", 1.0, 2), Shown("GALAXY", 0.2, 4))
    state = begun(part).with_proposal()
    assert state.answer == MergeAnswer("QSO", 1.0, None, "", "")
    assert state.with_quality(3).with_proposal().answer.quality == 3


def test_without_an_offer_nothing_is_taken():
    with pytest.raises(Refused, match="no two votes agree"):
        begun((Shown("QSO", 2.3, 3), Shown("GALAXY", 0.8, 3))).with_proposal()


def test_the_answer_is_edited_like_the_inspectors():
    state = begun(CONFLICT).with_class("QSO").with_z_typed("2,31").with_quality_typed("2.5").with_comment(" a\tb ")
    assert state.answer == MergeAnswer("QSO", 2.31, 2.5, "R", "a b")
    assert state.with_issue_toggled("R").with_issue_toggled("C").answer.issues == "C"
    assert state.with_z_stepped(0.0001).answer.z == pytest.approx(2.3101)
    assert state.with_z_typed("").answer.z is None
    assert state.with_quality_typed(" ").answer.quality is None
    for wrong in ("4.1", "-1", "nan", "x"):
        with pytest.raises(Refused, match="quality"):
            state.with_quality_typed(wrong)
    with pytest.raises(Refused, match="outside"):
        state.with_z_typed("9")
    with pytest.raises(Refused, match="quality"):
        state.with_quality(float("nan"))


def test_a_step_without_a_redshift_starts_at_the_lit_vote():
    assert begun(CONFLICT).with_lit(1).with_z_stepped(0.01).answer.z == pytest.approx(2.3151)
    with pytest.raises(Refused, match="z stops"):
        begun(CONFLICT).with_z_typed("7").with_z_stepped(0.01)


def test_a_star_needs_a_stars_redshift_and_no_signal_needs_nothing_else():
    state = begun(CONFLICT).with_class("STAR").with_quality(4)
    with pytest.raises(Refused, match="a star has"):
        state.with_z_typed("0.02").with_commit_asked()
    state.with_z_typed("-0.001").with_commit_asked()
    MergeState(CONFLICT, state.proposal).with_quality(0).with_commit_asked()
    with pytest.raises(Refused, match="class"):
        MergeState(CONFLICT, state.proposal).with_quality(0.5).with_commit_asked()


def test_words_of_classes_and_qualities():
    assert [class_named(word) for word in ("s", "Galaxy", "QSO")] == ["STAR", "GALAXY", "QSO"]
    with pytest.raises(Refused, match="no class"):
        class_named("quasar")
    assert parse_quality("3,5") == 3.5


KEYS = st.sampled_from([
    lambda s: s.with_lit(1), lambda s: s.with_lit(-1), lambda s: s.with_vote_copied(), lambda s: s.with_proposal(),
    lambda s: s.with_class("STAR"), lambda s: s.with_class("QSO"), lambda s: s.with_quality(2.5),
    lambda s: s.with_z_typed("0.3"), lambda s: s.with_z_typed(""), lambda s: s.with_z_stepped(-0.01),
    lambda s: s.with_issue_toggled("S"), lambda s: s.with_comment("x"), lambda s: s.with_commit_asked(),
])  # fmt: skip


@given(st.sampled_from([AGREED, CONFLICT, CONFLICT[:1]]), st.lists(KEYS, max_size=12))
def test_no_row_of_keys_leads_to_an_answer_that_could_not_be_stored(votes, keys):
    state = begun(votes)
    for key in keys:
        with suppress(Refused):
            state = key(state)
    answer = state.answer
    assert answer.issues == "".join(sorted(set(answer.issues)))
    assert answer.quality is None or 0 <= answer.quality <= 4
    assert answer.z is None or -0.01 <= answer.z <= 7
    assert (answer.refusal() is None) == (
        answer.quality is not None
        and (answer.quality == 0 or (answer.spectype is not None and answer.z is not None))
        and not (answer.spectype == "STAR" and answer.z is not None and abs(answer.z) >= 0.01)
    )
