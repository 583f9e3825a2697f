"""FITS binary tables -> RawTables, after a check that the file is all there.

The check walks the HDUs in Python: the FITS library reads a table that ends too early as far as it can,
and trusts a header that announces more rows than any disk holds.
"""

import gzip
import io
import math
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.truth.cells import Cell
from qnet_tui.truth.raw_table import RawTable

FITS_MAGIC = b"SIMPLE  ="
GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 2880
_CARD = 80
_EXACT_FLOAT32 = 2**24
_SIZE_KEY = re.compile(rb"(?:NAXIS[0-9]{0,3}|BITPIX|PCOUNT|GCOUNT) *= ")
_WHOLE = re.compile(rb"[+-]?[0-9]{1,18}")
_LIBRARY_ERRORS = (OSError, ValueError, TypeError, KeyError, IndexError, MemoryError)


_Stream = gzip.GzipFile | io.BufferedReader


@contextmanager
def fits_tables(path: Path, *, zipped: bool) -> Iterator[list[RawTable]]:
    """The binary tables of a FITS file, columns read when asked for, while the context is open.

    Raises BadInput when the file is cut short, is no FITS, or has no table with rows.
    """
    import fitsio

    n_hdus = _check_structure(path, zipped=zipped)
    # The library reads brackets, plus signs and the like in a file name as commands: give it a plain one.
    with tempfile.TemporaryDirectory(prefix="qnet-truth-") as folder:
        plain = Path(folder) / ("table.fits.gz" if zipped else "table.fits")
        plain.symlink_to(path.resolve())
        try:
            fits = fitsio.FITS(str(plain))
            if len(fits) < n_hdus:  # the library stops at a header it does not understand, without a word
                raise OSError(f"HDU {len(fits)} is damaged")
            hdus = [hdu for hdu in fits if hdu.get_exttype() != "IMAGE_HDU"]
            tables = [_table(hdu, path) for hdu in hdus if hdu.get_nrows() > 0]
        except _LIBRARY_ERRORS as error:
            raise _unreadable(path, error) from error
        with fits:
            if not tables:
                raise BadInput("the FITS file has no table with rows", file=path, mend="is it the right file?")
            yield tables


def _unreadable(path: Path, error: BaseException) -> BadInput:
    return BadInput(f"cannot be read as FITS ({type(error).__name__})", file=path, mend="copy it again")


def _table(hdu: Any, path: Path) -> RawTable:
    names = tuple(hdu.get_colnames())

    def column(index: int) -> list[Cell]:
        try:
            values = hdu.read_column(names[index])
        except _LIBRARY_ERRORS as error:
            raise _unreadable(path, error) from error
        return _cells(np.asarray(values), names[index], path)

    return RawTable(names, range(1, int(hdu.get_nrows()) + 1), column, extname=str(hdu.get_extname()))


def _cells(values: NDArray[Any], name: str, path: Path) -> list[Cell]:
    if values.ndim != 1 or values.dtype.kind not in "biufU":
        raise BadInput(f"column {name} has not one number or text in each row", file=path, mend="flatten it")
    cells: list[Cell] = values.tolist()
    if values.dtype.kind == "f" and values.dtype.itemsize == 4:
        # A whole number that float32 cannot hold must not look exact once it is a Python float.
        return [f"{c:.8e}" if isinstance(c, float) and abs(c) >= _EXACT_FLOAT32 else c for c in cells]
    return cells


def _check_structure(path: Path, *, zipped: bool) -> int:
    """Number of HDUs, all walked over; BadInput when a header or the data it announces is cut short."""
    try:
        with gzip.open(path, "rb") if zipped else path.open("rb") as stream:
            hdu = 0
            while (size := _data_size(stream, path, hdu)) is not None:
                if not _skip(stream, size + -size % _BLOCK):
                    raise BadInput(f"the FITS file is cut short in HDU {hdu}", file=path, mend="copy it again")
                hdu += 1
            return hdu
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput("the gzip file is cut short or damaged", file=path, mend="copy it again") from error


def _skip(stream: _Stream, size: int) -> bool:
    """Move on by ``size`` bytes, reading the last, as seeks pass the end; False when the stream ends."""
    if size == 0:
        return True
    try:
        stream.seek(size - 1, 1)
    except (OverflowError, OSError) as error:
        if isinstance(error, gzip.BadGzipFile):
            raise
        return False
    return len(stream.read(1)) == 1


def _data_size(stream: _Stream, path: Path, hdu: int) -> int | None:
    """Bytes of data of the next HDU, None at the end of the file."""
    values: dict[str, int] = {}
    block = stream.read(_BLOCK)
    if not block.strip(b"\0 "):
        return None
    if hdu and not b"XTENSION".startswith(block[:8]):
        return None  # special records after the last HDU, which the standard lets readers ignore
    is_table = block[10:20].strip(b"' ") in (b"BINTABLE", b"TABLE")
    while True:
        if len(block) < _BLOCK:
            raise BadInput(f"the FITS file is cut short in the header of HDU {hdu}", file=path, mend="copy it again")
        for start in range(0, _BLOCK, _CARD):
            card = block[start : start + _CARD]
            if card.rstrip() == b"END":
                # Rows of no width cost a file nothing, and memory everything.
                if is_table and values.get("NAXIS1", 0) <= 0 < values.get("NAXIS2", 0):
                    raise BadInput(f"the table in HDU {hdu} has rows without width", file=path, mend="copy it again")
                return _size(values)
            if _SIZE_KEY.fullmatch(card[:10]):
                text = card[10:].partition(b"/")[0].strip()
                if not _WHOLE.fullmatch(text):
                    what = f"the FITS header of HDU {hdu} has a broken {card[:8].decode().strip()}"
                    raise BadInput(what, file=path, mend="copy it again")
                values[card[:8].decode().strip()] = int(text)
        block = stream.read(_BLOCK)


def _size(values: dict[str, int]) -> int:
    axes = [values.get(f"NAXIS{i}", 0) for i in range(1, min(values.get("NAXIS", 0), 999) + 1)]
    elements = math.prod(max(axis, 0) for axis in axes) if axes else 0
    groups, heap = max(values.get("GCOUNT", 1), 0), max(values.get("PCOUNT", 0), 0)
    return abs(values.get("BITPIX", 8)) // 8 * groups * (heap + elements)
