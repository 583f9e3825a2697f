"""What happens inside a worker process: its output is sent to the log, and each task is run and reported.

Reports go through files of the driver's private folder and not through Dask, whose results live in the memory
of the worker that made them: when it dies they are computed again, and a driver that was fetching one waits.
"""

import importlib
import os
import pickle
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

LOG_VARIABLE = "QNET_WORKER_LOG"
"""Environment variable that names the log file of the workers."""


@dataclass(frozen=True)
class Report:
    """What a task leaves for the driver: ``value`` pickled, or the one line of the error."""

    value: bytes
    error: str | None
    exit_code: int
    traceback: str
    seconds: float
    worker: str


@dataclass(frozen=True)
class Desk:
    """Two files by which a worker and the driver speak of one task.

    ``running`` exists while the function runs and names the worker, which tells the task that was running when
    a worker died from one that only waited there; ``report`` is there, whole, once the function has ended. It
    outlives the worker, so that finished work is never lost with one and run again.
    """

    folder: Path
    number: int

    @property
    def running(self) -> Path:
        """The file that says that the task runs."""
        return self.folder / f"{self.number}.running"

    @property
    def report(self) -> Path:
        """The file that says how it ended."""
        return self.folder / f"{self.number}.report"

    def write(self, report: Report) -> None:
        """Leave the report, whole or not at all."""
        partial = self.folder / f"{self.number}.{socket.gethostname()}.{os.getpid()}.tmp"
        partial.write_bytes(pickle.dumps(report))
        partial.replace(self.report)

    def read(self, patience: float = 0.0) -> Report | None:
        """The report, or None when there is none after ``patience`` seconds.

        On NFS a node may believe for a minute that a file is absent which another one has written.
        """
        end = time.monotonic() + patience
        while True:
            try:
                report: Report = pickle.loads(self.report.read_bytes())
            except FileNotFoundError:
                if time.monotonic() >= end:
                    return None
                time.sleep(0.2)
                list(self.folder.iterdir())  # Reading the folder makes NFS ask the server again.
            else:
                return report

    def died(self) -> str | None:
        """The worker under which the task last ran without an end (and forget it); None when it did not."""
        try:
            worker = self.running.read_text()
            self.running.unlink()
        except FileNotFoundError:
            return None
        return worker

    def clear(self) -> None:
        """Remove what is there."""
        for path in (self.running, self.report):
            path.unlink(missing_ok=True)


def perform(function: str, arguments: bytes, desk: Desk) -> None:
    """Call ``function`` ("module:name") with pickled keyword ``arguments`` and leave a report, whatever happens.

    Does nothing when there is a report already: Dask runs a task again when its worker died after the end.
    """
    if desk.report.exists():
        return
    me = f"{socket.gethostname()}:{os.getpid()}"
    desk.running.write_text(me)
    start = time.perf_counter()
    value, error, exit_code, trace = b"", None, 0, ""
    try:
        value = _call(function, arguments)
    except BaseException as e:  # also SystemExit: a library's exit() must not take the worker with it
        # Errors made for users, ours and those of storage, carry an exit code and a whole message.
        exit_code = int(getattr(e, "exit_code", 0))
        text = str(e) if exit_code else f"{type(e).__name__}: {e}"
        error = " ".join(text.split()).rstrip(": ")
        trace = "" if exit_code else traceback.format_exc()
        exit_code = exit_code or 1
    desk.write(Report(value, error, exit_code, trace, time.perf_counter() - start, me))
    desk.running.unlink(missing_ok=True)


def _call(function: str, arguments: bytes) -> bytes:
    module, _, name = function.partition(":")
    value = getattr(importlib.import_module(module), name)(**pickle.loads(arguments))
    return pickle.dumps(value)


def dask_setup(_worker: object) -> None:
    """Called by Dask as a worker starts: send everything it prints to the log.

    At the level of file descriptors, because TensorFlow's C++ writes there, and a stray line would land in
    the middle of a screen.
    """
    target = os.environ.get(LOG_VARIABLE) or os.devnull
    sys.stdout.flush()
    sys.stderr.flush()
    fd = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o660)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
