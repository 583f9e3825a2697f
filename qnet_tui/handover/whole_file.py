"""A file that is there whole or not at all: written beside its place, flushed to disk, then renamed."""

import contextlib
import gzip
import os
import secrets
from pathlib import Path

from qnet_tui.errors import QnetError


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, gzipped (without a time stamp) when its name ends in .gz.

    An existing file is replaced in one step and keeps its bytes until then. Raises QnetError, leaving
    nothing of the new file behind, when the folder is missing or not writable, the disk is full, or the
    place is a folder.
    """
    data = gzip.compress(content, compresslevel=6, mtime=0) if path.name.lower().endswith(".gz") else content
    # In the same folder: a rename across file systems is a copy, and a copy can be cut short.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise QnetError(
            f"cannot write: {error.strerror or error}",
            file=path,
            mend="check the folder, its rights and the free space",
        ) from error
