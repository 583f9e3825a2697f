"""A tmux server of a test's own, with one window and a shell in it."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from pathlib import Path

_NUMBERS = itertools.count()


class Tmux:
    """One window; keys go in, what is on the screen comes out."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        # A server for each window: two on one server would share its size.
        self.socket = f"qnet-test-{os.getpid()}-{next(_NUMBERS)}"
        environment = {**os.environ, "TERM": "screen-256color", "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        command = ["-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "sh"]
        subprocess.run(["tmux", "-L", self.socket, *command], check=True, env=environment, cwd=folder)
        self.send("PS1='ready$ '; clear", "Enter")

    def run(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-L", self.socket, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def send(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def shows(self, text: str, seconds: float = 30.0) -> str:
        """Wait until ``text`` is on the screen, and return the screen."""
        deadline = time.monotonic() + seconds
        while text not in (screen := self.screen()):
            assert time.monotonic() < deadline, f"{text!r} is not on the screen:\n{screen}"
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], check=False, capture_output=True)
