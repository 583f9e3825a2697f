"""Rows that name keys: what helps now, which letter is waited for; always with the keys that are live."""

from __future__ import annotations

from collections.abc import Sequence

from qnet_tui.inspection.answer import z_text
from qnet_tui.inspection.comments import STANDARD_COMMENTS
from qnet_tui.inspection.keys import Action, worded
from qnet_tui.plotting.canvas import Charset
from qnet_tui.spectral_lines.identification import NAMEABLE
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.tones import Piece, Row, Tone, fitted, spread, width

_PLAIN_GLYPHS = str.maketrans(
    {
        "▸": ">",
        "✓": "ok",
        "★": "*",
        "χ": "chi",
        "²": "2",
        "≈": "~",
        "←": "<-",
        "→": "->",
        "↑": "up",
        "↓": "down",
        "±": "+-",
        "Δ": "d",
    }
    | {"⏎": "Enter", "⌫": "Bksp", "—": "-", "·": ".", "Å": "A", "α": "a", "β": "b", "…": ">"}
    | {"σ": "s", "λ": "l", "≥": ">=", "≤": "<=", "–": "-", "×": "x", "−": "-"}
)

Hint = tuple[str, str]

_WITHOUT_A_SPECTRUM = [
    ("next_item", "{next_item}", "next"),
    ("undo", "{undo}", "my last answer"),
    ("find", "{find}", "find one"),
    ("command", "{command}q", "quits"),
]


def in_charset(row: Sequence[Piece], charset: Charset) -> list[Piece]:
    """Return ``row`` as the charset can show it."""
    if charset != "ascii":
        return list(row)
    return [(text.translate(_PLAIN_GLYPHS), tone) for text, tone in row]


def shown_row(row: Sequence[Piece], columns: int, charset: Charset) -> Row:
    """Return ``row`` in the charset, cut or filled to ``columns``."""
    # Words that stand for arrows are longer than arrows, so they come before the cutting, which may add its own sign.
    return tuple(in_charset(fitted(in_charset(row, charset), columns), charset))


def shown_ends(left: Sequence[Piece], right: Sequence[Piece], columns: int, charset: Charset) -> Row:
    """Return ``left`` and ``right`` at the two ends of a row of ``columns`` in the charset."""
    return tuple(in_charset(spread(in_charset(left, charset), in_charset(right, charset), columns), charset))


def key_pieces(hints: Sequence[Hint], columns: int, charset: Charset, actions: Sequence[Action]) -> list[Piece]:
    """Return (keys, words) pairs as a row, as many as fit; keys name their actions in braces."""
    pieces: list[Piece] = []
    for key, words in hints:
        more: list[Piece] = [(f" {worded(key, actions)}", Tone.STRONG), (f" {words} ", Tone.DIM)]
        more = in_charset(more, charset)
        if width(pieces) + width(more) > columns:
            break
        pieces += more
    return pieces


def letters_row(asked: str, columns: int, charset: Charset, actions: Sequence[Action]) -> Row:
    """Return what the next key can be, after ``asked``: the action "name_line" or "standard_comment"."""
    if asked == "name_line":
        lines = [(line.letter, line.plain if charset == "ascii" else line.name) for line in NAMEABLE]
        hints = [("{name_line}", "the line at the cursor is"), *lines]
    else:
        hints = [("{standard_comment}", "comment"), *((each.letter, each.words) for each in STANDARD_COMMENTS)]
    return shown_row(key_pieces(hints, columns, charset, actions), columns, charset)


def offer_row(offer: LocalFit, z: float | None, columns: int, charset: Charset, actions: Sequence[Action]) -> Row:
    """Return what a fit found, from where, and the keys that take it or leave it."""
    left: list[Piece] = [(" fit ", Tone.DIM), (f"{z_text(z)} → ", Tone.PLAIN), (f"{offer.z:.4f}", Tone.STRONG)]
    left += [(f" ± {offer.z_error:.4f}", Tone.PLAIN), (f"  {offer.velocity:+.0f} km/s", Tone.STRONG)]
    left += [(f"  {offer.template}", Tone.DIM)]
    left += [(f"  Δχ² {offer.delta_chi2:.0f} to the next", Tone.DIM)] if columns >= 110 else []
    keys = key_pieces([("{commit}", "takes it"), ("Esc", "leaves it")], columns, charset, actions)
    return shown_ends(left, keys, columns, charset)


def message_row(message: Piece, columns: int, charset: Charset) -> Row:
    """Return a message over the whole width."""
    return shown_row([(f" {message[0]}", message[1])], columns, charset)


def hint_row(moment: Moment | None, actions: Sequence[Action], columns: int, charset: Charset) -> Row:
    """Return the bottom row: the keys that are useful now, and at its end the two that always are.

    ``moment`` None: there is no spectrum, and only the ways to one are useful.
    """
    names = {action.name for action in actions}
    right = key_pieces([("{commit}", "next"), ("{help}", "all keys")], columns, charset, actions)
    useful = _useful(moment) if moment is not None else _WITHOUT_A_SPECTRUM
    if moment is None:
        right = key_pieces([("{help}", "all keys")], columns, charset, actions)
    room = columns - width(right) - 1
    hints = [(keys, words) for needed, keys, words in useful if needed in names]
    return shown_ends(key_pieces(hints, room, charset, actions), right, columns, charset)


def _useful(moment: Moment) -> list[tuple[str, str, str]]:
    """Return (an action that must exist, keys, words); what falls off a narrow screen is least often needed."""
    answers = [
        ("class_star", "{class_star} {class_galaxy} {class_quasar}", "class"),
        ("quality_0", "{quality_0}-{quality_4}", "quality"),
    ]
    facts = moment.state.facts
    pipeline = [("take_pipeline", "{take_pipeline}", "pipeline's")] if facts.pipeline_class else []
    pipeline += [("fit_next", "{fit_next} {fit_previous}", "its fits")] if facts.fits else []
    if moment.state.answer.z is None:
        ways = [
            ("feature_next", "{feature_next} {feature_previous}", "peak"),
            ("candidate_next", "{candidate_next} {candidate_previous}", "its line"),
            ("name_line", "{name_line}", "name it"),
            ("type_z", "{type_z}", "type z"),
        ]
        ordered = ways + answers + pipeline
    else:
        ways = [
            ("z_fine_up", "{z_fine_down} {z_fine_up}", "z"),
            ("fit", "{fit}", "fit"),
            ("candidate_next", "{candidate_next} {candidate_previous}", "line"),
            ("model", "{model}", "model"),
            ("z_coarse_up", "{z_coarse_down} {z_coarse_up}", "faster"),
        ]
        ordered = answers + ways + pipeline
    return [
        *ordered,
        ("smooth_more", "{smooth_more}", "smooth"),
        ("zoom_in", "{zoom_in} {zoom_out}", "zoom"),
        ("comment", "{comment}", "comment"),
        ("issue_redshift", "{issue_redshift} {issue_class} {issue_spectrum}", "issues"),
        ("line_choice", "{line_choice}", "lines"),
        ("zoom_narrower", "{zoom_narrower}", "narrower"),
        ("defer", "{defer}", "defer"),
        ("undo", "{undo}", "undo"),
        ("star", "{star}", "star"),
        ("find", "{find}", "find"),
    ]
