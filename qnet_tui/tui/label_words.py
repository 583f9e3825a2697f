"""The written half of the label screen: the header, the answer, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from qnet_tui.inspection.answer import ISSUE_LETTERS, Answer, z_text
from qnet_tui.inspection.item import ItemState
from qnet_tui.inspection.keys import Action, worded
from qnet_tui.inspection.pace import duration_words
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.hints import shown_ends, shown_row
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.row_pieces import (
    SavingStatus,
    class_pieces,
    data_pieces,
    fit_rows,
    label,
    named_line_words,
    redshift_pieces,
    rule,
    saved_row,
    which_fit,
)
from qnet_tui.tui.tones import Piece, Row, Tone
from qnet_tui.workflows.label import Item, Progress
from qnet_tui.workflows.label_item import pipeline_words

# The scale in two or three words; the whole sentence stands in the help.
_QUALITY_SHORT = ("no signal", "nothing identified", "one unsure feature", "one secure line", "two secure features")
_BAR = 11


@dataclass(frozen=True)
class Status(SavingStatus):
    """What the screen knows beside the item."""

    blind: bool
    progress: Progress | None = None


def header_rows(item: Item | None, status: Status, columns: int, charset: Charset) -> tuple[Row, Row]:
    """Return the two rows above the spectrum: the queue and whether all is saved; the object and its data."""
    left: list[Piece] = []
    progress = status.progress
    if item is not None:
        left.append((f" round {item.round}  ", Tone.PLAIN))
        left.append((f"#{item.rank} of {item.total}", Tone.STRONG))
    if progress is not None:
        pace = progress.usual_seconds
        eta = f" ≈ {duration_words(pace * progress.mine_left)}" if pace and progress.mine_left else ""
        left.append((f"  yours {progress.mine_left} left{eta}", Tone.PLAIN))
        share = progress.made / progress.needed if progress.needed else 1.0
        filled = round(_BAR * share)
        full, empty = ("#", ".") if charset == "ascii" else ("█", "░")
        if columns >= 100:
            left.append(("  team ", Tone.PLAIN))
            left += [(full * filled, Tone.PLAIN), (empty * (_BAR - filled), Tone.DIM)]
            left.append((f" {100 * share:.0f} %  {progress.made} of {progress.needed} votes", Tone.DIM))
        else:
            left.append((f"  team {100 * share:.0f} %", Tone.PLAIN))
    return shown_ends(left, saved_row(status), columns, charset), _facts(item, status, columns, charset)


def _facts(item: Item | None, status: Status, columns: int, charset: Charset) -> Row:
    if item is None:
        return shown_row((), columns, charset)
    gap = "  " if columns < 100 else "    "
    pieces: list[Piece] = [(f" {item.title}{' ★' if item.starred else ''}", Tone.STRONG)]
    pieces += data_pieces(item, gap)
    if item.magnitude is not None:
        pieces.append((f"{gap}r {item.magnitude:.1f}", Tone.PLAIN))
    if item.note:
        pieces.append((f"{gap}answered", Tone.WARN))
    elif item.was_draft:
        pieces.append((f"{gap}draft", Tone.STRONG))
    if not status.blind and item.why:
        pieces.append((f"{gap}why: {item.why}", Tone.DIM))
    return shown_row(pieces, columns, charset)


@dataclass(frozen=True)
class Said:
    """What the answer pane says beside the answer: how it is looked at, a message, and the keys that are live.

    ``offered``: the redshift is one that a fit offers, not yet the answer's.
    """

    view: str
    message: Piece | None
    actions: tuple[Action, ...]
    offered: bool = False


def answer_rows(item: Item | None, moment: Moment, said: Said, rows: int, columns: int, charset: Charset) -> list[Row]:
    """Return the answer pane: a title row saying how the spectrum is shown, the answer, and one line of advice.

    With seven rows everything has its place; higher panes give the comment and the pipeline's answer rows of
    their own.
    """
    lines: list[Sequence[Piece]] = [rule(said.view, columns, charset)]
    if item is not None:
        answer = moment.state.answer
        missing = answer.missing()
        lines.append((label("class", missing), *class_pieces(answer.spectype)))
        lines.append((label("z", missing), *_z_pieces(item, moment.state, said.offered, charset)))
        lines.append((label("quality", missing), *_quality_pieces(answer)))
        issues: list[Piece] = []
        for letter in ISSUE_LETTERS:
            issues.append((letter, Tone.CHOSEN) if letter in answer.issues else ("·", Tone.DIM))
            issues.append((" ", Tone.PLAIN))
        comment: Piece = (answer.comment, Tone.PLAIN) if answer.comment else ("—", Tone.DIM)
        if rows >= 8:
            lines.append((label("issues"), *issues))
            lines.append((label("comment"), comment))
        else:
            lines.append((label("issues"), *issues, ("  comment ", Tone.DIM), comment))
        if rows >= 9:
            lines += _pipeline_lines(item, moment.state, rows - 1 - len(lines))
    lines = lines[: rows - 1]
    while len(lines) < rows - 1:
        lines.append(())
    lines.append(_advice(item, moment, said))
    return [shown_row(line, columns, charset) for line in lines]


def _quality_pieces(answer: Answer) -> list[Piece]:
    pieces: list[Piece] = []
    for quality in range(5):
        chosen = quality == answer.quality
        pieces.append((f"[{quality}]", Tone.CHOSEN) if chosen else (f" {quality} ", Tone.PLAIN))
    if answer.quality is not None:
        pieces.append((f" {_QUALITY_SHORT[answer.quality]}", Tone.PLAIN))
    return pieces


def _z_pieces(item: Item, state: ItemState, offered: bool, charset: Charset) -> list[Piece]:
    answer = state.answer
    pieces = redshift_pieces(answer)
    line = named_line_words(state, charset)
    if offered:
        pieces.append(("   offered", Tone.DIM))
    elif line:
        pieces.append((f"   {line}", Tone.PLAIN))
    elif answer.z_source == "fit":
        pieces.append(("   fitted", Tone.DIM))
    elif answer.z_source == "pipeline" and state.shown_fit is not None:
        pieces.append((f"   {which_fit(state, item)}: {state.shown_fit.spectype}", Tone.DIM))
    elif answer.z is None and state.cursor is not None:
        pieces.append((f"   cursor {state.cursor:.0f} Å", Tone.DIM))
    return pieces


def _pipeline_lines(item: Item, state: ItemState, rows: int) -> list[Sequence[Piece]]:
    """Return the pipeline's answer, and its fits in as many rows as there are; the shown one has a mark."""
    if not item.fits:
        words = pipeline_words(item)
        return [(label(item.pipeline_name), (words.removeprefix(item.pipeline_name), Tone.PLAIN))] if words else []
    first = max(min(state.fit - rows + 2, len(item.fits) - rows), 0)
    return fit_rows(item.pipeline_name, item.fits, state.fit, first, max(rows, 1))


