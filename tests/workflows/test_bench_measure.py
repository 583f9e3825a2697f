"""How a bench measures: in a process of its own, without what slows the peers."""

import os

import pytest

from qnet_tui.errors import QnetError
from qnet_tui.workflows.bench_measure import (
    SLOWING,
    Measure,
    Rate,
    exact_count,
    faster,
    in_clean_process,
    note,
    rates_in_turn,
    slowing_here,
)


def surroundings(*, progress, word: str) -> list[Measure]:
    """What the measuring process sees; it prints on stdout, as libraries do."""
    print("noise")
    progress(word, 1, 2)
    return [note("threads", os.environ["OMP_NUM_THREADS"]), exact_count("slowing", len(slowing_here()), "", word, 0)]


def failing(*, progress) -> list[Measure]:
    raise QnetError("no luck")


def test_what_slows_a_peer_is_told_and_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "OPENBLAS_CORETYPE=Haswell" in slowing_here()
    assert "OPENBLAS_CORETYPE" in SLOWING
    said = []
    threads, slowing = in_clean_process(f"{__name__}:surroundings", lambda *stage: said.append(stage), word="stage")
    assert threads.detail == "1"
    assert (slowing.ours, slowing.met, slowing.detail) == (0, True, "stage")
    assert said == [("stage", 1, 2)]


def test_what_fails_there_fails_here() -> None:
    with pytest.raises(QnetError, match="no luck"):
        in_clean_process(f"{__name__}:failing")


def test_a_ratio_is_that_of_the_rates() -> None:
    found = faster("a / b", Rate(6.0, 5.0, 7.0, 3), Rate(2.0, 1.0, 3.0, 3), "rows", "how", 4.0)
    assert (found.ratio, found.target, found.met, found.at_least) == (3.0, 4.0, False, True)
    assert faster("a / b", Rate(6.0, 5.0, 7.0, 3), Rate(2.0, 1.0, 3.0, 3), "rows", "how").met is None


def test_candidates_are_taken_in_turn_and_the_first_round_is_not_counted() -> None:
    order = []
    found = rates_in_turn({"a": lambda: order.append("a") or 5, "b": lambda: order.append("b") or 7}, 3)
    assert order == ["a", "b"] * 4
    assert found["a"].rounds == 3
    assert found["a"].low <= found["a"].per_second <= found["a"].high
