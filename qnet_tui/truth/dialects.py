"""The dialects of truth tables: which columns make one, which column means what, who its labels come from.

Columns are known by their key: lower case, anything but letters and digits as one underscore, so that
``Redrock z``, ``Redrock_z`` and ``REDROCK_Z`` are one. Of several columns that can mean a thing, the
first named here is taken.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from qnet_tui.errors import BadInput
from qnet_tui.truth.labels import Origin

Codes = Literal["text", "boss", "superset", "marz", "catalogue", "pipeline"]
Aliases = tuple[str, ...]

TARGETID: Aliases = ("targetid", "target_id")
OWN_ID: Aliases = ("id",)  # of our own exports, beside the survey: TARGETID, T<THING_ID> or P<plate>-<mjd>-<fiberid>
OWN_ID_WITH: Aliases = ("id", "survey")
THING_ID: Aliases = ("thing_id", "thingid")
PLATE: Aliases = ("plate",)
MJD: Aliases = ("mjd",)
FIBERID: Aliases = ("fiberid", "fiber_id")
BAL: Aliases = ("bal",)  # of our own export: -1, 0, 1
BAL_FLAG: Aliases = ("bal_flag_vi",)
BI_CIV: Aliases = ("bi_civ",)
N_VI: Aliases = ("n_vi",)
ISSUES: Aliases = ("all_vi_issues", "vi_issues", "vi_issue")
COMMENTS: Aliases = ("all_vi_comments", "vi_comments", "vi_comment", "merger_comment", "comment")

_VI_Z: Aliases = ("vi_z", "z_vi", "best_z")
_VI_CLASS: Aliases = ("vi_class", "vi_spectype", "best_spectype")
_VI_QUALITY: Aliases = ("vi_quality", "best_quality", "best_class")
# Columns that say of each row what it is: a table with one of them is no bare list of quasars.
_CLASS_LIKE = (*_VI_CLASS, *_VI_QUALITY, "spectype", "class", "objclass", "class_person", "quality")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of writing a truth table.

    ``z``, ``spectype``, ``quality`` name the columns that can hold them; where ``spectype`` or
    ``quality`` is empty the dialect has none (``codes`` says how they are had). ``z_else`` and
    ``spectype_else`` are taken where a cell is blank. ``marks`` are further groups of columns, one of
    each needed to recognise the dialect by itself, and ``refuses`` columns that speak for another one.
    """

    name: str
    title: str
    origin: Origin
    codes: Codes
    z: Aliases
    spectype: Aliases = ()
    quality: Aliases = ()
    z_else: Aliases = ()
    spectype_else: Aliases = ()
    marks: tuple[Aliases, ...] = ()
    refuses: Aliases = ()
    name_is_id: bool = False

    def lacking(self, keys: Iterable[str]) -> list[Aliases]:
        """Groups of columns of which the table has none, identity apart."""
        present = set(keys)
        return [g for g in (self.z, self.spectype, self.quality) if g and not present.intersection(g)]

    def recognises(self, keys: Iterable[str], extname: str) -> bool:
        """True when a table with these column keys and this EXTNAME is surely written in this dialect."""
        present = set(keys)
        if self.lacking(present) or not has_identity(present, self) or not all(present & set(g) for g in self.marks):
            return False
        if self.codes == "catalogue" and is_quasar_catalogue(extname):
            return True
        return not present.intersection(self.refuses)


DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        "marz",
        "MARZ .mz",
        "people",
        "marz",
        z=("finz",),
        spectype=("fintn",),
        quality=("qop",),
        name_is_id=True,
    ),
    Dialect(
        "superset",
        "SDSS Superset_DR12Q",
        "people",
        "superset",
        z=("z_vi", "z"),
        spectype=("class_person",),
        quality=("z_conf_person", "z_conf"),
    ),
    Dialect(
        "boss",
        "BOSS/eBOSS truth in QuasarNET's codes",
        "people",
        "boss",
        z=("z",),
        spectype=("objclass",),
        quality=("z_conf",),
    ),
    Dialect(
        "prospect-2020",
        "Prospect inspections of 2020 (VI class is the quality)",
        "people",
        "text",
        z=("vi_z",),
        spectype=("vi_spectype",),
        quality=("vi_class",),
        z_else=("redrock_z",),
        spectype_else=("redrock_spectype",),
        refuses=("vi_quality", "best_z", "best_quality"),
    ),
    Dialect(
        "prospect",
        "Prospect inspections",
        "people",
        "text",
        z=("vi_z",),
        spectype=("vi_spectype",),
        quality=("vi_quality",),
        z_else=("redrock_z",),
        spectype_else=("redrock_spectype",),
        marks=(("redrock_z", "redrock_spectype", "vi_scanner"), ("vi_scanner", "vi_issue")),
        refuses=("vi_class", "best_z", "best_quality", "best_spectype"),
    ),
    Dialect(
        "desi-merged",
        "merged DESI inspections",
        "people",
        "text",
        z=("best_z", "vi_z", "z_vi"),
        spectype=("best_spectype", "vi_class", "vi_spectype"),
        quality=("best_quality", "best_class", "vi_quality"),
        marks=(("best_z", "best_quality", "best_class", "best_spectype"),),
    ),
    Dialect(
        "quasarnet",
        "QuasarNET truth",
        "people",
        "text",
        z=_VI_Z,
        spectype=("vi_class",),
        quality=_VI_QUALITY,
    ),
    Dialect(
        "edr-vi",
        "DESI EDR visual inspection catalogue",
        "people",
        "text",
        z=(*_VI_Z, "z"),
        spectype=("vi_spectype",),
        quality=_VI_QUALITY,
    ),
    Dialect(
        "plain",
        "class, redshift and quality",
        "people",
        "text",
        z=("z", "vi_z"),
        spectype=("class", "spectype"),
        quality=("quality",),
    ),
    Dialect(
        "pipeline",
        "a pipeline's classes (redrock, SPECOBJ)",
        "pipeline",
        "pipeline",
        z=("z",),
        spectype=("spectype", "class"),
        quality=("zwarn", "zwarning"),
        refuses=(*_VI_CLASS, *_VI_QUALITY, "quality"),
    ),
    Dialect(
        "catalogue",
        "quasar catalogue without class or quality",
        "catalogue",
        "catalogue",
        z=("z", "z_vi"),
        refuses=_CLASS_LIKE,
    ),
    Dialect(
        "unrated",
        "class and redshift without a quality",
        "people",
        "text",
        z=(*_VI_Z, "z"),
        spectype=(*_VI_CLASS, "class", "spectype"),
        refuses=(*_VI_QUALITY, "quality"),
    ),
)
FORMATS: tuple[str, ...] = ("auto", *(dialect.name for dialect in DIALECTS))


def column_key(name: str) -> str:
    """The key of a column name: ``" VI_Quality"`` -> ``vi_quality``, ``best z`` -> ``best_z``."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def is_quasar_catalogue(extname: str) -> bool:
    """True for the EXTNAME of DESI quasar catalogues: all quasars, whatever class of redrock they keep."""
    return column_key(extname).startswith("qso_cat")


def has_identity(keys: Iterable[str], dialect: Dialect) -> bool:
    """True when some column says which object a row is about."""
    present = set(keys)
    if dialect.name_is_id and "name" in present:
        return True
    plate_mjd_fiber = all(present & set(part) for part in (PLATE, MJD, FIBERID))
    return bool(present & {*TARGETID, *THING_ID}) or plate_mjd_fiber


def recognise(keys: Iterable[str], extname: str) -> Dialect | None:
    """The first dialect that recognises the table, None when none does."""
    # A DESI quasar catalogue says by its EXTNAME what it is, whatever columns of redrock it keeps.
    ordered = sorted(DIALECTS, key=lambda d: not (d.codes == "catalogue" and is_quasar_catalogue(extname)))
    return next((dialect for dialect in ordered if dialect.recognises(keys, extname)), None)


def named(name: str) -> Dialect:
    """The dialect of that name. Raises BadInput naming the formats there are."""
    for dialect in DIALECTS:
        if dialect.name == name:
            return dialect
    raise BadInput(f"no truth format {name!r}", mend=f"use one of {', '.join(FORMATS)}")


def _nearest(present: set[str]) -> Dialect:
    """The dialect with the fewest columns wanting, QuasarNET's own when none has any of them."""
    rated = [d for d in DIALECTS if d.quality and present.intersection((*d.spectype, *d.quality))]

    def distance(dialect: Dialect) -> tuple[int, int, bool]:
        met = sum(bool(present & set(group)) for group in dialect.marks)
        unmet = len(dialect.lacking(present)) + len(dialect.marks) - met
        return unmet, -met, dialect.name != "quasarnet"

    return min(rated, key=distance) if rated else named("quasarnet")


def why_not(keys: Iterable[str], names: Iterable[str], dialect: Dialect | None) -> tuple[str, str]:
    """(what, mend) for a table not in ``dialect``, or in none: columns found, columns wanting."""
    present, listed = set(keys), list(names)
    found = ", ".join(listed[:30]) + (f" and {len(listed) - 30} more" if len(listed) > 30 else "")
    found = f"columns found: {ascii(found)[1:-1]}"
    near = dialect or _nearest(present)
    wanting = [g[0].upper() for g in near.lacking(present)]
    if not has_identity(present, near):
        wanting.append("TARGETID (or THING_ID, or PLATE, MJD, FIBERID)")
    if wanting:
        return found, f"for {near.name} ({near.title}) add {' and '.join(wanting)}"
    return found, f"if it is {near.name} ({near.title}), say so with --format {near.name}"
