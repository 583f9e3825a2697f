"""A driver to be interrupted: runs naps, and writes the name of each that ended to a file."""

import sys
from pathlib import Path

from qnet_tui.compute.driver import run_tasks
from qnet_tui.compute.tasks import Outcome, Task
from qnet_tui.compute.where import Where
from tests.compute.task_functions import leave_pid

if __name__ == "__main__":
    folder = Path(sys.argv[1])

    def register(outcome: Outcome) -> None:
        with (folder / "done").open("a") as f:
            f.write(f"{outcome.name}\n")

    naps = (
        Task(f"nap-{i}", leave_pid, {"folder": str(folder), "number": i, "seconds": 0.1 if i < 3 else 60})
        for i in range(50)
    )
    try:
        run_tasks(naps, Where(jobs=1), register)
    except BaseException as e:
        (folder / "ended").write_text(f"{type(e).__name__} {e}")
        raise