def _advice(item: Item | None, moment: Moment, said: Said) -> Row:
    if said.message is not None:
        return ((f" {said.message[0]}", said.message[1]),)
    if item is None:
        return ()
    if item.problem:
        return ((worded(" {defer} puts this one at the end of the queue", said.actions), Tone.WARN),)
    left = moment.state.answer.missing()
    if not left:
        return ((worded(" {commit}", said.actions), Tone.STRONG), (" saves this and goes on", Tone.PLAIN))
    words = f" {{commit}} waits for {' and '.join(left)}"
    if moment.state.answer.is_empty() and moment.state.answer.z_source in (None, "pipeline"):
        words = " {feature_next} {feature_previous} go to a peak, {candidate_next} names its line"
        shown = moment.state.shown_fit
        if shown is not None:
            best = "" if moment.state.fit else pipeline_words(item)
            best = best or f"{shown.spectype} {z_text(shown.z)}"
            words = f" {{take_pipeline}} takes {best}"
    return ((worded(words, said.actions), Tone.DIM),)


def nothing_left_lines(round_number: int | None, progress: Progress, actions: tuple[Action, ...]) -> list[str]:
    """Return what the screen says when the queue of this inspector is empty: why, and what comes next."""
    where = f" in round {round_number}" if round_number is not None else ""
    lines = [f"nothing is left for you{where}", ""]
    lines.append(f"you made {progress.mine} votes; all of you {progress.made} of the {progress.needed} needed")
    holders: dict[str, list[float]] = {}
    for code, until in progress.held:
        holders.setdefault(code, []).append(until)
    for code, times in holders.items():
        lines.append(f"{len(times)} held by {code} until {datetime.fromtimestamp(max(times)):%H:%M} at most")
    if progress.mine_left:
        lines.append(worded("{next_item} looks again", actions))
    elif progress.made < progress.needed:
        lines.append(f"{progress.needed - progress.made} votes are up to others: you have answered all of yours")
    lines += ["", worded("{undo} reopens your last answer     {find} finds one     {command}q quits", actions)]
    if progress.made >= progress.needed:
        lines.append("then: qnet merge --accept-agreed")
    return lines
