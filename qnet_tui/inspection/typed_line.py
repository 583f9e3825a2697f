"""An answer typed as one line, for people and scripts without a screen: ``q 2.31 4 weak C III]``.

The order is class, redshift, quality, issue letters, comment; every part but the first may be left out, and what
the line then lacks is refused by the same rules as on the screen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qnet_tui.inspection.answer import CLASS_KEYS, ISSUE_LETTERS, Refused, SpecType
from qnet_tui.inspection.item import ItemState

_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)")
_QUALITY = re.compile(r"[0-4]")
_NO_Z = "-"


@dataclass(frozen=True)
class TypedAnswer:
    """What one line says; None and "" for what it leaves out. ``pipeline``: take its class and redshift."""

    spectype: SpecType | None = None
    pipeline: bool = False
    z: str | None = None
    quality: int | None = None
    issues: str = ""
    comment: str = ""


def parse_answer(line: str) -> TypedAnswer:
    """Read ``CLASS [Z] [QUALITY] [ISSUES] [COMMENT]``; CLASS is s, g or q, or a for the pipeline's class and z.

    One number alone is the quality when it is 0 to 4 without a decimal point, else the redshift; ``-`` is no
    redshift. ISSUES are capital letters of RCS run together.

    Raises:
        Refused: the line begins with no class.
    """
    words = line.split()
    first = words[0].lower() if words else ""
    if first not in CLASS_KEYS and first != "a":
        raise Refused(f"{words[0] if words else 'nothing'!r} is no class: s, g, q, or a for the pipeline's answer")
    rest = words[1:]
    z: str | None = None
    quality: int | None = None
    next_is_quality = len(rest) > 1 and _QUALITY.fullmatch(rest[1]) is not None
    if rest and (rest[0] == _NO_Z or (_NUMBER.fullmatch(rest[0]) and (next_is_quality or not _is_quality(rest)))):
        z = "" if rest[0] == _NO_Z else rest[0]
        rest = rest[1:]
    if _is_quality(rest):
        quality = int(rest[0])
        rest = rest[1:]
    issues = ""
    if rest and set(rest[0]) <= set(ISSUE_LETTERS):
        issues = "".join(sorted(set(rest[0])))
        rest = rest[1:]
    return TypedAnswer(CLASS_KEYS.get(first), first == "a", z, quality, issues, " ".join(rest))


def answered(state: ItemState, typed: TypedAnswer) -> ItemState:
    """Return ``state`` with what was typed; the issues are exactly those of the line.

    Raises:
        Refused: something of it cannot be an answer.
    """
    state = state.with_pipeline() if typed.pipeline else state
    if typed.spectype is not None:
        state = state.with_class(typed.spectype)
    if typed.z is not None:
        state = state.with_z_typed(typed.z)
    if typed.quality is not None:
        state = state.with_quality(typed.quality)
    for letter in ISSUE_LETTERS:
        if (letter in typed.issues) != (letter in state.answer.issues):
            state = state.with_issue_toggled(letter)
    return state.with_comment(typed.comment) if typed.comment else state


def _is_quality(words: list[str]) -> bool:
    return bool(words) and _QUALITY.fullmatch(words[0]) is not None
