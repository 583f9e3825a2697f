"""``read_truth``: any truth table, in any of its dialects, to labels that a training can be built on.

Whether a file is FITS or text, zipped or not, is decided by its content, and which dialect by its columns.
"""

import dataclasses
import gzip
import zlib
from collections import Counter
from pathlib import Path

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.truth import cells, dialects
from qnet_tui.truth.dialects import Dialect, column_key
from qnet_tui.truth.fits_table import FITS_MAGIC, GZIP_MAGIC, fits_tables
from qnet_tui.truth.labels import Label, TruthTable
from qnet_tui.truth.raw_table import RawTable
from qnet_tui.truth.rows import Rows, best_per_object, read_rows
from qnet_tui.truth.text_table import text_table

FORMATS = dialects.FORMATS
DEFAULT_QUALITY = 3.0  # of catalogues that list quasars without saying how sure they are


def read_truth(path: str | Path, *, format: str = "auto", quality: float | None = None) -> TruthTable:  # noqa: A002
    """Read the truth table at ``path``: CSV, MARZ or FITS, gzipped or not.

    ``format`` is one of ``FORMATS``; ``auto`` goes by the columns. ``quality`` (0 to 4) is given to all
    rows of a table that has none; a quasar catalogue takes 3 by default, and says so in ``notes``. Rows
    that cannot be used are in ``rejected`` with line and reason. Of repeats of an object the highest
    quality is kept, of equal ones the last. Raises BadInput when the file is absent, empty, cut short,
    neither FITS nor text, without rows, or without the columns of a dialect; QnetError when the system
    does not let it be read.
    """
    file = Path(path)
    asked = None if format == "auto" else dialects.named(format)
    if quality is not None and not cells.QUALITY_MIN <= quality <= cells.QUALITY_MAX:
        raise BadInput(f"quality {quality} is outside 0 to 4", mend="use e.g. --quality 3")
    try:
        head = _head(file)
        zipped = head.startswith(GZIP_MAGIC)
        if zipped:
            with gzip.open(file, "rb") as stream:
                head = stream.read(len(FITS_MAGIC))
        if head.startswith(FITS_MAGIC):
            with fits_tables(file, zipped=zipped) as tables:
                return _labelled(*_chosen(tables, asked, file), quality, file)
        content = gzip.decompress(file.read_bytes()) if zipped else file.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput("the gzip file is cut short or damaged", file=file, mend="copy it again") from error
    except OSError as error:
        raise QnetError(f"cannot be read: {error.strerror or error}", file=file, mend="check its rights") from error
    return _labelled(*_chosen([text_table(content, file)], asked, file), quality, file)


def _head(file: Path) -> bytes:
    if not file.exists():
        raise BadInput("no such file", file=file, mend="check the name")
    if not file.is_file():
        raise BadInput("not a file", file=file, mend="name one truth table")
    with file.open("rb") as stream:
        return stream.read(len(FITS_MAGIC))


def _chosen(tables: list[RawTable], asked: Dialect | None, file: Path) -> tuple[RawTable, Dialect]:
    """The first table that is in the dialect asked for, or in any, and that dialect."""
    for table in tables:
        keys = [column_key(name) for name in table.names]
        dialect = asked or dialects.recognise(keys, table.extname)
        if dialect and not dialect.lacking(keys) and dialects.has_identity(keys, dialect):
            return table, dialect
    first = tables[0]
    what, mend = dialects.why_not([column_key(name) for name in first.names], first.names, asked)
    raise BadInput(what, file=file, mend=mend)


def _labelled(table: RawTable, dialect: Dialect, quality: float | None, file: Path) -> TruthTable:
    notes = list(table.notes)
    given = quality
    if not dialect.quality:
        if quality is None and dialect.codes != "catalogue":
            what = f"{dialect.title}: nothing says how sure the labels are"
            raise BadInput(what, file=file, mend="give --quality 3 if people looked at them")
        given = DEFAULT_QUALITY if quality is None else quality
    elif quality is not None:
        notes.append(f"quality {quality:g} not used: the table has its own")
    rows = read_rows(table, dialect, given, file)
    if dialect.codes == "catalogue":
        notes.append(f"no class and no quality in the table: all rows are quasars of quality {given:g}")
    elif not dialect.quality:
        notes.append(f"no quality in the table: all rows have quality {given:g}")
    labels, dropped, disagree = [], 0, 0
    for best, others in best_per_object(rows.labels):
        labels.append(best)
        dropped += len(others)
        disagree += any(other.spectype != best.spectype for other in others)
    notes += _counted(rows.happened, dialect, table)
    labels = _bal_of_all_or_none(labels, rows, notes)
    if dropped:
        split = f", {disagree} objects with differing classes" if disagree else ""
        notes.append(
            f"{dropped} rows repeat an object{split}: kept the highest quality, then the last row (upstream: the last)"
        )
    return TruthTable(
        path=str(file),
        dialect=dialect.name,
        rows=len(table.lines) + len(table.rejected),
        labels=tuple(labels),
        rejected=tuple(sorted((*table.rejected, *rows.rejected), key=lambda one: one.line)),
        duplicates=dropped,
        origin=dialect.origin,
        notes=tuple(notes),
    )


def _counted(happened: Counter[str], dialect: Dialect, table: RawTable) -> list[str]:
    """Sentences about choices made row by row."""
    notes = []
    if dialect.codes == "boss":
        notes.append("confidence 0, 1, 2 read as quality 0, 1, 3")
    elif dialect.codes == "superset":
        notes.append("confidence 0, 1, 2, 3 read as quality 0, 1, 2, 3")
    elif dialect.codes == "marz":
        notes.append("QOP 1, 2, 3, 4 read as quality 1, 2, 3, 4, and 6 as a star of quality 4")
    elif dialect.codes == "pipeline":
        notes.append("a pipeline's answers, not people's: quality 3 without a warning, else 1")
    if dialect.name == "edr-vi" and not {column_key(name) for name in table.names} & {
        "vi_z",
        "z_vi",
        "best_z",
    }:
        notes.append("redshifts from column Z: no VI_Z in the table")
    for event, sentence in (
        ("z from redrock", "blank redshifts accept redrock's"),
        ("class from redrock", "blank classes accept redrock's"),
        ("no z", "rows of quality below 2.5 have no redshift"),
        ("no class", "rows of quality below 2.5 have no class"),
        ("moving star", "stars have a redshift beyond 0.01, which no star has: kept as stars"),
    ):
        if happened[event]:
            notes.append(f"{happened[event]} {sentence}")
    return notes


def _bal_of_all_or_none(labels: list[Label], rows: Rows, notes: list[str]) -> list[Label]:
    """Labels whose BAL flags may train the BAL head, or without them.

    BI_CIV without an inspector's flag only counts when the table has it for all its rows: else what is
    unknown would not be a random part of the quasars.
    """
    if rows.bal_by_index and rows.happened["bal unknown"] and any(label.bal for label in labels):
        notes.append("BI_CIV is not known for all rows: no label says BAL or not")
        return [dataclasses.replace(label, bal=0) for label in labels]
    return labels
