"""``read_votes``: an inspection file of Prospect -> what each scanner said of each object, before any merging.

Both dialects are read: that of today (``VI_quality``) and that of 2020 (`` , `` between fields, ``VI class`` is the
quality, ``--`` is nothing). Columns may be missing or stand in any order. An empty redshift or class says that the
pipeline's is right; what the pipeline said is given back beside it. A row is refused alone, with its line.
"""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.truth import cells, dialects
from qnet_tui.truth.cells import Cell, UnusableError
from qnet_tui.truth.dialects import Aliases, column_key
from qnet_tui.truth.fits_table import FITS_MAGIC, GZIP_MAGIC
from qnet_tui.truth.labels import Rejected, identities
from qnet_tui.truth.raw_table import RawTable
from qnet_tui.truth.rows import identity_of
from qnet_tui.truth.text_table import text_table

SCANNER: Aliases = ("vi_scanner",)
_Z, _CLASS, _ISSUE, _COMMENT = ("vi_z",), ("vi_spectype",), ("vi_issue", "vi_issues"), ("vi_comment", "vi_comments")
_PIPELINE_Z, _PIPELINE_CLASS = ("redrock_z",), ("redrock_spectype",)
_LETTERS = frozenset("RCS")


@dataclass(frozen=True, slots=True)
class GivenVote:
    """What one row of an inspection file says.

    ``identities`` are (survey, identity) candidates, best first. ``scanner`` is as written, "" where it is blank.
    ``spectype`` and ``z`` are None where the cell is blank: with ``quality`` 1 to 4 the pipeline's is accepted,
    which in this file is ``pipeline_spectype`` and ``pipeline_z`` (None where the file has none). ``issues`` are
    sorted letters of R, C, S. ``comment`` is on one line, of any length. ``line`` counts from 1.
    """

    line: int
    identities: tuple[tuple[str, str], ...]
    scanner: str
    spectype: str | None
    z: float | None
    quality: int
    issues: str
    comment: str
    pipeline_spectype: str | None
    pipeline_z: float | None


