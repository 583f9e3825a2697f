"""The workspace: one campaign, one directory, one database.

``qnet.db``; ``shards/`` immutable blocks of vectors; ``rounds/NNN/`` and ``runs/ID/`` what rounds and runs
leave; ``journal/CODE.jsonl`` the twin of what each person said. The whole state, can be copied.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlite_utils

from storage.connection import connect, fetch
from storage.errors import DatabaseBusy, DiskFull, NotAWorkspace, ReadOnlyWorkspace, Refused, StorageError
from storage.files import TEMPORARY, make_directory, one_line_errors
from storage.journal import journal_files
from storage.locks import filesystem_of, locks_work
from storage.migrations import SCHEMA_VERSION, check_readable, migrate

DATABASE = "qnet.db"
DIRECTORIES = ("shards", "rounds", "runs", "journal")
ENVIRONMENT = "QNET_WORKSPACE"
_DAY = 86_400.0


class Workspace:
    """An open workspace. Use :meth:`open` or :meth:`create`; close it, or use it as a context manager.

    ``db`` is a connection of the thread that asks, so one workspace can be used from the worker threads of a
    screen; :meth:`close` closes them all. A process made by fork gets connections of its own.

    Attributes:
        root: the directory.
        read_only: True when this account or this mount cannot write; every write then raises
            ``ReadOnlyWorkspace``.
        facts: what was found at creation: ``journal_mode``, ``filesystem``, ``locks_work`` (empty after
            open).

    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        """Remember the place; nothing is opened before :attr:`db` is asked for."""
        self.root = root
        self.read_only = read_only
        self.facts: dict[str, str | bool] = {}
        self._lock = threading.Lock()
        self._connections: dict[tuple[int, int], sqlite_utils.Database] = {}

    @property
    def db(self) -> sqlite_utils.Database:
        """The database as seen by this thread."""
        key = (os.getpid(), threading.get_ident())
        with self._lock:
            found = self._connections.get(key)
            if found is None:
                found = connect(self.database, read_only=self.read_only)
                self._connections[key] = found
            return found

    @classmethod
    def create(cls, root: str | Path) -> "Workspace":
        """Make a workspace and return it open; harmless on one that exists.

        Directories get mode 2770 and the database 0660 whatever the umask is, so that the group can label. A
        second process tests the locks first.

        Raises:
            Refused: ``root`` is a file, or a directory that has something else in it.
            StorageError: the locks of this file system do not work, or it cannot be written.

        """
        root = Path(root).absolute()
        if root.exists() and not root.is_dir():
            raise Refused("is a file", file=root, mend="name a directory for the workspace")
        if not (root / DATABASE).exists():
            with one_line_errors(root):
                # A creation that was cut off leaves some of these and no database: it may be done again.
                foreign = [
                    entry.name
                    for entry in (root.iterdir() if root.is_dir() else ())
                    if entry.name not in DIRECTORIES and not entry.name.startswith(".lock-test.")
                ]
            if journal_files(root / "journal"):
                raise Refused(
                    "has journals of votes but no database",
                    file=root,
                    mend=f"run 'qnet vi recover -w {root}'",
                )
            if foreign:
                raise Refused("is not empty and not a workspace", file=root, mend="name a new or an empty directory")
        make_directory(root)
        if not locks_work(root):
            raise StorageError(
                f"locks do not work on this file system ({filesystem_of(root)}): writers would damage it",
                file=root,
                mend="choose another file system",
            )
        for name in DIRECTORIES:
            make_directory(root / name)
        db = connect(root / DATABASE)
        try:
            check_readable(db, root / DATABASE)
            migrate(db)
        finally:
            db.close()
        workspace = cls.open(root)
        workspace.facts = {
            "journal_mode": str(fetch(workspace.db, "PRAGMA journal_mode")[0][0]),
            "filesystem": filesystem_of(root),
            "locks_work": True,
        }
        return workspace

    @classmethod
    def open(cls, root: str | Path) -> "Workspace":
        """Open a workspace: bring its schema up to date, replay what the journals have more, sweep leftovers.

        One that cannot be written is opened for reading.

        Raises:
            NotAWorkspace, NewerSchema: one line with the mend.
            ReadOnlyWorkspace: it needs a writer's hand first (an older schema, a write that was cut off).

        """
        root = Path(root).absolute()
        database = root / DATABASE
        if not database.is_file():
            raise NotAWorkspace("is not a workspace", file=root, mend=f"make one with 'qnet init {root}'")
        writable = os.access(database, os.W_OK) and os.access(root, os.W_OK)
        workspace = cls(root, read_only=not writable)
        try:
            version = check_readable(workspace.db, database)
            if not writable:
                if version < SCHEMA_VERSION:
                    raise ReadOnlyWorkspace(
                        f"has the older schema {version}",
                        file=database,
                        mend="open it once from an account that may write",
                    )
                return workspace
            migrate(workspace.db)
            for name in DIRECTORIES:
                make_directory(root / name)
            sweep(workspace)
            # The journals are read with the open workspace in hand, so this module is below that one.
            from storage.reconciliation import reconcile

            # What cannot be entered now is safe in the journals; one must still be able to look.
            with suppress(DatabaseBusy, DiskFull):
                reconcile(workspace)
        except BaseException:
            workspace.close()
            raise
        return workspace

    @classmethod
    def find(cls, given: str | Path | None = None) -> Path:
        """Return the root meant: the one given, else upward from here, else ``$QNET_WORKSPACE``.

        Raises:
            NotAWorkspace: there is none, with what to do.

        """
        if given is not None:
            root = Path(given).expanduser().absolute()
            if (root / DATABASE).is_file():
                return root
            raise NotAWorkspace("is not a workspace", file=root, mend=f"make one with 'qnet init {given}'")
        here = Path.cwd()
        for candidate in (here, *here.parents):
            if (candidate / DATABASE).is_file():
                return candidate
        named = os.environ.get(ENVIRONMENT)
        if named:
            root = Path(named).expanduser().absolute()
            if (root / DATABASE).is_file():
                return root
            raise NotAWorkspace(
                "is not a workspace", file=root, mend=f"correct {ENVIRONMENT} or give one with '-w DIR'"
            )
        raise NotAWorkspace(
            "no workspace here or above", mend="make one with 'qnet init DIR' or give one with '-w DIR'"
        )

    @property
    def database(self) -> Path:
        """The database file."""
        return self.root / DATABASE

    @property
    def shards_dir(self) -> Path:
        """Where the blocks of vectors lie."""
        return self.root / "shards"

    @property
    def rounds_dir(self) -> Path:
        """Where the rounds lie."""
        return self.root / "rounds"

    @property
    def runs_dir(self) -> Path:
        """Where the runs lie."""
        return self.root / "runs"

    @property
    def journal_dir(self) -> Path:
        """Where each person's journal lies."""
        return self.root / "journal"

    def round_dir(self, number: int) -> Path:
        """Return ``rounds/NNN``, made if need be."""
        return self._made(self.rounds_dir / f"{number:03d}")

    def run_dir(self, run_id: str) -> Path:
        """Return ``runs/ID``, made if need be."""
        return self._made(self.runs_dir / run_id)

    def data_version(self) -> int:
        """Return a number that changes when another connection has written: look at it before asking anew."""
        return int(fetch(self.db, "PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the connections of all threads of this process."""
        with self._lock:
            mine = [key for key in self._connections if key[0] == os.getpid()]
            for key in mine:
                self._connections.pop(key).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _made(self, directory: Path) -> Path:
        if not self.read_only:
            make_directory(directory)
        return directory


def sweep(workspace: Workspace, *, older_than_seconds: float = _DAY) -> list[Path]:
    """Remove and return what crashed writers left: old temporary files, old unregistered shards.

    Only what is older than ``older_than_seconds`` goes: a younger one may belong to a writer at work.
    """
    limit = time.time() - older_than_seconds
    old: list[Path] = []
    for directory in (workspace.shards_dir, workspace.journal_dir, workspace.rounds_dir, *_children(workspace)):
        with suppress(OSError), os.scandir(directory) as entries:
            old += [
                Path(entry.path)
                for entry in entries
                if (TEMPORARY in entry.name or (directory == workspace.shards_dir and entry.name.endswith(".npy")))
                and entry.is_file(follow_symlinks=False)
                and entry.stat().st_mtime < limit
            ]
    if not old:
        return []
    registered = {name for (name,) in fetch(workspace.db, "SELECT name FROM shard")}
    swept = [path for path in old if TEMPORARY in path.name or path.name not in registered]
    for path in swept:
        with suppress(OSError):
            path.unlink()
    return swept


def _children(workspace: Workspace) -> list[Path]:
    found: list[Path] = []
    for directory in (workspace.rounds_dir, workspace.runs_dir):
        with suppress(OSError), os.scandir(directory) as entries:
            found += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return found
