"""The heartbeat of a run: a thread that says that the process lives while its work goes on without a word."""

import contextlib
import threading
from collections.abc import Iterator

import storage.runs as runs_store
from storage.workspace import Workspace

BEAT_SECONDS = 10.0
"""A run is lost after a minute without a heartbeat (``storage.runs.LOST_AFTER_SECONDS``)."""


@contextlib.contextmanager
def beating(ws: Workspace, run_id: str, every: float = BEAT_SECONDS) -> Iterator[None]:
    """Write the heartbeat of a registered run every ``every`` seconds until the block is left.

    A long epoch, a large map or a slow file system must not make a living run look lost. What the database refuses
    is tried again at the next beat: the heartbeat alone never ends a run.
    """
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(every):
            with contextlib.suppress(Exception):
                runs_store.heartbeat(ws, run_id)

    thread = threading.Thread(target=beat, name=f"heartbeat of {run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        # A busy database may keep the thread for a minute; nothing waits for that.
        thread.join(timeout=2.0)
