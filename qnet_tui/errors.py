"""The errors a user can cause, each shown as one line that names the file, the row and the mend.

``storage`` is the layer below this package and has its own family in :mod:`storage.errors` with the same
``exit_code`` attribute; the command line and the app treat both alike.
"""

from pathlib import Path


class QnetError(Exception):
    """Something failed that is not the fault of the input (exit code 1: disk, permission, lost worker)."""

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        mend: str = "",
        file: str | Path | None = None,
        row: int | None = None,
    ) -> None:
        """Compose ``FILE: row N: WHAT; MEND`` from the parts that are known."""
        self.what, self.mend, self.file, self.row = what, mend, file, row
        where = f"{file}: " if file is not None else ""
        where += f"row {row}: " if row is not None else ""
        # One line whatever a library put into its message: a log is read with grep.
        super().__init__(" ".join((where + what + (f"; {mend}" if mend else "")).split()))


class BadInput(QnetError):
    """Bad usage or bad input: a file, a column, a value or an option (exit code 2)."""

    exit_code = 2
