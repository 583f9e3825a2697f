"""The parts (HDUs) of a FITS file as its headers declare them, found without reading any data.

FITS standard 4.0: headers and data in blocks of 2880 bytes, headers of 80-character cards. Two things need
this beside the reading library: telling what a file is by the names of its parts, and refusing a truncated
file, which the library notices only when it happens to read beyond the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 2880
_CARD = 80
_BITPIX = (8, 16, 32, 64, -32, -64)
_MAX_HEADER_BLOCKS = 10_000  # 29 MB of header: a longer one is no header

CardValue = str | int | float | bool


class DamagedFitsError(ValueError):
    """The headers do not describe the bytes that are there; the message says where, in words for the user."""


class NotFitsError(DamagedFitsError):
    """The first bytes are not those of a FITS file."""


@dataclass(frozen=True)
class Hdu:
    """One header and data unit.

    ``name`` is EXTNAME in upper case ("" without one); ``shape`` of an image in numpy's order; ``columns``
    of a table in the file's spelling; ``n_rows`` and ``row_bytes`` of a table; ``start`` the first byte of
    the data; ``bitpix`` the type of an image's pixels; ``cards`` the raw value fields of the header by keyword.
    """

    index: int
    name: str
    is_table: bool
    shape: tuple[int, ...]
    columns: tuple[str, ...]
    n_rows: int
    row_bytes: int
    start: int
    bitpix: int
    cards: dict[str, str]

    def value(self, keyword: str) -> CardValue | None:
        """Value of a header keyword; None when it is absent, undefined or unreadable."""
        return parse_value(self.cards.get(keyword, ""))

    def text(self, keyword: str) -> str:
        """Value of a header keyword as stripped text, "" when there is none."""
        value = self.value(keyword)
        return "" if value is None else str(value).strip()

    def integer(self, keyword: str, default: int = -1) -> int:
        """Value of a header keyword as an integer, ``default`` when it is not one."""
        value = self.value(keyword)
        if isinstance(value, str):
            value = parse_value(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    @property
    def is_plain_image(self) -> bool:
        """Whether the data are the pixels themselves: an image neither compressed nor scaled."""
        return not (self.is_table or {"ZIMAGE", "BSCALE", "BZERO"} & self.cards.keys())

    @property
    def label(self) -> str:
        """How a message names this part."""
        return f"HDU {self.name}" if self.name else f"HDU number {self.index}"


def parse_value(raw: str) -> CardValue | None:
    """Value of the value field of a card (FITS 4.0 section 4.2), None when it is undefined or unreadable."""
    raw = raw.strip()
    if raw.startswith("'"):
        end = 1
        while (end := raw.find("'", end)) >= 0 and raw[end : end + 2] == "''":
            end += 2
        return raw[1 : end if end > 0 else None].replace("''", "'").rstrip()
    raw = raw.split("/")[0].strip()
    if raw.isdecimal() and raw.isascii():
        return int(raw)
    if raw in ("T", "F"):
        return raw == "T"
    for kind in (int, float):
        try:
            return kind(raw.replace("D", "E"))
        except ValueError:
            continue
    return None


def scan_headers(stream: BinaryIO, size: int | None) -> Iterator[Hdu]:
    """The HDUs of a FITS stream, in order, each as soon as its header is read; data are skipped.

    ``size`` is the length of the stream in bytes, or None when it is not known (a compressed stream), in
    which case data that end too early are not noticed. Raises :class:`DamagedFitsError`.
    """
    start, index = 0, 0
    while True:
        header = _read_header(stream, start, index)
        if header is None:
            return
        cards, header_bytes = header
        data_bytes = _data_bytes(cards, index)
        hdu = _describe(cards, index, start + header_bytes)
        end = start + header_bytes + -(-data_bytes // BLOCK) * BLOCK
        if size is not None and end > size:
            raise DamagedFitsError(f"truncated: {hdu.label} should end at byte {end}, the file ends at {size}")
        yield hdu
        start, index = end, index + 1


def _read_header(stream: BinaryIO, start: int, index: int) -> tuple[dict[str, str], int] | None:
    """Cards and length of the header at ``start``, or None where the file ends properly."""
    stream.seek(start)
    first_key = b"XTENSION" if index else b"SIMPLE  "
    cards: dict[str, str] = {}
    for n_block in range(_MAX_HEADER_BLOCKS):
        block = stream.read(BLOCK)
        if n_block == 0:
            if index and not block.strip(b"\0"):
                return None  # the end; some writers fill up with zeros
            if block[:8] != first_key[: len(block)]:
                if index == 0:
                    raise NotFitsError("not a FITS file")
                raise DamagedFitsError(f"damaged: no HDU begins at byte {start}, after HDU number {index - 1}")
        if len(block) < BLOCK:
            raise DamagedFitsError(f"truncated in the header of HDU number {index}")
        text = block.decode("latin-1")
        for at in range(0, BLOCK, _CARD):
            keyword = text[at : at + 8].rstrip()
            if keyword == "END":
                return cards, (n_block + 1) * BLOCK
            if text[at + 8] == "=":
                cards.setdefault(keyword, text[at + 9 : at + _CARD])
    raise DamagedFitsError(f"the header of HDU number {index} has no end")


def _count(cards: dict[str, str], keyword: str, default: int | None, index: int) -> int:
    value = parse_value(cards[keyword]) if keyword in cards else default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise DamagedFitsError(f"damaged: {keyword} of HDU number {index} is not a count")
    return value


def _lengths(cards: dict[str, str], prefix: str, index: int) -> tuple[int, ...]:
    n_axes = _count(cards, prefix, None, index)
    if n_axes > 999:
        raise DamagedFitsError(f"damaged: HDU number {index} has {n_axes} axes")
    return tuple(_count(cards, f"{prefix}{axis + 1}", None, index) for axis in range(n_axes))


def _data_bytes(cards: dict[str, str], index: int) -> int:
    axes = _lengths(cards, "NAXIS", index)
    if not axes:
        return 0
    groups, heap = _count(cards, "GCOUNT", 1, index), _count(cards, "PCOUNT", 0, index)
    product = 1
    for length in axes:
        product *= length
    return abs(_bitpix(cards, index)) // 8 * groups * (heap + product)


def _bitpix(cards: dict[str, str], index: int) -> int:
    bitpix = parse_value(cards.get("BITPIX", ""))
    if bitpix not in _BITPIX or not isinstance(bitpix, int):
        raise DamagedFitsError(f"damaged: BITPIX of HDU number {index} is not one of FITS")
    return bitpix


def _describe(cards: dict[str, str], index: int, start: int) -> Hdu:
    extension = str(parse_value(cards.get("XTENSION", "")) or "")
    compressed = parse_value(cards.get("ZIMAGE", "")) is True
    is_table = extension in ("BINTABLE", "TABLE") and not compressed
    axes = _lengths(cards, "ZNAXIS" if compressed else "NAXIS", index)
    columns: tuple[str, ...] = ()
    if is_table:
        if len(axes) != 2:
            raise DamagedFitsError(f"damaged: the table in HDU number {index} has {len(axes)} axes")
        n_fields = _count(cards, "TFIELDS", None, index)
        if n_fields > 999:
            raise DamagedFitsError(f"damaged: the table in HDU number {index} has {n_fields} columns")
        columns = tuple(str(parse_value(cards.get(f"TTYPE{n + 1}", "")) or "") for n in range(n_fields))
    return Hdu(
        index=index,
        name=str(parse_value(cards.get("EXTNAME", "")) or "").strip().upper(),
        is_table=is_table,
        shape=() if is_table else axes[::-1],
        columns=columns,
        n_rows=axes[1] if is_table else 0,
        row_bytes=axes[0] if is_table else 0,
        start=start,
        bitpix=_bitpix(cards, index),
        cards=cards,
    )
