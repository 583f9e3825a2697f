"""What is chosen to be seen, and what comes next."""

from dataclasses import replace

from qnet_tui.tui.review_choices import Choices
from qnet_tui.tui.review_words import DV_MAX
from qnet_tui.workflows.review.tab import Asked, Tab

TAB = Tab("thresholds", (), (), Asked(round=2), rounds=(0, 2, 1), datasets=("AL 1", "AL 2"), thresholds=(0.5, 0.9),
          bys=("epoch", "z"))  # fmt: skip


def shown(tab, name, choices):
    """The tab as it answers what is chosen."""
    asked = choices.asked(name)
    return replace(tab, asked=replace(asked, round=2 if asked.round is None else asked.round))


def test_rounds_go_in_order_and_stop_at_the_ends():
    choices = Choices.of("map", Asked())
    assert choices.asked("map").round is None
    back = choices.with_round(TAB, -1)
    assert back.asked("map").round == 1
    assert back.asked("entropy").round == 1, "the same round in every tab"
    first = back.with_round(shown(TAB, "map", back), -1)
    assert first.asked("map").round == 0
    assert first.with_round(shown(TAB, "map", first), -1) == first
    assert choices.with_round(TAB, 1).asked("map").round == 2
    assert first.with_round(None, 1).asked("map").round is None, "a tab that failed goes back to its own"


def test_datasets_belong_to_their_tab_and_go_round():
    choices = Choices.of("completeness", Asked())
    tab, seen = replace(TAB, asked=Asked()), []
    for _ in range(4):
        choices = choices.with_dataset("completeness", tab, 1, has_all=True)
        tab = shown(TAB, "completeness", choices)
        seen.append(tab.asked.dataset)
    assert seen == ["AL 1", "AL 2", "", "AL 1"]
    assert choices.asked("weights").dataset == ""
    own = replace(TAB, asked=Asked(dataset="AL 2"))
    assert Choices().with_dataset("weights", own, 1, has_all=False).asked("weights").dataset == "AL 1"
    assert Choices().with_dataset("weights", own, -1, has_all=False).asked("weights").dataset == "AL 1"
    assert Choices.of("a", Asked(dataset="gone")).with_dataset("a", None, 1, has_all=False).asked("a").dataset == ""


def test_thresholds_begin_at_the_one_that_was_asked_for():
    choices = Choices.of("completeness", Asked(c_threshold=0.95))
    up = choices.with_threshold(TAB, 1)
    assert up.asked("completeness").c_threshold == 0.5, "above 0.95 there is none: round to the lowest"
    assert choices.with_threshold(TAB, -1).asked("completeness").c_threshold == 0.9
    assert choices.with_threshold(None, 1).asked("completeness").c_threshold == 0.95


def test_redshift_condition_and_what_it_is_shown_against():
    choices = Choices().with_redshift_condition_turned()
    assert choices.asked("thresholds").dv_max == DV_MAX
    assert choices.with_redshift_condition_turned().asked("thresholds").dv_max is None
    by = Choices().with_by("completeness", replace(TAB, asked=Asked(by="epoch")))
    assert by.asked("completeness").by == "z"
    assert by.with_by("completeness", replace(TAB, asked=Asked(by="z"))).asked("completeness").by == "epoch"
    assert Choices().with_by("map", replace(TAB, bys=())).asked("map").by == ""
