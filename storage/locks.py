"""Whether locks work where a workspace shall lie, and what kind of file system that is.

A rollback journal does not make a broken lock safe: on a mount with node-local or no locks several writers
damage a database. So a second process tries to take a lock that this one holds.
"""

import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from storage.connection import database_errors
from storage.errors import StorageError
from storage.files import create_private_to_group

_CHILD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    connection.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    sys.exit(10 if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY else 11)
connection.execute("INSERT INTO probe VALUES (1)")
connection.execute("COMMIT")
sys.exit(12)
"""
_REFUSED, _GRANTED = 10, 12


def locks_work(directory: Path) -> bool:
    """Return whether a lock taken here keeps a second process out, and lets it in afterwards.

    A small database is made in ``directory`` and removed again. The second process runs the same interpreter.

    Raises:
        StorageError: the directory cannot be written, or the second process could not be started.

    """
    probe = directory / f".lock-test.{os.getpid()}.db"
    create_private_to_group(probe)
    try:
        with database_errors(probe):
            connection = sqlite3.connect(probe, timeout=5, isolation_level=None)
            try:
                connection.execute("CREATE TABLE IF NOT EXISTS probe (x INTEGER)")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO probe VALUES (0)")
                held = _second_process(probe)
                connection.execute("COMMIT")
                free = _second_process(probe)
                seen = connection.execute("SELECT count(*) FROM probe").fetchone()[0]
            finally:
                connection.close()
    finally:
        for leftover in (probe, probe.with_name(probe.name + "-journal")):
            with suppress(OSError):
                leftover.unlink()
    return held == _REFUSED and free == _GRANTED and seen == 2


def filesystem_of(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Return the type of the file system that ``path`` lies on ("ext4", "lustre", "nfs4" …), or "unknown".

    The mount table of Linux is read (``proc_pid_mountinfo``: the fifth field is the mount point, the first
    after the dash is the type); elsewhere the answer is "unknown".
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "unknown"
    real = path.resolve()
    best, kind = -1, "unknown"
    for line in lines:
        before, dash, after = line.partition(" - ")
        fields = before.split()
        if not dash or len(fields) < 5 or not after.split():
            continue
        point = Path(fields[4].replace("\\040", " "))
        # A later line at the same point is mounted over the earlier one.
        if (point == real or point in real.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split()[0]
    return kind


def _second_process(probe: Path) -> int:
    try:
        return subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, str(probe)],
            timeout=60,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StorageError(f"the lock test could not start a second process ({error})", file=probe) from error
