"""Every key of the table does something or says why not."""

import pytest

from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.item import Facts, ItemState, PipelineAnswer
from qnet_tui.inspection.keys import ACTIONS, BY_NAME
from qnet_tui.tui.label_actions import STEPS, Moment, Scene, apply, name_line
from qnet_tui.tui.view import View

SCENE = Scene((3600.0, 9800.0), [4017.0, 5120.0, 6307.0], 80.0, ("quasar", "old galaxy"))
# These need the queue, a prompt or another screen.
OF_THE_SCREEN = {
    "comment", "standard_comment", "star", "commit", "type_z", "fit", "name_line", "next_item", "previous_item",
    "defer", "undo", "redo", "find", "help", "palette", "command", "quit",
}  # fmt: skip


def moment(z=2.3042, cursor=5120.0, **view):
    fits = (PipelineAnswer("QSO", 2.3042), PipelineAnswer("GALAXY", 0.842), PipelineAnswer("STAR", 0.0))
    facts = Facts(0.0, "QSO", z, fits)
    return Moment(ItemState.start(facts, cursor), View(**view))


def test_every_action_of_the_table_exists_and_nothing_else():
    assert set(STEPS) == set(BY_NAME) - OF_THE_SCREEN


@pytest.mark.parametrize("action", [action.name for action in ACTIONS if action.name not in OF_THE_SCREEN])
def test_each_changes_something_or_says_why_not(action):
    before = moment(window=(4000.0, 6000.0), y_mode="log")
    if action == "zoom_hbeta":
        with pytest.raises(Refused, match="outside"):
            apply(action, before, SCENE)
    elif action == "fit_previous":
        assert apply(action, apply("fit_next", before, SCENE), SCENE).state.fit == 0
    elif action == "z_of_pipeline":
        assert apply(action, apply("z_fine_up", before, SCENE), SCENE).state.answer.z == 2.3042
    else:
        assert apply(action, before, SCENE) != before


def test_the_cursor_jumps_in_order_and_stops():
    at = moment(cursor=None)
    assert apply("feature_next", at, SCENE).state.cursor == 4017.0
    assert apply("feature_previous", at, SCENE).state.cursor == 6307.0
    middle = apply("feature_next", moment(cursor=4500.0), SCENE)
    assert middle.state.cursor == 5120.0
    assert apply("feature_previous", middle, SCENE).state.cursor == 4017.0
    with pytest.raises(Refused, match="last"):
        apply("feature_next", moment(cursor=6307.0), SCENE)
    with pytest.raises(Refused, match="nothing stands out"):
        apply("feature_next", at, Scene((3600.0, 9800.0)))


def test_the_window_follows_the_cursor():
    moved = apply("feature_next", moment(cursor=5120.0, window=(4900.0, 5300.0), zoom_line="C IV"), SCENE)
    assert moved.view.window == (6107.0, 6507.0)
    assert moved.view.zoom_line is None
    edge = apply("cursor_right", moment(cursor=9799.0), SCENE)
    assert edge.state.cursor == pytest.approx(9800.0)
    assert apply("cursor_left", moment(cursor=None), SCENE).state.cursor == 6700.0


def test_naming_needs_a_cursor_and_a_possible_redshift():
    with pytest.raises(Refused, match="no cursor"):
        name_line("c", moment(cursor=None))
    with pytest.raises(Refused, match="no such line"):
        name_line("w", moment())
    with pytest.raises(Refused, match="outside"):
        name_line("a", moment(cursor=4000.0))
    with pytest.raises(Refused, match="no line of the list"):
        apply("candidate_next", moment(cursor=300.0), SCENE)
    assert name_line("c", moment()).state.answer.z == pytest.approx(2.30433, abs=1e-5)


def test_without_a_redshift_there_is_no_rest_frame_and_no_line_to_show():
    blind = Moment(ItemState.start(Facts(), 5120.0), View())
    for name in ("rest_frame", "zoom_civ"):
        with pytest.raises(Refused, match="redshift"):
            apply(name, blind, SCENE)


def test_the_small_pane_narrows_and_starts_again():
    at = moment()
    for _ in range(5):
        at = apply("zoom_narrower", at, SCENE)
    assert at.view.depth == 5
    assert apply("zoom_narrower", at, SCENE).view.depth == 0


def test_the_small_pane_goes_from_line_to_line_and_back_to_the_cursor():
    at, seen = moment(), []
    for _ in range(6):
        at = apply("pane_next", at, SCENE)
        seen.append(at.view.zoom_line)
    assert seen == ["Lyα", "C IV", "C III]", "Mg II", None, "Lyα"]
    assert apply("pane_previous", moment(), SCENE).view.zoom_line == "Mg II"
    with pytest.raises(Refused, match="follows the cursor"):
        apply("pane_next", Moment(ItemState.start(Facts(), 5120.0), View()), SCENE)


def test_the_templates_go_round_and_the_first_key_only_shows_one():
    at, seen = moment(), []
    for _ in range(4):
        at = apply("template_next", at, SCENE)
        seen.append((at.view.model, at.view.template))
    assert seen == [(True, ""), (True, "quasar"), (True, "old galaxy"), (True, "")]
    assert not apply("model", at, SCENE).view.model
    for name in ("model", "template_next"):
        with pytest.raises(Refused, match="no template"):
            apply(name, moment(), Scene((3600.0, 9800.0)))
