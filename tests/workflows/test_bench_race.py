"""The bench of the race: what it replays, and what it says of that."""

import math
from dataclasses import replace

import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.workflows import bench_race
from qnet_tui.workflows.bench_measure import note
from qnet_tui.workflows.bench_race_calls import CommitteeCalls, Effort, calls_made, drawn_up


@pytest.fixture(scope="module")
def calls() -> np.ndarray:
    """Calls (3000, 24) of a pool that mostly agrees."""
    rng = np.random.default_rng(51)
    total = np.where(rng.random(3000) < 0.9, 0.03, 1.5)
    weights = rng.standard_gamma(np.repeat(total[:, None] / 3, 3, axis=1)) + 1e-300
    edges = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    u = rng.random((3000, 24))
    return ((u > edges[:, :1]).astype(np.int8) + (u > edges[:, 1:2])).astype(np.int8)


@pytest.fixture(scope="module")
def margins(calls: np.ndarray) -> np.ndarray:
    """Of the calls: those that most networks share are far from any other."""
    counts = np.stack([(calls == k).sum(axis=1) for k in range(3)], axis=1)
    shared = np.take_along_axis(counts, calls.astype(np.int64), axis=1) / calls.shape[1]
    return np.abs(np.random.default_rng(52).normal(5 * shared**2, 1.0)).astype(np.float32)


def test_races_save_and_lose_what_they_say(calls: np.ndarray, margins: np.ndarray) -> None:
    races = {race.rule: race for race in bench_race._races(calls, margins, 30, 1, 30)}
    assert list(races) == ["sound", "exact", "calibrated without margins", "calibrated"]
    assert races["exact"].lost == 0
    assert races["exact"].recall == 1.0
    assert 1.0 < races["exact"].saving < races["sound"].saving < races["sound"].bound
    assert races["sound"].saving < races["sound"].most
    assert races["sound"].recall >= 0.99
    for race in races.values():
        assert race.h_low <= race.cut
        assert race.interval[0] <= race.recall <= race.interval[1]


def test_a_line_says_whether_the_promise_is_kept(calls: np.ndarray, margins: np.ndarray) -> None:
    race = bench_race._races(calls, margins, 30, 1, 5)[0]
    kept = bench_race._line(replace(race, saving=8.1, bound=10.0, lost=0), "1 %", "not drawn", 0.8)
    assert (kept.ratio, kept.met) == (pytest.approx(0.81), True)
    assert bench_race._line(replace(race, saving=7.9, bound=10.0, lost=0), "1 %", "not drawn", 0.8).met is False
    lossy = replace(race, saving=9.9, bound=10.0, lost=race.tried // 20)
    assert bench_race._line(lossy, "1 %", "not drawn", 0.8).met is False
    assert bench_race._line(race, "1 %", "not drawn", None).met is None
    scoring = replace(note("scoring", ""), ratio=8.0)
    assert bench_race._combined(replace(race, saving=6.0, lost=0), scoring, True).ratio == pytest.approx(48.0)


def test_a_drawn_pool_looks_like_the_one_it_is_drawn_from(calls: np.ndarray, margins: np.ndarray) -> None:
    drawn, far = drawn_up(CommitteeCalls(calls, margins, ""), 60, 20_000)
    assert drawn.shape == far.shape == (20_000, 60)
    for k in range(3):
        assert abs(far[drawn == k].mean() - margins[calls == k].mean()) < 0.2
    # A row that is agreed on is as far as it was: margins follow their rows.
    assert far[(drawn == drawn[:, :1]).all(axis=1)].mean() > far[(drawn != drawn[:, :1]).any(axis=1)].mean() + 1
    for k in range(3):
        assert abs((drawn == k).mean() - (calls == k).mean()) < 0.03
    assert abs(bench_race._agreed(drawn) - bench_race._agreed(calls)) < 0.1


def test_a_committee_is_made_and_asked() -> None:
    made = calls_made(Effort(rows=60, labels=40, networks=2, filters=4, epochs=1))
    assert made.calls.shape[1] == 2
    assert len(made.calls) > 50
    assert set(np.unique(made.calls)) <= {0, 1, 2}
    assert made.margins.shape == made.calls.shape
    assert (made.margins >= 0).all()
    assert not math.isnan(bench_race._agreed(made.calls))


def test_a_small_committee_is_not_raced(monkeypatch: pytest.MonkeyPatch, calls: np.ndarray) -> None:
    monkeypatch.setattr(
        bench_race, "calls_made", lambda *_: CommitteeCalls(calls[:, :8], np.ones((3000, 8), np.float32), "")
    )
    with pytest.raises(BadInput, match="8 networks are not raced"):
        bench_race.measure(workspace=None, round_number=None, quick=True)
