"""One cell of a truth table -> one checked value, or the reason why the row cannot be used.

Cells come as text (CSV) or as numbers (FITS). Numbers are read strictly: digits as in ``12``, ``-0.5``,
``1e-3``; no underscores, no foreign digits, no infinity, all of which Python itself would take.
"""

import math
import re

Cell = str | int | float | bool | None

Z_MIN, Z_MAX = -0.01, 7.0
QUALITY_MIN, QUALITY_MAX = 0.0, 4.0
STAR_Z_MAX = 0.01
_INT64_MAX = 2**63 - 1
_EXACT_DOUBLE = 2**53  # the largest range of whole numbers that float64 holds without gaps

_BLANK = frozenset({"", "-", "--", "nan", "none", "null", "n/a", "na", "<na>", "masked"})
_NO_COMMENT = frozenset({"--", "none", "nan"})
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_WHOLE_AS_FLOAT = re.compile(r"([+-]?[0-9]+)\.0*")
_PLATE_MJD_FIBER = re.compile(r"(?:spec-)?([0-9]{1,6})-([0-9]{1,6})-([0-9]{1,6})(?:\.fits)?", re.IGNORECASE)

_SPECTYPES = {
    **dict.fromkeys(("STAR", "STARS", "STELLAR", "WD", "WHITE DWARF", "CV"), "STAR"),
    **dict.fromkeys(("GALAXY", "GALAXIES", "GAL"), "GALAXY"),
    **dict.fromkeys(("QSO", "QSOS", "QUASAR", "BAL", "BAL QSO", "BALQSO", "QSO BAL", "BAL QUASAR"), "QSO"),
}


class UnusableError(Exception):
    """A cell that makes its row unusable; the message is the reason, in one line."""


def show(cell: Cell) -> str:
    """The cell as shown in a message: printable, quoted when text, at most 40 signs."""
    shown = ascii(cell) if isinstance(cell, str) else str(cell)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."


