"""One item in front of one person: every key, every refusal, and no way into a state that cannot be left."""

import contextlib

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from qnet_tui.inspection.answer import Answer, Refused
from qnet_tui.inspection.item import Facts, ItemState, MaskedWarning, PipelineAnswer

SEEN = Facts(0.02, "QSO", 2.3042)


def test_a_blind_item_starts_with_nothing_and_a_sighted_one_with_the_pipelines_z():
    assert ItemState.start(Facts()).answer == Answer()
    assert ItemState.start(SEEN, 5120.0).answer == Answer(z=2.3042, z_source="pipeline")
    assert ItemState.start(SEEN, 5120.0).cursor == 5120.0


def test_steps_type_and_name_set_z_and_say_where_it_came_from():
    state = ItemState.start(SEEN).with_z_stepped(0.0001)
    assert (state.answer.z, state.answer.z_source) == (2.3043, "typed")
    named = state.with_cursor(5120.0).with_line("C IV", 2.30433)
    assert (named.answer.z_source, named.named) == ("line", "C IV")
    assert named.with_z_stepped(0.01).answer.z_source == "line"
    typed = named.with_z_typed("1.5")
    assert (typed.answer.z, typed.answer.z_source, typed.named) == (1.5, "typed", None)
    assert typed.with_z_typed(" ").answer.z is None
    assert typed.with_pipeline_z().answer.z == 2.3042


def test_moving_the_cursor_forgets_the_name_but_not_the_answer():
    state = ItemState.start(SEEN).with_line("C IV", 2.3)
    moved = state.with_cursor(6000.0)
    assert (moved.named, moved.answer) == (None, state.answer)


def test_a_star_gets_z_0_and_a_change_of_mind_gets_the_trial_z_back():
    star = ItemState.start(SEEN).with_class("STAR")
    assert star.answer.z == 0.0
    assert star.with_class("QSO").answer.z == 2.3042
    assert star.with_z_stepped(0.0003).with_class("GALAXY").answer.z == 0.0003
    own = ItemState.start(Facts()).with_z_typed("0.0004").with_class("STAR")
    assert own.answer.z == 0.0004
    blind = ItemState.start(Facts()).with_class("STAR").with_class("QSO")
    assert blind.answer.z is None


def test_the_pipelines_answer_is_one_key_where_it_is_known():
    state = ItemState.start(SEEN).with_z_typed("1").with_pipeline()
    assert state.answer == Answer("QSO", 2.3042, z_source="pipeline")
    for refused in (ItemState.with_pipeline, ItemState.with_pipeline_z):
        with pytest.raises(Refused):
            refused(ItemState.start(Facts()))
    with pytest.raises(Refused):
        ItemState.start(Facts(0, "", 2.0)).with_pipeline()


def test_impossible_values_are_refused_and_change_nothing():
    state = ItemState.start(SEEN)
    for change in (
        lambda: state.with_quality(5),
        lambda: state.with_line("Lyα", 7.5),
        lambda: state.with_z_typed("eight"),
        lambda: ItemState.start(Facts(0, "QSO", 7.0)).with_z_stepped(0.01),
    ):
        with pytest.raises(Refused):
            change()


def test_a_much_masked_spectrum_is_asked_about_once_and_tagged():
    state = ItemState.start(Facts(0.34)).with_class("QSO").with_z_typed("2").with_quality(3)
    with pytest.raises(MaskedWarning, match="34 %") as warning:
        state.with_commit_asked()
    accepted = warning.value.state.with_commit_asked()
    assert accepted.tags == ("masked",)
    with pytest.raises(MaskedWarning):
        accepted.with_quality(4).with_commit_asked()
    assert state.with_quality(2).with_commit_asked().tags == ()


def test_an_incomplete_answer_is_not_committed():
    with pytest.raises(Refused, match="class"):
        ItemState.start(SEEN).with_quality(3).with_commit_asked()


def test_a_draft_comes_back_as_it_was():
    state = ItemState.start(SEEN, 5000.0).with_class("QSO").with_issue_toggled("R").with_comment("BAL")
    state = state.with_cursor(5120.0).with_line("C IV", 2.31)
    back = ItemState.start(SEEN, 5000.0).restored(state.to_json())
    assert (back.answer, back.cursor, back.named) == (state.answer, 5120.0, "C IV")
    assert ItemState.start(SEEN).restored({"answer": 3, "cursor": "x", "named": 5}) == ItemState.start(SEEN)


