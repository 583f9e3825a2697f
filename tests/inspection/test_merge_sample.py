"""The random tenth, and the order of votes that hides who is who."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.inspection.merge_sample import random_tenth, shuffled

NAMES = [f"desi:{39627000000000000 + number}" for number in range(1000)]


@pytest.mark.parametrize(("objects", "tenth"), [(0, 0), (1, 1), (9, 1), (14, 1), (15, 2), (212, 21), (1000, 100)])
def test_a_tenth_but_at_least_one(objects, tenth):
    assert len(random_tenth("ws", NAMES[:objects])) == tenth


def test_the_tenth_depends_on_the_campaign_and_on_nothing_else():
    assert random_tenth("ws", NAMES) == random_tenth("ws", reversed(NAMES))
    assert random_tenth("ws", NAMES) != random_tenth("other", NAMES)


def test_every_object_is_as_likely_as_another():
    chosen = [name in random_tenth(f"campaign {number}", NAMES[:50]) for number in range(200) for name in NAMES[:50]]
    per_object = [sum(chosen[at::50]) for at in range(50)]
    # 20 of 200 expected with a standard deviation of 4.2.
    assert min(per_object) > 3
    assert max(per_object) < 40


@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=60), st.sampled_from(NAMES))
def test_another_object_displaces_one_at_most(objects, more):
    before, after = random_tenth("ws", objects), random_tenth("ws", objects | {more})
    assert len(before - after) <= 1
    assert after <= before | {more} or len(after) == len(before) + 1


def test_who_is_a_changes_from_object_to_object_but_never_for_one():
    people = ["ABC", "DEF", "GHI"]
    orders = [tuple(shuffled(name, people)) for name in NAMES]
    assert [tuple(shuffled(name, people)) for name in NAMES] == orders
    assert len(set(orders)) == 6
    assert people == ["ABC", "DEF", "GHI"]
    assert 250 < sum(order[0] == "ABC" for order in orders) < 420
