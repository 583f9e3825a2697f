"""The written half of the merging screen around the table of votes: header, advice, keys, and the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qnet_tui.inspection.keys import Action, worded
from qnet_tui.inspection.pace import duration_words
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.hints import in_charset, key_pieces, shown_ends, shown_row
from qnet_tui.tui.merge_actions import MergeMoment
from qnet_tui.tui.merge_table import full_comment, table_rows
from qnet_tui.tui.row_pieces import SavingStatus, data_pieces, saved_row
from qnet_tui.tui.tones import Piece, Row, Tone, width
from qnet_tui.workflows.merge import Case, MergeCounts

_WIDE = 100


@dataclass(frozen=True)
class MergeStatus(SavingStatus):
    """What the screen knows beside the case.

    ``seconds`` is how long this merger takes for a case, None while too few are settled.
    """

    counts: MergeCounts | None = None
    seconds: float | None = None


def merge_header_rows(case: Case | None, status: MergeStatus, columns: int, charset: Charset) -> tuple[Row, Row]:
    """Return the two rows above the spectrum: what is left to settle; the object, what is disputed, and its data."""
    left: list[Piece] = [(" merge", Tone.STRONG)]
    wide = columns >= _WIDE
    if case is not None and wide:
        left.append((f"  round {case.round}  #{case.rank} of {case.total}", Tone.PLAIN))
    if status.counts is not None:
        left += _counts(status.counts, status.seconds, wide=wide)
    return (
        shown_ends(left, saved_row(status, wide=wide), columns, charset),
        shown_row(_facts(case, columns), columns, charset),
    )


def _counts(counts: MergeCounts, seconds: float | None, *, wide: bool) -> list[Piece]:
    gap = "   " if wide else "  "
    pieces: list[Piece] = [(f"{gap}conflicts {counts.conflicts}", Tone.STRONG if counts.conflicts else Tone.DIM)]
    if wide and seconds is not None and counts.conflicts:
        pieces.append((f" ≈ {duration_words(seconds * counts.conflicts)}", Tone.PLAIN))
    unseen = f" ({counts.to_look} to look at)" if counts.to_look else ""
    pieces.append((f"{gap}agreed {counts.agreed}{unseen}", Tone.PLAIN))
    pieces.append((f"{gap}done {counts.done}", Tone.PLAIN))
    if wide and counts.open:
        pieces.append((f"{gap}wait for votes {counts.open}", Tone.DIM))
    if counts.stale:
        pieces.append((f"{gap}stale truth {counts.stale}", Tone.WARN))
    return pieces


def _facts(case: Case | None, columns: int) -> list[Piece]:
    if case is None:
        return []
    item, gap = case.item, "  " if columns < _WIDE else "    "
    pieces: list[Piece] = [(f" {case.title}", Tone.STRONG), (gap, Tone.PLAIN), _state_piece(case)]
    pieces += data_pieces(item, gap)
    if item.magnitude is not None:
        pieces.append((f"{gap}r {item.magnitude:.1f}", Tone.PLAIN))
    if item.why:
        pieces.append((f"{gap}why: {item.why}", Tone.DIM))
    return pieces


def _state_piece(case: Case) -> Piece:
    if case.own:
        return ("you voted on it: another settles it", Tone.WARN)
    if case.state == "conflict":
        words = f"{listed(case.conflicts)} {'differ' if len(case.conflicts) > 1 else 'differs'}"
        return (f"{words}, settled before" if case.before else words, Tone.WARN)
    if case.state == "merged":
        return ("settled", Tone.GOOD)
    if case.before:
        return ("agreed, settled before", Tone.GOOD)
    return ("agreed: look" if case.to_look else "agreed", Tone.GOOD)


def listed(words: Sequence[str]) -> str:
    """Return "class", "class and z" or "class, z and quality"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


@dataclass(frozen=True)
class Said:
    """What stands below the votes: a message, else advice and how the spectrum is looked at; with the live keys."""

    view: str
    message: Piece | None
    actions: tuple[Action, ...]


