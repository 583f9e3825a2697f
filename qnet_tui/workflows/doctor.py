"""``qnet doctor``: what could go wrong here, checked; each line is fine or says what to do."""

import importlib.metadata
import importlib.util
import locale
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qnet_tui import __version__
from qnet_tui.errors import BadInput

MINIMUM_SQLITE = (3, 37, 0)
PACKAGES = ("textual", "plotext", "tensorflow", "numpy", "fitsio", "minisom", "sqlite-utils", "typer", "h5py",
            "distributed")  # fmt: skip
FREE_BYTES = 1 << 30


@dataclass(frozen=True)
class Check:
    """One thing looked at; ``mend`` says what to do when it is not ``ok``."""

    what: str
    ok: bool
    found: str
    mend: str = ""


def doctor(workspace: Path | None) -> list[Check]:
    """Check installation, terminal and, where there is one, the workspace."""
    return [*_installation(), *_terminal(), *_workspace(workspace)]


def _installation() -> Iterator[Check]:
    yield Check("qnet", True, f"{__version__}, Python {sys.version.split()[0]}")
    missing, found = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    yield Check("packages", not missing, ", ".join(found), f"pip install {' '.join(missing)}" if missing else "")
    # A folder or file called storage in the current directory hides the installed package of that name.
    here = Path(__file__).resolve().parents[2]
    spec = importlib.util.find_spec("storage")
    origin = Path(spec.origin).resolve() if spec and spec.origin else Path()
    yield Check("storage", origin.is_relative_to(here), str(origin),
                f"another storage hides ours: start qnet from another folder than {Path.cwd()}")  # fmt: skip
    version = tuple(int(part) for part in sqlite3.sqlite_version.split("."))
    yield Check("SQLite", version >= MINIMUM_SQLITE, sqlite3.sqlite_version, "3.37 or newer is needed (STRICT tables)")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Check("cores", True, f"{cores} may be used, by processes of one thread each")
    yield from _arithmetic()


def _arithmetic() -> Iterator[Check]:
    """What processor and driver report; TensorFlow is not started for it."""
    from qnet_tui.quasarnet.precision import describe
    from qnet_tui.quasarnet.runtime import DEVICE_VARIABLE, gpu_may_be_here

    try:
        driver = gpu_may_be_here()
    except BadInput as error:
        yield Check("GPU", False, str(error), f"unset {DEVICE_VARIABLE}")
        return
    hidden = os.environ.get(DEVICE_VARIABLE, "").strip().lower() == "cpu"
    found = f"hidden by {DEVICE_VARIABLE}=cpu" if hidden else "none"
    yield Check("GPU", True, "a driver is loaded; used if TensorFlow sees it (extra [gpu])" if driver else found)
    yield Check("precision", True, describe())


def _terminal() -> Iterator[Check]:
    term = os.environ.get("TERM", "")
    yield Check("terminal", term not in {"", "dumb"}, term or "none", "use a real terminal, or qnet label --plain")
    encoding = locale.getpreferredencoding(False)
    yield Check("characters", encoding.upper().replace("-", "") == "UTF8", encoding,
                "set LANG to a UTF-8 locale, or use --charset ascii")  # fmt: skip
    size = shutil.get_terminal_size()
    yield Check("size", size.columns >= 80 and size.lines >= 24, f"{size.columns}x{size.lines}", "80x24 is the least")


def _workspace(given: Path | None) -> Iterator[Check]:
    from storage.errors import NotAWorkspace, StorageError
    from storage.locks import filesystem_of, locks_work
    from storage.shards import verify
    from storage.workspace import Workspace

    try:
        root = Workspace.find(given)
    except NotAWorkspace:
        if given is not None:
            raise
        yield Check("workspace", True, "none here (qnet init DIR makes one)")
        return
    try:
        with Workspace.open(root) as ws:
            yield Check("workspace", True, f"{root} on {filesystem_of(root)}")
            yield Check("locks", locks_work(root), "tested with a second process",
                        "two people at once could damage it: move the workspace to another file system")  # fmt: skip
            answer = str(ws.db.execute("PRAGMA integrity_check").fetchall()[0][0])
            yield Check("database", answer == "ok", answer, "qnet vi recover rebuilds the votes from the journals")
            bad = verify(ws)
            damaged = "; ".join(f"{b.name}: {b.reason}" for b in bad[:3])
            yield Check("shards", not bad, f"{len(bad)} damaged" if bad else "all whole",
                        f"{damaged}; ingest into a new workspace")  # fmt: skip
    except StorageError as error:
        yield Check("workspace", False, str(root), str(error))
        return
    free = shutil.disk_usage(root).free
    yield Check("disk", free > FREE_BYTES, f"{free / 2**30:.1f} GiB free", "less than 1 GiB is left")
