"""A program on a real pseudo-terminal, with a clock on what it writes: what a key costs in bytes and in time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from qnet_tui.errors import QnetError

_CHUNK = 65536
# A program that has written nothing for this long has answered.
QUIET_S = 0.12
_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Reply:
    """What came for one key: ``size`` bytes, and ``seconds`` from writing the key to the last of them."""

    size: int
    seconds: float


class Terminal:
    """One run of ``command`` on a pty of ``columns`` x ``rows``; ends the program when left."""

    def __init__(
        self, command: Sequence[str], columns: int, rows: int, *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start the program; its time runs from here."""
        self._received = b""
        settings = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLORTERM": "", **(environment or {})}
        settings.pop("NO_COLOR", None)
        self.began = time.perf_counter()
        self._last = self.began
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            # The size before the program: otherwise it draws once for 80 x 24 and once for the size it gets.
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(command[0], list(command), settings)
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def received(self) -> int:
        """Bytes that have come so far."""
        return len(self._received)

    def wait_for(self, text: str, since: int = 0, seconds: float = _PATIENCE_S) -> float:
        """Read until ``text`` has come after byte ``since``; return the seconds from the start of the program.

        QnetError when it does not come in ``seconds`` or the program ends before.
        """
        wanted, deadline = text.encode(), time.perf_counter() + seconds
        while wanted not in self._received[since:]:
            if time.perf_counter() > deadline or not self._read(0.2):
                shown = " ".join(_words(self._received[-1500:]).split())[-300:]
                raise QnetError(f"{text!r} did not come on the screen: ...{shown}", mend="run the program by hand")
        return self._last - self.began

    def settle(self, quiet: float = QUIET_S) -> None:
        """Read until nothing has come for ``quiet`` seconds."""
        while select.select([self._fd], [], [], quiet)[0] and self._read(0.0):
            pass

    def press(self, keys: str, text: str) -> Reply:
        """Write ``keys``, wait until ``text`` and then nothing more has come."""
        start, began = self.received, time.perf_counter()
        self.write(keys)
        self.wait_for(text, start)
        self.settle()
        return Reply(self.received - start, self._last - began)

    def write(self, keys: str) -> None:
        """Write ``keys`` as a keyboard would."""
        os.write(self._fd, keys.encode())

    def hold(self, key: str, times: int, rate: float, text: str) -> tuple[Reply, bytes]:
        """Write ``key`` at ``rate`` Hz, ``times`` over, and wait for ``text``, which the screen shows after all.

        Seconds are from the last key to the last byte; what came is returned too. When ``text`` has not come ten
        seconds after the last key, keys were dropped: what came tells how many.
        """
        start, begin = self.received, time.perf_counter()
        for count in range(times):
            while (left := begin + count / rate - time.perf_counter()) > 0:
                self._read(left)
            self.write(key)
        released = time.perf_counter()
        with contextlib.suppress(QnetError):
            self.wait_for(text, start, 10.0)
        self.settle()
        return Reply(self.received - start, max(self._last - released, 0.0)), self._received[start:]

    def memory(self) -> float:
        """Resident memory of the program in MB (10⁶ bytes); NaN where the system does not tell."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return float("nan")
        kilobytes = next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), None)
        return float("nan") if kilobytes is None else kilobytes * 1024 / 1e6

    def processor(self) -> float:
        """Seconds of processor time that the program has used; NaN where the system does not tell.

        On a busy machine it says more than the clock does.
        """
        try:
            threads = [path.read_text() for path in Path(f"/proc/{self.pid}/task").glob("*/schedstat")]
        except OSError:
            threads = []
        return sum(int(line.split()[0]) for line in threads) / 1e9 if threads else float("nan")

    def leave(self, keys: str = "\x1b[21~", seconds: float = 15.0) -> int:
        """Write ``keys`` (F10) and wait for the end; return the exit code."""
        self.write(keys)
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._ended = True
                return os.waitstatus_to_exitcode(status)
            self._read(0.02)
        raise QnetError("the program does not end by F10", mend="run it by hand")

    def close(self) -> None:
        """End the program if it is still there."""
        if not self._ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self._ended = True
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self, wait: float) -> bool:
        """Take what comes within ``wait`` seconds; False when the program has closed its terminal."""
        if not select.select([self._fd], [], [], max(wait, 0.0))[0]:
            return True
        try:
            chunk = os.read(self._fd, _CHUNK)
        except OSError:
            return False
        self._last = time.perf_counter()
        self._received += chunk
        return bool(chunk)


def _words(sent: bytes) -> str:
    """Return the printable part of what was sent, for an error message."""
    text = sent.decode("utf-8", "replace")
    return "".join(character if character.isprintable() and character < "\u2800" else " " for character in text)
