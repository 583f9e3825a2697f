"""Open a FITS file, plain or gzipped, so that whatever is wrong with it becomes one line for the user.

The file is opened once and its headers are checked against its length before anything is read. A gzipped file is
unpacked by Python's gzip, which checks the sum at its end, into memory.
"""

import gzip
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.spectra.fits_file import COPY_AGAIN, FitsFile
from qnet_tui.spectra.fits_layout import DamagedFitsError, NotFitsError, scan_headers

GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20


@contextmanager
def open_fits(path: Path) -> Iterator[FitsFile]:
    """Open a FITS file for reading; gzipped files are recognised by content.

    BadInput when the file does not exist, is empty, truncated or damaged, or is no FITS file; QnetError
    when the system does not let us read it.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(open_bytes(path))
        if stream.read(2) == GZIP_MAGIC:
            stream = stack.enter_context(_unpacked(path, stream))
        size = stream.seek(0, os.SEEK_END)
        if size == 0:
            raise BadInput("the file is empty", mend=COPY_AGAIN, file=path)
        try:
            hdus = list(scan_headers(stream, size))
        except NotFitsError as error:
            raise BadInput(str(error), mend="name a FITS file of spectra", file=path) from error
        except DamagedFitsError as error:
            raise BadInput(str(error), mend=COPY_AGAIN, file=path) from error

        @cache
        def library() -> Any:
            import fitsio

            # By its descriptor: in a name the library would look for brackets and other filter syntax.
            handle = fitsio.FITS(f"/dev/fd/{stream.fileno()}", "r")
            stack.callback(handle.close)
            return handle

        yield FitsFile(path, hdus, stream, library)


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading bytes; BadInput when there is none, QnetError when we may not."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInput("is not a regular file", mend="name a file", file=path)
        stream = path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput("no such file", mend="check the path", file=path) from error
    except OSError as error:
        raise QnetError(f"cannot be read ({error.strerror or error})", file=path) from error
    with stream:
        try:
            yield stream
        except OSError as error:
            raise QnetError(f"cannot be read ({error.strerror or error})", file=path) from error


@contextmanager
def _unpacked(path: Path, packed: BinaryIO) -> Iterator[BinaryIO]:
    packed.seek(0)
    with _scratch() as plain:
        try:
            with gzip.GzipFile(fileobj=packed) as unpacking:
                shutil.copyfileobj(unpacking, plain, _CHUNK)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            what = "truncated" if isinstance(error, EOFError) else "damaged"
            raise BadInput(f"{what} gzip file", mend=COPY_AGAIN, file=path) from error
        plain.flush()
        yield plain


def _scratch() -> BinaryIO:
    """An unnamed file that goes away by itself, in memory where the system offers that."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("spectra"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())
