"""The twin of the event log: one append-only file of JSON lines for each person, ``journal/CODE.jsonl``.

A line is durable before the database commits. What the database lacks is replayed from here; with the queue
files of the rounds, these files alone rebuild the votes.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.files import FILE_MODE, make_directory, one_line_errors, sync_directory, write_whole

SUFFIX = ".jsonl"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


@dataclass(frozen=True)
class JournalPart:
    """What was read of one file: its entries, complete lines that are no entry, and where reading ended."""

    entries: tuple[dict[str, Any], ...]
    bad_lines: int
    end: int


def journal_file(directory: Path, code: str) -> Path:
    """Return the file of one person."""
    return directory / f"{code}{SUFFIX}"


def append_entries(directory: Path, code: str, entries: Sequence[dict[str, Any]]) -> None:
    """Append entries to a person's file and make them durable before returning.

    A line that an earlier crash cut off is closed first. If the disk is full the file is left as it was.

    Raises:
        DiskFull, ReadOnlyWorkspace, StorageError: nothing was appended.

    """
    path = journal_file(directory, code)
    lines = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries).encode()
    make_directory(directory)
    with one_line_errors(path):
        is_new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
        try:
            if is_new:
                os.fchmod(handle, FILE_MODE)
            with _locked(handle):
                size = os.fstat(handle).st_size
                cut_off = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
                try:
                    write_whole(handle, b"\n" + lines if cut_off else lines)
                    os.fsync(handle)
                except OSError:
                    os.ftruncate(handle, size)
                    raise
        finally:
            os.close(handle)
        if is_new:
            sync_directory(directory)


def read_entries(path: Path, start: int = 0) -> JournalPart:
    """Read a person's file from byte ``start``; a last line without an end is left for later."""
    with one_line_errors(path), path.open("rb") as stream:
        stream.seek(start)
        data = stream.read()
    whole = data[: data.rfind(b"\n") + 1]
    entries: list[dict[str, Any]] = []
    bad = 0
    for line in whole.splitlines():
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            bad += 1
            continue
        if isinstance(entry, dict) and all(name in entry for name in ("uid", "at", "kind", "by", "body")):
            entries.append(entry)
        else:
            bad += 1
    return JournalPart(tuple(entries), bad, start + len(whole))


def journal_files(directory: Path) -> list[Path]:
    """Return the files of all persons, by name."""
    with one_line_errors(directory):
        return sorted(directory.glob(f"*{SUFFIX}")) if directory.is_dir() else []


@contextmanager
def _locked(handle: int) -> Iterator[None]:
    """Keep a second session of the person out of this line, where the file system has locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    # Closing the file gives the lock back.
    yield
