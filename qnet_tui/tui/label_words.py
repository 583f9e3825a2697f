"""The written half of the label screen: the header, the answer, what is missing, and which keys help now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from qnet_tui.inspection.answer import CLASSES, ISSUE_LETTERS, Answer, z_text
from qnet_tui.inspection.item import MASKED_LIMIT, ItemState
from qnet_tui.inspection.pace import duration_words
from qnet_tui.plotting.canvas import Charset
from qnet_tui.spectral_lines.identification import BY_NAME, NAMEABLE
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.tones import Piece, Row, Tone, fitted, spread, width
from qnet_tui.workflows.label import Item, Progress

# The scale in two or three words; the whole sentence stands in the help.
_QUALITY_SHORT = ("no signal", "nothing identified", "one unsure feature", "one secure line", "two secure features")
_CLASS_NAMES = {"STAR": "star", "GALAXY": "galaxy", "QSO": "QSO"}
_BAR = 11


@dataclass(frozen=True)
class Status:
    """What the screen knows beside the item: ``saved`` and ``trouble`` are never both shown."""

    inspector: str
    blind: bool
    progress: Progress | None = None
    saved: str = ""
    busy: str = ""
    trouble: str = ""


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
    return _spread(left, _saved(status), columns, charset), _facts(item, status, columns, charset)


def _saved(status: Status) -> Row:
    who: Piece = (f"{status.inspector} ", Tone.STRONG)
    if status.trouble:
        return (who, ("! NOT SAVED ", Tone.WARN))
    if status.busy:
        return (who, (f"{status.busy} ", Tone.DIM))
    if status.saved:
        return (who, (f"✓ saved {status.saved} ", Tone.GOOD))
    return (who,)


def _facts(item: Item | None, status: Status, columns: int, charset: Charset) -> Row:
    if item is None:
        return _fitted((), columns, charset)
    gap = "  " if columns < 100 else "    "
    pieces: list[Piece] = [(f" {item.title}", Tone.STRONG)]
    if not item.problem:
        pieces.append((f"{gap}{item.arms_words}", Tone.WARN if item.arms_missing else Tone.PLAIN))
        masked = item.frac_masked > MASKED_LIMIT
        pieces.append((f"{gap}{100 * item.frac_masked:.0f} % masked", Tone.WARN if masked else Tone.PLAIN))
        pieces.append((f"{gap}S/N {item.snr:.1f}", Tone.PLAIN))
    if item.magnitude is not None:
        pieces.append((f"{gap}r {item.magnitude:.1f}", Tone.PLAIN))
    if item.was_draft:
        pieces.append((f"{gap}draft", Tone.STRONG))
    if not status.blind and item.why:
        pieces.append((f"{gap}why: {item.why}", Tone.DIM))
    return _fitted(pieces, columns, charset)


def answer_rows(
    item: Item | None, moment: Moment, status: Status, message: Piece | None, rows: int, columns: int, charset: Charset
) -> list[Row]:
    """Return the answer pane: a title row saying how the spectrum is shown, the answer, and one line of advice.

    With seven rows everything has its place; higher panes give the comment and the pipeline's answer rows of
    their own.
    """
    lines = [_rule(moment.view.words(), columns, charset)]
    if item is not None:
        answer = moment.state.answer
        missing = answer.missing()
        lines.append((_label("class", missing), *_class_pieces(answer)))
        lines.append((_label("z", missing), *_z_pieces(item, moment.state, charset)))
        lines.append((_label("quality", missing), *_quality_pieces(answer)))
        issues: list[Piece] = []
        for letter in ISSUE_LETTERS:
            issues.append((letter, Tone.CHOSEN) if letter in answer.issues else ("·", Tone.DIM))
            issues.append((" ", Tone.PLAIN))
        comment: Piece = (answer.comment, Tone.PLAIN) if answer.comment else ("—", Tone.DIM)
        pipeline = _pipeline(item, status)
        if rows >= 8:
            lines.append((_label("issues", ()), *issues))
            lines.append((_label("comment", ()), comment))
        else:
            lines.append((_label("issues", ()), *issues, ("  comment ", Tone.DIM), comment))
        if rows >= 9 and pipeline:
            lines.append((_label(item.pipeline_name, ()), *pipeline))
    lines = lines[: rows - 1]
    while len(lines) < rows - 1:
        lines.append(())
    lines.append(_advice(item, moment, message))
    return [_fitted(line, columns, charset) for line in lines]


def _label(word: str, missing: tuple[str, ...]) -> Piece:
    return (f"▸{word:<8}", Tone.MISSING) if word in missing else (f" {word:<8}", Tone.DIM)


def _class_pieces(answer: Answer) -> list[Piece]:
    pieces: list[Piece] = []
    for spectype in CLASSES:
        name = _CLASS_NAMES[spectype]
        chosen = spectype == answer.spectype
        pieces.append((f"[{name}]", Tone.CHOSEN) if chosen else (f" {name} ", Tone.PLAIN))
    return pieces


def _quality_pieces(answer: Answer) -> list[Piece]:
    pieces: list[Piece] = []
    for quality in range(5):
        chosen = quality == answer.quality
        pieces.append((f"[{quality}]", Tone.CHOSEN) if chosen else (f" {quality} ", Tone.PLAIN))
    if answer.quality is not None:
        pieces.append((f" {_QUALITY_SHORT[answer.quality]}", Tone.PLAIN))
    return pieces


def _z_pieces(item: Item, state: ItemState, charset: Charset) -> list[Piece]:
    answer = state.answer
    pieces: list[Piece] = [(f" {z_text(answer.z)}", Tone.STRONG if answer.z is not None else Tone.DIM)]
    if answer.z is not None and state.named in BY_NAME:
        line = BY_NAME[state.named]
        name = line.plain if charset == "ascii" else line.name
        pieces.append((f"   {name} at {line.rest * (1 + answer.z):.0f} Å", Tone.PLAIN))
    elif answer.z_source == "pipeline":
        pieces.append((f"   {item.pipeline_name}", Tone.DIM))
    elif answer.z is None and state.cursor is not None:
        pieces.append((f"   cursor {state.cursor:.0f} Å", Tone.DIM))
    return pieces


def _pipeline(item: Item, status: Status) -> list[Piece]:
    if status.blind or not item.pipeline_class:
        return []
    text = f" {item.pipeline_class} {z_text(item.pipeline_z)}"
    text += f"  zwarn {item.pipeline_zwarn}" if item.pipeline_zwarn > 0 else ""
    return [(text, Tone.PLAIN)]


def _advice(item: Item | None, moment: Moment, message: Piece | None) -> Row:
    if message is not None:
        return ((f" {message[0]}", message[1]),)
    if item is None:
        return ()
    if item.problem:
        return ((" space puts this one at the end of the queue", Tone.WARN),)
    left = moment.state.answer.missing()
    if not left:
        return ((" ⏎", Tone.STRONG), (" saves this and goes on", Tone.PLAIN))
    if moment.state.answer.is_empty():
        return ((" ↓ ↑ go to a peak, . names its line", Tone.DIM),)
    return ((f" ⏎ waits for {' and '.join(left)}", Tone.DIM),)


def _rule(text: str, columns: int, charset: Charset) -> Row:
    line = "-" if charset == "ascii" else "─"
    shown = f" {text} "
    return ((line, Tone.RULE), (shown, Tone.DIM), (line * max(columns - width(((shown, Tone.DIM),)) - 1, 0), Tone.RULE))


def hint_row(moment: Moment, *, naming: bool, blind: bool, columns: int, charset: Charset) -> Row:
    """Return the bottom row: the keys that are useful now, and at its end the two that always are."""
    if naming:
        keys = [(line.letter, line.plain if charset == "ascii" else line.name) for line in NAMEABLE]
        left = _keys_row([("x", "the line at the cursor is")], keys, columns, charset)
        return _fitted(left, columns, charset)
    right = _shown(_key_pieces("⏎", "next") + _key_pieces("?", "all keys"), charset)
    keys = [("s g q", "class"), ("0-4", "quality")]
    keys += [("← →", "z"), ("< >", "faster")] if moment.state.answer.z is not None else [("z", "type z")]
    keys += [(". ,", "line")]
    keys += [] if blind else [("a", "pipeline's")]
    # What falls off a narrow screen is what is least often needed.
    keys += [("w", "smooth"), ("+ -", "zoom"), ("c", "comment"), ("R C S", "issues"), ("l", "lines")]
    keys += [("D", "narrower"), ("space", "defer"), ("u", "undo")]
    return _spread(_keys_row([], keys, columns - width(right) - 1, charset), right, columns, charset)


def _keys_row(lead: list[tuple[str, str]], keys: list[tuple[str, str]], columns: int, charset: Charset) -> list[Piece]:
    pieces: list[Piece] = []
    for key, words in lead + keys:
        more = _shown(_key_pieces(key, words), charset)
        if width(pieces) + width(more) > columns:
            break
        pieces += more
    return pieces


def _key_pieces(key: str, words: str) -> list[Piece]:
    return [(f" {key}", Tone.STRONG), (f" {words} ", Tone.DIM)]


def nothing_left_lines(round_number: int | None, progress: Progress) -> list[str]:
    """Return what the screen says when the queue of this inspector is empty: why, and what comes next."""
    where = f" in round {round_number}" if round_number is not None else ""
    lines = [f"nothing is left for you{where}", ""]
    lines.append(f"you made {progress.mine} votes; all of you {progress.made} of the {progress.needed} needed")
    if progress.mine_left:
        code, until = progress.held[-1] if progress.held else ("somebody", None)
        time = f" until {datetime.fromtimestamp(until):%H:%M}" if until is not None else ""
        lines.append(f"{len(progress.held)} open for you, held by {code}{time}: j looks again")
    lines += ["", "u reopens your last answer     :q quits"]
    if progress.made >= progress.needed:
        lines.append("then: qnet merge --accept-agreed")
    return lines


_PLAIN_GLYPHS = str.maketrans(
    {"▸": ">", "✓": "ok", "≈": "~", "←": "<-", "→": "->", "↑": "up", "↓": "down"}
    | {"⏎": "Enter", "—": "-", "·": ".", "Å": "A", "α": "a", "β": "b", "…": ">"}
)


def _shown(row: Sequence[Piece], charset: Charset) -> list[Piece]:
    """Return ``row`` as the charset can show it."""
    if charset != "ascii":
        return list(row)
    return [(text.translate(_PLAIN_GLYPHS), tone) for text, tone in row]


def _fitted(row: Sequence[Piece], columns: int, charset: Charset) -> Row:
    # Words that stand for arrows are longer than arrows, so they come before the cutting, which may add its own sign.
    return tuple(_shown(fitted(_shown(row, charset), columns), charset))


def _spread(left: Sequence[Piece], right: Sequence[Piece], columns: int, charset: Charset) -> Row:
    return tuple(_shown(spread(_shown(left, charset), _shown(right, charset), columns), charset))
