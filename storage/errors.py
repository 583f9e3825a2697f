"""The errors of the bottom layer, each one line that names the file and the mend.

``exit_code`` is what the command line leaves with: 1 for what the machine did (disk, permission, lock),
2 for what the person asked. The faces treat this family and the one above alike.
"""

from pathlib import Path


class StorageError(Exception):
    """The workspace could not be read or written."""

    exit_code = 1

    def __init__(self, what: str, *, mend: str = "", file: str | Path | None = None) -> None:
        """Compose ``FILE: WHAT; MEND`` on one line from the parts that are known."""
        self.what, self.mend, self.file = what, mend, file
        where = f"{file}: " if file is not None else ""
        super().__init__(" ".join((where + what + (f"; {mend}" if mend else "")).split()))


class DatabaseBusy(StorageError):
    """Another program held the database for longer than this one was ready to wait."""


class DiskFull(StorageError):
    """The disk, the quota or the limit on file sizes is reached; nothing half written was kept."""


class ReadOnlyWorkspace(StorageError):
    """The workspace can be read but not written by this account or on this mount."""


class DamagedWorkspace(StorageError):
    """A file of the workspace is not what was written: size, checksum or database pages differ."""


class Refused(StorageError):
    """The request is well formed but the state of the campaign forbids it (exit code 2)."""

    exit_code = 2


class NotAWorkspace(Refused):
    """The directory holds no workspace."""


class NewerSchema(Refused):
    """The database was written by a newer program than this one."""


class DriverRunning(Refused):
    """Another ``run-al`` is at work on this workspace."""


class BadExpression(Refused):
    """An expression over the columns of the row table does not parse or names an unknown column."""
