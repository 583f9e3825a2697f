"""A workspace opened only to look at it, again and again, while others work in it."""

import os
from pathlib import Path

from storage.errors import NotAWorkspace
from storage.migrations import SCHEMA_VERSION, check_readable
from storage.workspace import DATABASE, Workspace


def open_for_reading(root: str | Path) -> Workspace:
    """Return the workspace at ``root``, of which nothing is written: no journal is replayed, no leftover swept.

    A transaction that a killed writer left half done is still rolled back, which takes an account that may write. An
    older schema is brought up to date once, as by any other opening.

    Raises:
        NotAWorkspace, NewerSchema, ReadOnlyWorkspace: as for ``Workspace.open``.

    """
    root = Path(root).absolute()
    database = root / DATABASE
    if not database.is_file():
        raise NotAWorkspace("is not a workspace", file=root, mend=f"make one with 'qnet init {root}'")
    writable = os.access(database, os.W_OK) and os.access(root, os.W_OK)
    workspace = Workspace(root, read_only=not writable)
    try:
        old = check_readable(workspace.db, database) < SCHEMA_VERSION
        if not old:
            workspace.db.execute("PRAGMA query_only = ON")
            return workspace
    except BaseException:
        workspace.close()
        raise
    workspace.close()
    Workspace.open(root).close()
    return open_for_reading(root)
