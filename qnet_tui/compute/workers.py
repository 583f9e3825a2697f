"""The workers of a run: started with its first task, kept over all its stages, gone at its end.

A stage that started workers of its own would load TensorFlow again in each, and on a cluster wait in the queue again.
"""

import contextlib
from types import TracebackType

from qnet_tui.compute.crew import Crew
from qnet_tui.compute.where import Where


class Workers:
    """Workers as ``where`` describes them; use it as a context manager round every ``run_tasks`` of a run."""

    def __init__(self, where: Where) -> None:
        """Start nothing yet: a resumed run may have nothing left to do."""
        self.where = where
        self._stack = contextlib.ExitStack()
        self._crew: Crew | None = None

    def crew(self) -> Crew:
        """The connected workers, started now if they are not there; QnetError when that is not possible."""
        if self._crew is None:
            # Imported here: whoever only plans a run loads no Dask.
            if self.where.site is None:
                from qnet_tui.compute.local_cluster import local_crew

                self._crew = self._stack.enter_context(local_crew(self.where))
            else:
                from qnet_tui.compute.slurm_cluster import slurm_crew

                self._crew = self._stack.enter_context(slurm_crew(self.where))
        return self._crew

    def dismiss(self) -> None:
        """Close the workers and whatever they still run; the next task starts others."""
        self._crew = None
        self._stack.close()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dismiss()
