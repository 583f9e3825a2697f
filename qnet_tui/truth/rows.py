"""Rows of a raw table in a known dialect -> labels, each row checked alone, refused with a reason."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qnet_tui.errors import BadInput
from qnet_tui.truth import cells, dialects
from qnet_tui.truth.cells import Cell, UnusableError
from qnet_tui.truth.classes import QUALITY_GOOD
from qnet_tui.truth.dialects import Aliases, Dialect, column_key
from qnet_tui.truth.labels import Label, Rejected
from qnet_tui.truth.pipeline import pipeline_quality
from qnet_tui.truth.raw_table import RawTable

# BOSS codes -> our classes and qualities; None stands for "nobody looked" or "no class".
_BOSS_CLASS = {1: "STAR", 2: "GALAXY", 3: "QSO"}
_BOSS_QUALITY = {0: 0.0, 1: 1.0, 2: 3.0}
_SUPERSET_CLASS = {1: "STAR", 3: "QSO", 4: "GALAXY", 30: "QSO"}
_SUPERSET_QUALITY = {0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0}
_MARZ_QUALITY = {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0, 6: 4.0}
_MARZ_STAR = 6


@dataclass(slots=True)
class Rows:
    """Labels and refused rows in the order of the table, and how often what was done for a row."""

    labels: list[Label] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    bal_by_index: bool = False  # BAL or not is told by BI_CIV alone


@dataclass(frozen=True, slots=True)
class _Columns:
    """The cells of the columns a dialect uses; a column that the table lacks is a column of None."""

    targetid: list[Cell]
    thing_id: list[Cell]
    plate: list[Cell]
    mjd: list[Cell]
    fiberid: list[Cell]
    name: list[Cell]
    own_id: list[Cell]
    z: list[Cell]
    z_else: list[Cell]
    spectype: list[Cell]
    spectype_else: list[Cell]
    quality: list[Cell]
    bal: list[Cell]
    bal_flag: list[Cell]
    bi_civ: list[Cell]
    n_vi: list[Cell]
    issues: list[Cell]
    comments: list[list[Cell]]
    has_flag: bool
    has_index: bool


def read_rows(table: RawTable, dialect: Dialect, quality: float | None, path: Path) -> Rows:
    """All rows of ``table`` as labels or rejections; ``quality`` is given to rows of dialects that have none.

    Raises BadInput when two columns that are needed have one and the same key, or a column cannot be read.
    """
    columns = _columns(table, dialect, path)
    rows = Rows(bal_by_index=columns.has_index and not columns.has_flag)
    for index, line in enumerate(table.lines):
        try:
            label, events = _label(columns, index, line, dialect, quality)
        except UnusableError as refusal:
            rows.rejected.append(Rejected(line, str(refusal)))
            continue
        rows.labels.append(label)
        rows.happened.update(events)
    return rows


def _columns(table: RawTable, dialect: Dialect, path: Path) -> _Columns:
    keys = [column_key(name) for name in table.names]
    nothing: list[Cell] = [None] * len(table.lines)

    def read(aliases: Aliases) -> list[Cell]:
        key = next((alias for alias in aliases if alias in keys), None)
        if key is None:
            return nothing
        if keys.count(key) > 1:
            raise BadInput(f"two columns are called {key.upper()}", file=path, mend="rename or drop one")
        return table.column(keys.index(key))

    return _Columns(
        targetid=read(dialects.TARGETID),
        thing_id=read(dialects.THING_ID),
        plate=read(dialects.PLATE),
        mjd=read(dialects.MJD),
        fiberid=read(dialects.FIBERID),
        name=read(("name",)) if dialect.name_is_id else nothing,
        own_id=read(dialects.OWN_ID) if set(dialects.OWN_ID_WITH) <= set(keys) else nothing,
        z=read(dialect.z),
        z_else=read(dialect.z_else),
        spectype=read(dialect.spectype),
        spectype_else=read(dialect.spectype_else),
        quality=read(dialect.quality),
        bal=read(dialects.BAL),
        bal_flag=read(dialects.BAL_FLAG),
        bi_civ=read(dialects.BI_CIV),
        n_vi=read(dialects.N_VI),
        issues=read(dialects.ISSUES),
        comments=[read((alias,)) for alias in dialects.COMMENTS if alias in keys],
        has_flag=any(alias in keys for alias in dialects.BAL_FLAG),
        has_index=any(alias in keys for alias in dialects.BI_CIV),
    )


def _label(columns: _Columns, i: int, line: int, dialect: Dialect, quality: float | None) -> tuple[Label, list[str]]:
    """The label of row ``i`` and what was done on its behalf; UnusableError when it is to be refused."""
    events: list[str] = []
    targetid, thing_id, plate_mjd_fiber = _identity(columns, i, dialect)
    kind, rating = _class_and_quality(columns, i, dialect, quality, events)
    z_cell = columns.z[i]
    if cells.is_blank(z_cell) and not _is_default(columns.z_else[i]):
        z_cell = columns.z_else[i]
        if not cells.is_blank(z_cell):
            events.append("z from redrock")
    z = cells.redshift(z_cell)
    if z is None:
        if rating >= QUALITY_GOOD:
            raise UnusableError(f"no redshift at quality {rating:g}")
        events.append("no z")
    if cells.star_moves(kind, z):
        events.append("moving star")
    label = Label(
        targetid,
        thing_id,
        plate_mjd_fiber,
        kind,
        z,
        rating,
        _bal(columns, i, events),
        cells.issues(columns.issues[i]),
        "; ".join(filter(None, dict.fromkeys(cells.comment(column[i]) for column in columns.comments))),
        _n_vi(columns.n_vi[i]),
        line,
    )
    return label, events


def _is_default(cell: Cell) -> bool:
    """True for the -1 that Prospect writes where it has no redshift of redrock."""
    return (isinstance(cell, str) and cell.strip() in ("-1", "-1.0", "-1.0000")) or cell == -1


def _identity(
    columns: _Columns, i: int, dialect: Dialect
) -> tuple[int | None, int | None, tuple[int, int, int] | None]:
    """(TARGETID, THING_ID, (plate, mjd, fiberid)) of the row; UnusableError when it has none of them."""
    targetid, name = columns.targetid[i], columns.name[i]
    if dialect.name_is_id and cells.is_blank(targetid):
        placed = cells.plate_mjd_fiber(name)
        if placed:
            return None, None, placed
        targetid = cells.whole(name, "Name")
    if not cells.is_blank(columns.own_id[i]) and cells.is_blank(targetid):
        return parsed_id(str(columns.own_id[i]))
    found = identity_of(targetid, columns.thing_id[i], (columns.plate[i], columns.mjd[i], columns.fiberid[i]))
    if dialect.codes == "boss" and found[0] is not None and found[1] is None:
        # QuasarNET's codified table keeps the THING_ID in the column TARGETID.
        return found[0], found[0], found[2]
    return found


def parsed_id(text: str) -> tuple[int | None, int | None, tuple[int, int, int] | None]:
    """(TARGETID, THING_ID, (plate, mjd, fiberid)) of one id: of the three the one that it is.

    TARGETID in digits, ``T<THING_ID>``, or PLATE-MJD-FIBERID with a P or ``spec-`` before it or not.
    Raises UnusableError when it is none of them.
    """
    word = text.strip()
    placed = cells.plate_mjd_fiber(word[1:] if word[:1] in ("P", "p") else word)
    if placed:
        return None, None, placed
    if word[:1] in ("T", "t"):
        return identity_of(None, word[1:], (None, None, None))
    return identity_of(word, None, (None, None, None))


def identity_of(
    targetid_cell: Cell, thing_id_cell: Cell, place: tuple[Cell, Cell, Cell]
) -> tuple[int | None, int | None, tuple[int, int, int] | None]:
    """(TARGETID, THING_ID, (plate, mjd, fiberid)) that these cells name; UnusableError when they name nothing.

    Numbers that surveys give to no object (0, -1, a negative TARGETID of a sky fibre) name nothing.
    """
    targetid = cells.whole(targetid_cell, "TARGETID")
    thing_id = cells.whole(thing_id_cell, "THING_ID")
    known = [(n, v) for n, v in (("TARGETID", targetid), ("THING_ID", thing_id)) if v is not None]
    plate, mjd, fiberid = (
        cells.whole(cell, what) for cell, what in zip(place, ("PLATE", "MJD", "FIBERID"), strict=True)
    )
    targetid = targetid if targetid is not None and targetid > 0 else None
    thing_id = thing_id if thing_id is not None and thing_id > 0 else None
    placed_at = _placed((plate, mjd, fiberid))
    if targetid is None and thing_id is None and placed_at is None:
        said = ", ".join(f"{name} {value}" for name, value in known)
        raise UnusableError(f"{said}: no object (sky, or a fibre without a target)" if said else "no identity")
    return targetid, thing_id, placed_at


def _placed(parts: tuple[int | None, int | None, int | None]) -> tuple[int, int, int] | None:
    plate, mjd, fiberid = parts
    if plate is None or mjd is None or fiberid is None or min(plate, mjd, fiberid) <= 0:
        return None
    return plate, mjd, fiberid


def _class_and_quality(
    columns: _Columns, i: int, dialect: Dialect, quality: float | None, events: list[str]
) -> tuple[str, float]:
    kind_cell, rating_cell = columns.spectype[i], columns.quality[i]
    if dialect.codes == "catalogue" or not dialect.quality:
        if quality is None:
            raise ValueError("this dialect has no quality of its own")
        return ("QSO" if dialect.codes == "catalogue" else cells.spectype(kind_cell)), quality
    if dialect.codes == "pipeline":
        return cells.spectype(kind_cell), pipeline_quality(cells.whole(rating_cell, "ZWARN"))
    if dialect.codes == "boss":
        return _coded(kind_cell, rating_cell, _BOSS_CLASS, _BOSS_QUALITY)
    if dialect.codes == "superset":
        return _coded(kind_cell, rating_cell, _SUPERSET_CLASS, _SUPERSET_QUALITY)
    if dialect.codes == "marz":
        code = cells.whole(rating_cell, "QOP")
        if code not in _MARZ_QUALITY:
            raise UnusableError("QOP 0: not inspected" if code == 0 else f"QOP {code} is none of 1, 2, 3, 4, 6")
        return ("STAR" if code == _MARZ_STAR else cells.marz_spectype(kind_cell)), _MARZ_QUALITY[code]
    rating = cells.quality(rating_cell)
    if cells.is_blank(kind_cell) and not cells.is_blank(columns.spectype_else[i]):
        kind_cell = columns.spectype_else[i]
        events.append("class from redrock")
    if cells.is_blank(kind_cell) and rating < QUALITY_GOOD:
        # Inspectors who see nothing settle on no class: such a row is still what they said.
        events.append("no class")
        return "", rating
    return cells.spectype(kind_cell), rating


def _coded(kind_cell: Cell, rating_cell: Cell, kinds: dict[int, str], ratings: dict[int, float]) -> tuple[str, float]:
    """Class and quality of SDSS's number codes."""
    kind, rating = cells.whole(kind_cell, "class code"), cells.whole(rating_cell, "confidence code")
    if kind in (0, -1, None) and rating in (0, -1, None):
        raise UnusableError("not inspected (no class, no confidence)")
    if kind not in kinds:
        raise UnusableError(f"class code {kind} is none of {', '.join(map(str, kinds))}")
    if rating not in ratings:
        raise UnusableError(f"confidence code {rating} is none of {', '.join(map(str, ratings))}")
    return kinds[kind], ratings[rating]


def _bal(columns: _Columns, i: int, events: list[str]) -> int:
    own = cells.whole(columns.bal[i], "BAL")
    if own is not None:
        if own not in (-1, 0, 1):
            raise UnusableError(f"BAL {own} is none of -1, 0, 1")
        return own
    flag = cells.bal(columns.bal_flag[i], columns.bi_civ[i], has_flag=columns.has_flag)
    if flag == 0:
        events.append("bal unknown")
    return flag


def _n_vi(cell: Cell) -> int | None:
    """Number of inspections; a table is not refused for it, so anything odd is None."""
    try:
        count = cells.whole(cell, "N_VI")
    except UnusableError:
        return None
    return count if count is not None and count >= 0 else None


def best_per_object(labels: list[Label]) -> Iterator[tuple[Label, list[Label]]]:
    """(label kept, labels dropped) of each object, in the order of the kept ones.

    Kept is the highest quality, and of equal ones the last; upstream takes the last whatever its quality.
    """
    by_object: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        by_object.setdefault(label.identities()[0], []).append(label)
    kept = [(max(same, key=lambda one: (one.quality, one.line)), same) for same in by_object.values()]
    for best, same in sorted(kept, key=lambda pair: pair[0].line):
        yield best, [one for one in same if one is not best]
