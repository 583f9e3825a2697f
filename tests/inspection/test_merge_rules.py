"""The nine vectors of the specification, and what a vote without a redshift does."""

from dataclasses import dataclass

import pytest

from qnet_tui.inspection.merge_rules import MergeRule, propose


@dataclass(frozen=True)
class Cast:
    z: float | None
    quality: int
    spectype: str | None
    inspector: str = "ABC"
    issues: str = ""
    comment: str = ""


@pytest.mark.parametrize(
    ("redshifts", "qualities", "classes", "conflicts", "z", "quality"),
    [
        ((2.5000, 2.5115), (4, 4), "QQ", (), 2.50575, 4.0),
        ((2.5000, 2.5116), (4, 4), "QQ", ("z",), None, 4.0),
        ((2.0000, 2.0050, 2.0098), (4, 3, 3), "QQQ", (), 2.0049333, 3.3333),
        ((2.0000, 2.0050, 2.0099), (4, 3, 3), "QQQ", ("z",), None, 3.3333),
        ((1.0000, 1.0066), (3, 3), "QQ", ("z",), None, 3.0),
        ((1.0, 1.0, 1.0), (4, 3, 2), "GGG", ("quality",), 1.0, 3.0),
        ((1.0, 1.0, 1.0), (3, 3, 2), "GGG", (), 1.0, 2.6667),
        ((1.0, 1.0, 1.0), (3, 2, 2), "GGG", (), 1.0, 2.3333),
        ((1.0, 1.0, 1.0), (4, 4, 4), "QQG", ("class",), 1.0, 4.0),
    ],
)
def test_vectors(redshifts, qualities, classes, conflicts, z, quality):
    names = {"Q": "QSO", "G": "GALAXY"}
    votes = [Cast(a, b, names[c]) for a, b, c in zip(redshifts, qualities, classes, strict=True)]
    got = propose(votes, MergeRule())
    assert got.conflicts == conflicts
    assert got.quality == pytest.approx(quality, abs=1e-4)
    if z is not None:
        assert got.z == pytest.approx(z, abs=1e-7)


def test_a_vote_of_no_signal_counts_for_the_quality_only():
    got = propose([Cast(None, 0, None), Cast(2.0, 1, "QSO"), Cast(2.0, 1, "QSO")], MergeRule())
    assert got.conflicts == ()
    assert (got.spectype, got.z) == ("QSO", 2.0)
    assert got.quality == pytest.approx(2 / 3)


def test_issues_are_a_sorted_union_and_comments_keep_their_author():
    got = propose([Cast(1, 3, "QSO", "ABC", "R", "BAL"), Cast(1, 3, "QSO", "XYZ", "CR", "")], MergeRule())
    assert got.issues == "CR"
    assert got.comment == "ABC: BAL"


def test_one_vote_is_its_own_merge():
    got = propose([Cast(0.3, 2, "GALAXY")], MergeRule())
    assert (got.conflicts, got.spectype, got.z, got.quality) == ((), "GALAXY", 0.3, 2.0)


def test_no_votes_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no votes"):
        propose([], MergeRule())
