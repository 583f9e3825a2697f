"""Every key of the merging screen does something or says why not; and looking is what it is at the label screen."""

import pytest

from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.merge_keys import MERGE_ACTIONS
from qnet_tui.tui.label_actions import Scene
from qnet_tui.tui.merge_actions import (
    MERGE_STEPS,
    MergeMoment,
    apply,
    comment_standard,
    name_line_of_case,
    with_z,
)
from qnet_tui.tui.view import View
from tests.tui.merge_campaign import CASES, made_case

SCENE = Scene((3600.0, 9800.0), [4017.0, 5120.0, 6307.0], 80.0, ("quasar", "galaxy"))
# These need the session, a prompt or another screen.
OF_THE_SCREEN = {
    "comment", "standard_comment", "type_z", "fit", "name_line", "type_quality", "commit", "conflict_next",
    "conflict_previous", "case_next", "case_previous", "show_names", "undo", "find", "help", "palette", "command",
    "quit",
}  # fmt: skip


@pytest.fixture(scope="module")
def case():
    return made_case()


def moment(case, **view):
    return MergeMoment(case.start, View(**view), 5120.0)


def test_every_action_of_the_table_exists_and_nothing_else():
    assert set(MERGE_STEPS) == {action.name for action in MERGE_ACTIONS} - OF_THE_SCREEN


@pytest.mark.parametrize("name", sorted(MERGE_STEPS))
def test_each_changes_something_or_says_why_not(case, name):
    before = apply("vote_next", moment(case, window=(4000.0, 6000.0), y_mode="log"), SCENE)
    if name == "zoom_hbeta":
        with pytest.raises(Refused, match="outside"):
            apply(name, before, SCENE)
    else:
        assert apply(name, before, SCENE) != before


def test_lines_follow_the_lit_vote_until_the_merger_works_on_the_redshift(case):
    at = moment(case)
    assert (at.z, at.spectype) == (2.3042, "QSO")
    at = apply("vote_next", apply("vote_next", at, SCENE), SCENE)
    assert (at.z, at.spectype, at.is_at_answer) == (0.842, "GALAXY", False)
    with pytest.raises(Refused, match="last vote"):
        apply("vote_next", at, SCENE)
    at = apply("z_coarse_up", at, SCENE)
    assert at.state.answer.z == pytest.approx(0.852)
    assert (at.z, at.is_at_answer) == (at.state.answer.z, True)
    at = apply("vote_previous", at, SCENE)
    assert at.z == 2.3051
    assert at.state.answer.z == pytest.approx(0.852)


def test_a_vote_is_copied_whole_or_by_its_redshift_alone(case):
    third = apply("vote_next", apply("vote_next", moment(case), SCENE), SCENE)
    answer = apply("copy_vote", third, SCENE).state.answer
    assert (answer.spectype, answer.z, answer.quality, answer.issues) == ("GALAXY", 0.842, 2.0, "R")
    answer = apply("z_of_vote", third, SCENE).state.answer
    assert (answer.spectype, answer.z, answer.quality) == (None, 0.842, None)
    silent = made_case(((None, None, 0, "", ""), *CASES[0][1:]))
    with pytest.raises(Refused, match="no redshift"):
        apply("z_of_vote", moment(silent), SCENE)


def test_the_proposal_is_taken_and_shown(case):
    at = apply("take_proposal", moment(case), SCENE)
    assert at.state.answer.missing() == ()
    assert at.z == pytest.approx(2.30465)
    with pytest.raises(Refused, match="no two votes agree"):
        apply("take_proposal", moment(made_case(CASES[1])), SCENE)


def test_naming_a_line_moves_the_answer_and_looking_does_not(case):
    at = apply("candidate_next", moment(case), SCENE)
    assert at.named == "C IV"
    assert at.state.answer.z == at.z == pytest.approx(5120.0 / 1549.48 - 1)
    assert name_line_of_case("m", at).state.answer.z == pytest.approx(5120.0 / 2799.1 - 1)
    before = moment(case)
    for name in ("feature_next", "smooth_more", "rest_frame", "model", "zoom_in", "pane_next", "line_choice"):
        assert apply(name, before, SCENE).state is before.state, name


def test_only_a_possible_redshift_is_taken(case):
    assert with_z(1.5, moment(case)).z == 1.5
    with pytest.raises(Refused, match="outside"):
        with_z(7.5, moment(case))


def test_a_standard_comment_is_appended_once(case):
    at = comment_standard("b", moment(case))
    assert at.state.answer.comment == "Broad absorption line quasar (BAL)"
    with pytest.raises(Refused, match="says so already"):
        comment_standard("b", at)
    with pytest.raises(Refused, match="no such comment"):
        comment_standard("?", at)
    long = MergeMoment(case.start.with_comment("x" * 90), View())
    with pytest.raises(Refused, match="100 characters"):
        comment_standard("b", long)
