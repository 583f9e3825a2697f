"""What one person says of one spectrum, and when that is complete enough to be committed.

The classes, the quality scale, the issue letters and their meaning are those of DESI's visual inspection; this is
the one table that screens, help, import and export take them from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from qnet_tui.inspection.keys import Action, worded

SpecType = Literal["STAR", "GALAXY", "QSO"]
CLASSES: tuple[SpecType, ...] = ("STAR", "GALAXY", "QSO")
CLASS_KEYS: dict[str, SpecType] = {"s": "STAR", "g": "GALAXY", "q": "QSO"}

QUALITY_WORDS: tuple[str, ...] = (
    "no signal",
    "signal, but nothing identified",
    "one strong feature of unsure identity",
    "one secure line and continuum, or many weak ones",
    "two or more secure features",
)

ISSUE_WORDS: dict[str, str] = {
    "C": "the pipeline's class is wrong",
    "R": "the pipeline's redshift is wrong",
    "S": "the spectrum itself is bad",
}
ISSUE_LETTERS = "RCS"

# Where a redshift came from, as votes and exports record it. "fit" belongs to the local fit.
ZSource = Literal["typed", "line", "fit", "pipeline"]
Z_SOURCES: tuple[ZSource, ...] = ("typed", "line", "fit", "pipeline")

Z_LOWEST, Z_HIGHEST = -0.01, 7.0
STAR_Z_LIMIT = 0.01
Z_COARSE, Z_FINE = 0.01, 0.0001

COMMENT_LENGTH = 100

# Steps are added in decimal: after a thousand of them the number is still the one that was counted.
_STEP_DIGITS = 9


class Refused(Exception):
    """Something that cannot be done now; the text says why, in one line, and what to do.

    The text may name actions in braces: as a string it names their usual keys, and :meth:`said` the live ones.
    """

    def __str__(self) -> str:
        """Return the text with the keys that the actions have unless a person changed them."""
        return worded(super().__str__())

    def said(self, actions: Sequence[Action]) -> str:
        """Return the text with the keys of ``actions``."""
        return worded(super().__str__(), actions)


@dataclass(frozen=True)
class Answer:
    """Class, redshift (float64), quality 0-4, issue letters (sorted), comment, and where z came from.

    ``z_error`` is the one-sigma error that a fit gave, None for a redshift that a person set.
    """

    spectype: SpecType | None = None
    z: float | None = None
    quality: int | None = None
    issues: str = ""
    comment: str = ""
    z_source: ZSource | None = None
    z_error: float | None = None

    def missing(self) -> tuple[str, ...]:
        """Return what Enter still waits for, of "class", "z", "quality"; quality 0 needs no redshift."""
        left = []
        if self.spectype is None:
            left.append("class")
        if self.z is None and self.quality != 0:
            left.append("z")
        if self.quality is None:
            left.append("quality")
        return tuple(left)

    def refusal(self) -> str | None:
        """Return why this answer cannot be committed, with the keys that mend it; None when it can."""
        keys = {
            "class": "{class_star} {class_galaxy} {class_quasar}",
            "z": "{type_z} types it",
            "quality": "{quality_0}-{quality_4}",
        }
        left = self.missing()
        if left:
            return "not yet: " + ", ".join(f"{name} ({keys[name]})" for name in left)
        if self.spectype == "STAR" and self.z is not None and abs(self.z) >= STAR_Z_LIMIT:
            return f"a star has |z| < {STAR_Z_LIMIT:g}: mend z (now {z_text(self.z)}) or the class"
        return None

    def is_empty(self) -> bool:
        """Whether nothing has been said."""
        return self == Answer(z=self.z, z_source=self.z_source, z_error=self.z_error)

    def with_z(self, z: float | None, source: ZSource | None, error: float | None = None) -> Answer:
        """Return the answer with another redshift, where it came from, and its error."""
        return replace(self, z=z, z_source=source, z_error=error)

    def with_issue_toggled(self, letter: str) -> Answer:
        """Return the answer with issue ``letter`` (R, C or S) set or cleared; letters are kept sorted."""
        letters = set(self.issues) ^ {letter}
        if not letters <= set(ISSUE_LETTERS):
            raise ValueError(f"no issue letter: {letter!r}")
        return replace(self, issues="".join(sorted(letters)))

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON values, the form of a draft."""
        return {
            "spectype": self.spectype,
            "z": self.z,
            "quality": self.quality,
            "issues": self.issues,
            "comment": self.comment,
            "z_source": self.z_source,
            "z_error": self.z_error,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Answer:
        """Read a draft; a value that no answer can have is dropped, so an odd draft never blocks an item."""
        spectype, quality, z, source = (body.get(name) for name in ("spectype", "quality", "z", "z_source"))
        good_z = isinstance(z, int | float) and not isinstance(z, bool) and Z_LOWEST <= z <= Z_HIGHEST
        error = body.get("z_error")
        good_error = good_z and isinstance(error, float) and math.isfinite(error) and error >= 0
        return cls(
            spectype=next((known for known in CLASSES if known == spectype), None),
            z=float(z) if good_z and z is not None else None,
            quality=quality if quality in range(5) and not isinstance(quality, bool) else None,
            issues="".join(sorted(set(str(body.get("issues") or "")) & set(ISSUE_LETTERS))),
            comment=clean_comment(str(body.get("comment") or "")),
            z_source=next((known for known in Z_SOURCES if known == source), None) if good_z else None,
            z_error=error if good_error else None,
        )


def z_text(z: float | None) -> str:
    """Write a redshift with four decimals, more (up to seven) only when it was given more."""
    if z is None:
        return "-"
    short = f"{z:.4f}"
    full = f"{z:.7f}".rstrip("0")
    return full if len(full) > len(short) and abs(float(full) - z) < 1e-12 else short


def parse_z(text: str) -> float:
    """Read a typed redshift; a decimal comma is taken too.

    Raises:
        Refused: no number, or outside -0.01 to 7.
    """
    try:
        z = float(text.strip().replace(",", "."))
    except ValueError:
        raise Refused(
            f"{text.strip() or 'nothing'!r} is no redshift: a number from {Z_LOWEST:g} to {Z_HIGHEST:g}"
        ) from None
    return checked_z(z)


def checked_z(z: float) -> float:
    """Return ``z`` when an answer may have it.

    Raises:
        Refused: not finite, or outside -0.01 to 7.
    """
    if not (math.isfinite(z) and Z_LOWEST <= z <= Z_HIGHEST):
        raise Refused(f"z {z:.4f} is outside {Z_LOWEST:g} to {Z_HIGHEST:g}")
    return z


def stepped_z(z: float | None, step: float) -> float:
    """Return ``z`` + ``step``, from 0 when there is no z yet, stopped at -0.01 and 7."""
    moved = round((0.0 if z is None else z) + step, _STEP_DIGITS)
    return min(max(moved, Z_LOWEST), Z_HIGHEST)


def clean_comment(text: str) -> str:
    """Return a comment on one line without control characters, at most 100 characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:COMMENT_LENGTH]
