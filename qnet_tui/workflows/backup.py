"""``qnet backup``: a consistent copy of the database and the journals while people work."""

from pathlib import Path

from storage.backup import Backup, write_backup
from storage.workspace import Workspace


def backup(root: Path, target: Path) -> Backup:
    """Write the copy of the workspace at ``root`` to the tar file ``target``; it is checked before it counts."""
    with Workspace.open(root) as ws:
        return write_backup(ws, target)
