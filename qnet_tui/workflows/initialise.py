"""``qnet init``: a workspace, and what the file system under it can be trusted with."""

from dataclasses import dataclass
from pathlib import Path

from storage.workspace import Workspace


@dataclass(frozen=True)
class InitResult:
    """What ``qnet init`` says."""

    workspace: Path
    journal_mode: str
    filesystem: str
    locks_work: bool


def initialise(root: Path) -> InitResult:
    """Make the workspace at ``root`` (or open the one there) and test its locks with a second process.

    Errors: :class:`storage.errors.StorageError` when the folder holds something else or cannot be written.
    """
    with Workspace.create(root) as ws:
        facts = ws.facts
        return InitResult(
            workspace=ws.root,
            journal_mode=str(facts["journal_mode"]),
            filesystem=str(facts["filesystem"]),
            locks_work=bool(facts["locks_work"]),
        )
