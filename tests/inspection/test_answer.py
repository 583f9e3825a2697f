"""When an answer is complete, what is refused, and how it is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.inspection.answer import (
    CLASSES,
    ISSUE_WORDS,
    QUALITY_WORDS,
    Answer,
    Refused,
    checked_z,
    clean_comment,
    parse_z,
    stepped_z,
    z_text,
)


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (Answer(), ("class", "z", "quality")),
        (Answer("QSO", 2.3, 4), ()),
        (Answer("QSO", None, 4), ("z",)),
        (Answer("QSO", None, 0), ()),
        (Answer(None, None, 0), ("class",)),
        (Answer(None, 2.3, 3), ("class",)),
        (Answer("GALAXY", 0.5, None), ("quality",)),
    ],
)
def test_enter_waits_for_class_quality_and_z_unless_there_is_no_signal(answer, missing):
    assert answer.missing() == missing
    refusal = answer.refusal()
    assert (refusal is None) == (missing == ())
    for name in missing:
        assert name in refusal


def test_a_star_with_the_redshift_of_a_quasar_is_refused():
    assert "star" in Answer("STAR", 2.3, 4).refusal()
    assert Answer("STAR", -0.0009, 4).refusal() is None
    assert Answer("STAR", None, 0).refusal() is None


@pytest.mark.parametrize(
    ("text", "z"), [("2.3042", 2.3042), (" 2,31 ", 2.31), ("-0.01", -0.01), ("7", 7.0), (".5", 0.5)]
)
def test_typed_redshifts(text, z):
    assert parse_z(text) == z


@pytest.mark.parametrize("text", ["", "abc", "7.01", "-0.011", "nan", "inf", "1e9", "2.3.1"])
def test_impossible_redshifts_are_refused_in_one_line(text):
    with pytest.raises(Refused) as refusal:
        parse_z(text)
    assert "\n" not in str(refusal.value)


def test_steps_add_up_without_drift_and_stop_at_the_ends():
    z = 2.0
    for _ in range(10_000):
        z = stepped_z(z, 0.0001)
    assert z == 3.0
    assert stepped_z(6.995, 0.01) == 7.0
    assert stepped_z(-0.005, -0.01) == -0.01
    assert stepped_z(None, 0.01) == 0.01


@given(st.floats(-0.01, 7.0))
def test_the_full_precision_of_z_survives_a_draft(z):
    assert Answer.from_json(Answer("QSO", z, 3, z_source="line").to_json()).z == z
    assert checked_z(z) == z


def test_z_is_shown_with_four_digits_or_as_many_as_were_typed():
    assert z_text(2.3) == "2.3000"
    assert z_text(2.304213873421) == "2.3042"
    assert z_text(2.30421) == "2.30421"
    assert z_text(None) == "-"
    assert z_text(-0.0003) == "-0.0003"


def test_issues_are_a_sorted_set_of_three_letters():
    answer = Answer().with_issue_toggled("S").with_issue_toggled("C").with_issue_toggled("R")
    assert answer.issues == "CRS"
    assert answer.with_issue_toggled("C").issues == "RS"
    with pytest.raises(ValueError, match="issue"):
        answer.with_issue_toggled("X")


def test_a_draft_from_anywhere_never_blocks_an_item():
    odd = {"spectype": "PLANET", "z": "2", "quality": 9, "issues": "XCC", "comment": None, "z_source": "guess"}
    assert Answer.from_json(odd) == Answer(issues="C")
    assert Answer.from_json({}) == Answer()
    assert Answer.from_json({"z": True, "quality": True}) == Answer()
    assert Answer.from_json({"z": 99.0, "z_source": "typed"}) == Answer()
    full = Answer("QSO", 2.3, 4, "CR", "BAL", "line")
    assert Answer.from_json(full.to_json()) == full


def test_comments_are_one_short_line():
    assert clean_comment(" two\tlines\nof it\x1b[31m ") == "two lines of it [31m"
    assert len(clean_comment("x" * 500)) == 100


def test_an_answer_is_empty_while_only_a_trial_redshift_is_there():
    assert Answer().is_empty()
    assert Answer(z=2.0, z_source="pipeline").is_empty()
    assert not Answer("QSO").is_empty()


def test_the_one_table_of_words_is_whole():
    assert len(QUALITY_WORDS) == 5
    assert set(ISSUE_WORDS) == set("RCS")
    assert CLASSES == ("STAR", "GALAXY", "QSO")
