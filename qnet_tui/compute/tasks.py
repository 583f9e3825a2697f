"""What is run and what came of it: a task, its outcome, the summary of a run. Knows nothing of spectra."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """One call that a worker process makes.

    ``function`` is a module-level function (a worker imports it by its name) and ``arguments`` its keyword
    arguments: small things that can be pickled, arrays by the path of their file. A task may be started more
    than once (its worker died, the run was resumed), so it must be idempotent: look whether its output is
    there, write under another name, fsync, rename, and return something small.
    """

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what a worker process cannot import."""
        qualified = getattr(self.function, "__qualname__", "<nameless>")
        if "<" in qualified or not getattr(self.function, "__module__", None):
            raise ValueError(f"task {self.name!r}: {qualified} is not a module-level function")


@dataclass(frozen=True)
class Outcome:
    """How a task ended: ``value`` when it returned, ``error`` (one line) when it did not.

    ``seconds`` were spent in the function on the ``worker`` ("host:pid"; "" when none lived to say so);
    ``exit_code`` is 0, or that of the error (2 for bad input, 1 otherwise); ``traceback`` is for the log,
    and empty for the errors that a user causes.
    """

    name: str
    value: Any = None
    error: str | None = None
    seconds: float = 0.0
    worker: str = ""
    exit_code: int = 0
    traceback: str = ""

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return self.error is None


@dataclass(frozen=True)
class Summary:
    """What :func:`qnet_tui.compute.driver.run_tasks` did.

    ``done`` tasks returned, ``failed`` names those that did not; ``deaths`` worker processes died while a
    task ran on them; ``stopped`` is True when ``stop()`` asked for the end before all tasks were through.
    """

    done: int
    failed: tuple[str, ...]
    deaths: int
    seconds: float
    stopped: bool
