"""Open a FITS file, plain or gzipped, so that whatever is wrong with it becomes one line for the user.

The file is opened once and its headers are checked against its length before anything is read. A gzipped file is
unpacked into memory to its end, where the sum is checked.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.spectra.fits_file import COPY_AGAIN, FitsFile
from qnet_tui.spectra.fits_layout import DamagedFitsError, NotFitsError, scan_headers
from qnet_tui.spectra.gunzip import DAMAGE, MAGIC, UnpackedOnce, damage

_BULKY = ("_RESOLUTION", "_MASK")  # four fifths of a DESI file, of no use to who wants vectors


@contextmanager
def open_fits(path: Path, *, unpack_all: bool = True) -> Iterator[FitsFile]:
    """Open a FITS file for reading; gzipped files are recognised by content.

    ``unpack_all=False`` leaves the resolution and mask images of a gzipped file out: they must not be read then.

    BadInput when the file does not exist, is empty, truncated or damaged, or is no FITS file; QnetError
    when the system does not let us read it.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(open_bytes(path))
        if stream.read(2) == MAGIC:
            stream = stack.enter_context(_unpacked(path, stream, unpack_all))
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
def _unpacked(path: Path, packed: BinaryIO, everything: bool) -> Iterator[BinaryIO]:
    with _scratch() as plain:
        try:
            source = UnpackedOnce(packed, plain)
            if not everything:
                # What is wrong with the headers is said when those of the plain file are read.
                with suppress(DamagedFitsError):
                    for hdu in scan_headers(cast(BinaryIO, source), None):
                        source.skipping = hdu.name.endswith(_BULKY)
                source.skipping = False
            source.finish()
        except DAMAGE as error:
            raise BadInput(f"{damage(error)} gzip file", mend=COPY_AGAIN, file=path) from error
        yield plain


def _scratch() -> BinaryIO:
    """An unnamed file that goes away by itself, in memory where the system offers that."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("spectra"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())
