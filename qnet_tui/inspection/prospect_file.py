"""Prospect's inspection file, ``desi-vi_<title>_<scanner>.csv``: what its viewer writes and its scripts read.

One row a spectrum and inspector, sixteen columns in a fixed order, comments in ASCII of 100 characters. Two of its
habits decide what may be written: an empty ``VI_z`` or ``VI_spectype`` says that the pipeline is right, so an answer
is always written out; and a row without a quality is dropped by its readers, so every row has one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from qnet_tui.inspection.csv_text import csv_text

COLUMNS = (
    "TARGETID", "EXPID", "NIGHT", "TILEID", "Spec_version", "Redrock_version", "Template_version",
    "Redrock_spectype", "Redrock_z", "Redrock_deltachi2", "VI_scanner", "VI_quality", "VI_issue", "VI_z",
    "VI_spectype", "VI_comment",
)  # fmt: skip
SDSS_COLUMNS = ("THING_ID", "PLATE", "MJD", "FIBERID")
"""Written after TILEID, and only where some row is of SDSS: Prospect has no other name for an object than TARGETID."""

COMMENT_LENGTH = 100
CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{1,9}")
"""A scanner's code: it ends the name of a file after an underscore, so it has none itself."""

_NONE = -1
_SDSS_AT = COLUMNS.index("TILEID") + 1
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (?:FINAL )?([A-Z]+)")


@dataclass(frozen=True)
class ProspectRow:
    """One inspection of one spectrum; what is not known is -1, "" or None.

    ``z`` and ``spectype`` None are written empty, which is read as the pipeline's: only right at quality 0.
    """

    targetid: int
    scanner: str
    quality: int
    issues: str
    z: float | None
    spectype: str | None
    comment: str
    expid: int = _NONE
    night: int = _NONE
    tileid: int = _NONE
    spec_version: str = "0"
    pipeline_spectype: str = ""
    pipeline_z: float | None = None
    pipeline_deltachi2: float | None = None
    sdss: tuple[int, int, int, int] | None = None


def prospect_csv(rows: Sequence[ProspectRow]) -> str:
    """The text of the file: rows in their order, LF line ends, ASCII; no field but the header ever has a comma."""
    with_sdss = any(row.sdss is not None for row in rows)
    header = list(COLUMNS)
    if with_sdss:
        header[_SDSS_AT:_SDSS_AT] = SDSS_COLUMNS
    return csv_text(header, (_fields(row, with_sdss) for row in rows))


def _fields(row: ProspectRow, with_sdss: bool) -> list[object]:
    fields: list[object] = [
        row.targetid if row.targetid > 0 else _NONE,
        row.expid,
        row.night,
        row.tileid,
        prospect_comment(row.spec_version),
        _NONE,
        _NONE,
        row.pipeline_spectype,
        _NONE if row.pipeline_z is None else _fixed(row.pipeline_z, 4),
        _NONE if row.pipeline_deltachi2 is None else _fixed(row.pipeline_deltachi2, 1),
        row.scanner,
        row.quality,
        "".join(sorted(row.issues)),
        "" if row.z is None else _fixed(row.z, 4),
        row.spectype or "",
        prospect_comment(row.comment),
    ]
    if with_sdss:
        fields[_SDSS_AT:_SDSS_AT] = row.sdss or (_NONE,) * len(SDSS_COLUMNS)
    return fields


def prospect_comment(text: str) -> str:
    """A comment as Prospect keeps it; what is in that form already is left as it is.

    A comma becomes a semicolon, Greek letters and the Ångström sign are spelled out, anything else beyond ASCII is a
    question mark, all on one line, 100 characters at most.
    """
    return spelled_out(text)[:COMMENT_LENGTH].rstrip()


def spelled_out(text: str) -> str:
    """The comment in the signs of :func:`prospect_comment`, at any length."""
    return " ".join("".join(map(_spelled, unicodedata.normalize("NFC", text))).split())


def _spelled(sign: str) -> str:
    if sign == ",":
        return ";"
    if sign in "\u00c5\u212b":
        return "Angstrom"
    if sign == "\u00b5":
        return "mu"
    if sign.isascii():
        return sign if sign.isprintable() else " "
    greek = _GREEK.match(unicodedata.name(sign, ""))
    if greek:
        name = "lambda" if greek[2] == "LAMDA" else greek[2].lower()
        return name if greek[1] == "SMALL" else name.capitalize()
    return " " if sign.isspace() else "?"


def file_name(title: str, scanner: str) -> str:
    """The standard name; readers take what follows the last underscore for the scanner."""
    clean = re.sub(r"[^A-Za-z0-9.+_-]+", "-", title).strip("-") or "qnet"
    return f"desi-vi_{clean}_{scanner}.csv"


def scanner_of(name: str) -> str:
    """The scanner that a file's name tells, "" when it tells none (another name, a merged file, an unnamed user)."""
    match = re.fullmatch(r"desi-vi_.+_([^_]+)\.csv(?:\.gz)?", name)
    code = match[1] if match else ""
    return code if CODE.fullmatch(code) and code.lower() not in ("merged", "all") else ""


def code_of(scanner: str) -> str:
    """The code that a scanner's field makes, "" for none: people are asked for three letters, and type names."""
    letters = "".join(sign for sign in scanner if sign.isascii() and sign.isalnum())
    return letters if CODE.fullmatch(letters) else ""


def _fixed(value: float, digits: int) -> str:
    # Adding 0 turns -0.0000 into 0.0000.
    return f"{round(value, digits) + 0.0:.{digits}f}"
