"""The driver of a run: hands tasks to workers, hears what came of each, survives workers that die.

Only this process registers results, through ``on_done``; a worker writes files and returns something small.
Dask decides which worker runs what and replaces workers that die; whose fault a death was is decided here.
"""

import contextlib
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from qnet_tui.compute.crew import Crew
from qnet_tui.compute.tasks import Outcome, Summary, Task
from qnet_tui.compute.where import Where
from qnet_tui.compute.worker import Desk, perform
from qnet_tui.compute.workers import Workers

IN_FLIGHT_PER_WORKER = 2
"""One that runs and one that waits beside it: no worker idles, and no scheduler holds 36,000 tasks."""

MAX_DEATHS = 3
"""A task that was running when this many workers died has failed; the others go on."""

MAX_ATTEMPTS = 20
"""Bound for a task that always waits where workers die before it starts."""

STOP_SECONDS = 0.2
HEALTH_SECONDS = 2.0


def never() -> bool:
    """The ``stop`` of a run that nobody stops."""
    return False


def run_tasks(
    tasks: Iterable[Task],
    where: Where | Workers,
    on_done: Callable[[Outcome], None],
    *,
    stop: Callable[[], bool] = never,
) -> Summary:
    """Run tasks on worker processes and hear the outcome of each, in the order in which they end.

    ``tasks`` is read as room appears; names must differ. ``on_done`` is called in this thread, once a task,
    also for failed ones; ``stop`` is asked about five times a second (a good place for a heartbeat) and ends
    the run when it says True: what had finished is still handed to ``on_done``, what runs is dropped with its
    worker. Ctrl-C and SIGTERM do the same and then raise KeyboardInterrupt and SystemExit(143).
    Raises QnetError when workers cannot be started or are all lost, and whatever ``tasks``, ``on_done`` or
    ``stop`` raise; the workers are closed in every such case, and also at the end when a :class:`Where` was given
    and not :class:`Workers`, which other calls go on with. Results do not depend on ``where.jobs``.
    """
    begin = time.monotonic()
    waiting = iter(tasks)
    first = next(waiting, None)
    if first is None:
        return Summary(0, (), 0, 0.0, False)

    workers = where if isinstance(where, Workers) else Workers(where)
    with _signals() as received, contextlib.ExitStack() as stack:
        stack.callback(workers.dismiss)
        flight = _Flight(workers.crew())
        stopped = _fly(flight, first, waiting, on_done, lambda: bool(received) or stop())
        if workers is where and not stopped:
            stack.pop_all()
    if signal.SIGINT in received:
        raise KeyboardInterrupt
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if ending in received:
            raise SystemExit(128 + ending)
    return Summary(
        done=flight.done,
        failed=tuple(flight.failed),
        deaths=flight.deaths,
        seconds=time.monotonic() - begin,
        stopped=stopped,
    )


def _fly(
    flight: "_Flight",
    first: Task,
    waiting: Iterator[Task],
    on_done: Callable[[Outcome], None],
    stop: Callable[[], bool],
) -> bool:
    """Run until nothing is left (False) or ``stop`` says so (True)."""
    fresh: Task | None = first
    crew = flight.crew
    room = IN_FLIGHT_PER_WORKER * crew.jobs
    next_stop = next_health = 0.0
    complete = alive = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= next_stop:
            if stop():
                flight.land(on_done, 0)
                return True
            next_stop = now + STOP_SECONDS
        while fresh is not None and len(flight.aloft) < room:
            flight.add(fresh)
            fresh = next(waiting, None)
        crew.want(len(flight.aloft))
        if not flight.aloft:
            return False
        flight.land(on_done, STOP_SECONDS)
        if now < next_health:
            continue
        next_health = now + HEALTH_SECONDS
        living = crew.living()
        alive = now if living else alive
        complete = now if living == crew.jobs else complete
        trouble = crew.trouble(now - alive)
        if trouble is not None:
            raise trouble
        if now - complete > crew.revive_seconds:
            crew.revive()
            complete = now


