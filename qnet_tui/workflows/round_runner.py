"""Running the tasks of a round: what is missing and nothing else, every outcome registered, the heartbeat kept."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import storage.runs as runs_store
from qnet_tui.compute.driver import run_tasks
from qnet_tui.compute.tasks import Outcome, Task
from qnet_tui.compute.workers import Workers
from qnet_tui.errors import QnetError
from qnet_tui.workflows.progress import Progress
from storage.shards import file_crc32
from storage.workspace import Workspace

HEARTBEAT_SECONDS = 10.0
TOLD_SECONDS = 2.0

ATTEMPTS = 3
"""A scoring task that failed is tried again: on a cluster a file may be out of reach for a while."""

HOPELESS = 16
"""When so many tasks have failed and they are most of those that ended, what is wrong is wrong with all of them."""


class Stopped(QnetError):
    """The run was asked to stop; what was finished is on disk."""


@dataclass(frozen=True)
class RoundTask(Task):
    """A task with the files that it leaves; the first word of its name is its kind."""

    files: tuple[Path, ...] = ()


class Clock:
    """Times the stages, keeps the heartbeat, and knows whether somebody asked to stop."""

    def __init__(
        self,
        ws: Workspace,
        run_id: str,
        seconds: dict[str, float],
        progress: Progress,
        stopped: Callable[[], bool],
        resume: str,
        workers: int = 0,
    ) -> None:
        """``seconds`` takes the time of each stage by name; ``stopped`` says whether somebody asked to stop.

        ``resume`` is the command that goes on with the run; ``workers`` is how many there are at most, for watchers.
        """
        self.ws, self.run_id, self.seconds, self.tell, self.stopped = ws, run_id, seconds, progress, stopped
        self.resume, self.workers = resume, workers
        self.last_beat = 0.0
        self.at = self.told = ("", 0, 0)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage; a stop asked for between stages is honoured before the next begins."""
        self.check()
        # What is known so far, for whoever watches; a run that is killed keeps it, one that ends writes its own result.
        so_far = {"stage_seconds": dict(self.seconds), "stage_at": time.time(), "workers": self.workers}
        runs_store.update_run(self.ws, self.run_id, stage=name, result=so_far)
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - began

    def progress(self, stage: str, done: int, total: int) -> None:
        """Pass progress on; leave in the middle of a long stage when asked to stop."""
        self.check()
        self.beat(stage, done, total)

    def beat(self, stage: str, done: int, total: int) -> None:
        """Show progress and tell the database now and then how far the driver is, and that it lives."""
        self.tell(stage, done, total)
        self.at = (stage, done, total)
        self._tell_database()

    def stop(self) -> bool:
        """For the workers' loop, which asks about once a second: stop now? Keeps the heartbeat on long tasks."""
        self._tell_database()
        return self.stopped()

    def _tell_database(self) -> None:
        """Write what is new at most every two seconds, and that the driver lives every ten."""
        now = time.monotonic()
        if now - self.last_beat > (TOLD_SECONDS if self.at != self.told else HEARTBEAT_SECONDS):
            self.last_beat, self.told = now, self.at
            runs_store.heartbeat(self.ws, self.run_id, *self.at)

    def check(self) -> None:
        """Leave when somebody asked to stop."""
        if self.stopped():
            raise Stopped("the run was stopped", mend=f"go on with: {self.resume}")


@dataclass(frozen=True)
class Runner:
    """Runs the tasks of one run on its workers."""

    ws: Workspace
    run_id: str
    workers: Workers
    clock: Clock

    def run(self, tasks: Sequence[RoundTask], words: str) -> dict[str, str]:
        """Run the tasks that are not registered yet or whose files are gone; return the failures by name."""
        finished = {t.name for t in runs_store.tasks(self.ws, self.run_id) if t.state == "DONE"}
        todo = [t for t in tasks if t.name not in finished or not all(path.exists() for path in t.files)]
        done = ended = len(tasks) - len(todo)
        failures: dict[str, str] = {}

        def on_done(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            self._register(outcome)
            if outcome.error is not None:
                failures[outcome.name] = outcome.error
            self.clock.beat(words, done, len(tasks))

        def stop() -> bool:
            tried = done - ended
            return self.clock.stop() or (len(failures) >= HOPELESS and 2 * len(failures) > tried)

        self.clock.beat(words, done, len(tasks))
        run_tasks(todo, self.workers, on_done, stop=stop)
        self.clock.check()
        return failures

    def run_all(self, tasks: Sequence[RoundTask], words: str) -> None:
        """Run tasks of which none may fail, each up to three times. Errors: :class:`QnetError` naming the first."""
        failures: dict[str, str] = {}
        for _ in range(ATTEMPTS):
            failures = self.run(tasks, words)
            if not failures:
                return
            if len(failures) >= HOPELESS:
                break
        name, why = next(iter(failures.items()))
        raise QnetError(
            f"{len(failures)} of {len(tasks)} tasks of {words} failed; {name}: {why}",
            mend=f"what was finished is kept; go on with: {self.clock.resume}",
        )

    def damaged(self, kind: str) -> list[Path]:
        """Files that tasks of a kind left and that are not what was written then."""
        found = runs_store.tasks(self.ws, self.run_id)
        mine = [(Path(t.path), t.crc32) for t in found if t.kind == kind and t.state == "DONE"]
        return [path for path, crc in mine if crc is not None and path.exists() and file_crc32(path) != crc]

    def _register(self, outcome: Outcome) -> None:
        kind = outcome.name.split()[0]
        if outcome.error is None:
            made = outcome.value
            runs_store.register_task(
                self.ws, self.run_id, outcome.name, kind, "DONE", made.path, made.crc32, made.seconds, made.detail
            )
        else:
            runs_store.register_task(
                self.ws, self.run_id, outcome.name, kind, "FAILED", "", None, outcome.seconds, {"error": outcome.error}
            )
