"""The label screen on a real pty, to count what it sends and to see how it leaves the terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

DRIVER = """
import sys
from pathlib import Path
from qnet_tui.errors import QnetError
from qnet_tui.tui.app import LabelOptions, run_label
from storage.errors import StorageError
try:
    sys.exit(run_label(Path(sys.argv[1]), LabelOptions(inspector="ABC", charset=sys.argv[2])))
except (QnetError, StorageError) as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


class Terminal:
    """One run of the label screen on a pty of ``columns`` x ``rows``."""

    def __init__(
        self, root: Path, columns: int, rows: int, *, charset: str = "braille", env: dict[str, str] | None = None
    ) -> None:
        self.received = b""
        settings = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLORTERM": "", **(env or {})}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, "-c", DRIVER, str(root), charset], settings)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, text: str, seconds: float = 20.0) -> bytes:
        """Read until ``text`` has come, and return all that came."""
        deadline = time.monotonic() + seconds
        start = len(self.received)
        while text.encode() not in self.received[start:]:
            if time.monotonic() > deadline or not self._read(0.2, deadline):
                raise AssertionError(f"{text!r} did not come: {self.received[-2000:]!r}")
        return self.received[start:]

    def quiet(self, seconds: float = 0.25, limit: float = 10.0) -> bytes:
        """Read until nothing has come for ``seconds``, and return what came."""
        start, deadline = len(self.received), time.monotonic() + limit
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.fd], [], [], seconds)
            if not ready or not self._read(0.0, deadline):
                break
        return self.received[start:]

    def press(self, keys: str, text: str = "") -> bytes:
        """Write ``keys`` and return what is sent in answer: until ``text`` has come, and then nothing more."""
        start = len(self.received)
        os.write(self.fd, keys.encode())
        if text:
            self.wait_for(text)
        self.quiet()
        return self.received[start:]

    def wait_for_exit(self, seconds: float = 20.0) -> int:
        """Read until the program has ended, and return its exit code (128 + n for signal n)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            self._read(0.05, deadline)
        raise AssertionError(f"the program did not end: {self.received[-2000:]!r}")

    def hang_up(self) -> None:
        """Close the terminal, as a dropped line does."""
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        """End the program if it is still there."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.fd >= 0:
            os.close(self.fd)

    def _read(self, wait: float, deadline: float) -> bool:
        if self.fd < 0:
            return False
        ready, _, _ = select.select([self.fd], [], [], min(wait, max(deadline - time.monotonic(), 0.0)))
        if not ready:
            return True
        try:
            chunk = os.read(self.fd, 65536)
        except OSError:
            return False
        self.received += chunk
        return bool(chunk)
