"""CSV and its relatives -> RawTable, with the line number of every row.

Read are comma, semicolon, tab and blank as separators, space-comma-space, comment lines (``#``) before
the header, a header that is itself a comment (MARZ), quoted fields over several lines, and Prospect's
files, whose fields may hold the sequence ``","`` where the inspector typed a comma.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from qnet_tui.errors import BadInput
from qnet_tui.truth.cells import Cell
from qnet_tui.truth.dialects import DIALECTS, column_key
from qnet_tui.truth.labels import Rejected
from qnet_tui.truth.raw_table import RawTable

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_SNIFFED = 65536
# Columns of the viewers whose files have one row per line whatever quotes an inspector typed into a comment.
_ONE_ROW_PER_LINE = frozenset({"vi_scanner", "vi_issue", "finz"})
_KNOWN = frozenset(key for d in DIALECTS for key in (*d.z, *d.spectype, *d.quality)) | {
    "targetid",
    "thing_id",
}
_NOT_TEXT = "save it as CSV (UTF-8) or as a FITS table"


def text_table(content: bytes, path: Path) -> RawTable:
    """The table of a text file. Raises BadInput for what is no text, has no header, or no row."""
    text, notes = decode(content, path)
    lines = list(io.StringIO(text, newline=""))
    names, separator, start = _header(lines, path)
    keys = {column_key(name) for name in names}
    if keys & _ONE_ROW_PER_LINE:
        rows, rejected = _cut(_by_line(lines, start, separator), names)
    else:
        records = list(_by_record(lines, start, separator, path))
        if _has_open_quote(records, lines, separator, len(names)):
            notes.append("a quote does not close: every line is read as a row by itself")
            rows, rejected = _cut(_by_line(lines, start, separator), names)
        else:
            rows, rejected = _cut(((first, fields) for first, _, fields in records), names)
    if not rows and not rejected:
        raise BadInput("the table has a header and no row", file=path, mend="is it the right file?")

    def column(index: int) -> list[Cell]:
        return [fields[index] for _, fields in rows]

    return RawTable(tuple(names), [line for line, _ in rows], column, tuple(rejected), "", tuple(notes))


def decode(content: bytes, path: Path) -> tuple[str, list[str]]:
    """(text without a byte-order mark, notes) of UTF-8 or else Latin-1. Raises BadInput for what is no text."""
    if not content.strip():
        raise BadInput("the file is empty", file=path, mend="copy it again")
    if _CONTROL.search(content[:_SNIFFED]):
        raise BadInput("neither a FITS file nor text", file=path, mend=_NOT_TEXT)
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return content.decode("latin-1"), ["not in UTF-8: read as Latin-1"]


def _header(lines: list[str], path: Path) -> tuple[list[str], str, int]:
    """(column names, separator, index of the first line after the header)."""
    remark: tuple[list[str], str] | None = None
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        hashed = line.lstrip().startswith("#")
        cut = _cut_header(line.lstrip().lstrip("#").strip() if hashed else line.strip())
        if cut is None:
            raise BadInput("the header cannot be read", file=path, row=index + 1, mend=_NOT_TEXT)
        if not hashed:
            # MARZ keeps the column names in the last comment line: there, not here, are the known names.
            if remark is not None and _known(remark[0]) > max(1, _known(cut[0])):
                return *remark, index
            return *cut, index + 1
        remark = cut
    raise BadInput("the table has a header and no row", file=path, mend="is it the right file?")


def _known(names: list[str]) -> int:
    return sum(column_key(name) in _KNOWN for name in names)


def _cut_header(line: str) -> tuple[list[str], str] | None:
    separator = max(",;\t", key=line.count)
    if separator not in line:
        separator = " "
    try:
        return [
            name.strip() for name in next(csv.reader([line], delimiter=separator, skipinitialspace=True))
        ], separator
    except (csv.Error, StopIteration):
        return None


def _by_record(lines: list[str], start: int, separator: str, path: Path) -> Iterator[tuple[int, int, list[str]]]:
    """(first line, last line, fields) of each record, lines from 1; quoted fields may span lines."""
    reader = csv.reader(lines[start:], delimiter=separator, skipinitialspace=True)
    first = start + 1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(f"cannot be read as CSV ({error})", file=path, row=first, mend="mend its quotes") from error
        last = start + reader.line_num
        yield first, last, fields
        first = last + 1


def _has_open_quote(records: list[tuple[int, int, list[str]]], lines: list[str], separator: str, width: int) -> bool:
    """True when a quote that never closes has swallowed rows: a line in a field looks like a row."""
    return any(
        lines[line].count(separator) >= max(width - 1, 1)
        for first, last, _ in records
        if last > first
        for line in range(first, last)  # the lines after the record's first, counted from 0
    )


def _by_line(lines: list[str], start: int, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line from 1, fields) of each line; Prospect's ``","`` inside an unquoted field becomes a semicolon."""
    for index in range(start, len(lines)):
        line = lines[index].rstrip("\r\n")
        if separator == "," and '","' in line:
            line = _mend_typed_commas(line)
        try:
            fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            fields = [line]  # too long for a field: cut() will say that fields are wanting
        yield index + 1, fields


def _mend_typed_commas(line: str) -> str:
    """The line with each ``","`` inside an unquoted field, where no quote may be, as a semicolon."""
    mended: list[str] = []
    position, field_starts, quoted = 0, True, False
    while position < len(line):
        if not quoted and not field_starts and line.startswith('","', position):
            mended.append(";")
            position += 3
            continue
        sign = line[position]
        if quoted:
            quoted = sign != '"'
        elif sign == '"' and (field_starts or line[position - 1] == '"'):
            quoted = True  # the field opens, or a doubled quote within it
        field_starts = (sign == "," and not quoted) or (field_starts and sign == " ")
        mended.append(sign)
        position += 1
    return "".join(mended)


def _cut(
    records: Iterator[tuple[int, list[str]]], names: list[str]
) -> tuple[list[tuple[int, list[str]]], list[Rejected]]:
    """Rows with exactly one field per column, and the others with the reason; blank lines are no rows."""
    width, ends_in_comment = len(names), column_key(names[-1]) in ("vi_comment", "comment")
    rows: list[tuple[int, list[str]]] = []
    rejected: list[Rejected] = []
    for line, fields in records:
        if len(fields) != width:
            if not any(field.strip() for field in fields):
                continue
            if len(fields) > width and not any(field.strip() for field in fields[width:]):
                fields = fields[:width]
            elif len(fields) > width and ends_in_comment:
                fields = [*fields[: width - 1], "; ".join(field.strip() for field in fields[width - 1 :])]
            else:
                hint = "; a comma in a text needs quotes" if len(fields) > width else ""
                rejected.append(Rejected(line, f"{len(fields)} fields where the header has {width}{hint}"))
                continue
        rows.append((line, fields))
    return rows, rejected
