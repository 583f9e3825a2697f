"""Writing files so that a crash leaves the old one or the new one, and appending so that nothing is lost."""

import errno
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from storage.errors import DiskFull, ReadOnlyWorkspace, StorageError

FILE_MODE = 0o660
DIRECTORY_MODE = 0o2770
TEMPORARY = ".tmp."

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` raised inside into one of the storage family, naming ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(f"not written ({error.strerror})", file=path, mend="make room, then do it again") from error
        if error.errno in _FORBIDDEN:
            raise ReadOnlyWorkspace(
                f"not permitted ({error.strerror})",
                file=path,
                mend="ask the owner for group write permission",
            ) from error
        raise StorageError(str(error.strerror or error), file=path) from error


def temporary_name(path: Path) -> Path:
    """Name the file that is written before it is renamed to ``path``: ``NAME.tmp.<host>.<pid>.<random>``."""
    return path.with_name(f"{path.name}{TEMPORARY}{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}")


def write_durably(path: Path, *pieces: bytes | memoryview) -> None:
    """Write ``pieces`` one after the other to ``path``: temporary file, fsync, rename, fsync of directory.

    The file gets mode 0660 whatever the umask is, so that colleagues of the group can replace it. A failure
    leaves what was there before.
    """
    with durable_stream(path) as stream:
        for piece in pieces:
            write_whole(stream.fileno(), piece)


@contextmanager
def durable_stream(path: Path) -> Iterator[BinaryIO]:
    """Give a stream to write to that becomes the file ``path`` as :func:`write_durably` does, when all went well.

    It can seek. What is written need never be in memory as a whole.
    """
    temporary = temporary_name(path)
    with one_line_errors(path):
        try:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
            with os.fdopen(handle, "w+b") as stream:
                os.fchmod(handle, FILE_MODE)
                yield stream
                stream.flush()
                os.fsync(handle)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_directory(path.parent)


def write_whole(handle: int, piece: bytes | memoryview) -> None:
    """Write every byte of ``piece``; a single write may take fewer (2 GiB, or a nearly full disk)."""
    rest = memoryview(piece).cast("B")
    while rest.nbytes:
        rest = rest[os.write(handle, rest) :]


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable; a file system that cannot sync a directory is left alone."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(handle)


def make_directory(path: Path) -> None:
    """Make ``path`` (and its parents) writable for the group, new files in it belonging to that group.

    Mode 2770; where the file system refuses the set-group-id bit, 0770. A directory that is there keeps its
    mode.
    """
    with one_line_errors(path):
        if path.is_dir():
            return
        path.mkdir(parents=True)
        try:
            path.chmod(DIRECTORY_MODE)
        except PermissionError:
            path.chmod(DIRECTORY_MODE & 0o777)


def create_private_to_group(path: Path) -> bool:
    """Create an empty file with mode 0660 unless there is one; return whether it was created.

    SQLite itself would create it with 0644 less the umask, which no umask turns into group write.
    """
    with one_line_errors(path):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        except FileExistsError:
            return False
        try:
            os.fchmod(handle, FILE_MODE)
        finally:
            os.close(handle)
        return True