def is_blank(cell: Cell) -> bool:
    """True for None, NaN, and the texts that tables write for nothing (``--``, ``nan``, ``none``)."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return cell.strip().lower() in _BLANK
    return isinstance(cell, float) and math.isnan(cell)


def number(cell: Cell, what: str) -> float | None:
    """The cell as a finite float64, None when blank; UnusableError, naming ``what``, for the rest."""
    if is_blank(cell):
        return None
    written = isinstance(cell, str) and _NUMBER.fullmatch(cell.strip()) is not None
    if cell is None or isinstance(cell, bool) or (isinstance(cell, str) and not written):
        raise UnusableError(f"{what} {show(cell)} is not a number")
    value = float(cell)
    if not math.isfinite(value):
        raise UnusableError(f"{what} {show(cell)} is not finite")
    return value


def whole(cell: Cell, what: str) -> int | None:
    """The cell as int64, None when blank; never through a float that may have lost digits.

    ``39633493583464924`` is taken; ``123.0`` too, being below 2**53; ``3.9633e+16`` is refused, for the
    digits that a float64 does not hold are gone. Raises UnusableError, naming ``what``.
    """
    if is_blank(cell):
        return None
    if isinstance(cell, bool):
        raise UnusableError(f"{what} {show(cell)} is not a whole number")
    if isinstance(cell, str):
        return _whole_of_text(cell.strip(), what)
    if isinstance(cell, float):
        if not math.isfinite(cell) or not cell.is_integer():
            raise UnusableError(f"{what} {show(cell)} is not a whole number")
        if abs(cell) >= _EXACT_DOUBLE:
            raise UnusableError(f"{what} {show(cell)} was stored as a float and has lost digits")
    value = int(cell or 0)
    if abs(value) > _INT64_MAX:
        raise UnusableError(f"{what} {show(cell)} does not fit 64 bits")
    return value


def _whole_of_text(text: str, what: str) -> int:
    as_float = _WHOLE_AS_FLOAT.fullmatch(text)
    digits = as_float[1] if as_float else text
    if _WHOLE.fullmatch(digits):
        # The length first: Python refuses to convert texts of thousands of digits in its own words.
        if len(digits) > 20 or abs(int(digits)) > _INT64_MAX:
            raise UnusableError(f"{what} {show(text)} does not fit 64 bits")
        if not as_float or abs(int(digits)) < _EXACT_DOUBLE:
            return int(digits)
    if _NUMBER.fullmatch(text):
        raise UnusableError(f"{what} {show(text)} was written as a float and has lost digits")
    raise UnusableError(f"{what} {show(text)} is not a whole number")


def redshift(cell: Cell) -> float | None:
    """A redshift in -0.01 to 7, None when blank. Raises UnusableError with the value otherwise."""
    z = number(cell, "z")
    if z is not None and not Z_MIN <= z <= Z_MAX:
        raise UnusableError(f"z {show(cell)} is outside {Z_MIN} to {Z_MAX:g}")
    return z


def quality(cell: Cell) -> float:
    """A quality in 0 to 4; UnusableError for blank, -1 (not inspected), 999 (undecided), and others."""
    value = number(cell, "quality")
    if value is None:
        raise UnusableError("no quality")
    if value == -1:
        raise UnusableError("quality -1: not inspected")
    if value == 999:
        raise UnusableError("quality 999: the merger had not decided")
    if not QUALITY_MIN <= value <= QUALITY_MAX:
        raise UnusableError(f"quality {show(cell)} is outside 0 to 4")
    return value


def spectype(cell: Cell) -> str:
    """STAR, GALAXY or QSO of a class in any spelling.

    WD and ``STAR:::M`` are stars, QUASAR and BAL are QSO.
    Raises UnusableError for a blank and for any other class.
    """
    if is_blank(cell):
        raise UnusableError("no class")
    words = re.sub(r"[\s_-]+", " ", str(cell).strip().partition(":")[0]).upper()
    if words not in _SPECTYPES:
        raise UnusableError(f"class {show(cell)} is none of STAR, GALAXY, QSO")
    return _SPECTYPES[words]


def marz_spectype(cell: Cell) -> str:
    """STAR, GALAXY or QSO of a MARZ template name (``Quasar``, ``Star Forming Galaxy``, ``K Star``)."""
    name = "" if is_blank(cell) else str(cell).lower()
    # Galaxies first: some of their templates are called star forming.
    for word, kind in (
        ("galaxy", "GALAXY"),
        ("quasar", "QSO"),
        ("qso", "QSO"),
        ("star", "STAR"),
        ("dwarf", "STAR"),
    ):
        if word in name:
            return kind
    raise UnusableError(f"template {show(cell)} is none of a star, a galaxy, a quasar" if name else "no class")


def plate_mjd_fiber(cell: Cell) -> tuple[int, int, int] | None:
    """(plate, mjd, fiberid) of ``3655-55240-0256`` or ``spec-3655-55240-0256.fits``, else None."""
    match = _PLATE_MJD_FIBER.fullmatch(cell.strip()) if isinstance(cell, str) else None
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def issues(cell: Cell) -> str:
    """Sorted issue letters of R, C, S: ``CR`` and ``RC`` are one set, ``none`` and ``N`` are empty."""
    letters = set() if is_blank(cell) else set(re.sub(r"[\s,;/]+", "", str(cell)).upper())
    # N was typed for "none" at the merger's prompt.
    return "".join(sorted(letters - {"N"})) if letters <= set("RCSN") else ""


def comment(cell: Cell) -> str:
    """A comment in one line of printable signs, empty where tables write a word for none (mergers leave ``None``).

    ``-`` and ``masked`` are comments, though elsewhere they would stand for nothing.
    """
    if not isinstance(cell, str) and is_blank(cell):
        return ""
    text = str(cell)
    if text.strip().lower() in _NO_COMMENT:
        return ""
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(text.split())


def bal(flag: Cell, bi_civ: Cell, *, has_flag: bool) -> int:
    """+1 BAL, -1 not, 0 unknown or contradictory, of BAL_FLAG_VI and BI_CIV (km/s).

    With both: +1 when flagged and BI_CIV > 0, -1 when not flagged and BI_CIV = 0, else 0 (QuasarNET's
    rule). Without a flag column BI_CIV alone decides; a negative or missing index is unknown.
    """
    index = number(bi_civ, "BI_CIV")
    if index is None or index < 0:
        return 0
    if not has_flag:
        return 1 if index > 0 else -1
    if is_blank(flag):
        return 0
    flagged = flag is True or (isinstance(flag, str) and flag.strip().upper() in ("T", "TRUE"))
    if not flagged and not (flag is False or (isinstance(flag, str) and flag.strip().upper() in ("F", "FALSE"))):
        flagged = number(flag, "BAL_FLAG_VI") == 1
    if flagged == (index > 0):
        return 1 if flagged else -1
    return 0


def star_moves(kind: str, z: float | None) -> bool:
    """True for a star at a redshift that no star has: its class was changed, its redshift left behind."""
    return kind == "STAR" and z is not None and abs(z) >= STAR_Z_MAX
