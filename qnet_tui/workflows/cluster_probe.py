"""What ``qnet cluster check`` has a worker do: look at its node, the shared folder and TensorFlow."""

import os
import platform
import socket
from pathlib import Path
from typing import Any

FROM_DRIVER, FROM_WORKER = "from-driver", "from-worker"


def probe(folder: str, word: str) -> dict[str, Any]:
    """Say where this is, whether the driver's file is seen here, leave one for it, and start TensorFlow.

    Errors: whatever hinders it, as of any task.
    """
    from qnet_tui.quasarnet.precision import choose, describe
    from qnet_tui.quasarnet.runtime import configure_tensorflow

    there = Path(folder, FROM_DRIVER)
    reads = there.exists() and there.read_text() == word
    Path(folder, FROM_WORKER).write_text(word)
    tensorflow = configure_tensorflow()
    return {
        "host": socket.gethostname(),
        "node": os.environ.get("SLURMD_NODENAME", ""),
        "job": os.environ.get("SLURM_JOB_ID", ""),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "tensorflow": str(tensorflow.__version__),
        "precision": choose("auto"),
        "precision_why": describe(),
        "reads": reads,
    }
