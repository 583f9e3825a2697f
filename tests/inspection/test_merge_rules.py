"""The nine vectors of the specification under both rules, what is offered in a conflict, what holds for any votes."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.inspection.merge_rules import (
    MergeRule,
    PipelineAnswer,
    joined_comments,
    merged_comment,
    merger_comment,
    propose,
    separation,
)

QNET = MergeRule()
DESI = MergeRule(name="desi2021")
NAMES = {"Q": "QSO", "G": "GALAXY", "S": "STAR"}


@dataclass(frozen=True)
class Cast:
    z: float | None
    quality: int
    spectype: str | None
    inspector: str = "ABC"
    issues: str = ""
    comment: str = ""


def cast(redshifts, qualities, classes):
    return [Cast(a, b, NAMES[c]) for a, b, c in zip(redshifts, qualities, classes, strict=True)]


VECTORS = [
    ((2.5000, 2.5115), (4, 4), "QQ", 0.0032857, (), 2.50575, 4.0),
    ((2.5000, 2.5116), (4, 4), "QQ", 0.0033143, ("z",), None, 4.0),
    ((2.0000, 2.0050, 2.0098), (4, 3, 3), "QQQ", 0.0032667, (), 2.0049333, 3.3333),
    ((2.0000, 2.0050, 2.0099), (4, 3, 3), "QQQ", 0.0033000, ("z",), None, None),
    ((1.0000, 1.0066), (3, 3), "QQ", 0.0033000, ("z",), None, 3.0),
    ((1.0, 1.0, 1.0), (4, 3, 2), "GGG", 0.0, ("quality",), 1.0, None),
    ((1.0, 1.0, 1.0), (3, 3, 2), "GGG", 0.0, (), 1.0, 2.6667),
    ((1.0, 1.0, 1.0), (3, 2, 2), "GGG", 0.0, (), 1.0, 2.3333),
    ((1.0, 1.0, 1.0), (4, 4, 4), "QQG", 0.0, ("class",), 1.0, 4.0),
]


@pytest.mark.parametrize(("redshifts", "qualities", "classes", "dz", "conflicts", "z", "quality"), VECTORS)
def test_vectors(redshifts, qualities, classes, dz, conflicts, z, quality):
    got = propose(cast(redshifts, qualities, classes), QNET)
    assert got.conflicts == conflicts
    assert got.dz == pytest.approx(dz, abs=5e-8)
    if not conflicts:
        assert got.z == pytest.approx(z, abs=5e-8)
        assert got.quality == pytest.approx(quality, abs=5e-5)
        assert got.spectype == NAMES[classes[0]]


@pytest.mark.parametrize(("redshifts", "qualities", "classes", "dz", "conflicts", "z", "quality"), VECTORS)
def test_vectors_under_desi2021_differ_at_the_edge_alone(redshifts, qualities, classes, dz, conflicts, z, quality):
    got = propose(cast(redshifts, qualities, classes), DESI)
    if redshifts == (1.0000, 1.0066):
        assert (got.conflicts, got.z, got.quality) == ((), pytest.approx(1.0033), 3.0)
    else:
        assert got.conflicts == conflicts


@pytest.mark.parametrize(("quality", "good"), [((4, 3, 3), True), ((3, 3, 2), True), ((3, 2, 2), False)])
def test_a_mean_of_three_is_good_from_two_and_a_half(quality, good):
    got = propose(cast((1.0, 1.0, 1.0), quality, "GGG"), QNET).quality
    assert got is not None
    assert (got >= 2.5) is good


def test_two_of_three_are_offered_with_their_own_redshift_and_quality():
    votes = cast((2.3042, 2.3051, 0.8420), (4, 3, 2), "QQG")
    votes[2] = replace(votes[2], issues="R")
    got = propose(votes, QNET)
    assert got.conflicts == ("class", "z", "quality")
    assert (got.words, got.backing, got.spectype) == ("2 of 3", 2, "QSO")
    assert got.z == pytest.approx(2.30465)
    assert (got.quality, got.issues) == (3.5, "R")
    assert got.outside == (frozenset(), frozenset(), frozenset({"class", "z", "quality"}))


def test_three_different_classes_offer_nothing_and_all_are_marked():
    got = propose(cast((2.3, 0.8, 0.0), (3, 3, 3), "QGS"), QNET)
    assert (got.words, got.spectype, got.z) == ("", None, None)
    assert got.outside == (frozenset({"class", "z"}),) * 3


def test_of_a_chain_the_closer_two_are_offered_and_of_two_equal_pairs_none():
    got = propose(cast((2.000, 2.006, 2.0155), (4, 4, 4), "QQQ"), QNET)
    assert (got.words, got.z) == ("2 of 3", pytest.approx(2.003))
    assert got.outside == (frozenset(), frozenset(), frozenset({"z"}))
    # Exactly as far apart, also in binary.
    assert propose(cast((0.0, 0.003, 0.006009), (4, 4, 4), "QQQ"), QNET).words == ""
    assert propose(cast((1.0, 1.0, 2.0, 2.0), (4, 4, 4, 4), "QQQQ"), QNET).words == ""


def test_two_votes_that_differ_have_no_majority():
    got = propose(cast((2.3, 0.8), (3, 3), "QG"), QNET)
    assert (got.words, got.spectype, got.z) == ("", None, None)


def test_a_quality_in_dispute_is_offered_where_most_agree():
    got = propose(cast((1.0, 1.0, 1.0), (4, 3, 1), "GGG"), QNET)
    assert (got.words, got.quality, got.spectype, got.z) == ("2 of 3", 3.5, "GALAXY", 1.0)
    assert got.outside == (frozenset(), frozenset(), frozenset({"quality"}))
    even = propose(cast((1.0, 1.0, 1.0), (4, 3, 2), "GGG"), QNET)
    assert (even.words, even.quality) == ("", None)
    assert even.outside == (frozenset({"quality"}), frozenset(), frozenset({"quality"}))


def test_the_two_of_three_may_dispute_their_quality():
    got = propose(cast((1.0, 1.0, 0.2), (4, 2, 4), "QQG"), QNET)
    assert (got.words, got.spectype, got.z, got.quality) == ("", "QSO", 1.0, None)


def test_a_vote_of_no_signal_counts_for_the_quality_only():
    got = propose([Cast(None, 0, "STAR"), Cast(2.0, 1, "QSO"), Cast(2.0, 1, "QSO")], QNET)
    assert got.conflicts == ()
    assert (got.spectype, got.z) == ("QSO", 2.0)
    assert got.quality == pytest.approx(2 / 3)
    nothing = propose([Cast(None, 0, "STAR"), Cast(None, 0, "QSO")], QNET)
    assert (nothing.conflicts, nothing.spectype, nothing.z, nothing.quality) == ((), None, None, 0.0)


def test_desi2021_takes_the_pipelines_answer_for_a_blank():
    votes = [Cast(None, 0, None), Cast(2.0, 1, "QSO")]
    clash = propose(votes, DESI, PipelineAnswer("GALAXY", 0.5))
    assert clash.conflicts == ("class", "z")
    same = propose(votes, DESI, PipelineAnswer("QSO", 2.004))
    assert (same.conflicts, same.z, same.quality) == ((), pytest.approx(2.002), 0.5)


def test_desi2021_offers_the_first_vote_but_never_a_disputed_quality():
    got = propose(cast((0.8420, 2.3042, 2.3051), (2, 4, 3), "GQQ"), DESI)
    assert (got.words, got.spectype, got.z, got.quality) == ("first vote", "GALAXY", 0.8420, None)


def test_stars_are_compared_in_velocity_also_below_zero():
    assert propose(cast((-0.0005, 0.0027), (4, 4), "SS"), QNET).conflicts == ()
    assert propose(cast((-0.0005, 0.0029), (4, 4), "SS"), QNET).conflicts == ("z",)


def test_issues_are_a_sorted_union_and_comments_keep_their_author():
    votes = [
        Cast(1, 3, "QSO", "ABC", "R", "BAL"),
        Cast(1, 3, "QSO", "XYZ", "CR", ""),
        Cast(1, 3, "QSO", "DEF", "", "BAL"),
    ]
    got = propose(votes, QNET)
    assert got.issues == "CR"
    assert got.comment == "ABC: BAL; DEF: BAL"
    assert joined_comments(votes, DESI) == "BAL"


@pytest.mark.parametrize("rule", [QNET, DESI])
@pytest.mark.parametrize("own", ["", "clear C IV; sure"])
@pytest.mark.parametrize("comments", [("", ""), ("BAL", ""), ("BAL", "MRG: weak")])
def test_the_mergers_own_comment_is_found_again_behind_those_of_the_votes(rule, own, comments):
    votes = [Cast(1, 3, "QSO", code, "", text) for code, text in zip(("ABC", "DEF"), comments, strict=True)]
    stored = merged_comment(votes, rule, "MRG", own)
    assert merger_comment(stored, votes, rule, "MRG") == own
    assert all(text in stored for text in (*comments, own))


def test_one_vote_is_its_own_merge():
    got = propose([Cast(0.3, 2, "GALAXY", comment="blend")], QNET)
    assert (got.conflicts, got.spectype, got.z, got.quality, got.comment) == ((), "GALAXY", 0.3, 2.0, "blend")


def test_a_redshift_below_minus_one_is_never_close():
    assert separation([-1.5, 2.0]) == float("inf")
    assert separation([-1.5, -1.5]) == separation([2.0]) == 0.0


def test_what_the_caller_gets_wrong_is_said():
    with pytest.raises(ValueError, match="no votes"):
        propose([], QNET)
    with pytest.raises(ValueError, match="no merge rule"):
        propose(cast((1.0,), (3,), "Q"), MergeRule(name="mine"))


ONE_VOTE = st.builds(
    Cast,
    z=st.one_of(st.none(), st.sampled_from([0.5, 0.501, 0.504, 0.5049, 2.0, 2.005, 2.0099, -0.001, 0.002])),
    quality=st.integers(0, 4),
    spectype=st.sampled_from(["QSO", "GALAXY", "STAR"]),
    issues=st.sampled_from(["", "R", "CS"]),
)


@given(st.lists(ONE_VOTE, min_size=1, max_size=5), st.randoms())
def test_the_order_of_the_votes_does_not_matter(votes, random):
    order = list(range(len(votes)))
    random.shuffle(order)
    first, second = propose(votes, QNET), propose([votes[at] for at in order], QNET)
    assert second.conflicts == first.conflicts
    assert (second.spectype, second.words, second.issues, second.dz) == (
        first.spectype, first.words, first.issues, first.dz,
    )  # fmt: skip
    assert second.z == pytest.approx(first.z)
    assert second.quality == pytest.approx(first.quality)
    assert list(second.outside) == [first.outside[at] for at in order]


@given(st.lists(ONE_VOTE, min_size=1, max_size=5), st.sampled_from([QNET, DESI]))
def test_what_is_offered_was_said_by_somebody(votes, rule):
    got = propose(votes, rule)
    redshifts = [vote.z for vote in votes if vote.z is not None]
    assert got.spectype in {None, *(vote.spectype for vote in votes)}
    assert got.z is None or min(redshifts) - 1e-12 <= got.z <= max(redshifts) + 1e-12
    assert got.quality is None or min(v.quality for v in votes) <= got.quality <= max(v.quality for v in votes)
    assert not got.conflicts or any(got.outside)
    assert got.conflicts or not any(got.outside)
    if rule is QNET and got.words:
        assert 2 * got.backing > len([vote for vote in votes if not (vote.quality == 0 and vote.z is None)])


@given(st.lists(ONE_VOTE, min_size=1, max_size=4))
def test_everybody_twice_conflicts_in_the_same_things(votes):
    assert propose(votes * 2, QNET).conflicts == propose(votes, QNET).conflicts


@given(st.lists(ONE_VOTE, min_size=2, max_size=5))
def test_two_votes_taken_out_of_an_agreement_agree(votes):
    if not propose(votes, QNET).conflicts:
        assert not propose(votes[:2], QNET).conflicts
