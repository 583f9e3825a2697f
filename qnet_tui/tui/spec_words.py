"""The written half of the file viewer: which row of which file, what is known of it, and which keys help now."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qnet_tui.inspection.answer import z_text
from qnet_tui.inspection.keys import Action, worded
from qnet_tui.plotting.canvas import Charset
from qnet_tui.spectral_lines.identification import candidates
from qnet_tui.tui.hints import key_pieces, shown_ends, shown_row
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.row_pieces import (
    class_pieces,
    data_pieces,
    fit_rows,
    label,
    named_line_words,
    redshift_pieces,
    rule,
    which_fit,
)
from qnet_tui.tui.tones import Piece, Row, Tone, width
from qnet_tui.workflows.spectrum_file import RowShown

_BANDS = ("g", "r", "z")


@dataclass(frozen=True)
class FileWords:
    """What stays the same from row to row: the ``name`` of the file, ``what`` it is, and how many rows it has."""

    name: str
    what: str
    rows: int


def header_rows(words: FileWords, shown: RowShown, columns: int, charset: Charset) -> tuple[Row, Row]:
    """Return the two rows above the spectrum: the file and the place in it; the object and its data."""
    left: list[Piece] = [(" spec  ", Tone.DIM), (words.name, Tone.PLAIN)]
    if words.rows > 1:
        left.append((f"  row {shown.row} of 0-{words.rows - 1}", Tone.STRONG))
    item = shown.item
    gap = "  " if columns < 100 else "    "
    facts: list[Piece] = [(f" {item.title}", Tone.STRONG)]
    objtype = str(shown.record["objtype"])
    if objtype not in ("", "TGT"):
        facts.append((f"{gap}{objtype}", Tone.WARN))
    facts += data_pieces(item, gap)
    magnitudes = _magnitudes(shown)
    if magnitudes:
        facts.append((f"{gap}{magnitudes}", Tone.PLAIN))
    right: Row = ((f"{words.what} ", Tone.DIM),)
    return shown_ends(left, right, columns, charset), shown_row(facts, columns, charset)


@dataclass(frozen=True)
class Told:
    """What the facts say beside the row: how it is looked at, a message, and the keys that are live."""

    view: str
    message: Piece | None
    actions: tuple[Action, ...]


def facts_rows(shown: RowShown, moment: Moment, told: Told, rows: int, columns: int, charset: Charset) -> list[Row]:
    """Return the pane at the lower left: how it is drawn, redshift and class, the pipeline, the cursor, the place.

    The last row is the message, or what could be done next.
    """
    lines: list[Sequence[Piece]] = [rule(told.view, columns, charset)]
    lines.append((label("z"), *_z_pieces(shown, moment, charset)))
    lines.append((label("class"), *class_pieces(moment.state.answer.spectype)))
    lines.append((label("cursor"), *_cursor_pieces(moment, columns - 9, charset)))
    # In a low pane the fits are worth more than the place.
    place = (label("place"), (f" {_place(shown)}", Tone.PLAIN))
    left = rows - 1 - len(lines)
    with_place = left > 1 + bool(shown.item.fits)
    lines += _pipeline_rows(shown, moment, left - with_place)
    lines += [place] if with_place else []
    if len(lines) < rows - 1 and shown.item.features:
        lines.append((label("peaks"), *_peak_pieces(shown, moment, columns - 9, charset)))
    lines = [*lines[: rows - 1], *([()] * (rows - 1 - len(lines)))]
    lines.append(_advice(shown, moment, told))
    return [shown_row(line, columns, charset) for line in lines]


def hint_row(moment: Moment, actions: tuple[Action, ...], rows: int, columns: int, charset: Charset) -> Row:
    """Return the bottom row: the keys that are useful now, and at its end the two that always are."""
    right = key_pieces([("{command}q", "quit"), ("{help}", "all keys")], columns, charset, actions)
    hints = [("{next_item} {previous_item}", "rows")] if rows > 1 else []
    if moment.state.answer.z is None:
        hints += [("{feature_next} {feature_previous}", "peak"), ("{type_z}", "type z")]
    else:
        hints += [("{z_fine_down} {z_fine_up}", "z"), ("{fit}", "fit"), ("{z_coarse_down} {z_coarse_up}", "faster")]
    hints += [
        ("{candidate_next} {candidate_previous}", "line"),
        ("{model} {template_next}", "template"),
        ("{smooth_more}", "smooth"),
        ("{zoom_in} {zoom_out}", "zoom"),
        ("{line_choice}", "lines"),
        ("{arms}", "arms"),
        ("{swap_zoom}", "pane big"),
        ("{take_pipeline}", "pipeline's"),
    ]
    return shown_ends(key_pieces(hints, columns - width(right) - 1, charset, actions), right, columns, charset)


def _z_pieces(shown: RowShown, moment: Moment, charset: Charset) -> list[Piece]:
    state, answer, item = moment.state, moment.state.answer, shown.item
    pieces, line = redshift_pieces(answer), named_line_words(state, charset)
    if line:
        pieces.append((f"   {line}", Tone.PLAIN))
    elif answer.z_source == "fit":
        pieces.append(("   fitted", Tone.DIM))
    elif answer.z_source == "pipeline":
        pieces.append((f"   {which_fit(state, item)}", Tone.DIM))
    return pieces


def _pipeline_rows(shown: RowShown, moment: Moment, rows: int) -> list[Sequence[Piece]]:
    """Return the pipeline's answer and as many of its fits as there is room for, with a mark at the one shown."""
    item, record = shown.item, shown.record
    if item.pipeline_z is None and not item.fits:
        return [(label("pipeline"), (" no answer beside the file", Tone.DIM))]
    lines: list[Sequence[Piece]] = []
    if item.pipeline_z is not None:
        text = f" {item.pipeline_class} {z_text(item.pipeline_z)}"
        text += f"  zwarn {item.pipeline_zwarn}" if item.pipeline_zwarn > 0 else ""
        chi2 = float(record["pipeline_deltachi2"])
        text += f"  Δχ² {chi2:.0f}" if math.isfinite(chi2) else ""
        lines.append((label(item.pipeline_name), (text, Tone.PLAIN)))
    room, at = max(rows - len(lines), 1), min(moment.state.fit, len(item.fits))
    first = max(min(at - room // 2, len(item.fits) - room), 0)
    return lines + fit_rows("fits", item.fits, at, first, room)


def _cursor_pieces(moment: Moment, columns: int, charset: Charset) -> list[Piece]:
    """Say where the cursor is and which lines the place could be, with their redshifts, as many as fit."""
    cursor = moment.state.cursor
    if cursor is None:
        return [(" -", Tone.DIM)]
    found = list(candidates(cursor))
    # The named one is never among those that do not fit.
    found.sort(key=lambda each: each[0].name != moment.state.named)
    pieces: list[Piece] = [(f" {cursor:.0f} Å", Tone.PLAIN)]
    for line, z in found:
        name = line.plain if charset == "ascii" else line.name
        more = (f"  {name} {z:.2f}", Tone.STRONG if line.name == moment.state.named else Tone.DIM)
        if width(pieces) + width([more]) > columns:
            break
        pieces.append(more)
    return pieces


def _peak_pieces(shown: RowShown, moment: Moment, columns: int, charset: Charset) -> list[Piece]:
    """Name the most significant peaks, in order of wavelength, as many as fit; the one at the cursor stands out."""
    best = sorted(shown.item.features, key=lambda one: -one.significance)[: max(columns // 11, 1)]
    at, sigma = moment.state.cursor, "s" if charset == "ascii" else "σ"
    return [
        (f" {one.wavelength:.0f} {one.significance:.0f}{sigma} ", Tone.STRONG if at == one.wavelength else Tone.PLAIN)
        for one in sorted(best, key=lambda one: one.wavelength)
    ]


def _place(shown: RowShown) -> str:
    record = shown.record
    ra, dec = float(record["ra"]), float(record["dec"])
    where = f"{ra:.5f} {dec:+.5f}" if math.isfinite(ra) and math.isfinite(dec) else "-"
    numbers = (("tile", "tileid"), ("plate", "plate"), ("mjd", "mjd"), ("fibre", "fiberid"), ("night", "night"))
    return where + "".join(f"  {word} {int(record[name])}" for word, name in numbers if int(record[name]) > 0)


def _magnitudes(shown: RowShown) -> str:
    """Return AB magnitudes from nanomaggies, for the bands that the file has."""
    words = []
    for band in _BANDS:
        flux = float(shown.record[f"flux_{band}"])
        if math.isfinite(flux) and flux > 0:
            words.append(f"{band} {22.5 - 2.5 * math.log10(flux):.1f}")
    return " ".join(words)


def _advice(shown: RowShown, moment: Moment, told: Told) -> Row:
    if told.message is not None:
        return ((f" {told.message[0]}", told.message[1]),)
    if shown.item.problem:
        return ((f" {shown.item.problem}", Tone.WARN),)
    words = " {fit} fits the redshift, {model} draws a template"
    if moment.state.answer.z is None:
        words = " {feature_next} {feature_previous} go to a peak, {candidate_next} names its line"
    return ((worded(words, told.actions), Tone.DIM),)