@dataclass(frozen=True, slots=True)
class VoteTable:
    """A whole inspection file: ``rows == len(votes) + len(rejected)``; ``notes`` are sentences for the user."""

    dialect: str
    rows: int
    votes: tuple[GivenVote, ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises BadInput when there is none; QnetError when the system does not let it be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput("no such file", file=path, mend="check the name") from error
    except IsADirectoryError as error:
        raise BadInput("not a file", file=path, mend="name one file") from error
    except OSError as error:
        raise QnetError(f"cannot be read: {error.strerror or error}", file=path, mend="check its rights") from error


def read_content(path: Path) -> bytes:
    """The content of a text file, unzipped. Raises as :func:`read_bytes`, and BadInput for FITS and damaged gzip."""
    content = read_bytes(path)
    try:
        content = gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput("the gzip file is cut short or damaged", file=path, mend="copy it again") from error
    if content.startswith(FITS_MAGIC):
        raise BadInput("a FITS file, and inspections are kept as CSV", file=path, mend="qnet truth import reads FITS")
    return content


def read_votes(content: bytes, path: Path) -> VoteTable:
    """Read an inspection file; ``path`` is only for messages.

    Raises BadInput when it is empty, no text, without rows, or no inspection file: then the line says which columns
    it lacks, or which command takes it.
    """
    table = text_table(content, path)
    keys = [column_key(name) for name in table.names]
    present = set(keys)
    quality: Aliases = ("vi_quality",)
    dialect = "prospect"
    if not present.intersection(quality) and "vi_class" in present:
        quality, dialect = ("vi_class",), "prospect-2020"
    _check_columns(table, present, quality, path)

    def read(aliases: Aliases) -> Sequence[Cell]:
        key = next((alias for alias in aliases if alias in present), None)
        if key is None:
            return [None] * len(table.lines)
        if keys.count(key) > 1:
            raise BadInput(f"two columns are called {key.upper()}", file=path, mend="rename or drop one")
        return table.column(keys.index(key))

    columns = {
        name: read(aliases)
        for name, aliases in {
            "targetid": dialects.TARGETID, "thing_id": dialects.THING_ID, "plate": dialects.PLATE,
            "mjd": dialects.MJD, "fiberid": dialects.FIBERID, "scanner": SCANNER, "quality": quality, "z": _Z,
            "spectype": _CLASS, "issue": _ISSUE, "comment": _COMMENT, "pipeline_z": _PIPELINE_Z,
            "pipeline_spectype": _PIPELINE_CLASS,
        }.items()
    }  # fmt: skip
    votes: list[GivenVote] = []
    rejected = list(table.rejected)
    for index, line in enumerate(table.lines):
        try:
            votes.append(_vote({name: column[index] for name, column in columns.items()}, line, dialect))
        except UnusableError as refusal:
            rejected.append(Rejected(line, str(refusal)))
    return VoteTable(
        dialect,
        len(table.lines) + len(table.rejected),
        tuple(votes),
        tuple(sorted(rejected, key=lambda one: one.line)),
        table.notes,
    )


def _check_columns(table: RawTable, present: set[str], quality: Aliases, path: Path) -> None:
    merged = present & {"best_z", "best_quality", "best_class", "best_spectype"}
    if merged or {"vi_class", "vi_quality"} <= present or {"finz", "qop"} <= present:
        raise BadInput("holds settled labels, not the votes of inspectors", file=path, mend="qnet truth import FILE")
    plate = all(present & set(part) for part in (dialects.PLATE, dialects.MJD, dialects.FIBERID))
    wanting = [
        name
        for name, there in (
            ("TARGETID", plate or present & {*dialects.TARGETID, *dialects.THING_ID}),
            ("VI_quality", present & set(quality)),
            ("VI_z", present & {*_Z, *_PIPELINE_Z}),
            ("VI_spectype", present & {*_CLASS, *_PIPELINE_CLASS}),
        )
        if not there
    ]
    if wanting:
        listed = ", ".join(table.names[:30])
        raise BadInput(
            f"columns found: {ascii(listed)[1:-1]}",
            file=path,
            mend=f"for an inspection file of Prospect add {' and '.join(wanting)}",
        )


def _vote(row: dict[str, Cell], line: int, dialect: str) -> GivenVote:
    pipeline_spectype, pipeline_z = _pipeline(row)
    place = (row["plate"], row["mjd"], row["fiberid"])
    return GivenVote(
        line=line,
        identities=tuple(identities(*identity_of(row["targetid"], row["thing_id"], place))),
        scanner=_words(row["scanner"], dialect),
        spectype=None if cells.is_blank(row["spectype"]) else cells.spectype(row["spectype"]),
        z=cells.redshift(row["z"]),
        quality=_quality(row["quality"]),
        issues=_issues(row["issue"]),
        comment=_words(row["comment"], dialect),
        pipeline_spectype=pipeline_spectype,
        pipeline_z=pipeline_z,
    )


def _quality(cell: Cell) -> int:
    value = cells.quality(cell)
    if not value.is_integer():
        raise UnusableError(f"quality {cells.show(cell)}: one inspector gives 0, 1, 2, 3 or 4")
    return int(value)


def _issues(cell: Cell) -> str:
    given = "" if cells.is_blank(cell) else str(cell).upper()
    # N was typed for "none" at the merger's prompt; a comma typed between letters arrives as a semicolon.
    letters = set(given) - set(" ,;/N")
    if not letters <= _LETTERS:
        raise UnusableError(f"issue {cells.show(cell)}: any of R, C, S")
    return "".join(sorted(letters))


def _words(cell: Cell, dialect: str) -> str:
    """A text on one line. Only the files of 2020 write ``--`` for nothing; elsewhere it is what somebody typed."""
    text = "" if cell is None else str(cell)
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return "" if dialect == "prospect-2020" and line == "--" else line


def _pipeline(row: dict[str, Cell]) -> tuple[str | None, float | None]:
    """(class, z) of the pipeline in this row; what cannot be one is None, for most rows do not need it."""
    spectype: str | None = None
    z: float | None = None
    try:
        spectype = cells.spectype(row["pipeline_spectype"])
        # -1 is what Prospect writes where it has none.
        z = None if cells.number(row["pipeline_z"], "Redrock_z") == -1 else cells.redshift(row["pipeline_z"])
    except UnusableError:
        pass
    return spectype, z
