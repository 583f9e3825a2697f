"""``read_ids``: a list of objects in any form people keep one: ids one a line, or any table with a column of them.

An id is a TARGETID, ``T<THING_ID>`` or PLATE-MJD-FIBERID (with a P or ``spec-`` before it or not, zeros or not). A
table names its objects by TARGETID, by THING_ID, by PLATE, MJD and FIBERID, or by the column ID of our own exports.
"""

import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qnet_tui.errors import BadInput
from qnet_tui.truth import dialects
from qnet_tui.truth.cells import Cell, UnusableError
from qnet_tui.truth.dialects import Aliases, column_key
from qnet_tui.truth.fits_table import FITS_MAGIC, GZIP_MAGIC, fits_tables
from qnet_tui.truth.labels import Rejected, identities
from qnet_tui.truth.raw_table import RawTable
from qnet_tui.truth.rows import identity_of, parsed_id
from qnet_tui.truth.text_table import decode, text_table
from qnet_tui.truth.vote_rows import read_bytes

_SEPARATORS = re.compile(r"[,;\t ]")


@dataclass(frozen=True, slots=True)
class NamedObject:
    """One object as a list names it: (survey, identity) candidates, best first; ``line`` counts from 1."""

    line: int
    written: str
    identities: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class IdList:
    """The objects of a list in its order, repeats and all, and the lines that name none."""

    objects: tuple[NamedObject, ...]
    rejected: tuple[Rejected, ...]


def read_ids(path: Path) -> IdList:
    """Read a list of objects: text or FITS, gzipped or not, one column or a table.

    Raises BadInput when the file is absent, empty, neither FITS nor text, or no column names objects; QnetError when
    the system does not let it be read.
    """
    content = read_bytes(path)
    zipped = content.startswith(GZIP_MAGIC)
    try:
        plain = gzip.decompress(content) if zipped else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput("the gzip file is cut short or damaged", file=path, mend="copy it again") from error
    if plain.startswith(FITS_MAGIC):
        with fits_tables(path, zipped=zipped) as tables:
            return _of_table(next((table for table in tables if _names_objects(table)), tables[0]), path)
    text, _ = decode(plain, path)
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip() and line.strip()[0] != "#"]
    if not lines:
        raise BadInput("the list is empty", file=path, mend="one id a line")
    # MARZ keeps its column names in a remark, and its rows begin with their number.
    if _is_id(_first_field(lines[0][1])) and "finz" not in text[: text.index(lines[0][1])].lower():
        return _collected((n, [_first_field(line)]) for n, line in lines)
    return _of_table(text_table(plain, path), path)


def identities_of_id(text: str) -> list[tuple[str, str]]:
    """(survey, identity) candidates of an id as people type it. Raises UnusableError when it is none."""
    targetid, thing_id, placed = parsed_id(text)
    # Digits alone are a TARGETID, and where no spectrum has it, a THING_ID.
    return identities(targetid, thing_id if targetid is None else targetid, placed)


def _first_field(line: str) -> str:
    return _SEPARATORS.split(line.strip(), maxsplit=1)[0].strip().strip('"')


def _is_id(word: str) -> bool:
    try:
        return bool(identities_of_id(word))
    except UnusableError:
        # A list may begin with a fibre of the sky, and no column has a number for its name.
        return re.fullmatch(r"[+-]?[0-9.eE+-]+", word) is not None and any(sign.isdigit() for sign in word)


def _names_objects(table: RawTable) -> bool:
    keys = {column_key(name) for name in table.names}
    placed = all(keys & set(part) for part in (dialects.PLATE, dialects.MJD, dialects.FIBERID))
    return bool(placed or keys & {*dialects.TARGETID, *dialects.THING_ID, *dialects.OWN_ID})


def _of_table(table: RawTable, path: Path) -> IdList:
    if not _names_objects(table):
        raise BadInput(
            f"columns found: {ascii(', '.join(table.names[:30]))[1:-1]}",
            file=path,
            mend="add TARGETID (or THING_ID, or PLATE, MJD, FIBERID), or give one id a line",
        )
    keys = [column_key(name) for name in table.names]
    nothing: list[Cell] = [None] * len(table.lines)

    def read(aliases: Aliases) -> list[Cell]:
        key = next((alias for alias in aliases if alias in keys), None)
        return nothing if key is None else table.column(keys.index(key))

    present = set(keys)
    parts = (dialects.TARGETID, dialects.THING_ID, dialects.PLATE, dialects.MJD, dialects.FIBERID)
    if "finz" in present:
        columns = [read(("name",))]  # MARZ: its ID is the number of the row
    elif set(dialects.OWN_ID_WITH) <= present or not present & {name for part in parts for name in part}:
        columns = [read(dialects.OWN_ID)]
    else:
        columns = [read(part) for part in parts]
    return _collected(zip(table.lines, (list(row) for row in zip(*columns, strict=True)), strict=True), table.rejected)


def _collected(rows: Iterable[tuple[int, list[Cell]]], rejected: Iterable[Rejected] = ()) -> IdList:
    """Objects of rows that hold either one id each, or the five numbers that can name an object."""
    found: list[NamedObject] = []
    bad = list(rejected)
    for line, row in rows:
        try:
            if len(row) == 1:
                named = identities_of_id("" if row[0] is None else str(row[0]))
            else:
                named = identities(*identity_of(row[0], row[1], (row[2], row[3], row[4])))
        except UnusableError as refusal:
            bad.append(Rejected(line, str(refusal)))
            continue
        found.append(NamedObject(line, named[0][1], tuple(named)))
    return IdList(tuple(found), tuple(sorted(bad, key=lambda one: one.line)))
