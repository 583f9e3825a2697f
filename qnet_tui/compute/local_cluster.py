"""Worker processes on this machine, through Dask's LocalCluster.

The workers are spawned (TensorFlow hangs in forked ones), have one thread each, talk over TLS on the loopback
interface with certificates that live as long as the run (anyone who can log in to a shared node could
otherwise hand them functions to run), and end by themselves when the driver dies.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qnet_tui.compute.crew import THREAD_PINS, WORKER_CONFIG, Crew, environment, no_interrupts, quiet
from qnet_tui.compute.where import Where
from qnet_tui.compute.worker import LOG_VARIABLE
from qnet_tui.errors import QnetError

GRACE_SECONDS = 1.0
"""How long a worker may take to end by itself. What it still runs is dropped, and tasks leave whole files only."""

CLOSE_SECONDS = 20.0


@dataclass
class LocalCrew(Crew):
    """Workers on this machine; ``patience`` is how many seconds a run goes on without any."""

    patience: float = 60.0

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

    def trouble(self, alone: float) -> QnetError | None:
        """No worker for too long."""
        if alone <= self.patience:
            return None
        return QnetError(
            f"no worker process has been alive for {self.patience:.0f} s",
            mend="see the log of the run; finished tasks are kept, resume when there is memory",
        )


@contextlib.contextmanager
def local_crew(where: Where) -> Iterator[LocalCrew]:
    """Start the workers, yield them connected, and close them whatever happens.

    Raises QnetError when they cannot be started.
    """
    from dask import config
    from distributed import Client, LocalCluster, Security

    pins = {**THREAD_PINS, "DASK_LOGGING__DISTRIBUTED": "critical"}
    if where.log is not None:
        pins[LOG_VARIABLE] = str(Path(where.log).resolve())
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet(where.log))
        stack.enter_context(environment(pins))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qnet-", ignore_cleanup_errors=True)))
        stack.enter_context(
            config.set(
                {
                    **WORKER_CONFIG,
                    "distributed.worker.multiprocessing-method": "spawn",
                    "distributed.nanny.pre-spawn-environ": pins,
                    "distributed.scheduler.http.routes": [],
                }
            )
        )
        try:
            with no_interrupts():
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
        yield LocalCrew(cluster, client, folder, where.jobs, patience=where.patience)


def _close(cluster: Any) -> None:
    async def workers() -> None:
        ends = (nanny.close(timeout=GRACE_SECONDS) for nanny in cluster.workers.values())
        await asyncio.gather(*ends, return_exceptions=True)

    cluster.sync(workers)
    cluster.close(timeout=CLOSE_SECONDS)
