"""Which program and libraries made a result: what a run depends on besides its settings and its seed."""

import platform
from importlib.metadata import version

from qnet_tui import __version__


def versions() -> dict[str, str]:
    """What a selection depends on besides its seed: program, interpreter, libraries, processor."""
    names = ("numpy", "tensorflow", "minisom", "fitsio")
    return {
        "qnet": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in names},
        "machine": platform.machine(),
    }
