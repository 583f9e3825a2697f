"""The live list of keys, made from the table that also makes the bindings."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from qnet_tui.inspection.answer import ISSUE_WORDS, QUALITY_WORDS
from qnet_tui.inspection.comments import STANDARD_COMMENTS
from qnet_tui.inspection.keys import GROUPS, Action, key_text, worded
from qnet_tui.plotting.canvas import Charset, glyphs
from qnet_tui.spectral_lines.identification import NAMEABLE
from qnet_tui.tui.hints import in_charset
from qnet_tui.tui.tones import Tone, plain

_TITLES = {
    "answer": "ANSWER",
    "redshift": "REDSHIFT",
    "lines": "LINES",
    "view": "VIEW",
    "shown": "WHAT IS SHOWN",
    "table": "TABLE",
    "queue": "QUEUE",
    "program": "PROGRAM",
}
_KEY_WIDTH, _COLUMN = 8, 38


class HelpScreen(ModalScreen[None]):
    """Every action that exists now, its keys, the scales, and what the marks in the plot mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,escape,enter,q", "close", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("space,pagedown", "page(1)", show=False),
        Binding("b,pageup", "page(-1)", show=False),
    ]

    def __init__(self, actions: tuple[Action, ...], charset: Charset) -> None:
        """List ``actions``."""
        super().__init__()
        self._actions = actions
        self._charset = charset

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        columns = 2 if self.app.size.width < 120 else 3
        with VerticalScroll(id="help-pane"):
            yield Static("\n".join(help_lines(self._actions, self._charset, columns)), id="help-text", markup=False)
        keys = " down and up scroll, space and b by a page     ? or Esc goes back"
        yield Static(keys, id="help-keys", markup=False)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()

    def action_scroll(self, rows: int) -> None:
        """Scroll by three rows."""
        self.query_one("#help-pane").scroll_relative(y=3 * rows, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll by a page, one row of the old one kept."""
        pane = self.query_one("#help-pane")
        pane.scroll_relative(y=pages * max(pane.size.height - 1, 1), animate=False)


def help_lines(actions: tuple[Action, ...], charset: Charset, columns: int) -> list[str]:
    """Return the help as lines of at most 38 characters a column; what has no action has no scale either."""
    names = {action.name for action in actions}
    blocks = [block for group in GROUPS if len(block := _block(group, actions)) > 1]
    if "name_line" in names:
        letters = [f"{line.letter:<{_KEY_WIDTH}}{line.name}" for line in NAMEABLE]
        blocks.append([worded("LINE LETTERS (after {name_line})", actions), *letters])
    if "standard_comment" in names:
        letters = [f"{each.letter:<{_KEY_WIDTH}}{each.text}"[:_COLUMN] for each in STANDARD_COMMENTS]
        blocks.append([worded("STANDARD COMMENTS (after {standard_comment})", actions)[:_COLUMN], *letters])
    if "quality_0" in names:
        blocks.append(_scale("QUALITY", {str(quality): words for quality, words in enumerate(QUALITY_WORDS)}))
    if "issue_redshift" in names:
        blocks.append(_scale("ISSUES", ISSUE_WORDS))
    if any(action.group == "lines" for action in actions):
        blocks.append(_plot_legend(charset))
    return [plain(in_charset([(line, Tone.PLAIN)], charset)) for line in _in_columns(blocks, columns)]


def _block(group: str, actions: tuple[Action, ...]) -> list[str]:
    lines = [_TITLES[group]]
    for action in actions:
        if action.group == group:
            keys = " ".join(key_text(key) for key in action.keys)
            # A person may have given an action more keys than the column is wide.
            space = " " if len(keys) >= _KEY_WIDTH else ""
            lines.append(f"{keys:<{_KEY_WIDTH}}{space}{action.words}"[:_COLUMN])
    return lines


def _plot_legend(charset: Charset) -> list[str]:
    marks, unit = glyphs(charset), "A" if charset == "ascii" else "Å"
    return [
        "IN THE PLOT",
        f"{marks.marker} emission  {marks.absorption} absorption  {marks.lit} named",
        f"{marks.band} band   {marks.model} template at z",
        f"{marks.up} {marks.down} flux goes on outside the range",
        f"{marks.cursor_axis} cursor   {marks.sky_axis} line of the night sky",
        f"{marks.hatch} no data   {marks.overlap_axis} two arms overlap",
        "dotted: noise of the smoothed flux",
        f"flux in 1e-17 erg/s/cm2/{unit}, vacuum",
    ]


def _scale(title: str, words: Mapping[str, str]) -> list[str]:
    wrapped = [wrap(f"{key}  {text}", _COLUMN, subsequent_indent="   ") for key, text in words.items()]
    return [title, *(line for lines in wrapped for line in lines)]


def _in_columns(blocks: list[list[str]], columns: int) -> list[str]:
    """Fill columns of about equal height, block by block."""
    height = -(-sum(len(block) + 1 for block in blocks) // columns)
    filled: list[list[str]] = [[]]
    for block in blocks:
        if filled[-1] and len(filled) < columns and len(filled[-1]) + len(block) / 2 > height:
            filled.append([])
        filled[-1] += [*block, ""]
    rows = max(len(column) for column in filled)
    padded = [column + [""] * (rows - len(column)) for column in filled]
    return [" " + "  ".join(f"{cell:<{_COLUMN}}" for cell in row).rstrip() for row in zip(*padded, strict=True)]
