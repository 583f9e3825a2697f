"""A file that is there whole or not at all: written beside its place, flushed to disk, then renamed.

Every room that writes a file for a user or for a later stage does it through this door; ``storage``, the layer below,
has its own in :mod:`storage.files`, which also cares for the rights of the group.
"""

import contextlib
import gzip
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from qnet_tui.errors import QnetError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; it becomes ``path`` when the block ends, and nothing is left when it fails.

    What was at ``path`` stays until then. Errors: :class:`QnetError` in one line for every ``OSError`` in the block
    or after it: folder missing or not writable, disk full, the place is a folder.
    """
    # In the same folder: a rename across file systems is a copy, and a copy can be cut short.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        _synchronise(temporary)
        temporary.replace(path)
        with contextlib.suppress(OSError):  # Not every file system can synchronise a folder; the file is there.
            _synchronise(path.parent)
    except OSError as error:
        raise QnetError(
            f"cannot be written: {error.strerror or error}",
            file=path,
            mend="check the folder, its rights and the free space",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, gzipped (without a time stamp: same bytes every time) when its name ends in .gz."""
    data = gzip.compress(content, compresslevel=6, mtime=0) if path.name.lower().endswith(".gz") else content
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def _synchronise(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
