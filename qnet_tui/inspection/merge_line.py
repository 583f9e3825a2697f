"""What a merger settles, typed as one line: ``39627640483350787 q 2.3046 3.5 R clear C IV``."""

from __future__ import annotations

from dataclasses import dataclass

from qnet_tui.inspection.answer import ISSUE_LETTERS, Refused, SpecType
from qnet_tui.inspection.merge_state import MergeState, class_named, parse_quality

_NONE = "-"
FORM = "CLASS Z QUALITY [ISSUES] [COMMENT]"


@dataclass(frozen=True)
class TypedMerge:
    """What one line says; ``spectype`` None and ``z`` "" where it says ``-``."""

    spectype: SpecType | None
    z: str
    quality: float
    issues: str
    comment: str


def parse_merge(line: str) -> TypedMerge:
    """Read ``CLASS Z QUALITY [ISSUES] [COMMENT]``: class s, g, q or in full, ``-`` for none; quality 0 to 4, 2.5 too.

    Raises:
        Refused: a part is missing or cannot be what it should.
    """
    words = line.split()
    if len(words) < 3:
        raise Refused(f"{line.strip() or 'nothing'!r} settles nothing: {FORM}, for example q 2.3046 3.5")
    spectype = None if words[0] == _NONE else class_named(words[0])
    quality, rest = parse_quality(words[2]), words[3:]
    issues = ""
    if rest and set(rest[0]) <= set(ISSUE_LETTERS):
        issues = "".join(sorted(set(rest[0])))
        rest = rest[1:]
    return TypedMerge(spectype, "" if words[1] == _NONE else words[1], quality, issues, " ".join(rest))


def settled(state: MergeState, typed: TypedMerge) -> MergeState:
    """Return ``state`` with exactly what was typed, the comment only if there is one.

    Raises:
        Refused: something of it cannot be an answer.
    """
    state = state.with_class(typed.spectype).with_z_typed(typed.z).with_quality(typed.quality)
    for letter in ISSUE_LETTERS:
        if (letter in typed.issues) != (letter in state.answer.issues):
            state = state.with_issue_toggled(letter)
    return state.with_comment(typed.comment) if typed.comment else state


def taken(state: MergeState, name: str, names: list[str]) -> MergeState:
    """Return ``state`` with the proposal (``name`` is "proposal"), or with the vote of that name.

    Raises:
        Refused: there is no such vote, or the proposal offers nothing.
    """
    if name.lower() == "proposal":
        return state.with_proposal()
    found = [at for at, known in enumerate(names) if known.lower() == name.lower()]
    if not found:
        raise Refused(f"there is no vote {name!r}: proposal, {', '.join(names)}")
    step = found[0] - state.lit
    return (state.with_lit(step) if step else state).with_vote_copied()
