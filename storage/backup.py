"""A consistent copy of the database and the journals while people work."""

import io
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from storage.connection import database_errors, fetch
from storage.errors import DamagedWorkspace, Refused
from storage.files import one_line_errors, sync_directory, temporary_name
from storage.journal import journal_files
from storage.rounds import QUEUE_FILE
from storage.settings import SETTINGS_FILE
from storage.workspace import DATABASE, Workspace


@dataclass(frozen=True)
class Backup:
    """The copy that was written: its file, size in bytes, and the names in it."""

    path: Path
    size: int
    members: tuple[str, ...]


def write_backup(ws: Workspace, path: str | Path) -> Backup:
    """Write a tar file with ``qnet.db``, ``journal/*.jsonl``, the queue files of the rounds and the settings.

    The database is copied in one step (a stepwise copy starts anew at every write and may never end),
    checked, and only then is the tar file renamed into place. Journals are copied after it, so they have all
    that it has. Unpacked into an empty directory it opens as a workspace without its shards.

    Raises:
        Refused: the file exists.
        DamagedWorkspace: the copy does not pass SQLite's integrity check; nothing was written.
        StorageError: nothing was written.

    """
    path = Path(path).absolute()
    if path.exists():
        raise Refused("exists already", file=path, mend="name another file")
    temporary = temporary_name(path)
    with one_line_errors(path), tempfile.TemporaryDirectory(prefix=".backup.", dir=path.parent) as scratch:
        copy = Path(scratch) / DATABASE
        _copy_database(ws, copy)
        members = [(DATABASE, copy)]
        members += [(f"journal/{one.name}", one) for one in journal_files(ws.journal_dir)]
        members += [
            (f"rounds/{one.parent.name}/{one.name}", one) for one in sorted(ws.rounds_dir.glob(f"*/{QUEUE_FILE}"))
        ]
        settings = ws.rounds_dir / SETTINGS_FILE
        members += [(f"rounds/{SETTINGS_FILE}", settings)] if settings.exists() else []
        try:
            with temporary.open("xb") as stream:
                with tarfile.open(fileobj=stream, mode="w") as archive:
                    for name, source in members:
                        _add(archive, name, source)
                stream.flush()
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_directory(path.parent)
    return Backup(path, path.stat().st_size, tuple(name for name, _ in members))


def _copy_database(ws: Workspace, target: Path) -> None:
    with database_errors(ws.database), closing(sqlite3.connect(target)) as copy:
        fetch(ws.db, "PRAGMA schema_version")
        ws.db.conn.backup(copy)
        answer = copy.execute("PRAGMA integrity_check").fetchall()
    if answer != [("ok",)]:
        raise DamagedWorkspace("the copy does not pass the integrity check", file=ws.database)


def _add(archive: tarfile.TarFile, name: str, source: Path) -> None:
    data = source.read_bytes()
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(data), 0o660, int(source.stat().st_mtime)
    archive.addfile(info, io.BytesIO(data))
