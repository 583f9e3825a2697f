"""Worker processes on this machine, through Dask's LocalCluster.

The workers are spawned (TensorFlow hangs in forked ones), have one thread each, talk over TLS on the loopback
interface with certificates that live as long as the run (anyone who can log in to a shared node could
otherwise hand them functions to run), and end by themselves when the driver dies.
"""

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qnet_tui.compute.where import Where
from qnet_tui.compute.worker import LOG_VARIABLE
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

GRACE_SECONDS = 1.0
"""How long a worker may take to end by itself. What it still runs is dropped, and tasks leave whole files only."""

CLOSE_SECONDS = 20.0


@dataclass(frozen=True)
class Crew:
    """Connected workers: Dask's ``cluster`` and ``client``, and a private ``folder`` shared with the workers."""

    cluster: Any
    client: Any
    folder: Path
    jobs: int

    def living(self) -> int:
        """How many workers are connected now."""
        return len(self.client.nthreads())

    def revive(self) -> None:
        """Start workers for those that are gone for good.

        A nanny replaces a worker that dies, but gives up when the new one dies while it starts, as happens when
        memory is short.
        """

        async def drop_the_dead() -> None:
            for name, nanny in tuple(self.cluster.workers.items()):
                if not nanny.is_alive():
                    await nanny.close(timeout=GRACE_SECONDS)
                    self.cluster.workers.pop(name, None)

        self.cluster.sync(drop_the_dead)
        self.cluster.scale(self.jobs)


@contextlib.contextmanager
def local_crew(where: Where) -> Iterator[Crew]:
    """Start the workers, yield them connected, and close them whatever happens.

    Raises QnetError when they cannot be started.
    """
    from dask import config
    from distributed import Client, LocalCluster, Security

    pins = {**THREAD_PINS, "DASK_LOGGING__DISTRIBUTED": "critical"}
    if where.log is not None:
        pins[LOG_VARIABLE] = str(Path(where.log).resolve())
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet(where.log))
        stack.enter_context(_environment(pins))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qnet-", ignore_cleanup_errors=True)))
        stack.enter_context(
            config.set(
                {
                    "distributed.worker.multiprocessing-method": "spawn",
                    "distributed.nanny.pre-spawn-environ": pins,
                    # A worker whose memory is held by TensorFlow never gets below these marks again: paused,
                    # it would wait for ever. Only the last one, which kills, helps.
                    "distributed.worker.memory.target": False,
                    "distributed.worker.memory.spill": False,
                    "distributed.worker.memory.pause": False,
                    "distributed.worker.memory.terminate": 0.95,
                    # Dask starts web servers, dashboard or not. These have nothing to serve.
                    "distributed.scheduler.http.routes": [],
                    "distributed.worker.http.routes": [],
                }
            )
        )
        try:
            with _no_interrupts():
                cluster = LocalCluster(
                    n_workers=where.jobs,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    security=Security.temporary(),
                    dashboard_address="127.0.0.1:0",
                    silence_logs=False,
                    memory_limit=0 if where.memory_gib is None else int(where.memory_gib * 2**30),
                    # The driver counts the deaths itself: Dask would blame those that only waited beside the
                    # task that killed the worker.
                    scheduler_kwargs={"allowed_failures": 0, "dashboard": False},
                    local_directory=str(folder),
                    preload=["qnet_tui.compute.worker"],
                )
                stack.callback(_close, cluster)
                client = Client(cluster, set_as_default=False)
                stack.callback(client.close)
        except (OSError, RuntimeError, TimeoutError) as e:
            raise QnetError(f"the worker processes could not be started: {e}", mend="try fewer --jobs") from e
        yield Crew(cluster, client, folder, where.jobs)


def _close(cluster: Any) -> None:
    async def workers() -> None:
        ends = (nanny.close(timeout=GRACE_SECONDS) for nanny in cluster.workers.values())
        await asyncio.gather(*ends, return_exceptions=True)

    cluster.sync(workers)
    cluster.close(timeout=CLOSE_SECONDS)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
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
def _no_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from the threads and processes made meanwhile, which inherit the mask.

    The terminal sends it to the whole process group, but it is the driver that ends the workers.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _quiet(log: Path | None) -> Iterator[None]:
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
