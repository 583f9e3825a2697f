"""Images and columns of an open FITS file, each problem with them as one line for the user.

Plain images and the usual columns are read straight from the file (FITS 4.0, sections 5 and 7.3): the library
looks up every keyword of every column when it opens a table, which for the 250 columns of an SDSS file takes
twenty times as long as reading it. Compressed or scaled images and unusual columns go through the library.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.spectra.fits_layout import Hdu

COPY_AGAIN = "copy or download the file again"
_WRITE_AGAIN = "write the file again in the survey's format"

_PIXELS = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}  # by BITPIX
_CELLS = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}  # by letter of TFORM
_CELL_BYTES = {"L": 1, "A": 1, "B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_PIXELS_AT_ONCE = 1 << 16  # a quarter of a megabyte: half of a processor's second cache
_TFORM = re.compile(r"(\d*)([A-Z])")


@dataclass(frozen=True)
class _Column:
    """Where a column lies in a row, and the NumPy format of its cells; None when only the library reads it."""

    offset: int
    cells: str | tuple[str, tuple[int]] | None


class FitsFile:
    """An open FITS file: its HDUs by EXTNAME, images as arrays, columns of tables."""

    def __init__(self, path: Path, hdus: list[Hdu], stream: BinaryIO, library: Callable[[], Any]) -> None:
        """``stream`` is the open plain file; ``library`` opens it with fitsio when that is needed."""
        self.path, self.hdus, self._stream, self._library = path, hdus, stream, library
        self._by_name = {hdu.name: hdu for hdu in reversed(hdus) if hdu.name}

    def find(self, *names: str) -> Hdu | None:
        """The first HDU with one of these EXTNAMEs (upper case), None when there is none."""
        return next((self._by_name[name] for name in names if name in self._by_name), None)

    def image(self, hdu: Hdu, shape: tuple[int, ...] | None = None, n_axes: int = 2) -> NDArray[Any]:
        """The image in an HDU, of real numbers in native byte order.

        BadInput when it is not an image, has another number of axes than ``n_axes``, no pixels, another shape
        than ``shape``, or cannot be read.
        """
        self.check_image(hdu, shape, n_axes)
        if hdu.is_plain_image:
            pixels = np.empty(hdu.shape, dtype=np.dtype(_PIXELS[hdu.bitpix]).newbyteorder("="))
            return self._pixels(hdu, pixels, 0)
        data = np.asarray(self._through_library(hdu, lambda fits: fits[hdu.index].read()))
        if data.shape != hdu.shape or data.dtype.kind not in "iuf":
            raise self.bad(f"{hdu.label} holds no real numbers of shape {hdu.shape}")
        return data.astype(data.dtype.newbyteorder("="), copy=False)

    def check_image(self, hdu: Hdu, shape: tuple[int, ...] | None = None, n_axes: int = 2) -> None:
        """BadInput unless the HDU is an image as :meth:`image` wants it; the pixels are not read."""
        if hdu.is_table:
            raise self.bad(f"{hdu.label} is a table, not an image")
        if len(hdu.shape) != n_axes or 0 in hdu.shape:
            raise self.bad(f"{hdu.label} has shape {hdu.shape}, expected {n_axes} axes with pixels")
        if shape is not None and hdu.shape != shape:
            raise self.bad(f"{hdu.label} has shape {hdu.shape}, expected {shape}")

    def image_rows(self, hdu: Hdu, at_once: int) -> Callable[[int], NDArray[Any]]:
        """A function that reads the rows of an image from a given one on, at most ``at_once``, in native byte order.

        Every call fills the same array anew, which then is still in the processor's cache: an image of a petal read
        as a whole is not. An image that only the library reads is read as a whole.
        """
        if not hdu.is_plain_image:
            whole = self.image(hdu)
            return lambda first: whole[first : first + at_once]
        dtype = np.dtype(_PIXELS[hdu.bitpix]).newbyteorder("=")
        buffer = np.empty((min(at_once, hdu.shape[0]), hdu.shape[1]), dtype=dtype)
        return lambda first: self._pixels(hdu, buffer[: hdu.shape[0] - first], first)

    def columns(self, hdu: Hdu, names: Sequence[str], first_row_only: bool = False) -> dict[str, NDArray[Any]]:
        """Those of the named columns (upper case) that a table has, by upper-case name, in native byte order.

        BadInput when the HDU is no table or cannot be read. Arrays have one entry per row of the table, and
        more axes where a cell is an array.
        """
        if not hdu.is_table:
            raise self.bad(f"{hdu.label} is an image, not a table")
        spelled = {column.upper(): n for n, column in reversed(list(enumerate(hdu.columns)))}
        wanted = {name: spelled[name] for name in names if name in spelled}
        n_rows = min(hdu.n_rows, 1) if first_row_only else hdu.n_rows
        if not wanted or n_rows == 0:
            return {}
        places = self._places(hdu)
        usual = {name: place for name, n in wanted.items() if (place := places[n]).cells is not None}
        out: dict[str, NDArray[Any]] = {}
        if usual:
            cells = np.dtype(
                {
                    "names": list(usual),
                    "formats": [place.cells for place in usual.values()],
                    "offsets": [place.offset for place in usual.values()],
                    "itemsize": hdu.row_bytes,
                }
            )
            table = self._bytes(hdu, n_rows * hdu.row_bytes).view(cells)
            out = {name: table[name].astype(table[name].dtype.newbyteorder("=")) for name in usual}
        rest = [hdu.columns[n] for name, n in wanted.items() if name not in usual]
        if rest:
            rows = [0] if first_row_only else None
            read = self._through_library(hdu, lambda fits: fits[hdu.index].read(columns=rest, rows=rows))
            for name in rest:
                cell = np.asarray(read[name])
                out[name.upper()] = cell.astype(cell.dtype.newbyteorder("="))
        return out

    def bad(self, what: str, mend: str = _WRITE_AGAIN) -> BadInput:
        """The BadInput for something wrong with this file."""
        return BadInput(what, mend=mend, file=self.path)

    def _places(self, hdu: Hdu) -> list[_Column]:
        """Offset and type of every column of a table, from TFORMn; only the library knows ASCII tables."""
        if hdu.text("XTENSION") == "TABLE":
            return [_Column(0, None)] * len(hdu.columns)
        places: list[_Column] = []
        offset = 0
        for n in range(1, len(hdu.columns) + 1):
            form = _TFORM.match(hdu.text(f"TFORM{n}").upper())
            if form is None or form[2] not in (*_CELL_BYTES, "X"):
                raise self.bad(f"{hdu.label}: TFORM{n} is not a column format of FITS")
            repeat, letter = int(form[1] or 1), form[2]
            scaled = f"TSCAL{n}" in hdu.cards or f"TZERO{n}" in hdu.cards
            cells: str | tuple[str, tuple[int]] | None = None
            if letter == "A" and repeat:
                cells = f"S{repeat}"
            elif letter in _CELLS and repeat and not scaled:
                cells = _CELLS[letter] if repeat == 1 else (_CELLS[letter], (repeat,))
            places.append(_Column(offset, cells))
            offset += -(-repeat // 8) if letter == "X" else repeat * _CELL_BYTES[letter]
        if offset != hdu.row_bytes:
            raise self.bad(f"{hdu.label}: its columns take {offset} bytes a row, not {hdu.row_bytes}", COPY_AGAIN)
        return places

    def _bytes(self, hdu: Hdu, n_bytes: int) -> NDArray[np.uint8]:
        """The first bytes of the data of an HDU."""
        out = np.empty(n_bytes, dtype=np.uint8)
        self._fill(hdu, out, 0)
        return out

    def _pixels(self, hdu: Hdu, out: NDArray[Any], first: int) -> NDArray[Any]:
        """Fill ``out`` with the pixels of a plain image from row ``first`` on, in native byte order."""
        flat = out.reshape(-1)
        # Swapped on the way from a small array: five times as fast as in place.
        stored = np.empty(min(flat.size, _PIXELS_AT_ONCE), dtype=_PIXELS[hdu.bitpix])
        start = first * out[:1].size
        for at in range(0, flat.size, stored.size):
            part = stored[: flat.size - at]
            self._fill(hdu, part, (start + at) * part.itemsize)
            flat[at : at + part.size] = part
        return out

    def _fill(self, hdu: Hdu, out: NDArray[Any], offset: int) -> None:
        """Fill ``out`` with the bytes of an HDU's data from ``offset`` on."""
        self._stream.seek(hdu.start + offset)
        if cast(Any, self._stream).readinto(out.view(np.uint8).data) != out.nbytes:
            raise self.bad(f"{hdu.label} ends too early", COPY_AGAIN)

    def _through_library(self, hdu: Hdu, read: Callable[[Any], Any]) -> Any:
        try:
            return read(self._library())
        # The library raises OSError, ValueError, RuntimeError, SystemError, IndexError… for damaged input.
        except Exception as error:
            # Its own first words, without its stack of earlier messages.
            first = (str(error).splitlines() or [""])[0].split(": ", 1)[-1].strip()
            raise self.bad(f"{hdu.label} cannot be read ({first or type(error).__name__})", COPY_AGAIN) from error
