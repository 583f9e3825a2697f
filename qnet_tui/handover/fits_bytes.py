"""Binary tables as the bytes of a FITS file, so that the disk sees one plain write that fails whole.

fitsio cuts a text value at 68 characters without a word; a longer one is shortened from the left here,
and written whole as HISTORY.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CARD_TEXT = 66  # characters of a text value that fit a card with some to spare for doubled quotes
_HISTORY_TEXT = 70


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One binary table: EXTNAME, columns (n,), header values by key, and the comments of keys."""

    extname: str
    columns: Mapping[str, NDArray[Any]]
    header: Mapping[str, Any]
    comments: Mapping[str, str]


def fits_bytes(tables: Sequence[Table]) -> bytes:
    """The bytes of a FITS file with an empty primary HDU and these tables.

    Header values may be str, bool, int, float or NumPy scalars of those; keys are at most 8 characters of
    A-Z, 0-9, ``_`` and ``-``. Raises ValueError for another key and TypeError for another value.
    """
    import fitsio

    with fitsio.FITS("mem://", "rw") as fits:
        fits.write(None)
        for table in tables:
            fits.write(
                list(table.columns.values()),
                names=list(table.columns),
                header=_cards(table.header, table.comments),
                extname=table.extname,
            )
        return bytes(fits.read_raw())


def _cards(header: Mapping[str, Any], comments: Mapping[str, str]) -> list[dict[str, Any]]:
    """Header records for fitsio, HISTORY after the keys."""
    cards: list[dict[str, Any]] = []
    history: list[str] = []
    for key, value in header.items():
        if not 1 <= len(key) <= 8 or not set(key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"):
            raise ValueError(f"{key!r} is not a FITS keyword")
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, str):
            # A header holds printable ASCII only.
            text = "".join(c if " " <= c <= "~" else "?" for c in plain)
            if len(text) + text.count("'") > CARD_TEXT:
                whole = f"{key} = {text}"
                history += [whole[i : i + _HISTORY_TEXT] for i in range(0, len(whole), _HISTORY_TEXT)]
                text = "..." + text[-(CARD_TEXT // 2) :]
            plain = text
        elif not isinstance(plain, bool | int | float):
            raise TypeError(f"header value {key} is a {type(plain).__name__}")
        cards.append({"name": key, "value": plain, "comment": comments.get(key, "")})
    return cards + [{"name": "HISTORY", "value": line} for line in history]
