"""The stop-watch of the bench, on a small program that answers keys in a known way."""

import os
import sys

import pytest

from qnet_tui.errors import QnetError
from qnet_tui.workflows.bench_terminal import Terminal

# Shows its size, then for every key a counter in 100 bytes; "x" is ignored, "s" answers late, F10 ends it.
PROGRAM = """
import os, sys, time, tty
tty.setraw(0)
columns, rows = os.get_terminal_size(0)
os.write(1, b"ready %dx%d" % (columns, rows))
count = 0
while True:
    for key in os.read(0, 100).replace(b"\\x1b[21~", b"Q").decode():
        if key == "Q":
            sys.exit(3)
        if key == "s":
            time.sleep(0.05)
        if key != "x":
            count += 1
            os.write(1, (b" n%d;" % count).ljust(100, b"."))
"""


@pytest.fixture
def terminal():
    with Terminal([sys.executable, "-c", PROGRAM], 97, 31) as found:
        found.wait_for("ready 97x31")
        yield found


def test_a_key_costs_its_bytes_and_its_time(terminal):
    fast = terminal.press("a", "n1;")
    slow = terminal.press("s", "n2;")
    assert (fast.size, slow.size) == (100, 100)
    assert slow.seconds >= 0.05 > 0
    assert fast.seconds < slow.seconds + 0.5
    assert terminal.leave() == 3


def test_what_does_not_come_is_an_error_that_shows_the_screen(terminal):
    terminal.press("a", "n1;")
    with pytest.raises(QnetError, match=r"'n9;' did not come on the screen: .*n1;"):
        terminal.wait_for("n9;", seconds=0.2)


def test_a_key_held_is_seen_to_its_end(terminal):
    reply, shown = terminal.hold("a", 5, 100.0, "n5;")
    assert reply.size == len(shown) == 500
    assert 0 <= reply.seconds < 5


def test_dropped_keys_are_told_by_what_is_shown(terminal, monkeypatch):
    waited = []
    wait = terminal.wait_for
    monkeypatch.setattr(
        terminal, "wait_for", lambda text, since, seconds: wait(text, since, waited.append(seconds) or 0.2)
    )
    _, shown = terminal.hold("x", 3, 100.0, "n3;")
    assert waited == [10.0]
    assert shown == b""


def test_the_program_is_ended_when_left_and_its_memory_is_known(terminal):
    if sys.platform == "linux":
        assert 1 < terminal.memory() < 200
        assert terminal.processor() > 0
    terminal.close()
    with pytest.raises(ProcessLookupError):
        os.kill(terminal.pid, 0)