@dataclass(frozen=True)
class _Attempt:
    """One submission of a task: how often it was tried, and how many workers died under it before."""

    task: Task
    desk: Desk
    future: Any = None
    attempts: int = 0
    deaths: int = 0


@dataclass
class _Flight:
    """The tasks that workers have now, by Dask's key."""

    crew: Crew
    done: int = 0
    deaths: int = 0
    failed: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    aloft: dict[str, _Attempt] = field(default_factory=dict)
    ended: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def add(self, task: Task) -> None:
        """Submit a task for the first time."""
        if task.name in self.names:
            raise ValueError(f"two tasks are named {task.name!r}")
        self.names.add(task.name)
        self._submit(_Attempt(task, Desk(self.crew.folder, next(self.crew.numbers))))

    def _submit(self, attempt: _Attempt) -> None:
        function = attempt.task.function
        key = f"task-{attempt.desk.number}-{attempt.attempts}"
        future = self.crew.client.submit(
            perform,
            f"{function.__module__}:{function.__qualname__}",
            # Pickled here: Dask would look for tasks and futures in dicts and lists, and read them in the driver.
            pickle.dumps(dict(attempt.task.arguments)),
            attempt.desk,
            key=key,
            pure=False,
        )
        self.aloft[key] = replace(attempt, future=future)
        # Not as_completed(with_results=True): it never emits a future whose worker dies while it fetches.
        future.add_done_callback(lambda f: self.ended.put(f.key))

    def land(self, on_done: Callable[[Outcome], None], patience: float) -> None:
        """Hand over what has ended, waiting ``patience`` seconds for the first."""
        with contextlib.suppress(Empty):
            while True:
                attempt = self.aloft.pop(self.ended.get(timeout=patience))
                patience = 0
                outcome = self._judge(attempt)
                attempt.future.release()
                if outcome is not None:
                    attempt.desk.clear()
                    if outcome.ok:
                        self.done += 1
                    else:
                        self.failed.append(outcome.name)
                    on_done(outcome)

    def _judge(self, attempt: _Attempt) -> Outcome | None:
        """The outcome of a submission, or None when the task was submitted again."""
        from distributed import KilledWorker

        name = attempt.task.name
        finished = attempt.future.status == "finished"
        report = attempt.desk.read(self.crew.report_seconds if finished else 0.0)
        if report is not None:
            value = None if report.error is not None else pickle.loads(report.value)
            return Outcome(name, value, report.error, report.seconds, report.worker, report.exit_code, report.traceback)
        error = attempt.future.exception() if attempt.future.status == "error" else None
        if not isinstance(error, KilledWorker):
            what = f"{type(error).__name__}: {error}" if error else f"dropped ({attempt.future.status})"
            return Outcome(name, error=" ".join(what.split()), exit_code=1)
        worker = attempt.desk.died()
        if worker is not None:
            self.deaths += 1
            attempt = replace(attempt, deaths=attempt.deaths + 1)
        attempt = replace(attempt, attempts=attempt.attempts + 1)
        if attempt.deaths < MAX_DEATHS and attempt.attempts < MAX_ATTEMPTS:
            self._submit(attempt)
            return None
        if attempt.deaths:
            what = f"its worker died {attempt.deaths} times while it ran (killed, or out of memory)"
        else:
            what = f"its worker died {attempt.attempts} times before it began"
        return Outcome(name, error=what, worker=worker or "", exit_code=1)


@contextlib.contextmanager
def _signals() -> Iterator[set[signal.Signals]]:
    """Note SIGINT, SIGTERM and SIGHUP instead of dying of them; a second one acts at once.

    A result must not be torn out of the hands of ``on_done``. Only a main thread can do this; in another one
    (an app's worker thread) the caller's ``stop`` is the way.
    """
    received: set[signal.Signals] = set()
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def note(number: int, _frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.add(signal.Signals(number))

    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield received
    finally:
        for s, handler in before.items():
            # None: installed by a C library, which Python cannot put back.
            signal.signal(s, signal.SIG_DFL if handler is None else handler)