def case_rows(
    case: Case | None, moment: MergeMoment, said: Said, rows: int, columns: int, charset: Charset
) -> list[Row]:
    """Return the pane below the spectrum: the table of votes, and at its bottom one line of advice."""
    lines = table_rows(case, moment, rows - 1, columns, charset, said.actions) if case is not None else []
    lines += [()] * (rows - 1 - len(lines))
    return [*(shown_row(line, columns, charset) for line in lines), _advice(case, moment, said, columns, charset)]


def _advice(case: Case | None, moment: MergeMoment, said: Said, columns: int, charset: Charset) -> Row:
    if said.message is not None:
        return shown_row([(f" {said.message[0]}", said.message[1])], columns, charset)
    if case is None:
        return shown_row((), columns, charset)
    comment = full_comment(case, moment, columns)
    left = moment.state.answer.missing()
    row: list[Piece]
    if comment:
        row = [(f" {comment}", Tone.PLAIN)]
    elif left:
        ways = [f"{{copy_vote}} copies {case.votes[moment.state.lit].name}"] if case.votes else []
        if case.proposal.words:
            ways.insert(0, f"{{take_proposal}} takes {case.proposal.words}")
        words = f" {{commit}} waits for {listed(left)}: {', '.join([*ways, 'or say it'])}"
        row = [(worded(words, said.actions), Tone.DIM)]
    else:
        row = [(worded(" {commit}", said.actions), Tone.STRONG), (" settles this and goes on", Tone.PLAIN)]
    view: list[Piece] = [(f"{said.view} ", Tone.DIM)]
    if width(in_charset(row, charset)) + width(in_charset(view, charset)) < columns:
        return shown_ends(row, view, columns, charset)
    return shown_row(row, columns, charset)


def merge_hint_row(
    case: Case | None, moment: MergeMoment, actions: Sequence[Action], columns: int, charset: Charset
) -> Row:
    """Return the bottom row: the keys that are useful now, and at its end the two that always are."""
    if case is None:
        keys, right = [("{undo}", "reopens"), ("{find}", "finds one"), ("{command}accept", "the agreed")], []
    else:
        # What falls off a narrow screen is what is least often needed: first what the answer still lacks.
        left = moment.state.answer.missing()
        keys = [("{vote_next} {vote_previous}", "vote"), ("{copy_vote}", "copy")]
        keys += [("{take_proposal}", case.proposal.words)] if case.proposal.words else []
        says = [
            ("class", ("{class_star} {class_galaxy} {class_quasar}", "class")),
            ("z", ("{type_z}", "redshift")),
            ("quality", ("{quality_0}-{quality_4} {type_quality}", "quality")),
        ]
        keys += [hint for name, hint in says if name in left]
        keys += [("{conflict_next}", "next conflict"), ("{comment}", "comment"), ("{undo}", "undo")]
        keys += [("{case_next}", "later")]
        keys += [hint for name, hint in says if name not in left]
        keys += [("{model}", "model"), ("{fit}", "fit"), ("{zoom_in} {zoom_out}", "zoom")]
        keys += [] if case.names_shown else [("{show_names}", "who")]
        right = [("{commit}", "settle")]
    end = key_pieces([*right, ("{help}", "all keys")], columns, charset, actions)
    return shown_ends(key_pieces(keys, columns - width(end) - 1, charset, actions), end, columns, charset)


def nothing_left_lines(round_number: int | None, counts: MergeCounts, actions: Sequence[Action]) -> list[str]:
    """Return what the screen says when no case is open: why, and what comes next."""
    where = f" in round {round_number}" if round_number is not None else ""
    lines = [f"nothing is left to settle{where}", ""]
    lines.append(f"{counts.done} done, {counts.open} wait for more votes")
    if counts.stale:
        lines.append(f"the truth of {counts.stale} rests on what was opened again since: train again when settled")
    ways = "{undo} reopens what you settled last     {command}q quits"
    # The others may be voting at this moment: what they finish is there at the next look.
    ways = "{case_next} looks again     " + ways if counts.open else ways
    return [*lines, "", worded(ways, actions)]
