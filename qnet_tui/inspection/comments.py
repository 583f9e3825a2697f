"""The comments that inspectors of DESI write again and again, each by one letter.

The wording is that of DESI's web page for visual inspection, so that files of both can be searched for one text.
"""

from __future__ import annotations

from dataclasses import dataclass

from qnet_tui.inspection.answer import COMMENT_LENGTH, Refused


@dataclass(frozen=True)
class StandardComment:
    """One comment: its ``letter``, two or three ``words`` for it, and the ``text`` that is written."""

    letter: str
    words: str
    text: str


STANDARD_COMMENTS: tuple[StandardComment, ...] = (
    StandardComment("b", "BAL", "Broad absorption line quasar (BAL)"),
    StandardComment("d", "DLA", "Damped Lyman-alpha system (DLA)"),
    StandardComment("t", "two objects", "Two objects in spectrum"),
    StandardComment("z", "blazar", "Blazar"),
)
COMMENT_OF_LETTER: dict[str, StandardComment] = {comment.letter: comment for comment in STANDARD_COMMENTS}


def appended(comment: str, text: str) -> str:
    """Return ``comment`` with ``text`` after it; as it was when it says so already."""
    return comment if text in comment else f"{comment} {text}".strip()


def with_standard_comment(comment: str, letter: str) -> str:
    """Return ``comment`` with the standard comment of ``letter`` after it.

    Raises:
        Refused: no comment has that letter, it is said already, or there is no room.
    """
    standard = COMMENT_OF_LETTER.get(letter)
    if standard is None:
        known = " ".join(f"{each.letter} {each.words}" for each in STANDARD_COMMENTS)
        raise Refused(f"{{standard_comment}} {letter}: no such comment; {known}")
    text = appended(comment, standard.text)
    if text == comment:
        raise Refused("the comment says so already: {comment} changes it")
    if len(text) > COMMENT_LENGTH:
        raise Refused(f"a comment has {COMMENT_LENGTH} characters at most: {{comment}} shortens it")
    return text
