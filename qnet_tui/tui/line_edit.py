"""One line of text being typed: a redshift, a comment or a command.

Our own instead of a widget with the focus: keys then come to one place in the order in which they were typed, so
that what is typed ahead (``z 2.31 Enter q 4``) can never end up in the wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.cells import cell_len

from qnet_tui.tui.tones import Piece, Row, Tone, fitted, width

_HELP = " Enter keeps it, Esc leaves "


@dataclass(frozen=True)
class LineEdit:
    """The question (``kind`` for the program, ``question`` for the person), the text, and where the cursor stands.

    ``whole``: the next character takes the place of the text.
    """

    kind: str
    question: str
    text: str
    cursor: int
    length: int
    whole: bool = False

    @classmethod
    def begin(cls, kind: str, question: str, text: str, length: int) -> LineEdit:
        """Start with ``text``, the cursor at its end; at most ``length`` characters can be typed."""
        shown = text[:length]
        # A redshift is typed anew; a comment is gone on with.
        return cls(kind, question, shown, len(shown), length, whole=kind == "z" and bool(shown))

    def typed(self, text: str) -> LineEdit:
        """Insert ``text`` at the cursor, as far as there is room; into a field taken whole, in place of its text."""
        if self.whole:
            return replace(self, text="", cursor=0, whole=False).typed(text)
        fresh = "".join(character for character in text if character.isprintable() and cell_len(character) == 1)
        fresh = fresh[: self.length - len(self.text)]
        both = self.text[: self.cursor] + fresh + self.text[self.cursor :]
        return replace(self, text=both, cursor=self.cursor + len(fresh))

    def edited(self, key: str) -> LineEdit:
        """Move the cursor or take something away; keys that do neither change nothing."""
        if self.whole:
            return replace(self, whole=False).edited(key)
        text, cursor = self.text, self.cursor
        if key in ("backspace", "ctrl+h"):
            return replace(self, text=text[: max(cursor - 1, 0)] + text[cursor:], cursor=max(cursor - 1, 0))
        if key in ("delete", "ctrl+d"):
            return replace(self, text=text[:cursor] + text[cursor + 1 :])
        if key == "ctrl+u":
            return replace(self, text=text[cursor:], cursor=0)
        if key == "ctrl+k":
            return replace(self, text=text[:cursor])
        moves = {"left": cursor - 1, "right": cursor + 1, "home": 0, "end": len(text), "ctrl+e": len(text)}
        return replace(self, cursor=min(max(moves.get(key, cursor), 0), len(text)))

    def row(self, columns: int) -> Row:
        """Return the line as it is shown; a long text is shown about the cursor."""
        lead: list[Piece] = [(f" {self.question} ", Tone.STRONG)]
        room = max(columns - width(lead) - cell_len(_HELP), 4)
        start = max(self.cursor - room + 1, 0)
        shown = f"{self.text} "[start : start + room]
        at = self.cursor - start
        pieces = [*lead, (shown[:at], Tone.PLAIN), (shown[at], Tone.CHOSEN), (shown[at + 1 :], Tone.PLAIN)]
        gap = columns - width(pieces) - cell_len(_HELP)
        return fitted([*pieces, (" " * gap, Tone.PLAIN), (_HELP, Tone.DIM)], columns)
