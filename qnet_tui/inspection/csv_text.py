"""Comma-separated text that is the same bytes for the same values, and is read back as exactly these values.

RFC 4180 with LF line ends. The standard library leaves a lone carriage return and blanks at the ends of a field
unquoted, and readers then take the one for a line end and drop the others; here both are quoted.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_QUOTED = frozenset(',"\r\n')


def csv_line(values: Iterable[Any]) -> str:
    """One record with its line end. None and NaN are empty fields; a float is its shortest text that reads back."""
    return ",".join(_field(value) for value in values) + "\n"


def csv_text(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """Header and rows as one text."""
    return csv_line(header) + "".join(csv_line(row) for row in rows)


def records(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, from 1; fields) of each record; a byte-order mark and CRLF are taken too.

    Raises:
        csv.Error: a quote that does not close or stands where none may.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    first = 1
    for fields in reader:
        if fields:
            yield first, fields
        first = reader.line_num + 1


def first_record(text: str) -> list[str]:
    """The column names of a table, [] when its first line cannot be read as any."""
    try:
        return [name.strip() for name in next(records(text), (0, []))[1]]
    except csv.Error:
        return []


def one_line(text: str) -> str:
    """A comment on one line of printable signs: these files have one row a line, whatever was typed."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _field(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    text = repr(float(value)) if isinstance(value, float) else str(value)
    if _QUOTED.intersection(text) or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text
