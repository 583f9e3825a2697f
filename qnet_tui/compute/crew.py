"""Connected workers, wherever they are, and what every kind of them needs: pins, quiet logs, a clean environment."""

import contextlib
import itertools
import logging
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from qnet_tui.errors import QnetError

THREAD_PINS = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # glibc gives freed memory back early; without it a worker looks larger than it is to its memory limit.
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "PYTHONHASHSEED": "6640",
}
"""Set before a worker imports anything: libraries read them once, as they load. One thread each makes a
network the same whatever the number of workers, and keeps a 128-core node from starting 128 pools."""

WORKER_CONFIG: dict[str, Any] = {
    # A worker whose memory is held by TensorFlow never gets below these marks again: paused,
    # it would wait for ever. Only the last one, which kills, helps.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    # Dask starts web servers, dashboard or not. These have nothing to serve.
    "distributed.worker.http.routes": [],
}


@dataclass
class Crew:
    """Connected workers: Dask's ``cluster`` and ``client``, and a private ``folder`` shared with the workers.

    ``jobs`` is the most workers that there may be. Numbers for tasks are given out once in the life of a crew.
    """

    cluster: Any
    client: Any
    folder: Path
    jobs: int
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    revive_seconds = 6.0
    """Longer than a nanny takes to replace a worker that died."""

    report_seconds = 0.0
    """How long a report may take to be seen here after the worker has written it."""

    def living(self) -> int:
        """How many workers are connected now."""
        return len(self.client.nthreads())

    def want(self, tasks: int) -> None:
        """Hear how many tasks are in hand, for those who can do with fewer workers."""

    def revive(self) -> None:
        """Start workers for those that are gone for good, where nothing else does."""

    def trouble(self, alone: float) -> QnetError | None:
        """What makes it useless to go on, when there has been no worker for ``alone`` seconds; None to go on."""
        raise NotImplementedError


@contextlib.contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for the children; a worker that is restarted later inherits them too."""
    before = {k: os.environ.get(k) for k in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for k, v in before.items():
            if v is None:
                os.environ.pop(k, None)
            else:
                os.environ[k] = v


@contextlib.contextmanager
def no_interrupts() -> Iterator[None]:
    """Keep Ctrl-C and a hang-up from the threads and processes made meanwhile, which inherit the mask.

    The terminal sends them to the whole process group, but it is the driver that ends the workers.
    """
    kept = {signal.SIGINT, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, kept)
    try:
        # Python starts this process with the first worker and lets Ctrl-C through again in the thread that does it.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, kept)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def quiet(log: Path | None) -> Iterator[None]:
    """Send what Dask logs to a file, or nowhere.

    Dask's own handlers, which write on stderr, are not put back: a closed cluster's late callbacks still log.
    """
    handler: logging.Handler = logging.NullHandler() if log is None else logging.FileHandler(log, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    names = {"distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application", "asyncio"}
    loggers = [logging.getLogger(n) for n in sorted(names)]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        for old in tuple(logger.handlers):
            logger.removeHandler(old)
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.addHandler(logging.NullHandler())
            logger.setLevel(level)
            logger.propagate = propagate
        handler.close()
