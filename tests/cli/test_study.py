"""``qnet study`` as it is called: the plan, refusals in one line, what a finished one prints."""

from pathlib import Path
from typing import Any

import pytest


def test_a_dry_run_counts_and_registers_nothing(qnet: Any, ready: Path) -> None:
    done = qnet("study", "-w", ready, "--start", 20, "--ask", 5, "--seeds", 2, "--networks", 2, "--strategies", "bald",
                "--random-labels", "5,10", "--dry-run", "--json")  # fmt: skip
    assert done.code == 0, done.err
    assert done.json["arms"] == ["bald", "bald+map"]
    assert done.json["networks"] == 2 * 2 * (1 + 2 + 4)
    said = qnet("study", "-w", ready, "--start", 20, "--ask", 5, "--dry-run").out
    assert "core hours" in said
    assert "unreadable" in said
    assert qnet("runs", "list", "-w", ready, "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(("--strategies", "entropi"), "entropi"), (("--random-labels", "3,x"), "--random-labels"),
     (("--start", 100000), "need"), (("--show", "st-0009"), "st-0009"), (("--resume", "st-0009"), "st-0009")],
)  # fmt: skip
def test_bad_input_is_one_line(qnet: Any, ready: Path, arguments: tuple[Any, ...], word: str) -> None:
    done = qnet("study", "-w", ready, "--on-login-node", *arguments)
    assert done.code in (1, 2)
    assert word in done.err
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
