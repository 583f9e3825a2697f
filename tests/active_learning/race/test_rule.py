"""A rule's tables, its exact loss, and its file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qnet_tui.active_learning.race.exact import exact_rule
from qnet_tui.active_learning.race.patterns import patterns_of
from qnet_tui.active_learning.race.replay import replay
from qnet_tui.active_learning.race.rule import RaceRule, read_rule, scouting, write_rule
from qnet_tui.active_learning.race.sound import sound_rule
from qnet_tui.errors import QnetError
from tests.active_learning.race.by_brute_force import all_orders, ever_dropped, random_rule


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 7), st.integers(0, 10_000))
def test_the_loss_is_that_of_all_orders(n_networks: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rule = random_rule(n_networks, rng)
    finals = patterns_of(n_networks)
    some = finals[rng.permutation(len(finals))[:3]]
    counted = [ever_dropped(rule, all_orders(tuple(int(v) for v in f))).mean() for f in some]
    np.testing.assert_allclose(rule.loss_probability(some), counted, atol=1e-12)
    np.testing.assert_allclose(rule.loss_probability(some[:, [2, 0, 1]]), counted, atol=1e-12)


def test_the_loss_is_that_of_many_races() -> None:
    rule = random_rule(20, np.random.default_rng(4), share=0.04)
    finals = np.array([[20, 0, 0], [12, 5, 3], [7, 7, 6]])
    rng = np.random.default_rng(5)
    for counts, p in zip(finals, rule.loss_probability(finals), strict=True):
        calls = rng.permuted(np.tile(np.repeat(np.arange(3), counts), (20_000, 1)), axis=1)
        lost = 1.0 - replay(calls, rule).kept.mean()
        assert abs(lost - p) < 5 * np.sqrt(max(p * (1 - p), 1e-9) / 20_000) + 1e-12


def test_a_row_with_an_answer_missing_never_leaves() -> None:
    rule = exact_rule(20, 1.5)
    n = rule.looks[-1]
    gone = rule.dropped(n, np.array([[n, 0, 0], [0, n, 0], [n - 1, 0, 0], [0, 0, 0]]))
    np.testing.assert_array_equal(gone, [True, True, False, False])


def test_who_asks_wrongly_is_told() -> None:
    rule = exact_rule(20, 1.5)
    with pytest.raises(ValueError, match="does not look"):
        rule.dropped(3, np.array([[3, 0, 0]]))
    with pytest.raises(ValueError, match="sum to the 20"):
        rule.loss_probability(np.array([[19, 0, 0]]))


def _same(one: RaceRule, other: RaceRule) -> bool:
    facts = ("kind", "n_networks", "looks", "h_low", "delta", "note", "far")
    return all(getattr(one, f) == getattr(other, f) for f in facts) and all(
        np.array_equal(a, b) for a, b in zip(one.tables, other.tables, strict=True)
    )


def test_a_rule_comes_back_from_its_file(tmp_path: Path) -> None:
    far = replace(sound_rule(24, 1.2), kind="calibrated", far=((4, 1.5), (6, 0.25)))
    for rule in (sound_rule(24, 1.2), exact_rule(16, 0.0), random_rule(9, np.random.default_rng(1)), far):
        write_rule(tmp_path / "rule.npz", rule)
        assert _same(read_rule(tmp_path / "rule.npz"), rule)


def test_a_file_from_before_margins_is_read_and_one_from_later_is_refused(tmp_path: Path) -> None:
    path, rule = tmp_path / "rule.npz", sound_rule(20, 1.2)
    write_rule(path, rule)
    with np.load(path) as stored:
        arrays = dict(stored)
    facts = json.loads(str(arrays.pop("rule")))
    del facts["far"]
    np.savez(path, rule=np.array(json.dumps(facts | {"format": 1})), **arrays)
    assert _same(read_rule(path), rule)
    np.savez(path, rule=np.array(json.dumps(facts | {"format": 3})), **arrays)
    with pytest.raises(QnetError, match="another format"):
        read_rule(path)


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rule.npz"
    write_rule(path, exact_rule(20, 1.2))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(QnetError, match="cannot be read"):
        read_rule(path)
    with pytest.raises(QnetError, match="cannot be read"):
        read_rule(tmp_path / "none.npz")


def test_disputed_rows_are_scouted_no_longer_than_a_rule_keeps_them() -> None:
    assert [scouting("calibrated", n) for n in (16, 60, 200)] == [12, 12, 12]
    assert [scouting("sound", n) for n in (16, 60, 200)] == [12, 12, 25]
    # So hardly anybody who is scouted would have left before.
    rule = sound_rule(200, 1.2)
    assert rule.first_unanimous_drop > 12
    assert not rule.dropped(scouting("sound", 200), np.array([[23, 2, 0]])).any()