class Walk(RuleBasedStateMachine):
    """Any keys in any order: the answer stays one that storage takes, or is refused with a reason."""

    def __init__(self):
        super().__init__()
        self.state = self.before_last = ItemState.start(Facts(0.3, "QSO", 2.3))

    def change(self, step):
        before = self.state
        with contextlib.suppress(Refused):
            self.state = step(before)
        assert before == self.before_last
        self.before_last = self.state

    @rule(spectype=st.sampled_from(["STAR", "GALAXY", "QSO"]))
    def class_(self, spectype):
        self.change(lambda state: state.with_class(spectype))

    @rule(quality=st.integers(-1, 5))
    def quality(self, quality):
        self.change(lambda state: state.with_quality(quality))

    @rule(step=st.sampled_from([0.01, -0.01, 0.0001, -0.0001]), times=st.integers(1, 80))
    def step(self, step, times):
        for _ in range(times):
            self.change(lambda state: state.with_z_stepped(step))

    @rule(text=st.text(max_size=6) | st.floats(-1, 9).map(str))
    def type_z(self, text):
        self.change(lambda state: state.with_z_typed(text))

    @rule(letter=st.sampled_from("RCS"))
    def issue(self, letter):
        self.change(lambda state: state.with_issue_toggled(letter))

    @rule()
    def pipeline(self):
        self.change(ItemState.with_pipeline)

    @invariant()
    def storable(self):
        answer = self.state.answer
        assert answer.z is None or -0.01 <= answer.z <= 7
        assert answer.quality in (None, 0, 1, 2, 3, 4)
        assert (answer.z is None) == (answer.z_source is None)
        assert ItemState.start(self.state.facts).restored(self.state.to_json()).answer == answer
        if answer.refusal() is None and answer.quality:
            assert answer.spectype is not None
            assert answer.z is not None


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


FITS = (PipelineAnswer("QSO", 2.3042), PipelineAnswer("GALAXY", 0.842), PipelineAnswer("STAR", 0.0))


def test_the_pipelines_fits_are_gone_through_and_a_takes_the_shown_one():
    state = ItemState.start(Facts(0.0, "QSO", 2.3042, FITS))
    with pytest.raises(Refused, match="best fit"):
        state.with_fit_stepped(-1)
    second = state.with_fit_stepped(1)
    assert (second.answer.z, second.answer.z_source, second.answer.spectype) == (0.842, "pipeline", None)
    assert second.with_pipeline().answer.spectype == "GALAXY"
    with pytest.raises(Refused, match="last fit"):
        second.with_fit_stepped(1).with_fit_stepped(1)
    back = second.with_z_stepped(0.01).with_pipeline_z()
    assert (back.fit, back.answer.z) == (0, 2.3042)
    assert state.restored(second.to_json()).shown_fit == FITS[1]
    assert ItemState.start(Facts()).restored(second.to_json()).fit == 0, "the fits are gone, or hidden"


def test_without_fits_the_keys_say_so():
    with pytest.raises(Refused, match="only its best"):
        ItemState.start(Facts(0.0, "QSO", 2.0)).with_fit_stepped(1)
    with pytest.raises(Refused, match="no fit"):
        ItemState.start(Facts()).with_fit_stepped(1)
    with pytest.raises(Refused, match="0 fits"):
        ItemState.start(Facts()).with_fit(1)


def test_a_fit_carries_its_error_until_z_is_set_otherwise():
    fitted = ItemState.start(Facts(), 5120.0).with_line("C IV", 2.3).with_z_fitted(2.3051, 0.0004)
    assert (fitted.answer.z_source, fitted.answer.z_error, fitted.named) == ("fit", 0.0004, "C IV")
    assert fitted.restored(fitted.to_json()).answer == fitted.answer
    for changed in (fitted.with_z_stepped(0.01), fitted.with_z_typed("2.4"), fitted.with_line("Mg II", 0.8)):
        assert changed.answer.z_error is None
    star_and_back = fitted.with_class("STAR").with_class("QSO")
    assert (star_and_back.answer.z, star_and_back.answer.z_error) == (2.3051, 0.0004)
    with pytest.raises(Refused, match="outside"):
        fitted.with_z_fitted(7.2, 0.1)


def test_standard_comments_are_appended_once():
    state = ItemState.start(Facts()).with_comment("weak").with_standard_comment("b")
    assert state.answer.comment == "weak Broad absorption line quasar (BAL)"
    assert state.with_standard_comment("z").answer.comment.endswith("(BAL) Blazar")
    with pytest.raises(Refused, match="says so already"):
        state.with_standard_comment("b")
    with pytest.raises(Refused, match="no such comment; b BAL d DLA"):
        state.with_standard_comment("q")
    with pytest.raises(Refused, match="100 characters"):
        state.with_comment("x" * 90).with_standard_comment("d")
