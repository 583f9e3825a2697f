"""What ``qnet vi agreement`` counts: which votes, which pairs of people, and who departs from what was merged."""

from pathlib import Path

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.workflows.agreement import agreement
from qnet_tui.workflows.merge import MergeOptions, MergeSession, accept_agreed
from storage.workspace import Workspace
from tests.workflows.merging import AGREED, BY_CLASS, BY_QUALITY, NO_SIGNAL, Clock, campaign_of, identity, say


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = campaign_of(
        tmp_path_factory.mktemp("ws") / "ws", [*[AGREED] * 4, BY_CLASS, BY_QUALITY, NO_SIGNAL, AGREED[:1]]
    )
    session = MergeSession.open(root, MergeOptions("MRG"), now=Clock(), os_user="max")
    session.accept_agreed(unseen=True)
    session.settle(session.go_to(identity(4)).start.with_proposal())
    session.settle(session.go_to(identity(5)).start.with_quality(4))
    session.close()
    return root


def test_every_figure_has_its_n_and_an_interval(root):
    got = agreement(root)
    figures = {one.name: one for one in got.overall}
    assert (got.objects, got.votes) == (7, 21)
    # No signal says nothing of class and redshift, but has a quality.
    assert {name: one.n for name, one in figures.items()} == {
        "same class": 6, "Fleiss' kappa": 6, "Gwet's AC1": 6, "alpha of quality": 7, "same z": 6,
    }  # fmt: skip
    assert figures["same class"].value == pytest.approx((5 + 1 / 3) / 6)
    assert figures["same z"].value == pytest.approx(16 / 18)
    for one in figures.values():
        assert one.value is not None
        assert one.low <= one.value <= one.high


def test_pairs_share_the_objects_of_both(root):
    pairs = {(pair.first, pair.second): pair for pair in agreement(root).pairs}
    assert set(pairs) == {("ABC", "DEF"), ("ABC", "GHI"), ("DEF", "GHI")}
    assert (pairs["ABC", "DEF"].same_class.value, pairs["ABC", "DEF"].same_class.n) == (1.0, 6)
    assert pairs["ABC", "DEF"].kappa.value is None, "both only ever said QSO"
    assert pairs["DEF", "GHI"].same_class.value == pytest.approx(5 / 6)
    assert pairs["DEF", "GHI"].kappa.value == pytest.approx(0.0)
    assert pairs["DEF", "GHI"].same_z.value == pytest.approx(5 / 6)


def test_departures_from_what_was_merged(root):
    found = {one.inspector: one for one in agreement(root).inspectors}
    assert {code: (one.any.value, one.any.n) for code, one in found.items()} == {
        "ABC": (0.0, 7), "DEF": (0.0, 7), "GHI": (pytest.approx(2 / 7), 7),
    }  # fmt: skip
    ghi = found["GHI"]
    assert [one.value for one in (ghi.by_class, ghi.by_z, ghi.by_quality)] == pytest.approx([1 / 7, 1 / 7, 1 / 7])
    assert ghi.any.low < 2 / 7 < ghi.any.high


def test_a_label_that_rests_on_one_vote_says_nothing_of_its_author(tmp_path):
    root = campaign_of(tmp_path / "ws", [("Q 2.3 4",), ("G 0.4 3",)], votes=1)
    accept_agreed(root, "abc")
    got = agreement(root)
    assert (got.objects, got.inspectors, got.pairs) == (0, (), ())
    assert all(one.value is None for one in got.overall)


def test_two_people_who_share_only_what_shows_nothing_are_no_trouble(tmp_path):
    root = campaign_of(tmp_path / "ws", [NO_SIGNAL[:2]], votes=2)
    (pair,) = agreement(root).pairs
    assert (pair.kappa.n, pair.same_class.value, pair.same_z.value) == (0, None, None)


def test_a_vote_that_was_replaced_does_not_count_and_rounds_are_apart(tmp_path):
    root = campaign_of(tmp_path / "ws", [("Q 2.3 4", "G 0.4 4")], votes=2)
    assert {one.name: one.value for one in agreement(root).overall}["same class"] == 0.0
    with Workspace.open(root) as ws:
        say(ws, "DEF", 1, "Q 2.3 4")
    assert {one.name: one.value for one in agreement(root, round_number=1).overall}["same class"] == 1.0
    with pytest.raises(BadInput, match="no round 2"):
        agreement(root, round_number=2)
