"""Driving a run from its first task to its end: workers, heartbeat, a polite stop, and the state it ends in."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import storage.runs as runs_store
from qnet_tui.compute.where import Where
from qnet_tui.compute.workers import Workers
from qnet_tui.workflows.heartbeat import beating
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.round_runner import Clock, Runner, Stopped
from storage.workspace import Workspace


@contextlib.contextmanager
def driven_run(
    ws: Workspace, run_id: str, where: Where, result: Any, progress: Progress, resume: str
) -> Iterator[Runner]:
    """Give a runner for the tasks of a registered run, and end the run as DONE, STOPPED or FAILED.

    ``result`` is a dataclass with ``seconds`` and ``stage_seconds``; it is stored as it stands when the run ends.
    ``resume`` is the command that goes on with it. Errors: :class:`Stopped` after SIGTERM, SIGHUP or Ctrl-C; whatever
    the body raises, once it is written down.
    """
    began = time.monotonic()
    try:
        with _stop_signals() as stopped, beating(ws, run_id), Workers(where) as workers:
            clock = Clock(ws, run_id, result.stage_seconds, progress, stopped, resume, where.jobs)
            yield Runner(ws, run_id, workers, clock)
        result.seconds = time.monotonic() - began
        runs_store.finish(ws, run_id, "DONE", asdict(result))
    except (Stopped, KeyboardInterrupt, SystemExit):
        runs_store.finish(ws, run_id, "STOPPED", asdict(result))
        raise Stopped("the run was stopped", mend=f"go on with: {resume}") from None
    except Exception as error:
        # A full disk must not hide its own cause behind a second failure to write it down.
        try:
            runs_store.finish(ws, run_id, "FAILED", {**asdict(result), "error": " ".join(str(error).split())})
        except Exception as second:
            error.add_note(f"and the failure could not be recorded: {second}")
        raise


@contextlib.contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """SIGTERM, SIGHUP and Ctrl-C ask the run to stop at the next task; a second one interrupts at once."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    try:
        previous = {n: signal.signal(n, ask) for n in numbers}
    except ValueError:
        # Not the main thread (the app runs a round in a worker thread): signals belong to the face.
        previous = {}
    try:
        yield lambda: bool(asked)
    finally:
        for n, handler in previous.items():
            signal.signal(n, handler)
